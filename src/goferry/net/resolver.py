"""From a host name to addresses: our own name servers, or the system's resolver, below fixed names and a cache.

A server that must not stall on one bad name server needs its own list, its own time limit per server, and to know
who answered. Without a list the system resolver is asked in a thread, so that nsswitch and /etc/hosts count.
"""

import asyncio
import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from goferry.errors import ConfigError
from goferry.net.failure import Failure, NetError, failed, translated
from goferry.net.trace import Step, Trace

DNS_PORT = 53

# A record may live for days or for no time at all. We re-ask within a minute so that a moved host is noticed, and keep
# even a zero-TTL answer for a moment so that a burst of connections causes one lookup.
MAX_TTL = 60.0
MIN_TTL = 1.0
SYSTEM_TTL = 10.0  # getaddrinfo tells no TTL


@dataclass(frozen=True, slots=True)
class Answer:
    """The addresses of one name, v6 and v4 mixed in the order to try; `ttl` in seconds; `source` is who said so."""

    addresses: tuple[str, ...]
    ttl: float
    source: str


class Resolver(Protocol):
    """One way to find addresses. Raises NetError of a dns_* kind."""

    async def lookup(self, host: str) -> Answer: ...

    async def close(self) -> None: ...


async def system_addresses(host: str) -> tuple[str, ...]:
    """What the operating system says. Raises OSError, and UnicodeError for what is no host name.

    Asked in a thread that nobody waits for at exit: with dead name servers it hangs for half a minute, and the threads
    of the loop's own `getaddrinfo` would hold the end of the program as long.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def settle(addresses: tuple[str, ...], error: Exception | None) -> None:
        if answer.done():
            return
        if error is None:
            answer.set_result(addresses)
        else:
            answer.set_exception(error)

    def work() -> None:
        addresses: tuple[str, ...] = ()
        trouble: Exception | None = None
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            addresses = tuple(dict.fromkeys(str(sockaddr[0]) for *_rest, sockaddr in found))
        except (OSError, ValueError) as error:
            trouble = error
        with suppress(RuntimeError):  # the loop has gone while the library was still waiting
            loop.call_soon_threadsafe(settle, addresses, trouble)

    threading.Thread(target=work, name="getaddrinfo", daemon=True).start()
    return await answer


class SystemResolver:
    """What the operating system says."""

    async def lookup(self, host: str) -> Answer:
        try:
            return Answer(await system_addresses(host), SYSTEM_TTL, "system")
        except (OSError, UnicodeError) as exc:
            raise translated(exc, host=host) from exc

    async def close(self) -> None:
        return None


class UdpResolver:
    """Our own list of name servers, asked in order over UDP (TCP when an answer is cut), A and AAAA together.

    servers: `IP`, `IP:PORT`, `[IPv6]` or `[IPv6]:PORT`; timeout: seconds per try and server; tries: per server.
    "No such name" is final, as in Go; any other trouble moves on to the next server.
    """

    def __init__(self, servers: Sequence[str], *, timeout: float = 2.0, tries: int = 2) -> None:
        self.servers = tuple(name_server(server) for server in servers)
        self._timeout = timeout
        self._tries = tries
        self._channels: dict[str, Any] = {}

    async def lookup(self, host: str) -> Answer:
        trouble: NetError | None = None
        for server in self.servers:
            try:
                return await self._ask(server, host)
            except NetError as exc:
                if exc.kind is Failure.DNS_NOT_FOUND:
                    raise
                trouble = trouble or exc
        raise trouble or failed(Failure.DNS_NOT_FOUND, host=host)

    async def _ask(self, server: str, host: str) -> Answer:
        channel = self._channel(server)
        found = await asyncio.gather(
            *(channel.query_dns(host, kind) for kind in ("AAAA", "A")), return_exceptions=True
        )
        records = [
            record
            for result in found
            if not isinstance(result, BaseException)
            for record in result.answer
            if hasattr(record.data, "addr")
        ]
        if not records:
            raise _worst(found, host)
        addresses = tuple(dict.fromkeys(record.data.addr for record in records))
        return Answer(addresses, float(min(record.ttl for record in records)), server)

    def _channel(self, server: str) -> Any:
        if server not in self._channels:
            # Loaded here: only those who configure name servers need the library.
            import aiodns

            self._channels[server] = aiodns.DNSResolver(
                nameservers=[server], timeout=self._timeout, tries=self._tries
            )
        return self._channels[server]

    async def close(self) -> None:
        channels, self._channels = self._channels, {}
        for channel in channels.values():
            await channel.close()


def _worst(found: Iterable[Any], host: str) -> NetError:
    """Why a server gave no address. A refusal or silence for either family outweighs "not found" for the other."""
    troubles = [translated(exc, host=host) for exc in found if isinstance(exc, BaseException)]
    real = [trouble for trouble in troubles if trouble.kind is not Failure.DNS_NOT_FOUND]
    return (real or troubles or [failed(Failure.DNS_NOT_FOUND, host=host)])[0]


def name_server(text: str) -> str:
    """The server in the form `IP:PORT` or `[IPv6]:PORT`. Raises ConfigError.

    >>> name_server("192.0.2.1"), name_server("2001:db8::1"), name_server("[2001:db8::1]:5353")
    ('192.0.2.1:53', '[2001:db8::1]:53', '[2001:db8::1]:5353')
    """
    host, port = _split_server(text.strip())
    try:
        address = ipaddress.ip_address(host)
        number = int(port) if port.isascii() and port.isdigit() else 0
        if not 0 < number < 65536:
            raise ValueError(port)
    except ValueError as exc:
        raise ConfigError(
            "invalid name server {server}: an IP address is needed, with :PORT if it is not 53", server=text
        ) from exc
    return f"[{address}]:{number}" if address.version == 6 else f"{address}:{number}"


def _split_server(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, _, rest = text[1:].partition("]")
        return host, rest.removeprefix(":") if rest else str(DNS_PORT)
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, str(DNS_PORT)


def host_overrides(entries: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`NAME=IP` entries as a table; several entries for one name add up, as in a hosts file. Raises ConfigError.

    >>> host_overrides(["proxy.example.org=192.0.2.7", "Proxy.Example.org=2001:db8::7"])
    {'proxy.example.org': ('192.0.2.7', '2001:db8::7')}
    """
    table: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        name, _, address = (part.strip() for part in entry.partition("="))
        try:
            if not name:
                raise ValueError(entry)
            plain = str(ipaddress.ip_address(address))
        except ValueError as exc:
            raise ConfigError("invalid host override {entry}: write NAME=IP", entry=entry) from exc
        key = _key(name)
        table[key] = (*table.get(key, ()), plain)
    return table


def _key(host: str) -> str:
    return host.lower().rstrip(".")


class Names:
    """All that a connection needs to know about names: IP literals, fixed names, the cache, then the resolver.

    Concurrent askers of one name share one lookup, which goes on even if the first of them gives up.
    """

    def __init__(
        self,
        resolver: Resolver,
        hosts: Mapping[str, Sequence[str]] | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._resolver = resolver
        self._hosts = {_key(name): tuple(addresses) for name, addresses in (hosts or {}).items()}
        self._clock = clock
        self._cache: dict[str, tuple[float, Answer]] = {}
        self._running: dict[str, asyncio.Task[Answer]] = {}

    async def addresses(self, host: str, trace: Trace) -> tuple[str, ...]:
        """The addresses to try, in order. Raises NetError of a dns_* kind."""
        if is_address(host):
            return (host,)
        with trace.step(Step.RESOLVE, host=host) as told:
            answer = await self._find(_key(host))
            told.update(addresses=answer.addresses, source=answer.source)
            return answer.addresses

    async def _find(self, host: str) -> Answer:
        if host in self._hosts:
            return Answer(self._hosts[host], MAX_TTL, "hosts")
        until, kept = self._cache.get(host, (0.0, None))
        if kept is not None and self._clock() < until:
            return Answer(kept.addresses, kept.ttl, "cache")
        task = self._running.get(host)
        if task is None:
            task = self._running[host] = asyncio.ensure_future(self._resolver.lookup(host))
            task.add_done_callback(lambda done: self._finish(host, done))
        return await asyncio.shield(task)

    def _finish(self, host: str, task: asyncio.Task[Answer]) -> None:
        self._running.pop(host, None)
        if task.cancelled() or task.exception() is not None:
            return
        answer = task.result()
        now = self._clock()
        self._cache = {name: kept for name, kept in self._cache.items() if kept[0] > now}
        self._cache[host] = (now + min(max(answer.ttl, MIN_TTL), MAX_TTL), answer)

    async def close(self) -> None:
        """Ends lookups that still run, and the resolver."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._resolver.close()


def is_address(host: str) -> bool:
    """Whether this is an IP address (without brackets) and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
