"""The checksum database behind the proxy: nothing that lies in the store is served before it is proven here."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

import modtree
from goferry.errors import GoferryError, Unavailable
from goferry.gomod.goproxy import parse_request
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import ForkDetected, lookup_path
from goferry.gomod.sumdb.memlog import Lie, MemLog
from goferry.gomod.sumdb.tile import plan_tiles
from goferry.proxy.upkeep import scrubbing
from goferry.storage.base import Blob
from goferry.storage.local import LocalStore
from proxyworld import World, content, world
from storedlogs import FILLERS, sums_of

M = "example.com/m"
FILES = modtree.module(M, "v1.0.0")
ZIP = f"{M}/@v/v1.0.0.zip"
NAME = "sum.example.org"
RECORD = lookup_path(Version(M, "v1.0.0"))
OTHER = lookup_path(FILLERS[3])
LEAVES, OTHER_LEAVES, TEXTS = "tile/8/0/001", "tile/8/0/000", "tile/8/data/000"
EDGE, TOP = "tile/8/0/002.p/89", "tile/8/1/000.p/2"
ALL = (RECORD, OTHER, LEAVES, OTHER_LEAVES, TEXTS, EDGE, TOP)


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[World]:
    """A proxy that has served all of these, from a log of 601 records."""
    async with world(tmp_path, FILES) as w:
        for module in FILLERS:
            w.tree.log.add(module, sums_of(module))
        w.tree.log.find(Version(M, "v1.0.0"))
        await w.get(ZIP)
        for path in ALL:
            await w.proxy.sumdb(NAME, path)
        await w.proxy.idle()
        yield w


def file(w: World, path: str) -> Path:
    return w.root / "sumdb" / NAME / path


def truth(w: World, path: str) -> bytes:
    return w.tree.log.get(path)


async def served(proxy, path: str) -> bytes:  # type: ignore[no-untyped-def]
    return content(await proxy.sumdb(NAME, path))


def flipped(body: bytes) -> bytes:
    return body[:40] + bytes([body[40] ^ 1]) + body[41:]


async def test_offline_all_that_is_kept_is_proven_from_the_store_and_served(kept: World) -> None:
    later = await kept.another(offline=True)
    before = kept.upstream.asked.total()
    for path in ALL:
        assert await served(later, path) == truth(kept, path)
    assert kept.upstream.asked.total() == before
    assert kept.quarantined() == []


async def test_online_what_is_sound_is_not_fetched_again(kept: World) -> None:
    later = await kept.another()
    before = dict(kept.upstream.asked)
    for path in ALL:
        assert await served(later, path) == truth(kept, path)
    assert dict(kept.upstream.asked) == before


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a bit of a full tile": (LEAVES, flipped),
    "a bit of a right-most tile": (EDGE, flipped),
    "a bit of the top tile": (TOP, flipped),
    "a sum in a record": (RECORD, lambda body: body.replace(b"h1:", b"h1:x", 1)),
    "a sum in a data tile": (TEXTS, lambda body: body.replace(b"AAAA", b"AAAB", 1)),
    "the number of a record": (RECORD, lambda body: b"7" + body[1:]),
    "a record that lies beyond the log": (RECORD, lambda body: b"9" + body),
}
CUTS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "a tile cut short": (LEAVES, lambda body: body[:-1]),
    "an empty tile": (LEAVES, lambda body: b""),
    "a record cut short": (RECORD, lambda body: body[:20]),
}


@pytest.mark.parametrize(("path", "how"), [*DAMAGES.values(), *CUTS.values()], ids=[*DAMAGES, *CUTS])
async def test_what_was_changed_in_the_store_is_never_served(kept: World, path: str, how) -> None:  # type: ignore[no-untyped-def]
    """Offline in no case; online as the database has it, and the store is mended."""
    await kept.proxy.idle()
    bad = how(file(kept, path).read_bytes())
    file(kept, path).write_bytes(bad)
    offline = await kept.another(offline=True)
    for _try in range(2):
        with pytest.raises(Unavailable):
            await served(offline, path)
    for other in ALL:  # the others may be beyond proof now, but are never wrong
        try:
            assert await served(offline, other) == truth(kept, other)
        except Unavailable:
            continue
    assert kept.quarantined() == []

    online = await kept.another()
    assert await served(online, path) == truth(kept, path)
    await online.idle()
    assert await served(await kept.another(offline=True), path) == truth(kept, path)
    aside = [kept.root / ".goferry/quarantine" / name for name in kept.quarantined()]
    moved = [file for file in aside if file.suffix != ".json"]
    assert [file.read_bytes() for file in moved] == ([] if (path, how) in CUTS.values() else [bad])


async def test_goferry_itself_is_not_misled_by_a_changed_store(kept: World) -> None:
    """A rotten record or tile does not stand in the way of a download, nor vouch for a wrong one."""
    for path in (RECORD, EDGE, TOP, LEAVES):
        file(kept, path).write_bytes(flipped(file(kept, path).read_bytes()))
    (kept.root / ZIP).unlink()
    later = await kept.another()
    assert content(await later.answer(parse_request(ZIP))) == FILES[ZIP]
    await later.idle()
    assert file(kept, EDGE).read_bytes() == truth(kept, EDGE)


async def test_two_tiles_that_changed_places_are_both_found_out(kept: World) -> None:
    one, two = file(kept, LEAVES).read_bytes(), file(kept, OTHER_LEAVES).read_bytes()
    file(kept, LEAVES).write_bytes(two)
    file(kept, OTHER_LEAVES).write_bytes(one)
    offline = await kept.another(offline=True)
    for path in (LEAVES, OTHER_LEAVES):
        with pytest.raises(Unavailable, match="can't be proven"):
            await served(offline, path)
    online = await kept.another()
    for path in (LEAVES, OTHER_LEAVES):
        assert await served(online, path) == truth(kept, path)
    await online.idle()
    assert file(kept, LEAVES).read_bytes() == one


async def test_a_true_record_of_another_module_is_not_served_for_this_one(kept: World) -> None:
    file(kept, RECORD).write_bytes(file(kept, OTHER).read_bytes())
    with pytest.raises(Unavailable, match="no sum of"):
        await served(await kept.another(offline=True), RECORD)
    assert await served(await kept.another(), RECORD) == truth(kept, RECORD)


def stranger() -> bytes:
    log = MemLog(NAME, seed=b"s" * 32)
    for module in FILLERS:
        log.add(module, ["x"])
    return log.head()


async def test_a_true_record_is_served_under_our_head_whatever_head_it_is_stored_under(kept: World) -> None:
    record, _head = tlog.parse_record(file(kept, RECORD).read_bytes())
    file(kept, RECORD).write_bytes(tlog.format_record(record) + stranger())
    assert await served(await kept.another(offline=True), RECORD) == truth(kept, RECORD)


async def test_a_record_beyond_our_head_needs_a_head_of_the_known_key(kept: World) -> None:
    late = Version("example.org/late", "v1.0.0")
    number = kept.tree.log.add(late, sums_of(late))
    record = tlog.Record(number, kept.tree.log.texts()[number])
    file(kept, lookup_path(late)).parent.mkdir(parents=True, exist_ok=True)
    file(kept, lookup_path(late)).write_bytes(tlog.format_record(record) + stranger())
    with pytest.raises(Unavailable, match="not signed by its known key"):
        await served(await kept.another(offline=True), lookup_path(late))
    assert await served(await kept.another(), lookup_path(late)) == truth(kept, lookup_path(late))


async def test_a_signed_fork_in_the_store_is_told_and_not_mended_over(kept: World) -> None:
    """The database itself has signed two histories: that is no rot."""
    forked = kept.tree.log.altered(100)
    late = Version("example.org/late", "v1.0.0")
    forked.add(late, sums_of(late))
    path = file(kept, lookup_path(late))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(forked.get(lookup_path(late)))
    for tile in ("tile/8/0/002.p/90", TOP):
        file(kept, tile).write_bytes(forked.get(tile))
    for offline in (True, False):
        with pytest.raises(ForkDetected):
            await served(await kept.another(offline=offline), lookup_path(late))
    assert (kept.root / f".goferry/sumdb/{NAME}/latest").read_bytes() == kept.tree.log.head()


async def test_a_tile_beyond_the_head_is_not_served_offline_and_proven_anew_online(kept: World) -> None:
    for number in range(5):
        kept.tree.log.add_text(Version(f"example.org/late{number}", "v1.0.0"), b"x\n")
    wide = "tile/8/0/002.p/94"
    file(kept, wide).write_bytes(truth(kept, wide))
    with pytest.raises(Unavailable, match="beyond the signed tree of 601"):
        await served(await kept.another(offline=True), wide)
    online = await kept.another()
    assert await served(online, wide) == truth(kept, wide)
    await online.idle()
    assert await served(await kept.another(offline=True), wide) == truth(kept, wide)


async def test_a_worker_takes_up_the_head_that_another_has_moved(kept: World) -> None:
    """Offline, too: the tiles of the newer head are in the store, so this is no unproven future."""
    slow = await kept.another(offline=True)
    assert await served(slow, EDGE) == truth(kept, EDGE)
    late = Version("example.org/late", "v1.0.0")
    kept.tree.log.add(late, sums_of(late))
    await kept.proxy.sumdb(NAME, lookup_path(late))
    await kept.proxy.idle()
    wide = "tile/8/0/002.p/90"
    assert await served(slow, wide) == truth(kept, wide)
    assert await served(slow, "latest") == truth(kept, "latest")


async def test_a_narrower_tile_is_proven_as_a_part_of_the_one_that_replaced_it(kept: World) -> None:
    narrow = "tile/8/0/001.p/7"
    assert await served(await kept.another(offline=True), narrow) == truth(kept, narrow)
    file(kept, narrow).parent.mkdir()
    file(kept, narrow).write_bytes(flipped(truth(kept, narrow)))
    with pytest.raises(Unavailable):
        await served(await kept.another(offline=True), narrow)
    assert await served(await kept.another(), narrow) == truth(kept, narrow)


async def test_an_upstream_that_lies_cannot_use_a_rotten_store(kept: World) -> None:
    file(kept, LEAVES).write_bytes(flipped(file(kept, LEAVES).read_bytes()))
    kept.tree.answers.lie = Lie.WRONG_TILE
    later = await kept.another()
    with pytest.raises(GoferryError):
        await served(later, LEAVES)
    kept.tree.answers.lie = None
    assert await served(later, LEAVES) == truth(kept, LEAVES)


async def test_what_is_changed_after_it_was_proven_is_noticed_when_it_is_read_again(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("goferry.proxy.sumdb._PROVEN_IN_MEMORY", 1)
    later = await kept.another(offline=True)
    assert await served(later, LEAVES) == truth(kept, LEAVES)
    assert await served(later, OTHER) == truth(kept, OTHER)
    file(kept, LEAVES).write_bytes(flipped(file(kept, LEAVES).read_bytes()))
    with pytest.raises(Unavailable):
        await served(later, LEAVES)


async def test_many_first_readers_share_one_proof(kept: World) -> None:
    later = await kept.another(offline=True)
    bodies = await asyncio.gather(*(served(later, path) for path in ALL * 20))
    assert bodies == [truth(kept, path) for path in ALL * 20]


async def test_the_scrub_and_the_server_agree_about_the_store(kept: World) -> None:
    keys = scrubbing.verifiers(kept.tree.log.verifier_key)
    store = LocalStore(kept.root, fsync=False)
    assert (await scrubbing.verify(store, keys=keys)).unproven == 0
    file(kept, LEAVES).write_bytes(flipped(file(kept, LEAVES).read_bytes()))
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [f"sumdb/{NAME}/{LEAVES}"]
    await store.close()
    online = await kept.another()
    assert await served(online, LEAVES) == truth(kept, LEAVES)


async def test_the_store_has_the_tiles_of_a_head_before_the_head(
    kept: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed at that moment, it must not be left with a head that it can prove nothing under."""
    put = LocalStore.put
    missing: list[list[str]] = []

    async def watched(store: LocalStore, key: str, data: bytes, **options: Any) -> Blob:
        if key == f".goferry/sumdb/{NAME}/latest":
            size = int(data.split(b"\n")[1])
            roots = plan_tiles(size, tlog.tree_hash_indexes(size)).tiles
            missing.append([tile.path for tile in roots if not file(kept, tile.path).exists()])
        return await put(store, key, data, **options)

    monkeypatch.setattr(LocalStore, "put", watched)
    for number in range(3):
        late = Version(f"example.org/late{number}", "v1.0.0")
        kept.tree.log.add(late, sums_of(late))
        await kept.proxy.sumdb(NAME, lookup_path(late))
    assert missing == [[], [], []]
