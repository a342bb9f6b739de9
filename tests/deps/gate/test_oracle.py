"""What go.sum and go.mod need is what the real `go mod tidy` writes, over Go's own test modules."""

import asyncio
import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import gotestdata
from foldersupply import FolderSupply
from goferry.deps.gate.reading import Files, Reading, read
from goferry.deps.sources import load
from goferry.gomod.module import Version
from sizes import size

pytestmark = pytest.mark.go

GO_LINES = ("1.15", "1.16", "1.17", "1.18", "1.21", "1.22", "1.24")


@dataclass(frozen=True)
class Proxy:
    folder: Path
    cache: Path

    @property
    def url(self) -> str:
        return self.folder.as_uri()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    folder = tmp_path_factory.mktemp("gate")
    gotestdata.write_proxy(folder / "proxy")
    yield Proxy(folder / "proxy", folder / "cache")
    shutil.rmtree(folder, ignore_errors=True)


def go(proxy: Proxy, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["go", *words],
        cwd=folder,
        env=gotestdata.go_env(proxy.url, proxy.cache, **env),
        capture_output=True,
        text=True,
    )


def reading(proxy: Proxy, folder: Path) -> Reading:
    async def run() -> Reading:
        with Files(FolderSupply(proxy.folder)) as files:
            return await read(load(folder, workspace=False), files)

    return asyncio.run(run())


def packages_of(version: Version, files: dict[str, bytes]) -> list[str]:
    folders = {
        name.rpartition("/")[0] for name in files if name.endswith(".go") and not name.endswith("_test.go")
    }
    return [f"{version.path}/{folder}".rstrip("/") for folder in sorted(folders)]


def world(seed: int, folder: Path, proxy: Proxy) -> bool:
    """A main module that imports some of Go's test packages at random versions; whether go could tidy it."""
    rng = random.Random(seed)
    published = {v: dict(files) for v, files in gotestdata.published().items() if files.get("go.mod")}
    chosen: dict[str, Version] = {}
    imports: list[str] = []
    for version in rng.sample(sorted(published, key=str), rng.randint(1, 6)):
        if version.path in chosen or not (found := packages_of(version, published[version])):
            continue
        chosen[version.path] = version
        imports.append(rng.choice(found))
    go_line = rng.choice(GO_LINES)
    folder.mkdir(parents=True)
    requires = "".join(f"require {v.path} {v.version}\n" for v in chosen.values())
    (folder / "go.mod").write_text(f"module example.net/main\n\ngo {go_line}\n\n{requires}")
    for number, path in enumerate(imports):
        place = folder / rng.choice(["", "a", "b"]) / f"f{number}{rng.choice(['', '_test', '_windows'])}.go"
        place.parent.mkdir(exist_ok=True)
        place.write_text(
            f'package {place.parent.name if place.parent != folder else "main"}\n\nimport _ "{path}"\n'
        )
    return go(proxy, folder, "mod", "tidy").returncode == 0


def lines(folder: Path) -> set[str]:
    file = folder / "go.sum"
    return set(file.read_text().splitlines()) if file.exists() else set()


@pytest.mark.parametrize("seed", range(size(12, 300)))
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


@pytest.mark.parametrize("seed", range(size(15, 300)))
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
