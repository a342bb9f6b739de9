"""`goferry deps audit`: what is wrong with the modules that are really built."""

import asyncio
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from goferry.cli.base import Command, option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps import regular
from goferry.cli.deps.notify import tell_news
from goferry.cli.deps.opening import complete_settings, opened, supply_flags
from goferry.cli.environment import Complete, go_environment
from goferry.cli.progress import showing
from goferry.config import Settings
from goferry.deps.advisories import building, refresh
from goferry.deps.advisories import database as databases
from goferry.deps.advisories.database import Database
from goferry.deps.advisories.exposure import Evidence, Origin, from_gotoolchain, from_lines
from goferry.deps.advisories.pipelines import from_pipelines
from goferry.deps.audit import failing, records, targets, whole
from goferry.deps.audit.failing import FailOn
from goferry.deps.audit.forms import FORMS, Page, render
from goferry.deps.audit.ignoring import IgnoreFile
from goferry.deps.audit.inventory import Inventory
from goferry.deps.audit.judge import Rules
from goferry.deps.audit.records import Audit
from goferry.deps.audit.run import Auditor, Wanted
from goferry.deps.audit.since import since
from goferry.deps.audit.targets import Targets
from goferry.deps.audit.whole import Whole
from goferry.deps.base import Project
from goferry.deps.govulncheck import Checker, checker
from goferry.errors import InvalidInput
from goferry.gomod import gover
from goferry.i18n import N_, _

SUMMARY = N_("Find what is wrong with the modules that are built: flaws, age, licences.")
NEEDS_INVENTORY: Final = "cyclonedx"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the options say, read before anything is fetched."""

    fail_on: FailOn
    rules: Rules
    wanted: Wanted
    targets: Targets
    old: Audit | None
    old_name: str
    archived: frozenset[str]
    database: Database
    go: Callable[[Project], Iterable[Evidence]]
    goroot: Path | None
    govulncheck: Checker | None


def _audit_flags(function: Any) -> Any:
    return supply_flags(function, "deps audit")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Find what is wrong with the modules that are really built: known vulnerabilities and where they are fixed, "
        "flaws of Go itself, retracted and deprecated versions, commits and pre-releases, modules without a release "
        "for long, licences. PATH is a go.mod, a go.work or a folder; DIR/... stands for all projects below. "
        "Exit status 1 when --fail-on says so, 3 when something could not be looked at."
    ),
)
@click.argument("paths", metavar="[PATH]...", nargs=-1)
@option(
    "--format",
    "form",
    type=click.Choice(FORMS),
    default="terminal",
    metavar="FORM",
    help=N_("terminal, json, sarif, cyclonedx, html, markdown or junit.  [terminal]"),
)
@option("--json", "as_json", is_flag=True, help=N_("Print JSON for programs; the same as --format json."))
@option("-o", "--output", metavar="FILE", default=None, help=N_("Write there instead of to standard output."))
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
    form = "json" if given.pop("as_json") else given.pop("form")
    given.pop("form", None)
    output = given.pop("output")
    ready = complete_settings(console, given, as_json=form == "json")
    repos, every, telling = given.pop("repos"), given.pop("every"), given.pop("notify")
    if repos is not None or every is not None:
        if paths:
            raise InvalidInput("with --repos no PATH can be named")

        def show(audit: Audit) -> int:
            _show(console, audit, (), form, output, notes=given["notes"])
            return failing.status(audit, failing.parse(given["fail_on"]))

        return regular.audit(console, ready, repos, every, telling=telling, show=show)
    asked = _asked(console, paths, ready.settings, given, form)
    seen = _look(console, ready, asked, quiet=form == "json" and output is None)
    audit = seen.audit
    if asked.old is not None:
        audit = since(asked.old, audit, place=asked.old_name)
    _show(console, audit, seen.inventories, form, output, notes=given["notes"])
    status = failing.status(audit, asked.fail_on)
    return max(status, tell_news(console, ready, audit, quiet=True)) if telling else status


# ---- what is asked for


def _asked(
    console: Console, paths: Sequence[str], settings: Settings, given: Mapping[str, Any], form: str
) -> Asked:
    rules = whole.rules_of(settings)
    found = targets.gather(paths or ["."], console.cwd)
    found.ignore += _ignore(console, given["ignore"])
    inventory = form == NEEDS_INVENTORY
    database = _database(console, given["db"])
    return Asked(
        fail_on=failing.parse(given["fail_on"]),
        rules=rules,
        wanted=Wanted(
            statuses=not given["no_versions"],
            source=not given["no_source"],
            licences=given["licences"] or inventory or bool(rules.allow or rules.deny),
            inventory=inventory,
        ),
        targets=found,
        old=None if given["old"] is None else _old(console, given["old"]),
        old_name=given["old"] or "",
        archived=frozenset(_lines(console, given["archived"])) if given["archived"] else frozenset(),
        database=database,
        go=_go(console, given["go_version"]),
        goroot=_go_tree(console),
        govulncheck=checker(database, console.environ) if given["with_govulncheck"] else None,
    )


def _ignore(console: Console, files: Iterable[str]) -> Iterable[IgnoreFile]:
    for file in files:
        yield from targets.read_ignore(Path(console.cwd, file), console.cwd, None, must=True)


def _old(console: Console, name: str) -> Audit:
    return records.from_json(console.read(name), place=name)


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
        return lambda _project: [Evidence(Origin.PIPELINE, plain, "--go")]
    value, _origin = go_environment(console.environ).value("GOTOOLCHAIN")
    here = (*from_gotoolchain(value), *building.ask_go(console.environ))  # once, not for each project

    def known(project: Project) -> Iterable[Evidence]:
        pipelines = from_pipelines(building.repository(project.root))
        return (*from_lines(project), *pipelines, *here)

    return known


def _go_tree(console: Console) -> Path | None:
    """The tree of the go command on PATH, if its source is there."""
    go = shutil.which("go", path=console.environ.get("PATH", ""))
    tree = Path(go).resolve().parent.parent if go else None
    return tree if tree and (tree / "src" / "runtime").is_dir() else None


# ---- looking


def _look(console: Console, ready: Complete, asked: Asked, *, quiet: bool) -> Whole:
    async def run() -> Whole:
        with showing(console, _("auditing"), quiet=quiet) as bar:
            async with opened(console, ready) as supply:
                auditor = Auditor(
                    supply,
                    asked.database,
                    asked.wanted,
                    asked.go,
                    asked.archived,
                    asked.goroot,
                    first_seen=supply.first_seen,
                    govulncheck=asked.govulncheck,
                )
                return await whole.audit(
                    auditor,
                    asked.targets,
                    asked.rules,
                    lambda what, done, total: bar.update(done, total, what),
                )

    return asyncio.run(run())


# ---- showing


def _show(
    console: Console,
    audit: Audit,
    inventories: Sequence[Inventory],
    form: str,
    output: str | None,
    *,
    notes: bool,
) -> None:
    columns = shutil.get_terminal_size((100, 24)).columns if console.colour else 100
    text = render(
        form,
        Page(
            audit, tuple(inventories), notes=notes, colour=console.colour and output is None, columns=columns
        ),
    )
    if output is None:
        console.stdout.write(text)
        return
    try:
        Path(console.cwd, output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput("cannot write {file}: {why}", file=output, why=error.strerror) from error
