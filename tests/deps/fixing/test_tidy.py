"""A fix leaves go.mod tidy: `go mod tidy` has nothing to do after it, if it had nothing to do before."""

import asyncio
import random
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import gotestdata
from fixworlds import FixWorld, PrivateSupply, v
from goferry.deps.fixing.mending import Fix, mend
from goferry.deps.fixing.plan import Reason
from goferry.deps.fixing.writing import write
from goferry.deps.sources import load
from goferry.gomod import gover
from goferry.gomod.module import Version
from goprojects import usable
from sizes import size

pytestmark = pytest.mark.go

GO_LINES = ["1.15", "1.16", "1.17", "1.18", "1.20", "1.21", "1.23.0"]


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("goproxy")
    gotestdata.write_proxy(folder / "proxy")
    return folder / "proxy"


class GoModulesWorld(FixWorld):
    """A project of Go's own test modules."""

    def __init__(self, folder: Path, modules: Path) -> None:
        super().__init__(folder)
        self._modules = modules

    @property
    def proxy(self) -> Path:
        return self._modules

    def supply(self) -> PrivateSupply:
        return PrivateSupply(self._modules)


def importable() -> list[Version]:
    """Versions of Go's test modules with a package in their root that needs nothing but a go.mod."""
    published = gotestdata.published()
    return [version for version in usable() if any(name.endswith(".go") for name in published[version])]


def tidied(seed: int, folder: Path, proxy: Path) -> GoModulesWorld:
    """The first project of this seed's that the real go can make tidy; with flaws in what it builds and what it does
    not."""
    rng = random.Random(seed)
    world = GoModulesWorld(folder, proxy)
    while True:
        chosen = {version.path: version for version in rng.sample(importable(), rng.randint(1, 4))}
        lines = ["module example.net/m", "", f"go {rng.choice(GO_LINES)}", ""]
        lines += [f"require {version.path} {version.version}" for version in chosen.values()]
        (folder / "project/m").mkdir(parents=True, exist_ok=True)
        (world.start / "go.mod").write_text("\n".join(lines) + "\n")
        (world.start / "p.go").write_text(
            "package m\n\n" + "".join(f'import _ "{path}"\n' for path in chosen)
        )
        (world.start / "go.sum").unlink(missing_ok=True)
        if not world.go("mod", "tidy").returncode and not world.go("list", "-m", "all").returncode:
            world.flawed = frozenset(flaws(rng, map(v, world.build_list())))
            if world.flawed:
                return world


def flaws(rng: random.Random, built: Iterable[Version]) -> Iterator[Version]:
    """Of some modules the version that is built, and all below the next one."""
    known = usable()
    for version in built:
        higher = [
            other
            for other in known
            if other.path == version.path
            and gover.mod_compare(version.path, version.version, other.version) < 0
        ]
        if higher and rng.random() < 0.8:
            yield version


def applied(world: FixWorld) -> Fix:
    fix = asyncio.run(mend(load(world.start), world.supply(), world.affecting, allow_go=True))
    if not fix.problems:
        write(fix.changes)
    return fix


@pytest.mark.parametrize("seed", range(size(6, 200)))
def test_go_mod_stays_tidy_over_go_s_own_test_modules(seed: int, proxy: Path, tmp_path: Path) -> None:
    world = tidied(seed, tmp_path, proxy)
    before = (world.start / "go.mod").read_bytes()
    fix = applied(world)
    if fix.problems or not fix.plan.raises:
        assert (world.start / "go.mod").read_bytes() == before
        return
    assert world.must("mod", "tidy", "-diff") == ""
    after = fix.plan.after.views[0].selected
    assert set(world.build_list()) == {f"{path}@{version}" for path, version in after.items()}


# ---- by hand -------------------------------------------------------------------------------------------


def unbuilt_world(folder: Path, *, go: str = "1.20") -> FixWorld:
    """m imports a, whose go.mod requires x, of which it imports nothing; a v1.2.0 requires a good x."""
    world = FixWorld(folder, frozenset({v("example.org/x@v1.0.0")}))
    world.publish(v("example.org/x@v1.0.0"), go, [], [])
    world.publish(v("example.org/x@v1.1.0"), go, [], [])
    world.publish(v("example.org/a@v1.0.0"), go, [v("example.org/x@v1.0.0")], [])
    world.write_main("m", go, [v("example.org/a@v1.0.0")], ["example.org/a"])
    return world


@pytest.mark.parametrize("go", ["1.16", "1.20"])
def test_a_module_that_nobody_builds_gets_no_line_and_stays_with_the_reason(go: str, tmp_path: Path) -> None:
    world = unbuilt_world(tmp_path, go=go)
    fix = applied(world)
    assert fix.changes == ()
    assert [(stay.path, stay.reason, stay.detail) for stay in fix.plan.stays] == [
        ("example.org/x", Reason.NOT_BUILT, "v1.1.0")
    ]


@pytest.mark.parametrize("go", ["1.16", "1.20"])
def test_a_direct_requirement_that_brings_a_good_version_is_raised_instead(go: str, tmp_path: Path) -> None:
    world = unbuilt_world(tmp_path, go=go)
    world.publish(v("example.org/a@v1.2.0"), go, [v("example.org/x@v1.1.0")], [])
    fix = applied(world)
    assert [str(Version(step.path, step.after)) for step in fix.plan.raises] == ["example.org/a@v1.2.0"]
    assert (fix.plan.stays, fix.unused) == ((), ())
    assert world.must("mod", "tidy", "-diff") == ""


def test_what_a_raise_makes_superfluous_is_not_raised_beside_it(tmp_path: Path) -> None:
    """a and x are flawed; the good a no longer imports x, and still requires the flawed one."""
    flawed = frozenset({v("example.org/x@v1.0.0"), v("example.org/a@v1.0.0")})
    world = FixWorld(tmp_path, flawed)
    world.publish(v("example.org/x@v1.0.0"), "1.20", [], [])
    world.publish(v("example.org/x@v1.1.0"), "1.20", [], [])
    world.publish(v("example.org/a@v1.0.0"), "1.20", [v("example.org/x@v1.0.0")], ["example.org/x"])
    world.publish(v("example.org/a@v1.1.0"), "1.20", [v("example.org/x@v1.0.0")], [])
    world.write_main("m", "1.20", [v("example.org/a@v1.0.0")], ["example.org/a"])
    fix = applied(world)
    assert [str(Version(step.path, step.after)) for step in fix.plan.raises] == ["example.org/a@v1.1.0"]
    assert [(stay.path, stay.reason) for stay in fix.plan.stays] == [("example.org/x", Reason.NOT_BUILT)]
    assert world.must("mod", "tidy", "-diff") == ""
