"""A checksum database in memory: an honest one, and one that lies in ways with a name.

Tests, the fault lab and demonstrations need a database whose key is theirs. `MemLog` grows by the modules it is
given, or by those it is asked for, and answers the three kinds of path that a client asks:

    latest                      the signed tree head
    lookup/MODULE@VERSION       the record, a blank line, the signed tree head
    tile/H/L/N[.p/W]            hashes, and tile/H/data/N the texts

`LyingLog` answers for a MemLog and bends what a `Lie` says. The lies that need the key (a fork, a forged record, lines
beside the record) are those of a database gone bad; the others are those of somebody on the way.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from goferry.errors import NotFound
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tile as tiles
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import parse_lookup_path
from goferry.gomod.sumdb.note import Note, Signer, format_verifier, new_signer, sign_note
from goferry.gomod.sumdb.tile import DATA_LEVEL, Tile
from goferry.gomod.sumdb.tlog import Record, Tree

__all__ = ["Lie", "LyingLog", "MemLog"]

Sums = Callable[[Version], Iterable[str]]
"""The go.sum lines of a module, without newlines. Raises NotFound when there is no such module."""

_LOOKUP = "lookup/"
_DEMONSTRATION_SEED = bytes(range(32))
_STRANGER_SEED = bytes(range(32, 64))
_ANOTHER = Version("example.org/another", "v1.0.0")
_ANOTHER_LINE = f"{_ANOTHER.path} {_ANOTHER.version} h1:{'B' * 43}="


def _no_sums(module: Version) -> Iterable[str]:
    raise NotFound("{module} is not in this database", module=str(module))


class MemLog:
    """An append-only log with its own key. `sums` makes the record of a module that is looked up and not yet in it."""

    def __init__(
        self, name: str = "sum.example.org", *, seed: bytes = _DEMONSTRATION_SEED, sums: Sums = _no_sums
    ) -> None:
        self.name = name
        self.signer: Signer = new_signer(name, seed)
        self.verifier_key = format_verifier(self.signer.verifier)
        self._sums = sums
        self._records: list[bytes] = []
        self._stored: list[bytes] = []
        self._ids: dict[Version, int] = {}

    @property
    def size(self) -> int:
        """How many records there are."""
        return len(self._records)

    def __contains__(self, item: Version | Tile) -> bool:
        """Whether a module has a record, or a hash tile lies within the log."""
        if isinstance(item, Version):
            return item in self._ids
        return tiles.tile_indexes(item)[-1] < len(self._stored)

    def texts(self) -> tuple[bytes, ...]:
        """The texts of all records, in order."""
        return tuple(self._records)

    def copy(self) -> "MemLog":
        """A log with the same history and key, to grow apart from here on."""
        other = MemLog(self.name, seed=self.signer.seed, sums=self._sums)
        other._records, other._stored, other._ids = list(self._records), list(self._stored), dict(self._ids)
        return other

    def add(self, module: Version, lines: Iterable[str]) -> int:
        """Append the record of a module; returns its number."""
        return self.add_text(module, "".join(f"{line}\n" for line in lines).encode())

    def add_text(self, module: Version, text: bytes) -> int:
        """Append a record whose text is given whole; a lookup of the module finds it."""
        number = self.size
        tlog.format_record(Record(number, text))  # refuses what no client could read
        siblings = [self._stored[index] for index in tlog.stored_hashes_indexes(number)]
        self._stored += tlog.stored_hashes(tlog.record_hash(text), siblings)
        self._records.append(text)
        self._ids[module] = number
        return number

    def forget(self, size: int) -> None:
        """Drop all records but the first `size`, which no honest log does."""
        del self._records[size:]
        del self._stored[tlog.stored_hash_count(size) :]
        self._ids = {module: number for module, number in self._ids.items() if number < size}

    def altered(self, keep: int) -> "MemLog":
        """The log as it would be had every sum after the first `keep` records been another."""
        other = self.copy()
        other.forget(keep)
        for module, number in self._ids.items():
            if number >= keep:
                other.add_text(module, _falsified(self._records[number]))
        return other

    def shrunken(self, keep: int) -> "MemLog":
        """The log as it would be had another record come after the first `keep`."""
        other = self.copy()
        other.forget(keep)
        other.add(_ANOTHER, [_ANOTHER_LINE])
        return other

    def tree(self, size: int | None = None) -> Tree:
        """The tree head when the log had that many records; now, by default."""
        count = self.size if size is None else size
        return Tree(count, tlog.tree_hash([self._stored[index] for index in tlog.tree_hash_indexes(count)]))

    def sign(self, tree: Tree, *, more: str = "") -> bytes:
        """A signed note about any tree, true or not. `more` is signed text behind it."""
        return sign_note(Note(tlog.format_tree(tree) + more), [self.signer])

    def head(self, size: int | None = None) -> bytes:
        """The signed tree head when the log had that many records; now, by default."""
        return self.sign(self.tree(size))

    def find(self, module: Version) -> Record:
        """The record of a module; made and appended when it is new. Raises what `sums` raises."""
        number = self._ids.get(module)
        if number is None:
            number = self.add(module, self._sums(module))
        return Record(number, self._records[number])

    def tile(self, tile: Tile) -> bytes:
        """The bytes of a tile. Raises NotFound beyond the end of the log."""
        if tile.level == DATA_LEVEL:
            return self._data_tile(tile)
        if tile not in self:
            raise NotFound("{path} is beyond the end of this log", path=tile.path)
        return b"".join([self._stored[index] for index in tiles.tile_indexes(tile)])

    def _data_tile(self, tile: Tile) -> bytes:
        texts = self._records[tile.start : tile.start + tile.width]
        if len(texts) < tile.width:
            raise NotFound("{path} is beyond the end of this log", path=tile.path)
        return b"".join(text + b"\n" for text in texts)

    def get(self, path: str) -> bytes:
        """The answer to a path below the database's root. Raises NotFound and InvalidInput."""
        if path == "latest":
            return self.head()
        if path.startswith(_LOOKUP):
            record = self.find(parse_lookup_path(path))
            return tlog.format_record(record) + self.head()
        if path.startswith("tile/"):
            return self.tile(tiles.parse_tile_path(path))
        raise NotFound("no such path in a checksum database: {path}", path=path)


class Lie(Enum):
    """What a LyingLog bends. Each is a way that a client must see through."""

    FORK = "fork"
    """Every answer comes from another history under the same key: all sums after the first `keep` differ."""

    SHRINK = "shrink"
    """All records after the first `keep` are gone, and others are written in their place."""

    STALE = "stale"
    """The oldest tree heads that can be told, at least `keep` records. True, but it must move nobody back."""

    WRONG_RECORD = "wrong_record"
    """The text that is looked up is altered; nothing else is."""

    FORGED_RECORD = "forged_record"
    """The text that is looked up is altered, and so is its hash in the tile of level 0 (GO-2026-6179)."""

    MISSING_LINE = "missing_line"
    """A true record, but of another module (GO-2026-4984)."""

    EXTRA_LINES = "extra_lines"
    """A true record of another module; the wished lines stand in the signed note behind it (GO-2026-6180)."""

    WRONG_TILE = "wrong_tile"
    """One bit of every hash of every tile is turned."""

    SHORT_TILE = "short_tile"
    """Tiles lack their last byte."""

    NO_PARTIAL_TILE = "no_partial_tile"
    """Partial tiles that have been completed are gone. No lie, as the protocol allows it; only rare."""

    NO_TILE = "no_tile"
    """There are no tiles."""

    WRONG_KEY = "wrong_key"
    """Tree heads are signed by another key of the same name."""

    BAD_SIGNATURE = "bad_signature"
    """Tree heads name the right key, which has not signed them."""


@dataclass
class LyingLog:
    """Answers for a log and bends what the lie says. May be changed while it serves."""

    log: MemLog
    lie: Lie | None = None
    keep: int = 0
    """How many records FORK, SHRINK and STALE leave true."""
    level: int | None = None
    """The tile level that WRONG_TILE, SHORT_TILE and NO_TILE bend; None is all of them."""
    _bent: dict[Lie, MemLog] = field(default_factory=dict, repr=False)

    def get(self, path: str) -> bytes:
        """The bent answer to a path. Raises as MemLog.get does."""
        return self.log.get(path) if self.lie is None else _LIARS[self.lie](self, path)

    def _fork(self, path: str) -> bytes:
        return self._other_history(Lie.FORK, self.log.altered).get(path)

    def _shrink(self, path: str) -> bytes:
        return self._other_history(Lie.SHRINK, self.log.shrunken).get(path)

    def _other_history(self, lie: Lie, tell: Callable[[int], MemLog]) -> MemLog:
        """The history of the lie, told once and from then on kept up like any other."""
        if lie not in self._bent:
            self._bent[lie] = tell(self.keep)
        return self._bent[lie]

    def _stale(self, path: str) -> bytes:
        answer = self.log.get(path)
        oldest = self.keep
        if path.startswith(_LOOKUP):
            oldest = max(oldest, self.log.find(parse_lookup_path(path)).id + 1)
        return answer.replace(self.log.head(), self.log.head(oldest))

    def _wrong_record(self, path: str) -> bytes:
        if not path.startswith(_LOOKUP):
            return self.log.get(path)
        record = self.log.find(parse_lookup_path(path))
        return self._lookup(Record(record.id, _falsified(record.text)))

    def _forged_record(self, path: str) -> bytes:
        answer = self._wrong_record(path)
        if path.startswith("tile/"):
            for text in self.log.texts():
                answer = answer.replace(tlog.record_hash(text), tlog.record_hash(_falsified(text)))
        return answer

    def _missing_line(self, path: str) -> bytes:
        if not path.startswith(_LOOKUP):
            return self.log.get(path)
        return self._lookup(self._another_record())

    def _extra_lines(self, path: str) -> bytes:
        if not path.startswith(_LOOKUP):
            return self.log.get(path)
        wished = _falsified(self.log.find(parse_lookup_path(path)).text).decode()
        record = self._another_record()
        return tlog.format_record(record) + self.log.sign(self.log.tree(), more=wished)

    def _another_record(self) -> Record:
        if _ANOTHER not in self.log:
            self.log.add(_ANOTHER, [_ANOTHER_LINE])
        return self.log.find(_ANOTHER)

    def _lookup(self, record: Record) -> bytes:
        return tlog.format_record(record) + self.log.head()

    def _wrong_tile(self, path: str) -> bytes:
        answer = self.log.get(path)
        return _turned(answer) if self._is_bent_tile(path) else answer

    def _short_tile(self, path: str) -> bytes:
        answer = self.log.get(path)
        return answer[:-1] if self._is_bent_tile(path) else answer

    def _no_tile(self, path: str) -> bytes:
        if self._is_bent_tile(path):
            raise NotFound("{path} is gone", path=path)
        return self.log.get(path)

    def _no_partial_tile(self, path: str) -> bytes:
        if path.startswith("tile/"):
            tile = tiles.parse_tile_path(path)
            if not tile.is_full and tile.full in self.log:
                raise NotFound("{path} is gone", path=path)
        return self.log.get(path)

    def _is_bent_tile(self, path: str) -> bool:
        return path.startswith("tile/") and self.level in (None, tiles.parse_tile_path(path).level)

    def _wrong_key(self, path: str) -> bytes:
        return self._signed_by(path, new_signer(self.log.name, _STRANGER_SEED))

    def _bad_signature(self, path: str) -> bytes:
        return self._signed_by(path, replace(self.log.signer, seed=_STRANGER_SEED))

    def _signed_by(self, path: str, signer: Signer) -> bytes:
        answer = self.log.get(path)
        forged = sign_note(Note(tlog.format_tree(self.log.tree())), [signer])
        return answer.replace(self.log.head(), forged)


_LIARS: dict[Lie, Callable[[LyingLog, str], bytes]] = {
    Lie.FORK: LyingLog._fork,
    Lie.SHRINK: LyingLog._shrink,
    Lie.STALE: LyingLog._stale,
    Lie.WRONG_RECORD: LyingLog._wrong_record,
    Lie.FORGED_RECORD: LyingLog._forged_record,
    Lie.MISSING_LINE: LyingLog._missing_line,
    Lie.EXTRA_LINES: LyingLog._extra_lines,
    Lie.WRONG_TILE: LyingLog._wrong_tile,
    Lie.SHORT_TILE: LyingLog._short_tile,
    Lie.NO_PARTIAL_TILE: LyingLog._no_partial_tile,
    Lie.NO_TILE: LyingLog._no_tile,
    Lie.WRONG_KEY: LyingLog._wrong_key,
    Lie.BAD_SIGNATURE: LyingLog._bad_signature,
}


def _falsified(text: bytes) -> bytes:
    """The same go.sum lines with other sums."""
    return re.sub(rb"h1:\S+", b"h1:" + b"A" * 43 + b"=", text)


def _turned(data: bytes) -> bytes:
    """The same hashes, each with its first bit turned."""
    return bytes(byte ^ 0x80 if at % tlog.HASH_SIZE == 0 else byte for at, byte in enumerate(data))
