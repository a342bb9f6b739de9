"""Name servers side by side: how long go would wait for a name with each, how often in vain, and who answers rightly.

One round asks for every name once, both families, by Go's rules (gorules.py). What is measured is the wait of go: a
dead first server costs its whole time limit in every lookup, although it is waited for once only.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from goferry.doctor.dns import gorules
from goferry.doctor.dns.gorules import Sight
from goferry.doctor.dns.question import Reply, ask_tcp, ask_udp
from goferry.doctor.evidence import NameSeen, ResolvConf
from goferry.net.failure import Failure

ROUNDS: Final = 5
_PAUSE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Remedy:
    """A way to have names answered. key: `current`, `public` or `stub`; servers: as `IP:PORT`."""

    key: str
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What a remedy did. waits: seconds of each lookup that had an answer; lookups: how many there were.

    failures: lookups without an answer; denied: lookups that were told "no such host"; right: None when nothing is
    known to be right, else whether every name got a right address every time.
    """

    remedy: Remedy
    lookups: int
    waits: tuple[float, ...] = ()
    failures: int = 0
    denied: int = 0
    right: bool | None = None
    told: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The addresses of each name, from the last round that had any."""

    def quantile(self, share: float) -> float:
        """The wait that this share of the answered lookups did not exceed; nan when none was answered."""
        ordered = sorted(self.waits)
        return ordered[max(math.ceil(share * len(ordered)) - 1, 0)] if ordered else math.nan

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.remedy.key,
            "servers": list(self.remedy.servers),
            "lookups": self.lookups,
            "failures": self.failures,
            "denied": self.denied,
            "right": self.right,
            "p50": _rounded(self.quantile(0.5)),
            "p95": _rounded(self.quantile(0.95)),
        }


def _rounded(seconds: float) -> float | None:
    return None if math.isnan(seconds) else round(seconds, 5)


async def measure(
    remedies: Sequence[Remedy],
    names: Sequence[str],
    resolv: ResolvConf,
    right: Mapping[str, frozenset[str]],
    *,
    rounds: int = ROUNDS,
    limit: float = 2.0,
    mute: Mapping[str, Reply] | None = None,
    told: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Measured, ...]:
    """Measures the remedies, each in turn within a round so that none has the better moments.

    resolv: search list and limits of the current settings; right: addresses of each name that TLS has proven; limit:
    seconds for one server. mute: servers that are known to say nothing, which are not waited for again. told: is given
    the rounds that are done, and all.
    """
    benches = [_Bench(remedy, resolv, right, limit, mute or {}) for remedy in remedies]
    for done in range(rounds):
        for bench in benches:
            await bench.round(names)
        told(done + 1, rounds)
        await asyncio.sleep(_PAUSE)
    return tuple(bench.result for bench in benches)


def mute_servers(seen: Iterable[NameSeen]) -> dict[str, Reply]:
    """The servers that said nothing to any question over UDP, each with what came instead."""
    by_server: dict[str, list[NameSeen]] = {}
    for each in seen:
        if each.asker in ("server", "public") and each.transport == "udp":
            by_server.setdefault(each.server, []).append(each)
    return {
        server: Reply(
            server,
            "udp",
            answers[0].family,
            seconds=answers[0].seconds,
            failure=answers[0].failure,
            text=answers[0].text,
            latency=answers[0].seconds,
        )
        for server, answers in by_server.items()
        if not any(each.rcode for each in answers)
    }


class _Bench:
    """One remedy while it is measured."""

    def __init__(
        self,
        remedy: Remedy,
        resolv: ResolvConf,
        right: Mapping[str, frozenset[str]],
        limit: float,
        mute: Mapping[str, Reply],
    ) -> None:
        self.result = Measured(remedy, 0)
        self._resolv = replace(resolv, servers=remedy.servers)
        self._right = right
        self._limit = limit
        self._mute: dict[str, Reply] = dict(mute)

    async def round(self, names: Sequence[str]) -> None:
        """Every name once, all at the same time."""
        sights = await asyncio.gather(*(self._lookup(name) for name in names))
        for name, sight in zip(names, sights, strict=True):
            self._note(name, sight)

    async def _lookup(self, name: str) -> Sight:
        sight: Sight | None = None
        for full_name in gorules.full_names(name, self._resolv):
            four, six = await asyncio.gather(*(self._one(full_name, family) for family in (4, 6)))
            sight = gorules.both_families(name, full_name, four, six, sight)
            if sight.failure != Failure.DNS_NOT_FOUND:
                break
        return sight or gorules.NOT_FOUND

    async def _one(self, full_name: str, family: int) -> Sight:
        """One question, asked of the servers one after the other as go does, until one decides."""
        replies: dict[tuple[str, str], Reply] = {}
        for server in self._resolv.servers:
            reply = self._mute.get(server) or await self._ask(server, full_name, family)
            replies[server, reply.transport] = reply
            if not reply.answered:
                self._mute[server] = reply
            if reply.truncated and reply.transport == "udp":
                replies[server, "tcp"] = await ask_tcp(server, full_name, family, self._limit)
            if reply.rcode in ("NOERROR", "NXDOMAIN") and not reply.lame:
                break
        return gorules.one_name(self._resolv, replies)

    async def _ask(self, server: str, full_name: str, family: int) -> Reply:
        if self._resolv.use_tcp:
            return await ask_tcp(server, full_name, family, self._limit)
        return await ask_udp(server, full_name, family, self._limit, listen=0.0)

    def _note(self, name: str, sight: Sight) -> None:
        before = self.result
        answered = sight.failure in ("", Failure.DNS_NOT_FOUND)
        right = before.right
        if self._right.get(name) and answered:
            right = bool(set(sight.addresses) & self._right[name]) and right is not False
        self.result = replace(
            before,
            lookups=before.lookups + 1,
            waits=(*before.waits, sight.seconds) if answered else before.waits,
            failures=before.failures + (not answered),
            denied=before.denied + (sight.failure == Failure.DNS_NOT_FOUND),
            right=right,
            told={**before.told, name: sight.addresses} if sight.addresses else before.told,
        )
