"""Connections for probes: to one address and no other, with the packet size and the forward proxy that a test wants.

A probe that lets a library pick the address or repeat a request cannot say what it has seen.
"""

import asyncio
import errno
import os
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Raw
from goferry.doctor.probes.socks import SocksRefusal, open_socks_tunnel
from goferry.net.dial import Endpoint
from goferry.net.failure import Failure, classify
from goferry.net.httpproxy import ProxyConfig, ProxyUrl, basic_credentials

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

CAN_LIMIT_PACKETS: Final = hasattr(socket, "TCP_MAXSEG")
_MOST_HEAD: Final = 64 * 1024


class Unreached(Exception):
    """There was no connection to talk over. failure, text: as in the records of evidence."""

    def __init__(self, failure: str, text: str = "") -> None:
        super().__init__(failure)
        self.failure = failure
        self.text = text


def named(error: BaseException) -> tuple[str, str]:
    """Failure and text of a connection attempt that ended in this error."""
    number = getattr(error, "errno", None)
    if number in (errno.EPERM, errno.EACCES):
        return Raw.NOT_PERMITTED, said(error)
    kind = classify(error)
    return (Failure.CONNECT_TIMEOUT if kind is Failure.WHOLE_TIMEOUT else kind), said(error)


def said(error: BaseException) -> str:
    """What the system or OpenSSL said, in one line, without the address that asyncio puts into it."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or "").replace("_", " ").lower() or " ".join(str(error).split())
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number in errno.errorcode:
        return os.strerror(number)
    return " ".join(str(error).split())


async def connect(address: str, port: int, seconds: float, *, mss: int = 0) -> socket.socket:
    """A TCP connection to an IP address. Raises Unreached.

    mss: the most bytes that a packet may carry in either direction (TCP_MAXSEG), 0 for what the path suggests.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:  # a kernel without IPv6
        raise Unreached(*named(error)) from error
    try:
        sock.setblocking(False)
        _limit_packets(sock, mss)
        async with asyncio.timeout(seconds):
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except Unreached:
        sock.close()
        raise
    except (OSError, OverflowError) as error:
        sock.close()
        raise Unreached(*named(error)) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _limit_packets(sock: socket.socket, mss: int) -> None:
    if not mss:
        return
    if not CAN_LIMIT_PACKETS:
        raise Unreached(Raw.NOT_PERMITTED, "TCP_MAXSEG")
    try:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, mss)
    except OSError as error:
        raise Unreached(Raw.NOT_PERMITTED, f"TCP_MAXSEG: {said(error)}") from error


@asynccontextmanager
async def reached(
    world: World, host: str, address: str, port: int, *, mss: int = 0, via: str = ""
) -> AsyncIterator[Stream]:
    """A connection on which the target can be spoken to, dropped at the end. Raises Unreached.

    via: the URL of a forward proxy, which gets a CONNECT for `host`; address and mss do not count then.
    """
    if via:
        reader, writer = await _tunnel(world, Endpoint(host, port, tls=True), via)
    else:
        sock = await connect(address, port, world.limits.connect, mss=mss)
        reader, writer = await asyncio.open_connection(sock=sock)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def unverified() -> ssl.SSLContext:
    """Settings for a connection whose certificate is looked at and not believed.

    The security level of OpenSSL is set aside: a key that Go takes must not look like a broken handshake.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    return context


# ---- through a forward proxy -------------------------------------------------------------------------------

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})")
_REFUSALS: Final = {
    407: Failure.PROXY_AUTH_REQUIRED,
    502: Failure.PROXY_BAD_GATEWAY,
    503: Failure.PROXY_BAD_GATEWAY,
    504: Failure.PROXY_BAD_GATEWAY,
}


def proxy_url(text: str) -> ProxyUrl | None:
    """The proxy as Go would read this value; its `str()` has no credentials."""
    return ProxyConfig(https=text).https


async def _tunnel(world: World, target: Endpoint, via: str) -> Stream:
    proxy = proxy_url(via)
    opener = _OPENERS.get(proxy.scheme) if proxy else None
    if proxy is None or opener is None:
        raise Unreached(Failure.PROXY_UNSUPPORTED, proxy.scheme if proxy else "")
    reader, writer = await _to_proxy(world, proxy)
    try:
        async with asyncio.timeout(world.limits.first_byte):
            await opener(reader, writer, proxy, target)
    except (SocksRefusal, OSError, EOFError, asyncio.LimitOverrunError) as error:
        writer.transport.abort()
        raise _no_tunnel(error) from error
    except BaseException:
        writer.transport.abort()
        raise
    return reader, writer


def _no_tunnel(error: Exception) -> Unreached:
    if isinstance(error, SocksRefusal):
        return Unreached(error.failure, error.reason)
    is_late = isinstance(error, TimeoutError)
    return Unreached(Failure.PROXY_TIMEOUT if is_late else Failure.PROXY_BAD_ANSWER, said(error))


async def _open_http_tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ProxyUrl, target: Endpoint
) -> None:
    writer.write(_connect_request(target, proxy))
    _check(await reader.readuntil(b"\r\n\r\n"))


_OPENERS: Final = {
    "http": _open_http_tunnel,
    "https": _open_http_tunnel,
    "socks5": open_socks_tunnel,
    "socks5h": open_socks_tunnel,
}


async def _to_proxy(world: World, proxy: ProxyUrl) -> Stream:
    context = unverified() if proxy.scheme == "https" else None
    try:
        async with asyncio.timeout(world.limits.connect):
            return await asyncio.open_connection(
                proxy.host, int(proxy.effective_port), ssl=context, limit=_MOST_HEAD
            )
    except (OSError, ValueError, OverflowError) as error:
        raise Unreached(Failure.PROXY_UNREACHABLE, said(error)) from error


def _connect_request(target: Endpoint, proxy: ProxyUrl) -> bytes:
    lines = [f"CONNECT {target.authority} HTTP/1.1", f"Host: {target.authority}"]
    if proxy.user is not None:
        lines.append(f"Proxy-Authorization: {basic_credentials(proxy.user, proxy.password)}")
    return "\r\n".join([*lines, "", ""]).encode("ascii", "replace")


def _check(head: bytes) -> None:
    match = _STATUS.match(head)
    line = head.partition(b"\r\n")[0][:80].decode("latin-1")
    if match is None:
        raise Unreached(Failure.PROXY_BAD_ANSWER, line)
    status = int(match[1])
    if status // 100 != 2:
        raise Unreached(_REFUSALS.get(status, Failure.PROXY_DENIED), line)
