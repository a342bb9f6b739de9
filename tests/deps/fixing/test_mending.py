"""A fix is what the real go accepts: same build list as `go get`, tidy as before, and a build with -mod=readonly."""

import asyncio
import shutil
from pathlib import Path

import pytest

from fixworlds import FixWorld, random_fix_world
from goferry.deps.fixing.mending import Fix, mend
from goferry.deps.fixing.writing import write
from goferry.deps.sources import load
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


@pytest.mark.parametrize("world", range(size(10, 300)), indirect=True)
def test_a_fix_leaves_what_go_get_leaves_and_go_accepts_it(world: FixWorld) -> None:
    (main,) = world.mains
    copy = world.folder / "copy"
    shutil.copytree(world.project / main, copy)
    fix = applied(world)
    assert not fix.problems
    after = fix.plan.after.views[0].selected
    assert world.build_list() == sorted(f"{path}@{version}" for path, version in after.items())
    world.must("build", "-mod=readonly", "./...")
    world.must("mod", "verify")
    if not fix.unused and not fix.plan.holds:
        assert world.must("mod", "tidy", "-diff") == ""
    if fix.plan.raises:
        wanted = [f"{step.path}@{step.after}" for step in fix.plan.raises]
        world.must("get", *wanted, *(f"{held.path}@{held.version}" for held in fix.plan.holds), cwd=copy)
        assert world.build_list(cwd=copy) == world.build_list()
