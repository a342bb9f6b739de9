"""Main modules over Go's own test modules, and the real `go` beside them: the worlds of the gate's tests."""

import random
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import gotestdata
from goferry.gomod.module import Version

GO_LINES = ("1.15", "1.16", "1.17", "1.18", "1.21", "1.22", "1.24")


@dataclass(frozen=True)
class Proxy:
    """Go's test modules as a file proxy, and a module cache of its own."""

    folder: Path
    cache: Path

    @property
    def url(self) -> str:
        return self.folder.as_uri()


@contextmanager
def proxy_in(folder: Path) -> Iterator[Proxy]:
    gotestdata.write_proxy(folder / "proxy")
    yield Proxy(folder / "proxy", folder / "cache")
    shutil.rmtree(folder, ignore_errors=True)


def go(proxy: Proxy, folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["go", *words],
        cwd=folder,
        env=gotestdata.go_env(proxy.url, proxy.cache) | env,
        capture_output=True,
        text=True,
    )


def packages_of(version: Version, files: Mapping[str, bytes]) -> list[str]:
    folders = {
        name.rpartition("/")[0] for name in files if name.endswith(".go") and not name.endswith("_test.go")
    }
    return [f"{version.path}/{folder}".rstrip("/") for folder in sorted(folders)]


def world(seed: int, folder: Path, proxy: Proxy, go_lines: tuple[str, ...] = GO_LINES) -> bool:
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
    go_line = rng.choice(go_lines)
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
