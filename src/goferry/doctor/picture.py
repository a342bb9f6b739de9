"""The way of a download as one line, with the link that breaks marked.

    this machine ── resolver ── forward proxy ──✗ proxy.example.org ·· origin

Links before the break were passed, links behind it were not reached.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from goferry.doctor.evidence import Evidence, Role
from goferry.doctor.verdict import Judgement
from goferry.i18n import N_, _


class State(StrEnum):
    """How far a download got."""

    PASSED = "passed"
    BROKEN = "broken"
    NOT_REACHED = "not_reached"


class Station(StrEnum):
    """Who stands on the way, in order."""

    MACHINE = "machine"
    RESOLVER = "resolver"
    FORWARD_PROXY = "forward_proxy"
    MIRROR = "mirror"
    STORAGE = "storage"
    SUMDB = "sumdb"
    ORIGIN = "origin"


_WORDS: Final = {
    Station.MACHINE: N_("this machine"),
    Station.RESOLVER: N_("resolver"),
    Station.FORWARD_PROXY: N_("forward proxy"),
    Station.MIRROR: N_("mirror"),
    Station.STORAGE: N_("storage"),
    Station.SUMDB: N_("checksum database"),
    Station.ORIGIN: N_("origin"),
}

_BREAKS_AT: Final = {
    "settings": Station.MACHINE,
    "disk": Station.MACHINE,
    "resolve": Station.RESOLVER,
    "proxy_connect": Station.FORWARD_PROXY,
    "sumdb": Station.SUMDB,
    "vcs": Station.ORIGIN,
    "storage": Station.STORAGE,
}

_ROLE_AT: Final = {
    Role.GOPROXY: Station.MIRROR,
    Role.STORAGE: Station.STORAGE,
    Role.SUMDB: Station.SUMDB,
    Role.IMPORT_HOST: Station.ORIGIN,
    Role.CODE_HOST: Station.ORIGIN,
    Role.FORWARD_PROXY: Station.FORWARD_PROXY,
}


@dataclass(frozen=True, slots=True)
class Link:
    """One station of the way. who: its host, "" where there is none to name."""

    station: Station
    who: str
    state: State

    def to_json(self) -> dict[str, Any]:
        return {"station": self.station.value, "who": self.who, "state": self.state.value}


def picture(evidence: Evidence, judgements: Sequence[Judgement]) -> tuple[Link, ...]:
    """The way of this environment, broken where the first judgement says."""
    stations = _stations(evidence)
    broken = _broken(evidence, judgements[0]) if judgements else None
    if broken is not None and broken not in stations:
        stations = {
            station: stations.get(station, "")
            for station in Station
            if station in stations or station is broken
        }
    links, state = [], State.PASSED
    for station, who in stations.items():
        if station is broken:
            state = State.BROKEN
        links.append(Link(station, who, state))
        if state is State.BROKEN:
            state = State.NOT_REACHED
    return tuple(links)


def render(links: Sequence[Link]) -> str:
    """The line for people."""
    joints = {State.PASSED: "── ", State.BROKEN: "──✗ ", State.NOT_REACHED: "·· "}
    parts = [_(_WORDS[link.station]) + (f" {link.who}" if link.who else "") for link in links]
    return " ".join(
        [parts[0], *(joints[link.state] + part for link, part in zip(links[1:], parts[1:], strict=True))]
    )


def _stations(evidence: Evidence) -> dict[Station, str]:
    """Those that this environment needs, in order."""
    who: dict[Station, str] = {Station.MACHINE: ""}
    if evidence.names:
        who[Station.RESOLVER] = next(iter(evidence.settings.resolv.servers), "")
    for way in evidence.settings.proxying:
        if way.stack == "go" and way.proxy:
            who.setdefault(Station.FORWARD_PROXY, way.proxy)
    for target in evidence.targets:
        if (station := _ROLE_AT.get(target.role)) is not None:
            who.setdefault(station, target.host)
    return {station: who[station] for station in Station if station in who}


def _broken(evidence: Evidence, judgement: Judgement) -> Station | None:
    if (station := _BREAKS_AT.get(judgement.step)) is not None:
        return station
    host = judgement.where.rpartition(":")[0] or judgement.where
    roles = (
        _ROLE_AT.get(target.role) for target in evidence.targets if host in (target.host, judgement.where)
    )
    return next((station for station in roles if station is not None), Station.MIRROR)
