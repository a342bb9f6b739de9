"""A small web server for the tests of the client: a function from request to answer."""

import asyncio
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from goferry.lab.tcp import Peer


@dataclass(frozen=True)
class Request:
    """A request as it came; header names in lower case."""

    target: str
    headers: Mapping[str, str]
    method: str = "GET"
    body: bytes = b""


Answer = Callable[[Request], bytes]


def ok(body: bytes = b"hello", **headers: str) -> bytes:
    """A 200 with this body."""
    return answer("200 OK", body, **headers)


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Any answer; underscores in header names become dashes."""
    fields = {
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items()), "", ""]
    return "\r\n".join(lines).encode() + body


def moved(location: str, status: str = "302 Found") -> bytes:
    """A redirect."""
    return answer(status, Location=location)


class Web(Peer):
    """The server. `requests` holds what was asked, in order.

    close_after: answers per connection before it is closed; delay: seconds before each answer.
    """

    def __init__(
        self,
        reply: Answer,
        *,
        close_after: int | None = None,
        delay: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(tls=tls)
        self._reply = reply
        self._close_after = close_after
        self._delay = delay
        self.requests: list[Request] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served = 0
        while served != self._close_after:
            request = _parse(await reader.readuntil(b"\r\n\r\n"))
            if length := int(request.headers.get("content-length", 0)):
                request = replace(request, body=await reader.readexactly(length))
            self.requests.append(request)
            await asyncio.sleep(self._delay)
            writer.write(self._reply(request))
            await writer.drain()
            served += 1


def _parse(head: bytes) -> Request:
    line, *fields = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    pairs = (field.partition(":") for field in fields)
    method, target, _version = line.split(" ")
    return Request(target, {name.lower(): value.strip() for name, _, value in pairs}, method)
