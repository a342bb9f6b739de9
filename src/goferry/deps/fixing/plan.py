"""The smallest set of raised requirements after which nothing that can be mended is affected any more.

What can be *mended*. Of an affected module every higher version is tried by itself. The one that leaves the fewest
flaws, none of them new, says how far the module can be mended; the lowest one of several. Flaws that it still has
*stay*, each module with the reason, and from here on do not count. A module without such a version may still be freed
by another one that brings it; if not, it stays as it is.

What a *plan* is. It is made of raises, one after another; each one names a module that is affected, or one that a main
module requires directly and that brings an affected one, and lifts it to a version that is itself not affected. Each
raise frees at least one module that was affected until then, and never goes to a higher version than one that leaves
no other module affected. No raise may lower what is built or make a newer Go necessary (unless that is allowed), and
versions that are excluded, retracted or not released are not proposed. At the end no module is affected but those that
no raise can free.

What *smallest* is. Of all plans the one with

1. the fewest raises,
2. then the fewest of modules that are not to be mended themselves: if one raise of a parent does the work of one raise
   of the affected module, the module itself is raised, for that moves less,
3. then the fewest releases that are jumped over, all raises together,
4. then the first by path and version, so that the same world always gets the same plan.

Lines of go.mod that must follow (a requirement that is lower than what is selected now, what has to be held) are
consequences and not counted.

Bounds, so that a large world has an answer: of an affected module WIDTH versions are looked at, the lowest first; of a
parent the newest PARENT_WIDTH, and PARENTS parents, the nearest first. Up to TOGETHER affected modules are searched
as one; more are searched in the groups that raises tie together. Within these bounds the search is exact up to
EFFORT sets of raises on the way, and TRIES that are evaluated for one project, however many plans that takes; beyond,
`Plan.smallest` is False and the plan is merely a good one: the cheapest that was seen until then, or else one that goes
straight ahead. No clock is asked, so the same world always gets the same plan.
"""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from goferry.deps.fixing.asking import AskMod, AskVersions, Known, Listed, Steps
from goferry.deps.fixing.raising import Affecting, Bar, Outcome, Raiser, Raises, Unbuilt
from goferry.gomod import gover, module, pseudo, semver
from goferry.gomod.modgraph import NONE, Local, Mains, ModuleGraph
from goferry.gomod.module import Version

WIDTH: Final = 60
PARENT_WIDTH: Final = 8
PARENTS: Final = 10
TOGETHER: Final = 5
AHEAD: Final = 2
"""Of each module so many versions are evaluated at once, before it is known whether the first one will do."""
EFFORT: Final = 400
TRIES: Final = 2500


class Reason(StrEnum):
    """Why an affected module stays."""

    NO_FIX = "no_fix"
    """No version is free of it."""
    NEXT_MAJOR = "next_major"
    """Only the module of the next major version is: another import path."""
    UNRELEASED = "unreleased"
    """Only a commit or a pre-release is."""
    NEEDS_GO = "needs_newer_go"
    """Every good version makes a newer Go necessary."""
    EXCLUDED = "excluded"
    """The go.mod excludes every good version."""
    NOT_BUILT = "not_built"
    """No package of it is built: `go mod tidy` would take a line for it out again."""
    REPLACED = "replaced"
    """A replace line says what is built; requirements change nothing."""
    UNKNOWN = "unknown"
    """Its versions, or the go.mod of every good one, could not be had."""
    IN_THE_WAY = "in_the_way"
    """Every good version would lower something, or bring an affected module that cannot be mended."""


@dataclass(frozen=True, slots=True)
class Raise:
    """A requirement that is set higher."""

    path: str
    before: str
    """The version that is selected now."""
    after: str
    direct: bool
    """A main module requires it without `// indirect`."""
    frees: tuple[str, ...]
    """The affected modules that it mends, itself perhaps among them."""


@dataclass(frozen=True, slots=True)
class Parent:
    """A module that a main module requires directly, and the lowest version looked at that brings the fix by itself."""

    path: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Mended:
    """An affected module that the plan frees of some flaws, or of all."""

    path: str
    before: str
    after: str
    """`none` when it is no longer in the build list."""
    ids: tuple[str, ...]
    direct: bool
    by: str
    """The path of the raise that frees it."""
    parents: tuple[Parent, ...] = ()


@dataclass(frozen=True, slots=True)
class Stays:
    """Flaws of a module that nothing can be done about here, for one reason; there may be others of the same module."""

    path: str
    version: str
    ids: tuple[str, ...]
    reason: Reason
    detail: str = ""
    """The next major's path and version, the unreleased version, the Go version, the replacement."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do, and what stays."""

    raises: tuple[Raise, ...]
    mended: tuple[Mended, ...]
    stays: tuple[Stays, ...]
    before: Outcome
    after: Outcome
    smallest: bool = True
    """False when the search was too large to be sure."""

    @property
    def holds(self) -> tuple[Version, ...]:
        """What is required so that it does not get lower."""
        return tuple(sorted(self.after.holds, key=str))


@dataclass(frozen=True, slots=True)
class Limits:
    """How far is looked; see the head of the module."""

    width: int = WIDTH
    parent_width: int = PARENT_WIDTH
    parents: int = PARENTS
    together: int = TOGETHER
    effort: int = EFFORT
    tries: int = TRIES


@dataclass(slots=True, eq=False)
class Spent:
    """What searches have cost so far: sets of raises that were evaluated in them."""

    tries: int = 0


def make_plan(
    mains: Mains,
    affecting: Affecting,
    known: Known,
    *,
    allow_go: bool = False,
    refused: Mapping[Version, str] | None = None,
    unbuilt: Unbuilt = (),
    limits: Limits | None = None,
    spent: Spent | None = None,
) -> Steps[Plan]:
    """The smallest plan for these main modules. `refused`: versions that turned out to need a newer Go, and which.
    `spent` is what other plans for the project have cost, and is added to."""
    limits = limits or Limits()
    raiser = Raiser(mains, affecting, known, allow_go=allow_go, refused=refused, unbuilt=unbuilt)
    spent = spent or Spent()
    teller = _Planner(mains, affecting, raiser, limits, spent)
    out_of_reach = yield from teller.out_of_reach()

    def counting(version: Version) -> tuple[str, ...]:
        unreached = out_of_reach.get(version.path, frozenset())
        return tuple(id for id in affecting(version) if id not in unreached)

    raiser = Raiser(mains, counting, known, allow_go=allow_go, refused=refused, unbuilt=unbuilt)
    planner = _Planner(mains, counting, raiser, limits, spent)
    found = yield from planner.find()
    return (yield from teller.tell(found))


def as_it_is(mains: Mains, affecting: Affecting, known: Known) -> Steps[Outcome]:
    """What these main modules build before anything is raised."""
    return (yield from Raiser(mains, affecting, known).outcome())


@dataclass(frozen=True, slots=True)
class _Option:
    """A raise that frees something."""

    version: Version
    before: str
    freed: frozenset[str]
    outcome: Outcome


_Cost: TypeAlias = tuple[int, int, int, tuple[str, ...]]
"""What makes one set of raises larger than another: see the head of the module."""


@dataclass(order=True, slots=True)
class _Node:
    """A set of raises on the way to a plan, in the order in which sets are looked at."""

    cost: _Cost
    raises: Raises = field(compare=False)


@dataclass(slots=True)
class _Found:
    raises: Raises
    smallest: bool
    options: tuple[_Option, ...] = ()
    """What could be raised at the start."""


class _Planner:
    def __init__(
        self, mains: Mains, affecting: Affecting, raiser: Raiser, limits: Limits, spent: Spent
    ) -> None:
        self._mains = mains
        self._affecting = affecting
        self._raiser = raiser
        self._known = raiser.known
        self._limits = limits
        self._spent = spent
        self._direct = frozenset(version.path for main in mains.modules for version in main.direct)
        self._mendable: frozenset[str] = frozenset()
        self._options: dict[tuple[Raises, frozenset[str]], tuple[_Option, ...]] = {}

    # ---- the plan ----------------------------------------------------------------------------------------

    def find(self) -> Steps[_Found]:
        """The cheapest raises."""
        before = yield from self._raiser.outcome()
        options = yield from self._options_of(frozenset(), frozenset(before.affected))
        hopeless = frozenset(before.affected) - frozenset().union(*(option.freed for option in options))
        self._mendable = frozenset(before.affected) - hopeless
        found = _Found(frozenset(), smallest=True)
        for group in self._groups(frozenset(before.affected) - hopeless, options):
            better = yield from self._search(found, group, hopeless)
            found = better or (yield from self._one_by_one(found, group, hopeless))
        return _Found(found.raises, found.smallest, options)

    def out_of_reach(self) -> Steps[dict[str, frozenset[str]]]:
        """The flaws of each affected module that are left when it is mended as far as it can be by itself."""
        before = yield from self._raiser.outcome()
        yield from self._known.learn(map(AskVersions, before.affected))
        better = {
            path: self._better(path, frozenset(ids), before)
            for path, ids in before.affected.items()
            if not self._replaced(path, before)
        }
        yield from self._known.learn(
            AskMod(self._mains.source(Version(path, version)))
            for path, left in better.items()
            for version in left
        )
        found: dict[str, frozenset[str]] = {}
        for path, left in better.items():
            found[path] = (yield from self._first_that_can_be_had(path, left)) or frozenset()
        return found

    def _better(self, path: str, ids: frozenset[str], before: Outcome) -> dict[str, frozenset[str]]:
        """The versions with fewer flaws and no new one, and what each leaves; the best first, of equals the lowest."""
        left = {
            version: frozenset(self._affecting(Version(path, version)))
            for version in self._following(path, before)
            if Version(path, version) not in self._mains.exclude
        }
        better = sorted((v for v, flaws in left.items() if flaws < ids), key=lambda v: len(left[v]))
        return {version: left[version] for version in better[: self._limits.width]}

    def _first_that_can_be_had(
        self, path: str, left: Mapping[str, frozenset[str]]
    ) -> Steps[frozenset[str] | None]:
        for version, flaws in left.items():
            outcome = yield from self._raiser.outcome(frozenset({Version(path, version)}))
            if outcome.bar is None:
                return flaws
        return None

    def tell(self, found: _Found) -> Steps[Plan]:
        """The plan with everything that is said of it, all flaws counted."""
        before = yield from self._raiser.outcome()
        after = yield from self._raiser.outcome(found.raises)
        raises = yield from self._in_order(found.raises, before)
        stays = yield from self._all_that_stay(after)
        mended = self._mended(before, after, raises, found.options)
        return Plan(raises, mended, stays, before, after, found.smallest)

    def _groups(self, affected: frozenset[str], options: Iterable[_Option]) -> list[frozenset[str]]:
        """All that can be freed as one group, or, when it is much, what raises tie together."""
        if len(affected) <= self._limits.together:
            return [affected] if affected else []
        groups = [frozenset({path}) for path in sorted(affected)]
        for option in options:
            tied = [group for group in groups if group & option.freed]
            groups = [group for group in groups if group not in tied]
            groups += [frozenset().union(*tied)] if tied else []
        return sorted(groups, key=sorted)

    def _search(self, start: _Found, group: frozenset[str], hopeless: frozenset[str]) -> Steps[_Found | None]:
        """The cheapest set of raises beyond `start` after which nothing of the group is affected, and nothing new."""
        now = yield from self._raiser.outcome(start.raises)
        allowed = frozenset(now.affected.keys() - group) | hopeless
        heap = [_Node((0, 0, 0, ()), start.raises)]
        seen = {start.raises}
        best: _Node | None = None
        while heap:
            node = heapq.heappop(heap)
            left = frozenset((yield from self._raiser.outcome(node.raises)).affected.keys() - allowed)
            if not left:
                return _Found(node.raises, start.smallest)
            if len(seen) > self._limits.effort or self._spent.tries > self._limits.tries:
                if best is not None:
                    return _Found(best.raises, smallest=False)
                return (yield from self._straight(node.raises, allowed))
            for option in (yield from self._cheaper(node.raises, left, best)):
                raises = _with(node.raises, option.version)
                if option.freed & left and raises not in seen:
                    seen.add(raises)
                    new = _Node((yield from self._cost(raises)), raises)
                    heapq.heappush(heap, new)
                    if not option.outcome.affected.keys() - allowed and (best is None or new < best):
                        best = new
        return None

    def _cheaper(
        self, raises: Raises, left: frozenset[str], best: _Node | None
    ) -> Steps[tuple[_Option, ...]]:
        """What may be raised next. What costs more than an end that was seen is never looked at, nor evaluated."""
        before = self._raiser.evaluated
        found = yield from self._options_of(raises, left, None if best is None else best.cost)
        self._spent.tries += self._raiser.evaluated - before
        return found

    def _straight(self, raises: Raises, allowed: frozenset[str]) -> Steps[_Found | None]:
        """From here on always the raise that leaves least: not sure to be the smallest set."""
        while left := frozenset((yield from self._raiser.outcome(raises)).affected.keys() - allowed):
            options = yield from self._options_of(raises, left)
            useful = [option for option in options if option.freed & left]
            if not useful:
                return None
            best = min(useful, key=lambda o: (len(o.outcome.affected.keys() - allowed), str(o.version)))
            if len(best.outcome.affected.keys() - allowed) >= len(left):
                return None
            raises = _with(raises, best.version)
        return _Found(raises, smallest=False)

    def _one_by_one(self, start: _Found, group: frozenset[str], hopeless: frozenset[str]) -> Steps[_Found]:
        """What can be freed of a group that cannot be freed as a whole."""
        found = start
        for path in sorted(group):
            if path in (yield from self._raiser.outcome(found.raises)).affected:
                found = (yield from self._search(found, frozenset({path}), hopeless)) or found
        return _Found(found.raises, smallest=False)

    def _cost(self, raises: Raises) -> Steps[_Cost]:
        base = yield from self._raiser.outcome()
        parents = sum(version.path not in self._mendable for version in raises)
        jumps = sum(self._jumps(version, base.selected(version.path)) for version in raises)
        return len(raises), parents, jumps, tuple(sorted(map(str, raises)))

    def _jumps(self, version: Version, before: str) -> int:
        """How many versions up it goes."""
        return sum(
            gover.mod_compare(version.path, before, v) < 0
            and gover.mod_compare(version.path, v, version.version) <= 0
            for v in self._known.versions(version.path)
        )

    # ---- what can be raised ------------------------------------------------------------------------------

    def _options_of(
        self, raises: Raises, wanted: frozenset[str], limit: _Cost | None = None
    ) -> Steps[tuple[_Option, ...]]:
        """What may be raised next to free any of the wanted modules, which are all affected. With a limit some of what
        would cost as much is left out."""
        key = raises, wanted
        if key not in self._options:
            found = (yield from self._alone(raises, wanted)) or (
                yield from self._find_options(raises, wanted, parents=True, limit=limit)
            )
            if limit is not None:
                return found
            self._options[key] = found
        return self._options[key]

    def _alone(self, raises: Raises, wanted: frozenset[str]) -> Steps[tuple[_Option, ...]]:
        """If a single module is left and it can be raised so that nothing else comes in: no parent does better."""
        now = yield from self._raiser.outcome(raises)
        if len(wanted) != 1 or (len(now.affected) == 1 and not raises):
            return ()  # at the start the parents are wanted too: they are named to people
        own = yield from self._find_options(raises, wanted, parents=False)
        rest = now.affected.keys() - wanted
        return own if any(option.outcome.affected.keys() <= rest for option in own) else ()

    def _find_options(
        self, raises: Raises, wanted: frozenset[str], *, parents: bool, limit: _Cost | None = None
    ) -> Steps[tuple[_Option, ...]]:
        now = yield from self._raiser.outcome(raises)
        below = self._worth_raising(now, wanted, parents=parents)
        yield from self._known.learn(map(AskVersions, below))
        higher = {path: self._higher(path, now) for path in below}
        candidates = [Version(path, version) for path, versions in higher.items() for version in versions]
        yield from self._known.learn(AskMod(self._mains.source(version)) for version in candidates)
        may = {
            path: [
                v for v in versions if path in wanted or self._may_free(Version(path, v), below[path], now)
            ]
            for path, versions in higher.items()
        }
        if limit is not None:
            for path, versions in may.items():
                may[path] = yield from self._below_limit(path, versions, raises, limit)
        yield from self._raiser.prepare(
            _with(raises, Version(path, version))
            for path, versions in may.items()
            for version in versions[:AHEAD]
        )
        found: list[_Option] = []
        for path, versions in may.items():
            found += yield from self._options_for(path, versions, raises, now)
        return tuple(found)

    def _below_limit(
        self, path: str, versions: Iterable[str], raises: Raises, limit: _Cost
    ) -> Steps[list[str]]:
        """The versions, ascending as they are, up to the first with which the raises cost too much."""
        found: list[str] = []
        for version in versions:
            if (yield from self._cost(_with(raises, Version(path, version)))) >= limit:
                break  # a higher one jumps over more
            found.append(version)
        return found

    def _options_for(
        self, path: str, versions: Iterable[str], raises: Raises, now: Outcome
    ) -> Steps[list[_Option]]:
        kept: list[_Option] = []
        last, outcome = "", now
        for version in versions:
            if kept and not kept[-1].outcome.affected:
                break  # nothing higher can leave less affected
            if last and self._is_twin(path, version, last, outcome):
                continue
            last = version
            outcome = yield from self._raiser.outcome(_with(raises, Version(path, version)))
            freed = frozenset(now.affected) - outcome.affected.keys()
            idle = any(option.outcome.affected.keys() <= outcome.affected.keys() for option in kept)
            if outcome.bar is None and freed and not idle:
                kept.append(_Option(Version(path, version), now.selected(path), freed, outcome))
        return kept

    def _is_twin(self, path: str, version: str, last: str, outcome: Outcome) -> bool:
        """Whether a higher version leads to what a lower one led to, but for itself: both require the same, and nothing
        else selects another one."""
        first, second = Version(path, last), Version(path, version)
        said = self._known.mods.get(first)
        return (
            said is not None
            and said == self._known.mods.get(second)
            and all(
                view.version(path) == last
                and view.mains.source(first) == first
                and view.mains.source(second) == second
                for view in outcome.views
            )
        )

    def _may_free(self, version: Version, below: frozenset[str], now: Outcome) -> bool:
        """Whether the go.mod of a parent says that it could free some module below it. A go.mod that names all that it
        needs brings what it names, and what the modules that get higher by it bring; for others it has to be tried."""
        found = self._known.mods.get(self._mains.source(version))
        if found is None or not found.pruned:
            return found is not None
        named = {r.path: r for r in found.require}
        if any(path not in named or not self._affecting(named[path]) for path in below & now.affected.keys()):
            return True
        return any(
            r.path in below and gover.mod_compare(r.path, now.selected(r.path), r.version) < 0
            for r in found.require
        )

    def _worth_raising(
        self, now: Outcome, wanted: frozenset[str], *, parents: bool
    ) -> dict[str, frozenset[str]]:
        """The wanted modules that are not replaced, and the direct requirements that bring any of them; with the
        modules on the way from there."""
        below: dict[str, set[str]] = {path: set() for path in wanted}
        distances: dict[str, int] = {}
        for view in now.views if parents else ():
            requiring = requirers(view.graph)
            for path in wanted:
                distance = above(requiring, path)
                for parent in (
                    distance.keys() & self._direct & view.selected.keys() - self._mains.paths - {path}
                ):
                    distances[parent] = min(distance[parent], distances.get(parent, distance[parent]))
                    below.setdefault(parent, set()).update(distance)
        nearest = sorted(distances, key=lambda parent: (distances[parent], parent))[: self._limits.parents]
        worth = sorted({*wanted, *nearest})
        worth = [path for path in worth if path not in self._raiser.built_nowhere]
        return {path: frozenset(below[path]) for path in worth if not self._replaced(path, now)}

    def _replaced(self, path: str, now: Outcome) -> bool:
        version = Version(path, now.selected(path))
        return any(view.mains.source(version) != version for view in now.views)

    def _higher(self, path: str, now: Outcome) -> list[str]:
        """The versions that it may be raised to, ascending."""
        found = [
            version for version in self._good(path, now) if Version(path, version) not in self._mains.exclude
        ]
        if path in now.affected:
            return found[: self._limits.width]
        return found[-self._limits.parent_width :]

    def _good(self, path: str, now: Outcome) -> Iterator[str]:
        """The versions above the selected one that nothing affects."""
        return (v for v in self._following(path, now) if not self._affecting(Version(path, v)))

    def _following(self, path: str, now: Outcome) -> Iterator[str]:
        """The versions above the selected one that somebody with it would take."""
        current = now.selected(path)
        for version in self._known.versions(path):
            if gover.mod_compare(path, current, version) < 0 and _may_follow(current, version):
                yield version

    # ---- what is said of it ------------------------------------------------------------------------------

    def _in_order(self, chosen: Raises, before: Outcome) -> Steps[tuple[Raise, ...]]:
        """The raises in an order in which each frees something; by path where that is the same."""
        found: list[Raise] = []
        done: Raises = frozenset()
        left = sorted(chosen, key=str)
        now = before
        while left:
            best, after = left[0], now
            for version in left:
                outcome = yield from self._raiser.outcome(done | {version})
                if version == left[0] or _freed(now, outcome):
                    best, after = version, outcome
                if _freed(now, outcome):
                    break
            frees = tuple(sorted(_freed(now, after)))
            direct = best.path in self._direct
            found.append(Raise(best.path, before.selected(best.path), best.version, direct, frees))
            left.remove(best)
            done, now = done | {best}, after
        return tuple(found)

    def _mended(
        self, before: Outcome, after: Outcome, raises: tuple[Raise, ...], options: tuple[_Option, ...]
    ) -> tuple[Mended, ...]:
        by = {path: step.path for step in raises for path in step.frees}
        return tuple(
            Mended(
                path,
                before.selected(path),
                after.selected(path),
                ids,
                path in self._direct,
                by.get(path, path),
                self._parents(path, options),
            )
            for path, ids in sorted(_freed(before, after).items())
        )

    def _parents(self, path: str, options: tuple[_Option, ...]) -> tuple[Parent, ...]:
        lowest: dict[str, Parent] = {}
        for option in options:
            parent = option.version
            if path in option.freed and parent.path != path and parent.path in self._direct:
                lowest.setdefault(parent.path, Parent(parent.path, option.before, parent.version))
        return tuple(lowest[name] for name in sorted(lowest))

    def _all_that_stay(self, now: Outcome) -> Steps[tuple[Stays, ...]]:
        paths = sorted(now.affected)
        yield from self._known.learn(map(AskVersions, paths))
        found: list[Stays] = []
        for path in paths:
            for ids, good in self._by_hope(path, now):
                reason, detail = yield from self._reason(path, now, good)
                found.append(Stays(path, now.selected(path), ids, reason, detail))
        return tuple(found)

    def _by_hope(self, path: str, now: Outcome) -> list[tuple[tuple[str, ...], list[str]]]:
        """The flaws of a module that some version is free of, with these versions, apart from those that every version
        has: something else keeps each of the two."""
        ids, good = now.affected[path], list(self._good(path, now))
        if good or self._replaced(path, now) or self._known.lists[path] is None:
            return [(ids, good)]
        left = {v: frozenset(self._affecting(Version(path, v))) for v in self._following(path, now)}
        never = frozenset(ids).intersection(*left.values())
        hopeful = tuple(id for id in ids if id not in never)
        better = [version for version, flaws in left.items() if flaws <= never]
        if not (hopeful and better):
            return [(ids, [])]
        return [(hopeful, better), (tuple(id for id in ids if id in never), [])]

    def _reason(self, path: str, now: Outcome, good: list[str]) -> Steps[tuple[Reason, str]]:
        if self._replaced(path, now):
            source = self._mains.source(Version(path, now.selected(path)))
            return Reason.REPLACED, source.folder if isinstance(source, Local) else str(source)
        if self._known.lists[path] is None:
            return Reason.UNKNOWN, ""
        if not good:
            return (yield from self._elsewhere(path, now))
        usable = [version for version in good if Version(path, version) not in self._mains.exclude]
        if not usable:
            return Reason.EXCLUDED, good[0]
        if path in self._raiser.built_nowhere:
            return Reason.NOT_BUILT, usable[0]
        outcomes = yield from self._each(Version(path, version) for version in usable[: self._limits.width])
        bars = {outcome.bar for outcome in outcomes}
        if Bar.GO in bars and bars <= {Bar.GO, Bar.UNREAD}:
            first = min((o.go for o in outcomes if o.bar is Bar.GO), key=gover.key)
            return Reason.NEEDS_GO, first
        return (Reason.UNKNOWN if bars == {Bar.UNREAD} else Reason.IN_THE_WAY), usable[0]

    def _each(self, versions: Iterable[Version]) -> Steps[tuple[Outcome, ...]]:
        """What each of these raises leads to, alone."""
        found: dict[Version, Outcome] = {}
        for version in versions:
            found[version] = yield from self._raiser.outcome(frozenset({version}))
        return tuple(found.values())

    def _elsewhere(self, path: str, now: Outcome) -> Steps[tuple[Reason, str]]:
        """Where the fix is, if not in a release of this module."""
        current = now.selected(path)
        listed = self._known.lists[path] or Listed()
        for version in (*listed.released, *listed.commits):
            if gover.mod_compare(path, current, version) < 0 and not self._affecting(Version(path, version)):
                if version.endswith("+incompatible"):
                    return Reason.NEXT_MAJOR, str(Version(path, version))
                return Reason.UNRELEASED, version
        if following := next_major(path):
            yield from self._known.learn([AskVersions(following)])
            for version in self._known.versions(following):
                if not self._affecting(Version(following, version)):
                    return Reason.NEXT_MAJOR, str(Version(following, version))
        return Reason.NO_FIX, ""


def _freed(before: Outcome, after: Outcome) -> dict[str, tuple[str, ...]]:
    """By module the flaws that it has no more."""
    found = {
        path: tuple(id for id in ids if id not in after.affected.get(path, ()))
        for path, ids in before.affected.items()
    }
    return {path: ids for path, ids in found.items() if ids}


def _with(raises: Raises, version: Version) -> Raises:
    return frozenset(v for v in raises if v.path != version.path) | {version}


def _may_follow(current: str, version: str) -> bool:
    """Whether somebody with the current version would take the other one as its next: no pre-release unless it is one
    already, and no major version of a time before modules."""
    if _is_early(version) and not _is_early(current):
        return False
    return not version.endswith("+incompatible") or semver.major(version) == semver.major(current)


def _is_early(version: str) -> bool:
    return bool(semver.prerelease(version)) and not pseudo.is_pseudo_version(version)


def next_major(path: str) -> str:
    """The path of the next major version; empty for a path that has none."""
    prefix, major, ok = module.split_path_version(path)
    if not ok:
        return ""
    number = int("".join(filter(str.isdigit, major)) or "1") + 1
    separator = ".v" if path.startswith("gopkg.in/") else "/v"
    return f"{prefix}{separator}{number}"


def requirers(graph: ModuleGraph) -> Mapping[str, set[str]]:
    """By path the modules that require it, in whichever version."""
    requiring: dict[str, set[str]] = {}
    for version, required in graph.required.items():
        for requirement in required:
            if requirement.version != NONE:
                requiring.setdefault(requirement.path, set()).add(version.path)
    return requiring


def above(requiring: Mapping[str, set[str]], path: str) -> Mapping[str, int]:
    """The modules that require one, directly or through others, with the number of steps."""
    found: dict[str, int] = {path: 0}
    edge = [path]
    while edge:
        following: list[str] = []
        for below in edge:
            for other in sorted(requiring.get(below, ())):
                if other not in found:
                    found[other] = found[below] + 1
                    following.append(other)
        edge = following
    return found
