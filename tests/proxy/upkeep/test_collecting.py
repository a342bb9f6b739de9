"""What goes, in which order, and what stays, over every kind of store."""

import json
from dataclasses import asdict

import pytest

from goferry.errors import NotFound
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.proxy.upkeep import collecting, contents, pins, units
from goferry.storage.local import LocalStore
from keptversions import DAY, NEW_YAML, NOW, TOML, YAML, keep, key, keys, zip_bytes


async def three_versions(store, index, clock) -> None:
    """Used long ago, yesterday and now."""
    for version, ago in ((TOML, 100 * DAY), (YAML, DAY), (NEW_YAML, 0)):
        clock.now = NOW - ago
        await keep(store, version, index=index)
    index.flush()
    clock.now = NOW


@pytest.fixture(autouse=True)
def old_files(monkeypatch):
    """Files look as old as the world, so that the index alone says when they were used."""
    from goferry.storage import memory, writer

    class Past:
        @staticmethod
        def time():
            return 1.0

    monkeypatch.setattr(memory, "time", Past)
    found = writer.blob_at
    from goferry.storage import local
    from goferry.storage.base import Blob

    def old(path, key):
        blob = found(path, key)
        return blob and Blob(blob.key, blob.size, 1.0)

    monkeypatch.setattr(local, "blob_at", old)


async def test_the_least_recently_used_versions_go_first_and_whole(store, index, clock):
    await three_versions(store, index, clock)
    size = (await contents.usage(store)).size
    done = await collecting.gc(store, index, max_size=size - 1, now=NOW)
    assert [(row.path, row.version, row.why, row.files) for row in done.removed] == [
        (TOML.path, "v1.0.0", "size", 5)
    ]
    assert {units.version_of(name) for name in await keys(store)} == {YAML, NEW_YAML}
    assert done.removed_size == size - (await contents.usage(store)).size
    assert (done.kept_versions, done.kept_size) == (2, (await contents.usage(store)).size)
    assert index.get(key(TOML, "zip")) is None
    assert index.get(key(YAML, "zip")) is not None
    json.dumps(asdict(done))


async def test_one_use_of_one_file_saves_the_whole_version(store, index, clock):
    await three_versions(store, index, clock)
    index.touch(key(TOML, "mod"))
    done = await collecting.gc(store, index, max_size=(await contents.usage(store)).size - 1, now=NOW)
    assert [(row.path, row.version) for row in done.removed] == [(YAML.path, YAML.version)]


async def test_what_was_not_used_for_the_given_time_goes(store, index, clock):
    await three_versions(store, index, clock)
    done = await collecting.gc(store, index, max_age=30 * DAY, now=NOW)
    assert [(row.path, row.why, row.used) for row in done.removed] == [(TOML.path, "age", NOW - 100 * DAY)]
    again = await collecting.gc(store, index, max_age=DAY - 1, now=NOW)
    assert [row.version for row in again.removed] == [YAML.version]
    assert (await collecting.gc(store, index, max_age=DAY, now=NOW)).removed == ()


async def test_age_and_size_together(store, index, clock):
    await three_versions(store, index, clock)
    done = await collecting.gc(store, index, max_age=30 * DAY, max_size=0, now=NOW)
    assert [row.why for row in done.removed] == ["age", "size", "size"]
    assert await keys(store) == set()


async def test_no_limit_takes_nothing(store, index, clock):
    await three_versions(store, index, clock)
    assert (await collecting.gc(store, index, now=NOW)).removed == ()


async def test_a_dry_run_says_the_same_and_takes_nothing(store, index, clock):
    await three_versions(store, index, clock)
    before = await keys(store)
    dry = await collecting.gc(store, index, max_size=0, dry_run=True, now=NOW)
    assert await keys(store) == before
    assert dry.dry_run
    assert (await collecting.gc(store, index, max_size=0, now=NOW)).removed == dry.removed


async def test_pinned_versions_and_modules_stay(store, index, clock):
    await three_versions(store, index, clock)
    await pins.pin(store, [TOML, Version("example.com/not/yet", "v1.0.0")])
    done = await collecting.gc(store, index, max_size=0, now=NOW)
    assert {row.path for row in done.removed} == {YAML.path}
    assert (done.kept_versions, done.pinned_versions) == (1, 1)
    await three_versions(store, index, clock)
    await pins.pin(store, [Version(YAML.path)])
    await pins.unpin(store, [TOML, YAML])
    done = await collecting.gc(store, index, max_size=0, now=NOW)
    assert {row.path for row in done.removed} == {TOML.path}


async def test_lists_sums_and_what_is_not_ours_are_never_collected(store, index):
    others = {
        "gopkg.in/yaml.v3/@v/list",
        "gopkg.in/yaml.v3/@latest",
        "gopkg.in/yaml.v3/@v/v3.info",
        "sumdb/sum.golang.org/latest",
        "sumdb/sum.golang.org/lookup/gopkg.in/yaml.v3@v3.0.1",
        "sumdb/sum.golang.org/tile/8/0/001",
        "index.html",
    }
    for name in others:
        await store.put(name, b"x")
    await keep(store, YAML)
    await collecting.gc(store, index, max_size=0, max_age=0, now=NOW)
    assert await keys(store) == others


async def test_quarantine_is_kept_for_a_while_and_then_collected(store):
    await store.put(key(YAML, "zip"), b"bad")
    await store.quarantine(key(YAML, "zip"), "bad")
    await keep(store, TOML)
    assert (await collecting.gc(store, now=collecting.QUARANTINE_AGE)).quarantine_removed == 0
    assert len(await keys(store, ".goferry/quarantine/")) == 2
    dry = await collecting.gc(store, now=NOW, dry_run=True)
    assert len(await keys(store, ".goferry/quarantine/")) == 2
    done = await collecting.gc(store, now=NOW)
    assert (done.quarantine_removed, done.quarantine_size) == (dry.quarantine_removed, dry.quarantine_size)
    assert done.quarantine_removed == 1
    assert done.quarantine_size > 3
    assert await keys(store, ".goferry/quarantine/") == set()
    assert len(await keys(store)) == 5


async def test_without_an_index_the_time_of_storing_decides(store):
    await keep(store, YAML)
    assert (await collecting.gc(store, None, max_age=10, now=5.0)).removed == ()
    assert len((await collecting.gc(store, None, max_age=10, now=20.0)).removed) == 1


async def test_who_is_being_served_reads_to_the_end(tmp_path, index):
    store = LocalStore(tmp_path / "served", fsync=False)
    await keep(store, YAML)
    with store.local_path(key(YAML, "zip")).open("rb") as served:
        first = served.read(10)
        await collecting.gc(store, index, max_size=0, now=NOW)
        assert first + served.read() == zip_bytes(YAML)
    await store.close()


async def test_rm_takes_one_version_and_leaves_its_neighbours(store, index):
    near = Version(YAML.path, "v3.0.1-rc.1")
    for version in (YAML, NEW_YAML, near):
        await keep(store, version, index=index)
    await store.put("gopkg.in/yaml.v3/@v/list", b"x")
    (removed,) = await collecting.rm(store, index, YAML)
    assert (removed.version, removed.files, removed.why) == ("v3.0.1", 5, "asked")
    assert {units.version_of(name) for name in await keys(store)} == {NEW_YAML, near, None}
    with pytest.raises(NotFound):
        await collecting.rm(store, index, YAML)


async def test_rm_of_a_module_takes_all_of_it_and_nothing_below_it(store, index):
    for version in (NEW_YAML, YAML, TOML):
        await keep(store, version)
    await keep(store, Version("gopkg.in/yaml.v30", "v30.0.0"))
    await store.put("gopkg.in/yaml.v3/@v/list", b"x")
    await store.put("gopkg.in/yaml.v3/@latest", b"x")
    await store.put("gopkg.in/yaml.v3/@v/v3.info", b"x")
    await store.put(request_path(Kind.INFO, "example.com/a/sub", "v1.0.0"), b"{}")
    await store.put(request_path(Kind.INFO, "example.com/a", "v1.0.0"), b"{}")
    removed = await collecting.rm(store, index, Version(YAML.path))
    assert [row.version for row in removed] == ["v3.0.1", "v3.10.0"]
    assert await keys(store, "gopkg.in/yaml.v3/") == set()
    assert await keys(store, "gopkg.in/yaml.v30/") != set()
    await collecting.rm(store, index, Version("example.com/a"))
    assert await keys(store, "example.com/") == {"example.com/a/sub/@v/v1.0.0.info"}
    with pytest.raises(NotFound):
        await collecting.rm(store, index, Version("example.com/a"))
