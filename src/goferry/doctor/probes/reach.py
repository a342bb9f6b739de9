"""The way to a host as go would take it in this world: its name servers, its roots, its proxy variables."""

import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

from goferry.doctor.base import World
from goferry.doctor.dns.gorules import full_names
from goferry.doctor.evidence import ResolvConf, SettingsSeen
from goferry.errors import ConfigError
from goferry.net import Client, ClientOptions, Failure, NetError, Timeouts
from goferry.net.dial import Dialer
from goferry.net.failure import failed
from goferry.net.resolver import (
    Answer,
    Names,
    Resolver,
    SystemResolver,
    UdpResolver,
    host_overrides,
    name_server,
)
from goferry.net.trust import Trust

_SERVERS = 2
"""A dead first name server may use up its whole time before the second one is asked."""


def timeouts_of(world: World) -> Timeouts:
    """The world's limits as those of one request. A stall is as long as the wait for a first byte may be."""
    limits = world.limits
    return Timeouts(
        resolve=limits.resolve * _SERVERS,
        connect=limits.connect,
        tls=limits.handshake,
        first_byte=limits.first_byte,
        idle=limits.first_byte,
        whole=limits.whole,
    )


@asynccontextmanager
async def http_client(world: World, settings: SettingsSeen) -> AsyncIterator[Client]:
    """A client that resolves, trusts and chooses forward proxies as go does here."""
    options = ClientOptions(
        timeouts=timeouts_of(world), hosts=tuple(_overrides(settings)), environ=dict(world.environ)
    )
    client = Client(options, resolver=resolver_of(world, settings.resolv))
    try:
        yield client
    finally:
        await client.close()


@asynccontextmanager
async def dialer(
    world: World, settings: SettingsSeen, tls: Callable[[], ssl.SSLContext] | None = None
) -> AsyncIterator[Dialer]:
    """The same for bare connections; with `tls` those of another client than go."""
    names = Names(resolver_of(world, settings.resolv), host_overrides(_overrides(settings)))
    try:
        yield Dialer(names, tls or Trust(dict(world.environ)).context)
    finally:
        await names.close()


def resolver_of(world: World, resolv: ResolvConf) -> Resolver:
    """The configured name servers, by Go's list of full names; the system's resolver where none is known."""
    servers = list(_usable(resolv.servers))
    if not servers:
        return SystemResolver()
    return _GoNames(UdpResolver(servers, timeout=world.limits.resolve * 0.9, tries=1), resolv)


def _usable(servers: tuple[str, ...]) -> Iterator[str]:
    for server in servers:
        try:
            yield name_server(server)
        except ConfigError:  # another probe tells of it
            continue


def _overrides(settings: SettingsSeen) -> Iterator[str]:
    """The hosts file as fixed names."""
    for line in settings.hosts:
        try:
            ipaddress.ip_address(line.address)
        except ValueError:
            continue
        yield from (f"{name}={line.address}" for name in line.names if name)


class _GoNames:
    """Asks for each full name in turn, as resolv.conf's search list makes them; any trouble but "not found" ends it."""

    def __init__(self, inner: UdpResolver, resolv: ResolvConf) -> None:
        self._inner = inner
        self._resolv = resolv

    async def lookup(self, host: str) -> Answer:
        trouble: NetError | None = None
        for name in full_names(host, self._resolv):
            try:
                return await self._inner.lookup(name)
            except NetError as exc:
                if exc.kind is not Failure.DNS_NOT_FOUND:
                    raise
                trouble = trouble or exc
        raise trouble or failed(Failure.DNS_NOT_FOUND, host=host)

    async def close(self) -> None:
        await self._inner.close()
