"""`goferry deps`: what a project depends on, what is wrong with it, and proof of it. One file per sub-command."""

from typing import Final

import click

from goferry.cli.base import Entry, LazyGroup
from goferry.i18n import N_

SUMMARY: Final = N_("Audit what a project depends on, mend it, and prove it before a release.")
LOOK: Final = N_("Look")
JUDGE: Final = N_("Judge")
CHANGE: Final = N_("Change")
TELL: Final = N_("Tell")

COMMANDS: Final[tuple[Entry, ...]] = (
    Entry(
        "list",
        "goferry.cli.deps.list",
        LOOK,
        N_("List the modules that are really built, as `go list -m all` does."),
    ),
    Entry("graph", "goferry.cli.deps.graph", LOOK, N_("Print who requires whom, as `go mod graph` does.")),
    Entry("why", "goferry.cli.deps.why", LOOK, N_("Say which requirements bring a module in.")),
    Entry(
        "audit",
        "goferry.cli.deps.audit",
        JUDGE,
        N_("Find what is wrong with the modules that are built: flaws, age, licences."),
    ),
    Entry(
        "gate",
        "goferry.cli.deps.gate",
        JUDGE,
        N_("Prove go.sum and vendor, and judge by rules, before a release."),
    ),
    Entry(
        "db",
        "goferry.cli.deps.db",
        JUDGE,
        N_("Look at the vulnerability database, and get a newer one."),
    ),
    Entry(
        "fix",
        "goferry.cli.deps.fix",
        CHANGE,
        N_("Raise as few requirements as possible until nothing is affected."),
    ),
    Entry(
        "lock",
        "goferry.cli.deps.lock",
        CHANGE,
        N_("Tidy, download, verify, vendor: everything for a build that can be repeated."),
    ),
    Entry(
        "notify",
        "goferry.cli.deps.notify",
        TELL,
        N_("Tell what is new in an audit: chat, e-mail, webhooks, GitHub."),
    ),
    Entry(
        "trend",
        "goferry.cli.deps.trend",
        TELL,
        N_("Show how findings came and went over the kept audits."),
    ),
)


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    short_help=SUMMARY,
    help=N_(
        "Audit what a project depends on, mend it, and prove it before a release. Works on the real build list, "
        "without a Go toolchain."
    ),
    subcommand_metavar="COMMAND [ARGS]...",
)
def command() -> None:
    """The group itself does nothing."""
