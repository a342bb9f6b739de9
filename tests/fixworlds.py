"""Random projects with source, tidied by the real go, on a file:// proxy of modules that import each other."""

import json
import random
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import modtree
import oracle
from foldersupply import FolderSupply
from goferry.errors import Refused
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Sums

PATHS = [f"example.org/{letter}" for letter in "abcdef"]
GO_LINES = ["1.15", "1.16", "1.17", "1.20", "1.21", "1.22.1"]
MAIN_GO_LINES = ["1.15", "1.16", "1.18", "1.20", "1.21", "1.22.1"]
"""Without 1.17: `go mod tidy` compares such a module with what Go 1.16 would do, and may refuse it."""


class PrivateSupply(FolderSupply):
    """Nobody has signed anything: all modules are private."""

    async def prove(self, version: Version) -> Sums:
        raise Refused("{module} is private", module=version)


@dataclass
class FixWorld:
    """A project below `folder`, and the flawed versions."""

    folder: Path
    flawed: frozenset[Version] = frozenset()
    mains: tuple[str, ...] = ("m",)
    log: list[str] = field(default_factory=list)

    @property
    def proxy(self) -> Path:
        return self.folder / "proxy"

    @property
    def project(self) -> Path:
        return self.folder / "project"

    @property
    def start(self) -> Path:
        """The go.work of several main modules, the folder of a single one."""
        return self.project / ("go.work" if len(self.mains) > 1 else self.mains[0])

    def affecting(self, version: Version) -> tuple[str, ...]:
        return ("GO-2026-0001",) if version in self.flawed else ()

    def supply(self) -> PrivateSupply:
        return PrivateSupply(self.proxy)

    def go(self, *words: str, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        environ = oracle.go_env(
            GOPROXY=self.proxy.as_uri(), GOMODCACHE=str(self.folder / "cache"), GOSUMDB="off",
            GOFLAGS="-modcacherw", **env,
        )  # fmt: skip
        cwd = cwd or self.project / self.mains[0]
        return subprocess.run(["go", *words], cwd=cwd, env=environ, capture_output=True, text=True)

    def must(self, *words: str, cwd: Path | None = None, **env: str) -> str:
        done = self.go(*words, cwd=cwd, **env)
        assert done.returncode == 0, (words, done.stdout, done.stderr)
        return done.stdout

    def build_list(self, cwd: Path | None = None, **env: str) -> list[str]:
        return self.must(
            "list", "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all", cwd=cwd, **env
        ).split()

    def publish(self, version: Version, go: str, requires: Iterable[Version], imports: Iterable[str]) -> None:
        lines = [
            f"module {version.path}",
            "",
            f"go {go}",
            "",
            *(f"require {r.path} {r.version}" for r in requires),
        ]
        mod = ("\n".join(lines) + "\n").encode()
        source = go_source(version.path, imports)
        put(self.proxy, Kind.MOD, version, mod)
        put(
            self.proxy,
            Kind.INFO,
            version,
            json.dumps({"Version": version.version, "Time": modtree.TIME}).encode(),
        )
        put(
            self.proxy,
            Kind.ZIP,
            version,
            modtree.module_zip(version.path, version.version, {"go.mod": mod, "p.go": source}),
        )
        file = self.proxy / request_path(Kind.LIST, version.path)
        file.write_text((file.read_text() if file.exists() else "") + f"{version.version}\n")

    def write_main(self, name: str, go: str, requires: Iterable[Version], imports: Iterable[str]) -> Path:
        """A main module with a comment on every requirement, tidied by go."""
        folder = self.project / name
        folder.mkdir(parents=True, exist_ok=True)
        lines = [f"// The go.mod of {name}.", f"module example.net/{name}", "", f"go {go}", "", "require ("]
        lines += [f"\t// why {r.path}\n\t{r.path} {r.version}" for r in requires]
        (folder / "go.mod").write_text("\n".join([*lines, ")", ""]))
        (folder / "p.go").write_bytes(go_source(name, imports))
        self.must("mod", "tidy", cwd=folder)
        return folder


def put(folder: Path, kind: Kind, version: Version, data: bytes) -> None:
    file = folder / request_path(kind, version.path, version.version)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def go_source(path: str, imports: Iterable[str]) -> bytes:
    lines = "".join(f'import _ "{imported}"\n' for imported in imports)
    return f"package {path.rpartition('/')[2]}\n\n{lines}".encode()


def random_fix_world(seed: int, folder: Path, mains: int = 1) -> FixWorld:
    """The same world for the same seed. Requirements point to later letters only, so nothing imports in a circle."""
    rng = random.Random(seed)
    world = FixWorld(folder, mains=tuple(f"m{n}" for n in range(mains)))
    versions = {path: [f"v1.{n}.0" for n in range(rng.randint(2, 4))] for path in PATHS}
    flawed: set[Version] = set()
    for at, path in enumerate(PATHS):
        for version in versions[path]:
            below = [p for p in PATHS[at + 1 :] if rng.random() < 0.5]
            requires = [Version(p, rng.choice(versions[p])) for p in below]
            imports = [p for p in below if rng.random() < 0.8]
            world.publish(Version(path, version), rng.choice(GO_LINES), requires, imports)
        if rng.random() < 0.5:
            flawed |= {Version(path, v) for v in versions[path][: rng.randint(1, len(versions[path]))]}
    world.flawed = frozenset(flawed)
    for name in world.mains:
        imports = [p for p in PATHS if rng.random() < 0.5] or PATHS[:1]
        requires = [Version(p, rng.choice(versions[p])) for p in imports]
        world.write_main(name, rng.choice(MAIN_GO_LINES), requires, imports)
    if mains > 1:
        write_work(world)
    return world


def write_work(world: FixWorld) -> None:
    uses = "".join(f"use ./{name}\n" for name in world.mains)
    (world.project / "go.work").write_text(f"go 1.22.1\n\n{uses}")


def snapshot(folder: Path) -> Mapping[str, bytes]:
    """Every file below a folder."""
    return {str(f.relative_to(folder)): f.read_bytes() for f in sorted(folder.rglob("*")) if f.is_file()}


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def small_world(folder: Path, go: str = "1.20") -> FixWorld:
    """x has a flaw in v1.0.0; its v1.1.0 needs y, which nobody needed before."""
    world = FixWorld(folder, frozenset({v("example.org/x@v1.0.0")}))
    world.publish(v("example.org/y@v1.0.0"), go, [], [])
    world.publish(v("example.org/x@v1.0.0"), go, [], [])
    world.publish(v("example.org/x@v1.1.0"), go, [v("example.org/y@v1.0.0")], ["example.org/y"])
    world.write_main("m", go, [v("example.org/x@v1.0.0")], ["example.org/x"])
    return world
