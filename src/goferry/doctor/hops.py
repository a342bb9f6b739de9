"""What traced hops say: where on the way a connection ends, and where a device stands that strikes at a name.

A first message that goes only so many hops either expires there, which a router tells, or has reached whoever answers
it. So the first hop at which the message for one name is treated unlike that for a neutral name is the hop behind
which the device looks. The router named for a hop is the one that a SYN met there; on a path that is spread over
several lines it may be a neighbour.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from goferry.doctor.evidence import HopSeen


@dataclass(frozen=True, slots=True)
class Struck:
    """Where a first message of TLS is struck. ttl: how many hops away, from 1; router: who stands at the hop before.

    at: who answers at that hop otherwise; failure: `reset`, or "" for silence; of: hops to the host, 0 when unknown.
    """

    ttl: int
    router: str
    at: str
    failure: str
    of: int

    @property
    def is_at_the_host(self) -> bool:
        """It is the host itself, or something right before it: nothing on the way."""
        return self.ttl == self.of


def where_struck(hops: Sequence[HopSeen], host: str, port: int) -> Struck | None:
    """The hop at which the message for this host is treated unlike one for another name; None when nowhere."""
    mine = [hop for hop in hops if (hop.host, hop.port) == (host, port)]
    for target in dict.fromkeys(hop.target for hop in mine):
        steps = [hop for hop in mine if hop.target == target]
        routers = {hop.ttl: hop.address for hop in steps if hop.sent == "syn"}
        named = {hop.ttl: hop for hop in steps if hop.sent == "hello" and hop.sni == host}
        neutral = {hop.ttl: hop for hop in steps if hop.sent == "hello" and hop.sni != host}
        both = sorted(named.keys() & neutral.keys())
        for place, ttl in enumerate(both):
            if _differ(named[ttl], neutral[ttl]) and _lasts([named[later] for later in both[place:]]):
                at = routers.get(ttl, "")
                return Struck(ttl, routers.get(ttl - 1, ""), at, named[ttl].failure, _length(routers, target))
    return None


def _differ(named: HopSeen, neutral: HopSeen) -> bool:
    return not named.address and (named.failure, named.address) != (neutral.failure, neutral.address)


def _lasts(named: Sequence[HopSeen]) -> bool:
    """One silent step may be a router that had said enough; a device that drops lets nothing be heard behind it."""
    return bool(named[0].failure) or not any(hop.address or hop.failure for hop in named)


def _length(routers: dict[int, str], target: str) -> int:
    return next((ttl for ttl, address in routers.items() if address and address == target), 0)


def where_answers_end(hops: Sequence[HopSeen], host: str, port: int) -> HopSeen | None:
    """The last router that answered a SYN to a host which did not answer itself; None when it did, or nobody did."""
    steps = [hop for hop in hops if (hop.host, hop.port, hop.sent) == (host, port, "syn")]
    if any(hop.address and hop.address == hop.target for hop in steps):
        return None
    return next((hop for hop in reversed(steps) if hop.address), None)
