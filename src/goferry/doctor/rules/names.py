"""Names: R01 to R07. Whether an answer is right is told by TLS, not by comparing addresses.

An address is right if the host behind it proves to be the one that was meant, however different it looks from what
others are told: content networks answer by geography, and companies answer with addresses of their own.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor.addresses import Kind, kind_of, sinkhole
from goferry.doctor.evidence import Evidence, HandshakeSeen, NameSeen, Raw, Role, Target
from goferry.doctor.explain.targets import host_tags
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import failed
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

_SILENT: Final = frozenset({
    Failure.DNS_TIMEOUT, Failure.CONNECT_REFUSED, Failure.CONNECT_TIMEOUT, Failure.CONNECT_RESET,
    Failure.NETWORK_UNREACHABLE, Raw.NOT_PERMITTED, Raw.CLOSED, Raw.GARBAGE,
})  # fmt: skip
"""Failures after which nothing was said: those of the server's side of the connection, not of the name."""

_OWN_PORTS: Final = ("127.0.0.1:", "[::1]:", "")
_LATE: Final = 2.0
"""Seconds for one name, from which on a resolver is slow."""


def names_needed(evidence: Evidence) -> Iterator[Target]:
    """Targets whose names this machine itself has to look up, each host once."""
    seen: set[str] = set()
    for target in scene.direct_targets(evidence):
        if target.host not in seen and not _is_address(target.host):
            seen.add(target.host)
            yield target


def _is_address(host: str) -> bool:
    return kind_of(host) is not Kind.INVALID


def _unanswered(evidence: Evidence) -> Iterator[tuple[Target, NameSeen]]:
    """Needed names that go did not get."""
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is not None and not name.addresses:
            yield target, name


def _words(name: NameSeen) -> Text | str:
    return name.rcode or failed(name.failure, name.text)


def _answer(name: NameSeen) -> Text:
    """One reply, for the side of a proof."""
    who = name.server or name.asker
    if name.addresses:
        return Text(N_("{who} answers {addresses}"), who=who, addresses=", ".join(name.addresses[:4]))
    return Text(
        N_("{who}: {said}"), who=who, said=name.rcode or failed(name.failure) or Text(N_("no address"))
    )


# ---- R04, R05: nobody answers ------------------------------------------------------------------------------


def _no_resolv_conf(evidence: Evidence) -> Iterable[Judgement]:
    resolv = evidence.settings.resolv
    if resolv.servers or evidence.context.system in ("win32", "darwin"):
        return
    for target, name in _unanswered(evidence):
        if name.failure == Failure.DNS_NOT_FOUND or not name.server.startswith(_OWN_PORTS):
            continue
        other = _second_opinion(evidence, target.host)
        missing = N_("there is no resolv.conf, so go asks this machine: {said}")
        empty = N_("resolv.conf names no server, so go asks this machine: {said}")
        yield judged(
            evidence, "R04", "dns_no_resolv_conf", name.server or "[::1]:53", "resolve",
            Text(empty if resolv.exists else missing, said=_words(name)),
            proof=None if other is None else Proof(_answer(name), _answer(other), Text(N_("who is asked"))),
            sole=True,
        )  # fmt: skip
        return


NO_RESOLV_CONF = Rule(
    "R04", N_("No name server is configured"), ("dns_no_resolv_conf",), when_broken(_no_resolv_conf)
)


def _unreachable(evidence: Evidence) -> Iterable[Judgement]:
    """No configured server says anything, by UDP at least, and go gave up for that reason."""
    if not evidence.settings.resolv.servers:
        return
    for target, name in _unanswered(evidence):
        replies = scene.names_of(evidence, target.host, "server")
        by_udp = [reply for reply in replies if reply.transport == "udp"]
        if name.failure in ("", Failure.DNS_NOT_FOUND) or not by_udp or not all(map(_is_mute, by_udp)):
            continue
        other = next((reply for reply in replies if reply.addresses), None) or _second_opinion(
            evidence, target.host
        )
        server = name.server or by_udp[0].server
        yield judged(
            evidence, "R05", "dns_resolver_unreachable", server, "resolve",
            Text(N_("{server} does not answer: {said}"), server=server, said=_words(name)),
            proof=None if other is None else Proof(_answer(by_udp[0]), _answer(other), _asked(by_udp[0], other)),
            sole=True,
        )  # fmt: skip
        return


def _is_mute(reply: NameSeen) -> bool:
    return not reply.rcode and (reply.failure in _SILENT or reply.failure == Failure.DNS_BAD_ANSWER)


def _asked(one: NameSeen, other: NameSeen) -> Text:
    if one.server == other.server and one.transport != other.transport:
        return Text(N_("UDP or TCP"))
    return Text(N_("who is asked"))


UNREACHABLE = Rule(
    "R05", N_("The name server does not answer"), ("dns_resolver_unreachable",), when_broken(_unreachable)
)


# ---- R06: answers come late --------------------------------------------------------------------------------


def _slow(evidence: Evidence) -> Iterable[Judgement]:
    if not scene.is_slow(evidence):
        return
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is None or not name.addresses or name.seconds < _LATE:
            continue
        replies = scene.names_of(evidence, target.host, "server", "public", "doh")
        quick = min(
            (reply for reply in replies if reply.addresses), key=lambda reply: reply.seconds, default=None
        )
        dead = next((reply for reply in replies if reply.asker == "server" and _is_mute(reply)), None)
        late = next((reply for reply in replies if reply.asker == "server" and reply.seconds >= _LATE), None)
        proof = None
        if quick is not None and quick.seconds < _LATE / 2 and (dead or late) is not None:
            proof = Proof(_timed(dead or late or quick), _timed(quick), Text(N_("who is asked")))
        yield judged(
            evidence, "R06", "dns_slow", (dead or late or name).server or target.host, "resolve",
            Text(N_("{host} is answered after {seconds} s"), host=target.host, seconds=round(name.seconds, 1)),
            proof=proof,
            sole=proof is None and name.seconds >= _LATE,
        )  # fmt: skip
        return


def _timed(name: NameSeen) -> Text:
    who = name.server or name.asker
    if _is_mute(name):
        return Text(N_("{who}: nothing within {seconds} s"), who=who, seconds=round(name.seconds, 1))
    return Text(N_("{who}: answered after {seconds} s"), who=who, seconds=round(name.seconds, 2))


SLOW = Rule("R06", N_("Names are answered late"), ("dns_slow",), _slow)


# ---- R07: a "no" that others do not say --------------------------------------------------------------------


def _denied(evidence: Evidence) -> Iterable[Judgement]:
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is None or name.line or not _is_denial(evidence, name):
            continue
        other = _second_opinion(evidence, target.host)
        is_dishonest = bool(name.addresses) or name.rcode == "REFUSED"
        if other is None and not is_dishonest and not _must_exist(evidence, target):
            continue
        yield judged(
            evidence, "R07", "dns_negative_filter", target.host, "resolve",
            Text(N_("{server} denies {host}: {said}"), server=name.server or "DNS", host=target.host,
                 said=", ".join(name.addresses) or _words(name)),
            proof=None if other is None else Proof(_answer(name), _answer(other), Text(N_("who is asked"))),
            weak=not is_dishonest and not _is_known(target.host),
        )  # fmt: skip


def _must_exist(evidence: Evidence, target: Target) -> bool:
    """Whether a "no" is to be doubted: somebody relies on the host, and nobody else says so."""
    others_agree = any(not reply.addresses and reply.rcode for reply in _opinions(evidence, target.host))
    return not others_agree and (
        target.role in (Role.GOPROXY, Role.SUMDB, Role.STORAGE) or _is_known(target.host)
    )


def _is_denial(evidence: Evidence, name: NameSeen) -> bool:
    """A reply that says no: an error code, no address at all, or an address that leads nowhere."""
    if name.addresses:
        return all(kind_of(address) is Kind.UNSPECIFIED for address in name.addresses)
    spoken = [reply for reply in scene.names_of(evidence, name.name, "server") if reply.rcode]
    return bool(name.rcode or spoken) and name.failure not in (Failure.DNS_TIMEOUT, "")


def _is_known(host: str) -> bool:
    """Whether everybody knows that this host exists."""
    return "public_host" in set(host_tags(host))


DENIED = Rule("R07", N_("The name server denies a name"), ("dns_negative_filter",), when_broken(_denied))


def _opinions(evidence: Evidence, host: str) -> list[NameSeen]:
    return scene.names_of(evidence, host, "public", "doh")


def _second_opinion(evidence: Evidence, host: str) -> NameSeen | None:
    """Somebody else who knows real addresses: a public server, or another configured one."""
    used = scene.name_seen(evidence, host)
    servers = [
        reply
        for reply in scene.names_of(evidence, host, "server")
        if used is None or reply.server != used.server
    ]
    return next((reply for reply in (*_opinions(evidence, host), *servers) if _real(reply)), None)


def _real(reply: NameSeen) -> list[str]:
    return [address for address in reply.addresses if kind_of(address) is not Kind.UNSPECIFIED]


# ---- R03, R01: a wrong address -----------------------------------------------------------------------------


def _override(evidence: Evidence) -> Iterable[Judgement]:
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is None or not name.line or not _leads_astray(evidence, target):
            continue
        right = _verified_elsewhere(evidence, target)
        replies = scene.names_of(evidence, target.host, "server", "public", "doh")
        others = {address for reply in replies for address in reply.addresses}
        if right is None and others & set(name.addresses):
            continue
        yield judged(
            evidence, "R03", "hosts_file_override", f"hosts:{name.line}", "resolve",
            Text(N_("line {line} of the hosts file sends {host} to {addresses}"), line=name.line,
                 host=target.host, addresses=", ".join(name.addresses)),
            proof=None if right is None else _by_address(evidence, target, right),
            weak=not others and right is None and not _is_known(target.host),
        )  # fmt: skip


OVERRIDE = Rule(
    "R03", N_("The hosts file sends a name elsewhere"), ("hosts_file_override",), when_broken(_override)
)


def _hijacked(evidence: Evidence) -> Iterable[Judgement]:
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is None or name.line or not name.addresses or not _leads_astray(evidence, target):
            continue
        if _is_denial(evidence, name):
            continue
        right = _verified_elsewhere(evidence, target)
        doubt = _doubt(evidence, target, name)
        if right is None and not doubt:
            yield from _unconfirmed(evidence, target, name)
            continue
        yield judged(
            evidence, "R01", "dns_hijacked", target.host, "resolve",
            Text(doubt or _OF_ANOTHER, host=target.host,
                 addresses=", ".join(name.addresses)),
            proof=None if right is None else _by_address(evidence, target, right),
        )  # fmt: skip


def _unconfirmed(evidence: Evidence, target: Target, name: NameSeen) -> Iterable[Judgement]:
    """Another host's certificate may mean another host's address, as long as nobody else was asked for it."""
    shown = next((shake for shake in scene.handshakes(evidence, target) if shake.wrong == "wrong_host"), None)
    if shown is None or _opinions(evidence, target.host):
        return
    owner = owner_of(evidence, shown)
    key = _OF_OWNER if owner else _OF_ANOTHER
    addresses = ", ".join(name.addresses)
    yield judged(
        evidence, "R01", "dns_hijacked", target.host, "resolve",
        Text(key, host=target.host, addresses=addresses, owner=owner),
        weak=True,
    )  # fmt: skip


_OF_ANOTHER: Final = N_("{host} is answered with {addresses}, where another host is")
_OF_OWNER: Final = N_(
    "{host} is answered with {addresses}, the address of {owner}; nobody else was asked for it"
)


def owner_of(evidence: Evidence, shake: HandshakeSeen) -> str:
    """The host of another house that the certificate is for and whose own address this is; "" for none."""
    names = {name.lower() for name in shake.chain[0].names} if shake.chain else set()
    return next(
        (
            seen.name
            for seen in evidence.names
            if (seen.asker, seen.name in names) == ("go", True)
            and shake.address in seen.addresses
            and seen.name.split(".")[-2:] != shake.host.split(".")[-2:]
        ),
        "",
    )


def leads_nowhere(evidence: Evidence, host: str) -> bool:
    """Whether all that go was told of a host are addresses that stand for "blocked": then no path is to blame."""
    addresses = scene.go_addresses(evidence, host)
    return bool(addresses) and all(
        kind_of(address) in (Kind.UNSPECIFIED, Kind.SINKHOLE) for address in addresses
    )


def _doubt(evidence: Evidence, target: Target, name: NameSeen) -> str:
    """What makes the answer itself suspicious (an English key); "" for nothing."""
    replies = scene.names_of(evidence, target.host, "server")
    if any(sinkhole(address) for address in name.addresses):
        return N_("{host} is answered with {addresses}, which stands for blocked")
    if any(reply.others for reply in replies):
        return N_("two different replies came to the question for {host}: {addresses}")
    if any(reply.stranger for reply in replies):
        return N_("somebody who was not asked answered for {host}: {addresses}")
    others = {address for reply in _opinions(evidence, target.host) for address in reply.addresses}
    is_odd = all(kind_of(address).is_bogon for address in name.addresses)
    if is_odd and (_is_known(target.host) or others) and not others & set(name.addresses):
        return N_("{host} is answered with {addresses}, where no public host can be")
    return ""


HIJACKED = Rule("R01", N_("The name server lies about an address"), ("dns_hijacked",), when_broken(_hijacked))


def _leads_astray(evidence: Evidence, target: Target) -> bool:
    """Whether nothing at go's own addresses proved to be the host."""
    shakes = scene.handshakes(evidence, target)
    if any(scene.is_verified(shake) for shake in shakes):
        return False
    dials = scene.dials(evidence, target)
    if target.scheme != "https":
        return bool(dials) and all(dial.failure for dial in dials)
    return bool(shakes or dials)


def _verified_elsewhere(evidence: Evidence, target: Target) -> HandshakeSeen | None:
    """The host itself, found at an address that go was not told."""
    told = scene.go_addresses(evidence, target.host)
    return next(
        (
            shake
            for shake in evidence.handshakes
            if (shake.host, shake.port, shake.sni) == (target.host, target.port, target.host)
            and not shake.via
            and shake.address not in told
            and scene.is_verified(shake)
        ),
        None,
    )


def _by_address(evidence: Evidence, target: Target, right: HandshakeSeen) -> Proof:
    return Proof(
        Text(N_("at {address}: {said}"), address=", ".join(scene.go_addresses(evidence, target.host)),
             said=what_is_there(evidence, target)),
        Text(N_("at {address}: the host proves to be {host}"), address=right.address, host=target.host),
        Text(N_("the address")),
    )  # fmt: skip


def what_is_there(evidence: Evidence, target: Target) -> Text | str:
    """How a connection to go's own addresses ends."""
    for shake in scene.handshakes(evidence, target):
        if shake.failure or shake.wrong:
            return failed(shake.failure or shake.wrong)
    return failed(next((dial.failure for dial in scene.dials(evidence, target) if dial.failure), "?"))


# ---- R02: an answer for this house only --------------------------------------------------------------------


def _split_horizon(evidence: Evidence) -> Iterable[Judgement]:
    """A private address that nobody outside gives, and a chain that only a private authority signs."""
    for target in names_needed(evidence):
        name = scene.name_seen(evidence, target.host)
        if name is None or name.line or not name.addresses or target.role is Role.FORWARD_PROXY:
            continue
        is_inside = all(kind_of(address).may_be_internal for address in name.addresses)
        others = {address for reply in _opinions(evidence, target.host) for address in reply.addresses}
        shakes = scene.handshakes(evidence, target)
        is_unknown = bool(shakes) and all(shake.wrong == "unknown_authority" for shake in shakes)
        if is_inside and is_unknown and _opinions(evidence, target.host) and not others & set(name.addresses):
            yield judged(
                evidence, "R02", "split_horizon", target.host, "resolve",
                Text(N_("{host} has the private address {addresses} here, and none or another outside"),
                     host=target.host, addresses=", ".join(name.addresses)),
                weak=True,
            )  # fmt: skip


SPLIT_HORIZON = Rule(
    "R02",
    N_("A name has another address inside than outside"),
    ("split_horizon",),
    when_broken(_split_horizon),
)
