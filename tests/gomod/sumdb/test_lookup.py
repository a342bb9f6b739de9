"""The client against honest and lying databases: what it asks, what it believes, what it keeps."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import GoferryError, InvalidInput, NotFound, UpstreamError, VerifyError
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import Age, Database, Fetch, ForkDetected, MissingSum, NotInDatabase
from goferry.gomod.sumdb.memlog import Lie, LyingLog, MemLog
from goferry.gomod.sumdb.note import (
    InvalidSignature,
    UnverifiedNote,
    new_signer,
    parse_signer,
    parse_verifier,
)
from goferry.gomod.sumdb.tile import BadTile, new_tiles, parse_tile_path, tile_hash
from goferry.gomod.sumdb.tlog import Tree
from sizes import size
from sumdb_driver import World, grown_log, modules, sums_of

FIRST, SECOND, THIRD = modules(3)
NEW = Version("example.org/new", "v1.0.0")


def hashes(module: Version) -> tuple[str, ...]:
    return tuple(line.split(" ")[2] for line in sums_of(module))


def lying(lie: Lie, count: int = 40, **how: int) -> LyingLog:
    return LyingLog(grown_log(count), lie, **how)


# An honest database


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 15, 16, 17, 64, 65, 100])
def test_every_module_of_an_honest_log_is_proven(count: int) -> None:
    world = World(grown_log(count))
    for module in modules(count):
        assert world.lookup(module) == hashes(module)


@given(st.integers(1, 300), st.integers(1, 4), st.randoms(use_true_random=False))
def test_lookups_between_growth_in_any_order_are_proven(
    count: int, height: int, chance: random.Random
) -> None:
    log = grown_log(count)
    world = World(log, height=height)
    for _ in range(5):
        module = Version(f"example.org/m{chance.randrange(count + 50)}", "v1.0.0")
        assert world.lookup(module) == hashes(module)
        assert world.remembered() == world.database.latest.tree.size <= log.size


def test_a_log_of_real_tile_height_is_proven() -> None:
    world = World(grown_log(600), height=8)
    assert world.lookup(SECOND) == hashes(SECOND)
    assert set(world.fetched) == {
        "lookup/example.org/m1@v1.0.0",
        "tile/8/1/000.p/2",
        "tile/8/0/002.p/88",
        "tile/8/0/000",
    }


def test_capital_letters_are_escaped_in_the_path() -> None:
    world = World(grown_log(1))
    module = Version("example.org/Quote", "v1.5.2-RC1")
    assert world.lookup(module) == hashes(module)
    assert "lookup/example.org/!quote@v1.5.2-!r!c1" in world.fetched


def test_a_module_that_no_url_can_name_is_refused_at_once() -> None:
    for module in [Version("bad path", "v1.0.0"), Version("example.org/m", "v1.0.0/go.mod")]:
        with pytest.raises(InvalidInput):
            World(MemLog()).database.lookup(module)


def test_a_second_lookup_comes_from_the_store() -> None:
    world = World(grown_log(40))
    world.lookup(FIRST)
    world.restart()
    assert world.lookup(FIRST) == hashes(FIRST)
    assert not world.fetched


def test_the_lookup_and_its_tiles_are_asked_in_two_rounds() -> None:
    world = World(grown_log(100))
    exchange = world.database.lookup(SECOND)
    rounds = []
    while asks := exchange.need():
        rounds.append([type(ask).__name__ for ask in asks])
        for ask in asks:
            exchange.feed(ask, world.answer(ask))
    assert rounds[0] == ["Fetch", "ReadHead"]
    assert set(rounds[1]) == {"Fetch"}
    assert rounds[2:] == [["ReadHead"], ["SwapHead"]]


def test_a_head_seen_before_needs_no_tiles_of_its_own() -> None:
    world = World(grown_log(100), height=8)
    world.lookup(FIRST)
    world.fetched.clear()
    world.lookup(SECOND)
    assert set(world.fetched) == {"lookup/example.org/m1@v1.0.0"}


def test_a_module_that_the_database_does_not_know_must_not_pass_as_not_found() -> None:
    with pytest.raises(NotInDatabase) as caught:
        World(MemLog()).lookup(FIRST)
    assert not isinstance(caught.value, NotFound)
    assert caught.value.status == 403


def test_the_answers_can_come_in_any_order_and_only_once() -> None:
    world = World(grown_log(40))
    exchange = world.database.lookup(SECOND)
    with pytest.raises(ValueError, match="not come to its end"):
        exchange.result()
    while asks := exchange.need():
        for ask in reversed(asks):
            exchange.feed(ask, world.answer(ask))
            with pytest.raises(ValueError, match="not asked"):
                exchange.feed(ask, b"")
    assert exchange.result().zip == hashes(SECOND)[:1]
    with pytest.raises(ValueError, match="not asked"):
        exchange.feed(Fetch("latest"), b"")


def test_what_is_still_open_is_asked_again() -> None:
    world = World(grown_log(40))
    exchange = world.database.lookup(SECOND)
    first, second = exchange.need()
    exchange.feed(second, b"")
    assert exchange.need() == (first,)


def test_an_error_stays() -> None:
    exchange = World(MemLog()).database.lookup(FIRST)
    for ask in exchange.need():
        exchange.feed(ask, None if isinstance(ask, Fetch) else b"")
    for _ in range(2):
        with pytest.raises(NotInDatabase):
            exchange.need()


# Sums


def test_sums_are_compared_by_file() -> None:
    sums = (world := World(grown_log(3))).drive(world.database.lookup(FIRST))
    zip_sum, mod_sum = hashes(FIRST)
    sums.check_zip(zip_sum)
    sums.check_mod(mod_sum)
    with pytest.raises(VerifyError, match=r"go\.mod of example.org/m0@v1.0.0 has the sum"):
        sums.check_mod(zip_sum)
    with pytest.raises(VerifyError, match=r"but sum\.example\.org says"):
        sums.check_zip(mod_sum)


def test_only_h1_decides_and_two_of_them_decide_nothing() -> None:
    log = MemLog()
    log.add(FIRST, [f"{FIRST.path} v1.0.0 h1:a", f"{FIRST.path} v1.0.0 h2:xyzzy"])
    log.add(SECOND, [f"{SECOND.path} v1.0.0 h1:a", f"{SECOND.path} v1.0.0 h1:b"])
    world = World(log)
    first, second = (world.drive(world.database.lookup(module)) for module in (FIRST, SECOND))
    assert first.zip == ("h1:a", "h2:xyzzy")
    first.check_zip("h1:a")
    with pytest.raises(MissingSum, match=r"no sum for the go\.mod"):
        first.check_mod("h1:a")
    with pytest.raises(VerifyError):
        second.check_zip("h1:a")


def test_lines_of_versions_with_the_same_beginning_are_not_mixed_up() -> None:
    log = MemLog()
    lines = [
        "example.org/m v1.0.0 h1:right",
        "example.org/m v1.0.0-pre h1:wrong",
        "example.org/m/v2 v1.0.0 h1:wrong",
        "xexample.org/m v1.0.0 h1:wrong",
        "example.org/m v1.0.0/go.mod h1:mod",
        "example.org/m v1.0.0/go.modx h1:wrong",
    ]
    log.add(Version("example.org/m", "v1.0.0"), lines)
    assert World(log).lookup(Version("example.org/m", "v1.0.0")) == ("h1:right", "h1:mod")


# The three bypasses found in Go's own client in 2026


def test_go_2026_4984_a_record_without_a_line_for_the_module_is_an_error() -> None:
    world = World(lying(Lie.MISSING_LINE))
    with pytest.raises(MissingSum):
        world.lookup(SECOND)
    assert not any(path.startswith("lookup/") for path in world.store)


def test_go_2026_6180_lines_outside_the_record_are_not_believed() -> None:
    log = lying(Lie.EXTRA_LINES)
    assert b"\nexample.org/m1 v1.0.0 h1:AAAA" in log.get("lookup/example.org/m1@v1.0.0")
    with pytest.raises(MissingSum):
        World(log).lookup(SECOND)


@pytest.mark.parametrize("count", [4, 5, 7, 11, 15, 16, 21, 31, 40, 63, 64, 85, 100])
def test_go_2026_6179_a_forged_record_in_a_forged_tile_is_refused_anywhere_in_the_tree(count: int) -> None:
    for module in modules(count):
        world = World(lying(Lie.FORGED_RECORD, count))
        with pytest.raises(VerifyError):
            world.lookup(module)
        assert world.store == {}


# Lies


LIES: list[tuple[Lie, type[VerifyError]]] = [
    (Lie.WRONG_RECORD, VerifyError),
    (Lie.FORGED_RECORD, BadTile),
    (Lie.MISSING_LINE, MissingSum),
    (Lie.EXTRA_LINES, MissingSum),
    (Lie.WRONG_TILE, BadTile),
    (Lie.SHORT_TILE, BadTile),
    (Lie.WRONG_KEY, UnverifiedNote),
    (Lie.BAD_SIGNATURE, InvalidSignature),
]


@pytest.mark.parametrize(("lie", "error"), LIES)
def test_a_lie_in_the_first_answer_is_refused_and_nothing_is_kept(lie: Lie, error: type[VerifyError]) -> None:
    world = World(lying(lie))
    with pytest.raises(error):
        world.lookup(SECOND)
    assert not any(path.startswith("lookup/") for path in world.store)
    assert world.store.keys() <= {tile.path for tile in new_tiles(2, 0, 41)}


@pytest.mark.parametrize(("lie", "error"), LIES)
def test_a_lie_after_a_truth_is_refused_and_the_truth_stays(lie: Lie, error: type[VerifyError]) -> None:
    log = LyingLog(grown_log(40))
    world = World(log)
    world.lookup(FIRST)
    log.lie = lie
    with pytest.raises(error):
        world.lookup(NEW)
    log.lie = None
    assert world.lookup(NEW) == hashes(NEW)
    assert world.lookup(FIRST) == hashes(FIRST)


@pytest.mark.parametrize("lie", [Lie.WRONG_TILE, Lie.SHORT_TILE])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_bad_tile_of_any_level_is_refused(lie: Lie, level: int) -> None:
    world = World(lying(lie, count=100, level=level))
    with pytest.raises(BadTile):
        world.lookup(SECOND)
    assert world.store == {}


def test_every_bit_of_every_tile_counts() -> None:
    """One turned bit anywhere in what a lookup reads is found: no hash is read that is not proven."""
    log = grown_log(size(85, 340))
    world = World(log)
    world.lookup(SECOND)
    chance = random.Random(85)
    for path, body in world.store.items():
        for at in range(0, len(body) if path.startswith("tile/") else 0, tlog.HASH_SIZE):
            broken = bytearray(body)
            broken[at + chance.randrange(tlog.HASH_SIZE)] ^= 1 << chance.randrange(8)
            with pytest.raises(BadTile):
                World(Overlay(log, {path: bytes(broken)})).lookup(SECOND)


class Overlay(LyingLog):
    """A log with some answers replaced."""

    def __init__(self, log: MemLog, answers: dict[str, bytes]) -> None:
        super().__init__(log)
        self.answers = answers

    def get(self, path: str) -> bytes:
        return self.answers.get(path) or super().get(path)


@given(st.data())
def test_no_byte_of_a_lookup_answer_can_change(data: st.DataObject) -> None:
    log = grown_log(40)
    path = "lookup/example.org/m1@v1.0.0"
    body = bytearray(log.get(path))
    at = data.draw(st.integers(0, len(body) - 1))
    body[at] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(VerifyError):
        assert World(Overlay(log, {path: bytes(body)})).lookup(SECOND) == hashes(SECOND)


def test_a_record_beyond_the_signed_tree_is_refused() -> None:
    log = grown_log(40)
    answer = tlog.format_record(log.find(modules(40)[-1])) + log.head(39)
    with pytest.raises(VerifyError, match="beyond its signed tree of 39"):
        World(Overlay(log, {"lookup/example.org/m39@v1.0.0": answer})).lookup(modules(40)[-1])


@pytest.mark.parametrize("body", [b"", b"<html>blocked</html>", b"0\n\n", b"\xff"])
def test_an_answer_that_is_no_record_is_refused(body: bytes) -> None:
    world = World(Answering(grown_log(3), body))
    with pytest.raises(VerifyError):
        world.lookup(FIRST)


class Answering(LyingLog):
    """The same answer to everything."""

    def __init__(self, log: MemLog, body: bytes) -> None:
        super().__init__(log)
        self.body = body

    def get(self, path: str) -> bytes:
        return self.body


# Forks


@pytest.mark.parametrize("known", [1, 2, 3, 4, 5, 16, 21, 40])
@pytest.mark.parametrize("lie", [Lie.FORK, Lie.SHRINK])
def test_a_second_history_is_never_believed_and_proven_once_its_tiles_can_be_had(
    lie: Lie, known: int
) -> None:
    log = LyingLog(grown_log(known), keep=known // 2)
    world = World(log)
    world.lookup(FIRST)
    old = world.database.latest
    log.lie = lie
    errors = [refusal(world, module) for module in modules(known + 1, start=100)]
    forks = [error for error in errors if isinstance(error, ForkDetected)]
    assert forks
    for fork in forks:
        check_evidence(fork)
        assert old.note in (fork.parts["old_note"].encode(), fork.parts["new_note"].encode())
    assert world.database.latest == old
    assert world.head == [old.note]


def refusal(world: World, module: Version) -> GoferryError:
    """How a lookup fails. While a shrunken log is the shorter one, it may just lack the tiles of ours."""
    with pytest.raises((ForkDetected, UpstreamError)) as caught:
        world.lookup(module)
    return caught.value


def check_evidence(fork: ForkDetected) -> None:
    """Whoever reads the error can redo the proof: the new tree has another beginning than the old tree."""
    old, new = (
        tlog.parse_tree(fork.parts[part].rpartition("\n\n")[0] + "\n") for part in ("old_note", "new_note")
    )
    begins_with, *proof = map(tlog.parse_hash, fork.parts["proof"])
    assert begins_with != old.hash
    tlog.check_tree(proof, new, Tree(old.size, begins_with))
    for part in ("old_note", "new_note"):
        for line in fork.parts[part].strip("\n").split("\n"):
            assert f"\t{line}\n" in fork.evidence


def test_a_fork_is_found_even_when_the_tiles_of_our_own_history_are_at_hand() -> None:
    log = LyingLog(grown_log(40), Lie.FORK, keep=20)
    world = World(log)
    log.lie = None
    world.lookup(FIRST)
    world.lookup(modules(40)[-1])
    log.lie = Lie.FORK
    with pytest.raises(ForkDetected):
        world.lookup(NEW)
    assert all(world.store[path] == log.log.get(path) for path in world.store if path.startswith("tile/"))


def test_a_fork_of_the_same_size_is_found() -> None:
    log = LyingLog(grown_log(40), keep=39)
    world = World(log)
    world.lookup(FIRST)
    log.lie = Lie.FORK
    with pytest.raises(ForkDetected) as caught:
        world.lookup(SECOND)
    check_evidence(caught.value)


def test_a_remembered_head_that_never_was_is_a_fork() -> None:
    log = grown_log(40)
    world = World(log)
    world.head = [log.sign(Tree(1, bytes(32)))]
    with pytest.raises(ForkDetected):
        world.lookup(FIRST)


# Remembered heads


def test_the_head_moves_forward_only() -> None:
    log = LyingLog(grown_log(40), keep=5)
    world = World(log)
    world.lookup(FIRST)
    assert world.remembered() == 40
    log.lie = Lie.STALE
    world.lookup(SECOND)
    assert world.remembered() == world.database.latest.tree.size == 40


def test_the_head_outlives_the_process() -> None:
    log = LyingLog(grown_log(40), keep=30)
    world = World(log)
    world.lookup(FIRST)
    world.restart()
    world.store.clear()
    log.lie = Lie.FORK
    with pytest.raises(ForkDetected):
        world.lookup(SECOND)


def test_a_remembered_head_under_another_key_is_an_error() -> None:
    world = World(grown_log(3))
    world.head = [MemLog("sum.example.org", seed=bytes(32)).head()]
    with pytest.raises(UnverifiedNote):
        world.lookup(FIRST)


def test_processes_merge_what_they_saw() -> None:
    log = grown_log(40)
    world = World(log)
    world.lookup(FIRST)
    other = world.sibling()
    log.find(NEW)
    other.lookup(NEW)
    assert world.remembered() == 41
    world.lookup(Version("example.org/newer", "v1.0.0"))
    assert world.remembered() == 42


def test_a_write_that_loses_the_race_is_repeated_with_the_winner_merged() -> None:
    log = grown_log(40)
    world = World(log)
    rival = world.sibling()
    raced: list[int] = []

    def race() -> None:
        if not raced:
            raced.append(1)
            log.find(NEW)
            rival.lookup(NEW)

    world.before_swap = race
    world.lookup(FIRST)
    assert raced
    assert world.database.latest.tree.size == world.remembered() == 41


def test_two_processes_that_saw_two_histories_find_out() -> None:
    log = grown_log(40)
    world = World(log)
    rival = World(LyingLog(log, Lie.FORK, keep=20))
    rival.head = world.head
    world.before_swap = lambda: None if world.head[0] else rival_sees()

    def rival_sees() -> None:
        rival.lookup(FIRST)

    with pytest.raises(ForkDetected):
        world.lookup(FIRST)


def test_many_lookups_at_once_share_one_head() -> None:
    log = grown_log(100)
    world = World(log)
    wanted = modules(150)
    found = world.drive_together(world.database.lookup(module) for module in wanted)
    assert [(*sums.zip, *sums.mod) for sums in found] == [hashes(module) for module in wanted]
    assert world.remembered() == world.database.latest.tree.size == 150


def test_lookups_under_ever_other_heads_at_once_are_all_proven() -> None:
    """As from a cache on the way: each answer has the tree head of the day it was first asked."""
    log = LyingLog(grown_log(100), Lie.STALE, keep=1)
    world = World(log)
    wanted = random.Random(1).sample(modules(100), 100)
    found = world.drive_together(world.database.lookup(module) for module in wanted)
    assert [(*sums.zip, *sums.mod) for sums in found] == [hashes(module) for module in wanted]
    assert world.remembered() == 100


# Tiles that are gone, and stores that rot


def test_a_partial_tile_that_is_gone_is_cut_from_the_full_one() -> None:
    log = LyingLog(grown_log(37))
    world = World(log)
    answer = log.get("lookup/example.org/m36@v1.0.0")
    for module in modules(30, start=37):
        log.log.find(module)
    log.lie = Lie.NO_PARTIAL_TILE
    stale = Overlay(log.log, {"lookup/example.org/m36@v1.0.0": answer})
    world.log = Both(stale, log)
    assert world.lookup(modules(37)[-1]) == hashes(modules(37)[-1])
    assert {"tile/2/0/009.p/1", "tile/2/0/009"} <= world.fetched.keys()
    assert "tile/2/0/009" not in world.store, "only the part that is in the signed tree is proven"
    assert parse_tile_path("tile/2/0/009.p/1").size == len(world.store["tile/2/0/009.p/1"])


class Both(LyingLog):
    """The first one's lookups, the second one's tiles."""

    def __init__(self, lookups: LyingLog, tiles: LyingLog) -> None:
        super().__init__(lookups.log)
        self.parts = lookups, tiles

    def get(self, path: str) -> bytes:
        return self.parts[path.startswith("tile/")].get(path)


def test_a_full_tile_of_the_wrong_length_does_not_stand_in() -> None:
    log = lying(Lie.NO_PARTIAL_TILE, 40)
    answer = log.get("lookup/example.org/m36@v1.0.0").replace(log.log.head(), log.log.head(37))
    world = World(Overlay(log.log, {"lookup/example.org/m36@v1.0.0": answer, "tile/2/0/009": b"short"}))
    world.log = Both(world.log, Tiles(log, {"tile/2/0/009": b"short"}))
    with pytest.raises(BadTile, match="tile/2/0/009 has 5 bytes"):
        world.lookup(modules(37)[-1])


class Tiles(LyingLog):
    def __init__(self, inner: LyingLog, answers: dict[str, bytes]) -> None:
        super().__init__(inner.log)
        self.inner, self.answers = inner, answers

    def get(self, path: str) -> bytes:
        return self.answers.get(path) or self.inner.get(path)


def test_a_database_without_its_tiles_is_at_fault_itself() -> None:
    with pytest.raises(UpstreamError, match="lacks its own tile/"):
        World(lying(Lie.NO_TILE)).lookup(FIRST)


def test_a_store_that_rotted_is_read_past_and_mended() -> None:
    log = grown_log(85)
    healthy = World(log)
    healthy.lookup(SECOND)
    for path in healthy.store:
        rotten = World(log, store=healthy.store | {path: b"\x00" + healthy.store[path][1:]})
        assert rotten.lookup(SECOND) == hashes(SECOND)
        assert rotten.store == healthy.store


def test_few_tiles_are_kept_in_memory() -> None:
    log = grown_log(300)
    database = Database(log.signer.verifier, height=2, keep_tiles=4)
    world = World(log)
    world.database = database
    for module in modules(300):
        assert world.lookup(module) == hashes(module)
    assert len(database._tiles) == 4


def test_proven_tiles_are_not_hashed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(grown_log(600), height=8)
    world.lookup(FIRST)
    hashed: list[int] = []
    monkeypatch.setattr(
        "goferry.gomod.sumdb.tile.tile_hash", lambda data: (hashed.append(len(data)), tile_hash(data))[1]
    )
    world.lookup(SECOND)
    assert hashed == [tlog.HASH_SIZE], "the record's own hash is taken out, and nothing is computed"


# Answers that the proxy passes on


def test_answers_are_proven_before_they_are_kept() -> None:
    log = grown_log(40)
    world = World(log)
    paths = ["latest", "lookup/example.org/m1@v1.0.0", *(tile.path for tile in new_tiles(2, 0, 40))]
    paths += ["tile/2/0/009.p/1", "tile/2/data/000", "tile/2/data/009.p/3", "tile/2/1/000.p/2"]
    for path in paths:
        world.drive(world.database.verify_response(path, log.get(path)))
        assert world.store[path] == log.get(path)


@pytest.mark.parametrize(
    "path", ["tile/2/0/003", "tile/2/0/003.p/2", "tile/2/2/000.p/2", "tile/2/data/003", "tile/2/data/003.p/2"]
)
@pytest.mark.parametrize(
    "bend", [lambda body: bytes([body[0] ^ 1]) + body[1:], lambda body: body[:-1], lambda body: b""]
)
@pytest.mark.parametrize("is_known", [False, True])
def test_a_bent_tile_is_not_passed_on(path: str, bend, is_known: bool) -> None:  # type: ignore[no-untyped-def]
    log = grown_log(40)
    world = World(log)
    if is_known:
        world.drive(world.database.verify_response(path, log.get(path)))
        world.store.clear()
    with pytest.raises(BadTile):
        world.drive(world.database.verify_response(path, bend(log.get(path))))
    assert path not in world.store


def test_a_tile_beyond_the_known_head_makes_it_move() -> None:
    log = grown_log(40)
    world = World(log)
    world.lookup(FIRST)
    for module in modules(40, start=40):
        log.find(module)
    world.drive(world.database.verify_response("tile/2/0/019", log.get("tile/2/0/019")))
    assert world.remembered() == 80


def test_a_tile_beyond_the_end_of_the_log_is_refused() -> None:
    world = World(grown_log(40))
    with pytest.raises(BadTile, match="beyond the signed tree of 40"):
        world.drive(world.database.verify_response("tile/2/0/020", bytes(4 * 32)))


def test_a_tree_head_is_judged_by_its_age() -> None:
    log = grown_log(40)
    world = World(log)
    for count, age in [(20, Age.FUTURE), (20, Age.NOW), (10, Age.PAST), (40, Age.FUTURE), (20, Age.PAST)]:
        assert world.drive(world.database.merge(log.head(count))) is age
    assert world.remembered() == 40


@pytest.mark.parametrize(
    ("lie", "error"), [(Lie.WRONG_KEY, UnverifiedNote), (Lie.BAD_SIGNATURE, InvalidSignature)]
)
def test_a_forged_tree_head_is_not_passed_on(lie: Lie, error: type[VerifyError]) -> None:
    log = lying(lie)
    world = World(log)
    with pytest.raises(error):
        world.drive(world.database.verify_response("latest", log.get("latest")))


def test_the_record_of_another_module_is_not_passed_on() -> None:
    log = grown_log(40)
    world = World(log)
    with pytest.raises(MissingSum):
        world.drive(
            world.database.verify_response(
                "lookup/example.org/m1@v1.0.0", log.get("lookup/example.org/m2@v1.0.0")
            )
        )


@pytest.mark.parametrize(
    "path", ["", "supported", "tile/8/0/000", "lookup/x", "lookup/example.org/M@v1.0.0", "etc/passwd"]
)
def test_no_other_path_is_judged(path: str) -> None:
    world = World(grown_log(3))
    with pytest.raises(InvalidInput):
        world.drive(world.database.verify_response(path, b""))


# Vectors: facts from golang/mod sumdb/client_test.go (BSD-3-Clause)
LOCALDEV_KEY = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6"
LOCALDEV_SECRET = "PRIVATE+KEY+localhost.localdev/sumdb+00000c67+AXu6+oaVaOYuQOFrf1V59JK1owcFlJcHwwXHDfDGxSPk"
TEXT_VERSION = "v0.0.0-20170915032832-14c0d48ead0c"
LOCALDEV_RECORDS = [
    (
        Version("rsc.io/quote", "v1.5.2"),
        [
            "rsc.io/quote v1.5.2 h1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=",
            "rsc.io/quote v1.5.2/go.mod h1:LzX7hefJvL54yjefDEDHNONDjII0t9xZLPXsUe+TKr0=",
            "rsc.io/quote v1.5.2 h2:xyzzy",
        ],
    ),
    (
        Version("golang.org/x/text", TEXT_VERSION),
        [
            f"golang.org/x/text {TEXT_VERSION} h1:qgOY6WgZOaTkIIMiVjBQcw93ERBE4m30iBm00nkL0i8=",
            f"golang.org/x/text {TEXT_VERSION}/go.mod h1:NqM8EUOU14njkJ3fqMW+pc6Ldnwhi/IjpwHt7yyuwOQ=",
        ],
    ),
    (
        Version("rsc.io/sampler", "v1.3.0"),
        [
            "rsc.io/sampler v1.3.0 h1:7uVkIFmeBqHfdjD+gZwtXXI+RODJ2Wc4O7MPEh/QiW4=",
            "rsc.io/sampler v1.3.0/go.mod h1:T1hPZKmBbMNahiBKFy5HrXp6adAjACjK9JXDnKaTXpA=",
        ],
    ),
    (Version("rsc.io/pkg1", "v1.5.2"), ["rsc.io/pkg1 v1.5.2 h1:hash!="]),
]


def test_a_log_under_the_known_test_key_answers_as_recorded() -> None:
    seed = parse_signer(LOCALDEV_SECRET).seed
    log = MemLog("localhost.localdev/sumdb", seed=seed)
    assert log.verifier_key == LOCALDEV_KEY
    for module, lines in LOCALDEV_RECORDS:
        log.add(module, lines)
    world = World(log)
    assert world.database.verifier == parse_verifier(LOCALDEV_KEY) == new_signer(log.name, seed).verifier
    for module, lines in LOCALDEV_RECORDS:
        assert sorted(world.lookup(module)) == sorted(line.split(" ")[2] for line in lines)
