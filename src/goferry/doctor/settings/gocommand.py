"""The go command itself: where it is, its GOROOT, its version and the defaults that it ships with.

Nothing is started for that unless `go` stands where no GOROOT is around it (a wrapper script, a version manager) or
is so old that its defaults are not in a file.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.settings.reading import find_program, is_folder, read_text
from goferry.gomod import goenv

_QUESTION_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class GoCommand:
    """An installed go. Everything is "" when there is none; version: as `go1.26.8`."""

    path: str = ""
    goroot: str = ""
    version: str = ""
    env_file: str = ""
    """go.env in GOROOT, with the defaults of this distribution; text "" for Go before 1.21."""
    env_text: str = ""


def find_go(world: World, platform: str = sys.platform) -> GoCommand:
    """The go that this world would start."""
    path = find_program(world, "go")
    named = world.environ.get("GOROOT", "")
    if not path and not named:
        return GoCommand()
    ask = _Asking(path, world)
    goroot = os.path.normpath(named) if named else _around(path) or ask("GOROOT")
    if not goroot:
        return GoCommand(path, version=ask("GOVERSION"))
    version = read_text(Path(goroot) / "VERSION").partition("\n")[0].strip() or ask("GOVERSION")
    env_file = goenv.goroot_file(goroot, platform)
    return GoCommand(path, goroot, version, env_file, read_text(Path(env_file)) or _old_defaults(ask))


def _around(path: str) -> str:
    """The GOROOT that holds this program, found as the program itself does; "" when it stands elsewhere."""
    for program in (Path(path).absolute(), Path(path).resolve()):
        for folder in (program.parent.parent, program.parent.parent.parent):
            if is_folder(folder / "pkg" / "tool"):
                return str(folder)
    return ""


def _old_defaults(ask: Callable[[str], str]) -> str:
    """What go.env would say: before Go 1.21 these two values are built into the program."""
    values = {name: ask(name) for name in ("GOPROXY", "GOSUMDB")}
    return "".join(f"{name}={value}\n" for name, value in values.items() if value)


class _Asking:
    """Questions to the program, answered from its defaults alone; "" when it cannot be run."""

    def __init__(self, path: str, world: World) -> None:
        self._path = path
        hidden = {"GOPROXY", "GOSUMDB", "GOFLAGS"}
        # GOTOOLCHAIN=local: a question about defaults must not download another go.
        self._environ: Mapping[str, str] = {
            **{name: value for name, value in world.environ.items() if name not in hidden},
            "GOTOOLCHAIN": "local",
            "GOENV": "off",
        }
        self._cwd = world.cwd

    def __call__(self, name: str) -> str:
        if not self._path:
            return ""
        try:
            answer = subprocess.run(
                [self._path, "env", name],
                env=self._environ,
                cwd=self._cwd,
                capture_output=True,
                text=True,
                timeout=_QUESTION_SECONDS,
                check=True,
            )
        except (OSError, UnicodeDecodeError, subprocess.SubprocessError):
            return ""
        return answer.stdout.strip()
