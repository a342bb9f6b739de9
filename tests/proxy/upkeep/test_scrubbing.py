"""What is no longer what was proven is found and set aside, over every kind of store."""

import json
from dataclasses import asdict

import pytest

from goferry.proxy.upkeep import scrubbing
from goferry.storage.memory import MemoryStore
from keptversions import NEW_YAML, TOML, YAML, keep, key, keys, other_h1, prove, sign, zip_bytes


async def test_a_sound_store_is_clean_and_says_what_each_file_was_checked_by(store, index):
    sums = await keep(store, TOML, hashes=False)
    verifiers = await sign(store, TOML, sums, "sum.example.org/db")
    await keep(store, YAML)
    await keep(store, NEW_YAML, hashes=False)
    await store.put("gopkg.in/yaml.v3/@v/list", b"v3.0.1\nv3.10.0\n")
    await store.put("gopkg.in/yaml.v3/@latest", b'{"Version":"v3.10.0","Time":"2022-05-27T08:35:30Z"}')
    await store.put("gopkg.in/yaml.v3/@v/v3.info", b'{"Version":"v3.10.0"}')
    await store.put("sumdb/sum.example.org/db/tile/8/0/x001/234", b"h" * 32 * 256)
    await store.put("robots.txt", b"somebody's own")
    seen = []
    scrub = await scrubbing.verify(
        store, index, keys=verifiers, progress=lambda files, size: seen.append((files, size))
    )
    assert scrub.clean, scrub.damaged
    assert (scrub.proven, scrub.hashed, scrub.unproven) == (4, 2, 1)
    assert scrub.files == len(await keys(store)) == scrub.proven + scrub.hashed + scrub.formal
    assert seen[-1] == (scrub.files, scrub.size)
    assert len(seen) == scrub.files


DAMAGES = [
    ("zip", lambda data: data[:-1], "zip"),
    ("zip", lambda data: b"", "zip"),
    ("zip", lambda data: data.replace(b"package x", b"package y"), "CRC-32"),
    ("zip", lambda data: zip_bytes(YAML, "package other\n"), "mismatch"),
    ("zip", lambda data: zip_bytes(NEW_YAML), "v3"),
    ("mod", lambda data: data + b"\n", "mismatch"),
    ("mod", lambda data: b"", "mismatch"),
    ("info", lambda data: data[:-1], "JSON"),
    ("info", lambda data: b'{"Version":"v3.0.2"}', "v3.0.2"),
    ("info", lambda data: b"<html>", "JSON"),
    ("ziphash", lambda data: b"h1:short", "h1"),
]


@pytest.mark.parametrize(
    ("kind", "damage", "reason"), DAMAGES, ids=[f"{n}-{row[0]}" for n, row in enumerate(DAMAGES)]
)
@pytest.mark.parametrize("proof", ["record", "hash"])
async def test_what_differs_is_quarantined_with_the_reason_and_the_rest_stays(
    store, index, kind, damage, reason, proof
):
    sums = await keep(store, YAML, hashes=proof == "hash")
    if proof == "record":
        await prove(store, YAML, sums)
    elif reason == "mismatch":
        reason = "hash it was stored with"
    await keep(store, TOML)
    sound = await keys(store)
    bad = key(YAML, kind)
    data = damage(await store.read(bad) or b"")
    await store.put(bad, data, replace=True)
    scrub = await scrubbing.verify(store, index)
    assert [row.key for row in scrub.damaged] == [bad]
    assert reason.lower() in scrub.damaged[0].reason.lower()
    assert await store.stat(bad) is None
    assert await store.read(scrub.damaged[0].quarantined) == data
    assert (
        json.loads(await store.read(scrub.damaged[0].quarantined + ".json"))["reason"]
        == scrub.damaged[0].reason
    )
    assert sound - await keys(store) <= {bad, bad + "hash"}
    assert (await scrubbing.verify(store, index)).clean
    json.dumps(asdict(scrub))


async def test_the_checksum_database_counts_more_than_the_hash_beside_the_file(store):
    """Who can change a zip can change the hash beside it; the record is what others signed."""
    sums = await keep(store, YAML, body="package evil\n")
    verifiers = await sign(store, YAML, {**sums, "zip": other_h1()}, "sum.example.org")
    scrub = await scrubbing.verify(store, keys=verifiers)
    assert [row.key for row in scrub.damaged] == [key(YAML, "zip")]
    assert other_h1() in scrub.damaged[0].reason


async def test_a_record_that_cannot_be_proven_counts_less_than_the_hash_beside_the_file(store):
    sums = await keep(store, YAML)
    await prove(store, YAML, {**sums, "zip": other_h1()})
    scrub = await scrubbing.verify(store)
    assert scrub.clean
    assert (scrub.hashed, scrub.unproven) == (2, 1)


@pytest.mark.parametrize(("tile", "size"), [("8/0/001", 8191), ("8/0/x001/234", 32), ("8/2/000.p/5", 161)])
async def test_a_tile_of_the_wrong_size_is_quarantined(store, tile, size):
    await store.put(f"sumdb/sum.golang.org/tile/{tile}", b"h" * size)
    scrub = await scrubbing.verify(store)
    assert [row.key for row in scrub.damaged] == [f"sumdb/sum.golang.org/tile/{tile}"]


async def test_looking_only_moves_nothing(store):
    await keep(store, YAML)
    await store.put(key(YAML, "mod"), b"module other\n", replace=True)
    before = await keys(store)
    scrub = await scrubbing.verify(store, quarantine=False)
    assert [(row.key, row.quarantined) for row in scrub.damaged] == [(key(YAML, "mod"), "")]
    assert await keys(store) == before
    assert await keys(store, ".goferry/quarantine/") == set()


async def test_a_read_only_store_is_scrubbed_without_moving_anything():
    store = MemoryStore()
    await keep(store, YAML)
    await store.put(key(YAML, "info"), b"{}", replace=True)
    store.local_path = lambda key: None
    local_only = [name for name in await keys(store) if name.endswith(".zip")]
    for name in local_only:  # a copy to look into a zip would need a place to write
        await store.delete(name)
    store.read_only = "as told"
    scrub = await scrubbing.verify(store)
    assert [(row.key, row.quarantined) for row in scrub.damaged] == [(key(YAML, "info"), "")]


async def test_an_unreadable_file_is_reported_and_the_scrub_goes_on():
    store = MemoryStore()
    await keep(store, TOML)
    await keep(store, YAML)
    store.fail("read", key=key(TOML, "info"))
    scrub = await scrubbing.verify(store)
    assert [(row.key, row.quarantined) for row in scrub.damaged] == [(key(TOML, "info"), "")]
    assert scrub.files == 10
    assert await store.stat(key(TOML, "info")) is not None
