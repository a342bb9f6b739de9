"""Databases as others lay them out: the public database's files, and loose OSV files.

The public layout (https://go.dev/doc/security/vuln/database#api) is the same as a folder, as `vulndb.zip` and over
http: index/db.json, index/modules.json, index/vulns.json and ID/<id>.json. Nothing but the index is read before
somebody asks for a module.
"""

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

import msgspec

from goferry.deps.advisories import osv
from goferry.deps.advisories.base import About, Index
from goferry.deps.advisories.osv import Entry, InvalidAdvisory

if TYPE_CHECKING:
    from goferry.deps.advisories.database import Database

DB: Final = "index/db.json"
MODULES: Final = "index/modules.json"
VULNS: Final = "index/vulns.json"
MOST: Final = 64 << 20
"""Bytes of one file that are accepted; the whole public database is below 8 MB."""

Reader: TypeAlias = Callable[[str], bytes | None]
"""The content of a file by its path in the layout; None when there is none."""

_T = TypeVar("_T")


def entry_file(id: str) -> str:
    """Where the public layout has an entry."""
    return f"ID/{id}.json"


class _Db(msgspec.Struct):
    modified: str


class _Known(msgspec.Struct):
    id: str
    aliases: list[str] = []


class _Module(msgspec.Struct):
    path: str
    vulns: list[_Known] = []


class Tree:
    """A layer in the public layout."""

    def __init__(self, name: str, read: Reader) -> None:
        self.name = name
        self._read = read
        known = {one.id: tuple(one.aliases) for one in self._needed(VULNS, list[_Known])}
        modules = self._needed(MODULES, list[_Module])
        for module in modules:
            for one in module.vulns:
                known.setdefault(one.id, ())
        self._ids = sorted(known)
        rows = {id: row for row, id in enumerate(self._ids)}
        self.index = Index(
            {module.path: tuple(rows[one.id] for one in module.vulns) for module in modules},
            tuple((id, *known[id]) for id in self._ids),
        )
        self.about = About(name, self.age(name, self._bytes(DB)), len(self._ids))

    @staticmethod
    def age(name: str, data: bytes) -> str:
        """When the database was changed last, as its index/db.json says."""
        return _decoded(name, DB, data, _Db).modified

    def entry(self, row: int) -> Entry:
        id = self._ids[row]
        found = osv.parse(f"{self.name}: {id}", self._text(id))
        if found.id != id:
            raise InvalidAdvisory(
                "{name}: {file} holds the entry {id}", name=self.name, file=entry_file(id), id=found.id
            )
        return found

    def text(self, row: int) -> bytes:
        return self._text(self._ids[row])

    def texts(self) -> Iterator[tuple[str, bytes]]:
        return ((id, self._text(id)) for id in self._ids)

    def _text(self, id: str) -> bytes:
        return self._bytes(entry_file(id))

    def _bytes(self, file: str) -> bytes:
        data = self._read(file)
        if data is None:
            raise InvalidAdvisory(
                "{name}: the vulnerability database lacks {file}", name=self.name, file=file
            )
        return data

    def _needed(self, file: str, kind: type[_T]) -> _T:
        return _decoded(self.name, file, self._bytes(file), kind)


def _decoded(name: str, file: str, data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidAdvisory(
            "{name}: {file} is no index of a vulnerability database: {why}", name=name, file=file, why=error
        ) from error


def public_tree(database: "Database", modules: Iterable[str]) -> dict[str, bytes]:
    """The entries about some modules and about Go itself, as files in the public layout, for tools that read that."""
    paths = sorted({*modules, osv.STDLIB, osv.TOOLCHAIN})
    known = {path: database.entries(path) for path in paths if database.knows(path)}
    entries = {entry.id: entry for found in known.values() for entry in found}
    modified = database.about.modified or _NO_TIME
    index: dict[str, Any] = {
        DB: {"modified": modified},
        MODULES: [
            {"path": path, "vulns": [{"id": entry.id, "modified": modified} for entry in found]}
            for path, found in known.items()
        ],
        VULNS: [
            {"id": id, "modified": modified, "aliases": list(entries[id].aliases)} for id in sorted(entries)
        ],
    }
    tree = {name: msgspec.json.encode(value) for name, value in index.items()}
    tree |= {entry_file(id): database.text(id) for id in entries}
    return {**tree, **{f"{name}.gz": gzip.compress(data, 1, mtime=0) for name, data in tree.items()}}


_NO_TIME: Final = "0001-01-01T00:00:00Z"


class Loose:
    """A layer of OSV files, or of entries that somebody made."""

    def __init__(
        self, name: str, entries: Iterable[Entry] = (), files: Iterable[tuple[str, bytes]] = ()
    ) -> None:
        self.name = name
        self._entries = (*entries, *(osv.parse(file, data) for file, data in files))
        modules: dict[str, list[int]] = {}
        for row, entry in enumerate(self._entries):
            for path in dict.fromkeys(block.module for block in entry.affected):
                modules.setdefault(path, []).append(row)
        self.index = Index(
            {path: tuple(rows) for path, rows in modules.items()},
            tuple((entry.id, *entry.aliases) for entry in self._entries),
        )
        newest = max((entry.modified for entry in self._entries), default="")
        self.about = About(name, newest, len(self._entries))

    def entry(self, row: int) -> Entry:
        return self._entries[row]

    def text(self, row: int) -> bytes:
        return osv.encode(self._entries[row])

    def texts(self) -> Iterator[tuple[str, bytes]]:
        return ((entry.id, osv.encode(entry)) for entry in self._entries)


# ---- where the files are --------------------------------------------------------------------------------------


def folder_reader(folder: Path) -> Reader:
    """Reads FILE, or FILE.gz where only that is there."""

    def read(file: str) -> bytes | None:
        for name, unpack in ((file, bytes), (f"{file}.gz", _gunzip)):
            data = _read_if_there(folder / name)
            if data is not None:
                return unpack(data)
        return None

    return read


def zip_reader(name: str, members: zipfile.ZipFile) -> Reader:
    """The same from an open zip."""
    known = set(members.namelist())

    def read(file: str) -> bytes | None:
        return read_member(name, members, file) if file in known else None

    return read


def read_member(name: str, members: zipfile.ZipFile, file: str) -> bytes:
    """One member, not more of it than it may have. InvalidAdvisory when the zip is damaged."""
    if members.getinfo(file).file_size > MOST:
        raise InvalidAdvisory("{name}: {file} is over {limit} bytes", name=name, file=file, limit=MOST)
    try:
        return members.read(file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InvalidAdvisory("{name}: damaged zip: {why}", name=name, why=error) from error


def open_zip(name: str, data: bytes) -> zipfile.ZipFile:
    """A zip in memory. InvalidAdvisory when it is none."""
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except zipfile.BadZipFile as error:
        raise InvalidAdvisory("{name}: damaged zip: {why}", name=name, why=error) from error


def gunzip(name: str, data: bytes) -> bytes:
    """What is in a .gz. InvalidAdvisory when it is damaged, cut off or too large."""
    try:
        return _gunzip(data)
    except InvalidAdvisory as error:
        raise InvalidAdvisory("{name}: {why}", name=name, why=error) from error


def _gunzip(data: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(data)) as file:
            content = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise InvalidAdvisory("damaged gzip: {why}", why=error) from error
    if len(content) > MOST:
        raise InvalidAdvisory("over {limit} bytes", limit=MOST)
    return content


def read_file(file: Path) -> bytes:
    """The content. InvalidAdvisory when it cannot be read, or is too large."""
    try:
        if file.stat().st_size > MOST:
            raise InvalidAdvisory("{name}: over {limit} bytes", name=file, limit=MOST)
        return file.read_bytes()
    except OSError as error:
        raise InvalidAdvisory("cannot read {file}: {why}", file=file, why=error.strerror) from error


def _read_if_there(file: Path) -> bytes | None:
    return read_file(file) if file.is_file() else None
