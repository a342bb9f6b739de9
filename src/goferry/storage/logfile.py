"""A log of one's own in one SQLite file: records, and the hashes of the tree over them, which only grow.

A record and the hashes that it completes are written in one transaction, so the file holds both or neither, whoever is
killed when. There is one record for each module version; processes that append the same one at once all get that one.
Nothing that is there is ever changed, and a file that is damaged, missing or somebody else's is an error and never
begun anew: another tree under the same key is a fork to every client.

Journal and sync are chosen for that: a commit that was acknowledged survives a crash of the machine (the journal is
truncated, and synced when it is), and a folder that can't be written can still be read (no WAL).

Methods block: call them from a thread. One object may be used by several.
"""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

from goferry.errors import StorageError
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.tlog import EMPTY_TREE, Record, Tree
from goferry.i18n import N_

_APPLICATION: Final = 0x676F6C67  # "golg"
_FORMAT: Final = 1
_BUSY_SECONDS: Final = 30.0
_AT_ONCE: Final = 500
_TABLES: Final = f"""
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE records (id INTEGER PRIMARY KEY, module TEXT NOT NULL UNIQUE, text BLOB NOT NULL);
CREATE TABLE hashes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {_FORMAT};
"""
_KEY: Final = "verifier"
_MEND: Final = N_(
    "put {path} back from a backup that has all of its records; a new log under the same key would be a fork to clients"
)

_R = TypeVar("_R")


class LogDamaged(StorageError):
    """The log is not what it was. Nothing is answered from it, and nothing is begun in its place."""

    code = "log_damaged"


class LogFile:
    """The log in a file that is there; `create` makes one. `verifier` is the public key that signs its heads."""

    def __init__(self, path: Path, verifier: str, *, read_only: bool = False, sync: bool = True) -> None:
        self.path = path
        self.verifier = verifier
        self._read_only = read_only
        self._sync = sync
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0

    # Writing

    def append(self, module: str, text: bytes, *, after: Tree = EMPTY_TREE) -> Record:
        """The record of a module version (`PATH@VERSION`): this one, or the one that was there before."""
        return self.append_all([(module, text)], after=after)[0]

    def append_all(self, entries: Sequence[tuple[str, bytes]], *, after: Tree = EMPTY_TREE) -> list[Record]:
        """The same for several, all or none. `after` is a tree that this log must begin with, or LogDamaged."""
        return self._with(lambda file: self._append_all(file, entries, after))

    def _append_all(
        self, file: sqlite3.Connection, entries: Sequence[tuple[str, bytes]], after: Tree
    ) -> list[Record]:
        with _transaction(file):
            # What a new head is made from is hashed again first, so that a rotten hash is never signed.
            self._check_begins_with(file, after)
            return [self._append(file, module, text) for module, text in entries]

    def _append(self, file: sqlite3.Connection, module: str, text: bytes) -> Record:
        if known := self._find(file, module):
            return known
        number = _size(file)
        tlog.format_record(Record(number, text))  # refuses what no client could read
        siblings = self._hashes(file, tlog.stored_hashes_indexes(number))
        new = tlog.stored_hashes(tlog.record_hash(text), siblings)
        file.executemany("INSERT INTO hashes VALUES (?, ?)", enumerate(new, tlog.stored_hash_count(number)))
        file.execute("INSERT INTO records VALUES (?, ?, ?)", (number, module, text))
        return Record(number, text)

    # Questions

    def find(self, module: str) -> Record | None:
        """The record of a module version (`PATH@VERSION`). LogDamaged when it is not what its hash says."""
        return self._with(lambda file: self._find(file, module))

    def size(self) -> int:
        """How many records there are."""
        return self._with(_size)

    def tree(self, size: int | None = None) -> Tree:
        """The tree when the log had that many records; now, by default. LogDamaged when it never had as many."""
        return self._with(lambda file: self._tree(file, _size(file) if size is None else size))

    def check_begins_with(self, tree: Tree) -> None:
        """Raise LogDamaged unless that tree is the beginning of this log."""
        self._with(lambda file: self._check_begins_with(file, tree))

    def hashes(self, indexes: Sequence[int]) -> list[bytes]:
        """The hashes with these stored indexes, in their order. LogDamaged when one is missing."""
        return self._with(lambda file: self._hashes(file, indexes))

    def records(self, start: int, stop: int) -> list[tuple[str, Record]]:
        """Those of the records [start, stop) that there are, each with its module version, in order."""
        question = "SELECT module, id, text FROM records WHERE id >= ? AND id < ? ORDER BY id"
        rows = self._with(lambda file: file.execute(question, (start, stop)).fetchall())
        if odd := [number for _module, number, text in rows if not isinstance(text, bytes)]:
            raise self._damaged(N_("the record {number} of the log {path} was changed"), number=odd[0])
        return [(module, Record(number, text)) for module, number, text in rows]

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _find(self, file: sqlite3.Connection, module: str) -> Record | None:
        row = file.execute("SELECT id, text FROM records WHERE module = ?", (module,)).fetchone()
        if row is None:
            return None
        number, text = row
        (leaf,) = self._hashes(file, [tlog.stored_hash_index(0, number)])
        if not isinstance(text, bytes) or tlog.record_hash(text) != leaf:
            raise self._damaged(N_("the record {number} of the log {path} was changed"), number=number)
        return Record(number, text)

    def _tree(self, file: sqlite3.Connection, size: int) -> Tree:
        return Tree(size, tlog.tree_hash(self._hashes(file, tlog.tree_hash_indexes(size))))

    def _check_begins_with(self, file: sqlite3.Connection, tree: Tree) -> None:
        have = _size(file)
        if have < tree.size:
            raise self._damaged(
                N_("the log {path} has {have} records, and had {size} before"), have=have, size=tree.size
            )
        if self._tree(file, tree.size) != tree:
            raise self._damaged(
                N_("the first {size} records of the log {path} are not those that were signed"),
                size=tree.size,
            )

    def _hashes(self, file: sqlite3.Connection, indexes: Sequence[int]) -> list[bytes]:
        found: dict[int, bytes] = {}
        for at in range(0, len(indexes), _AT_ONCE):
            some = indexes[at : at + _AT_ONCE]
            marks = ",".join("?" * len(some))
            found |= file.execute(f"SELECT id, hash FROM hashes WHERE id IN ({marks})", some)  # noqa: S608
        for index in indexes:
            if len(found.get(index, b"")) != tlog.HASH_SIZE:
                raise self._damaged(N_("the log {path} lacks its hash {index}"), index=index)
        return [found[index] for index in indexes]

    # The file

    def _with(self, act: Callable[[sqlite3.Connection], _R]) -> _R:
        with self._lock:
            try:
                return act(self._opened())
            except sqlite3.Error as error:
                self._drop()
                raise self._named(error) from error
            except StorageError:
                self._drop()  # the next one looks at everything again
                raise

    def _opened(self) -> sqlite3.Connection:
        try:
            inode = os.stat(self.path).st_ino
        except OSError as error:
            raise self._damaged(N_("the log {path} is gone: {why}"), why=error.strerror) from error
        if self._connection is None:
            self._connection = _connect(self.path, read_only=self._read_only)
            self._inode = inode
            self._prepare(self._connection)
        if inode != self._inode:
            raise self._damaged(N_("another file was put in the place of the log {path}"))
        return self._connection

    def _prepare(self, file: sqlite3.Connection) -> None:
        file.execute(f"PRAGMA synchronous = {'FULL' if self._sync else 'OFF'}")
        file.execute("PRAGMA fullfsync = ON")  # macOS: its fsync stops at the drive's own cache
        if not self._read_only:
            file.execute("PRAGMA journal_mode = TRUNCATE")
        self._check_format(file)
        # In one statement, which sees one state of the file: another process may be appending.
        count, hashes = file.execute(
            "SELECT (SELECT ifnull(max(id) + 1, 0) FROM records), (SELECT ifnull(max(id) + 1, 0) FROM hashes)"
        ).fetchone()
        if tlog.stored_hash_count(count) != hashes:
            raise self._damaged(N_("the log {path} has {count} records, but not their hashes"), count=count)

    def _check_format(self, file: sqlite3.Connection) -> None:
        if _pragma(file, "application_id") != _APPLICATION:
            raise self._damaged(N_("{path} is no log of goferry"))
        if _pragma(file, "user_version") > _FORMAT:
            raise StorageError("the log {path} was written by a newer goferry", path=self.path)
        row = file.execute("SELECT value FROM about WHERE name = ?", (_KEY,)).fetchone()
        if row is None or row[0] != self.verifier:
            raise LogDamaged(
                "the log {path} is kept under another key",
                hint=N_("its key is {key}: give that one, or another name for a new log"),
                path=self.path,
                key=row[0] if row else "",
            )

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _damaged(self, message: str, **parts: object) -> LogDamaged:
        return LogDamaged(message, hint=_MEND, path=self.path, **parts)

    def _named(self, error: sqlite3.Error) -> StorageError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _REFUSALS:
            return StorageError(
                "the log {path} cannot be used now: {why}",
                hint=N_("look at the disk and the rights of {path}; nothing of it is lost"),
                path=self.path,
                why=error,
            )
        return self._damaged(N_("the log {path} is damaged: {why}"), why=error)


_REFUSALS: Final = frozenset(
    (
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
    )
)
"""What is the fault of the disk, of its rights or of the moment, and not of the file."""


def create(path: Path, verifier: str) -> None:
    """An empty log, whole or not there at all. For one process at a time. Raises StorageError."""
    new = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for left in (new, new.with_name(f"{new.name}-journal")):
            left.unlink(missing_ok=True)
        with closing(sqlite3.connect(new, isolation_level=None)) as file:
            file.executescript(f"BEGIN; {_TABLES} COMMIT;")
            file.execute("INSERT INTO about VALUES (?, ?)", (_KEY, verifier))
        os.replace(new, path)
        _sync_folders(path.parent)
    except (sqlite3.Error, OSError) as error:
        raise StorageError("the log {path} cannot be made: {why}", path=path, why=error) from error


def verifier_of(path: Path, *, read_only: bool = False) -> str:
    """The public key of the log in a file. Raises StorageError."""
    try:
        with closing(_connect(path, read_only=read_only)) as file:
            row = file.execute("SELECT value FROM about WHERE name = ?", (_KEY,)).fetchone()
    except sqlite3.Error as error:
        raise LogDamaged("the log {path} is damaged: {why}", hint=_MEND, path=path, why=error) from error
    return str(row[0]) if row else ""


def rehash(entries: Iterable[tuple[str, Record]]) -> Iterator[tuple[str, Record, list[bytes]]]:
    """Each record with the hashes that it completes, computed from the records alone."""
    frontier: list[bytes] = []  # tops of the complete subtrees, the largest first
    for number, (module, record) in enumerate(entries):
        completed = len(tlog.stored_hashes_indexes(number))
        split = len(frontier) - completed
        made = tlog.stored_hashes(tlog.record_hash(record.text), frontier[split:])
        frontier = [*frontier[:split], made[-1]]
        yield module, record, made


def _connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    # Never made here: a missing file is an error.
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rw'}"
    return sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


@contextmanager
def _transaction(file: sqlite3.Connection) -> Iterator[None]:
    file.execute("BEGIN IMMEDIATE")
    try:
        yield
        file.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            file.execute("ROLLBACK")
        raise


def _size(file: sqlite3.Connection) -> int:
    last = file.execute("SELECT max(id) FROM records").fetchone()[0]
    return 0 if last is None else last + 1


def _pragma(file: sqlite3.Connection, name: str) -> int:
    found: int = file.execute(f"PRAGMA {name}").fetchone()[0]
    return found


def _sync_folders(folder: Path) -> None:
    """The names of the file and of its folder are on the disk (nothing to do on Windows)."""
    if os.name == "nt":
        return
    for place in (folder, folder.parent):
        fd = os.open(place, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
