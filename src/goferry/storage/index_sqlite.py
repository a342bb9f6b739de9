"""What is known of stored files beyond their bytes: when they were last used, where they came from, what
proved them.

A side index: it is never asked on the way to an answer, and every loss of it is bearable. Sizes, times and
names come back from the store (`Index.rebuild`), sums from the `.ziphash` and `.modhash` files; what a crash
takes for good is the last seconds of access times, and the sources of what was fetched in them. So every
fault here is a warning in the log, a damaged file is moved aside and a new one begun, and no caller ever sees
an sqlite3 error.

Noting an access is a dict update. A thread of its own writes what has gathered, in one transaction; all
worker processes share the file (WAL, with a busy timeout).
"""

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from goferry.i18n import _
from goferry.storage.base import Blob, BlobStore
from goferry.storage.locks import try_lock, unlock

FLUSH_SECONDS = 5.0
FLUSH_COUNT = 2_000
"""Notes that wake the writer before its time."""

MOST_PENDING = 100_000
"""Notes kept while the file cannot be written (about 20 MB); beyond that the oldest go."""

RETRY_SECONDS = 60.0
"""Pause after the file could not be opened at all."""

_BUSY_SECONDS = 5.0
_SCHEMA = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
  key TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  stored REAL NOT NULL,
  used REAL NOT NULL,
  fetched REAL,
  source TEXT NOT NULL DEFAULT '',
  h1 TEXT NOT NULL DEFAULT '',
  verified_by TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
"""
_COLUMNS = "key, size, stored, used, fetched, source, h1, verified_by"
_STORED = f"""
INSERT INTO files ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
  size = excluded.size, stored = excluded.stored, used = max(used, excluded.used), fetched = excluded.fetched,
  source = excluded.source, h1 = excluded.h1, verified_by = excluded.verified_by
"""  # noqa: S608 (a constant of this file)
_SEEN = """
INSERT INTO files (key, size, stored, used) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET size = excluded.size, stored = excluded.stored
"""
_USED = "UPDATE files SET used = max(used, ?) WHERE key = ?"

_log = logging.getLogger(__name__)
_R = TypeVar("_R")


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a file came from. `h1` and `verified_by` (a checksum database) are empty where there was none."""

    source: str
    h1: str = ""
    verified_by: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of one stored file. Times are seconds since the epoch; `fetched` is None for a file found
    by a rebuild, whose source is unknown.
    """

    key: str
    size: int
    stored: float
    used: float
    fetched: float | None = None
    source: str = ""
    h1: str = ""
    verified_by: str = ""


class _Newer(Exception):
    """The file was written by a newer goferry: leave it alone."""


class Index:
    """The index in one file. Thread-safe; starts its thread with the first note. Methods block: call from a
    thread what is not `touch`, `stored` or `forget`.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Callable[[], float] = time.time,
        flush_seconds: float = FLUSH_SECONDS,
    ) -> None:
        self.path = Path(path)
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._used: dict[str, float] = {}
        self._stored: dict[str, Record | None] = {}
        self._file = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._retry_at = 0.0
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._closed = False

    # Notes: cheap, from the event loop

    def touch(self, key: str) -> None:
        """Notes that a file was used now."""
        used = self._used
        used[key] = self._clock()
        if len(used) >= FLUSH_COUNT or self._thread is None:
            self._rouse()

    def stored(self, blob: Blob, provenance: Provenance) -> None:
        """Notes that a file was fetched now."""
        now = self._clock()
        self._stored[blob.key] = Record(
            blob.key,
            blob.size,
            blob.mtime,
            now,
            now,
            provenance.source,
            provenance.h1,
            provenance.verified_by,
        )
        self._rouse_if_due()

    def forget(self, keys: Iterable[str]) -> None:
        """Notes that files are gone."""
        self._stored.update(dict.fromkeys(keys))
        self._rouse_if_due()

    def _rouse_if_due(self) -> None:
        if len(self._stored) >= FLUSH_COUNT or self._thread is None:
            self._rouse()

    def _rouse(self) -> None:
        if self._thread is None and not self._closed:
            with self._start:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="goferry-index", daemon=True)
                    self._thread.start()
                    return
        self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(self._flush_seconds)
            self._wake.clear()
            self.flush()

    # Questions

    def get(self, key: str) -> Record | None:
        """What is known of a file; None when nothing is."""
        found = self._ask(f"SELECT {_COLUMNS} FROM files WHERE key = ?", (key,))  # noqa: S608 (constant columns)
        return found[0] if found else None

    def records(self, prefix: str = "") -> list[Record]:
        """All files whose key starts with `prefix`, in the order of their keys."""
        return self._ask(
            f"SELECT {_COLUMNS} FROM files WHERE key >= ? AND key < ? ORDER BY key",  # noqa: S608
            (prefix, prefix + "\U0010ffff"),
        )

    def search(self, text: str, limit: int = 100) -> list[Record]:
        """Files whose key or source holds `text`, whatever the case of ASCII letters; the last used first."""
        pattern = "%" + "".join("\\" + c if c in "%_\\" else c for c in text) + "%"
        return self._ask(
            f"SELECT {_COLUMNS} FROM files WHERE key LIKE ? ESCAPE '\\' OR source LIKE ? ESCAPE '\\' "  # noqa: S608
            "ORDER BY used DESC, key LIMIT ?",
            (pattern, pattern, limit),
        )

    def _ask(self, question: str, parts: tuple[object, ...]) -> list[Record]:
        self.flush()
        rows = self._with_file(lambda file: file.execute(question, parts).fetchall())
        return [Record(*row) for row in rows or ()]

    # Upkeep

    def flush(self) -> None:
        """Writes all notes in one transaction. When that fails they are kept for the next time."""
        with self._file:
            stored, self._stored = self._stored, {}
            used, self._used = self._used, {}
            if not stored and not used:
                return
            if self._with_file(lambda file: _write(file, stored, used)) is None:
                self._stored = stored | self._stored
                self._used = used | self._used
                _trim(self._stored)
                _trim(self._used)

    async def rebuild(self, store: BlobStore) -> int:
        """Makes the index tell what the store holds: adds what is missing, drops what is gone, keeps what is
        known of the rest. Returns the number of files. A file of unknown use counts as used when it was
        stored.
        """
        seen = [(blob.key, blob.size, blob.mtime, blob.mtime) async for blob in store.keys("")]
        self.flush()
        self._with_file(lambda file: _replace_all(file, seen))
        return len(seen)

    def close(self) -> None:
        """Writes what is left and ends the thread."""
        self._closed = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join()
        self.flush()
        with self._file:
            self._drop_connection()

    # The file

    def _with_file(self, act: Callable[[sqlite3.Connection], _R]) -> _R | None:
        """Does something with the file; None, and a warning, when that cannot be."""
        with self._file:
            if time.monotonic() < self._retry_at:
                return None
            try:
                return self._try_twice(act)
            except _Newer:
                reason = _("it was written by a newer goferry")
            except (sqlite3.Error, OSError) as error:
                reason = str(error)
                if isinstance(error, sqlite3.OperationalError) and _is_busy(error):
                    _log.warning(
                        _("the index {path} is busy: {reason}").format(path=self.path, reason=reason)
                    )
                    return None
            self._drop_connection()
            self._retry_at = time.monotonic() + RETRY_SECONDS
            _log.warning(
                _("the index {path} cannot be used: {reason}; serving goes on without it").format(
                    path=self.path, reason=reason
                )
            )
            return None

    def _try_twice(self, act: Callable[[sqlite3.Connection], _R]) -> _R:
        """A damaged file is replaced by a new one, and the act done with that."""
        try:
            return act(self._opened())
        except sqlite3.DatabaseError as error:
            self._drop_connection()
            if _is_busy(error) or _is_forbidden(error):
                raise
            self._replace_damaged(error)
            return act(self._opened())

    def _opened(self) -> sqlite3.Connection:
        if self._connection is not None and not self._moved():
            return self._connection
        self._drop_connection()
        self._connection = _open(self.path)
        self._inode = os.stat(self.path).st_ino
        return self._connection

    def _moved(self) -> bool:
        """Whether another process has put a new file in place (an open connection would go on with the old one)."""
        try:
            return os.stat(self.path).st_ino != self._inode
        except OSError:
            return True

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _replace_damaged(self, error: sqlite3.DatabaseError) -> None:
        """Moves the file aside, unless another process has done so already and a sound one stands there."""
        with _alone(f"{self.path}.lock"):
            with suppress(sqlite3.DatabaseError), closing(_open(self.path)) as file:
                if file.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
                    return
            aside = f"{self.path}.damaged-{time.time_ns()}"
            for suffix in ("", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.replace(f"{self.path}{suffix}", aside + suffix)
        _log.warning(
            _("the index {path} was damaged ({reason}): it is now {aside}, and a new one is begun").format(
                path=self.path, reason=error, aside=os.path.basename(aside)
            )
        )


def _open(path: Path) -> sqlite3.Connection:
    os.makedirs(path.parent, exist_ok=True)
    file = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        version = file.execute("PRAGMA user_version").fetchone()[0]
        if version > _SCHEMA:
            raise _Newer
        file.execute("PRAGMA journal_mode = WAL")
        file.execute("PRAGMA synchronous = NORMAL")
        if version < _SCHEMA:
            with _transaction(file):
                file.execute(_TABLES)
                file.execute(f"PRAGMA user_version = {_SCHEMA}")
    except BaseException:
        file.close()
        raise
    return file


@contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            file.execute("ROLLBACK")
        raise
    file.execute("COMMIT")


@contextmanager
def _alone(path: str) -> Iterator[None]:
    fd = try_lock(path, wait=True)
    try:
        yield
    finally:
        if fd is not None:
            unlock(fd, path)


def _write(file: sqlite3.Connection, stored: dict[str, Record | None], used: dict[str, float]) -> bool:
    # list() copies in one step: a touch of this moment may still hold the dict that was swapped out.
    notes, uses = list(stored.items()), list(used.items())
    with _transaction(file):
        file.executemany("DELETE FROM files WHERE key = ?", [(key,) for key, row in notes if row is None])
        file.executemany(_STORED, [_row(record) for _key, record in notes if record is not None])
        file.executemany(_USED, [(when, key) for key, when in uses])
    return True


def _row(record: Record) -> tuple[object, ...]:
    return (
        record.key,
        record.size,
        record.stored,
        record.used,
        record.fetched,
        record.source,
        record.h1,
        record.verified_by,
    )


def _replace_all(file: sqlite3.Connection, seen: list[tuple[str, int, float, float]]) -> None:
    with _transaction(file):
        file.execute("CREATE TEMP TABLE IF NOT EXISTS seen (key TEXT PRIMARY KEY) WITHOUT ROWID")
        file.execute("DELETE FROM seen")
        file.executemany("INSERT INTO seen VALUES (?)", [row[:1] for row in seen])
        file.execute("DELETE FROM files WHERE key NOT IN (SELECT key FROM seen)")
        file.executemany(_SEEN, seen)


def _trim(pending: dict[str, _R]) -> None:
    for key in list(pending)[: max(0, len(pending) - MOST_PENDING)]:
        del pending[key]


def _is_busy(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


_FORBIDDEN = (
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOMEM,
)


def _is_forbidden(error: sqlite3.DatabaseError) -> bool:
    """The fault of the disk or its rights: a new file would fare no better."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _FORBIDDEN
