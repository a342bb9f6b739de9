"""Plans for names: other name servers, the hosts file, and the settings of containers.

An address is written into the hosts file only after a TLS handshake for the name was verified on it.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import HostsLine, NameSeen
from goferry.doctor.fixes.kit import Case, as_json, plain_host, quoted
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import DropHost, NameServers, PinHost
from goferry.findings import Text
from goferry.i18n import N_

_PINNED_FOR: Final = timedelta(days=30)
"""Addresses of large hosts change within months; a pin that is forgotten must not outlive them."""

_MOST_ADDRESSES: Final = 2
_DNS_PORT: Final = "53"
_PUBLIC_SERVERS: Final = ("1.1.1.1", "223.5.5.5")
"""Named where no other server is known, and asked by nobody without consent."""
_LATE: Final = 2.0
"""Seconds after which an answer counts as late."""


# ---- what was seen -----------------------------------------------------------------------------------------


def name_in_question(case: Case) -> str:
    """The host whose name is wrong."""
    names = {target.host for target in case.evidence.targets} | {seen.name for seen in case.evidence.names}
    if case.host in names:
        return case.host
    failing = [
        seen.name
        for seen in case.evidence.names
        if seen.asker == "go" and (seen.failure or not seen.addresses) and plain_host(seen.name)
    ]
    return failing[0] if failing else case.host


def proven_addresses(case: Case, host: str, *, family: int = 0) -> list[str]:
    """Addresses on which a handshake for the name was verified without any proxy, the fastest first."""
    good = sorted(
        (shake.seconds, shake.address)
        for shake in case.evidence.handshakes
        if (shake.host, shake.sni) == (host, host)
        and shake.address
        and not (shake.failure or shake.wrong or shake.via)
        and shake.trusted
        and family in (0, 6 if ":" in shake.address else 4)
    )
    return list(dict.fromkeys(address for _seconds, address in good))


def good_servers(case: Case, host: str = "") -> list[str]:
    """Name servers (addresses, port 53) whose answers held, those of this network first, then the fastest.

    An answer for `host` holds if it leads to an address on which TLS was verified. Where nothing is proven, the
    servers of now are the suspects.
    """
    proven = set(proven_addresses(case, host)) if host else set()
    suspects = set() if proven or not host else set(case.settings.resolv.servers)
    found = [
        (seen.asker != "server", seen.seconds, address)
        for seen in case.evidence.names
        if seen.asker in ("server", "public")
        and not seen.failure
        and seen.addresses
        and seen.transport in ("udp", "")
        and (not host or seen.name == host)
        and seen.server not in suspects
        and (not proven or proven & set(seen.addresses))
        and (address := _address(seen.server))
    ]
    lied = {_address(seen.server) for seen in case.evidence.names if _is_lie(seen, host, proven)}
    return [
        server for server in dict.fromkeys(address for *_rank, address in sorted(found)) if server not in lied
    ]


def _is_lie(seen: NameSeen, host: str, proven: set[str]) -> bool:
    return bool(proven) and seen.name == host and bool(seen.addresses) and not proven & set(seen.addresses)


def _address(server: str) -> str:
    """The server as resolv.conf can name it; "" on another port."""
    host, _sign, port = server.rpartition(":")
    return host.strip("[]") if port == _DNS_PORT else ""


# ---- plans that several faults share -----------------------------------------------------------------------


def pinned(case: Case, host: str, *, family: int = 0) -> Iterator[Plan]:
    """The name with a proven address in the hosts file. A line there answers both families."""
    addresses = tuple(proven_addresses(case, host, family=family)[:_MOST_ADDRESSES])
    if not addresses:
        return
    expires = (datetime.fromtimestamp(case.evidence.taken, UTC) + _PINNED_FOR).date()
    yield case.write(
        "pin_host",
        Text(
            N_(
                "Put {host} into the hosts file with {addresses}, where its certificate was proven; it expires {date}."
            ),
            host=host,
            addresses=" ".join(addresses),
            date=expires.isoformat(),
        ),
        PinHost(host, addresses, expires),
        commands=(f"goferry hosts pin {quoted(host)}",),
        docker=tuple(f"docker build --add-host={host}:{address} …" for address in addresses[:1]),
        compose=("extra_hosts:", *(f'  - "{host}:{address}"' for address in addresses[:1])),
    )


def served_by(case: Case, servers: Iterable[str]) -> Iterator[Plan]:
    """resolv.conf with servers that answered, and the same for those who make containers; else with public ones."""
    chosen = tuple(servers)[:2]
    if chosen:
        yield case.write(
            "name_servers",
            Text(N_("Ask name servers that answer: {servers}"), servers=" ".join(chosen)),
            NameServers(chosen),
            commands=_resolv_commands(case, chosen),
            **_containers(chosen),
        )
        return
    yield case.run(
        "public_servers",
        Text(
            N_("Ask public name servers ({servers}), if they may see the names that you ask for."),
            servers=" ".join(_PUBLIC_SERVERS),
        ),
        *_resolv_commands(case, _PUBLIC_SERVERS),
        **_containers(_PUBLIC_SERVERS),
    )


def _resolv_commands(case: Case, servers: Iterable[str]) -> tuple[str, ...]:
    lines = "".join(f"nameserver {server}\\n" for server in servers)
    return (f"printf '{lines}' | {case.sudo}tee /etc/resolv.conf",)


def _containers(servers: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {
        "docker": (f"docker run {' '.join(f'--dns={server}' for server in servers)} …",),
        "daemon_json": (as_json({"dns": list(servers)}),),
        "compose": ("dns:", *(f"  - {server}" for server in servers)),
        "kubernetes": (
            "dnsPolicy: None",
            "dnsConfig:",
            "  nameservers:",
            *(f"    - {server}" for server in servers),
        ),
        "systemd_resolved": ("[Resolve]", f"DNS={' '.join(servers)}"),
    }


def _facts(case: Case, host: str) -> list[str]:
    return [
        f"{seen.name} {seen.server or seen.asker}: {seen.failure or ' '.join(seen.addresses) or seen.rcode}"
        for seen in case.evidence.names
        if not host or seen.name == host
    ][:8]


def _tell(case: Case, host: str, summary: str) -> Plan:
    return case.tell(
        Whose.NETWORK, "tell_network", Text(summary, where=case.judgement.where), *_facts(case, host)
    )


# ---- one function per cause --------------------------------------------------------------------------------


def hijacked(case: Case) -> Iterator[Plan]:
    yield from _past_the_answer(
        case, N_("Tell your network's people that their name server answers wrongly: {where}")
    )


def negative_filter(case: Case) -> Iterator[Plan]:
    yield from _past_the_answer(case, N_("Ask your network's people to answer for this name: {where}"))


def _past_the_answer(case: Case, told: str) -> Iterator[Plan]:
    """Past a server that lies about one name, or denies it: who is asked, a proven address, another mirror."""
    host = name_in_question(case)
    yield from served_by(case, good_servers(case, host))
    yield from pinned(case, host)
    yield from other_ways(case)
    yield _tell(case, host, told)


def no_resolv_conf(case: Case) -> Iterator[Plan]:
    """A server that answered, if anybody could be asked."""
    yield from served_by(case, good_servers(case))
    yield from pinned(case, name_in_question(case))


def _over_tcp(case: Case) -> Iterator[Plan]:
    """The same servers over TCP, where only their datagrams get lost."""
    servers = tuple(
        dict.fromkeys(
            address
            for seen in case.evidence.names
            if (seen.asker, seen.transport) == ("server", "tcp")
            and seen.addresses
            and (address := _address(seen.server))
        )
    )
    if servers:
        yield case.write(
            "names_over_tcp",
            Text(
                N_("Ask the name servers over TCP, which gets through: {servers}"), servers=" ".join(servers)
            ),
            NameServers(servers, options=("use-vc",)),
            commands=(f"echo 'options use-vc' | {case.sudo}tee -a /etc/resolv.conf",),
        )


def resolver_unreachable(case: Case) -> Iterator[Plan]:
    host = name_in_question(case)
    yield from _over_tcp(case)
    yield from served_by(case, good_servers(case))
    yield from pinned(case, host)
    yield _tell(case, host, N_("Tell your network's people that the name server {where} does not answer."))


def slow(case: Case) -> Iterator[Plan]:
    """The fast ones first; a second server is asked only when the first has used up its time."""
    fast = [
        server
        for server in good_servers(case)
        if all(seen.seconds < _LATE for seen in case.evidence.names if _address(seen.server) == server)
    ]
    yield from served_by(case, fast)
    yield from pinned(case, name_in_question(case))
    yield case.run(
        "measure",
        Text(N_("Measure which remedy is worth it here.")),
        f"goferry dns {quoted(name_in_question(case))}",
    )
    yield _tell(case, "", N_("Tell your network's people how slow their name servers are: {where}"))


def hosts_override(case: Case) -> Iterator[Plan]:
    """Without the line."""
    line = _line_in_question(case)
    host = _name_of(case, line)
    lines = [each.line for each in case.settings.hosts if host.lower() in map(str.lower, each.names)]
    yield case.write(
        "drop_hosts_line",
        Text(
            N_("Take {host} out of the hosts file (line {lines})."),
            host=host,
            lines=", ".join(map(str, lines)) or "?",
        ),
        DropHost(host),
        commands=_drop_commands(case, host),
    )
    yield from pinned(case, host)


def _line_in_question(case: Case) -> HostsLine | None:
    """Judgements name it as `hosts:LINE`."""
    number = case.judgement.where.rpartition(":")[2]
    return next((line for line in case.settings.hosts if str(line.line) == number), None)


def _name_of(case: Case, line: HostsLine | None) -> str:
    """The name of that line that is needed here."""
    if line is None or case.host in line.names:
        return name_in_question(case)
    needed = {target.host for target in case.evidence.targets}
    names = [name for name in line.names if plain_host(name)]
    return next((name for name in names if name in needed), names[0] if names else case.host)


def _drop_commands(case: Case, host: str) -> tuple[str, ...]:
    """Not `sed -i`: in a container the file is a mount, which cannot be replaced."""
    pattern = host.replace(".", "\\.")
    return (
        "cp /etc/hosts /tmp/hosts.before",
        f"sed -E '/^[^#]*[[:space:]]{pattern}([[:space:]#]|$)/Id' /tmp/hosts.before | {case.sudo}tee /etc/hosts",
    )
