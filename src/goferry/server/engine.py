"""The only place that touches granian: an ASGI application served from a listening socket, beside this event loop.

granian's own supervisor gives each worker a listening socket with a queue of its own (SO_REUSEPORT), and resets what
waits there when the worker leaves. So goferry has its own supervisor (run.py) and workers (worker.py), and gives
granian the socket that all workers share.

Each request comes from granian in a thread of its own, which holds the interpreter lock by then. The application may
answer it right there; only what it leaves goes to the event loop (docs/adr/0024-hits-on-the-spot.md). granian's
embeddable server has no place for that, so its worker is used directly.

What else was learned from granian 2.8.7 and is relied on:
- It calls `_schedule_fn` of its scheduler with each request, one after the other, and never looks at what comes back:
  an exception must not leave it.
- What `send` returns need not be awaited for a body of one message, nor for a file.
- The number of connections (`backpressure`) counts idle ones too; above it, it does not accept.
- After the stop signal it closes idle connections, finishes requests, and tells; TLS handshakes under way are
  dropped, which is why the worker parks the socket first (sockets.park).
- It logs errors of the application through the logger `_granian`.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, Protocol

from granian._granian import ASGIWorker, CallbackScheduler, SocketHolder, WorkerSignal
from granian.http import HTTP1Settings, HTTP2Settings

from goferry.errors import ConfigError
from goferry.server.sockets import BACKLOG

_log = logging.getLogger(__name__)

_IO_THREADS: Final = 1
_FILE_THREADS: Final = 512
"""Threads that granian may use to read files for clients; they come and go."""


class Application(Protocol):
    """What is served."""

    def answer_at_once(self, scope: dict[str, Any], send: Callable[[dict[str, Any]], object]) -> bool:
        """Answer an HTTP request without waiting for anything; False, with nothing sent, when that can't be.

        Called in granian's thread. What `send` returns is not to be awaited.
        """

    def __call__(self, scope: dict[str, Any], receive: Any, send: Any, /) -> Awaitable[None]:
        """Answer an HTTP request that was not answered at once, in the event loop (ASGI)."""


def _holder(fd: int) -> SocketHolder:
    """granian's view of a listening socket; it closes the descriptor when it stops."""
    parts: tuple[Any, ...] = (fd, False)
    if sys.platform.startswith(("linux", "freebsd")):
        parts += (BACKLOG,)
    return SocketHolder(*parts)


def _tls(cert: Path | None, key: Path | None) -> dict[str, Any]:
    if cert is None or key is None:
        return {"http_mode": "1"}
    return {
        "http_mode": "auto",
        "ssl_enabled": True,
        "ssl_cert": str(cert.resolve()),
        "ssl_key": str(key.resolve()),
        "ssl_protocol_min": "tls1.2",
    }


class Engine:
    """Serves `app` from the listening descriptor `fd`, which it takes over, until `stop` and then to the end.

    Made and used in a running event loop.
    """

    def __init__(
        self,
        app: Application,
        fd: int,
        *,
        connections: int,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        self._app = app
        self._fd = fd
        self._connections = connections
        self._tls = _tls(tls_cert, tls_key)
        self._loop = asyncio.get_running_loop()
        self._signal = WorkerSignal()
        self._closed = self._loop.create_future()

    def start(self) -> None:
        """Begin to accept. ConfigError when granian can not use what it was given."""
        logging.getLogger("_granian").setLevel(logging.ERROR)
        self._signal.add_cb(lambda: self._loop.call_soon_threadsafe(self._closed.set_result, None))
        try:
            self._worker().serve_async(_scheduler(self._app, self._loop), self._loop, self._signal)
        except BaseException as error:  # a panic of granian's is no Exception
            raise ConfigError("the HTTP server did not start: {why}", why=error) from error

    def _worker(self) -> Any:
        # Any: granian's stubs are of an older form.
        kind: Any = ASGIWorker
        return kind(
            1,
            (None, _holder(self._fd)),
            None,
            _IO_THREADS,
            _FILE_THREADS,
            py_threads=1,
            backpressure=self._connections,
            # Longer than the 90 s after which Go's client lets go of an idle connection, so that it is nearly
            # always the client who closes and no request crosses a close on the wire.
            http1_opts=HTTP1Settings(header_read_timeout=100_000),
            http2_opts=HTTP2Settings(keep_alive_interval=60_000, keep_alive_timeout=20),
            **self._tls,
        )

    def stop(self) -> None:
        """Accept nothing more, close idle connections, finish the requests that are under way."""
        self._signal.set()

    async def finished(self) -> None:
        """Returns when every connection is closed after `stop`."""
        await asyncio.shield(self._closed)


def _scheduler(app: Application, loop: asyncio.AbstractEventLoop) -> Any:
    """What granian gives each request to."""

    async def answer(request: Any) -> None:
        try:
            await app(request.scope, request.proto.receive, request.proto.send)
        except BaseException as error:  # noqa: BLE001 - granian logs it, and answers for it
            request.err(error)
        else:
            request.done()

    def begin(request: Any) -> None:
        request.taskref(loop.create_task(answer(request)))

    def take(request: Any) -> None:
        try:
            if app.answer_at_once(request.scope, request.proto.send):
                return
        except Exception:  # noqa: BLE001 - the long way may still answer
            _log.exception("a request could not be answered at once")
        loop.call_soon_threadsafe(begin, request, context=context)

    # Any: granian's stubs lack it. None of the hooks for its own kind of task is used: asyncio has its own.
    kind: Any = CallbackScheduler
    scheduler = kind(loop, answer, None, None, None)
    context = scheduler._ctx
    scheduler._schedule_fn = take
    return scheduler
