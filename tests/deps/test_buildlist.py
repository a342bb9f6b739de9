"""The build list from files on disk and a supply of go.mod files is that of the real go."""

from pathlib import Path

import pytest

import modworlds
from foldersupply import FolderSupply
from goferry.deps.base import BuildList
from goferry.deps.buildlist import build_list
from goferry.deps.sources import load
from goferry.gomod.module import Version
from sizes import size


async def _listed(world: modworlds.World) -> BuildList:
    world.write()
    return await build_list(load(world.start), FolderSupply(world.folder / "proxy"))


@pytest.mark.go
@pytest.mark.parametrize("seed", range(size(6, 200)))
async def test_the_list_is_that_of_the_real_go(seed: int, tmp_path: Path) -> None:
    world = modworlds.random_world(seed + 7000, tmp_path)
    found = await _listed(world)
    assert [str(module.module) for module in found.dependencies()] == world.go_list()
    assert not found.unread


async def test_what_cannot_be_had_is_named_and_the_rest_is_listed(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.org/m\n\ngo 1.21\n\nrequire example.org/a v1.0.0\n")
    found = await build_list(load(tmp_path), FolderSupply(tmp_path / "proxy"))
    assert [module.path for module in found.modules] == ["example.org/m", "example.org/a"]
    assert list(found.unread) == [Version("example.org/a", "v1.0.0")]
