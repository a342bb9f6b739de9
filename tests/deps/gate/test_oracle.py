"""What go.sum and go.mod need is what the real `go mod tidy` writes, over Go's own test modules."""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from foldersupply import FolderSupply
from gateworlds import Proxy, go, proxy_in, world
from goferry.deps.gate.reading import Files, Reading, read
from goferry.deps.sources import load
from sizes import size

pytestmark = pytest.mark.go


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxy_in(tmp_path_factory.mktemp("gate")) as made:
        yield made


def reading(proxy: Proxy, folder: Path) -> Reading:
    async def run() -> Reading:
        with Files(FolderSupply(proxy.folder)) as files:
            return await read(load(folder, workspace=False), files)

    return asyncio.run(run())


def lines(folder: Path) -> set[str]:
    file = folder / "go.sum"
    return set(file.read_text().splitlines()) if file.exists() else set()


@pytest.mark.parametrize("seed", range(size(8, 300)))
def test_a_tidy_module_needs_exactly_its_lines_and_has_no_fault(
    seed: int, tmp_path: Path, proxy: Proxy
) -> None:
    folder = tmp_path / "m"
    if not world(seed, folder, proxy):
        return  # some of Go's modules cannot be had, on purpose
    found = reading(proxy, folder)
    written = {line.split()[0] + "@" + line.split()[1] for line in lines(folder)}
    assert {str(key) for key in found.needed.tidy} == written, (folder / "go.mod").read_text()
    assert found.faults == (), (folder / "go.mod").read_text()


MUTATIONS = ("drop", "unused", "comment", "lower", "import")


def mutate(kind: str, folder: Path, rng: random.Random) -> bool:
    """Makes a tidy go.mod untidy, if it has what that takes."""
    file = folder / "go.mod"
    text = file.read_text().splitlines()
    required = [n for n, line in enumerate(text) if " v" in line and "=>" not in line]
    if kind == "unused":
        text.append("require rsc.io/breaker v1.0.0")
    elif kind == "import":
        (folder / "more.go").write_text('package main\n\nimport _ "rsc.io/quote"\n')
    elif not required:
        return False
    elif kind == "drop":
        del text[rng.choice(required)]
    elif kind == "lower":
        n = rng.choice(required)
        text[n] = text[n].replace("v1.5.2", "v1.5.1").replace("v1.3.1", "v1.3.0").replace("v1.2.0", "v1.1.0")
    else:
        n = rng.choice(required)
        text[n] = text[n].removesuffix(" // indirect") if "indirect" in text[n] else text[n] + " // indirect"
    file.write_text("\n".join(text) + "\n")
    return True


@pytest.mark.parametrize("seed", range(size(10, 300)))
def test_a_fault_is_found_when_go_would_change_go_mod(seed: int, tmp_path: Path, proxy: Proxy) -> None:
    folder = tmp_path / "m"
    kind = MUTATIONS[seed % len(MUTATIONS)]
    if not world(seed + 5000, folder, proxy) or not mutate(kind, folder, random.Random(seed)):
        return
    told = go(proxy, folder, "mod", "tidy", "-diff")
    changes = "tidy/go.mod" in told.stdout
    if told.returncode and not told.stdout:
        return  # go fails on the way, and says nothing about go.mod
    found = reading(proxy, folder)
    assert bool(found.faults) == changes, (kind, found.faults, told.stdout, (folder / "go.mod").read_text())
