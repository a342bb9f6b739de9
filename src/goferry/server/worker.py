"""One worker process: opens the module proxy, serves it from the shared socket, and leaves without cutting anybody off.

`python -m goferry.server.worker FD` is started by the supervisor (run.py). FD is one end of a connection to it, over
which come the job and later the word to leave, and go the news that it is ready or why it is not. Settings may hold
credentials (upstream URLs), so they come that way and are in neither the arguments nor the environment. When the
supervisor dies, its end closes and the worker leaves too: no orphan holds the port.

Leaving, step by step:
1. Accept nothing more: the queue belongs to the supervisor and the other workers.
2. Tell clients with open connections to close them (`connection: close` on every answer) until no more requests come.
3. Close what is idle, finish what is under way, at most `drain_timeout` in all.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from time import monotonic, perf_counter
from typing import Any, Final

from goferry import i18n
from goferry.errors import GoferryError
from goferry.server import metrics, sockets
from goferry.server.accesslog import AccessLog, open_log
from goferry.server.app import App
from goferry.server.base import load_opener
from goferry.server.job import READY, Job, set_up_logging

_log = logging.getLogger(__name__)

_QUIET: Final = 0.25
"""Seconds without a request after which those who have connections open are taken to know of the leaving."""

_LONGEST_GOODBYE: Final = 2.0
_RECENT: Final = 5.0
_GC_THRESHOLD: Final = 20_000
_SWITCH_SECONDS: Final = 0.0005
_LAST_WORDS: Final = 0.5
"""Seconds for requests that were given up to hear of it."""


def main() -> None:
    """Run until told to leave. Exit status 0 after a clean leave, 1 when requests had to be cut."""
    # The supervisor decides when to leave: a signal for the whole process group must not reach a worker first.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    control: Connection[Any, Any] = Connection(int(sys.argv[1]))
    job: Job = control.recv()
    for fd in (control.fileno(), job.listen_fd, job.board_fd):
        os.set_inheritable(fd, False)
    i18n.activate(job.language)
    set_up_logging(job.settings.log_level)
    try:
        status = run(Worker(job, control).serve)
    except GoferryError as failure:
        control.send(failure)
        status = failure.exit_code
    logging.shutdown()
    sys.stdout.flush()
    # Threads of the HTTP server may still hold connections that outstayed the time limit; nothing is left to clean up.
    os._exit(status)


def run(main: Callable[[], Any]) -> int:
    """asyncio.run with uvloop where there is one."""
    factory: Any = None
    with contextlib.suppress(ImportError):
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        status: int = runner.run(main())
        return status


class Worker:
    """Serves one job."""

    def __init__(self, job: Job, control: "Connection[Any, Any]") -> None:
        self._job = job
        self._settings = job.settings
        self._control = control
        self._leave = asyncio.Event()

    async def serve(self) -> int:
        """The whole life of a worker; the process's exit status."""
        board = metrics.Board(self._job.board_rows, self._job.board_fd)
        row = board.row(self._job.row)
        log = self._open_log(row)
        opener = load_opener(self._job.opener)
        async with opener(self._settings, observer=metrics.Meter(row)) as proxy:
            app = App(proxy, self._settings, url=self._job.url, board=board, row=row, log=log)
            return await self._serve_app(app, log)

    def _open_log(self, row: metrics.Row) -> AccessLog | None:
        if self._settings.access_log == "off":
            return None
        fd = open_log(self._settings.access_log_file)
        return AccessLog(self._settings.access_log, fd, lambda lines: row.add(lines, metrics.LOG_DROPPED))

    async def _serve_app(self, app: App, log: AccessLog | None) -> int:
        # Here and not above: whoever only wants to read this module (the supervisor) need not pay for granian.
        from goferry.server.engine import Engine

        settings = self._settings
        engine = Engine(
            app,
            self._job.listen_fd,
            connections=_connections(),
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
        )
        if log is not None:
            log.start()
        engine.start()
        background = [asyncio.create_task(app.refresh_forever())]
        if self._job.place == 0:
            background.append(asyncio.create_task(app.measure_forever()))
        # What was imported lives as long as the process: the collector need not look at it again and again.
        gc.collect()
        gc.freeze()
        # A request leaves no cycles behind, and 700 new objects (the default) are a dozen requests.
        gc.set_threshold(_GC_THRESHOLD)
        # A thread that formats the log or hashes a zip keeps the interpreter lock this long while the loop wants it.
        sys.setswitchinterval(_SWITCH_SECONDS)
        asyncio.get_running_loop().add_reader(self._control.fileno(), self._on_message)
        self._control.send(READY)
        finished = asyncio.create_task(engine.finished())
        leave = asyncio.create_task(self._leave.wait())
        await asyncio.wait((finished, leave), return_when=asyncio.FIRST_COMPLETED)
        if finished.done():
            _log.error("the HTTP server ended by itself")
            return 1
        clean = await self._leave_politely(app, engine.stop, finished)
        for task in background:
            task.cancel()
        app.settle()
        if log is not None:
            await log.close()
        return 0 if clean else 1

    def _on_message(self) -> None:
        """The word to leave, or the end of the supervisor."""
        with contextlib.suppress(EOFError, OSError):
            self._control.recv()
        asyncio.get_running_loop().remove_reader(self._control.fileno())
        self._leave.set()

    async def _leave_politely(
        self, app: App, stop: Callable[[], None], finished: "asyncio.Task[None]"
    ) -> bool:
        """True when every request was answered in time."""
        deadline = monotonic() + self._settings.drain_timeout
        nobody = sockets.park(self._job.listen_fd)
        app.draining = True
        await _until_quiet(app, min(_LONGEST_GOODBYE, self._settings.drain_timeout / 2))
        stop()
        done, _ = await asyncio.wait((finished,), timeout=max(0.0, deadline - monotonic()))
        if not done:
            _log.warning(
                "leaving after %.1f s with %d requests unanswered",
                self._settings.drain_timeout,
                app.in_flight,
            )
            app.cut()
            await asyncio.wait((finished,), timeout=_LAST_WORDS)
        nobody.close()
        return bool(done)


async def _until_quiet(app: App, limit: float) -> None:
    """Wait until no request has come for a moment; not at all when none came lately."""
    if perf_counter() - app.last_request > _RECENT and not app.in_flight:
        return
    now = perf_counter()
    end = now + limit
    while (left := min(app.last_request + _QUIET, end) - now) > 0:
        await asyncio.sleep(left)
        now = perf_counter()


def _connections() -> int:
    """How many connections a worker may hold: half of the descriptors, the other half is for files and upstreams."""
    try:
        import resource
    except ImportError:
        return 1024
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return max(256, min(16384, soft // 2))


if __name__ == "__main__":
    main()
