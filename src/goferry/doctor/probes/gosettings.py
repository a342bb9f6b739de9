"""The go command's settings with their real values, credentials included: for asking, never for a record.

SettingsSeen is what may be kept and shown. Who asks a private proxy as go would needs what stands in the variable.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from goferry.doctor.base import World
from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.secrets import Secrets, netrc_text
from goferry.doctor.settings.govars import find_go
from goferry.errors import GoferryError
from goferry.gocommand import GoCommand, GoPlaces, installed_at
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
    found = GoPlaces.read(world.environ, _go(world, settings), world.cwd).effective()
    seen = {setting.name: setting.value for setting in settings.go}
    values = {**seen, **{name: setting.value for name, setting in found.items() if setting.value}}
    return GoSettings(values, _logins(world, values.get("GOAUTH", "")))


def _logins(world: World, goauth: str) -> tuple[netrc.Login, ...]:
    reads_netrc = any(command.split()[:1] == ["netrc"] for command in (goauth or "netrc").split(";"))
    return netrc.parse(netrc_text(world)) if reads_netrc else ()


def _go(world: World, settings: SettingsSeen) -> GoCommand:
    """The go that settings were read for; looked for when they say nothing of one."""
    seen = next((setting.value for setting in settings.go if setting.name == "GOROOT"), "")
    root = world.environ.get("GOROOT") or seen
    return installed_at(root) if root else find_go(world)


def secrets_of(world: World, go: GoSettings, *more: str) -> Secrets:
    """The secrets of this world, those in go's own files and in `more` texts of settings among them."""
    return Secrets.of(world, *go.values.values(), *more)
