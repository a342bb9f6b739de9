"""What a store has of go.mod files, summed up once.

A build list follows from a thousand go.mod files that never change. `.goferry/requirements` (SQLite) keeps what each
of them says for the graph, with the size, the times and the number of the file that says it. A line counts only while
that file stands there unchanged: what is removed from the store, or replaced in it, is not known any more.

It is a cache. Whatever is wrong with it, the files themselves are read, and it is made anew; a process that cannot
write to it, or that has to wait for another one, does without. The oldest lines go when it gets large.
"""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from typing import Final, TypeAlias

from goferry.errors import InvalidInput
from goferry.gomod.modgraph import Requirements
from goferry.gomod.modsummary import Summary, summarize
from goferry.gomod.module import Version
from goferry.places import StrPath

PLACE: Final = ".goferry/requirements"
FORMAT: Final = 1
"""Raise it when a line means something else, or when `summarize` reads files otherwise."""

MOST_LINES: Final = 50_000
MOST_BYTES: Final = 64 << 20
"""Of the whole file."""
MOST_TEXT: Final = 1 << 18
"""Of one line; a go.mod that says more is read every time."""

_APPLICATION: Final = 0x676F6672  # "gofr"
_BUSY_SECONDS: Final = 0.1
_AT_ONCE: Final = 500
_CACHED_PAGES: Final = 20
_TABLE: Final = f"""
CREATE TABLE IF NOT EXISTS said (
  id INTEGER PRIMARY KEY,
  version TEXT NOT NULL UNIQUE,
  key TEXT NOT NULL,
  file TEXT NOT NULL,
  said TEXT NOT NULL,
  sum INTEGER NOT NULL
);
PRAGMA application_id = {_APPLICATION};
PRAGMA user_version = {FORMAT};
"""

_Line: TypeAlias = tuple[str, str, str, str, int]
"""Version, key in the store, the file's identity, what it says, and the check sum of all that."""


class Stored:
    """The go.mod files of a store in a folder: it is laid out as the URLs are, and holds only what is whole and
    proven."""

    def __init__(self, folder: StrPath) -> None:
        self._root = f"{folder}/"
        self._file = os.path.join(folder, PLACE)
        self._known: dict[Version, Summary] = {}
        self._asked: set[Version] = set()
        self._new: list[_Line] = []
        self._versions = _Versions()

    def prepare(self, versions: Iterable[Version]) -> None:
        """Looks up many at once; without it each one is read from its file."""
        wanted = {str(version): version for version in versions if version not in self._asked}
        self._asked.update(wanted.values())
        for text, key, file, said, check in _lines(self._file, list(wanted)):
            if _identity(self._root + key) == file and _check(text, key, file, said) == check:
                self._known[wanted[text]] = self._summary(said)

    def get(self, version: Version) -> Summary | None:
        """What a go.mod says; None when it is not at hand. ModFileError when it cannot be understood."""
        found = self._known.get(version)
        return found or self._read(version)

    def keep(self) -> None:
        """Writes down what had to be read."""
        if self._new:
            with suppress(sqlite3.Error, OSError):
                _keep(self._file, self._new)
            self._new = []

    def _read(self, version: Version) -> Summary | None:
        from goferry.gomod.goproxy import Kind, request_path  # slow to import, and seldom needed

        try:
            key = request_path(Kind.MOD, version.path, version.version)
            with open(self._root + key, "rb", 0) as file:
                identity = _identity_of(os.fstat(file.fileno()))
                data = file.read()
        except (OSError, InvalidInput):
            return None  # whoever asks the proxy for it will hear why
        found = summarize(f"{version}/go.mod", data)
        said = _text(found)
        # Quoted paths may hold anything, what parts the words here among it.
        if len(said) <= MOST_TEXT and said.isascii() and self._summary(said) == found:
            text = str(version)
            self._new.append((text, key, identity, said, _check(text, key, identity, said)))
        return found

    def _summary(self, said: str) -> Summary:
        module, go, *require = said.split("\n")
        return Summary(module, Requirements(go, tuple(map(self._versions.__getitem__, require))))


class _Versions(dict[str, Version]):
    """One object for all lines that say the same."""

    def __missing__(self, text: str) -> Version:
        path, _, version = text.rpartition(" ")
        found = self[text] = Version(path, version)
        return found


def _text(summary: Summary) -> str:
    said = summary.requirements
    return "\n".join([summary.module, said.go, *(f"{v.path} {v.version}" for v in said.require)])


def _check(*words: str) -> int:
    return zlib.crc32("\0".join(words).encode())


def _identity(file: str) -> str:
    try:
        return _identity_of(os.stat(file))
    except OSError:
        return ""


def _identity_of(found: os.stat_result) -> str:
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _lines(place: str, versions: Sequence[str]) -> Iterator[_Line]:
    """What is written down of these; nothing when anything is wrong."""
    if not os.path.exists(place):
        return
    with suppress(sqlite3.Error), closing(_opened(place)) as file:
        if not _is_ours(file):
            return
        # Nearly every page is wanted once: to keep them costs more than to read a few again.
        file.execute(f"PRAGMA cache_size = {_CACHED_PAGES}")
        for at in range(0, len(versions), _AT_ONCE):
            some = versions[at : at + _AT_ONCE]
            marks = ",".join("?" * len(some))
            yield from file.execute(
                f"SELECT version, key, file, said, sum FROM said WHERE version IN ({marks})",  # noqa: S608
                some,
            )


def _keep(place: str, lines: Iterable[_Line]) -> None:
    try:
        _write(place, lines)
    except sqlite3.OperationalError:
        raise  # another process is writing, or the disk is full
    except sqlite3.DatabaseError:
        os.unlink(place)  # something else, or a damaged one
        with suppress(FileNotFoundError):
            os.unlink(f"{place}-journal")
        _write(place, lines)


def _write(place: str, lines: Iterable[_Line]) -> None:
    """All lines or none; others see them when they are whole."""
    os.makedirs(os.path.dirname(place), exist_ok=True)
    with closing(_opened(place)) as file:
        file.execute("BEGIN IMMEDIATE")
        if not _is_ours(file):
            file.execute("DROP TABLE IF EXISTS said")
        for statement in filter(str.strip, _TABLE.split(";")):
            file.execute(statement)
        file.executemany(
            "INSERT OR REPLACE INTO said (version, key, file, said, sum) VALUES (?, ?, ?, ?, ?)", lines
        )
        _make_room(file)
        file.execute("COMMIT")


def _opened(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=_BUSY_SECONDS, isolation_level=None)


def _is_ours(file: sqlite3.Connection) -> bool:
    return (_pragma(file, "application_id"), _pragma(file, "user_version")) == (_APPLICATION, FORMAT)


def _make_room(file: sqlite3.Connection) -> None:
    """Down to three quarters when it is too much, the oldest lines first."""
    (count,) = file.execute("SELECT count(*) FROM said").fetchone()
    size = (_pragma(file, "page_count") - _pragma(file, "freelist_count")) * _pragma(file, "page_size")
    share = max(count / MOST_LINES, size / MOST_BYTES)
    if share > 1:
        least = count - int(count / share * 0.75)
        file.execute("DELETE FROM said WHERE id IN (SELECT id FROM said ORDER BY id LIMIT ?)", [least])


def _pragma(file: sqlite3.Connection, name: str) -> int:
    found: int = file.execute(f"PRAGMA {name}").fetchone()[0]
    return found
