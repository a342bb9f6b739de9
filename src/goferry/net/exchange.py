"""One request and its answer over a connection of the pool.

aiohttp keeps the connections and parses what comes. Its session, request and response objects, made anew for each
request to hold every need that a program may have, cost twice as much as all of the rest of a small request. A request
of ours is a line, a few headers and sometimes a body, so it is written here (docs/adr/0002-http-client.md).
"""

import asyncio
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any, NamedTuple

import aiohttp
from yarl import URL

from goferry.net import urls
from goferry.net.base import Timeouts
from goferry.net.dial import Dialer, Endpoint
from goferry.net.failure import Failure, failed, translated
from goferry.net.httpproxy import ProxyUrl
from goferry.net.trace import State, Step, Trace

# Signed redirect targets of object stores exceed the usual 8 KB for a line.
_MAX_HEAD_LINE = 64 * 1024
_READ_BUFFER = 256 * 1024

_OURS = aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None)
"""aiohttp's limits: none of them, all are ours."""


class Origin(NamedTuple):
    """Where a connection leads, and so what it may be used for again: aiohttp's pool takes it for its key."""

    host: str
    port: int
    is_ssl: bool
    proxy: str


class Flight:
    """What the parts of one request share. It goes through several exchanges where redirects are followed."""

    __slots__ = ("_waiting", "deadline", "timeouts", "trace")

    def __init__(self, timeouts: Timeouts, trace: Trace) -> None:
        self.timeouts = timeouts
        self.trace = trace
        self.deadline = None if timeouts.whole is None else _now() + timeouts.whole
        """When the limit on the whole runs out, in the loop's time."""
        self._waiting = False

    def await_head(self, limit: asyncio.Timeout) -> None:
        """The request is out: the first-byte limit starts now."""
        seconds = self.timeouts.first_byte
        if seconds is not None:
            when = _now() + seconds
            limit.reschedule(when if self.deadline is None else min(when, self.deadline))
        self._waiting = True
        self.trace.emit(Step.FIRST_BYTE, State.STARTED)

    def head_came(self, status: int) -> None:
        """The answer's head is here."""
        self._waiting = False
        self.trace.emit(Step.FIRST_BYTE, State.COMPLETE, status=status)

    def head_failed(self, exc: BaseException) -> None:
        """The wait for the head ended badly; says nothing if it had not begun."""
        if self._waiting:
            self._waiting = False
            self.trace.failed(Step.FIRST_BYTE, exc)

    def ran_out(self, limit: asyncio.Timeout) -> Failure:
        """Which limit it was, when this one cut the wait for the head. Not told by the clock: a loop may be early."""
        return Failure.WHOLE_TIMEOUT if limit.when() == self.deadline else Failure.FIRST_BYTE_TIMEOUT


class Request(NamedTuple):
    """What is sent to the target: all of it, as bytes."""

    method: str
    target: URL
    data: bytes


class Answer:
    """An answer whose head has arrived. `close` it."""

    __slots__ = ("_connection", "_content", "_flight", "_limit", "_protocol", "_target", "headers", "status")

    def __init__(
        self,
        message: Any,
        content: aiohttp.StreamReader,
        connection: Any,
        flight: Flight,
        target: URL,
    ) -> None:
        self.status: int = message.code
        self.headers: Mapping[str, str] = message.headers
        self._content = content
        self._connection = connection
        self._protocol = connection.protocol
        self._flight = flight
        self._target = target
        self._limit: asyncio.TimerHandle | None = None
        if not self._protocol.upgraded:  # such a one is of no use to anybody else
            content.on_eof(self._ended)

    async def next(self) -> bytes:
        """What has come of the body since the last time, at least a byte; nothing at its end."""
        chunk = self._content.read_nowait()
        if chunk or self._content.is_eof():
            return chunk
        deadline = self._flight.deadline
        if self._limit is None and deadline is not None:
            self._limit = asyncio.get_running_loop().call_at(deadline, self._expire)
        return await self._content.readany()

    def broken_off(self) -> OSError | None:
        """What ended the connection, if it did not end well: aiohttp takes that for an end of the body too."""
        reason = self._protocol.exception()
        return reason if isinstance(reason, OSError) else None

    def close(self) -> None:
        """Drops the connection, unless the body came to its end: then the pool has it already."""
        self._stop_limit()
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if self._content.exception() is None:  # whoever waits for more is told
            self._content.set_exception(aiohttp.ClientConnectionError("the answer was closed"))
        connection.close()

    def _ended(self) -> None:
        self._stop_limit()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.release()

    def _expire(self) -> None:
        self._content.set_exception(failed(Failure.WHOLE_TIMEOUT, **urls.where(self._target)))

    def _stop_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None


class _Wanted:
    """As much of a request as aiohttp's pool looks at, and what our dialling wants to know."""

    __slots__ = ("connection_key", "dialled_through", "flight", "is_fresh")

    proxy = None
    """For aiohttp there are no proxies: the key says which one a connection leads through."""

    def __init__(self, origin: Origin, proxy: ProxyUrl | None, flight: Flight) -> None:
        self.connection_key = origin
        self.dialled_through = proxy
        self.flight = flight
        self.is_fresh = False
        """The connection was dialled for this request, not taken from the pool."""


class Pool(aiohttp.BaseConnector):
    """aiohttp's pool over our own dialling. Its one hook for that is `_create_connection`; a test guards it.

    connections: how many there may be in all, and to one origin; keepalive: seconds that an unused one is kept.
    """

    def __init__(self, dialer: Dialer, *, connections: int, per_host: int, keepalive: float) -> None:
        super().__init__(limit=connections, limit_per_host=per_host, keepalive_timeout=keepalive)
        self._dialer = dialer

    async def exchange(
        self, request: Request, origin: Origin, proxy: ProxyUrl | None, flight: Flight
    ) -> Answer:
        """Sends once, and a GET again only if a pooled connection turned out to be closed by the server meanwhile: how
        often to ask again is for upstream/ to decide. Raises NetError."""
        while True:
            wanted = _Wanted(origin, proxy, flight)
            try:
                async with asyncio.timeout_at(flight.deadline) as limit:
                    answer = await self._attempt(request, wanted, limit)
            except BaseException as exc:
                ours = _ours(exc, limit, request, flight)
                flight.head_failed(ours)
                is_stale = not wanted.is_fresh and isinstance(
                    exc, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
                )
                if is_stale and request.method == "GET":
                    continue
                if ours is exc:
                    raise
                raise ours from exc
            flight.head_came(answer.status)
            return answer

    async def _attempt(self, request: Request, wanted: Any, limit: asyncio.Timeout) -> Answer:
        flight: Flight = wanted.flight
        connection = await self.connect(wanted, [], _OURS)
        protocol = connection.protocol
        assert protocol is not None
        try:
            # The idle limit counts from byte to byte, so it starts with the answer's first; until then the first-byte
            # limit rules alone.
            protocol.set_response_params(
                skip_payload=request.method == "HEAD",
                read_until_eof=True,
                auto_decompress=False,
                read_timeout=flight.timeouts.idle,
                read_bufsize=_READ_BUFFER,
                max_line_size=_MAX_HEAD_LINE,
                max_field_size=_MAX_HEAD_LINE,
            )
            with _told(request, wanted):
                _write(connection.transport, request.data)
            flight.await_head(limit)
            while True:
                message, content = await protocol.read()
                if (
                    not 100 <= message.code < 200 or message.code == 101
                ):  # the others only announce the answer
                    return Answer(message, content, connection, flight, request.target)
        except BaseException:
            connection.close()
            raise

    async def _create_connection(self, req: Any, *_aiohttp_limits: Any) -> Any:
        flight: Flight = req.flight
        req.is_fresh = True
        origin: Origin = req.connection_key
        target = Endpoint(origin.host, origin.port, origin.is_ssl)
        _, protocol = await self._dialer.dial(
            self._factory, target, flight.timeouts, flight.trace, req.dialled_through
        )
        return protocol


def _now() -> float:
    return asyncio.get_running_loop().time()


def _told(request: Request, wanted: _Wanted) -> Any:
    trace = wanted.flight.trace
    if not trace.is_heard:
        return nullcontext()
    url = urls.public(request.target)
    return trace.step(Step.REQUEST, method=request.method, url=url, reused=not wanted.is_fresh)


def _write(transport: asyncio.Transport | None, data: bytes) -> None:
    if transport is None or transport.is_closing():
        raise aiohttp.ClientConnectionResetError("the connection was closed")
    transport.write(data)


def _ours(exc: BaseException, limit: asyncio.Timeout, request: Request, flight: Flight) -> BaseException:
    if not isinstance(exc, Exception):
        return exc
    if type(exc) is TimeoutError and limit.expired():
        return failed(flight.ran_out(limit), **urls.where(request.target))
    return translated(exc, **urls.where(request.target))
