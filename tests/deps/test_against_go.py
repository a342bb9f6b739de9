"""Build list and graph are those of the real go, over random projects of Go's own test modules."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import goprojects
import gotestdata
from foldersupply import FolderSupply
from goferry.deps.base import BuildList
from goferry.deps.buildlist import build_list
from goferry.deps.listing import as_go_prints, as_json, of_modules
from goferry.deps.sources import load
from goferry.errors import InvalidInput
from goferry.gomod import gover
from sizes import size


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("goproxy")
    gotestdata.write_proxy(folder / "proxy")
    return folder


async def read(project: goprojects.Project, proxy: Path) -> BuildList | InvalidInput:
    try:
        return await build_list(load(project.start), FolderSupply(proxy / "proxy"))
    except InvalidInput as refused:
        return refused


def is_refused(found: BuildList | InvalidInput, error: str) -> bool:
    """Whether goferry has something against a project that go refuses: anything but a Go that is too old for it."""
    if isinstance(found, InvalidInput) or found.unread:
        return True
    return (
        "requires go >=" in error and gover.compare(found.graph.selected("go"), gotestdata.go_version()) > 0
    )


def as_described(text: str) -> Iterator[Mapping[str, Any]]:
    """What `go list -m -json` says, one object after the other, in the form of `deps list --json`."""
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        module, place = decoder.raw_decode(text, place)
        place += 1  # the line's end
        new = module.get("Replace")
        yield {
            "path": module["Path"],
            "version": module.get("Version", ""),
            "main": module.get("Main", False),
            "indirect": module.get("Indirect", False),
            "replace": new and {"path": new["Path"], "version": new.get("Version", "")},
        }


@pytest.mark.go
@pytest.mark.parametrize("seed", range(size(40, 1500)))
async def test_list_and_graph_are_those_of_the_real_go(seed: int, proxy: Path, tmp_path: Path) -> None:
    dice = goprojects.Dice(seed, goprojects.usable(), tmp_path)
    project = dice.write((proxy / "proxy").as_uri(), proxy / "cache")
    found = await read(project, proxy)
    written = project.start.read_bytes()
    graph, listed = project.go("mod", "graph"), project.go("list", "-m", "all")
    # What go itself changes in it can prune the graph further, and then it lists less.
    project.start.write_bytes(written)
    described = project.go("list", "-m", "-json", "all")
    if graph.error or listed.error:
        assert is_refused(found, graph.error or listed.error), graph.error + listed.error
        return
    assert isinstance(found, BuildList), found
    assert not found.unread
    assert tuple(map(as_go_prints, found.modules)) == listed.lines
    assert as_json(of_modules(found.modules)) == list(as_described("\n".join(described.lines)))
    assert tuple(f"{a} {b}" for a, b in found.graph.edges()) == graph.lines
