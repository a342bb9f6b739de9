"""The go command's settings with their real values, credentials included: for asking, never for a record.

SettingsSeen is what may be kept and shown. Who asks a private proxy as go would needs what stands in the variable.
"""

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from goferry.doctor.base import World
from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.secrets import Secrets, netrc_text, read_text
from goferry.errors import GoferryError
from goferry.gomod import goenv, goproxy, module, netrc


@dataclass(frozen=True, slots=True)
class GoSettings:
    """values: every Go variable that decides about downloads; logins: what netrc holds, if GOAUTH reads it."""

    values: Mapping[str, str] = field(repr=False)
    logins: tuple[netrc.Login, ...] = field(default=(), repr=False)

    def value(self, name: str) -> str:
        """The effective value; "" when unset."""
        return self.values.get(name, "")

    def entries(self) -> tuple[goproxy.Entry, ...]:
        """The GOPROXY list; empty when go would refuse it."""
        try:
            return goproxy.parse_list(self.value("GOPROXY"))
        except GoferryError:
            return ()

    def sumdb(self) -> goenv.SumDB | None:
        """The checksum database; None when it is off or its setting is wrong."""
        try:
            return goenv.parse_sumdb(self.value("GOSUMDB") or "off")
        except GoferryError:
            return None

    def goes_direct(self, path: str) -> bool:
        """Whether GONOPROXY keeps this module away from every proxy."""
        return module.match_prefix_patterns(self.value("GONOPROXY"), path)

    def is_summed(self, path: str) -> bool:
        """Whether the checksum database is asked about this module."""
        return goenv.use_sumdb(
            path,
            gosumdb=self.value("GOSUMDB"),
            gonosumdb=self.value("GONOSUMDB"),
            goproxy=self.value("GOPROXY"),
        )

    def is_insecure(self, path: str) -> bool:
        """Whether GOINSECURE allows plain http for this module."""
        return module.match_prefix_patterns(self.value("GOINSECURE"), path)


def read_go_settings(world: World, settings: SettingsSeen) -> GoSettings:
    """Read from the three places that go reads; what none of them has is taken from what was seen."""
    user = goenv.user_file(world.environ, sys.platform)
    found = goenv.resolve(
        world.environ, read_text(Path(user)) if user else "", read_text(goroot_file(world, settings))
    )
    seen = {setting.name: setting.value for setting in settings.go}
    values = {**seen, **{name: setting.value for name, setting in found.items() if setting.value}}
    return GoSettings(values, _logins(world, values.get("GOAUTH", "")))


def _logins(world: World, goauth: str) -> tuple[netrc.Login, ...]:
    reads_netrc = any(command.split()[:1] == ["netrc"] for command in (goauth or "netrc").split(";"))
    return netrc.parse(netrc_text(world)) if reads_netrc else ()


def goroot_file(world: World, settings: SettingsSeen) -> Path:
    """`go.env` of the go command that would run here; a path that does not exist when there is none."""
    named = world.environ.get("GOROOT")
    go = settings.go_path or program(world, "go") or ""
    root = Path(named) if named else Path(go).resolve().parent.parent
    return root / "go.env"


def program(world: World, name: str) -> str | None:
    """Where a program is that the world's PATH leads to; None when nowhere."""
    if world.which is not None:
        return world.which(name)
    return shutil.which(name, path=world.environ.get("PATH", ""))


def secrets_of(world: World, go: GoSettings, *more: str) -> Secrets:
    """The secrets of this world, those in go's own files and in `more` texts of settings among them."""
    return Secrets.of(world, *go.values.values(), *more)
