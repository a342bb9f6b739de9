"""The go command of a machine: where it is, and the three places that its settings stand in.

The go command takes each variable from the environment, then from the user's settings file (`go env -w`), then from
`go.env` in its GOROOT (gomod/goenv.py has the rules). Nothing is started to find them unless `go` stands where no
GOROOT is around it (a wrapper script, a version manager) or is so old that its defaults are not in a file.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from goferry.gomod import goenv
from goferry.smallfiles import is_folder, read_text

Which = Callable[[str], str | None]
"""Finds a program; for worlds that are not this machine."""

_HERE: Final = Path()
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


@dataclass(frozen=True, slots=True)
class GoPlaces:
    """The three places, the files as text: empty when there is none."""

    environ: Mapping[str, str]
    user_file: str = ""
    user_text: str = ""
    goroot_file: str = ""
    goroot_text: str = ""

    @classmethod
    def read(
        cls, environ: Mapping[str, str], go: GoCommand, cwd: Path = _HERE, platform: str = sys.platform
    ) -> Self:
        """Reads the files. One that is missing or cannot be read counts as empty, as it does for go itself."""
        user = goenv.user_file(environ, platform) or ""
        text = read_text(cwd / user) if user else ""
        return cls(environ, user, text, go.env_file, go.env_text)

    def effective(self) -> dict[str, goenv.Setting]:
        """What the go command itself sees."""
        return goenv.resolve(self.environ, self.user_text, self.goroot_text)


def find_program(name: str, environ: Mapping[str, str], which: Which | None = None) -> str:
    """The path of a program on the PATH of these variables; "" when there is none."""
    if which is not None:
        return which(name) or ""
    return shutil.which(name, path=environ.get("PATH", os.defpath)) or ""


def find_go(
    environ: Mapping[str, str], cwd: Path = _HERE, which: Which | None = None, platform: str = sys.platform
) -> GoCommand:
    """The go that would be started with these variables."""
    path = find_program("go", environ, which)
    named = environ.get("GOROOT", "")
    if not path and not named:
        return GoCommand()
    ask = _Asking(path, environ, cwd)
    goroot = os.path.normpath(named) if named else _around(path) or ask("GOROOT")
    if not goroot:
        return GoCommand(path, version=ask("GOVERSION"))
    version = read_text(Path(goroot) / "VERSION").partition("\n")[0].strip() or ask("GOVERSION")
    env_file = goenv.goroot_file(goroot, platform)
    return GoCommand(path, goroot, version, env_file, read_text(Path(env_file)) or _old_defaults(ask))


def installed_at(goroot: str, platform: str = sys.platform) -> GoCommand:
    """A distribution by its folder, without its program."""
    env_file = goenv.goroot_file(goroot, platform)
    return GoCommand(goroot=goroot, env_file=env_file, env_text=read_text(Path(env_file)))


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

    def __init__(self, path: str, environ: Mapping[str, str], cwd: Path) -> None:
        self._path = path
        hidden = {"GOPROXY", "GOSUMDB", "GOFLAGS"}
        # GOTOOLCHAIN=local: a question about defaults must not download another go.
        self._environ: Mapping[str, str] = {
            **{name: value for name, value in environ.items() if name not in hidden},
            "GOTOOLCHAIN": "local",
            "GOENV": "off",
        }
        self._cwd = cwd

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
