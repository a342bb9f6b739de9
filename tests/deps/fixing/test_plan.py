"""The plan is the smallest there is: compared with all plans there are, on small random worlds."""

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import modworlds
from goferry.deps.fixing.asking import Ask, AskMod, Known, Listed, Steps, T
from goferry.deps.fixing.plan import Limits, Parent, Plan, Reason, Spent, make_plan, next_major
from goferry.deps.fixing.raising import Outcome, Raiser, Raises, View
from goferry.gomod import gover
from goferry.gomod.modgraph import Local, Main, Mains, Requirements, Workspace
from goferry.gomod.module import Version
from sizes import size

EVERYTHING = Limits(width=99, parent_width=99, parents=99, together=99, effort=100_000, tries=100_000)


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def driven(steps: Steps[T], known: Known, world: modworlds.World) -> T:
    """Runs the steps, with the answers from a world."""
    while True:
        try:
            asks = next(steps)
        except StopIteration as done:
            return done.value
        for ask in asks:
            answer(ask, known, world)


def answer(ask: Ask, known: Known, world: modworlds.World) -> None:
    if isinstance(ask, AskMod):
        source = ask.source
        found = (
            world.local.get(Path(source.folder).name)
            if isinstance(source, Local)
            else world.published.get(source)
        )
        known.mods[source] = found
        return
    versions = [version.version for version in world.published if version.path == ask.path]
    known.lists[ask.path] = Listed(tuple(sorted(versions, key=lambda w: gover.mod_key(ask.path, w))))


class Flaws:
    """Versions that something is wrong with."""

    def __init__(self, *versions: str) -> None:
        self.versions = frozenset(map(v, versions))

    def __call__(self, version: Version) -> tuple[str, ...]:
        return ("GO-1",) if version in self.versions else ()


def random_case(seed: int, folder: Path) -> tuple[modworlds.World, Flaws]:
    """A world, and some modules whose lower versions are flawed, perhaps a higher one again."""
    rng = random.Random(seed)
    world = modworlds.random_world(seed + 100, folder, versions=(2, 4))
    flawed: list[Version] = []
    for path in sorted({version.path for version in world.published} - world.mains.paths):
        versions = sorted((w for w in world.published if w.path == path), key=str)
        if rng.random() < 0.5:
            flawed += versions[: rng.randint(1, len(versions))]
        if rng.random() < 0.1:
            flawed.append(rng.choice(versions))
    return world, Flaws(*map(str, flawed))


def planned(
    world: modworlds.World,
    flaws: Flaws,
    *,
    allow_go: bool = False,
    limits: Limits = EVERYTHING,
    spent: Spent | None = None,
) -> Plan:
    known = Known()
    steps = make_plan(world.mains, flaws, known, allow_go=allow_go, limits=limits, spent=spent)
    return driven(steps, known, world)


def _reached(view: View, path: str) -> set[str]:
    """What can be reached from a module, whichever version asks for it."""
    reached, edge = {path}, [path]
    while edge:
        at = edge.pop()
        for version, required in view.graph.required.items():
            for below in required if version.path == at else ():
                if below.path not in reached:
                    reached.add(below.path)
                    edge.append(below.path)
    return reached - {path}


class Brute:
    """Every plan there is, by the definition alone."""

    def __init__(self, world: modworlds.World, flaws: Flaws, *, allow_go: bool = False) -> None:
        self._world = world
        self._flaws = flaws
        self._known = Known()
        self._raiser = Raiser(world.mains, flaws, self._known, allow_go=allow_go)
        self._direct = {version.path for main in world.mains.modules for version in main.direct}

    def outcome(self, raises: Raises) -> Outcome:
        return driven(self._raiser.outcome(raises), self._known, self._world)

    def steps(self, raises: Raises) -> Iterator[Raises]:
        """Each raise that may come next."""
        now = self.outcome(raises)
        by_path: dict[str, list[Version]] = {}
        for version in self._world.published:
            if self._may_be_raised(version, now):
                by_path.setdefault(version.path, []).append(version)
        for path, versions in by_path.items():
            kept: list[Outcome] = []
            for version in sorted(versions, key=lambda w: gover.mod_key(path, w.version)):
                following = frozenset(w for w in raises if w.path != path) | {version}
                after = self.outcome(following)
                idle = any(set(other.affected) <= set(after.affected) for other in kept)
                if after.bar is None and set(now.affected) - set(after.affected) and not idle:
                    kept.append(after)
                    yield following

    def _may_be_raised(self, version: Version, now: Outcome) -> bool:
        selected = now.selected(version.path)
        replaced = any(
            view.mains.source(Version(version.path, selected)) != Version(version.path, selected)
            for view in now.views
        )
        return (
            selected != "none" and not replaced and version.path not in self._world.mains.paths
            and gover.mod_compare(version.path, selected, version.version) < 0
            and version not in self._world.mains.exclude and not self._flaws(version)
            and (version.path in now.affected or self._brings_affected(version.path, now))
        )  # fmt: skip

    def _brings_affected(self, path: str, now: Outcome) -> bool:
        """Whether it is a direct requirement from which an affected module can be reached."""
        return path in self._direct and any(
            _reached(view, path) & now.affected.keys() for view in now.views if path in view.selected
        )

    def cost(self, raises: Raises) -> tuple[int, int, int, tuple[str, ...]]:
        base = self.outcome(frozenset())
        jumps = sum(
            w.path == r.path
            and gover.mod_compare(w.path, base.selected(w.path), w.version) < 0
            and gover.mod_compare(w.path, w.version, r.version) <= 0
            for r in raises
            for w in self._world.published
        )
        parents = sum(r.path not in self._mendable for r in raises)
        return len(raises), parents, jumps, tuple(sorted(map(str, raises)))

    def best(self) -> Raises | None:
        """The cheapest set of raises that leaves nothing affected but what no single raise frees; None without one."""
        base = self.outcome(frozenset())
        freed = [
            set(base.affected) - set(self.outcome(raises).affected) for raises in self.steps(frozenset())
        ]
        hopeless = set(base.affected) - set().union(*freed)
        self._mendable = set(base.affected) - hopeless
        seen, edge, good = {frozenset[Version]()}, [frozenset[Version]()], []
        while edge:
            raises = edge.pop()
            if set(self.outcome(raises).affected) <= hopeless:
                good.append(raises)
                continue
            for following in self.steps(raises):
                if following not in seen:
                    seen.add(following)
                    edge.append(following)
        return min(good, key=self.cost, default=None)


@pytest.mark.parametrize("allow_go", [False, True])
@pytest.mark.parametrize("seed", range(size(12, 1500)))
def test_no_smaller_plan_exists(seed: int, allow_go: bool, tmp_path: Path) -> None:
    world, flaws = random_case(seed, tmp_path)
    best = Brute(world, flaws, allow_go=allow_go).best()
    plan = planned(world, flaws, allow_go=allow_go)
    if best is None:
        assert not plan.smallest
        return
    assert plan.smallest
    assert {Version(step.path, step.after) for step in plan.raises} == best


# ---- by hand -------------------------------------------------------------------------------------------


def world_of(text: str, mains: Mains) -> modworlds.World:
    """A world from lines like `a@v1.0.0 1.20: b@v1.0.0 c@v1.1.0`."""
    published: dict[Version, Requirements] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        head, _, required = line.partition(":")
        name, go = head.split()
        published[v(name)] = Requirements(go, tuple(map(v, required.split())))
    return modworlds.World(Path("/nowhere"), mains, published, {})


def main(go: str, direct: str, indirect: str = "", path: str = "m", **more: Any) -> Main:
    named = tuple(map(v, direct.split()))
    return Main(
        path, Requirements(go, named + tuple(map(v, indirect.split()))), direct=frozenset(named), **more
    )


TWO = """
    p@v1.0.0 1.20: x@v1.0.0 y@v1.0.0
    p@v1.1.0 1.20: x@v1.1.0 y@v1.1.0
    x@v1.0.0 1.20:
    x@v1.1.0 1.20:
    x@v1.2.0 1.20:
    y@v1.0.0 1.20:
    y@v1.1.0 1.20:
"""


def raised(plan: Plan) -> str:
    return " ".join(f"{step.path}@{step.after}" for step in plan.raises)


def test_one_raise_of_a_parent_replaces_two_of_what_it_brings() -> None:
    start = Mains((main("1.20", "p@v1.0.0", "x@v1.0.0 y@v1.0.0"),))
    plan = planned(world_of(TWO, start), Flaws("x@v1.0.0", "y@v1.0.0"))
    assert raised(plan) == "p@v1.1.0"
    assert [(m.path, m.before, m.after, m.by) for m in plan.mended] == [
        ("x", "v1.0.0", "v1.1.0", "p"),
        ("y", "v1.0.0", "v1.1.0", "p"),
    ]


def test_for_one_the_module_itself_is_raised_and_the_parent_that_carries_the_fix_is_named() -> None:
    start = Mains((main("1.20", "p@v1.0.0", "x@v1.0.0 y@v1.0.0"),))
    plan = planned(world_of(TWO, start), Flaws("x@v1.0.0"))
    assert raised(plan) == "x@v1.1.0"
    assert plan.mended[0].parents == (Parent("p", "v1.0.0", "v1.1.0"),)


def test_the_lowest_version_that_leaves_all_ranges_is_taken() -> None:
    start = Mains((main("1.20", "x@v1.0.0"),))
    assert raised(planned(world_of(TWO, start), Flaws("x@v1.0.0", "x@v1.1.0"))) == "x@v1.2.0"


def test_a_fix_that_brings_another_flaw_is_followed_by_its_fix() -> None:
    text = TWO + "z@v1.0.0 1.20: x@v1.0.0\nz@v1.1.0 1.20: y@v1.0.0"
    start = Mains((main("1.20", "z@v1.0.0", "x@v1.0.0"),))
    plan = planned(world_of(text, start), Flaws("z@v1.0.0", "y@v1.0.0"))
    assert raised(plan) == "z@v1.1.0 y@v1.1.0"


def test_what_a_raise_would_lower_is_held_before_go_1_17() -> None:
    text = "a@v1.0.0 1.16: b@v1.5.0 c@v1.0.0\na@v1.1.0 1.16: b@v1.2.0\nb@v1.2.0 1.16:\nb@v1.5.0 1.16:\nc@v1.0.0 1.16:"
    start = Mains((main("1.16", "a@v1.0.0"),))
    plan = planned(world_of(text, start), Flaws("a@v1.0.0"))
    assert (raised(plan), " ".join(map(str, plan.holds))) == ("a@v1.1.0", "b@v1.5.0 c@v1.0.0")
    assert plan.after.views[0].selected == {"a": "v1.1.0", "b": "v1.5.0", "c": "v1.0.0"}


def test_in_a_workspace_every_module_that_has_it_gets_the_line() -> None:
    one, two, three = (main("1.20", "x@v1.0.0", path=f"m{n}") for n in (1, 2, 3))
    three = main("1.20", "y@v1.0.0", path="m3")
    plan = planned(world_of(TWO, Mains((one, two, three), Workspace("1.20"))), Flaws("x@v1.0.0"))
    named = [[str(r) for r in found.requirements.require] for found in plan.after.mains.modules]
    assert named == [["x@v1.1.0"], ["x@v1.1.0"], ["y@v1.0.0"]]


def test_a_module_of_a_workspace_is_mended_even_where_the_workspace_as_a_whole_is_not_affected() -> None:
    """The workspace builds v1.1.0 because one module asks for it; with GOWORK=off the other one builds v1.0.0."""
    modules = (main("1.20", "x@v1.0.0", path="m1"), main("1.20", "x@v1.1.0", path="m2"))
    plan = planned(world_of(TWO, Mains(modules, Workspace("1.20"))), Flaws("x@v1.0.0"))
    assert [str(main.requirements.require[0]) for main in plan.after.mains.modules] == [
        "x@v1.1.0",
        "x@v1.1.0",
    ]


STAYING = {
    "no version is good": (main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.1.0 1.20:", Reason.NO_FIX, ""),
    "only the next major is": (
        main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.1.0 1.20:\nx/v2@v2.0.0 1.20:", Reason.NEXT_MAJOR, "x/v2@v2.0.0",
    ),
    "only a pre-release is": (
        main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.2.0-rc.1 1.20:", Reason.UNRELEASED, "v1.2.0-rc.1",
    ),
    "it needs a newer go": (
        main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.2.0 1.23.1:", Reason.NEEDS_GO, "1.23.1",
    ),
    "it is excluded": (
        main("1.20", "x@v1.0.0", exclude=frozenset({v("x@v1.2.0")})), "x@v1.0.0 1.20:\nx@v1.2.0 1.20:",
        Reason.EXCLUDED, "v1.2.0",
    ),
    "it is replaced": (
        main("1.20", "x@v1.0.0", replace={v("x"): v("fork@v1.0.0")}),
        "x@v1.0.0 1.20:\nx@v1.2.0 1.20:\nfork@v1.0.0 1.20:", Reason.REPLACED, "fork@v1.0.0",
    ),
    "it brings what cannot be mended": (
        main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.2.0 1.20: bad@v1.0.0\nbad@v1.0.0 1.20:",
        Reason.IN_THE_WAY, "v1.2.0",
    ),
    "its go.mod cannot be had": (
        main("1.20", "x@v1.0.0"), "x@v1.0.0 1.20:\nx@v1.2.0 1.16: gone@v1.0.0", Reason.UNKNOWN, "v1.2.0",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("start", "text", "reason", "detail"), STAYING.values(), ids=STAYING)
def test_what_stays_says_why(start: Main, text: str, reason: Reason, detail: str) -> None:
    flaws = Flaws("x@v1.0.0", "x@v1.1.0", "bad@v1.0.0")
    plan = planned(world_of(text, Mains((start,))), flaws)
    assert [(stay.path, stay.reason, stay.detail) for stay in plan.stays] == [("x", reason, detail)]
    assert not plan.raises


class Counted:
    """Flaws by id: the versions that have it."""

    def __init__(self, **flaws: str) -> None:
        self.flaws = {id: frozenset(map(v, text.split())) for id, text in flaws.items()}

    def __call__(self, version: Version) -> tuple[str, ...]:
        return tuple(id for id, versions in self.flaws.items() if version in versions)


def test_a_module_is_mended_as_far_as_it_can_be() -> None:
    text = "x@v1.0.0 1.20:\nx@v1.1.0 1.20:\nx@v1.2.0 1.20:\nx@v1.3.0 1.25.0:"
    start = Mains((main("1.20", "x@v1.0.0"),))
    flaws = Counted(A="x@v1.0.0", B="x@v1.0.0 x@v1.1.0 x@v1.2.0")
    plan = planned(world_of(text, start), flaws)
    assert (raised(plan), plan.mended[0].ids) == ("x@v1.1.0", ("A",))
    assert [(stay.version, stay.ids, stay.reason, stay.detail) for stay in plan.stays] == [
        ("v1.1.0", ("B",), Reason.NEEDS_GO, "1.25.0")
    ]


def test_what_no_version_is_free_of_does_not_hide_what_keeps_the_rest() -> None:
    text = "x@v1.0.0 1.20:\nx@v1.1.0 1.25.0:"
    flaws = Counted(A="x@v1.0.0", B="x@v1.0.0 x@v1.1.0")
    plan = planned(world_of(text, Mains((main("1.20", "x@v1.0.0"),))), flaws)
    assert [(stay.path, stay.ids, stay.reason, stay.detail) for stay in plan.stays] == [
        ("x", ("A",), Reason.NEEDS_GO, "1.25.0"),
        ("x", ("B",), Reason.NO_FIX, ""),
    ]


def test_no_flaw_is_taken_for_another_one() -> None:
    text = "x@v1.0.0 1.20:\nx@v1.1.0 1.20:"
    plan = planned(world_of(text, Mains((main("1.20", "x@v1.0.0"),))), Counted(A="x@v1.0.0", B="x@v1.1.0"))
    assert (plan.raises, [stay.reason for stay in plan.stays]) == ((), [Reason.NO_FIX])


def test_a_newer_go_is_taken_where_it_is_allowed() -> None:
    start = Mains((main("1.20", "x@v1.0.0"),))
    plan = planned(world_of("x@v1.0.0 1.20:\nx@v1.2.0 1.23.1:", start), Flaws("x@v1.0.0"), allow_go=True)
    assert (raised(plan), plan.after.views[0].go, plan.stays) == ("x@v1.2.0", "1.23.1", ())


@pytest.mark.parametrize("seed", range(size(10, 300)))
def test_a_large_world_is_searched_in_groups_and_comes_to_the_same_end(seed: int, tmp_path: Path) -> None:
    world, flaws = random_case(seed, tmp_path)
    whole, grouped = planned(world, flaws), planned(world, flaws, limits=replace(EVERYTHING, together=0))
    assert set(grouped.after.affected) == set(whole.after.affected) or not whole.smallest
    assert len(grouped.raises) >= len(whole.raises)


def test_a_search_that_gets_too_large_goes_straight_ahead_and_says_so() -> None:
    text = "\n".join(f"{name}@v1.{n}.0 1.20:" for name in "abcdefgh" for n in (0, 1))
    start = Mains((main("1.20", " ".join(f"{name}@v1.0.0" for name in "abcdefgh")),))
    flaws = Flaws(*(f"{name}@v1.0.0" for name in "abcdefgh"))
    plan = planned(world_of(text, start), flaws, limits=replace(EVERYTHING, effort=5))
    assert (len(plan.raises), plan.stays, plan.smallest) == (8, (), False)
    assert planned(world_of(text, start), flaws).smallest


def test_a_search_that_tries_too_much_goes_straight_ahead_whichever_plan_has_spent_it() -> None:
    text = "\n".join(f"{name}@v1.{n}.0 1.20:" for name in "abcdefgh" for n in (0, 1))
    start = Mains((main("1.20", " ".join(f"{name}@v1.0.0" for name in "abcdefgh")),))
    flaws = Flaws(*(f"{name}@v1.0.0" for name in "abcdefgh"))
    limits = replace(EVERYTHING, tries=20)
    spent = Spent()
    plan = planned(world_of(text, start), flaws, limits=limits, spent=spent)
    assert (len(plan.raises), plan.stays, plan.smallest) == (8, (), False)
    assert 20 < spent.tries < 30
    before = spent.tries
    small = world_of("a@v1.0.0 1.20:\na@v1.1.0 1.20:", Mains((main("1.20", "a@v1.0.0"),)))
    assert not planned(small, flaws, limits=limits, spent=spent).smallest
    assert spent.tries == before
    assert planned(small, flaws, limits=limits).smallest


def test_a_search_that_ends_too_early_takes_the_best_that_it_has_seen() -> None:
    """The first end of two raises is found below a; whether one below b is smaller is not looked at."""
    text = "\n".join(f"{name}@v1.{n}.0 1.20:" for name in "ab" for n in (0, 1))
    start = Mains((main("1.20", "a@v1.0.0 b@v1.0.0"),))
    plan = planned(world_of(text, start), Flaws("a@v1.0.0", "b@v1.0.0"), limits=replace(EVERYTHING, tries=0))
    assert (raised(plan), plan.stays, plan.smallest) == ("a@v1.1.0 b@v1.1.0", (), False)


def test_versions_that_require_the_same_are_not_all_tried() -> None:
    """y stays affected whatever x is; so all 40 versions of x might leave less, and none of them can."""
    text = "y@v1.0.0 1.20:\ny@v1.1.0 1.20:\nx@v1.0.0 1.20: y@v1.0.0\n"
    text += "\n".join(f"x@v1.{n}.0 1.20: y@v1.0.0" for n in range(1, 41))
    start = Mains((main("1.20", "x@v1.0.0 y@v1.0.0"),))
    known = Known()
    world = world_of(text, start)
    steps = Counting(make_plan(start, Flaws("x@v1.0.0", "y@v1.0.0"), known, limits=EVERYTHING))
    plan = driven(steps, known, world)
    assert (raised(plan), plan.smallest) == ("x@v1.1.0 y@v1.1.0", True)
    assert steps.tries < 20


class Counting(Iterator[Any]):
    """Steps, and how often nothing was asked: each time a set of raises was evaluated."""

    def __init__(self, steps: Steps[Plan]) -> None:
        self._steps = steps
        self.tries = 0

    def __next__(self) -> tuple[Ask, ...]:
        asks = next(self._steps)
        self.tries += not asks
        return asks


@pytest.mark.parametrize(
    ("path", "following"),
    [
        ("a.b/c", "a.b/c/v2"),
        ("a.b/c/v2", "a.b/c/v3"),
        ("gopkg.in/yaml.v2", "gopkg.in/yaml.v3"),
        ("a.b/v1", ""),
    ],
)
def test_the_next_major_has_a_path_of_its_own(path: str, following: str) -> None:
    assert next_major(path) == following
