"""The file that remembers audits, notices and the schedule.

It is a record and no cache: nothing here can be made again from anything else. So unlike the store's index it is never
moved aside or begun anew by itself, every fault of it is an error, and what is written is on the disk before anybody
acts on it. Several processes may use it at once (WAL, writes one after another).
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from goferry.errors import StorageError
from goferry.i18n import N_
from goferry.storage.locks import NamedLocks

_BUSY_SECONDS: Final = 30.0

MIGRATIONS: Final[tuple[str, ...]] = (
    """
CREATE TABLE runs (
  id INTEGER PRIMARY KEY,
  fingerprint TEXT NOT NULL UNIQUE,
  generated REAL NOT NULL,
  database TEXT NOT NULL,
  projects INTEGER NOT NULL,
  unproven INTEGER NOT NULL
);
CREATE TABLE documents (run INTEGER PRIMARY KEY REFERENCES runs, audit BLOB NOT NULL);
CREATE TABLE audited (
  run INTEGER NOT NULL REFERENCES runs,
  project TEXT NOT NULL,
  owner TEXT NOT NULL,
  modules INTEGER NOT NULL,
  level TEXT NOT NULL,
  PRIMARY KEY (project, run)
) WITHOUT ROWID;
CREATE TABLE spans (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,
  kind TEXT NOT NULL,
  ident TEXT NOT NULL,
  severity TEXT NOT NULL,
  project TEXT NOT NULL,
  owner TEXT NOT NULL,
  module TEXT NOT NULL,
  opened INTEGER NOT NULL REFERENCES runs,
  closed INTEGER REFERENCES runs
);
CREATE UNIQUE INDEX open_spans ON spans (key) WHERE closed IS NULL;
CREATE INDEX spans_by_project ON spans (project) WHERE closed IS NULL;
CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  receiver TEXT NOT NULL,
  keys TEXT NOT NULL,
  begun REAL NOT NULL,
  finished REAL
) WITHOUT ROWID;
CREATE TABLE answers (
  delivery TEXT NOT NULL REFERENCES deliveries,
  step TEXT NOT NULL,
  answer TEXT NOT NULL,
  PRIMARY KEY (delivery, step)
) WITHOUT ROWID;
CREATE TABLE told (
  receiver TEXT NOT NULL,
  key TEXT NOT NULL,
  project TEXT NOT NULL,
  module TEXT NOT NULL,
  PRIMARY KEY (receiver, key)
) WITHOUT ROWID;
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY,
  started REAL NOT NULL,
  ended REAL,
  failure TEXT
);
""",
)
"""What makes each version of the schema from the one before. Never changed once released, only added to."""


class Kept:
    """The open file. Calls are short and block; use it from one thread at a time."""

    def __init__(self, path: Path, *, migrations: Sequence[str] = MIGRATIONS) -> None:
        self.path = path
        with self._faults():
            path.parent.mkdir(parents=True, exist_ok=True)
            if str(path) != ":memory:":
                path.touch(mode=0o600)  # what is wrong with a company's projects is nobody else's business
            self._file = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            self._prepare(migrations)
        except BaseException:
            self._file.close()
            raise

    def _prepare(self, migrations: Sequence[str]) -> None:
        with self._faults():
            self._refuse_newer(len(migrations))
            self._file.execute("PRAGMA journal_mode = WAL")
            self._file.execute("PRAGMA synchronous = FULL")
            self._file.execute("PRAGMA foreign_keys = ON")
            if self._version() < len(migrations):
                with self.writing():
                    # Another process may have brought it up to date while this one waited for its turn.
                    for script in migrations[self._version() :]:
                        for statement in filter(str.strip, script.split(";")):
                            self._file.execute(statement)
                    self._file.execute(f"PRAGMA user_version = {len(migrations)}")

    def _version(self) -> int:
        return int(self._file.execute("PRAGMA user_version").fetchone()[0])

    def _refuse_newer(self, known: int) -> None:
        if self._version() > known:
            raise StorageError(
                "{file} was written by a newer goferry (schema {found}, this one knows {known})",
                hint=N_("use that version again, or name another file with the setting {name}"),
                file=self.path,
                found=self._version(),
                known=known,
                name="audit_history",
            )

    def rows(self, question: str, parts: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """What a SELECT finds."""
        with self._faults():
            return self._file.execute(question, parts).fetchall()

    def row(self, question: str, parts: Sequence[object] = ()) -> tuple[Any, ...] | None:
        """The first of `rows`."""
        found = self.rows(question, parts)
        return found[0] if found else None

    def do(self, statement: str, parts: Sequence[object] = ()) -> int:
        """Changes something; the id of the row that an INSERT made."""
        with self._faults():
            return self._file.execute(statement, parts).lastrowid or 0

    def do_all(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        """The same statement for each of the rows."""
        with self._faults():
            self._file.executemany(statement, rows)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """All that is inside or nothing, alone among all processes. Reading inside sees nobody else's half."""
        with self._faults():
            self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self._file.execute("ROLLBACK")
            raise
        with self._faults():
            self._file.execute("COMMIT")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise StorageError(
                "the record of audits {file} cannot be used: {why}", file=self.path, why=error
            ) from error

    def locks(self) -> NamedLocks:
        """Locks that all processes with this file share; to be closed."""
        folder = self.path.with_name(self.path.name + ".locks")
        with self._faults():
            folder.mkdir(exist_ok=True)
        return NamedLocks(str(folder))

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()
