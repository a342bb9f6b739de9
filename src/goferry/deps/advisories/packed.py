"""goferry's own form of a database: one file, so that it is replaced in one step, and quick to open.

A zip with three members: `about.json`, `index.json` (module path → rows, and the names of each row's flaw) and
`entries.jsonl` (a row a line, as `osv.compact` writes it). The checksums of a zip tell a damaged file.
"""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, TypeVar

import msgspec

from goferry.deps.advisories import osv
from goferry.deps.advisories.base import About, Index
from goferry.deps.advisories.layouts import read_member
from goferry.deps.advisories.osv import Entry, InvalidAdvisory
from goferry.i18n import N_

ABOUT: Final = "about.json"
_INDEX: Final = "index.json"
_ENTRIES: Final = "entries.jsonl"
_FORM: Final = 1
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
"""The same bytes from the same entries, whenever they are packed."""

_T = TypeVar("_T")


class _About(msgspec.Struct):
    form: int
    licence: str
    about: About


class Packed:
    """A layer of a database in this form."""

    def __init__(self, name: str, data: bytes) -> None:
        self.name = name
        with _opened(name, data) as members:
            self.about = _about(name, members)
            self.index = _decoded(name, read_member(name, members, _INDEX), Index)
            self._lines = read_member(name, members, _ENTRIES).split(b"\n")[:-1]
        if not len(self._lines) == len(self.index.names) == self.about.entries:
            raise _damaged(name, f"{len(self._lines)} / {len(self.index.names)} / {self.about.entries}")

    def entry(self, row: int) -> Entry:
        return osv.parse(self.index.names[row][0], self._lines[row])

    def text(self, row: int) -> bytes:
        return self._lines[row]

    def texts(self) -> Iterator[tuple[str, bytes]]:
        return ((names[0], line) for names, line in zip(self.index.names, self._lines, strict=True))


def pack(about: About, files: Iterable[tuple[str, bytes]], *, licence: str = "") -> bytes:
    """The database of these OSV files (name and content). The number in `about` is counted here."""
    rows = sorted((osv.compact(name, data) for name, data in files), key=lambda row: row[0].id)
    modules: dict[str, list[int]] = {}
    for row, (entry, _) in enumerate(rows):
        for path in dict.fromkeys(block.module for block in entry.affected):
            modules.setdefault(path, []).append(row)
    index = Index(
        {path: tuple(modules[path]) for path in sorted(modules)},
        tuple((entry.id, *entry.aliases) for entry, _ in rows),
    )
    members = {
        ABOUT: msgspec.json.encode(_About(_FORM, licence, replace(about, entries=len(rows)))),
        _INDEX: msgspec.json.encode(index),
        _ENTRIES: b"".join(line + b"\n" for _, line in rows),
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in members.items():
            target.writestr(
                zipfile.ZipInfo(name, _NO_TIME), data, compress_type=zipfile.ZIP_DEFLATED, compresslevel=9
            )
    return file.getvalue()


def read_about(name: str, data: bytes) -> About:
    """Only which database it is. InvalidAdvisory when it is none."""
    with _opened(name, data) as members:
        return _about(name, members)


@contextmanager
def _opened(name: str, data: bytes) -> Iterator[zipfile.ZipFile]:
    """The members of the file; every fault of the zip, also one that shows inside the block, names the file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as members:
            yield members
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as error:
        raise _damaged(name, error) from error


def _about(name: str, members: zipfile.ZipFile) -> About:
    head = _decoded(name, read_member(name, members, ABOUT), _About)
    if head.form != _FORM:
        raise InvalidAdvisory(
            "{name}: the vulnerability database has form {form}, and this goferry reads {known}",
            hint=N_("run `goferry deps db update`, or a newer goferry"),
            name=name,
            form=head.form,
            known=_FORM,
        )
    return head.about


def _decoded(name: str, data: bytes, kind: type[_T]) -> _T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _damaged(name, error) from error


def _damaged(name: str, why: object) -> InvalidAdvisory:
    return InvalidAdvisory(
        "{name}: the vulnerability database is damaged: {why}",
        hint=N_("run `goferry deps db update` to get it anew"),
        name=name,
        why=why,
    )
