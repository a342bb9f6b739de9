"""A name of the inside that would be told to the outside.

Nobody can know what is private; what is said here is what speaks for it on this machine: the name itself, an address in
the hosts file, credentials or rules of git that are kept for just this place.
"""

import ipaddress
from collections.abc import Iterator
from typing import Final

from goferry.doctor.addresses import kind_of
from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route.commands import set_go
from goferry.doctor.route.records import Route, Trap
from goferry.doctor.settings import names
from goferry.doctor.settings.repository import repository_of
from goferry.findings import Text
from goferry.i18n import N_

_PRIVATE_ENDINGS: Final = (
    "corp",
    "internal",
    "intern",
    "intra",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "home",
    "private",
)


def private_names(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """A name of the inside that would be told to a mirror or database of the outside."""
    why = _why_private(seen, route.module)
    if not why:
        return
    pattern = pattern_for(route.module)
    value = ",".join(part for part in (seen.value("GOPRIVATE"), pattern) if part)
    commands = set_go(seen, "GOPRIVATE", value)
    public = next((hop for hop in route.hops if hop.kind == "mirror" and _is_public(seen, hop.host)), None)
    if public is not None:
        text = Text(
            N_("{path} looks private ({why}), and its name would be sent to {host}"),
            path=route.module,
            why=why,
            host=public.host,
        )
        yield Trap("private_name_to_mirror", "GOPRIVATE", text, commands)
    elif route.sums.used and route.sums.url and not _is_inside(route, seen):
        text = Text(
            N_("{path} looks private ({why}), and its name would be sent to the checksum database {name}"),
            path=route.module,
            why=why,
            name=route.sums.name,
        )
        yield Trap(
            "private_name_to_sumdb", "GONOSUMDB", text, set_go(seen, "GONOSUMDB", _joined(seen, pattern))
        )


def _joined(seen: SettingsSeen, pattern: str) -> str:
    return ",".join(part for part in (seen.value("GONOSUMDB"), pattern) if part and part != "none")


def _is_inside(route: Route, seen: SettingsSeen) -> bool:
    """Whether a mirror of the inside answers for the database."""
    hosts = [hop.host for hop in route.hops if hop.kind == "mirror"]
    return bool(hosts) and not _is_public(seen, hosts[0])


def _why_private(seen: SettingsSeen, path: str) -> str:
    """What speaks for it: an ending, an address of the hosts file, or the place of credentials; "" for nothing."""
    host = path.partition("/")[0]
    if host.rpartition(".")[2].lower() in _PRIVATE_ENDINGS:
        return f".{host.rpartition('.')[2]}"
    for line in names.hosts_of(seen.hosts, host):
        if kind_of(line.address).may_be_internal:
            return line.address
    if repository_of(path) is None:
        # A host that is not a well-known place for public code, and that somebody logs in to.
        entry = next((entry for entry in seen.netrc if entry.machine == host), None)
        return entry.place if entry is not None else _git_place(seen, f"https://{host}/")
    return _git_place(seen, f"https://{'/'.join(path.split('/')[:2])}/")


def _git_place(seen: SettingsSeen, prefix: str) -> str:
    """A rule of git for just this place (a host, or one owner at a public host)."""
    for setting in seen.git:
        section, _dot, rest = setting.key.partition(".")
        if section == "url" and setting.key.endswith(".insteadof"):
            about = setting.value
        elif section in ("credential", "http"):
            about = rest.rpartition(".")[0]
        else:
            continue
        if f"{about.rstrip('/')}/".startswith(prefix):
            return setting.place
    return ""


def pattern_for(path: str) -> str:
    """The host, or the owner where the host is a public one."""
    elements = path.split("/")
    return "/".join(elements[:2]) if repository_of(path) is not None and len(elements) > 1 else elements[0]


def _is_public(seen: SettingsSeen, host: str) -> bool:
    """Whether a mirror is somebody else's, as far as its name and the hosts file tell."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    ending = host.rpartition(".")[2].lower()
    inside = any(kind_of(line.address).may_be_internal for line in names.hosts_of(seen.hosts, host))
    return "." in host and ending not in _PRIVATE_ENDINGS and not inside
