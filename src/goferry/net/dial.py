"""From an address to a connection: name, TCP, forward proxy, TLS, each with its own limit and its own events.

aiohttp would do all of this in one go under one limit. A doctor has to tell a dead host from a stalled handshake, and
a server must not wait a minute for either; so only the pool is aiohttp's (see exchange.py), and dialling is ours.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

import aiohappyeyeballs

from goferry.net.base import Timeouts
from goferry.net.failure import Failure, NetError, failed, limit, translated
from goferry.net.httpproxy import ProxyUrl, basic_credentials
from goferry.net.resolver import Names
from goferry.net.trace import Step, Trace

# RFC 8305: how long the first family may take before the other is tried beside it.
HAPPY_EYEBALLS_DELAY = 0.25

# loop.start_tls and friends insist on a handshake limit of their own. Ours is `Timeouts.tls`; theirs must not be first.
_NEVER = 24 * 3600.0

_MAX_PROXY_HEAD = 64 * 1024

P = TypeVar("P", bound=asyncio.Protocol)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end to reach. `host` is a name or an IP address without brackets."""

    host: str
    port: int
    tls: bool

    @property
    def authority(self) -> str:
        """`host:port`, as CONNECT wants it."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Dialer:
    """Makes connections. tls: gives the context for verified connections, asked when the first one is needed."""

    def __init__(
        self,
        names: Names,
        tls: Callable[[], ssl.SSLContext],
        *,
        happy_eyeballs_delay: float = HAPPY_EYEBALLS_DELAY,
    ) -> None:
        self._names = names
        self._tls = tls
        self._delay = happy_eyeballs_delay

    def prepare(self) -> None:
        """Makes the TLS context, if that is not done. Raises what it raises."""
        self._tls()

    async def dial(
        self,
        factory: Callable[[], P],
        target: Endpoint,
        timeouts: Timeouts,
        trace: Trace,
        proxy: ProxyUrl | None = None,
    ) -> tuple[asyncio.Transport, P]:
        """A connection ready for HTTP to the target. Raises NetError.

        Through a proxy a TLS target gets a CONNECT tunnel; a plain one gets the connection to the proxy itself, where
        requests are to be sent in absolute form.
        """
        if proxy is None:
            return await self._reach(factory, target, timeouts, trace)
        via = _proxy_endpoint(proxy, target)
        if not target.tls:
            return await self._reach_proxy(factory, via, target, timeouts, trace)
        transport, tunnel = await self._reach_proxy(_Tunnel, via, target, timeouts, trace)
        try:
            await _open_tunnel(transport, tunnel, proxy, via, target, timeouts, trace)
            return await self._start_tls(transport, factory, target, timeouts, trace)
        except BaseException:
            transport.abort()
            raise

    async def _reach(
        self, factory: Callable[[], P], target: Endpoint, timeouts: Timeouts, trace: Trace
    ) -> tuple[asyncio.Transport, P]:
        async with limit(timeouts.resolve, Failure.DNS_TIMEOUT, host=target.host):
            addresses = await self._names.addresses(target.host, trace)
        sock = await self._connect(addresses, target, timeouts, trace)
        try:
            return await self._wrap(sock, factory, target, timeouts, trace)
        except BaseException:
            sock.close()
            raise

    async def _reach_proxy(
        self, factory: Callable[[], P], via: Endpoint, target: Endpoint, timeouts: Timeouts, trace: Trace
    ) -> tuple[asyncio.Transport, P]:
        try:
            return await self._reach(factory, via, timeouts, trace)
        except NetError as exc:
            raise failed(Failure.PROXY_UNREACHABLE, host=target.authority, detail=str(exc)) from exc

    async def _connect(
        self, addresses: Sequence[str], target: Endpoint, timeouts: Timeouts, trace: Trace
    ) -> socket.socket:
        infos = [_addr_info(address, target.port) for address in addresses]
        with trace.step(Step.CONNECT, host=target.host, port=target.port, addresses=tuple(addresses)) as told:
            async with limit(timeouts.connect, Failure.CONNECT_TIMEOUT, host=target.authority):
                try:
                    sock = await aiohappyeyeballs.start_connection(infos, happy_eyeballs_delay=self._delay)
                except (
                    OSError,
                    RuntimeError,
                ) as exc:  # uvloop raises RuntimeError for some unusable addresses
                    raise translated(exc, host=target.authority) from exc
            told["address"] = _peer(sock)
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return sock

    async def _wrap(
        self,
        sock: socket.socket,
        factory: Callable[[], P],
        target: Endpoint,
        timeouts: Timeouts,
        trace: Trace,
    ) -> tuple[asyncio.Transport, P]:
        loop = asyncio.get_running_loop()
        if not target.tls:
            return await loop.create_connection(factory, sock=sock)
        with trace.step(Step.TLS, host=target.host) as told:
            async with _handshake(target, timeouts):
                transport, protocol = await loop.create_connection(
                    factory,
                    sock=sock,
                    ssl=self._tls(),
                    server_hostname=_server_name(target),
                    ssl_handshake_timeout=_NEVER,
                )
            told.update(_session(transport))
            return transport, protocol

    async def _start_tls(
        self,
        inner: asyncio.Transport,
        factory: Callable[[], P],
        target: Endpoint,
        timeouts: Timeouts,
        trace: Trace,
    ) -> tuple[asyncio.Transport, P]:
        """TLS to the target inside the tunnel, which may be TLS itself."""
        protocol = factory()
        with trace.step(Step.TLS, host=target.host) as told:
            async with _handshake(target, timeouts):
                transport = await asyncio.get_running_loop().start_tls(
                    inner,
                    protocol,
                    self._tls(),
                    server_hostname=_server_name(target),
                    ssl_handshake_timeout=_NEVER,
                )
                if transport is None:  # the loop noticed the loss of the connection only now
                    raise failed(Failure.CONNECT_RESET, host=target.authority)
            protocol.connection_made(transport)
            told.update(_session(transport))
            return transport, protocol


@asynccontextmanager
async def _handshake(target: Endpoint, timeouts: Timeouts) -> AsyncIterator[None]:
    """Around one TLS handshake: its limit, and its errors in our names."""
    async with limit(timeouts.tls, Failure.TLS_TIMEOUT, host=target.authority):
        try:
            yield
        except OSError as exc:
            if isinstance(exc, TimeoutError) and exc.errno is None:
                raise
            raise translated(exc, host=target.authority) from exc


def _server_name(target: Endpoint) -> str:
    """The name to verify; certificates hold names without the final dot."""
    return target.host.rstrip(".")


def _session(transport: asyncio.Transport) -> dict[str, object]:
    """What was agreed: version and cipher."""
    session = transport.get_extra_info("ssl_object")
    return {"version": session.version(), "cipher": session.cipher()[0]}


def _addr_info(
    address: str, port: int
) -> tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int]]:
    if ":" in address:
        plain, _, zone = address.partition("%")
        scope = socket.if_nametoindex(zone) if zone and not zone.isdigit() else int(zone or 0)
        return (socket.AF_INET6, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (plain, port, 0, scope))
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


def _peer(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except OSError:  # gone already; the next step will say so
        return ""


# --- CONNECT ----------------------------------------------------------------------------------------------------------

_SUPPORTED = ("http", "https")

_REFUSALS = {
    407: Failure.PROXY_AUTH_REQUIRED,
    502: Failure.PROXY_BAD_GATEWAY,
    503: Failure.PROXY_BAD_GATEWAY,
    504: Failure.PROXY_BAD_GATEWAY,
}


def _proxy_endpoint(proxy: ProxyUrl, target: Endpoint) -> Endpoint:
    """Where the proxy listens. Raises NetError for a kind of proxy that is not supported, or no address at all."""
    port = proxy.effective_port
    if proxy.scheme not in _SUPPORTED:
        raise failed(Failure.PROXY_UNSUPPORTED, host=target.authority, detail=str(proxy))
    if not proxy.host or not 0 < int(port) < 65536:
        raise failed(Failure.PROXY_UNREACHABLE, host=target.authority, detail=str(proxy))
    return Endpoint(proxy.host, int(port), proxy.scheme == "https")


async def _open_tunnel(
    transport: asyncio.Transport,
    tunnel: "_Tunnel",
    proxy: ProxyUrl,
    via: Endpoint,
    target: Endpoint,
    timeouts: Timeouts,
    trace: Trace,
) -> None:
    with trace.step(Step.PROXY_CONNECT, proxy=via.authority, host=target.authority) as told:
        # The proxy looks up and connects for us before it answers, so this is a wait for a first byte.
        async with limit(timeouts.first_byte, Failure.PROXY_TIMEOUT, host=target.authority):
            transport.write(_connect_request(target, proxy))
            head = await tunnel.head
        status, phrase = _status(head, target)
        told["status"] = status
        if status // 100 != 2:
            kind = _REFUSALS.get(status, Failure.PROXY_DENIED)
            raise failed(kind, host=target.authority, detail=f"{status} {phrase}".strip())


def _connect_request(target: Endpoint, proxy: ProxyUrl) -> bytes:
    lines = [f"CONNECT {target.authority} HTTP/1.1", f"Host: {target.authority}"]
    if proxy.user is not None:
        lines.append(f"Proxy-Authorization: {basic_credentials(proxy.user, proxy.password)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")


def _status(head: bytes | None, target: Endpoint) -> tuple[int, str]:
    """Status and phrase of the proxy's answer; None as head means it hung up first."""
    line = (head or b"").partition(b"\r\n")[0].decode("latin-1")
    match = _STATUS_LINE.fullmatch(line)
    if match is None:
        detail = line[:80] if head is not None else "connection closed"
        raise failed(Failure.PROXY_BAD_ANSWER, host=target.authority, detail=detail)
    return int(match[1]), match[2] or ""


_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?")


class _Tunnel(asyncio.Protocol):
    """Collects the head of the answer to CONNECT: `head` becomes the bytes, or None when the proxy hung up."""

    def __init__(self) -> None:
        self.head: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()
        self._seen = bytearray()

    def data_received(self, data: bytes) -> None:
        self._seen += data
        end = self._seen.find(b"\r\n\r\n")
        if end >= 0 or len(self._seen) > _MAX_PROXY_HEAD:
            self._settle(bytes(self._seen))

    def eof_received(self) -> None:
        self._settle(bytes(self._seen) or None)

    def connection_lost(self, _exc: Exception | None) -> None:
        self._settle(bytes(self._seen) or None)

    def _settle(self, head: bytes | None) -> None:
        if not self.head.done():
            self.head.set_result(head)
