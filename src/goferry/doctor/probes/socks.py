"""The client's part of SOCKS 5 (RFC 1928, RFC 1929), as far as Go uses it: a tunnel to a host by its name."""

import asyncio
from typing import Final

from goferry.net.dial import Endpoint
from goferry.net.failure import Failure
from goferry.net.httpproxy import ProxyUrl, ip_of

_VERSION: Final = 5
_NONE, _PASSWORD, _UNACCEPTABLE = 0, 2, 0xFF
_CONNECT: Final = 1
_IPV4, _NAME, _IPV6 = 1, 3, 4
_SIZES: Final = {_IPV4: 4, _IPV6: 16}

_REPLIES: Final = {
    1: (Failure.PROXY_BAD_GATEWAY, "general SOCKS server failure"),
    2: (Failure.PROXY_DENIED, "connection not allowed by ruleset"),
    3: (Failure.PROXY_BAD_GATEWAY, "network unreachable"),
    4: (Failure.PROXY_BAD_GATEWAY, "host unreachable"),
    5: (Failure.PROXY_BAD_GATEWAY, "connection refused"),
    6: (Failure.PROXY_BAD_GATEWAY, "TTL expired"),
    7: (Failure.PROXY_DENIED, "command not supported"),
    8: (Failure.PROXY_DENIED, "address type not supported"),
}


class SocksRefusal(Exception):
    """The proxy opens no tunnel. failure: a name of the closed list; reason: in the words of the RFC."""

    def __init__(self, failure: Failure, reason: str) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason


async def open_socks_tunnel(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ProxyUrl, target: Endpoint
) -> None:
    """Greets, signs in when asked to, and asks for the target. Raises SocksRefusal, OSError, EOFError."""
    offered = (_NONE,) if proxy.user is None else (_NONE, _PASSWORD)
    writer.write(bytes([_VERSION, len(offered), *offered]))
    method = (await _reply(reader, 2))[1]
    if method == _UNACCEPTABLE or method not in offered:
        raise SocksRefusal(Failure.PROXY_AUTH_REQUIRED, "no acceptable authentication method")
    if method == _PASSWORD:
        await _sign_in(reader, writer, proxy)
    writer.write(bytes([_VERSION, _CONNECT, 0]) + _address(target) + target.port.to_bytes(2, "big"))
    _version, code, _reserved, kind = await _reply(reader, 4)
    if code:
        raise SocksRefusal(*_REPLIES.get(code, (Failure.PROXY_BAD_ANSWER, f"unknown reply {code}")))
    await _skip_address(reader, kind)


async def _skip_address(reader: asyncio.StreamReader, kind: int) -> None:
    """Where the proxy is bound stands before the first byte of the target, and nobody needs it."""
    size = (await reader.readexactly(1))[0] if kind == _NAME else _SIZES.get(kind)
    if size is None:
        raise SocksRefusal(Failure.PROXY_BAD_ANSWER, f"unknown address type {kind}")
    await reader.readexactly(size + 2)


async def _reply(reader: asyncio.StreamReader, size: int) -> bytes:
    data = await reader.readexactly(size)
    if data[0] != _VERSION:
        raise SocksRefusal(Failure.PROXY_BAD_ANSWER, f"not SOCKS 5: {data!r}")
    return data


async def _sign_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ProxyUrl) -> None:
    user, password = (
        (text or "").encode("utf-8", "surrogateescape")[:255] for text in (proxy.user, proxy.password)
    )
    writer.write(bytes([1, len(user)]) + user + bytes([len(password)]) + password)
    if (await reader.readexactly(2))[1]:
        raise SocksRefusal(Failure.PROXY_AUTH_REQUIRED, "user name or password refused")


def _address(target: Endpoint) -> bytes:
    address = ip_of(target.host)
    if address is not None:
        return bytes([_IPV4 if address.version == 4 else _IPV6]) + address.packed
    name = target.host.encode("idna" if not target.host.isascii() else "ascii")
    return bytes([_NAME, len(name)]) + name
