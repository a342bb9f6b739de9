"""The scrub of what is stored of a checksum database: who is damaged, who can't be proven, and who is well."""

from collections.abc import AsyncIterator, Callable

import pytest

from goferry.gomod import dirhash
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import lookup_path
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.note import Verifier
from goferry.gomod.sumdb.tile import HEIGHT, Tile
from goferry.proxy.upkeep import scrubbing
from goferry.storage.memory import MemoryStore
from storedlogs import EARLIER, FILLERS, fill, grown

NAME = "sum.example.org"
HEAD = f".goferry/sumdb/{NAME}/latest"
ROOTS = ("tile/8/0/002.p/88", "tile/8/1/000.p/2")
FULL, OTHER_FULL, NARROW, TEXTS = "tile/8/0/000", "tile/8/0/001", "tile/8/0/001.p/4", "tile/8/data/000"
RECORD = lookup_path(FILLERS[0])
LATE_RECORD = lookup_path(FILLERS[300])


def key(path: str) -> str:
    return f"sumdb/{NAME}/{path}"


def flipped(body: bytes, at: int = 5) -> bytes:
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


@pytest.fixture(scope="module")
def log() -> MemLog:
    return grown()


@pytest.fixture
async def store(log: MemLog) -> AsyncIterator[MemoryStore]:
    store = MemoryStore()
    await fill(store, log)
    yield store
    await store.close()


@pytest.fixture
def keys(log: MemLog) -> dict[str, Verifier]:
    return scrubbing.verifiers(log.verifier_key)


async def change(store: MemoryStore, path: str, how: Callable[[bytes], bytes]) -> None:
    body = await store.read(key(path))
    assert body is not None
    await store.put(key(path), how(body), replace=True)


async def test_everything_that_an_honest_server_kept_is_proven(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    scrub = await scrubbing.verify(store, keys=keys)
    assert scrub.clean
    assert (scrub.proven, scrub.formal, scrub.unproven) == (scrub.files, 0, 0)


DAMAGES: dict[str, tuple[str, Callable[[bytes], bytes], int]] = {
    # what, how, and how many others can't be proven without it
    "a bit of a full tile": (FULL, flipped, 0),  # its texts stand in for it
    "a bit of another": (OTHER_FULL, lambda body: flipped(body, -1 % len(body)), 1 + 5),
    "the last byte of a full tile": (OTHER_FULL, lambda body: body[:-1], 1 + 5),
    "a bit of a narrow tile that a wider one has replaced": (NARROW, flipped, 0),
    "a sum in a data tile": (TEXTS, lambda body: body.replace(b"AAAA", b"AAAB", 1), 0),
    "a data tile cut at a text": (TEXTS, lambda body: body[: body.rindex(b"\n\n", 0, -2) + 2], 0),
    "a sum in a record": (RECORD, lambda body: body.replace(b"AAAA", b"AAAB", 1), 0),
    "the number of a record": (RECORD, lambda body: b"7" + body[1:], 0),
    "a record cut short": (RECORD, lambda body: body[:20], 0),
    "a record with another version's name": (RECORD, lambda body: body.replace(b"m0 ", b"m9 "), 0),
    "nothing left of a record": (LATE_RECORD, lambda body: b"", 0),
}


@pytest.mark.parametrize(("path", "how", "unproven"), DAMAGES.values(), ids=DAMAGES)
async def test_the_damaged_file_alone_is_set_aside(store: MemoryStore, keys, path, how, unproven) -> None:  # type: ignore[no-untyped-def]
    await change(store, path, how)
    bad = await store.read(key(path))
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [key(path)]
    assert await store.read(key(path)) is None
    assert await store.read(scrub.damaged[0].quarantined) == bad
    assert scrub.unproven == unproven
    again = await scrubbing.verify(store, keys=keys)
    assert (again.clean, again.unproven) == (True, unproven)


async def test_texts_are_judged_without_their_hashes_too(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    await store.delete(key(FULL))
    await change(store, TEXTS, lambda body: body.replace(b"AAAA", b"AAAB", 1))
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [key(TEXTS)]
    assert scrub.unproven == 5  # the records in it


async def test_both_of_two_tiles_that_changed_places_are_damaged(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    first, second = await store.read(key(FULL)), await store.read(key(OTHER_FULL))
    assert first is not None
    assert second is not None
    await change(store, FULL, lambda _: second)
    await change(store, OTHER_FULL, lambda _: first)
    scrub = await scrubbing.verify(store, keys=keys)
    assert {row.key for row in scrub.damaged} == {key(FULL), key(OTHER_FULL)}


@pytest.mark.parametrize("path", ROOTS)
async def test_right_most_tiles_that_do_not_give_the_head_go_together(store: MemoryStore, keys, path) -> None:  # type: ignore[no-untyped-def]
    await change(store, path, flipped)
    scrub = await scrubbing.verify(store, keys=keys)
    assert {row.key for row in scrub.damaged} == {key(root) for root in ROOTS}
    assert (scrub.proven, scrub.unproven) == (0, scrub.files - len(ROOTS))


@pytest.mark.parametrize("path", ROOTS)
async def test_a_short_right_most_tile_is_told_from_the_others(store: MemoryStore, keys, path) -> None:  # type: ignore[no-untyped-def]
    await change(store, path, lambda body: body[:-1])
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [key(path)]
    assert (scrub.proven, scrub.unproven) == (0, scrub.files - 1)


async def test_a_record_under_a_strangers_head_is_damaged(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    stranger = MemLog(NAME, seed=b"s" * 32)
    stranger.add_text(FILLERS[0], b"x\n")
    await change(
        store, RECORD, lambda body: tlog.parse_record(body)[0].text and _under(body, stranger.head())
    )
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [key(RECORD)]
    assert "not signed by its known key" in scrub.damaged[0].reason


def _under(body: bytes, head: bytes) -> bytes:
    return tlog.format_record(tlog.parse_record(body)[0]) + head


async def test_a_true_record_of_another_module_is_damaged(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    other = await store.read(key(LATE_RECORD))
    assert other is not None
    await change(store, RECORD, lambda _: other)
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [key(RECORD)]


# What is no damage


async def test_without_a_key_only_the_form_is_judged(store: MemoryStore) -> None:
    await change(store, FULL, flipped)
    scrub = await scrubbing.verify(store)
    assert scrub.clean
    assert (scrub.proven, scrub.unproven) == (0, scrub.files)
    await change(store, FULL, lambda body: body[:-1])
    assert [row.key for row in (await scrubbing.verify(store)).damaged] == [key(FULL)]


async def test_without_a_head_nothing_is_proven_or_damaged(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    await store.delete(HEAD)
    scrub = await scrubbing.verify(store, keys=keys)
    assert (scrub.clean, scrub.proven, scrub.unproven) == (True, 0, scrub.files)


async def test_a_head_of_another_key_proves_nothing_and_stays(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    """The key may be set wrongly, and the head is what guards this store against forks."""
    stranger = MemLog(NAME, seed=b"s" * 32)
    stranger.add_text(FILLERS[0], b"x\n")
    await store.put(HEAD, stranger.head(), replace=True)
    scrub = await scrubbing.verify(store, keys=keys)
    assert scrub.clean
    assert scrub.unproven == scrub.files
    assert await store.read(HEAD) == stranger.head()


async def test_a_head_with_a_wrong_signature_of_the_known_key_is_the_one_damage(
    store: MemoryStore, keys
) -> None:  # type: ignore[no-untyped-def]
    good = await store.read(HEAD)
    size = good.split(b"\n")[1]
    bad = good.replace(size, size + b"1", 1)
    await store.put(HEAD, bad, replace=True)
    scrub = await scrubbing.verify(store, keys=keys)
    assert [row.key for row in scrub.damaged] == [HEAD]
    assert scrub.unproven == scrub.files
    assert await store.read(HEAD) is None
    assert await store.read(scrub.damaged[0].quarantined) == bad


async def test_what_lies_beyond_the_head_is_left_alone(store: MemoryStore, keys, log: MemLog) -> None:  # type: ignore[no-untyped-def]
    """Under the earlier head: wider tiles and later records are from the future, and all below is still proven."""
    await store.put(HEAD, log.head(EARLIER), replace=True)
    await store.put(key("tile/8/0/001.p/4"), log.tile(Tile(HEIGHT, 0, 1, 4)), replace=True)
    scrub = await scrubbing.verify(store, keys=keys)
    assert scrub.clean
    # tile 001, 002.p/88 and 000.p/2 of level 1, and the five records after the first 300
    assert (scrub.unproven, scrub.proven) == (3 + 5, scrub.files - 8)


@pytest.mark.parametrize(
    ("path", "unproven"), [(FULL, 0), (OTHER_FULL, 1 + 5), (ROOTS[1], None), (ROOTS[0], None)]
)
async def test_a_missing_tile_makes_what_it_proves_unproven(store: MemoryStore, keys, path, unproven) -> None:  # type: ignore[no-untyped-def]
    await store.delete(key(path))
    scrub = await scrubbing.verify(store, keys=keys)
    assert scrub.clean
    assert scrub.unproven == (scrub.files if unproven is None else unproven)


async def test_files_that_no_client_asks_for_are_not_judged(store: MemoryStore, keys) -> None:  # type: ignore[no-untyped-def]
    for path in ("tile/8/0/1", "tile/9/0/000.p/1", "lookup/nonsense", "notes.txt"):
        await store.put(key(path), b"x" * 32)
    scrub = await scrubbing.verify(store, keys=keys)
    assert scrub.clean
    assert (scrub.unproven, scrub.formal) == (3, 4)


async def test_a_refuted_record_judges_no_file(store: MemoryStore, keys, log: MemLog) -> None:  # type: ignore[no-untyped-def]
    """A rotten record must not take the sound file down with it."""
    go_mod = b"module example.org/fresh\n"
    wanted = Version("example.org/fresh", "v1.0.0")
    h1 = dirhash.hash_go_mod(go_mod)
    await store.put("example.org/fresh/@v/v1.0.0.mod", go_mod)
    await store.put("example.org/fresh/@v/v1.0.0.modhash", h1.encode())
    record = b"3\nexample.org/fresh v1.0.0/go.mod h1:" + b"C" * 43 + b"=\n\n" + log.head()
    await store.put(key(lookup_path(wanted)), record)
    for keep in (True, False):
        scrub = await scrubbing.verify(store, keys=keys, quarantine=not keep)
        assert [row.key for row in scrub.damaged] == [key(lookup_path(wanted))]
        assert scrub.hashed == 1


def test_keys_come_from_the_setting_and_from_what_is_known(log: MemLog) -> None:
    assert set(scrubbing.verifiers("")) == {"sum.golang.org"}
    assert set(scrubbing.verifiers("off")) == {"sum.golang.org"}
    assert set(scrubbing.verifiers(f"sum.golang.org, {log.verifier_key} https://sum.example.net")) == {
        "sum.golang.org",
        NAME,
    }
