"""Who says what about a host name: the hosts file, Go's resolver, the system's, each server, and second opinions.

Every server is asked every question once, at the same time. What Go's resolver makes of it is worked out from these
replies (dns/gorules.py), together with the seconds that go would have waited; so the whole takes one time limit, also
where go would need half a minute to give up.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Coroutine, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Final

from goferry.doctor.base import Places, World
from goferry.doctor.dns import gorules, question
from goferry.doctor.dns.gorules import Order, Sight
from goferry.doctor.dns.question import Reply
from goferry.doctor.evidence import NameSeen, ResolvConf, SettingsSeen
from goferry.doctor.settings.hiding import hide
from goferry.doctor.settings.names import NO_SERVERS
from goferry.net.base import HttpClient
from goferry.net.failure import Failure
from goferry.net.resolver import is_address, system_addresses

_FAMILIES: Final = (4, 6)

_SOCKETS: Final = 240
"""Sockets open at one time: some systems allow a process 256."""

_GO_ASKS_THE_SYSTEM: Final = sys.platform in ("win32", "darwin")
"""There also a go without cgo leaves names to the system's library (net/conf.go, net/lookup_windows.go)."""

_NOBODY_ELSE_KNOWS: Final = (".localhost", ".local", ".internal", ".home.arpa", ".lan", ".corp", ".onion")
"""Names below these mean something in one house only (RFC 6761, RFC 8375, ICANN's .internal, and habit)."""


async def probe_names(world: World, settings: SettingsSeen, names: Sequence[str]) -> tuple[NameSeen, ...]:
    """All answers for these names, each name's in this order: hosts, go, system, server, public, doh.

    A configured or public server gives one record for each family over UDP and one for IPv4 over TCP (for IPv6 too when
    the UDP reply was cut). Public servers are asked only with `world.public_dns`. IP addresses among the names are left
    out. Takes `world.limits.resolve` and a little more. Never raises for what the network does.
    """
    asked = [name for name in dict.fromkeys(names) if name and not is_address(name)]
    async with _doh_client(world) as client:
        desk = _Desk(world, settings, client)
        found = await asyncio.gather(*map(desk.look, asked))
    return tuple(itertools.chain.from_iterable(found))


def servers_in_use(world: World, resolv: ResolvConf) -> tuple[str, ...]:
    """The servers that Go asks: those of resolv.conf, or this machine itself when there is none (dnsconfig_unix.go)."""
    nobody = () if sys.platform == "win32" else NO_SERVERS
    return tuple(
        f"{server.removesuffix(':53')}:{world.dns_port}" if server.endswith(":53") else server
        for server in resolv.servers or nobody
    )


class _Desk:
    """Asks for many names at once, and every question only once."""

    def __init__(self, world: World, settings: SettingsSeen, client: HttpClient | None) -> None:
        self._world = world
        self._limit = world.limits.resolve
        self._settings = settings
        self._resolv = replace(settings.resolv, servers=servers_in_use(world, settings.resolv))
        self._client = client
        self._running: dict[tuple[str, str, str, int], asyncio.Task[Reply]] = {}
        self._free = asyncio.Semaphore(_SOCKETS)

    async def look(self, name: str) -> tuple[NameSeen, ...]:
        """Everything about one name."""
        system = asyncio.ensure_future(self._system(name))
        parts: list[Awaitable[Iterable[NameSeen]]] = [self._go(name, system), _listed(system)]
        parts += [self._server("server", server, name) for server in self._resolv.servers]
        if not _is_private(name):
            if self._world.public_dns:
                others = (each for each in self._world.public_servers if each not in self._resolv.servers)
                parts += [self._server("public", server, name) for server in others]
            parts += [self._doh(url, name) for url in self._world.doh_urls]
        try:
            found = await asyncio.gather(*parts)
        finally:
            system.cancel()
        return (*self._hosts(name), *itertools.chain.from_iterable(found))

    def _hosts(self, name: str) -> Iterable[NameSeen]:
        lines = gorules.in_hosts(self._settings.hosts, name)
        if lines:
            addresses = tuple(dict.fromkeys(line.address for line in lines))
            yield NameSeen(name, "hosts", addresses=addresses, line=lines[0].line)

    # ---- servers -------------------------------------------------------------------------------------------

    def _ask(self, server: str, transport: str, full_name: str, family: int) -> "asyncio.Task[Reply]":
        key = (server, transport, full_name, family)
        if key not in self._running:
            ask = question.ask_udp if transport == "udp" else question.ask_tcp
            self._running[key] = asyncio.ensure_future(
                self._in_turn(ask(server, full_name, family, self._limit))
            )
        return self._running[key]

    async def _in_turn(self, asking: Coroutine[Any, Any, Reply]) -> Reply:
        async with self._free:
            return await asking

    async def _server(self, asker: str, server: str, name: str) -> Iterable[NameSeen]:
        full_name = _rooted(name)
        ways = (("udp", 4), ("udp", 6), ("tcp", 4))
        replies = await asyncio.gather(*(self._ask(server, way, full_name, family) for way, family in ways))
        if replies[1].truncated:
            replies.append(await self._ask(server, "tcp", full_name, 6))
        return [_seen(name, asker, reply) for reply in replies]

    async def _doh(self, url: str, name: str) -> Iterable[NameSeen]:
        assert self._client is not None
        asking = (
            question.ask_doh(self._client, url, _rooted(name), family, self._limit) for family in _FAMILIES
        )
        return [
            replace(_seen(name, "doh", reply), server=hide(url), text=hide(reply.text))
            for reply in await asyncio.gather(*asking)
        ]

    # ---- the two resolvers of this machine -----------------------------------------------------------------

    async def _system(self, name: str) -> NameSeen | None:
        """getaddrinfo's answer; None in a world that is not this machine's, which the system cannot be asked about."""
        if self._world.places != Places():
            return None
        start = time.monotonic()
        failure, text = "", ""
        addresses: tuple[str, ...] = ()
        try:
            async with asyncio.timeout(self._limit):
                addresses = await system_addresses(name)
        except TimeoutError:
            failure = Failure.DNS_TIMEOUT
        except (OSError, ValueError) as error:
            failure, text = question.failure_of(error), str(error)
        seconds = time.monotonic() - start
        return NameSeen(name, "system", addresses=addresses, seconds=seconds, failure=failure, text=text)

    async def _go(self, name: str, system: "asyncio.Task[NameSeen | None]") -> Iterable[NameSeen]:
        if _GO_ASKS_THE_SYSTEM:
            seen = await asyncio.shield(system)
            return [] if seen is None else [replace(seen, asker="go")]
        order = gorules.order(self._settings.nsswitch)
        lines = gorules.in_hosts(self._settings.hosts, name)
        if not lines or order in (Order.DNS_FILES, Order.DNS):
            sight = await self._go_dns(name) if order is not Order.FILES else gorules.NOT_FOUND
            if not sight.failure or not lines or order is Order.DNS:
                return [_seen_by_go(name, sight)]
        addresses = tuple(dict.fromkeys(line.address for line in lines))
        return [NameSeen(name, "go", addresses=addresses, line=lines[0].line)]

    async def _go_dns(self, name: str) -> Sight:
        """DNS as Go asks it: the full names one after the other, until one of them has an address."""
        sight: Sight | None = None
        mute: dict[str, Reply] = {}
        for full_name in gorules.full_names(name, self._resolv):
            replies = await self._replies(full_name, mute)
            four, six = (
                gorules.one_name(
                    self._resolv, {way[:2]: reply for way, reply in replies.items() if way[2] == family}
                )
                for family in _FAMILIES
            )
            sight = gorules.both_families(name, full_name, four, six, sight)
            if not sight.failure:
                break
        return sight or gorules.NOT_FOUND

    async def _replies(self, full_name: str, mute: dict[str, Reply]) -> Mapping[tuple[str, str, int], Reply]:
        """What all servers say to one full name. Of those that said nothing before, the same is taken for granted."""
        ways = [(server, "udp", family) for server in self._resolv.servers for family in _FAMILIES]
        found = await self._gathered(full_name, [way for way in ways if way[0] not in mute])
        streams = [
            (server, "tcp", family)
            for (server, _way, family), reply in found.items()
            if reply.truncated or self._resolv.use_tcp
        ]
        found |= await self._gathered(full_name, streams)
        found |= {way: mute[way[0]] for way in ways if way[0] in mute}
        for server in self._resolv.servers:
            answered = any(reply.answered for way, reply in found.items() if way[0] == server)
            if not answered and not self._resolv.use_tcp:
                mute[server] = found[server, "udp", 4]
        return found

    async def _gathered(
        self, full_name: str, ways: Sequence[tuple[str, str, int]]
    ) -> dict[tuple[str, str, int], Reply]:
        replies = await asyncio.gather(
            *(self._ask(server, transport, full_name, family) for server, transport, family in ways)
        )
        return dict(zip(ways, replies, strict=True))


# ---- small things ------------------------------------------------------------------------------------------


def _rooted(name: str) -> str:
    return name if name.endswith(".") else f"{name}."


def _is_private(name: str) -> bool:
    """Whether asking strangers about it is pointless, and would tell them the name."""
    plain = name.rstrip(".").lower()
    return "." not in plain or plain.endswith(_NOBODY_ELSE_KNOWS)


def _seen(name: str, asker: str, reply: Reply) -> NameSeen:
    return NameSeen(
        name,
        asker,
        server=reply.server,
        transport=reply.transport,
        family=reply.family,
        addresses=reply.addresses,
        rcode=reply.rcode,
        seconds=reply.seconds,
        failure=reply.failure,
        text=reply.text,
        others=reply.others,
        stranger=reply.stranger,
    )


def _seen_by_go(name: str, sight: Sight) -> NameSeen:
    """The record, with the error in Go's words."""
    on = f" on {sight.server}" if sight.server else ""
    return NameSeen(
        name,
        "go",
        server=sight.server,
        transport=sight.transport,
        addresses=sight.addresses,
        rcode=sight.rcode,
        seconds=sight.seconds,
        failure=sight.failure,
        text=f"lookup {name}{on}: {sight.text}" if sight.failure else "",
    )


async def _listed(task: "asyncio.Task[NameSeen | None]") -> Iterable[NameSeen]:
    seen = await asyncio.shield(task)
    return [] if seen is None else [seen]


@asynccontextmanager
async def _doh_client(world: World) -> AsyncIterator[HttpClient | None]:
    if not world.doh_urls:
        yield None
        return
    from goferry.net.client import Client, ClientOptions  # aiohttp is slow to import, and DoH is rare

    client = Client(ClientOptions(environ=world.environ))
    try:
        yield client
    finally:
        await client.close()
