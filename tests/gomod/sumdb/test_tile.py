"""Tiles: their paths, their hashes, and that no tile is used without proof."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput
from goferry.gomod.sumdb import tile as tiles
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.tile import BadTile, Tile
from goferry.gomod.sumdb.tlog import Tree
from sizes import size

HEIGHT = 2
SIZE = size(70, 150)

# Vectors: facts from golang/mod sumdb/tlog/tlog_test.go (BSD-3-Clause)
PATHS = [
    ("tile/4/0/001", Tile(4, 0, 1, 16)),
    ("tile/4/0/001.p/5", Tile(4, 0, 1, 5)),
    ("tile/3/5/x123/x456/078", Tile(3, 5, 123456078, 8)),
    ("tile/3/5/x123/x456/078.p/2", Tile(3, 5, 123456078, 2)),
    ("tile/1/0/x003/x057/500", Tile(1, 0, 3057500, 2)),
    ("tile/1/data/x003/x057/500", Tile(1, -1, 3057500, 2)),
    ("tile/8/0/x001/234.p/255", Tile(8, 0, 1234, 255)),
]

BAD_PATHS = [
    "",
    "tile",
    "tile/8/0",
    "tile/3/5/123/456/078",
    "tile/3/-1/123/456/078",
    "tile/0/0/001",
    "tile/31/0/001",
    "tile/08/0/001",
    "tile/8/64/001",
    "tile/8/00/001",
    "tile/8/0/1",
    "tile/8/0/0001",
    "tile/8/0/x000/001",
    "tile/8/0/x001",
    "tile/8/0/001.p/0",
    "tile/8/0/001.p/05",
    "tile/8/0/001.p/256",
    "tile/8/0/001.p/257",
    "tile/8/0/001.p/-1",
    "tile/8/0/001.p/",
    "tile/8/0/001.p",
    "tile/8/0/001/",
    "/tile/8/0/001",
    "tile/8/0/001\n",
    "tile/8/0/٠٠١",
    "tile/8/0/" + "x999/" * 6 + "999",
]


@pytest.mark.parametrize(("path", "tile"), PATHS)
def test_a_tile_and_its_path_are_twins(path: str, tile: Tile) -> None:
    assert tile.path == path
    assert tiles.parse_tile_path(path) == tile


@pytest.mark.parametrize("path", BAD_PATHS)
def test_a_path_with_another_spelling_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput):
        tiles.parse_tile_path(path)


@given(st.integers(1, 30), st.integers(-1, 63), st.integers(0, 2**63 - 1), st.data())
def test_every_path_reads_back(height: int, level: int, index: int, data: st.DataObject) -> None:
    tile = Tile(height, level, index, data.draw(st.integers(1, 1 << height)))
    assert tiles.parse_tile_path(tile.path) == tile


@given(st.text("tile/0123456789xp.da-", max_size=40).map(lambda text: "tile/" + text))
def test_whatever_parses_has_one_spelling(path: str) -> None:
    try:
        tile = tiles.parse_tile_path(path)
    except InvalidInput:
        return
    assert tile.path == path


@pytest.mark.parametrize(
    ("old", "new", "count"),
    # Vectors: facts from golang/mod sumdb/tlog/tile_test.go (BSD-3-Clause)
    [
        (1, 1, 0),
        (100, 101, 1),
        (1023, 1025, 3),
        (1024, 1030, 1),
        (1030, 2000, 1),
        (1030, 10000, 10),
        (49516517, 49516586, 3),
    ],
)
def test_a_grown_log_publishes_only_what_changed(old: int, new: int, count: int) -> None:
    assert len(tiles.new_tiles(10, old, new)) == count


class Log:
    """A log with the tiles of every size it ever had."""

    def __init__(self, count: int, salt: bytes = b"") -> None:
        self.stored: list[bytes] = []
        self.tiles: dict[Tile, bytes] = {}
        self.trees = [tlog.EMPTY_TREE]
        for n in range(count):
            siblings = [self.stored[index] for index in tlog.stored_hashes_indexes(n)]
            self.stored += tlog.stored_hashes(tlog.record_hash(salt + b"leaf %d" % n), siblings)
            for tile in tiles.new_tiles(HEIGHT, n, n + 1):
                self.tiles[tile] = b"".join(self.stored[index] for index in tiles.tile_indexes(tile))
            top = tlog.tree_hash([self.stored[index] for index in tlog.tree_hash_indexes(n + 1)])
            self.trees.append(Tree(n + 1, top))


LOG = Log(SIZE)
WHOLE = LOG.trees[SIZE]


def test_a_tile_of_each_width_extends_the_narrower_one() -> None:
    for tile, data in LOG.tiles.items():
        narrower = LOG.tiles.get(Tile(tile.height, tile.level, tile.index, tile.width - 1), b"")
        assert data.startswith(narrower)
        assert len(data) == tile.size == len(narrower) + tlog.HASH_SIZE


def test_the_tiles_of_a_log_are_the_same_at_once_or_bit_by_bit() -> None:
    for count in range(SIZE):
        assert all(tile in LOG.tiles for tile in tiles.new_tiles(HEIGHT, 0, count))
        assert all(tile in LOG.tiles for tile in tiles.new_tiles(HEIGHT, count // 2, count))


def test_every_stored_hash_is_in_its_tile() -> None:
    for index, digest in enumerate(LOG.stored):
        tile = tiles.tile_for_index(HEIGHT, index)
        assert tiles.hash_from_tile(tile, LOG.tiles[tile], index) == digest


def test_a_hash_is_found_in_no_other_tile() -> None:
    tile = tiles.tile_for_index(HEIGHT, 9)
    other = Tile(HEIGHT, tile.level, tile.index + 1, 4)
    narrow = Tile(HEIGHT, tile.level, tile.index, tile.width - 1)
    for wrong in (other, narrow):
        with pytest.raises(InvalidInput):
            tiles.hash_from_tile(wrong, bytes(4 * 32), 9)
    with pytest.raises(BadTile):
        tiles.hash_from_tile(tile, bytes(tile.size - 1), 9)


def test_the_widest_tile_grows_with_the_tree_until_it_is_full() -> None:
    widths = [tiles.widest_tile(Tile(HEIGHT, 0, 1, 1), count) for count in (4, 5, 7, 8, 9)]
    assert [tile and tile.width for tile in widths] == [None, 1, 3, 4, 4]


def read(tree: Tree, indexes: list[int], store: dict[Tile, bytes]) -> list[bytes]:
    plan = tiles.plan_tiles(tree.size, indexes, HEIGHT)
    plan.check(tree, store)
    return plan.hashes(indexes, store)


def test_every_hash_of_every_tree_reads_through_proven_tiles() -> None:
    for tree in LOG.trees[1:]:
        indexes = list(range(tlog.stored_hash_count(tree.size)))
        assert read(tree, indexes, LOG.tiles) == LOG.stored[: len(indexes)]


def test_every_older_head_is_read_from_the_newest_tree() -> None:
    for old in LOG.trees:
        assert tlog.tree_hash(read(WHOLE, list(tlog.tree_hash_indexes(old.size)), LOG.tiles)) == old.hash


def test_an_index_beyond_the_tree_is_refused() -> None:
    for tree in LOG.trees[1:]:
        with pytest.raises(InvalidInput):
            tiles.plan_tiles(tree.size, [tlog.stored_hash_index(0, tree.size)], HEIGHT)
        with pytest.raises(InvalidInput):
            tiles.plan_tiles(tree.size, [tlog.stored_hash_count(tree.size)], HEIGHT)


def test_no_questions_need_no_tiles() -> None:
    assert tiles.plan_tiles(SIZE, [], HEIGHT).tiles == ()
    assert read(WHOLE, [], {}) == []


def test_parents_come_before_their_children_and_each_tile_once() -> None:
    plan = tiles.plan_tiles(SIZE, [tlog.stored_hash_index(0, n) for n in range(SIZE)], HEIGHT)
    assert len(set(plan.tiles)) == len(plan.tiles)
    for at, tile in enumerate(plan.tiles[plan.roots :], plan.roots):
        above = [(t.level, t.index) for t in plan.tiles[:at]]
        assert (tile.level + 1, tile.index >> HEIGHT) in above


def tampered(tile: Tile, position: int) -> dict[Tile, bytes]:
    data = bytearray(LOG.tiles[tile])
    data[position] ^= 0x80
    return LOG.tiles | {tile: bytes(data)}


def test_go_2026_6179_every_tile_of_every_plan_is_proven() -> None:
    """A change in any hash of any tile that a plan reads is found, wherever the tile stands in the tree."""
    chance = random.Random(6179)
    for tree in LOG.trees[1:]:
        for n in {0, tree.size // 2, tree.size - 1}:
            indexes = [tlog.stored_hash_index(0, n)]
            for tile in tiles.plan_tiles(tree.size, indexes, HEIGHT).tiles:
                for nth in range(tile.width):
                    position = nth * tlog.HASH_SIZE + chance.randrange(tlog.HASH_SIZE)
                    with pytest.raises(BadTile):
                        read(tree, indexes, tampered(tile, position))


@pytest.mark.parametrize("change", [lambda data: data[:-1], lambda data: data + b"x", lambda data: b""])
def test_a_tile_of_the_wrong_length_is_refused(change) -> None:  # type: ignore[no-untyped-def]
    indexes = [tlog.stored_hash_index(0, 5)]
    for tile in tiles.plan_tiles(SIZE, indexes, HEIGHT).tiles:
        with pytest.raises(BadTile, match=tile.path):
            read(WHOLE, indexes, LOG.tiles | {tile: change(LOG.tiles[tile])})


def test_another_log_of_the_same_size_is_refused() -> None:
    with pytest.raises(BadTile):
        read(WHOLE, [0], Log(SIZE, b"other ").tiles)


def test_proven_tiles_are_trusted_and_all_others_still_checked() -> None:
    indexes = [tlog.stored_hash_index(0, 5)]
    plan = tiles.plan_tiles(SIZE, indexes, HEIGHT)
    for bad in plan.tiles:
        store = tampered(bad, 0)
        plan.check(WHOLE, store, proven=set(plan.tiles))
        with pytest.raises(BadTile):
            plan.check(WHOLE, store, proven=set(plan.tiles) - {bad})
