"""`goferry deps fix`: the smallest change of requirements that leaves no affected version, shown or made."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.gating import name_of_own_log, proofs_only
from goferry.cli.deps.opening import about, complete_settings, opened, supply_flags
from goferry.cli.environment import Complete
from goferry.cli.progress import showing
from goferry.errors import InvalidInput
from goferry.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from goferry.deps.audit.ignoring import Entry
    from goferry.deps.base import Project
    from goferry.deps.fixing.flaws import Aside, Flaws
    from goferry.deps.fixing.mending import Fix
    from goferry.deps.fixing.plan import Mended, Plan, Raise, Stays
    from goferry.deps.fixing.vendoring import Vendoring
    from goferry.deps.gate.run import Outcome
    from goferry.gomod.module import Version

SUMMARY: Final = N_("Raise as few requirements as possible until nothing is affected.")
EXIT_STAYS: Final = 1
EXIT_UNPROVEN: Final = 3

REASONS: Final = {
    "no_fix": N_("no version is free of it"),
    "next_major": N_("only the next major version is free of it: {detail}"),
    "unreleased": N_("what is free of it is not released: {detail}"),
    "needs_newer_go": N_("every good version needs Go {detail}; --allow-go takes it"),
    "excluded": N_("go.mod excludes every good version, {detail} first"),
    "not_built": N_("no package of it is built: `go mod tidy` would take a line for {detail} out again"),
    "replaced": N_("it is replaced by {detail}: change that line"),
    "unknown": N_("its good versions could not be read"),
    "in_the_way": N_("every good version, {detail} first, brings another flaw or lowers something"),
}
"""By the reason of the plan."""


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Raise as few requirements as possible until no known vulnerability is left, and say what stays and why. "
        "Nothing gets lower, and no newer Go is needed unless you allow it. Without --apply the plan is shown and "
        "nothing is written; with it go.mod, go.work and go.sum are written all or none, each new line of go.sum "
        "proven against the checksum database, and a vendor folder is made anew with the real go. What an ignore file "
        "sets aside raises nothing. DIR is a folder, a go.mod or a go.work; ID takes only these vulnerabilities, set "
        "aside or not. Exit status 1 when something stays affected, 3 when it could not be proven."
    ),
)
@click.argument("words", metavar="[DIR] [ID]...", nargs=-1)
@option("--apply", is_flag=True, help=N_("Write the files."))
@option("--allow-go", is_flag=True, help=N_("Let the go line rise where a fix needs it."))
@option(
    "--ignore",
    metavar="FILE",
    multiple=True,
    help=N_("What to set aside, beside goferry-ignore.toml of the project. May be given several times."),
)
@option(
    "--db",
    metavar="DIR|FILE|URL",
    default=None,
    help=N_("Vulnerability database, in any form that `deps db` knows."),
)
@json_option
@supply_flags
@pass_console
def command(
    console: Console,
    /,
    words: tuple[str, ...],
    apply: bool,
    allow_go: bool,
    ignore: tuple[str, ...],
    db: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    from goferry.deps.fixing.form import to_json
    from goferry.deps.sources import load

    folder, ids = _folder_and_ids(words, console.cwd)
    ready = complete_settings(console, given, as_json=as_json)
    project = load(folder)
    flaws = _flaws(console, db, ids, _lived_with(console, project, ignore))
    with showing(console, _("reading modules"), quiet=as_json) as bar:
        fix, gated, vendoring = asyncio.run(
            _run(console, project, ready, flaws, Wish(apply=apply, allow_go=allow_go), bar.update)
        )
    aside = flaws.aside(_selected(fix))
    if as_json:
        console.json(to_json(fix, gated, aside, vendoring))
    else:
        for line in told(fix, gated, aside, vendoring):
            console.out(line)
    for problem in fix.problems:
        console.warn(about(problem.about, problem.why))
    return exit_code(fix, gated)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the flags say."""

    apply: bool
    allow_go: bool


class _Going:
    """How far it is: what was read, and what was tried."""

    def __init__(self, step: Callable[[int, int, str], None]) -> None:
        self._step = step
        self._read = (0, 0)

    def read(self, done: int, total: int) -> None:
        self._read = done, total
        self._step(done, total, "")

    def tried(self, n: int) -> None:
        text = ngettext("{n} change tried", "{n} changes tried", n)
        self._step(*self._read, text.format(n=n))


async def _run(
    console: Console,
    project: "Project",
    ready: Complete,
    flaws: "Flaws",
    wish: Wish,
    step: Callable[[int, int, str], None],
) -> "tuple[Fix, Outcome | None, Vendoring | None]":
    """The fix, and when its files were written what the gate says of go.sum and vendor then."""
    from goferry.cli.deps.vendoring import remade
    from goferry.deps.fixing.mending import mend
    from goferry.deps.fixing.sums import OwnLog
    from goferry.deps.fixing.writing import write
    from goferry.deps.gate.run import gate
    from goferry.deps.lock import Step, switches

    going = _Going(step)
    log = name_of_own_log(ready)
    async with opened(console, ready) as supply:
        fix = await mend(
            project,
            supply,
            flaws,
            good=flaws.good,
            allow_go=wish.allow_go,
            own=OwnLog(log, supply.prove_own) if log else None,
            step=going.read,
            tried=going.tried,
        )
        if not (wish.apply and fix.changes) or fix.problems:
            return fix, None, None
        write(fix.changes)
        vendoring = await asyncio.to_thread(remade, console, project, ready) if fix.vendored else None
        steps = (Step.SUMS, Step.VENDOR) if fix.vendored else (Step.SUMS,)
        return fix, await gate(project.start, supply, proofs_only(ready, switches(steps), step)), vendoring


def _lived_with(console: Console, project: "Project", files: Iterable[str]) -> "Iterator[Entry]":
    """What ignore files set aside today."""
    from goferry.deps.audit import ignoring
    from goferry.deps.audit.targets import read_ignore

    found = list(read_ignore(project.root / ignoring.FILE_NAME, console.cwd, None))
    for file in files:
        found += read_ignore(Path(console.cwd, file), console.cwd, None, must=True)
    today = datetime.now(UTC).date()
    return (entry for file in found for entry in file.entries if not entry.is_past(today))


def _selected(fix: "Fix") -> "list[Version]":
    """What is built before anything is raised."""
    from goferry.gomod.module import Version

    views = fix.plan.before.views
    return sorted({Version(*one) for view in views for one in view.selected.items()}, key=str)


def _folder_and_ids(words: tuple[str, ...], cwd: Path) -> tuple[Path, tuple[str, ...]]:
    """The first word is the folder if it is one here, or a file; everything else is an id."""
    if words and Path(cwd, words[0]).exists():
        return Path(cwd, words[0]), words[1:]
    if words and ("/" in words[0] or words[0].startswith(".")):
        raise InvalidInput("there is no {folder}", folder=words[0])
    return cwd, words


def _flaws(console: Console, db: str | None, ids: Iterable[str], lived_with: "Iterable[Entry]") -> "Flaws":
    from goferry.deps.advisories import database, refresh
    from goferry.deps.fixing.flaws import Flaws

    found = refresh.at_hand(console.environ) if db is None else database.load(db)
    return Flaws(found, ids, lived_with)


def exit_code(fix: "Fix", gated: "Outcome | None") -> int:
    """3 before 1 before 0: what is not proven is not known."""
    if fix.problems:
        return EXIT_UNPROVEN
    if gated is not None and gated.verdict.exit_code:
        return gated.verdict.exit_code
    return EXIT_STAYS if fix.plan.stays or (fix.plan.raises and gated is None) else 0


def told(
    fix: "Fix",
    gated: "Outcome | None",
    aside: "Sequence[Aside]" = (),
    vendoring: "Vendoring | None" = None,
) -> Iterator[str]:
    """The plan for people: what, from where to where, why, who carries it already, what stays and why, what is set
    aside, and the diff."""
    plan = fix.plan
    if not plan.before.affected:
        text = (
            _("{project}: nothing that could be read is affected")
            if fix.problems
            else _("{project}: nothing is affected")
        )
        yield text.format(project=fix.project.name)
        yield from _set_aside(aside)
        return
    yield _head(fix, plan)
    for step in plan.raises:
        yield ""
        yield from _raise(step, plan)
    yield from _held(plan)
    for stays in plan.stays:
        yield ""
        yield from _stays(stays)
    yield from _set_aside(aside)
    if fix.changes:
        yield ""
        for change in fix.changes:
            yield from change.diff(fix.project.root).rstrip("\n").split("\n")
    yield from _notes(fix, gated, vendoring)


def _set_aside(aside: "Sequence[Aside]") -> Iterator[str]:
    """What an ignore file says to live with, by module and entry."""
    grouped: dict[tuple[Version, Entry], list[str]] = {}
    for one in aside:
        grouped.setdefault((one.version, one.entry), []).append(one.id)
    for (version, entry), ids in grouped.items():
        yield ""
        yield _("set aside {path}  {version}: {ids}").format(
            path=version.path, version=version.version, ids=", ".join(ids)
        )
        until = _(" (until {date})").format(date=entry.expires) if entry.expires else ""
        yield f"  {entry.reason}{until}"


def _head(fix: "Fix", plan: "Plan") -> str:
    affected = ngettext("{n} module is affected", "{n} modules are affected", len(plan.before.affected))
    raises = ngettext("{n} requirement to raise", "{n} requirements to raise", len(plan.raises))
    return _("{project}: {affected}, {raises}").format(
        project=fix.project.name,
        affected=affected.format(n=len(plan.before.affected)),
        raises=raises.format(n=len(plan.raises)),
    )


def _raise(step: "Raise", plan: "Plan") -> Iterator[str]:
    kind = _("direct") if step.direct else _("indirect")
    yield _("raise {path}  {before} → {after}  ({kind})").format(
        path=step.path, before=step.before, after=step.after, kind=kind
    )
    for one in plan.mended:
        if one.by == step.path:
            yield from _mended(one)


def _mended(one: "Mended") -> Iterator[str]:
    ids = ", ".join(one.ids)
    if one.path == one.by:
        yield _("  free of {ids}").format(ids=ids)
    elif one.after == "none":
        yield _("  {path} {before} is no longer built: {ids}").format(
            path=one.path, before=one.before, ids=ids
        )
    else:
        yield _("  brings {path} {before} → {after}, free of {ids}").format(
            path=one.path, before=one.before, after=one.after, ids=ids
        )
    for parent in one.parents:
        if parent.path != one.by:
            yield _("  {path} {after} carries it too (you have {before})").format(
                path=parent.path, before=parent.before, after=parent.after
            )


def _held(plan: "Plan") -> Iterator[str]:
    if plan.holds:
        yield ""
        for held in plan.holds:
            yield _("hold  {path}  {version}, or it would get lower").format(
                path=held.path, version=held.version
            )


def _stays(one: "Stays") -> Iterator[str]:
    yield _("stays {path}  {version}: {ids}").format(
        path=one.path, version=one.version, ids=", ".join(one.ids)
    )
    yield "  " + _(REASONS[one.reason.value]).format(detail=one.detail)


def _notes(fix: "Fix", gated: "Outcome | None", vendoring: "Vendoring | None") -> Iterator[str]:
    """What a person should know beside the plan."""
    notes: list[str] = []
    if not fix.plan.smallest:
        notes.append(_("There were too many ways to look at: a smaller plan may exist."))
    if fix.unused:
        names = ", ".join(version.path for version in fix.unused)
        text = _("No package of {names} is built: `go mod tidy` would take the line out again.")
        notes.append(text.format(names=names))
    notes += _private(fix)
    notes += _vendor(fix, vendoring)
    notes += _ending(fix, gated)
    if notes:
        yield ""
        yield from notes


def _private(fix: "Fix") -> Iterator[str]:
    """What vouches for the new lines of private modules, or why nobody does."""
    if n := len(fix.own):
        text = ngettext(
            "{n} new line of go.sum is of a private module: the own log {log} has signed it.",
            "{n} new lines of go.sum are of private modules: the own log {log} has signed them.",
            n,
        )
        yield text.format(n=n, log=fix.own_log)
    if n := sum(one.is_new for one in fix.own):
        text = ngettext(
            "{n} of them was recorded only now; nothing older vouches for it.",
            "{n} of them were recorded only now; nothing older vouches for them.",
            n,
        )
        yield text.format(n=n)
    if n := len(fix.unsigned):
        text = ngettext(
            "{n} new line of go.sum is of a private module: no database has signed it.",
            "{n} new lines of go.sum are of private modules: no database has signed them.",
            n,
        )
        yield text.format(n=n)
    yield from dict.fromkeys(f"  {about(str(one.line.module), one.why)}" for one in fix.unsigned if one.why)


def _vendor(fix: "Fix", vendoring: "Vendoring | None") -> Iterator[str]:
    """What has to be done about a vendor folder, or was."""
    if vendoring is None:
        if fix.vendored and fix.changes:
            yield _("There is a vendor folder: --apply makes it anew with the real go.")
    elif vendoring.made:
        yield _("vendor was made anew by `{command}`.").format(command=vendoring.command)
    else:
        yield _("vendor was not made anew, run `{command}`: {why}").format(
            command=vendoring.command, why=vendoring.why
        )


def _ending(fix: "Fix", gated: "Outcome | None") -> Iterator[str]:
    """What became of the files."""
    from goferry.deps.lock import details

    if fix.problems:
        yield _("Not everything could be proven; nothing was written.")
    elif gated is not None:
        n = len(fix.changes)
        yield ngettext("{n} file written.", "{n} files written.", n).format(n=n)
        lines = gated.proven.lines
        if gated.verdict.exit_code:
            yield from map(str, details(gated.judged))
        else:
            text = ngettext("{n} line of go.sum is proven.", "All {n} lines of go.sum are proven.", lines)
            yield text.format(n=lines)
            if fix.vendored:
                yield _("Every vendored file is what its module has.")
    elif fix.changes:
        yield _("Nothing was written: --apply does.")
