"""`serve`: the supervisor. It owns the listening socket and keeps the workers alive behind it.

    supervisor ── listening socket, counters (shared memory)
        ├─ worker 1 (worker.py): granian, the application, a module proxy
        └─ worker N

- SIGTERM, SIGINT: let nobody new in, have everybody answered, leave. A second one: leave at once.
- SIGHUP: read the settings and the certificate again; for each worker start a new one, and when it is ready let the
  old one leave. Nobody notices, because all of them take connections from the same queue.
- A worker that dies is replaced, at once the first time, then with growing pauses.
- A chore (chore.py: audits on a schedule) is a child too, but no part of serving: it may end, fail or hang as it likes,
  is started again after a pause, and nobody waits for it for long.

The supervisor imports neither granian nor the network stack: it stays small, and nothing in it can go wrong much.
"""

import logging
import math
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from goferry import __version__, i18n, ownprograms
from goferry.config import Settings
from goferry.errors import ConfigError, GoferryError
from goferry.server import metrics, sockets
from goferry.server.job import LEAVE, READY, ChoreJob, Job, set_up_logging

_log = logging.getLogger(__name__)

OPENER: Final = "goferry.proxy.assemble:open_proxy"
"""Opens the module proxy in each worker."""

AUDITS: Final = "goferry.deps.scheduled:audit_when_due"
"""The chore of the setting audit_repos."""

_CHORE_PAUSES: Final = (1.0, 10.0, 60.0, 300.0)
"""Seconds before the next chore is started, by how many failed in a row."""

_STOP: Final = (signal.SIGTERM, signal.SIGINT)
_ONE_GESTURE: Final = 1.0
"""Seconds within which signals to stop count as one: `timeout` and service managers signal a process and its group."""

_START_SECONDS: Final = 60.0
_KILL_AFTER: Final = 5.0
"""Seconds beyond drain_timeout after which a worker that does not leave is killed."""

_PAUSES: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds before a worker is replaced, by how many died in a row shortly after they were ready."""

_LONG_ENOUGH: Final = 30.0
"""Seconds of work after which a worker's death no longer counts as one of a row."""


def serve(
    settings: Settings,
    *,
    ready: Callable[[str], None] | None = None,
    reload: Callable[[], Settings] | None = None,
    opener: str = OPENER,
    chore: str = AUDITS,
    config: Path | None = None,
) -> int:
    """Serve until told to stop; the process's exit status.

    `ready` is called once with the URL when every worker answers. `reload` reads the settings again, on SIGHUP.
    `opener` is `package.module:name` of the function that opens the module proxy (proxy.assemble.open_proxy), `chore`
    that of the Chore for the setting audit_repos; `config` is the settings file, for the chore to read.
    Raises ConfigError when the address cannot be listened on or the certificate is unusable, and whatever GoferryError
    keeps the first workers from starting. Call it from the main thread: it handles signals.
    """
    if sys.platform == "win32":
        raise ConfigError("the server needs Linux or macOS; on Windows run it in WSL or in a container")
    set_up_logging(settings.log_level)
    check_certificate(settings)
    _raise_file_limit()
    listener = sockets.listen(settings.addr)
    supervisor = Supervisor(settings, listener, reload=reload, opener=opener, chore=chore, config=config)
    try:
        return supervisor.run(ready)
    finally:
        supervisor.close()


def check_certificate(settings: Settings) -> None:
    """ConfigError when there is a certificate or key that cannot be used; better here than in a worker's log."""
    if settings.tls_cert is None or settings.tls_key is None:
        return
    import ssl

    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_cert, settings.tls_key, _no_password
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            "settings {cert} and {key}: cannot use {cert_file} with {key_file}: {why}",
            cert="tls_cert",
            key="tls_key",
            cert_file=settings.tls_cert,
            key_file=settings.tls_key,
            why=error,
        ) from error


def _no_password() -> str:
    raise ValueError(i18n._("the key is encrypted; it must not need a password"))


def _raise_file_limit() -> None:
    """Every connection and every file being sent is a descriptor; the usual soft limit of 1024 is a desktop's."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class _Child:
    """A process of the supervisor's, with a connection to it. Its end is noticed by the end of the connection."""

    def __init__(self, module: str, job: Job | ChoreJob, fds: Sequence[int]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                ownprograms.command(module, str(theirs.fileno())),
                env=ownprograms.environment(),
                pass_fds=(theirs.fileno(), *fds),
                stdin=subprocess.DEVNULL,
            )
        self.control: Connection[Any, Any] = Connection(ours.detach())
        self.row = job.row
        self.leaving = False
        self.kill_at: float | None = None
        with suppress(OSError):
            # A child that is dead already is noticed by the end of its connection.
            self.control.send(job)

    def leave(self, within: float) -> None:
        """Tell it to leave; it is killed if it has not left `within` seconds."""
        if not self.leaving:
            self.leaving = True
            self.kill_at = time.monotonic() + within
            with suppress(OSError):
                self.control.send(LEAVE)

    def bury(self) -> int:
        """Its connection is closed, which happens last of all in its life. The exit status."""
        self.control.close()
        try:
            return self.process.wait(_KILL_AFTER)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def end(self) -> None:
        """End it without kindness."""
        self.process.kill()
        self.process.wait()
        self.control.close()


class _Worker(_Child):
    """A worker process, as the supervisor sees it."""

    def __init__(self, job: Job) -> None:
        super().__init__("goferry.server.worker", job, (job.listen_fd, job.board_fd))
        self.place = job.place
        self.ready_at: float | None = None
        self.failure: GoferryError | None = None
        self.in_place_of_a_dead_one = False


class _Chore(_Child):
    """A chore process."""

    def __init__(self, job: ChoreJob) -> None:
        super().__init__("goferry.server.chore", job, (job.board_fd,))


class Supervisor:
    """Workers behind one listening socket."""

    def __init__(
        self,
        settings: Settings,
        listener: socket.socket,
        *,
        reload: Callable[[], Settings] | None = None,
        opener: str = OPENER,
        chore: str = AUDITS,
        config: Path | None = None,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._reload = reload
        self._opener = opener
        self._chore_target = chore
        self._config = config
        self._url = sockets.url_of(listener, tls=settings.tls_cert is not None)
        # Two generations of workers and this process; a row is used again when its worker is gone.
        self._board = metrics.Board(_rows(settings.workers))
        self._row = self._board.row(0)
        *rows, one, other = range(1, self._board.rows)
        self._free_rows = deque(rows)
        self._free_chore_rows = deque((one, other))
        self._workers: list[_Worker] = []
        self._selector = selectors.DefaultSelector()
        self._signals: deque[tuple[int, float]] = deque()
        self._restarts: list[tuple[float, int]] = []
        """When which place gets a new worker."""
        self._deaths = 0
        self._unclean = False
        self._chores: list[_Chore] = []
        """One, and during a reload the one before it too."""
        self._chore_due = math.inf
        """When the next one is started."""
        self._chore_failures = 0

    # ---- the whole life ------------------------------------------------------------------------------------

    def run(self, ready: Callable[[str], None] | None) -> int:
        """Start the workers, watch over them, and end them. The exit status."""
        self._row.set(1.0, metrics.BUILD, __version__, sys.version.split()[0])
        self._row.set(time.time(), metrics.STARTED)
        with _Signals(self._selector, self._signals):
            self._start_first()
            if ready is not None and not self._stopping():
                ready(self._url)
            self._plan_chore(0.0)
            while not self._stopping():
                self._turn(1.0)
                if self._told_to_reload():
                    self._replace_all()
            self._drain()
        return 1 if self._unclean else 0

    def close(self) -> None:
        """End what is still there, without kindness."""
        for child in (*self._workers, *self._chores):
            child.end()
        self._selector.close()
        self._listener.close()
        self._row.close()
        self._board.close()

    def _stopping(self) -> bool:
        return any(number in _STOP for number, _ in self._signals)

    def _told_twice(self) -> bool:
        times = [when for number, when in self._signals if number in _STOP]
        return bool(times) and times[-1] - times[0] > _ONE_GESTURE

    def _told_to_reload(self) -> bool:
        told = [entry for entry in self._signals if entry[0] not in _STOP]
        for entry in told:
            # Taken out one by one: a signal to stop may come in the middle of this.
            self._signals.remove(entry)
        return bool(told)

    # ---- starting ------------------------------------------------------------------------------------------

    def _start_first(self) -> None:
        workers = [self._start(place) for place in range(self._settings.workers)]
        if not self._until(lambda: all(w.ready_at for w in workers) or self._failed(workers), _START_SECONDS):
            if self._stopping():
                return
            raise ConfigError(
                "the workers were not ready within {seconds} seconds", seconds=int(_START_SECONDS)
            )
        if failed := self._failed(workers):
            raise failed.failure or ConfigError(
                "a worker ended while it started (status {status}); its reason is in the log above",
                status=failed.process.returncode,
            )

    @staticmethod
    def _failed(workers: list[_Worker]) -> _Worker | None:
        return next((w for w in workers if w.failure or w.process.returncode is not None), None)

    def _start(self, place: int) -> _Worker:
        job = Job(
            settings=self._settings,
            opener=self._opener,
            language=i18n.current(),
            url=self._url,
            listen_fd=self._listener.fileno(),
            board_fd=self._board.fd,
            board_rows=self._board.rows,
            row=self._free_rows.popleft(),
            place=place,
        )
        worker = _Worker(job)
        self._workers.append(worker)
        self._selector.register(worker.control.fileno(), selectors.EVENT_READ, worker)
        self._count_workers()
        return worker

    # ---- watching ------------------------------------------------------------------------------------------

    def _until(self, done: Callable[[], object], limit: float) -> bool:
        """Turn until `done`; False when `limit` seconds passed or a signal to stop came before that."""
        deadline = time.monotonic() + limit
        while not done():
            if time.monotonic() > deadline or self._stopping():
                return False
            self._turn(0.1)
        return True

    def _turn(self, longest: float) -> None:
        """Handle what has happened, waiting at most `longest` seconds for something."""
        for key, _events in self._selector.select(
            max(0.0, min(self._next_due() - time.monotonic(), longest))
        ):
            if isinstance(key.data, _Worker):
                self._hear(key.data)
            elif isinstance(key.data, _Chore):
                self._bury_chore(key.data)
            else:
                key.data()
        self._kill_the_late()
        self._restart_the_dead()
        self._start_chore()

    def _next_due(self) -> float:
        """When the next thing is to be done that no news will announce."""
        children = (*self._workers, *self._chores)
        kills = [child.kill_at for child in children if child.kill_at is not None]
        # Without a free row a restart waits until a worker is gone, which is news.
        restarts = [moment for moment, _ in self._restarts] if self._free_rows else []
        chores = [self._chore_due] if self._free_chore_rows else []
        return min((*kills, *restarts, *chores), default=math.inf)

    def _hear(self, worker: _Worker) -> None:
        try:
            news = worker.control.recv()
        except (EOFError, OSError):
            self._bury(worker)
            return
        if news == READY:
            worker.ready_at = time.monotonic()
        elif isinstance(news, GoferryError):
            worker.failure = news

    def _bury(self, worker: _Worker) -> None:
        """A worker has ended."""
        self._selector.unregister(worker.control.fileno())
        status = worker.bury()
        self._workers.remove(worker)
        self._board.clear_gauges(worker.row)
        self._free_rows.append(worker.row)
        self._count_workers()
        if worker.leaving:
            self._unclean = self._unclean or status != 0
        elif not self._stopping() and (worker.ready_at is not None or worker.in_place_of_a_dead_one):
            self._plan_restart(worker, status)

    def _plan_restart(self, worker: _Worker, status: int) -> None:
        reason = worker.failure or "its reason is in the log above if it had one"
        _log.error("worker %d ended unexpectedly (status %d): %s", worker.process.pid, status, reason)
        worked = 0.0 if worker.ready_at is None else time.monotonic() - worker.ready_at
        self._deaths = self._deaths + 1 if worked < _LONG_ENOUGH else 0
        pause = _PAUSES[min(self._deaths, len(_PAUSES) - 1)]
        self._restarts.append((time.monotonic() + pause, worker.place))

    def _restart_the_dead(self) -> None:
        for restart in [restart for restart in self._restarts if restart[0] <= time.monotonic()]:
            if self._stopping() or not self._free_rows:
                return
            self._restarts.remove(restart)
            self._row.add(1.0, metrics.RESTARTS)
            self._start(restart[1]).in_place_of_a_dead_one = True

    def _kill_the_late(self) -> None:
        for child in (*self._workers, *self._chores):
            if child.kill_at is not None and child.kill_at <= time.monotonic():
                kind = "worker" if isinstance(child, _Worker) else "chore"
                _log.warning("%s %d did not leave in time; killing it", kind, child.process.pid)
                child.process.kill()
                child.kill_at = None

    def _count_workers(self) -> None:
        self._row.set(sum(not w.leaving for w in self._workers), metrics.WORKERS)

    # ---- chores --------------------------------------------------------------------------------------------

    def _plan_chore(self, pause: float) -> None:
        wanted = self._settings.audit_repos is not None
        self._chore_due = time.monotonic() + pause if wanted else math.inf

    def _start_chore(self) -> None:
        """If it is due. Whatever keeps it from starting is no reason not to serve."""
        if self._chore_due > time.monotonic() or self._stopping() or not self._free_chore_rows:
            return
        self._chore_due = math.inf
        row = self._free_chore_rows.popleft()
        try:
            chore = _Chore(
                ChoreJob(
                    settings=self._settings,
                    target=self._chore_target,
                    language=i18n.current(),
                    config=self._config,
                    board_fd=self._board.fd,
                    board_rows=self._board.rows,
                    row=row,
                )
            )
        except OSError as error:
            self._free_chore_rows.append(row)
            _log.error("cannot start a chore: %s", error)
            self._plan_chore(_CHORE_PAUSES[-1])
            return
        self._chores.append(chore)
        self._selector.register(chore.control.fileno(), selectors.EVENT_READ, chore)

    def _bury_chore(self, chore: _Chore) -> None:
        """A chore has done its piece of work, or has failed: the next one follows after a pause."""
        self._selector.unregister(chore.control.fileno())
        status = chore.bury()
        self._chores.remove(chore)
        self._board.clear_gauges(chore.row)
        self._free_chore_rows.append(chore.row)
        if chore.leaving or self._stopping():
            return
        if status != 0:
            _log.error("chore %d ended with status %d", chore.process.pid, status)
        self._chore_failures = 0 if status == 0 else self._chore_failures + 1
        self._plan_chore(_CHORE_PAUSES[min(self._chore_failures, len(_CHORE_PAUSES) - 1)])

    def _let_chores_go(self) -> None:
        for chore in self._chores:
            chore.leave(_KILL_AFTER)
        self._chore_due = math.inf

    # ---- reloading -----------------------------------------------------------------------------------------

    def _replace_all(self) -> None:
        """New settings, new workers; the old ones leave one by one, each when its successor is ready."""
        try:
            self._settings = self._read_again()
        except GoferryError as failure:
            self._row.add(1.0, metrics.RELOADS, "refused")
            _log.error("reload refused, going on as before: %s", failure)
            return
        old = [worker for worker in self._workers if not worker.leaving]
        for place in range(max(len(old), self._settings.workers)):
            if place < self._settings.workers and not self._start_another(place):
                self._row.add(1.0, metrics.RELOADS, "failed")
                return
            if place < len(old):
                self._let_go(old[place])
        self._let_chores_go()
        self._plan_chore(0.0)
        self._row.add(1.0, metrics.RELOADS, "ok")
        _log.info("reloaded")

    def _read_again(self) -> Settings:
        settings = self._settings if self._reload is None else self._reload()
        check_certificate(settings)
        if settings.addr != self._settings.addr:
            _log.warning(
                "setting addr: %s is used after a restart; still listening on %s", settings.addr, self._url
            )
        if (settings.tls_cert is None) != (self._settings.tls_cert is None):
            raise ConfigError("switching TLS on or off needs a restart")
        if _rows(settings.workers) > self._board.rows:
            raise ConfigError("more than {limit} workers need a restart", limit=(self._board.rows - 3) // 2)
        if len(self._free_rows) < settings.workers:
            raise ConfigError("workers of an earlier reload are still finishing requests; try again later")
        return settings

    def _start_another(self, place: int) -> bool:
        """Start one worker and wait until it is ready."""
        worker = self._start(place)
        if self._until(lambda: worker.ready_at or self._failed([worker]), _START_SECONDS) and worker.ready_at:
            return True
        if not self._stopping():
            reason = worker.failure or "see the log above"
            _log.error("reload stopped, the new worker did not start: %s", reason)
        worker.process.kill()
        return False

    def _let_go(self, worker: _Worker) -> None:
        worker.leave(self._settings.drain_timeout + _KILL_AFTER)
        self._count_workers()

    # ---- ending --------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Everybody who is in the house is answered; nobody new is let in."""
        self._restarts.clear()
        sockets.refuse_new(self._listener)
        sockets.empty_queue(self._listener)
        for worker in self._workers:
            self._let_go(worker)
        self._let_chores_go()
        self._listener.close()
        while (self._workers or self._chores) and not self._told_twice():
            self._turn(0.5)


def _rows(workers: int) -> int:
    """Room for the supervisor, for this many workers and as many successors, for some change of mind, and for a chore
    and its successor."""
    return 1 + 2 * max(workers, 4) + 2


class _Signals:
    """While entered, signals are put into a queue and wake the selector."""

    _WATCHED = (signal.SIGTERM, signal.SIGINT, *((signal.SIGHUP,) if hasattr(signal, "SIGHUP") else ()))

    def __init__(self, selector: selectors.BaseSelector, queue: deque[tuple[int, float]]) -> None:
        self._selector = selector
        self._queue = queue

    def __enter__(self) -> None:
        self._read, self._write = socket.socketpair()
        self._read.setblocking(False)
        self._write.setblocking(False)
        self._before = {number: signal.signal(number, self._note) for number in self._WATCHED}
        self._before_fd = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        self._selector.register(self._read, selectors.EVENT_READ, self._forget_bytes)

    def __exit__(self, *_exc: object) -> None:
        self._selector.unregister(self._read)
        signal.set_wakeup_fd(self._before_fd)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._read.close()
        self._write.close()

    def _note(self, number: int, _frame: Any) -> None:
        self._queue.append((number, time.monotonic()))

    def _forget_bytes(self) -> None:
        with suppress(BlockingIOError):
            while self._read.recv(4096):
                pass
