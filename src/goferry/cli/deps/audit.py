"""`goferry deps audit`: what is wrong with the modules that are really built."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from goferry.cli import clients
from goferry.cli.base import Command, option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps import regular
from goferry.cli.deps.notify import receivers_of, tell_news
from goferry.cli.deps.opening import complete_settings, opened, supply_flags
from goferry.cli.deps.outputs import Output, outputs, show
from goferry.cli.environment import Complete
from goferry.cli.progress import showing
from goferry.config import Settings
from goferry.deps.advisories import building, refresh
from goferry.deps.advisories import database as databases
from goferry.deps.advisories.database import Database
from goferry.deps.advisories.exposure import Evidence, Origin, from_lines
from goferry.deps.audit import failing, records, saved, targets, whole
from goferry.deps.audit.failing import FailOn
from goferry.deps.audit.forms import FORMS
from goferry.deps.audit.ignoring import IgnoreFile
from goferry.deps.audit.records import Audit
from goferry.deps.audit.run import Wanted
from goferry.deps.audit.saved import Saved
from goferry.deps.audit.since import since
from goferry.deps.audit.whole import Looking, Whole
from goferry.deps.base import Project
from goferry.deps.govulncheck import checker
from goferry.errors import InvalidInput
from goferry.gomod import gover
from goferry.i18n import N_, _
from goferry.storage.folders import folder_of

SUMMARY = N_("Find what is wrong with the modules that are built: flaws, age, licences.")
_LOOKING: Final = {
    "ignore": "--ignore",
    "licences": "--licences",
    "no_source": "--no-source",
    "no_versions": "--no-versions",
    "with_govulncheck": "--with-govulncheck",
    "inventory": "--inventory",
    "go_version": "--go",
    "archived": "--archived",
    "ask_forges": "--ask-forges",
    "db": "--db",
    "repos": "--repos",
    "every": "--every",
}
"""Options that say how to look, of no use where nothing is looked at."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say of the result."""

    fail_on: FailOn
    outputs: tuple[Output, ...]
    old: Audit | None
    old_name: str
    notes: bool
    telling: bool

    @property
    def for_programs(self) -> bool:
        """Programs alone read what comes of it."""
        return all(one.form == "json" for one in self.outputs)

    @property
    def quiet(self) -> bool:
        return self.for_programs and not any(one.file for one in self.outputs)


def _audit_flags(function: Any) -> Any:
    return supply_flags(function, "deps audit")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Find what is wrong with the modules that are really built: known vulnerabilities and where they are fixed, "
        "flaws of Go itself, retracted and deprecated versions, commits and pre-releases, modules without a release "
        "for long, licences. PATH is a go.mod, a go.work, a folder or a built program; DIR/... stands for all "
        "projects below. Exit status 1 when --fail-on says so, 3 when something could not be looked at."
    ),
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default=None,
    metavar="FORM",
    help=N_("terminal, json, sarif, cyclonedx, html, markdown or junit.  [terminal]"),
)
@option("--json", "as_json", is_flag=True, help=N_("Print JSON for programs; the same as --format json."))
@option(
    "-o",
    "--output",
    metavar="FILE",
    multiple=True,
    help=N_(
        "Write there. Without --format the ending says the form (.json .sarif .cdx.json .html .md .xml), and the "
        "table is printed, too; may be given several times."
    ),
)
@option(
    "--from",
    "source",
    metavar="SAVED.json",
    default=None,
    help=N_("Look at nothing: show what a --json says, in any form; - is standard input."),
)
@option(
    "--fail-on",
    metavar="LIST",
    default="error",
    help=N_("What makes the exit status 1: error, warning, info or none, and kinds of findings.  [error]"),
)
@option("--since", "old", metavar="OLD.json", default=None, help=N_("Show only what an older audit has not."))
@option(
    "--ignore",
    metavar="FILE",
    multiple=True,
    help=N_("What to set aside, beside goferry-ignore.toml of each project. May be given several times."),
)
@option("--notes", is_flag=True, help=N_("Show notes one by one, too."))
@option(
    "--inventory",
    is_flag=True,
    help=N_("Put into JSON what --from needs for an SBOM: hashes and licences; reads every zip."),
)
@option("--licences", is_flag=True, help=N_("Read the licence of every module; reads every zip."))
@option("--no-source", is_flag=True, help=N_("Do not read source: advisories are about modules as a whole."))
@option(
    "--with-govulncheck",
    is_flag=True,
    help=N_("Have govulncheck look for calls, too; it compiles the project, and its word is marked as such."),
)
@option("--no-versions", is_flag=True, help=N_("Do not ask for newer versions, retractions, deprecations."))
@option("--go", "go_version", metavar="VERSION", default=None, help=N_("The Go that builds, such as 1.26.3."))
@option(
    "--archived",
    metavar="FILE",
    default=None,
    help=N_("Modules whose repository is known to be archived, one path a line."),
)
@option(
    "--db",
    metavar="PLACE",
    default=None,
    help=N_("Use this vulnerability database: a folder, a vulndb.zip, or an OSV file."),
)
@option(
    "--repos",
    metavar="PLACE",
    default=None,
    help=N_(
        "Audit these repositories and keep the result: a file that lists them, or a folder of checkouts."
    ),
)
@option("--every", metavar="TIME", default=None, help=N_("With --repos: again and again, until stopped."))
@option("--notify", is_flag=True, help=N_("Tell the receivers of the settings file what is new."))
@_audit_flags
@pass_console
def command(console: Console, /, paths: tuple[str, ...], **given: Any) -> int:
    asked = _asked(console, given)
    ready = complete_settings(console, given, as_json=asked.for_programs)
    if asked.telling:
        receivers_of(ready)  # a mistake in them shows before an audit was made for nothing
    if (source := given["source"]) is not None:
        _refuse(paths, given)
        found = _saved(console, source)
        _check_inventory(found, asked, source)
        return _finish(console, ready, asked, found, name=source)
    if given["repos"] is not None or given["every"] is not None:
        return _regular(console, ready, asked, paths, given)
    how = _looking(console, ready.settings, given, asked)
    chosen = targets.gather(paths or ["."], console.cwd)
    chosen.ignore += how.ignore
    seen = _look(console, ready, how, chosen, quiet=asked.quiet)
    return _finish(console, ready, asked, Saved(seen.audit, seen.inventories))


def _regular(
    console: Console, ready: Complete, asked: Asked, paths: Sequence[str], given: Mapping[str, Any]
) -> int:
    if paths:
        raise InvalidInput("with --repos no PATH can be named")
    if given["every"] is not None and (asked.old is not None or given["output"] or given["form"]):
        raise InvalidInput(
            "with --every nothing is printed, so --since, --format and --output say nothing",
            hint=N_("`goferry deps trend` shows what is kept; --notify tells what is new"),
        )
    if any(one.form == "cyclonedx" for one in asked.outputs) or given["inventory"]:
        raise InvalidInput("--repos keeps findings only: an SBOM needs PATHs")

    repos = given["repos"]

    def shown(audit: Audit) -> int:
        place = Path(console.cwd, repos)
        base = repos if place.is_dir() else str(Path(repos).parent)
        return _shown(console, asked, Saved(audit), base=base)

    return regular.audit(
        console,
        ready,
        repos,
        given["every"],
        telling=asked.telling,
        look=lambda: _looking(console, ready.settings, given, asked),
        show=shown,
        quiet=asked.quiet,
    )


# ---- what is asked for


def _asked(console: Console, given: Mapping[str, Any]) -> Asked:
    form = "json" if given["as_json"] else given["form"]
    return Asked(
        failing.parse(given["fail_on"]),
        outputs(form, given["output"]),
        None if given["old"] is None else records.from_json(console.read(given["old"]), place=given["old"]),
        given["old"] or "",
        given["notes"],
        given["notify"],
    )


def _looking(console: Console, settings: Settings, given: Mapping[str, Any], asked: Asked) -> Looking:
    rules = whole.rules_of(settings)
    inventory = given["inventory"] or any(one.form == "cyclonedx" for one in asked.outputs)
    database = _database(console, given["db"])
    return Looking(
        database,
        Wanted(
            statuses=not given["no_versions"],
            source=not given["no_source"],
            licences=given["licences"] or inventory or bool(rules.allow or rules.deny),
            inventory=inventory,
        ),
        _go(console, given["go_version"]),
        frozenset(_lines(console, given["archived"])) if given["archived"] else frozenset(),
        building.go_tree(console.environ),
        checker(database, _for_go(console, settings)) if given["with_govulncheck"] else None,
        tuple(_ignore(console, given["ignore"])),
    )


def _for_go(console: Console, settings: Settings) -> Mapping[str, str]:
    """An environment in which go takes modules from where this audit does, what the store has first."""
    store = Path(console.cwd, folder_of(settings.store)).as_uri()
    then = "off" if settings.offline else settings.upstream
    return {**console.environ, **clients.serving(settings, f"{store},{then}")}


def _refuse(paths: Sequence[str], given: Mapping[str, Any]) -> None:
    """What goes with looking at projects does not go with an audit that was made before."""
    named = ["PATH"] if paths else []
    named += [flag for name, flag in _LOOKING.items() if given[name]]
    if named:
        raise InvalidInput(
            "--from shows what was found before: {options} cannot change it",
            hint=N_("leave one of them out"),
            options=", ".join(named),
        )


def _saved(console: Console, name: str) -> Saved:
    if name == "-":
        return saved.loads(console.stdin.read(), place=_("standard input"))
    return saved.loads(console.read(name), place=name)


def _check_inventory(found: Saved, asked: Asked, name: str) -> None:
    if not found.inventories and any(one.form == "cyclonedx" for one in asked.outputs):
        raise InvalidInput(
            "{place} does not say what the projects are made of, which an SBOM needs",
            hint=N_("save it with --inventory"),
            place=name,
        )


def _ignore(console: Console, files: Iterable[str]) -> Iterable[IgnoreFile]:
    for file in files:
        yield from targets.read_ignore(Path(console.cwd, file), console.cwd, None, must=True)


def _lines(console: Console, name: str) -> Iterable[str]:
    text = console.read(name).decode(errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _database(console: Console, place: str | None) -> Database:
    if place is None:
        return refresh.at_hand(console.environ)
    return databases.load(place if place.startswith("file:") else Path(console.cwd, place).expanduser())


def _go(console: Console, version: str | None) -> Callable[[Project], Iterable[Evidence]]:
    """Which Go builds a project: what was said; else what its lines, its repository's pipelines, GOTOOLCHAIN and the go
    command of this machine say."""
    if version is not None:
        plain = version.removeprefix("go")
        if not gover.is_valid(plain):
            raise InvalidInput(
                "--go: {version!r} is no version of Go", hint=N_("such as 1.26.3"), version=version
            )
        # with the lines: a newer one in go.mod makes any go switch to it
        return lambda project: (Evidence(Origin.PIPELINE, plain, "--go"), *from_lines(project))
    return building.gather(console.environ)


# ---- looking


def _look(console: Console, ready: Complete, how: Looking, chosen: targets.Targets, *, quiet: bool) -> Whole:
    from goferry.deps.forgelist import open_asker  # heavy: --from needs no network stack

    async def run() -> Whole:
        with showing(console, _("auditing"), quiet=quiet) as bar:
            asker = open_asker(ready.settings, console.environ)
            async with opened(console, ready) as supply, asker as forges:
                return await whole.audit(
                    how.auditor(supply, forges),
                    chosen,
                    whole.rules_of(ready.settings),
                    lambda what, done, total: bar.update(done, total, what),
                )

    return asyncio.run(run())


# ---- showing


def _finish(console: Console, ready: Complete, asked: Asked, found: Saved, *, name: str = "") -> int:
    """Shows it, and tells what is new; the exit status."""
    status = _shown(console, asked, found, name=name)
    if not asked.telling:
        return status
    return max(status, tell_news(console, ready, found.audit, quiet=True))


def _shown(console: Console, asked: Asked, found: Saved, *, name: str = "", base: str = "") -> int:
    """Shows it, or of it what an older one has not; the exit status."""
    audit = found.audit
    if asked.old is not None:
        if audit.since is not None:
            raise InvalidInput("{place} was made with --since itself, so it holds a part only", place=name)
        audit = since(asked.old, audit, place=asked.old_name)
    show(console, asked.outputs, audit, found.inventories, notes=asked.notes, base=base)
    return failing.status(audit, asked.fail_on)
