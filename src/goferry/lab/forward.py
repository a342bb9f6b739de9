"""A forward proxy on loopback: CONNECT tunnels and absolute-form requests, with or without a password, or broken."""

import asyncio
import ssl
from base64 import b64encode
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from goferry.lab.tcp import HEALTHY, LOOPBACK, Peer, Wire, both, pump

Find = Callable[[str, int], tuple[str, int] | None]
"""(host, port) that a client asked for → where it really is, or None for a host that the proxy does not know."""


Connect = Callable[[str, int], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
"""(host, port) → a connection to it. Raises OSError."""


class Conduct(StrEnum):
    """How the proxy behaves once a request is there."""

    PROPER = "proper"
    SILENT = "silent"
    HANGS_UP = "hangs_up"
    TALKS_NONSENSE = "talks_nonsense"
    REFUSES = "refuses"
    """Answers every request with `refusal`."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. target: `host:port` for CONNECT, else the URL; headers have lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]


class ForwardProxy(Peer):
    """The proxy.

    auth: (user, password) that it insists on, with `challenge`; deny: `host:port` targets that it answers with 403;
    routes, or else find: where a `host:port` really is, so that made-up names lead to loopback servers; refusal: the
    status line of REFUSES, which comes `delay` seconds late; connect: makes the connections to targets.
    `requests` holds all that was asked.
    """

    def __init__(
        self,
        *,
        auth: tuple[str, str] | None = None,
        deny: Collection[str] = (),
        routes: Mapping[str, tuple[str, int]] | None = None,
        find: Find | None = None,
        conduct: Conduct = Conduct.PROPER,
        refusal: str = "502 Bad Gateway",
        challenge: str = 'Basic realm="lab"',
        delay: float = 0.0,
        connect: Connect = asyncio.open_connection,
        tls: ssl.SSLContext | None = None,
        listen: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        super().__init__(tls=tls, listen=listen)
        self._auth = None if auth is None else "Basic " + b64encode(":".join(auth).encode()).decode("ascii")
        self._deny = frozenset(deny)
        self._routes = dict(routes or {})
        self._find = find
        self._conduct = conduct
        self._answer_to_all = refusal
        self._challenge = challenge
        self._delay = delay
        self._connect = connect
        self.requests: list[Request] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.readexactly(1)
        # What starts with no letter, as a ClientHello does, is no request; nobody would wait for its end.
        request = _parse(first + await reader.readuntil(b"\r\n\r\n")) if first.isalpha() else None
        if request is None:
            writer.write(_answer("400 Bad Request"))
            await writer.drain()
            return
        self.requests.append(request)
        if self._conduct is Conduct.SILENT:
            await asyncio.Event().wait()
        elif self._conduct is Conduct.HANGS_UP:
            return
        elif self._conduct is Conduct.TALKS_NONSENSE:
            writer.write(b"220 mail.example.com ESMTP\r\n\r\n")
        elif (refusal := self._refusal(request)) is not None:
            await asyncio.sleep(self._delay)
            writer.write(_answer(refusal, self._challenge))
        else:
            await self._forward(request, reader, writer)
        await writer.drain()

    def _refusal(self, request: Request) -> str | None:
        if self._conduct is Conduct.REFUSES:
            return self._answer_to_all
        if self._auth is not None and request.headers.get("proxy-authorization") != self._auth:
            return "407 Proxy Authentication Required"
        return "403 Forbidden" if _authority(request) in self._deny else None

    async def _forward(
        self, request: Request, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            away_reader, away_writer = await self._connect(*self._place(request))
        except OSError:
            writer.write(_answer("502 Bad Gateway"))
            return
        try:
            if request.method == "CONNECT":
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                away_writer.write(_origin_form(request))
            await both(pump(reader, Wire(away_writer, HEALTHY)), pump(away_reader, Wire(writer, HEALTHY)))
        finally:
            away_writer.transport.abort()

    def _place(self, request: Request) -> tuple[str, int]:
        """Where the target is. Raises OSError for one that nobody knows."""
        authority = _authority(request)
        if authority in self._routes or self._find is None:
            return self._routes.get(authority) or _split(authority)
        found = self._find(*_split(authority))
        if found is None:
            raise OSError(authority)
        return found


def _parse(head: bytes) -> Request | None:
    """The request; None for what is none, or names no `host:port`."""
    line, *fields = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    words = line.split(" ")
    if len(words) != 3:
        return None
    pairs = (field.partition(":") for field in fields)
    request = Request(words[0], words[1], {name.strip().lower(): value.strip() for name, _, value in pairs})
    try:
        _split(_authority(request))
    except ValueError:
        return None
    return request


def _authority(request: Request) -> str:
    """The `host:port` that the request is for."""
    if request.method == "CONNECT":
        return request.target
    parts = urlsplit(request.target)
    return f"{parts.hostname or ''}:{parts.port or 80}"


def _split(authority: str) -> tuple[str, int]:
    """Raises ValueError."""
    host, _, port = authority.rpartition(":")
    if not host:
        raise ValueError(authority)
    return host.strip("[]"), int(port)


def _answer(status: str, challenge: str = "") -> bytes:
    field = f"Proxy-Authenticate: {challenge}\r\n" if status.startswith("407") else ""
    return f"HTTP/1.1 {status}\r\n{field}Content-Length: 0\r\nConnection: close\r\n\r\n".encode("ascii")


def _origin_form(request: Request) -> bytes:
    """The request as the server itself gets it; one per connection, so that the end is the end of the connection."""
    parts = urlsplit(request.target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    kept = {name: value for name, value in request.headers.items() if not name.startswith("proxy-")}
    fields = {**kept, "connection": "close"}
    lines = [
        f"{request.method} {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in fields.items()),
        "",
        "",
    ]
    return "\r\n".join(lines).encode("latin-1")
