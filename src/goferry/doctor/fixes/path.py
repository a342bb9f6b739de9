"""Plans for the path between this machine and a host: another way, or a packet that passes."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import Raw
from goferry.doctor.fixes import goproxylist as lists
from goferry.doctor.fixes.forward import named_elsewhere
from goferry.doctor.fixes.kit import Case, as_json, minor, quoted, with_godebug
from goferry.doctor.fixes.mirrors import bad_answers, other_ways, public_mirrors
from goferry.doctor.fixes.names import pinned
from goferry.doctor.fixes.plan import Plan
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_
from goferry.net.failure import Failure

_CUT: Final = frozenset({Raw.RESET, Failure.CONNECT_RESET})

_MLKEM_SINCE: Final = 24
"""Go 1.N whose first message has the large key share and a switch for it."""

_ETHERNET: Final = 1500
_HEADERS: Final = 40
"""Bytes of IPv4 and TCP headers around a segment."""

_LARGEST_HEADERS: Final = 60
"""The same with IPv6."""

_LEAST_MTU: Final = 1280
"""What IPv6 demands of every link."""


def _facts(case: Case) -> list[str]:
    dials = [
        f"{dial.host} {dial.address}:{dial.port} {dial.failure or 'connected'} {dial.seconds:.1f} s"
        for dial in case.evidence.dials
        if dial.host == case.host
    ]
    shakes = [
        f"TLS {shake.sni} {shake.address} ({shake.hello}): {shake.failure or shake.wrong or 'well'}"
        for shake in case.evidence.handshakes
        if shake.host == case.host
    ]
    hops = [f"{hop.ttl} {hop.address or '*'}" for hop in case.evidence.hops if hop.host == case.host]
    return [*dials[:4], *shakes[:4], *hops[-3:]]


def _tell_network(case: Case, summary: str, *, key: str = "tell_network") -> Plan:
    return case.tell(Whose.NETWORK, key, Text(summary, where=case.judgement.where), *_facts(case))


def _proxies_elsewhere(case: Case) -> Iterator[Plan]:
    """A forward proxy that another context uses may be the only way out of this network."""
    if any(setting.value and setting.name.upper() == "HTTPS_PROXY" for setting in case.settings.proxies):
        return
    yield from named_elsewhere(
        case, "use_proxy", N_("Go through the forward proxy that {place} names: {proxy}")
    )


# ---- one function per cause --------------------------------------------------------------------------------


def mirror_blocked(case: Case) -> Iterator[Plan]:
    yield from other_ways(case)
    yield from _proxies_elsewhere(case)
    yield _tell_network(case, N_("Ask your network's people to let {where} through."))


def direct_blocked(case: Case) -> Iterator[Plan]:
    """A mirror fetches what cannot be reached from here; unless the module is private."""
    entries = [word for word in lists.words(case.settings.value("GOPROXY")) if word not in ("direct", "off")]
    default = lists.default_of(case.settings)
    if not entries and default != goproxy.DIRECT:
        yield case.set(
            "use_mirror",
            Text(N_("Ask a mirror and not the origin: {value}"), value=default),
            {"GOPROXY": default},
        )
    if case.module and case.settings.value("GONOPROXY") and entries:
        yield case.set(
            "proxy_private",
            Text(N_("Let the mirrors of the list fetch {module} too, if they know it."), module=case.module),
            {"GONOPROXY": "none"},
        )
    yield from _proxies_elsewhere(case)
    yield from public_mirrors(case)
    yield _tell_network(case, N_("Ask your network's people to let {where} through."))


def reset(case: Case) -> Iterator[Plan]:
    """Another host is no way out where all of them are cut off."""
    cut = {
        shake.host for shake in case.evidence.handshakes if shake.failure in _CUT and shake.sni == shake.host
    }
    others = sorted(cut - {case.host})
    if not others:
        yield from other_ways(case)
    yield from _proxies_elsewhere(case)
    if minor(case) >= _MLKEM_SINCE:
        yield from large_hello_switch(case)
    everybody = N_(
        "Tell your network's people that a device on the way cuts TLS connections to all hosts: {hosts}"
    )
    one = N_("Tell your network's people that a device on the way cuts connections to {where}.")
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(everybody if others else one, where=case.judgement.where, hosts=", ".join(sorted(cut))),
        *_facts(case),
    )


def sni_filtered(case: Case) -> Iterator[Plan]:
    yield from other_ways(case)
    yield from _proxies_elsewhere(case)
    yield _tell_network(case, N_("Ask your network's people to let this name through: {where}"))


def ipv6_broken(case: Case) -> Iterator[Plan]:
    """The hosts file answers both families, so with an IPv4 line nobody tries IPv6."""
    hosts = [case.host] if case.host in {target.host for target in case.evidence.targets} else []
    hosts = hosts or list(
        dict.fromkeys(dial.host for dial in case.evidence.dials if dial.family == 6 and dial.failure)
    )
    for host in hosts:
        yield from pinned(case, host, family=4)
    yield case.run(
        "disable_ipv6",
        Text(N_("Switch IPv6 off until it is mended.")),
        f"{case.sudo}sysctl -w net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
        docker=("docker run --sysctl net.ipv6.conf.all.disable_ipv6=1 …",),
    )
    yield _tell_network(case, N_("Tell your network's people that IPv6 to {where} is broken."))


def large_hello_switch(case: Case) -> Iterator[Plan]:
    """The small first message of earlier versions."""
    yield case.set(
        "small_hello",
        Text(N_("Let go send the small first message: without the post-quantum key share.")),
        with_godebug(case, "tlsmlkem=0"),
    )


def large_hello(case: Case) -> Iterator[Plan]:
    yield from large_hello_switch(case)
    yield from other_ways(case)
    yield _tell_network(
        case, N_("Tell your network's people that a device drops first TLS messages of more than one packet.")
    )


def mtu(case: Case) -> Iterator[Plan]:
    """Packets as large as the segments that passed."""
    passed = [shake.mss for shake in case.evidence.handshakes if shake.mss and not shake.failure]
    wanted = max(max(passed, default=1200) + _HEADERS, _LEAST_MTU)
    through_proxy = any(
        setting.value for setting in case.settings.proxies if setting.name.upper() == "HTTPS_PROXY"
    )
    for interface in _interfaces(case):
        plan = case.run(
            "set_mtu",
            Text(N_("Send smaller packets on {name}."), name=interface),
            f"{case.sudo}ip link set dev {interface} mtu {wanted}",
            daemon_json=(as_json({"mtu": wanted}),),
            compose=(
                "networks:",
                "  default:",
                "    driver_opts:",
                f'      com.docker.network.driver.mtu: "{wanted}"',
            ),
            undo=(f"{case.sudo}ip link set dev {interface} mtu {_mtu_of(case, interface)}",),
        )
        # Setting it needs root and is felt by everybody here, so small segments stand in for it in the trial; through a
        # forward proxy the packets in question are not ours.
        yield plan if through_proxy else replace(plan, is_told_only=False, segment=wanted - _LARGEST_HEADERS)
    yield case.run(
        "mtu_probing",
        Text(N_("Let the kernel find the size out by itself.")),
        f"{case.sudo}sysctl -w net.ipv4.tcp_mtu_probing=1",
    )
    yield from other_ways(case)
    yield _tell_network(
        case, N_("Tell your network's people that large packets to {where} vanish and no answer says so.")
    )


def _interfaces(case: Case) -> list[str]:
    """Those that carry packets out, the likeliest first."""
    found = [
        interface
        for interface in case.evidence.context.interfaces
        if interface.is_up and interface.addresses and interface.name != "lo" and interface.mtu > _LEAST_MTU
    ]
    outer = [
        interface.name
        for interface in found
        if not interface.name.startswith(("docker", "br-", "veth", "virbr"))
    ]
    return (outer or [interface.name for interface in found])[:1]


def _mtu_of(case: Case, name: str) -> int:
    return next((one.mtu for one in case.evidence.context.interfaces if one.name == name), _ETHERNET)


def sandbox(case: Case) -> Iterator[Plan]:
    """Fetch outside, build inside."""
    yield case.run(
        "fetch_before",
        Text(N_("Fetch where there is a network, and build from what was fetched.")),
        "go mod vendor",
        "go build -mod=vendor ./...",
        docker=("docker build --network=default …", "docker run --network=bridge …"),
        cache=(
            "go mod download",
            'GOPROXY="file://$(go env GOMODCACHE)/cache/download" GOSUMDB=off go build ./...',
        ),
    )
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(N_("If this place should have a network, ask those who made it: there is no way out of it.")),
    )


def transient(case: Case) -> Iterator[Plan]:
    """It has passed, or will."""
    wanted = case.module and f"{case.module}@{case.version or 'latest'}"
    command = f"go mod download {quoted(wanted)}" if wanted else "go mod download"
    yield case.again(
        Text(N_("Run it again: nothing has to be changed. In CI let the step try more than once.")),
        command,
        loop=(f"for n in 1 2 3; do {command} && break; sleep $((n * 10)); done",),
        gitlab=("retry:", "  max: 2", "  when: [runner_system_failure, script_failure]"),
        github=(f"run: for n in 1 2 3; do {command} && exit 0; sleep $((n * 10)); done; exit 1",),
    )


def captive_portal(case: Case) -> Iterator[Plan]:
    """A person has to sign in."""
    page = next(
        (
            answer.redirect or answer.url
            for answer in case.answers("portal")
            if answer.redirect or answer.status == 200
        ),
        "",
    )
    if not page:
        # No network's own page: it is the mirror that sends one, so that another way may be open.
        yield from other_ways(case)
    page = page or next((answer.redirect for answer in case.evidence.answers if answer.redirect), "")
    yield case.run(
        "sign_in",
        Text(
            N_("Sign in to the network with a browser, then try again: {page}"),
            page=page or "http://neverssl.com/",
        ),
        "go mod download",
    )


def closed_silently(case: Case) -> Iterator[Plan]:
    yield from other_ways(case)
    yield case.again(Text(N_("Try again: the server may have been restarted.")), "go mod download")
    yield case.tell(
        Whose.MIRROR,
        "tell_mirror",
        Text(
            N_("Tell those who run {where} that it closes connections without a word."),
            where=case.judgement.where,
        ),
        *_facts(case),
        *bad_answers(case),
    )
