"""The doctor's world as the command line sees it, and the question that is asked before names are told to others."""

from pathlib import Path
from typing import TYPE_CHECKING

from goferry.cli.base import option
from goferry.cli.console import Console
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.doctor.base import World

public_dns_option = option(
    "--public-dns/--no-public-dns",
    default=None,
    help=N_("Whether public name servers may be asked for a second opinion; asks when at a terminal."),
)


def world_of(console: Console, *, public_dns: bool = False) -> "World":
    """This machine, seen from the console's environment and folder."""
    from goferry.doctor.base import World

    home = console.environ.get("HOME") or console.environ.get("USERPROFILE") or ""
    return World(
        environ=dict(console.environ),
        cwd=console.cwd,
        home=Path(home) if home else Path.home(),
        public_dns=public_dns,
    )


def may_ask_public(console: Console, given: bool | None, *, quiet: bool = False) -> bool:
    """Consent. Only a person at a terminal is asked, and only when the flag leaves it open."""
    if given is not None or quiet or not (console.progress and console.stdin.isatty()):
        return bool(given)
    console.note(
        _(
            "A second opinion tells names that are lied about: public name servers would see the host names asked for."
        )
    )
    return confirmed(console, _("Ask public name servers too?"))


def confirmed(console: Console, question: str) -> bool:
    """Whether the person at the console says yes; anything else, and the end of input, is no."""
    console.stderr.write(f"{question} [y/N] ")
    console.stderr.flush()
    return console.stdin.readline().strip().lower() in ("y", "yes", "是")
