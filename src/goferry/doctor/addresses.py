"""What an address is by itself, before anybody connects to it: public, private, a bogon, or a known sinkhole.

An answer of 127.0.0.1 for a public host needs no further proof that somebody lies. Most lies are not so plain, and a
private address may be the company's own, rightly; so a kind is evidence here and a verdict nowhere.
"""

import ipaddress
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Kind(StrEnum):
    """Kinds of addresses. The values are stable and never translated."""

    GLOBAL = "global"
    UNSPECIFIED = "unspecified"
    LOOPBACK = "loopback"
    PRIVATE = "private"
    CGNAT = "cgnat"
    BENCHMARK = "benchmark"
    LINK_LOCAL = "link_local"
    DOCUMENTATION = "documentation"
    TEREDO = "teredo"
    MULTICAST = "multicast"
    RESERVED = "reserved"
    SINKHOLE = "sinkhole"
    INVALID = "invalid"

    @property
    def is_bogon(self) -> bool:
        """Whether no public host can be reached at such an address."""
        return self not in (Kind.GLOBAL, Kind.SINKHOLE)

    @property
    def may_be_internal(self) -> bool:
        """Whether a company or a container may rightly give such an address to a host of its own."""
        return self in (Kind.PRIVATE, Kind.CGNAT, Kind.BENCHMARK, Kind.LOOPBACK, Kind.LINK_LOCAL)


# The IANA special-purpose registries (RFC 6890 and its updates), most telling kind first.
_KINDS: Final[tuple[tuple[Kind, tuple[_Network, ...]], ...]] = tuple(
    (kind, tuple(ipaddress.ip_network(network) for network in networks))
    for kind, networks in (
        # "This network", RFC 1122; Linux dials 0.0.0.0 as this host, so go reports "refused" rather than "no route".
        (Kind.UNSPECIFIED, ("0.0.0.0/8", "::/128")),
        (Kind.LOOPBACK, ("127.0.0.0/8", "::1/128")),
        (Kind.PRIVATE, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
        (Kind.CGNAT, ("100.64.0.0/10",)),
        # RFC 2544. Tunnelling clients hand out addresses of this block and map them back ("fake IP").
        (Kind.BENCHMARK, ("198.18.0.0/15", "2001:2::/48")),
        (Kind.LINK_LOCAL, ("169.254.0.0/16", "fe80::/10")),
        (Kind.DOCUMENTATION,
         ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "3fff::/20")),
        # No server lives behind Teredo any more; injected AAAA replies are known to fall into this block.
        (Kind.TEREDO, ("2001::/32",)),
        (Kind.MULTICAST, ("224.0.0.0/4", "ff00::/8")),
        (Kind.RESERVED, ("192.0.0.0/24", "192.88.99.0/24", "240.0.0.0/4", "::/8", "100::/64")),
    )
)  # fmt: skip

_GREAT_FIREWALL: Final = "injected answers seen in China"
_UMBRELLA: Final = "block page of Cisco Umbrella"

SINKHOLES: Final[Mapping[str, str]] = {
    # Facts from public reports (among them OONI's list of fingerprints and the papers on injected DNS answers).
    # Addresses that hosts of some value use today were left out, even where they were seen in injected answers.
    **dict.fromkeys(
        (
            "4.36.66.178", "8.7.198.45", "37.61.54.158", "46.82.174.68", "59.24.3.173", "64.33.88.161",
            "64.33.99.47", "64.66.163.251", "65.104.202.252", "65.160.219.113", "66.45.252.237", "78.16.49.15",
            "93.46.8.89", "128.121.126.139", "159.24.3.173", "159.106.121.75", "169.132.13.103", "192.67.198.6",
            "202.106.1.2", "202.181.7.85", "203.98.7.65", "203.161.230.171", "207.12.88.98", "208.56.31.43",
            "209.36.73.33", "209.145.54.50", "209.220.30.174", "211.94.66.147", "213.169.251.35",
            "216.221.188.182", "216.234.179.13", "243.185.187.30", "243.185.187.39",
        ),
        _GREAT_FIREWALL,
    ),
    **{f"146.112.61.{last}": _UMBRELLA for last in range(104, 111)},
    "10.10.34.34": "block page of Iran",
    "10.10.34.35": "block page of Iran",
    "10.10.34.36": "block page of Iran",
    "36.86.63.185": "block page of Indonesia",
    "195.175.254.2": "block page of Turkey",
}  # fmt: skip
"""Addresses that stand for "blocked", with who is known to answer them."""


def kind_of(address: str) -> Kind:
    """The kind of an address; `invalid` for what is none. An IPv4 address in IPv6 clothes counts as itself.

    >>> kind_of("198.18.0.7").value, kind_of("::ffff:10.1.2.3").value, kind_of("93.46.8.89").value
    ('benchmark', 'private', 'sinkhole')
    """
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return Kind.INVALID
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    if str(parsed) in SINKHOLES:
        return Kind.SINKHOLE
    return next(
        (
            kind
            for kind, networks in _KINDS
            for network in networks
            if parsed.version == network.version and parsed in network
        ),
        Kind.GLOBAL,
    )


def is_suspicious(address: str) -> bool:
    """Whether a public name should never have this address: a bogon or a sinkhole."""
    return kind_of(address) is not Kind.GLOBAL


def sinkhole(address: str) -> str:
    """Who is known to answer this address in place of a blocked one's; "" for any other address."""
    return SINKHOLES.get(address, "")
