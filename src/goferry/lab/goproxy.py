"""A module proxy on loopback that can misbehave in named ways: the upstream of tests and of `goferry lab`.

It serves a tree of URL paths to bytes and counts what it is asked. A fault is looked up for every request, by path
and by how often that path was asked before; so "the first answer is cut, the second is whole" is one line.
"""

import asyncio
import gzip
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from aiohttp import web


class Trouble(StrEnum):
    """What can be wrong with an answer."""

    STATUS = "status"
    """Another status, with a text."""
    CUT = "cut"
    """The head promises the whole length, then the connection ends after a share of the body."""
    RESTART = "restart"
    """Cut, and ranges are not understood: a second request gets the body from its start."""
    STALL = "stall"
    """Nothing is answered until `released` is set."""
    HTML = "html"
    """A web page with status 200, as a login portal sends it."""
    REDIRECT = "redirect"
    """A redirect to `text`."""
    REPLACE = "replace"
    """Other bytes than the tree has."""
    HALF = "half"
    """The first half, with a length that fits: what a full disk leaves in a cache."""
    GZIPPED = "gzipped"
    """The right bytes, compressed, as the head says."""
    NOT_GZIPPED = "not_gzipped"
    """The head says that the body is compressed, and it is not."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One way to break an answer. `share` is the part of the body that is sent before a cut."""

    trouble: Trouble
    status: int = 502
    text: str = "bad gateway"
    share: float = 0.5
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Faults = Callable[[str, int], Fault | None]
"""(path without leading slash, how often it was asked before) → the fault for this request, or none."""


def no_faults(path: str, count: int) -> None:  # noqa: ARG001  the signature of Faults
    """An upstream that always behaves."""
    return


@dataclass(slots=True, eq=False)
class LabProxy:
    """A running proxy. `asked` counts requests by path; `released` ends every stall."""

    tree: Mapping[str, bytes]
    faults: Faults = no_faults
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    headers_seen: dict[str, Mapping[str, str]] = field(default_factory=dict)
    released: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, path: str, times: int = 1) -> None:
        """Until `path` was asked so many times."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.asked[path] >= times)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.lstrip("/")
        count = self.asked[path]
        async with self.arrived:
            self.asked[path] += 1
            self.arrived.notify_all()
        self.headers_seen[path] = dict(request.headers)
        fault = self.faults(path, count)
        body = self.tree.get(path)
        if fault is not None:
            return await self._misbehave(request, fault, body or b"")
        if body is None:
            return web.Response(status=404, text="not found: no such module in this lab\n")
        return _whole(request, body)

    async def _misbehave(self, request: web.Request, fault: Fault, body: bytes) -> web.StreamResponse:
        match fault.trouble:
            case Trouble.STATUS:
                return web.Response(status=fault.status, text=fault.text, headers=fault.headers)
            case Trouble.HTML:
                return web.Response(text="<html>please log in</html>", content_type="text/html")
            case Trouble.REDIRECT:
                return web.Response(status=302, headers={"Location": fault.text})
            case Trouble.REPLACE:
                return web.Response(body=fault.body)
            case Trouble.HALF:
                return web.Response(body=body[: len(body) // 2])
            case Trouble.GZIPPED:
                return web.Response(body=gzip.compress(body), headers={"Content-Encoding": "gzip"})
            case Trouble.NOT_GZIPPED:
                return web.Response(body=body, headers={"Content-Encoding": "gzip"})
            case Trouble.STALL:
                await self.released.wait()
                return _whole(request, body)
            case Trouble.CUT | Trouble.RESTART:
                return await _cut(request, body, fault.share, ranges=fault.trouble is Trouble.CUT)


def _range_start(request: web.Request) -> int:
    value = request.headers.get("Range", "")
    start = value.removeprefix("bytes=").partition("-")[0]
    return int(start) if value.startswith("bytes=") and start.isdecimal() else 0


def _whole(request: web.Request, body: bytes) -> web.Response:
    start = _range_start(request)
    headers = {"Accept-Ranges": "bytes", "ETag": _etag(body)}
    if not 0 < start < len(body) or request.headers.get("If-Range", _etag(body)) != _etag(body):
        return web.Response(body=body, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    return web.Response(status=206, body=body[start:], headers=headers)


async def _cut(request: web.Request, body: bytes, share: float, *, ranges: bool) -> web.StreamResponse:
    start = _range_start(request) if ranges else 0
    rest = body[start:]
    response = web.StreamResponse(status=206 if start else 200)
    response.content_length = len(rest)
    if ranges:
        response.headers["ETag"] = _etag(body)
        response.headers["Accept-Ranges"] = "bytes"
    else:
        response.headers["Accept-Ranges"] = "none"
    if start:
        response.headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
    await response.prepare(request)
    await response.write(rest[: int(len(rest) * share)])
    if request.transport is not None:
        request.transport.close()
    return response


def _etag(body: bytes) -> str:
    return f'"{len(body)}-{hash(body) & 0xFFFFFFFF:x}"'


@asynccontextmanager
async def running(
    tree: Mapping[str, bytes], faults: Faults = no_faults, *, app: web.Application | None = None
) -> AsyncIterator[LabProxy]:
    """Serves the tree on a free loopback port. `app` may bring routes of its own (a checksum database)."""
    lab = LabProxy(tree, faults)
    app = app or web.Application()
    app.router.add_get("/{path:.*}", lab.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        lab.url = f"http://{host}:{port}"
        yield lab
    finally:
        lab.released.set()
        await runner.cleanup()
