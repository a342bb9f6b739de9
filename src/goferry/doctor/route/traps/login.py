"""Credentials that somebody wrote down and that go does not take."""

from collections.abc import Iterator
from typing import Final

from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route.commands import unset_go
from goferry.doctor.route.records import Route, Trap
from goferry.doctor.settings.credentials import parse_goauth
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.i18n import N_

_HTTPS: Final = 443
_NO_PASSWORD: Final = N_("the entry for {host} in {place} has no password: go passes over it, git does not")
_NO_LOGIN: Final = N_(
    "the entry for {host} in {place} has no login, or stands behind default: go passes over it"
)
_NO_PORT: Final = N_("the entry for {host} in {place} has no port: go looks for {host}:{port}")


def incomplete_entries(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """Entries for a host that go itself asks over https, which go does not take."""
    asked = {hop.host: hop.port for hop in route.hops if hop.stack == "go" and hop.scheme == "https"}
    for entry in seen.netrc:
        if entry.machine not in asked:
            continue
        port = asked[entry.machine]
        parts = {"host": entry.machine, "place": entry.place}
        if not entry.used_by_go:
            key = _NO_LOGIN if entry.has_password else _NO_PASSWORD
            yield Trap("netrc_incomplete", entry.place, Text(key, **parts))
        elif port != _HTTPS:
            yield Trap("netrc_without_port", entry.place, Text(_NO_PORT, **parts, port=port))


def unusable_goauth(seen: SettingsSeen, _route: Route) -> Iterator[Trap]:
    try:
        parse_goauth(seen.value("GOAUTH") or "netrc")
    except InvalidInput as why:
        yield Trap(
            "goauth_invalid",
            "GOAUTH",
            Text(N_("go stops: {why}"), why=Text.of(why)),
            unset_go(seen, "GOAUTH"),
        )
