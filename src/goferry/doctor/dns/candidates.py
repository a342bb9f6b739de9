"""Addresses that a name might have, by everybody who may be asked apart from the hosts file that is to be mended."""

from collections.abc import Sequence

from goferry.doctor.base import World
from goferry.doctor.evidence import NameSeen, SettingsSeen
from goferry.doctor.probes.names import probe_names
from goferry.doctor.settings.names import parse_hosts, parse_nsswitch, parse_resolv_conf
from goferry.smallfiles import read_text

_INDEPENDENT = ("server", "public", "doh")


def name_settings(world: World) -> SettingsSeen:
    """The settings that decide about names, and no others: this is quick, and runs neither go nor git."""
    resolv = world.places.resolv_conf
    return SettingsSeen(
        hosts=parse_hosts(read_text(world.places.hosts)),
        nsswitch=parse_nsswitch(read_text(world.places.nsswitch)),
        resolv=parse_resolv_conf(read_text(resolv) if resolv.exists() else None),
    )


async def candidates(world: World, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """For each name its possible addresses: from name servers, and from the system where the hosts file has no say."""
    found = await probe_names(world, name_settings(world), names)
    return {name: by_name(found, name) for name in names}


def by_name(found: Sequence[NameSeen], name: str) -> tuple[str, ...]:
    """The addresses of all answers, also of second ones to one question: the later of two may be the true one."""
    mine = [seen for seen in found if seen.name == name]
    in_hosts = any(seen.asker == "hosts" for seen in mine)
    asked = [seen for seen in mine if seen.asker in _INDEPENDENT or (seen.asker == "system" and not in_hosts)]
    every = (address for seen in asked for address in (*seen.addresses, *seen.others))
    return tuple(dict.fromkeys(address for address in every if ":" in address or address[:1].isdigit()))
