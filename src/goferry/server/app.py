"""The ASGI application: one request in, one answer out, counted and logged.

There are two ways through. The short one is for immutable files that are in the store and asked for plainly, which is
nearly all of the traffic: one look into a table, now and then a stat, two messages that were made before. The long one
is for everything else, and is where rules are decided. No framework stands on either: a router and a response object
would cost more than the whole short way (docs/adr/0006-no-web-framework.md).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter, time
from typing import Any, Final

from goferry.config import Settings
from goferry.errors import GoferryError, LoopDetected, StorageError, Unavailable
from goferry.gomod.goproxy import parse_request
from goferry.i18n import N_
from goferry.proxy.base import Answer, Outcome
from goferry.server import admin, metrics, paths, replies, sumdb
from goferry.server.accesslog import AccessLog, Entry
from goferry.server.base import ModuleProxy
from goferry.server.files import IMMUTABLE, ReadyFiles, read_content
from goferry.server.hits import Hits
from goferry.server.replies import Content, Reply
from goferry.upstream.loop import VIA, parse_via

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_log = logging.getLogger(__name__)

_CACHED_ONLY: Final = "cached-only/"
_OTHER: Final = "other"
_LOOKED: Final = "goferry.looked"
"""In a request's scope: whether the file at this very path is known not to be in the store."""

_CHUNK: Final = 256 * 1024
"""Bytes per message of a partial file: four messages may wait in granian for a slow reader."""

_REFRESH_SECONDS: Final = 2.0
_MEASURE_SECONDS: Final = 300.0
_MOST_AGENTS: Final = 1000
_LONGEST_AGENT: Final = 200
_PROBE_KEY: Final = "example.com/@v/list"
_BREAKER_STATES: Final = {"closed": 0.0, "half_open": 1.0, "open": 2.0}


@dataclass(slots=True)
class _Asked:
    """One request on the long way. What it turns out to be is filled in on the way, for the log and the counters."""

    method: str
    headers: Mapping[bytes, bytes]
    scheme: str
    kind: str = _OTHER
    cached_only: bool = False
    outcomes: list[Outcome] = field(default_factory=metrics.watch_outcome)

    def outcome(self, status: int) -> str:
        """What the service said last, or what the status says about requests that it never saw."""
        if self.outcomes:
            return str(self.outcomes[-1])
        return str(Outcome.ERROR if status >= 400 else Outcome.HIT)


class App:
    """Serves one module proxy. `board` is the counters of all workers, `row` this worker's."""

    def __init__(
        self,
        proxy: ModuleProxy,
        settings: Settings,
        *,
        url: str,
        board: metrics.Board,
        row: metrics.Row,
        log: AccessLog | None = None,
    ) -> None:
        self.url = url
        self.draining = False
        self.has_metrics = settings.metrics
        self._last_request = 0.0
        self._proxy = proxy
        self._touch = proxy.touch
        self._fresh = settings.list_fresh
        self._board = board
        self._row = row
        self._cells = row.cells
        self._in_flight = row.cell(metrics.IN_FLIGHT)
        self._log = None if log is None else log.add
        self._agents: dict[bytes, str] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._files = _ready_files(proxy, settings)
        self._hits = None if self._files is None else self._short_way(self._files)

    def _short_way(self, files: ReadyFiles) -> Hits:
        return Hits(
            files,
            self._row,
            self._proxy,
            content_of=self._content,
            agent_of=self._agent,
            log=self._log,
        )

    @property
    def in_flight(self) -> int:
        """Requests whose answers are not yet handed over."""
        return int(self._cells[self._in_flight])

    @property
    def last_request(self) -> float:
        """When the last request came that is answered by now, by perf_counter."""
        return max(self._last_request, self._hits.last if self._hits else 0.0)

    def answer_at_once(self, scope: Message, send: Callable[[Message], object]) -> bool:
        """The short way, in granian's thread."""
        if self._hits is None or self.draining:
            return False
        hit = self._hits.answer(scope, send)
        scope[_LOOKED] = hit is False
        return hit is True

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """The long way. The body of a request is never read: nothing here takes one."""
        started = perf_counter()
        self._cells[self._in_flight] += 1.0
        try:
            await self._answer(scope, dict(scope["headers"]), send, started)
        finally:
            self._cells[self._in_flight] -= 1.0

    def cut(self) -> None:
        """Give up the requests that still wait for an answer; they are told to come again (503)."""
        for task in self._tasks:
            task.cancel()

    def _agent(self, raw: bytes) -> str:
        agent = self._agents.get(raw)
        if agent is None:
            if len(self._agents) > _MOST_AGENTS:
                self._agents.clear()
            agent = self._agents[raw] = raw[:_LONGEST_AGENT].decode("latin-1")
        return agent

    # ---- the long way --------------------------------------------------------------------------------------

    async def _answer(
        self, scope: Message, headers: Mapping[bytes, bytes], send: Send, started: float
    ) -> None:
        if scope["method"] == "HEAD":
            # A range is for GET alone (RFC 9110 section 14.2); HEAD tells how long the whole is.
            headers = {name: value for name, value in headers.items() if name != b"range"}
        asked = _Asked(scope["method"], headers, scope["scheme"])
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            reply = await self._reply(asked, scope["raw_path"], looked=scope.get(_LOOKED, False))
        except GoferryError as failure:
            reply = replies.error(failure, may_change=asked.cached_only)
        except asyncio.CancelledError:
            # `cut` did it, and what is left to do does not wait for anything.
            reply = replies.error(Unavailable("the server is stopping and could not wait for the answer"))
        except Exception:  # noqa: BLE001 - whatever it is, this client gets an answer and the log the reason
            _log.exception("request for %r failed unexpectedly", scope["path"])
            reply = replies.error(replies.unexpected())
        finally:
            self._tasks.discard(task)
        close = self.draining and scope["http_version"] != "2"
        sent = await _send(send, reply, head=asked.method == "HEAD", close=close)
        self._count(scope, asked, reply.status, sent, started)

    async def _reply(self, asked: _Asked, raw_path: bytes, *, looked: bool) -> Reply:
        """`looked`: the file at this very path is known not to be in the store."""
        path = paths.decode_path(raw_path)
        if asked.method not in ("GET", "HEAD"):
            return replies.method_not_allowed()
        if (page := admin.PAGES.get(path)) is not None:
            return await page(self, asked.headers, asked.scheme)
        self._note_hops(asked)
        if path.startswith(_CACHED_ONLY) or asked.headers.get(b"disable-module-fetch") == b"true":
            asked.cached_only = True
            path = path.removeprefix(_CACHED_ONLY)
            looked = False
        if not looked and (reply := self._stored(asked, path)) is not None:
            return reply
        if sumdb.is_sumdb(path):
            asked.kind = "sumdb"
            request, answer = await sumdb.answer(self._proxy, path, cached_only=asked.cached_only)
            content = self._content(answer, "sumdb", request.path)
            return replies.conditional(content, asked.headers)
        wanted = parse_request(path)
        asked.kind = str(wanted.kind)
        answer = await self._proxy.answer(wanted, cached_only=asked.cached_only)
        if (
            answer.immutable
            and answer.file is not None
            and (reply := self._stored(asked, answer.key)) is not None
        ):
            # It was stored just now. Taken like this it is in memory for the next one who asks.
            return reply
        return replies.conditional(self._content(answer, asked.kind), asked.headers)

    def _note_hops(self, asked: _Asked) -> None:
        """Refuse a request that has been here before; else pass its way on to the fetchers."""
        via = asked.headers.get(b"via")
        if via is None:
            return
        hops = parse_via(via.decode("latin-1"))
        if self._proxy.instance in hops:
            raise LoopDetected(
                "this request came back to goferry through its own upstream",
                hint=N_(
                    "an entry of the upstream list leads back here; goferry prints the list when it starts"
                ),
            )
        VIA.set(hops)

    def _stored(self, asked: _Asked, path: str) -> Reply | None:
        """An immutable file straight from the store, if the path is one's and it is there."""
        if self._files is None or not IMMUTABLE.match("/" + path):
            return None
        ready = self._files.find("/" + path, perf_counter())
        if ready is None:
            return None
        asked.kind = ready.kind
        self._touch(path)
        return replies.conditional(ready.content, asked.headers)

    def _content(self, answer: Answer, kind: str, rest: str = "") -> Content:
        keep = replies.cache_control(immutable=answer.immutable, stale=answer.stale, fresh=self._fresh)
        return _content_of(answer, replies.content_type(kind, rest), keep)

    def _count(self, scope: Message, asked: _Asked, status: int, size: int, started: float) -> None:
        seconds = perf_counter() - started
        outcome = asked.outcome(status)
        self._row.add(1.0, metrics.REQUESTS, asked.kind, outcome, str(status))
        self._row.add(size, metrics.RESPONSE_BYTES, asked.kind)
        self._row.observe(seconds, metrics.REQUEST_SECONDS, asked.kind)
        self._last_request = started
        if self._log is not None:
            path, agent = scope["path"], self._agent(asked.headers.get(b"user-agent", b""))
            client = scope["client"][0]
            self._log(
                [Entry(time(), client, asked.method, path, status, size, seconds, outcome, asked.kind, agent)]
            )

    # ---- what the pages and the worker ask -----------------------------------------------------------------

    async def problems(self) -> list[str]:
        """What keeps the proxy from working, for people."""
        return await self._proxy.ready()

    def metrics(self) -> bytes:
        """The page for Prometheus."""
        self.refresh()
        return self._board.page()

    def settle(self) -> None:
        """Note what was answered until now: hits are counted and logged some milliseconds later."""
        if self._hits is not None:
            self._hits.settle()

    def refresh(self) -> None:
        """Bring up to date what nobody changes as it goes."""
        self.settle()
        for host, state in self._proxy.breakers().items():
            self._row.set(_BREAKER_STATES.get(state, 0.0), metrics.BREAKER, host)
        if self._files is not None:
            self._row.set(self._files.bytes, metrics.CACHE_BYTES)

    async def refresh_forever(self) -> None:
        """Keep this worker's gauges fresh for scrapes that another worker answers."""
        while True:
            self.refresh()
            await asyncio.sleep(_REFRESH_SECONDS)

    async def measure_forever(self) -> None:
        """Keep the size of the store fresh: one worker's task, for all. It takes at most two percent of the time."""
        while True:
            started = perf_counter()
            try:
                await self._measure()
            except GoferryError as failure:
                _log.warning("the size of the store is not known: %s", failure)
            await asyncio.sleep(max(_MEASURE_SECONDS, 50 * (perf_counter() - started)))

    async def _measure(self) -> None:
        objects = size = 0
        async for blob in self._proxy.store.keys():
            objects += 1
            size += blob.size
        self._row.set(objects, metrics.STORE_OBJECTS)
        self._row.set(size, metrics.STORE_BYTES)


def _ready_files(proxy: ModuleProxy, settings: Settings) -> ReadyFiles | None:
    """The store's folder, if it has one: a key is then a path below it."""
    probe = proxy.store.local_path(_PROBE_KEY)
    return None if probe is None else ReadyFiles(str(probe).removesuffix(_PROBE_KEY), settings.memory_cache)


def _content_of(answer: Answer, content_type: bytes, keep: bytes) -> Content:
    if answer.body is not None:
        # A body that changes may change anywhere, so all of it counts; one that never does has the ETag that the same
        # bytes have as a file.
        tail = answer.body[-replies.TAIL :] if answer.immutable else answer.body
        etag = replies.etag_of(answer.size, tail)
        return Content(content_type, keep, answer.size, answer.mtime, etag, body=answer.body)
    content, _ = read_content(str(answer.file), content_type, keep)
    if content is None:
        raise StorageError("{key}: the stored file cannot be read", key=answer.key)
    return content


# ---- sending -----------------------------------------------------------------------------------------------


async def _send(send: Send, reply: Reply, *, head: bool, close: bool) -> int:
    """Send a reply; the bytes of body that it has."""
    headers = [*reply.headers, (b"connection", b"close")] if close else reply.headers
    start = {"type": "http.response.start", "status": reply.status, "headers": headers}
    if head or reply.file is None:
        await send(start)
        await send({"type": "http.response.body", "body": b"" if head else reply.body})
        return 0 if head else len(reply.body)
    if reply.status == 200:
        await send(start)
        await send({"type": "http.response.pathsend", "path": str(reply.file)})
    else:
        await _send_part(send, start, reply)
    return reply.end - reply.start


async def _send_part(send: Send, start: Message, reply: Reply) -> None:
    """Part of a file, from one open descriptor. A file that ends early breaks the connection: never a clean end."""
    loop = asyncio.get_running_loop()
    try:
        file = await loop.run_in_executor(None, open, str(reply.file), "rb", 0)
    except OSError as error:
        raise Unavailable("the stored file went away while it was being sent") from error
    with file:
        await send(start)
        file.seek(reply.start)
        left = reply.end - reply.start
        while left:
            data = await loop.run_in_executor(None, file.read, min(_CHUNK, left))
            if not data:
                raise OSError(f"{reply.file} is shorter than it was")
            left -= len(data)
            await send({"type": "http.response.body", "body": data, "more_body": left > 0})
