"""Small random module worlds as files on disk, and what the real go says about them.

A world is a `file://` proxy, one main module or a workspace of several, and folders that replace modules. Nothing is
tidy in it: requirements go in circles, ask for older versions of main modules, are named twice or excluded, and the
go.mod of the main module is mostly inconsistent, so that go has to raise what it names.
"""

import functools
import json
import os
import random
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from goferry.gomod import gover
from goferry.gomod.modgraph import Graph, Local, Main, Mains, Replacements, Requirements, Workspace
from goferry.gomod.module import Version

GO_LINES = ["1.15", "1.16", "1.17", "1.20", "1.21", "1.21.3", "1.22.1"]
"""All around the versions at which the rules change."""

TOOLCHAINS = ["", "", "go1.20.1", "go1.21.0", "go1.23.4", "default"]


@dataclass(frozen=True, slots=True)
class World:
    """`local` is by the name of the folder."""

    folder: Path
    mains: Mains
    published: Mapping[Version, Requirements]
    local: Mapping[str, Requirements]

    @property
    def start(self) -> Path:
        """The file that go starts from."""
        return self.folder / ("work/go.work" if self.mains.workspace else "m0/go.mod")

    def requirements_of(self, version: Version) -> Requirements | None:
        source = self.mains.source(version)
        if isinstance(source, Local):
            return self.local[Path(source.folder).name]
        return self.published.get(source)

    def grown(self) -> Graph:
        """The graph with all that go asks for, and nothing else."""
        graph = Graph(self.mains)
        while missing := graph.missing():
            for version in missing:
                graph.add(version, self.requirements_of(version))
        return graph

    def go_mod_graph(self) -> list[str]:
        return self._go("mod", "graph")

    def go_list(self) -> list[str]:
        """`go list -m all` without the main modules. Outside a workspace it rewrites an inconsistent go.mod."""
        mode = [] if self.mains.workspace else ["-mod=mod"]
        template = "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}"
        return [line for line in self._go("list", *mode, "-m", "-f", template, "all") if line]

    def _go(self, *words: str) -> list[str]:
        environ = {
            **os.environ, "GOMODCACHE": str(self.folder / "cache"), "GOFLAGS": "-modcacherw",
            "GOPROXY": f"file://{self.folder}/proxy", "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOENV": "off",
            "GOWORK": str(self.start) if self.mains.workspace else "off",
        }  # fmt: skip
        done = subprocess.run(
            ["go", *words], cwd=self.folder / "m0", env=environ, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    def write(self) -> None:
        """Puts all files on disk."""
        for version, found in self.published.items():
            place = f"proxy/{version.path}/@v/{version.version}"
            self._put(f"{place}.mod", go_mod(version.path, found))
            self._put(f"{place}.info", json.dumps({"Version": version.version}))
        for name, found in self.local.items():
            self._put(f"local/{name}/go.mod", go_mod(f"local.example.org/{name}", found))
        for number, main in enumerate(self.mains.modules):
            self._put(f"m{number}/go.mod", main_go_mod(main))
        if work := self.mains.workspace:
            uses = [f"use ../m{number}" for number in range(len(self.mains.modules))]
            self._put(
                "work/go.work", _lines(_go_lines(work.go, work.toolchain), uses, _replace_lines(work.replace))
            )

    def _put(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def go_mod(path: str, found: Requirements) -> str:
    """The go.mod of a dependency, without a go line where the default says the same."""
    go = [] if found.go == gover.DEFAULT_GO_MOD_VERSION else [f"go {found.go}"]
    return _lines([f"module {path}"], go, [f"require {r.path} {r.version}" for r in found.require])


def main_go_mod(main: Main) -> str:
    """The go.mod of a main module."""
    return _lines(
        [f"module {main.path}"],
        _go_lines(main.requirements.go, main.toolchain),
        [
            f"require {r.path} {r.version}" + ("" if r in main.direct else " // indirect")
            for r in main.requirements.require
        ],
        _replace_lines(main.replace),
        [f"exclude {x.path} {x.version}" for x in sorted(main.exclude, key=str)],
    )


def _lines(*parts: list[str]) -> str:
    return "".join(f"{line}\n" for part in parts for line in part)


def _go_lines(go: str, toolchain: str) -> list[str]:
    return [f"go {go}", *([f"toolchain {toolchain}"] if toolchain else [])]


def _replace_lines(replace: Replacements) -> list[str]:
    return [f"replace {old.path} {old.version} => {_replacement(new)}" for old, new in replace.items()]


def _replacement(new: Version | Local) -> str:
    return f"../local/{Path(new.folder).name}" if isinstance(new, Local) else f"{new.path} {new.version}"


def random_world(seed: int, folder: Path, *, versions: tuple[int, int] = (1, 3)) -> World:
    """The same world for the same seed; not on disk yet. `versions` are the fewest and the most that a module has."""
    return _Dice(seed, folder, versions).world()


class _Dice:
    def __init__(self, seed: int, folder: Path, versions: tuple[int, int]) -> None:
        self._rng = random.Random(seed)
        self._folder = folder
        self._workspace = self._chance(0.4)
        self._main_paths = [
            f"example.org/main{n}" for n in range(self._rng.randint(1, 3) if self._workspace else 1)
        ]
        self._paths = [f"example.org/{letter}" for letter in "abcdefg"]
        self._versions = {
            path: [f"v1.{n}.0" for n in range(self._rng.randint(*versions))] for path in self._paths
        }
        self._versions |= {path: ["v0.1.0", "v0.2.0"] for path in self._main_paths}

    def world(self) -> World:
        published = {
            Version(path, version): Requirements(self._go(), self._some(0.25, 0.1, but=path))
            for path, versions in self._versions.items()
            for version in versions
        }
        local = {name: Requirements(self._go(), self._some(0.25, 0.1)) for name in ("x", "y")}
        return World(self._folder, self._mains(), published, local)

    def _mains(self) -> Mains:
        if not self._workspace:
            return Mains((self._main(0, self._folder / "m0", replacing=0.3),))
        # Modules of a workspace must not contradict each other: one of them replaces, go.work may overrule it.
        modules = tuple(
            self._main(n, self._folder / "work" / f"../m{n}", replacing=0.0 if n else 0.3)
            for n in range(len(self._main_paths))
        )
        newest = functools.reduce(gover.max, (main.requirements.go for main in modules))
        go = self._rng.choice([newest, gover.max(newest, "1.22.1")])
        replace = self._replace(self._folder / "work", 0.2)
        return Mains(modules, Workspace(go, self._rng.choice(["", "go1.23.4"]), replace))

    def _main(self, number: int, folder: Path, *, replacing: float) -> Main:
        require = self._some(0.35, 0.1)
        if self._chance(0.15):
            require += self._some(0.2, 0.0)  # some for the second time
        return Main(
            self._main_paths[number],
            Requirements(self._go(), require),
            toolchain=self._rng.choice(TOOLCHAINS),
            direct=frozenset(r for r in require if self._chance(0.6)),
            replace=self._replace(folder, replacing),
            exclude=frozenset(v for v in self._some(0.2, 0.1) if self._chance(0.4)),
        )

    def _replace(self, folder: Path, chance: float) -> dict[Version, Version | Local]:
        found: dict[Version, Version | Local] = {}
        while self._chance(chance):
            old = self._one()
            every = old.path in self._paths and self._chance(
                0.5
            )  # go refuses it for main modules of a workspace
            local = Local(str(Path(folder, "../local", self._rng.choice("xy"))))
            found[Version(old.path, "") if every else old] = local if self._chance(0.5) else self._one()
        return found

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _go(self) -> str:
        return self._rng.choice(GO_LINES)

    def _one(self) -> Version:
        path = self._rng.choice([*self._paths, *self._main_paths])
        return Version(path, self._rng.choice(self._versions[path]))

    def _some(self, chance: float, chance_of_main: float, but: str = "") -> tuple[Version, ...]:
        chances = dict.fromkeys(self._paths, chance) | dict.fromkeys(self._main_paths, chance_of_main)
        chosen = [path for path, probability in chances.items() if path != but and self._chance(probability)]
        self._rng.shuffle(chosen)
        return tuple(Version(path, self._rng.choice(self._versions[path])) for path in chosen)
