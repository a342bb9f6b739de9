"""Random projects over Go's own test modules, on disk: what a person might write, and what nobody should.

Requirements of any published version, go lines around the versions at which rules change, replacements by modules and
by folders, exclusions, requirements named twice, workspaces whose modules do not always agree. The real go may refuse
one; then goferry has to refuse it, too.
"""

import random
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gotestdata
from goferry.errors import InvalidInput
from goferry.gomod import module
from goferry.gomod.module import Version

GO_LINES = ["", "1.11", "1.15", "1.16", "1.17", "1.18", "1.20", "1.21", "1.21.3", "1.22.1", "1.23.0", "1.24"]


def usable() -> list[Version]:
    """Published versions that can stand in a go.mod. The toolchains among them have no go.mod."""
    return [
        version
        for version in gotestdata.published()
        if _is_valid(version) and version.path != "golang.org/toolchain"
    ]


def _is_valid(version: Version) -> bool:
    try:
        module.check(version.path, version.version)
    except InvalidInput:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Said:
    """What a go command printed; `error` is what it said when it refused."""

    lines: tuple[str, ...]
    error: str = ""


@dataclass(frozen=True, slots=True)
class Project:
    """A project on disk. `start` is its go.mod or go.work."""

    start: Path
    proxy: str
    cache: Path

    @property
    def workspace(self) -> bool:
        return self.start.suffix == ".work"

    def go(self, *words: str) -> Said:
        """What the real go says. It may rewrite go.mod, so the project must be read before."""
        flags = "-modcacherw" if self.workspace else "-modcacherw -mod=mod"
        env = gotestdata.go_env(
            self.proxy, self.cache, GOFLAGS=flags, GOWORK=str(self.start) if self.workspace else "off"
        )
        done = subprocess.run(["go", *words], cwd=self.start.parent, env=env, capture_output=True, text=True)
        if done.returncode:
            return Said((), done.stderr)
        return Said(tuple(done.stdout.splitlines()))


class Dice:
    """Writes the same project for the same seed."""

    def __init__(self, seed: int, versions: Sequence[Version], folder: Path) -> None:
        self._rng = random.Random(seed)
        self._versions = versions
        self._folder = folder

    def write(self, proxy: str, cache: Path) -> Project:
        for name in ("x", "y"):
            self._put(f"local/{name}/go.mod", self._go_mod(f"local.example.org/{name}", main=False))
        if self._chance(0.35):
            return Project(self._workspace(), proxy, cache)
        return Project(self._put("m/go.mod", self._go_mod("example.org/m", main=True)), proxy, cache)

    def _workspace(self) -> Path:
        folders = [f"w/m{n}" for n in range(self._rng.randint(1, 3))]
        self._rng.shuffle(folders)
        lines = [f"go {self._rng.choice(['1.24', '1.24.1', '1.25.0'])}"]
        for folder in folders:
            # Most of them replace nothing: what two of them say must agree.
            text = self._go_mod(f"example.org/{folder}", main=True, replacing=0.15)
            self._put(f"{folder}/go.mod", text)
            lines.append(f"use ./{folder.removeprefix('w/')}")
        while self._chance(0.2):
            lines.append(self._replace(self._rng.choice(self._versions), "../local"))
        return self._put("w/go.work", "\n".join(lines) + "\n")

    def _go_mod(self, path: str, *, main: bool, replacing: float = 0.3) -> str:
        require = self._rng.sample(self._versions, self._rng.randint(0, 9 if main else 3))
        lines = [f"module {path}"]
        if go := self._rng.choice(GO_LINES):
            lines.append(f"go {go}")
        lines += [self._require(version) for version in require]
        if main:
            while self._chance(replacing):
                known = (
                    self._rng.choice(require)
                    if require and self._chance(0.7)
                    else self._rng.choice(self._versions)
                )
                lines.append(self._replace(known, "../local" if path == "example.org/m" else "../../local"))
            while self._chance(0.3):
                lines.append("exclude {0.path} {0.version}".format(self._rng.choice(self._versions)))
        return "\n".join(lines) + "\n"

    def _require(self, version: Version) -> str:
        return f"require {version.path} {version.version}" + (" // indirect" if self._chance(0.4) else "")

    def _replace(self, old: Version, local: str) -> str:
        named = "" if self._chance(0.5) else f" {old.version}"
        new = old if self._chance(0.1) else self._rng.choice(self._versions)
        target = f"{local}/{self._rng.choice('xyz')}" if self._chance(0.4) else f"{new.path} {new.version}"
        return f"replace {old.path}{named} => {target}"

    def _chance(self, probability: float) -> bool:
        return self._rng.random() < probability

    def _put(self, name: str, text: str) -> Path:
        file = self._folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file
