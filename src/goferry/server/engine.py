"""The only place that touches granian: an ASGI application served from a listening socket, in this event loop.

granian's own supervisor gives each worker a listening socket with a queue of its own (SO_REUSEPORT), and resets what
waits there when the worker leaves. So goferry has its own supervisor (run.py) and workers (worker.py), and uses
granian's embeddable server on the socket that all workers share.

What else was learned from granian 2.8.7 and is relied on:
- `backpressure` is the number of connections a worker holds, idle ones included; above it, it does not accept.
- After the stop signal it closes idle connections, finishes requests, and returns; TLS handshakes under way are
  dropped, which is why the worker parks the socket first (sockets.park).
- It logs errors of the application through the logger `_granian`.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings, HTTP2Settings
from granian.log import LogLevels
from granian.server.embed import Server

from goferry.errors import ConfigError
from goferry.server.sockets import BACKLOG

Application = Callable[[Any, Any, Any], Awaitable[None]]


def _holder(fd: int) -> SocketHolder:
    """granian's view of a listening socket; it closes the descriptor when it stops."""
    parts: tuple[Any, ...] = (fd, False)
    if sys.platform.startswith(("linux", "freebsd")):
        parts += (BACKLOG,)
    return SocketHolder(*parts)


class _OnSharedSocket(Server):
    """granian's embeddable server on a socket that is open already."""

    def __init__(self, *args: Any, fd: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self._shared = fd

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd: Any = _holder(self._shared)


class Engine:
    """Serves `app` from the listening descriptor `fd`, which it takes over, until `stop` and then to the end."""

    def __init__(
        self,
        app: Application,
        fd: int,
        *,
        connections: int,
        tls_cert: Path | None = None,
        tls_key: Path | None = None,
    ) -> None:
        # Any: most of granian's Python side is not annotated.
        self._server: Any = _OnSharedSocket(
            app,
            fd=fd,
            interface=Interfaces.ASGINL,
            http=HTTPModes.auto if tls_cert else HTTPModes.http1,
            websockets=False,
            backlog=BACKLOG,
            backpressure=connections,
            # Longer than the 90 s after which Go's client lets go of an idle connection, so that it is nearly
            # always the client who closes and no request crosses a close on the wire.
            http1_settings=HTTP1Settings(header_read_timeout=100_000),
            http2_settings=HTTP2Settings(keep_alive_interval=60_000, keep_alive_timeout=20),
            log_level=LogLevels.error,
            ssl_cert=tls_cert,
            ssl_key=tls_key,
            ssl_protocol_min=SSLProtocols.tls12,
        )
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to accept. ConfigError when granian can not use what it was given."""
        self._task = asyncio.get_running_loop().create_task(self._server.serve())
        # The server makes the task that accepts in its first step, and that task begins in the next.
        for _ in range(3):
            await asyncio.sleep(0)
        if not any(worker.is_alive() for worker in self._server.wrks):
            raise ConfigError("the HTTP server did not start; its reason is in the log above")

    def stop(self) -> None:
        """Accept nothing more, close idle connections, finish the requests that are under way."""
        self._server.stop()

    async def finished(self) -> None:
        """Returns when every connection is closed after `stop`, or when the server died by itself."""
        assert self._task is not None
        await self._task
