"""From a project to the files that mend it, each step checked: plan, go.mod, packages, go.sum, and the plan again.

Nothing is written here. A `Fix` with problems must not be written: something in it could not be proven.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from goferry.deps.base import Project, Supply
from goferry.deps.fixing import edit, sums
from goferry.deps.fixing.driving import Driver, Good, Step, Tried, nothing_known
from goferry.deps.fixing.edit import Change, Wanted
from goferry.deps.fixing.plan import Plan, Spent, above, as_it_is, make_plan, requirers
from goferry.deps.fixing.raising import Affecting, Unbuilt, View
from goferry.deps.gate import tidy
from goferry.deps.gate.proving import How
from goferry.deps.gate.reading import Files, Reading, read
from goferry.deps.gate.sums import read_sums
from goferry.deps.inventory import vendor_folder
from goferry.errors import GoferryError, InvalidInput
from goferry.gomod import gosum, gover
from goferry.gomod.gosum import GO_MOD, Line, go_mod_key
from goferry.gomod.moddirectives import Require
from goferry.gomod.modgraph import NONE, Local, Mains, ModuleGraph
from goferry.gomod.module import Version

ROUNDS: Final = 8
"""How often requirements that packages need may ask for another plan. Two are rare."""

_BREAKING: Final = (tidy.Untidy.ABSENT, tidy.Untidy.AMBIGUOUS)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps the fix from being proven: what it is about, and why."""

    about: str
    why: GoferryError


@dataclass(frozen=True, slots=True)
class Fix:
    """A plan, and the files that carry it out."""

    project: Project
    plan: Plan
    changes: tuple[Change, ...] = ()
    unsigned: tuple[sums.Computed, ...] = ()
    """New go.sum lines that nobody has signed: of private modules, which no checksum database is asked about."""
    own: tuple[sums.Computed, ...] = ()
    """Those of private modules that the log of one's own has signed."""
    own_log: str = ""
    """The name of that log; empty where there is none."""
    unused: tuple[Version, ...] = ()
    """Requirements of which no package is built: only their line keeps a flawed version from being selected, and
    `go mod tidy` takes it out."""
    vendored: bool = False
    """There is a vendor folder, which has to be made anew."""
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class _State:
    """A project on its way, and what was read of each of its main modules."""

    project: Project
    texts: Mapping[Path, bytes]
    readings: tuple[Reading, ...]


async def mend(
    project: Project,
    supply: Supply,
    affecting: Affecting,
    *,
    good: Good = nothing_known,
    allow_go: bool = False,
    own: sums.OwnLog | None = None,
    step: Step | None = None,
    tried: Tried | None = None,
) -> Fix:
    """The smallest plan for a project, and its files. `own` proves new go.sum lines that no database knows."""
    driver = Driver(project.mains, supply, good, step, tried)
    refused: dict[Version, str] = {}
    useless: set[str] = set()
    spent = Spent()

    async def plan_for(state: _State) -> Plan:
        steps = make_plan(
            state.project.mains,
            affecting,
            driver.known,
            allow_go=allow_go,
            refused=refused,
            unbuilt=_unbuilt(state, useless),
            spent=spent,
        )
        return await driver.run(steps)

    outcome = await driver.run(as_it_is(project.mains, affecting, driver.known))
    unknown = tuple(_unread(outcome.views, driver.unread))
    if not outcome.affected:
        return Fix(project, Plan((), (), (), outcome, outcome), problems=unknown)
    with Files(supply, step) as files:
        before = await _read(project, _originals(project), files)
        while True:
            plan = await plan_for(before)
            if not plan.raises:
                return Fix(project, plan, problems=unknown)
            carried = await _carry(before, plan, plan_for, affecting, files)
            newer = {} if allow_go else _needs_newer_go(before, carried)
            vain = _raised_in_vain(before, carried)
            if not newer and not vain:
                break
            refused |= newer
            useless |= vain
        plan, now = carried.plan, carried.state
        changes, lines, wrong = await _sum_changes(before, now, plan, supply, own)
    return Fix(
        project,
        plan,
        (*_mod_changes(before, now), *changes),
        tuple(one for one in lines if one.how is How.BYTES),
        tuple(one for one in lines if one.how is How.OWN),
        "" if own is None else own.name,
        tuple(_unused(before, now)),
        vendor_folder(project) is not None,
        (*unknown, *_cannot_be_had(now), *_broken(before, now), *_lowered(before, now, plan), *wrong),
    )


@dataclass(frozen=True, slots=True)
class _Carried:
    """A plan that is carried out, in memory."""

    plan: Plan
    state: _State


async def _carry(
    before: _State,
    plan: Plan,
    plan_for: Callable[[_State], Awaitable[Plan]],
    affecting: Affecting,
    files: Files,
) -> _Carried:
    """Carries out a plan, and what its packages need, until nothing is left to do. A module that comes in on the way
    may be affected too: then there is another plan behind the first."""
    now = await _read(before.project, _carried_out(before, plan), files)
    again = plan
    for _round in range(ROUNDS):
        completed = await _complete(before, now, plan, affecting, files)
        if completed.texts == now.texts:
            again = await plan_for(now)
            if not again.raises:
                break
            plan = _together(plan, again)
            completed = await _read(now.project, _carried_out(now, again), files)
        now = completed
    after = replace(again.before, holds=_still_held(plan, now))
    return _Carried(replace(plan, stays=again.stays, after=after), now)


def _needs_newer_go(before: _State, carried: _Carried) -> dict[Version, str]:
    """The raises that bring in a module with a higher go line than the main module's, and that line. Pruning hides it
    from the plan, until go.mod names the module because a package of it is built."""
    found: dict[Version, str] = {}
    for old, new in zip(before.readings, carried.state.readings, strict=True):
        had, needs = old.build.graph.selected("go"), new.build.graph.selected("go")
        if gover.compare(needs, had) <= 0:
            continue
        asking = [
            v.path for v, required in new.build.graph.required.items() if Version("go", needs) in required
        ]
        requiring = requirers(new.build.graph)
        reaching = {path for one in asking for path in above(requiring, one)}
        raises = [step for step in carried.plan.raises if step.path in reaching] or carried.plan.raises
        found |= {Version(step.path, step.after): needs for step in raises}
    return found


def _raised_in_vain(before: _State, carried: _Carried) -> frozenset[str]:
    """Paths that were raised though no package of them is built then: `go mod tidy` would undo it. When a package has
    got lost, that is what has to be said."""
    if any(_broken(before, carried.state)):
        return frozenset()
    raised = {step.path for step in carried.plan.raises} - _built(carried.state.readings)
    return frozenset(version.path for version in _unused(before, carried.state) if version.path in raised)


def _unbuilt(state: _State, useless: Iterable[str]) -> Unbuilt:
    """For each main module what is known to be unbuilt in it. A line that is there is not ours to judge, and when a zip
    could not be had, nothing is known."""
    if any(reading.unread for reading in state.readings):
        return ()
    listed = {path for reading in state.readings for path in reading.build.graph.versions}.union(useless)
    return tuple(
        frozenset(listed - _loaded(reading) - {line.mod.path for line in part.file.require} | set(useless))
        for part, reading in zip(state.project.parts, state.readings, strict=True)
    )


def _loaded(reading: Reading) -> frozenset[str]:
    """Modules that give a package, be it to a test of a dependency: tidy keeps a line for them."""
    return frozenset(found.module.path for found in reading.loading.found.values() if found.module)


def _alone(project: Project) -> Iterator[Project]:
    """Each main module by itself, as GOWORK=off has it."""
    for main, part in zip(project.mains.modules, project.parts, strict=True):
        yield Project(str(part.folder / "go.mod"), Mains((main,)), (part,))


async def _read(project: Project, texts: Mapping[Path, bytes], files: Files) -> _State:
    current = edit.edited(project, texts)
    readings = [await read(alone, files) for alone in _alone(current)]
    return _State(current, texts, tuple(readings))


def _originals(project: Project) -> dict[Path, bytes]:
    places = [part.folder / "go.mod" for part in project.parts]
    if project.work is not None:
        places.append(project.start)
    return {place: _bytes(place) for place in places}


def _bytes(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=place, why=error.strerror) from error


# ---- go.mod -----------------------------------------------------------------------------------------------


def _carried_out(state: _State, plan: Plan) -> dict[Path, bytes]:
    """The texts with the raises of a plan, and with whatever has to follow."""
    texts = dict(state.texts)
    modules = plan.after.mains.modules
    for main, part, view in zip(modules, state.project.parts, plan.after.views[-len(modules) :], strict=True):
        place = part.folder / "go.mod"
        named = {line.mod.path: line.mod.version for line in part.file.require}
        wanted = {
            r.path: Wanted(view.version(r.path))
            for r in main.requirements.require
            if view.version(r.path) not in (NONE, named.get(r.path))
        }
        go = view.go if gover.compare(view.go, plan.before.views[-1].go) > 0 else ""
        if wanted or go:
            texts[place] = edit.with_requirements(str(place), texts[place], wanted, go)
    if state.project.work is not None and gover.compare(plan.after.views[0].go, plan.before.views[0].go) > 0:
        start = state.project.start
        texts[start] = edit.with_go(str(start), texts[start], plan.after.views[0].go)
    return texts


async def _complete(before: _State, now: _State, plan: Plan, affecting: Affecting, files: Files) -> _State:
    """The project with what the packages need, and without what they do not; but a line stays that keeps a flaw out, or
    is about what another main module builds."""
    dropped = _not_needed(before, now, plan) - _built(now.readings)
    found = await _read(now.project, _completed(now, dropped), files)
    if worse := {path for path in dropped if _gets_worse(path, now, found, affecting)}:
        found = await _read(now.project, _completed(now, dropped - worse), files)
    return found


def _gets_worse(path: str, now: _State, then: _State, affecting: Affecting) -> bool:
    for old, new in zip(now.readings, then.readings, strict=True):
        earlier, later = old.build.graph.selected(path), new.build.graph.selected(path)
        lower = later != NONE and gover.mod_compare(path, later, earlier) < 0
        if lower and set(affecting(Version(path, later))) - set(affecting(Version(path, earlier))):
            return True
    return False


def _completed(state: _State, dropped: frozenset[str]) -> dict[Path, bytes]:
    """The texts with what the packages need, without what they do not, and with each line at the version that is
    selected: as `go mod tidy` leaves them."""
    texts = dict(state.texts)
    for part, reading in zip(state.project.parts, state.readings, strict=True):
        wanted = {line.mod.path: Wanted(version) for line, version in _too_low(reading)}
        direct = tidy.direct_modules(reading.loading)
        unused: set[str] = set()
        for fault in reading.faults:
            if fault.kind is tidy.Untidy.MISSING:
                wanted[fault.module.path] = Wanted(fault.module.version, fault.module.path not in direct)
            elif _is_unused(fault) and fault.module.path in dropped:
                unused.add(fault.module.path)
        place = part.folder / "go.mod"
        go = reading.build.graph.selected("go")
        if wanted or unused or (part.file.go and gover.compare(go, part.file.go.version) > 0):
            kept = {path: one for path, one in wanted.items() if path not in unused}
            texts[place] = edit.with_requirements(str(place), texts[place], kept, go, sorted(unused))
    return texts


def _not_needed(before: _State, now: _State, plan: Plan) -> frozenset[str]:
    """Paths of requirements that the raises have made useless. What was useless before is not ours to judge, and what
    was raised on purpose stays."""
    known = {fault.module.path for one in before.readings for fault in one.faults if _is_unused(fault)}
    found = {fault.module.path for one in now.readings for fault in one.faults if _is_unused(fault)}
    return frozenset(found - known - {step.path for step in plan.raises})


def _still_held(plan: Plan, now: _State) -> frozenset[Version]:
    named = {line.mod for part in now.project.parts for line in part.file.require}
    return plan.after.holds & named


def _too_low(reading: Reading) -> Iterator[tuple[Require, str]]:
    for line in reading.project.parts[0].file.require:
        selected = reading.build.graph.selected(line.mod.path)
        if selected not in ("", NONE) and gover.mod_compare(line.mod.path, line.mod.version, selected) < 0:
            yield line, selected


def _together(first: Plan, second: Plan) -> Plan:
    """Two plans, one after the other, as one."""
    paths = {step.path for step in second.raises}
    raises = (*(step for step in first.raises if step.path not in paths), *second.raises)
    return replace(
        first, raises=raises, mended=(*first.mended, *second.mended), after=second.after, smallest=False
    )


def _mod_changes(before: _State, now: _State) -> Iterator[Change]:
    for place, text in now.texts.items():
        if text != before.texts[place]:
            yield Change(place, before.texts[place], text)


# ---- go.sum -----------------------------------------------------------------------------------------------


async def _sum_changes(
    before: _State, now: _State, plan: Plan, supply: Supply, own: sums.OwnLog | None
) -> tuple[list[Change], list[sums.Computed], list[Problem]]:
    """The go.sum files, their new lines by key, and what could not be had or is contradicted."""
    jobs: list[tuple[Path, list[Version], frozenset[Version]]] = []
    pool: list[Line] = []
    for old, new in zip(before.readings, now.readings, strict=True):
        place = new.project.root / "go.sum"
        have = _lines(place)
        pool += have
        lacking = sums.lacking(have, new.needed.tidy)
        jobs.append((place, lacking, old.needed.tidy - new.needed.tidy))
        pool += [Line(key, f"{gosum.KNOWN_HASH}new") for key in lacking]
    if now.project.work is not None:
        place = now.project.root / "go.work.sum"
        have = _lines(place)
        keys = _workspace_keys(plan.after.views[0], now.readings)
        jobs.append((place, sums.lacking([*pool, *have], keys), frozenset()))
    found = await _compute({key for _place, lacking, _dropped in jobs for key in lacking}, supply, own)
    problems = [Problem(str(key), error) for key, error in found.items() if isinstance(error, GoferryError)]
    changes = [
        change
        for place, lacking, dropped in jobs
        if (change := _sum_change(place, [found[key] for key in lacking], dropped))
    ]
    return changes, [one for one in found.values() if isinstance(one, sums.Computed)], problems


async def _compute(
    keys: Iterable[Version], supply: Supply, own: sums.OwnLog | None
) -> dict[Version, sums.Computed | GoferryError]:
    async def one(key: Version) -> sums.Computed | GoferryError:
        try:
            return await sums.compute(key, supply, own)
        except GoferryError as error:
            return error

    wanted = sorted(keys, key=str)
    return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))


def _sum_change(
    place: Path, lines: Sequence[sums.Computed | GoferryError], dropped: frozenset[Version]
) -> Change | None:
    old = place.read_bytes() if place.is_file() else None
    text = (old or b"").decode("utf-8", "replace")
    new = sums.merged(text, [one.line for one in lines if isinstance(one, sums.Computed)], dropped).encode()
    return None if new == (old or b"") else Change(place, old, new)


def _lines(place: Path) -> list[Line]:
    found = read_sums([(str(place), place)])
    if found.malformed:
        raise found.malformed[0]
    return list(found.lines)


def _workspace_keys(view: View, readings: Iterable[Reading]) -> set[Version]:
    """What the workspace needs beyond its modules: the go.mod of what is in its graph, and the zip, in the version that
    it selects, of each module of which one of them needs the zip."""
    keys = set(_keys_of_graph(view.mains, view.graph))
    zips = {key.path for one in readings for key in one.needed.tidy if not key.version.endswith(GO_MOD)}
    for path, version in view.selected.items():
        source = view.mains.source(Version(path, version))
        if path in zips and isinstance(source, Version):
            keys |= {source, go_mod_key(source)}
    return keys


def _keys_of_graph(mains: Mains, graph: ModuleGraph) -> Iterator[Version]:
    for version in graph.required:
        if version.version and not gover.is_toolchain(version.path):
            source = mains.source(version)
            if not isinstance(source, Local):
                yield go_mod_key(source)


# ---- what keeps it from being proven -------------------------------------------------------------------------


def _unread(views: Iterable[View], errors: Mapping[str, GoferryError]) -> Iterator[Problem]:
    """go.mod files of the build list as it is: without them it is a guess."""
    missing = {version for view in views for version in view.unread}
    for version in sorted(missing, key=str):
        why = errors.get(str(version)) or InvalidInput("its go.mod could not be had")
        yield Problem(str(version), why)


def _cannot_be_had(now: _State) -> Iterator[Problem]:
    found = {name: error for reading in now.readings for name, error in reading.unread.items()}
    for name, error in sorted(found.items()):
        yield Problem(name, error)


def _broken(before: _State, now: _State) -> Iterator[Problem]:
    """Packages that could be built, and cannot be any more."""
    known = {fault.package for one in before.readings for fault in one.faults if fault.kind in _BREAKING}
    for reading in now.readings:
        for fault in reading.faults:
            if fault.kind in _BREAKING and fault.package not in known:
                yield Problem(
                    fault.package,
                    InvalidInput("no module has it any more; {importer} imports it", importer=fault.importer),
                )


def _lowered(before: _State, now: _State, plan: Plan) -> Iterator[Problem]:
    """Modules that give packages to the build, and got lower."""
    for old, new, readings in zip(plan.before.views, plan.after.views, _by_view(before, now), strict=True):
        built = frozenset.intersection(*map(_built, readings))
        for path in sorted(built & old.selected.keys()):
            earlier, later = old.version(path), new.version(path)
            if later != NONE and gover.mod_compare(path, later, earlier) < 0:
                yield Problem(path, InvalidInput("it would get lower: {old} → {new}", old=earlier, new=later))


def _by_view(before: _State, now: _State) -> list[tuple[tuple[Reading, ...], tuple[Reading, ...]]]:
    """What was read of the main modules of each view: of a workspace all, then of each by itself."""
    alone: list[tuple[tuple[Reading, ...], tuple[Reading, ...]]]
    alone = [((old,), (new,)) for old, new in zip(before.readings, now.readings, strict=True)]
    return alone if now.project.mains.workspace is None else [(before.readings, now.readings), *alone]


def _built(readings: Iterable[Reading]) -> frozenset[str]:
    """Modules that give a package to `all`; what only the tests of dependencies need is not built."""
    return frozenset(
        found.module.path
        for reading in readings
        for path, found in reading.loading.found.items()
        if found.module and path in reading.loading.all
    )


def _unused(before: _State, now: _State) -> Iterator[Version]:
    """Requirements of which no package is built, and that were needed before or are new."""
    known = {fault.module.path for one in before.readings for fault in one.faults if _is_unused(fault)}
    found = {fault.module for one in now.readings for fault in one.faults if _is_unused(fault)}
    yield from (module for module in sorted(found, key=str) if module.path not in known)


def _is_unused(fault: tidy.Fault) -> bool:
    return fault.kind is tidy.Untidy.UNUSED
