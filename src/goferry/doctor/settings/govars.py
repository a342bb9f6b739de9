"""Every variable of the go command: its effective value, where that stands, and the values that lost.

The environment comes first, then the user's file, then go.env in GOROOT, then what the command computes for itself
(gomod/goenv.py has the rules). `go env -changed` tells what differs from the defaults but not where it was set, and
`go` may not be there to be asked, so all places are read here.
"""

import ntpath
import os
import platform as machine
import posixpath
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from goferry import gocommand
from goferry.doctor.base import World
from goferry.doctor.evidence import Setting
from goferry.doctor.settings.hiding import hide_setting
from goferry.gocommand import GoCommand
from goferry.gomod import goenv

_ORIGINS: Final = {
    goenv.Origin.ENVIRONMENT: "environment",
    goenv.Origin.USER_FILE: "go env file",
    goenv.Origin.GOROOT_FILE: "go.env",
    goenv.Origin.INHERITED: "inherited",
    goenv.Origin.DEFAULT: "default",
}
_SYSTEMS: Final = {"win32": "windows", "cygwin": "windows", "sunos5": "solaris"}
_MACHINES: Final = {
    "x86_64": "amd64",
    "amd64": "amd64",
    "aarch64": "arm64",
    "arm64": "arm64",
    "i386": "386",
    "i686": "386",
    "armv6l": "arm",
    "armv7l": "arm",
    "ppc64le": "ppc64le",
    "riscv64": "riscv64",
    "s390x": "s390x",
    "loongarch64": "loong64",
}


@dataclass(frozen=True, slots=True)
class GoPlaces(gocommand.GoPlaces):
    """The places that Go's settings come from, and the machine that decides about defaults."""

    builtin: Mapping[str, str] = field(default_factory=dict)

    def settings(self) -> tuple[Setting, ...]:
        """All variables by name, with their secrets: for deciding, never for keeping."""
        effective = goenv.resolve(self.environ, self.user_text, self.goroot_text, self.builtin)
        return tuple(self._with_place(setting) for _name, setting in sorted(effective.items()))

    def values(self) -> dict[str, str]:
        """Effective values by name, with their secrets."""
        return {setting.name: setting.value for setting in self.settings()}

    def changed(self) -> dict[str, str]:
        """What `go env -changed` shows of these variables: those that differ from this installation's defaults."""
        default = goenv.resolve({}, "", self.goroot_text, self.builtin)
        return {
            setting.name: setting.value
            for setting in self.settings()
            if setting.origin != "inherited"
            and setting.value
            and setting.value != _default(setting.name, default)
            and (setting.name, setting.value) != ("GO111MODULE", "on")
            # The command takes a GOPATH of the environment for the default itself.
            and (setting.name, setting.origin) != ("GOPATH", "environment")
        }

    def _with_place(self, setting: goenv.Setting) -> Setting:
        lines = list(self._lines(setting.name))
        origin = _ORIGINS[setting.origin]
        if origin == "inherited":
            return Setting(setting.name, setting.value, origin, goenv.INHERITS[setting.name], tuple(lines))
        used = next((line for line in lines if (line.origin, line.value) == (origin, setting.value)), None)
        if used is None:
            # A line without value in the user's file takes the default of GOROOT away.
            place = next((line.place for line in lines if not line.value), "")
            return Setting(setting.name, setting.value, origin, place, tuple(lines))
        lost = tuple(line for line in lines if line is not used)
        return replace(used, shadowed=lost)

    def _lines(self, name: str) -> Iterator[Setting]:
        """Every place that has this variable, strongest first."""
        if self.environ.get(name):
            yield Setting(name, self.environ[name], "environment")
        user = [line for line in goenv.numbered_env_file(self.user_text) if line[1] == name]
        for number, _name, value in reversed(user):
            yield Setting(name, value, "go env file", f"{self.user_file}:{number}")
        for number, found, value in goenv.numbered_env_file(self.goroot_text):
            if found == name:
                yield Setting(name, value, "go.env", f"{self.goroot_file}:{number}")


def _default(name: str, default: Mapping[str, goenv.Setting]) -> str:
    return default[name].value if name in default else ""


def go_places(world: World, go: GoCommand, platform: str = sys.platform) -> GoPlaces:
    """Reads the places. A file that is missing or cannot be read counts as empty, as it does for go itself."""
    places = GoPlaces.read(world.environ, go, world.cwd, platform)
    return replace(places, builtin=builtin(world.environ, go, platform, _read_early(world, places.user_text)))


def find_go(world: World, platform: str = sys.platform) -> GoCommand:
    """The go that this world would start."""
    return gocommand.find_go(world.environ, world.cwd, world.which, platform)


def _read_early(world: World, user_text: str) -> dict[str, str]:
    """GOPATH and GOROOT decide about the defaults of others, so their values are needed first."""
    found = goenv.resolve(world.environ, user_text)
    names = ("GOPATH", "GOROOT")
    in_file = {name: found[name].value for name in names if name in found}
    return {**in_file, **{name: world.environ[name] for name in names if world.environ.get(name)}}


def hidden(settings: tuple[Setting, ...]) -> tuple[Setting, ...]:
    """The same without secrets, as it may be kept."""
    return tuple(
        replace(setting, value=hide_setting(setting.name, setting.value), shadowed=hidden(setting.shadowed))
        for setting in settings
    )


def builtin(
    environ: Mapping[str, str], go: GoCommand, platform: str, early: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Values that the go command computes when nobody sets them.

    early: GOPATH and GOROOT where they are set. Sources: cmd/go internal/cfg, go/build (GOPATH), internal/cache.
    """
    early = early or {}
    gopath = _gopath(environ, platform, early.get("GOROOT") or go.goroot)
    first = (early.get("GOPATH") or gopath).split(";" if platform == "win32" else ":")[0]
    system = _SYSTEMS.get(platform, platform.rstrip("0123456789"))
    return {
        "CGO_ENABLED": "",
        "GOARCH": _MACHINES.get(machine.machine().lower(), machine.machine().lower()),
        "GOCACHE": _gocache(environ, platform),
        "GODEBUG": "",
        "GOENV": goenv.user_file({**environ, "GOENV": ""}, platform) or "",
        "GOFIPS140": "off",
        "GOMODCACHE": _join(platform, first, "pkg", "mod") if first else "",
        "GOOS": system,
        "GOPATH": gopath,
        "GOROOT": go.goroot,
        "GOTMPDIR": "",
        "GOWORK": "",
    }


def _join(platform: str, *parts: str) -> str:
    return ntpath.join(*parts) if platform == "win32" else posixpath.join(*parts)


def _gopath(environ: Mapping[str, str], platform: str, goroot: str) -> str:
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    folder = _join(platform, home, "go") if home else ""
    # A distribution unpacked into ~/go must not be taken for the workspace.
    return "" if folder and os.path.normpath(folder) == goroot else folder


def _gocache(environ: Mapping[str, str], platform: str) -> str:
    """`off` where no folder for caches is known; every build fails then."""
    folder = _cache_folder(environ, platform)
    return _join(platform, folder, "go-build") if folder else "off"


def _cache_folder(environ: Mapping[str, str], platform: str) -> str:
    if platform == "win32":
        return environ.get("LocalAppData") or environ.get("LOCALAPPDATA", "")
    home = environ.get("HOME", "")
    if platform in ("darwin", "ios"):
        return posixpath.join(home, "Library/Caches") if home else ""
    named = environ.get("XDG_CACHE_HOME", "")
    if named:
        return named if posixpath.isabs(named) else ""
    return posixpath.join(home, ".cache") if home else ""
