"""How Go's own resolver gets from a name to addresses: which sources, which full names, which server, how long.

The rules are those of net/conf.go, net/dnsclient_unix.go and net/hosts.go for a `go` without cgo, as go.dev ships it.
Here they run over replies that are known already. So a dead server is asked once and nobody waits for it ten times,
and still the result says what go would have got and after how many seconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from goferry.doctor.dns.question import Reply
from goferry.doctor.evidence import HostsLine, Raw, ResolvConf
from goferry.doctor.settings.names import go_order
from goferry.net.failure import Failure
from goferry.net.resolver import is_address

_MAX_NAME: Final = 254


class Order(StrEnum):
    """The sources that a host name is looked for in, first to last, in the words of GODEBUG=netdns=2."""

    FILES_DNS = "files,dns"
    DNS_FILES = "dns,files"
    FILES = "files"
    DNS = "dns"

    @property
    def asks_dns(self) -> bool:
        return self is not Order.FILES


def order(sources: Sequence[str]) -> Order:
    """The order for the sources of nsswitch's `hosts:` line (conf.go, lookupOrder, where cgo is not to be had).

    A source that Go does not know counts as DNS, unless `dns` itself is in the line. Criteria in brackets are ignored.

    >>> order(["files", "mdns4_minimal", "[NOTFOUND=return]", "dns"]).value, order(["files", "resolve"]).value
    ('files,dns', 'files,dns')
    """
    return Order(",".join(go_order(sources)))


def in_hosts(lines: Sequence[HostsLine], name: str) -> tuple[HostsLine, ...]:
    """The lines that name this host: all of them count, in the order of the file, whatever the case (hosts.go)."""
    wanted = _key(name)
    return tuple(line for line in lines if is_address(line.address) and wanted in map(_key, line.names))


def _key(name: str) -> str:
    """Names with a dot compare with their final dot, those without as they are (dnsclient.go, absDomainName)."""
    lower = name.lower()
    return f"{lower}." if "." in lower and not lower.endswith(".") else lower


def full_names(name: str, resolv: ResolvConf) -> tuple[str, ...]:
    """The full names that DNS is asked for, one after the other, each with its final dot (nameList).

    >>> full_names("proxy.example.org", ResolvConf(True, search=("corp.example.",), ndots=5))
    ('proxy.example.org.corp.example.', 'proxy.example.org.')
    """
    if not is_domain_name(name):
        return ()
    if name.endswith("."):
        candidates = [name]
    else:
        longer = [f"{name}.{suffix.rstrip('.')}." for suffix in resolv.search if suffix.strip(".")]
        enough_dots = name.count(".") >= resolv.ndots
        candidates = [f"{name}.", *longer] if enough_dots else [*longer, f"{name}."]
    return tuple(each for each in candidates if len(each) <= _MAX_NAME and not _avoids_dns(each))


def is_domain_name(name: str) -> bool:
    """Whether Go asks DNS for it at all (dnsclient.go, isDomainName). Names of digits and dots alone are none."""
    bare = name.removesuffix(".")
    labels = bare.split(".")
    return name == "." or (
        len(bare) < _MAX_NAME and all(map(_is_label, labels)) and any(not label.isdigit() for label in labels)
    )


def _is_label(label: str) -> bool:
    return (
        0 < len(label) <= 63
        and label.isascii()
        and all(char.isalnum() or char in "-_" for char in label)
        and "-" not in (label[0], label[-1])
    )


def _avoids_dns(name: str) -> bool:
    return name.rstrip(".").lower().endswith(".onion")


# ---- what go makes of known replies ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sight:
    """How one question ends for Go. seconds: what go would have waited; text: in the words of its error."""

    addresses: tuple[str, ...] = ()
    seconds: float = 0.0
    server: str = ""
    transport: str = ""
    rcode: str = ""
    failure: str = ""
    text: str = ""


Replies = Mapping[tuple[str, str], Reply]
"""Server and transport to what came back."""

NOT_FOUND: Final = Sight(failure=Failure.DNS_NOT_FOUND, text="no such host")


def one_name(resolv: ResolvConf, replies: Replies) -> Sight:
    """One full name and one family: every server in turn, and all of that `attempts` times (tryOneName)."""
    waited = 0.0
    last = NOT_FOUND
    for attempt in range(1, resolv.attempts + 1):
        for server in resolv.servers:
            last = _exchange(server, attempt, resolv, replies)
            waited += last.seconds
            if last.failure in ("", Failure.DNS_NOT_FOUND):
                return replace(last, seconds=waited)
    return replace(last, seconds=waited)


def both_families(name: str, full_name: str, four: Sight, six: Sight, before: Sight | None) -> Sight:
    """A and AAAA of one full name, which run at the same time; `before`: how the full names before it ended.

    For the error of the whole, the name as it was given outweighs those made longer by the search list.
    """
    waited = max(four.seconds, six.seconds) + (before.seconds if before else 0.0)
    good = [sight for sight in (four, six) if not sight.failure]
    if good:
        return replace(good[0], addresses=four.addresses + six.addresses, seconds=waited)
    if full_name == f"{name}.":
        return replace(six, seconds=waited)  # the AAAA reply is looked at last
    return replace(before or four, seconds=waited)


def _exchange(server: str, attempt: int, resolv: ResolvConf, replies: Replies) -> Sight:
    """One server by UDP, and by TCP if that reply was cut (exchange)."""
    by_udp = _sight(server, "udp", replies.get((server, "udp")), attempt, resolv.timeout)
    if not resolv.use_tcp and by_udp.text != _CUT:
        return by_udp
    by_tcp = _sight(server, "tcp", replies.get((server, "tcp")), 1, resolv.timeout)
    return by_tcp if resolv.use_tcp else replace(by_tcp, seconds=by_udp.seconds + by_tcp.seconds)


_CUT: Final = "cut"
_VERDICTS: Final = (
    (lambda reply: reply.rcode == "NXDOMAIN", Failure.DNS_NOT_FOUND, "no such host"),
    (lambda reply: reply.lame, Failure.DNS_SERVER_FAILURE, "lame referral"),
    (lambda reply: reply.rcode != "NOERROR", "", "server misbehaving"),
    (lambda reply: not reply.addresses, Failure.DNS_NOT_FOUND, "no such host"),
)
"""What a reply means, first row that fits (checkHeader, skipToAnswer); "": the failure of the reply itself."""


def _sight(server: str, transport: str, reply: Reply | None, attempt: int, timeout: float) -> Sight:
    silent = Sight((), timeout, server, transport, "", Failure.DNS_TIMEOUT, f"read {transport}: i/o timeout")
    if reply is None or _too_late(reply, attempt, timeout):
        return silent
    seen = Sight((), reply.latency, server, transport, reply.rcode)
    if not reply.answered:
        return replace(seen, failure=reply.failure, text=_words(reply))
    if transport == "udp" and reply.truncated:
        return replace(seen, text=_CUT)
    for fits, failure, text in _VERDICTS:
        if fits(reply):
            return replace(seen, failure=failure or reply.failure, text=text)
    return replace(seen, addresses=reply.addresses)


_WORDS: Final[Mapping[tuple[str, str], str]] = {
    ("udp", Failure.CONNECT_REFUSED): "read udp: read: connection refused",
    ("udp", Failure.NETWORK_UNREACHABLE): "dial udp: connect: network is unreachable",
    ("udp", Raw.NOT_PERMITTED): "write udp: write: operation not permitted",
    ("tcp", Failure.CONNECT_REFUSED): "dial tcp: connect: connection refused",
    ("tcp", Failure.NETWORK_UNREACHABLE): "dial tcp: connect: network is unreachable",
    ("tcp", Failure.DNS_BAD_ANSWER): "cannot unmarshal DNS message",
    ("tcp", Raw.CLOSED): "EOF",
}
"""Go's words, without the addresses and ports that stand in the middle of them."""


def _words(reply: Reply) -> str:
    if (
        "no route to host" in reply.text.lower()
    ):  # what the network says, where the above is said by this machine
        return f"read {reply.transport}: read: no route to host"
    return _WORDS.get((reply.transport, reply.failure), f"read {reply.transport}: {reply.text}")


def _too_late(reply: Reply, attempt: int, timeout: float) -> bool:
    """Whether go's datagram of this attempt stays without an answer that go accepts: lost, slow, or garbage."""
    if not reply.answered:
        unheard = (
            (Failure.DNS_TIMEOUT, Failure.DNS_BAD_ANSWER)
            if reply.transport == "udp"
            else (Failure.DNS_TIMEOUT,)
        )
        return reply.failure in unheard
    return reply.latency > timeout or reply.attempt > attempt
