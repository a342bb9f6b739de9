"""The log's hashes, cut into tiles that caches can keep for ever.

A tile of height H at level L holds up to 2^H neighbouring hashes of tree level H·L, so it stands for a
whole subtree of height H; the hashes above its leaves are computed, not stored. A full tile never
changes. A partial one is named by its width and never changes either: wider ones take its place. Go
uses H = 8, so a full tile is 8 KiB.

    tile/8/0/x001/234        tile 1234 of level 0
    tile/8/0/x001/234.p/5    its first five hashes
    tile/8/data/x001/234     the texts of its 256 records

A tile off the network is a claim. It is proven against the tile above it, whose matching hash must be
its top, and so on up; the right-most partial tiles, which have nothing above them, must together give
the tree head. Every tile that is used is proven one way or the other (GO-2026-6179 was a client that
left some out).

Rules and names: golang.org/x/mod/sumdb/tlog, tile.go.
"""

import re
import struct
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256

from goferry.errors import InvalidInput, VerifyError
from goferry.gomod.sumdb.tlog import (
    HASH_SIZE,
    Tree,
    split_stored_hash_index,
    stored_hash_index,
    tree_hash,
    tree_hash_indexes,
)

__all__ = [
    "DATA_LEVEL",
    "HEIGHT",
    "BadTile",
    "Tile",
    "TilePlan",
    "hash_from_tile",
    "new_tiles",
    "parse_tile_path",
    "plan_tiles",
    "tile_for_index",
    "tile_hash",
    "tile_indexes",
    "widest_tile",
]

HEIGHT = 8
"""The tile height of Go's client."""

DATA_LEVEL = -1
"""The level of the tiles that hold record texts in place of hashes."""

_MAX_HEIGHT = 30
_MAX_LEVEL = 63
_PATH_BASE = 1000
_PATH = re.compile(r"tile/([1-9]\d?)/(data|0|[1-9]\d?)/((?:x\d{3}/)*\d{3})(?:\.p/([1-9]\d{0,9}))?", re.ASCII)
_MAX_INDEX = 2**63 - 1

_NODE = sha256(b"\x01")
"""The hash of an inner node before its children (see tlog.node_hash). Copying it is cheaper than beginning anew."""

_CHILDREN = struct.Struct(f"{2 * HASH_SIZE}s")


class BadTile(VerifyError):
    """A tile that the tree head does not vouch for."""

    code = "bad_tile"


@dataclass(frozen=True, slots=True)
class Tile:
    """The coordinates of a tile: `width` hashes of tree level `height * level`, from `index << height` on."""

    height: int
    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Its URL path below the database's root."""
        number = f"{self.index % _PATH_BASE:03d}"
        rest = self.index // _PATH_BASE
        while rest:
            number = f"x{rest % _PATH_BASE:03d}/{number}"
            rest //= _PATH_BASE
        level = "data" if self.level == DATA_LEVEL else self.level
        partial = "" if self.is_full else f".p/{self.width}"
        return f"tile/{self.height}/{level}/{number}{partial}"

    @property
    def is_full(self) -> bool:
        """Whether it holds all the hashes it ever will."""
        return self.width == 1 << self.height

    @property
    def size(self) -> int:
        """The length in bytes of a hash tile."""
        return self.width * HASH_SIZE

    @property
    def full(self) -> "Tile":
        """The same tile once it is complete."""
        return Tile(self.height, self.level, self.index, 1 << self.height)

    @property
    def start(self) -> int:
        """The number of its first hash within the tree level."""
        return self.index << self.height


def parse_tile_path(path: str) -> Tile:
    """The twin of Tile.path; each tile has one spelling only. Raises InvalidInput."""
    match = _PATH.fullmatch(path)
    if match:
        height, level, number, width = match.groups()
        tile = Tile(
            height=int(height),
            level=DATA_LEVEL if level == "data" else int(level),
            index=int(number.replace("x", "").replace("/", "")),
            width=int(width or 1 << int(height)),
        )
        in_bounds = tile.height <= _MAX_HEIGHT and tile.level <= _MAX_LEVEL and tile.index <= _MAX_INDEX
        if in_bounds and tile.width <= 1 << tile.height and tile.path == path:
            return tile
    raise InvalidInput("malformed tile path {path}", path=path)


def tile_for_index(height: int, index: int) -> Tile:
    """The narrowest tile from which the hash with that stored index can be computed."""
    return _locate(height, index)[0]


def _locate(height: int, index: int) -> tuple[Tile, slice]:
    """That tile, and the bytes in it whose top is the hash."""
    level, n = split_stored_hash_index(index)
    tile_level, above_leaves = divmod(level, height)
    first = n << above_leaves
    behind = (n + 1) << above_leaves
    number = first >> height
    start = number << height
    tile = Tile(height, tile_level, number, behind - start)
    return tile, slice((first - start) * HASH_SIZE, (behind - start) * HASH_SIZE)


def tile_hash(data: bytes) -> bytes:
    """The top of the subtree over these hashes, whose count is a power of two."""
    while len(data) > HASH_SIZE:
        tops: list[bytes] = []
        for (children,) in _CHILDREN.iter_unpack(data):
            node = _NODE.copy()
            node.update(children)
            tops.append(node.digest())
        data = b"".join(tops)
    return data


def hash_from_tile(tile: Tile, data: bytes, index: int) -> bytes:
    """The hash with that stored index out of a tile that covers it. Raises BadTile for too short data."""
    narrowest, span = _locate(tile.height, index)
    if (narrowest.level, narrowest.index) != (tile.level, tile.index) or narrowest.width > tile.width:
        raise InvalidInput("hash {index} is not in {path}", index=index, path=tile.path)
    if len(data) < span.stop:
        raise BadTile("{path} is too short", path=tile.path)
    return tile_hash(data[span])


def new_tiles(height: int, old_size: int, new_size: int) -> list[Tile]:
    """The tiles to publish when a log has grown from the old to the new size."""
    tiles = []
    level = 0
    while (new := new_size >> (height * level)) > 0:
        old = old_size >> (height * level)
        if old != new:
            full = range(old >> height, new >> height)
            tiles += [Tile(height, level, index, 1 << height) for index in full]
            if width := new & ((1 << height) - 1):
                tiles.append(Tile(height, level, new >> height, width))
        level += 1
    return tiles


def tile_indexes(tile: Tile) -> list[int]:
    """The stored indexes of the hashes that make up a tile, in order."""
    level = tile.height * tile.level
    return [stored_hash_index(level, n) for n in range(tile.start, tile.start + tile.width)]


def widest_tile(tile: Tile, size: int) -> Tile | None:
    """That tile as wide as it is in a tree of `size` records, or None when nothing of it exists there."""
    width = min((size >> (tile.height * tile.level)) - tile.start, 1 << tile.height)
    return Tile(tile.height, tile.level, tile.index, width) if width > 0 else None


def _parent(tile: Tile, size: int) -> Tile | None:
    """The tile above, which holds this one's top as one of its hashes; None above the right-most ones."""
    return widest_tile(Tile(tile.height, tile.level + 1, tile.index >> tile.height, 1), size)


@dataclass(frozen=True, slots=True)
class TilePlan:
    """What to read for some hashes of a tree, so that all of it can be proven.

    `tiles` come parents first. The first `roots` of them are the right-most ones, which the tree head
    vouches for.
    """

    height: int
    size: int
    tiles: tuple[Tile, ...]
    roots: int

    def check(self, tree: Tree, data: Mapping[Tile, bytes], proven: Container[Tile] = ()) -> None:
        """Raise BadTile unless the tree head vouches for every tile, through its parents.

        `proven` names tiles whose data is known to be in this very tree: they are not hashed again.
        """
        for tile in self.tiles:
            if len(data[tile]) != tile.size:
                raise BadTile(
                    "{path} has {got} bytes, not {want}", path=tile.path, got=len(data[tile]), want=tile.size
                )
        roots = self.tiles[: self.roots]
        if not all(tile in proven for tile in roots):
            self._check_roots(tree, data)
        for tile in self.tiles[self.roots :]:
            if tile not in proven:
                self._check_child(tile, data)

    def _check_roots(self, tree: Tree, data: Mapping[Tile, bytes]) -> None:
        if tree_hash(self.hashes(tree_hash_indexes(self.size), data)) != tree.hash:
            # At least one is wrong, and there is no telling which.
            paths = " ".join(tile.path for tile in self.tiles[: self.roots])
            raise BadTile("the tree of {size} records does not vouch for {path}", size=self.size, path=paths)

    def _check_child(self, tile: Tile, data: Mapping[Tile, bytes]) -> None:
        parent = _parent(tile, self.size)
        assert parent is not None, "only right-most tiles lack a parent, and those are roots"
        top = stored_hash_index(parent.level * parent.height, tile.index)
        if hash_from_tile(parent, data[parent], top) != tile_hash(data[tile]):
            raise BadTile("{parent} does not vouch for {path}", parent=parent.path, path=tile.path)

    def hashes(self, indexes: Sequence[int], data: Mapping[Tile, bytes]) -> list[bytes]:
        """The hashes with these stored indexes, which must lie in tiles of the plan."""
        return [self._hash(index, data) for index in indexes]

    def _hash(self, index: int, data: Mapping[Tile, bytes]) -> bytes:
        tile = widest_tile(tile_for_index(self.height, index), self.size)
        assert tile is not None, "planned indexes lie in the tree"
        return hash_from_tile(tile, data[tile], index)


def plan_tiles(size: int, indexes: Sequence[int], height: int = HEIGHT) -> TilePlan:
    """The tiles to read for the hashes with these stored indexes of a tree of `size` records.

    Tiles are as wide as they are in that tree, so that they are shared by all questions about it. No
    indexes need no tiles. Raises InvalidInput for an index beyond the tree.
    """
    if not indexes:
        return TilePlan(height, size, (), 0)
    tiles = dict.fromkeys(_root_tiles(size, height))
    roots = len(tiles)
    for index in indexes:
        line: list[Tile] = []
        tile: Tile | None = _covering(size, index, height)
        while tile is not None and tile not in tiles:
            line.append(tile)
            tile = _parent(tile, size)
        tiles.update(dict.fromkeys(reversed(line)))
    return TilePlan(height, size, tuple(tiles), roots)


@lru_cache(maxsize=64)
def _root_tiles(size: int, height: int) -> tuple[Tile, ...]:
    """The right-most tiles, which together give the tree head. Every question about a tree begins with them."""
    return tuple(dict.fromkeys(_covering(size, index, height) for index in tree_hash_indexes(size)))


def _covering(size: int, index: int, height: int) -> Tile:
    narrowest = tile_for_index(height, index)
    tile = widest_tile(narrowest, size)
    if tile is None or tile.width < narrowest.width:
        raise InvalidInput("hash {index} is not in a tree of {size} records", index=index, size=size)
    return tile
