"""A fix is what the real go accepts: what `go get` and `go mod tidy` leave, and a build with -mod=readonly."""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import modtree
import proxyworld
from fixworlds import FixWorld, go_source, random_fix_world, small_world, snapshot, v
from goferry.deps.fixing import sums, writing
from goferry.deps.fixing.edit import Change
from goferry.deps.fixing.mending import Fix, mend
from goferry.deps.fixing.plan import Reason
from goferry.deps.fixing.writing import write
from goferry.deps.sources import load
from goferry.deps.supply import ProxySupply
from goferry.errors import StorageError
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.gosum import parse
from sizes import size

pytestmark = pytest.mark.go


def fixed(world: FixWorld, *, allow_go: bool = False) -> Fix:
    return asyncio.run(mend(load(world.start), world.supply(), world.affecting, allow_go=allow_go))


def applied(world: FixWorld, *, allow_go: bool = False) -> Fix:
    fix = fixed(world, allow_go=allow_go)
    write(fix.changes)
    return fix


@pytest.fixture
def world(request: pytest.FixtureRequest, tmp_path: Path) -> FixWorld:
    return random_fix_world(request.param, tmp_path)


@pytest.mark.parametrize("world", range(size(8, 300)), indirect=True)
def test_a_fix_leaves_what_go_get_and_tidy_leave_and_go_accepts_it(world: FixWorld) -> None:
    (main,) = world.mains
    copy = world.folder / "copy"
    shutil.copytree(world.project / main, copy)
    fix = applied(world)
    assert not fix.problems
    if not fix.plan.raises:
        assert fix.changes == ()  # rarely go refuses what its own tidy has written
        return
    after = fix.plan.after.views[0].selected
    assert world.build_list() == sorted(f"{path}@{version}" for path, version in after.items())
    world.must("build", "-mod=readonly", "./...")
    world.must("mod", "verify")
    if not fix.unused:
        assert world.must("mod", "tidy", "-diff") == ""
    assert not {version.path for version in fix.unused} & {step.path for step in fix.plan.raises}
    if not fix.unused:
        world.must("get", *(f"{step.path}@{step.after}" for step in fix.plan.raises), cwd=copy)
        world.must("mod", "tidy", cwd=copy)
        assert world.build_list(cwd=copy) == world.build_list()


@pytest.mark.parametrize("seed", range(size(4, 100)))
def test_a_workspace_is_mended_as_a_whole_and_each_module_of_it(seed: int, tmp_path: Path) -> None:
    world = random_fix_world(seed + 900, tmp_path, mains=2)
    work = str(world.start)
    before = world.build_list(GOWORK=work)
    fix = applied(world)
    assert not fix.problems
    listed = world.build_list(GOWORK=work)
    assert {line.partition("@")[0] for line in listed} >= {
        line.partition("@")[0] for line in before if not fix.plan.raises
    }
    for name in world.mains:
        folder = world.project / name
        world.must("build", "-mod=readonly", "./...", cwd=folder)
        world.must("build", "-mod=readonly", "./...", cwd=folder, GOWORK=work)
        stays, unbuilt = {stay.path for stay in fix.plan.stays}, not_built(world, folder)
        alone = (line for line in world.build_list(cwd=folder) if path_of(line) not in unbuilt)
        for line in (*listed, *alone):
            assert path_of(line) in stays or not world.affecting(v(line))


def path_of(line: str) -> str:
    return line.partition("@")[0]


def not_built(world: FixWorld, folder: Path) -> set[str]:
    """Modules of a main module's list of which no package, and no test of one, needs anything."""
    words = ("list", "-test", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "all")
    built = world.must(*words, cwd=folder).split()
    return {path_of(line) for line in world.build_list(cwd=folder)}.difference(built)


# ---- by hand -------------------------------------------------------------------------------------------


GO_MOD = """\
// What m is.
module example.net/m // here

go 1.20

// The flawed one.
require example.org/x v1.0.0 // pinned, see the wiki

exclude example.org/z v1.0.0 // never
"""

MENDED_GO_MOD = """\
// What m is.
module example.net/m // here

go 1.20

// The flawed one.
require example.org/x v1.1.0 // pinned, see the wiki

require example.org/y v1.0.0 // indirect

exclude example.org/z v1.0.0 // never
"""


def test_comments_and_order_are_kept_and_a_new_line_gets_a_block_of_its_own(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    (world.start / "go.mod").write_text(GO_MOD)
    assert applied(world).problems == ()
    assert (world.start / "go.mod").read_text() == MENDED_GO_MOD
    assert world.must("mod", "tidy", "-diff") == ""


def test_a_search_says_how_far_it_is_and_lets_others_have_their_turn(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    tried: list[int] = []
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def both() -> None:
        beside = asyncio.create_task(others())
        await mend(load(world.start), world.supply(), world.affecting, tried=tried.append)
        beside.cancel()

    asyncio.run(both())
    assert tried == list(range(1, len(tried) + 1))
    assert turns >= len(tried) > 0


def test_a_second_run_has_nothing_to_do(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    applied(world)
    again = fixed(world)
    assert (again.plan.raises, again.plan.stays, again.changes) == ((), (), ())


def test_the_old_version_leaves_go_sum_and_the_rest_keeps_its_order(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    applied(world)
    lines = (world.start / "go.sum").read_text().splitlines()
    assert [line.rpartition(" ")[0] for line in lines] == [
        "example.org/x v1.1.0",
        "example.org/x v1.1.0/go.mod",
        "example.org/y v1.0.0",
        "example.org/y v1.0.0/go.mod",
    ]


def test_lines_of_an_unsorted_go_sum_stay_where_they_are() -> None:
    old = "b v1.0.0 h1:b=\na v1.0.0 h1:a=\nd v1.0.0 h2:odd\n"
    (new,) = parse("c v1.0.0 h1:c=")
    assert sums.merged(old, [new]) == "b v1.0.0 h1:b=\na v1.0.0 h1:a=\nc v1.0.0 h1:c=\nd v1.0.0 h2:odd\n"
    assert sums.merged(old, [], [v("a@v1.0.0")]) == "b v1.0.0 h1:b=\nd v1.0.0 h2:odd\n"


def test_a_package_that_the_good_version_no_longer_has_is_a_problem(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    extra = {"go.mod": b"module example.org/x\n\ngo 1.20\n", "sub/p.go": b"package sub\n"}
    body = modtree.module_zip("example.org/x", "v1.1.0", extra)
    (world.proxy / request_path(Kind.ZIP, "example.org/x", "v1.1.0")).write_bytes(body)
    fix = fixed(world)
    assert [problem.about for problem in fix.problems] == ["example.org/x"]


def test_a_newer_go_raises_the_go_line_and_drops_a_toolchain_that_says_less(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    world.publish(v("example.org/x@v1.2.0"), "1.25.3", [], [])
    world.flawed |= {v("example.org/x@v1.1.0")}
    text = (world.start / "go.mod").read_text()
    (world.start / "go.mod").write_text(text.replace("go 1.20", "go 1.20\n\ntoolchain go1.22.0"))
    assert applied(world).changes == ()
    assert applied(world, allow_go=True).problems == ()
    text = (world.start / "go.mod").read_text()
    assert ("go 1.25.3\n" in text, "toolchain" in text) == (True, False)
    world.must("build", "-mod=readonly", "./...")


def test_a_newer_go_that_pruning_hides_is_no_fix_either(tmp_path: Path) -> None:
    """x v1.1.0 requires y. Go reads the go.mod of y only when y is named; and named it must be, for it is built."""
    world = FixWorld(tmp_path, frozenset({v("example.org/x@v1.0.0")}))
    world.publish(v("example.org/y@v1.0.0"), "1.22.1", [], [])
    world.publish(v("example.org/x@v1.0.0"), "1.18", [], [])
    world.publish(v("example.org/x@v1.1.0"), "1.18", [v("example.org/y@v1.0.0")], ["example.org/y"])
    world.write_main("m", "1.18", [v("example.org/x@v1.0.0")], ["example.org/x"])
    fix = applied(world)
    assert [(stay.reason, stay.detail) for stay in fix.plan.stays] == [(Reason.NEEDS_GO, "1.22.1")]
    assert fix.changes == ()
    assert applied(world, allow_go=True).problems == ()
    assert "\ngo 1.22.1\n" in (world.start / "go.mod").read_text()
    world.must("build", "-mod=readonly", "./...")


# ---- the checksum database ------------------------------------------------------------------------------


async def through_a_proxy(
    world: FixWorld, store: Path, spoil: Callable[[proxyworld.Tree], None] | None = None
) -> Fix:
    """The fix of a world whose modules come through goferry's own proxy, with a log that has signed them."""
    files = {name.removeprefix("/"): body for name, body in snapshot(world.proxy).items()}
    async with proxyworld.world(store, files) as served:
        if spoil:
            spoil(served.tree)
        return await mend(load(world.start), ProxySupply(served.proxy), world.affecting)


async def test_each_new_line_is_signed_by_the_checksum_database(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    fix = await through_a_proxy(world, tmp_path / "store")
    assert (fix.problems, fix.unsigned) == ((), ())
    write(fix.changes)
    world.must("mod", "verify")
    world.must("build", "-mod=readonly", "./...")


async def test_what_the_database_contradicts_is_a_problem_and_names_the_module(tmp_path: Path) -> None:
    """The upstream's zip of y is not the one that the log has signed."""
    world = small_world(tmp_path)
    key = request_path(Kind.ZIP, "example.org/y", "v1.0.0")
    other = modtree.module_zip(
        "example.org/y", "v1.0.0", {"go.mod": b"module example.org/y\n", "p.go": go_source("y", ["os"])}
    )

    def spoil(tree: proxyworld.Tree) -> None:
        tree.files[key] = other

    fix = await through_a_proxy(world, tmp_path / "store", spoil)
    assert {problem.about.partition("@")[0] for problem in fix.problems} == {"example.org/y"}
    assert "verify_failed" in {problem.why.code for problem in fix.problems}


# ---- writing --------------------------------------------------------------------------------------------


def changes_in(folder: Path) -> list[Change]:
    (folder / "a").write_bytes(b"old a")
    return [
        Change(folder / "a", b"old a", b"new a"),
        Change(folder / "b", None, b"new b"),
        Change(folder / "c", None, b"new c"),
    ]


def test_all_files_are_written(tmp_path: Path) -> None:
    write(changes_in(tmp_path))
    assert snapshot(tmp_path) == {"a": b"new a", "b": b"new b", "c": b"new c"}


@pytest.mark.parametrize("failing", ["a", "b", "c"])
def test_when_one_cannot_be_written_none_is(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = writing._put

    def broken(change: Change, data: bytes) -> None:
        if change.file.name == failing and data == change.after:
            raise OSError(28, "No space left on device")
        put(change, data)

    monkeypatch.setattr(writing, "_put", broken)
    with pytest.raises(StorageError, match="No space left"):
        write(changes_in(tmp_path))
    assert snapshot(tmp_path) == {"a": b"old a"}


def test_a_file_that_was_changed_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    changes = changes_in(tmp_path)
    (tmp_path / "a").write_bytes(b"somebody else's")
    with pytest.raises(StorageError, match="changed meanwhile"):
        write(changes)
    assert snapshot(tmp_path) == {"a": b"somebody else's"}
