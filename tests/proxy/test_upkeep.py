"""Looking after a store: sizes, provenance, scrub, collection and pins, over every kind of store."""

import base64
import io
import json
import tempfile
import zipfile
from dataclasses import asdict

import pytest

from goferry.errors import InvalidInput, NotFound, StorageError
from goferry.gomod import dirhash, module
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import lookup_path
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.note import Verifier
from goferry.proxy import upkeep
from goferry.storage.index_sqlite import Index, Provenance
from goferry.storage.local import LocalStore
from goferry.storage.memory import MemoryStore

TOML = Version("github.com/BurntSushi/toml", "v1.0.0")
YAML = Version("gopkg.in/yaml.v3", "v3.0.1")
NEW_YAML = Version("gopkg.in/yaml.v3", "v3.10.0")
NOW = 2_000_000_000.0
DAY = 86_400.0


@pytest.fixture(params=["local", "memory"])
async def store(request, tmp_path):
    store = LocalStore(tmp_path / "store", fsync=False) if request.param == "local" else MemoryStore()
    yield store
    await store.close()


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def index(tmp_path, clock):
    index = Index(tmp_path / "index.sqlite", clock=clock)
    yield index
    index.close()


def key(version: Version, kind: str) -> str:
    return request_path(Kind.ZIP, version.path, version.version).removesuffix("zip") + kind


def zip_bytes(version: Version, body: str = "package x\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        file.writestr(f"{version}/go.mod", f"module {version.path}\n")
        file.writestr(f"{version}/x.go", body)
    return out.getvalue()


async def keep(
    store, version: Version, *, hashes: bool = True, index=None, body: str = "package x\n"
) -> dict[str, str]:
    """A version as the proxy keeps it; returns its sums."""
    data = {
        "info": json.dumps({"Version": version.version}).encode(),
        "mod": f"module {version.path}\n".encode(),
        "zip": zip_bytes(version, body),
    }
    sums = {"zip": h1_of(data["zip"]), "mod": dirhash.hash_go_mod(data["mod"])}
    if hashes:
        data |= {"ziphash": sums["zip"].encode(), "modhash": sums["mod"].encode()}
    for kind, content in data.items():
        blob = await store.put(key(version, kind), content)
        if index is not None:
            index.stored(blob, Provenance("goproxy.cn", sums.get(kind, ""), "sum.golang.org"))
    return sums


def h1_of(data: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        return dirhash.hash_zip(file.name)


async def prove(store, version: Version, sums: dict[str, str], name: str = "sum.golang.org") -> None:
    """A lookup record as the checksum database's client keeps it."""
    escaped = f"{module.escape_path(version.path)}@{module.escape_version(version.version)}"
    record = (
        f"123\n{version.path} {version.version} {sums['zip']}\n{version.path} {version.version}/go.mod {sums['mod']}\n"
        "\ngo.sum database tree\n1\nAAAA\n\n— sum.golang.org Az3g\n"
    )
    await store.put(f"sumdb/{name}/lookup/{escaped}", record.encode())


async def sign(store, version: Version, sums: dict[str, str], name: str) -> dict[str, Verifier]:
    """A record that is proven, as the only one of its log; returns the log's key."""
    log = MemLog(name)
    log.add(version, [f"{version.path} {version.version}{file} {sums[of]}" for file, of in SUM_LINES])
    await store.put(f".goferry/sumdb/{name}/latest", log.head())
    for path in (lookup_path(version), "tile/8/0/000.p/1"):
        await store.put(f"sumdb/{name}/{path}", log.get(path))
    return upkeep.verifiers(log.verifier_key)


SUM_LINES = [("", "zip"), ("/go.mod", "mod")]


async def keys(store, prefix: str = "") -> set[str]:
    return {blob.key async for blob in store.keys(prefix)}


def other_h1() -> str:
    return "h1:" + base64.b64encode(b"x" * 32).decode()


# What is there


async def test_usage_counts_modules_versions_and_kinds(store):
    assert (await upkeep.usage(store)).files == 0
    for version in (TOML, YAML, NEW_YAML):
        await keep(store, version)
    await store.put("gopkg.in/yaml.v3/@v/list", b"v3.0.1\n")
    await store.put("example.com/m/@v/main.info", b"{}")
    await store.put("sumdb/sum.golang.org/latest", b"12345")
    await store.put("bad.example/m/@v/v1.0.0.zip", b"12")
    await store.quarantine("bad.example/m/@v/v1.0.0.zip", "bad")
    await store.put(".goferry/negative/x", b"own")
    usage = await upkeep.usage(store)
    assert (usage.modules, usage.versions, usage.files) == (3, 3, 18)
    assert usage.size == sum([blob.size async for blob in store.keys("")])
    assert usage.zips == 3
    assert usage.zip_size == sum([blob.size async for blob in store.keys("g") if blob.key.endswith(".zip")])
    assert (usage.sumdb_files, usage.sumdb_size) == (1, 5)
    assert usage.quarantined == 1
    assert usage.quarantine_size > 2
    json.dumps(asdict(usage))


async def test_modules_are_listed_with_sorted_versions_and_last_use(store, index, clock):
    for version in (NEW_YAML, TOML, YAML):
        await keep(store, version, index=index)
    clock.now += 50
    index.touch(key(YAML, "zip"))
    rows = await upkeep.list_modules(store, index)
    assert [row.path for row in rows] == [TOML.path, YAML.path]
    assert rows[1].versions == ("v3.0.1", "v3.10.0")
    assert (rows[1].files, rows[1].used) == (10, NOW + 50)
    assert [row.path for row in await upkeep.list_modules(store, None, "gopkg.in,example.com/*")] == [
        YAML.path
    ]
    json.dumps([asdict(row) for row in rows])


async def test_info_tells_provenance_sums_and_pins(store, index, clock):
    sums = await keep(store, TOML, index=index)
    await keep(store, Version(TOML.path, "v1.0.0-rc.1"))
    await prove(store, TOML, sums)
    clock.now += 7
    index.touch(key(TOML, "zip"))
    found = await upkeep.info(store, index, TOML)
    assert [file.key for file in found.files] == sorted(
        key(TOML, kind) for kind in ("info", "mod", "modhash", "zip", "ziphash")
    )
    zip_file = next(file for file in found.files if file.key.endswith(".zip"))
    assert (zip_file.source, zip_file.h1, zip_file.verified_by) == (
        "goproxy.cn",
        sums["zip"],
        "sum.golang.org",
    )
    assert (zip_file.fetched, zip_file.used) == (NOW, NOW + 7)
    assert found.size == sum(file.size for file in found.files)
    assert found.sums == (
        f"{TOML.path} v1.0.0 {sums['zip']}",
        f"{TOML.path} v1.0.0/go.mod {sums['mod']}",
    )
    assert not found.pinned
    await upkeep.pin(store, [Version(TOML.path)])
    assert (await upkeep.info(store, index, TOML)).pinned
    json.dumps(asdict(found))


async def test_info_without_an_index_still_tells_the_files(store):
    await keep(store, TOML)
    found = await upkeep.info(store, None, TOML)
    assert {(file.source, file.fetched) for file in found.files} == {("", None)}


async def test_info_of_what_is_not_there_or_malformed(store):
    with pytest.raises(NotFound, match="not in the store"):
        await upkeep.info(store, None, TOML)
    with pytest.raises(InvalidInput):
        await upkeep.info(store, None, Version("github.com/x/y", "latest"))


# Scrub


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
    scrub = await upkeep.verify(
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
    scrub = await upkeep.verify(store, index)
    assert [row.key for row in scrub.damaged] == [bad]
    assert reason.lower() in scrub.damaged[0].reason.lower()
    assert await store.stat(bad) is None
    assert await store.read(scrub.damaged[0].quarantined) == data
    assert (
        json.loads(await store.read(scrub.damaged[0].quarantined + ".json"))["reason"]
        == scrub.damaged[0].reason
    )
    assert sound - await keys(store) <= {bad, bad + "hash"}
    assert (await upkeep.verify(store, index)).clean
    json.dumps(asdict(scrub))


async def test_the_checksum_database_counts_more_than_the_hash_beside_the_file(store):
    """Who can change a zip can change the hash beside it; the record is what others signed."""
    sums = await keep(store, YAML, body="package evil\n")
    verifiers = await sign(store, YAML, {**sums, "zip": other_h1()}, "sum.example.org")
    scrub = await upkeep.verify(store, keys=verifiers)
    assert [row.key for row in scrub.damaged] == [key(YAML, "zip")]
    assert other_h1() in scrub.damaged[0].reason


async def test_a_record_that_cannot_be_proven_counts_less_than_the_hash_beside_the_file(store):
    sums = await keep(store, YAML)
    await prove(store, YAML, {**sums, "zip": other_h1()})
    scrub = await upkeep.verify(store)
    assert scrub.clean
    assert (scrub.hashed, scrub.unproven) == (2, 1)


@pytest.mark.parametrize(("tile", "size"), [("8/0/001", 8191), ("8/0/x001/234", 32), ("8/2/000.p/5", 161)])
async def test_a_tile_of_the_wrong_size_is_quarantined(store, tile, size):
    await store.put(f"sumdb/sum.golang.org/tile/{tile}", b"h" * size)
    scrub = await upkeep.verify(store)
    assert [row.key for row in scrub.damaged] == [f"sumdb/sum.golang.org/tile/{tile}"]


async def test_looking_only_moves_nothing(store):
    await keep(store, YAML)
    await store.put(key(YAML, "mod"), b"module other\n", replace=True)
    before = await keys(store)
    scrub = await upkeep.verify(store, quarantine=False)
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
    scrub = await upkeep.verify(store)
    assert [(row.key, row.quarantined) for row in scrub.damaged] == [(key(YAML, "info"), "")]


async def test_an_unreadable_file_is_reported_and_the_scrub_goes_on():
    store = MemoryStore()
    await keep(store, TOML)
    await keep(store, YAML)
    store.fail("read", key=key(TOML, "info"))
    scrub = await upkeep.verify(store)
    assert [(row.key, row.quarantined) for row in scrub.damaged] == [(key(TOML, "info"), "")]
    assert scrub.files == 10
    assert await store.stat(key(TOML, "info")) is not None


# Collection


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
    size = (await upkeep.usage(store)).size
    done = await upkeep.gc(store, index, max_size=size - 1, now=NOW)
    assert [(row.path, row.version, row.why, row.files) for row in done.removed] == [
        (TOML.path, "v1.0.0", "size", 5)
    ]
    assert {upkeep.version_of(name) for name in await keys(store)} == {YAML, NEW_YAML}
    assert done.removed_size == size - (await upkeep.usage(store)).size
    assert (done.kept_versions, done.kept_size) == (2, (await upkeep.usage(store)).size)
    assert index.get(key(TOML, "zip")) is None
    assert index.get(key(YAML, "zip")) is not None
    json.dumps(asdict(done))


async def test_one_use_of_one_file_saves_the_whole_version(store, index, clock):
    await three_versions(store, index, clock)
    index.touch(key(TOML, "mod"))
    done = await upkeep.gc(store, index, max_size=(await upkeep.usage(store)).size - 1, now=NOW)
    assert [(row.path, row.version) for row in done.removed] == [(YAML.path, YAML.version)]


async def test_what_was_not_used_for_the_given_time_goes(store, index, clock):
    await three_versions(store, index, clock)
    done = await upkeep.gc(store, index, max_age=30 * DAY, now=NOW)
    assert [(row.path, row.why, row.used) for row in done.removed] == [(TOML.path, "age", NOW - 100 * DAY)]
    again = await upkeep.gc(store, index, max_age=DAY - 1, now=NOW)
    assert [row.version for row in again.removed] == [YAML.version]
    assert (await upkeep.gc(store, index, max_age=DAY, now=NOW)).removed == ()


async def test_age_and_size_together(store, index, clock):
    await three_versions(store, index, clock)
    done = await upkeep.gc(store, index, max_age=30 * DAY, max_size=0, now=NOW)
    assert [row.why for row in done.removed] == ["age", "size", "size"]
    assert await keys(store) == set()


async def test_no_limit_takes_nothing(store, index, clock):
    await three_versions(store, index, clock)
    assert (await upkeep.gc(store, index, now=NOW)).removed == ()


async def test_a_dry_run_says_the_same_and_takes_nothing(store, index, clock):
    await three_versions(store, index, clock)
    before = await keys(store)
    dry = await upkeep.gc(store, index, max_size=0, dry_run=True, now=NOW)
    assert await keys(store) == before
    assert dry.dry_run
    assert (await upkeep.gc(store, index, max_size=0, now=NOW)).removed == dry.removed


async def test_pinned_versions_and_modules_stay(store, index, clock):
    await three_versions(store, index, clock)
    await upkeep.pin(store, [TOML, Version("example.com/not/yet", "v1.0.0")])
    done = await upkeep.gc(store, index, max_size=0, now=NOW)
    assert {row.path for row in done.removed} == {YAML.path}
    assert (done.kept_versions, done.pinned_versions) == (1, 1)
    await three_versions(store, index, clock)
    await upkeep.pin(store, [Version(YAML.path)])
    await upkeep.unpin(store, [TOML, YAML])
    done = await upkeep.gc(store, index, max_size=0, now=NOW)
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
    await upkeep.gc(store, index, max_size=0, max_age=0, now=NOW)
    assert await keys(store) == others


async def test_quarantine_is_kept_for_a_while_and_then_collected(store):
    await store.put(key(YAML, "zip"), b"bad")
    await store.quarantine(key(YAML, "zip"), "bad")
    await keep(store, TOML)
    assert (await upkeep.gc(store, now=upkeep.QUARANTINE_AGE)).quarantine_removed == 0
    assert len(await keys(store, ".goferry/quarantine/")) == 2
    dry = await upkeep.gc(store, now=NOW, dry_run=True)
    assert len(await keys(store, ".goferry/quarantine/")) == 2
    done = await upkeep.gc(store, now=NOW)
    assert (done.quarantine_removed, done.quarantine_size) == (dry.quarantine_removed, dry.quarantine_size)
    assert done.quarantine_removed == 1
    assert done.quarantine_size > 3
    assert await keys(store, ".goferry/quarantine/") == set()
    assert len(await keys(store)) == 5


async def test_without_an_index_the_time_of_storing_decides(store):
    await keep(store, YAML)
    assert (await upkeep.gc(store, None, max_age=10, now=5.0)).removed == ()
    assert len((await upkeep.gc(store, None, max_age=10, now=20.0)).removed) == 1


async def test_who_is_being_served_reads_to_the_end(tmp_path, index):
    store = LocalStore(tmp_path / "served", fsync=False)
    await keep(store, YAML)
    with store.local_path(key(YAML, "zip")).open("rb") as served:
        first = served.read(10)
        await upkeep.gc(store, index, max_size=0, now=NOW)
        assert first + served.read() == zip_bytes(YAML)
    await store.close()


# Removal


async def test_rm_takes_one_version_and_leaves_its_neighbours(store, index):
    near = Version(YAML.path, "v3.0.1-rc.1")
    for version in (YAML, NEW_YAML, near):
        await keep(store, version, index=index)
    await store.put("gopkg.in/yaml.v3/@v/list", b"x")
    (removed,) = await upkeep.rm(store, index, YAML)
    assert (removed.version, removed.files, removed.why) == ("v3.0.1", 5, "asked")
    assert {upkeep.version_of(name) for name in await keys(store)} == {NEW_YAML, near, None}
    with pytest.raises(NotFound):
        await upkeep.rm(store, index, YAML)


async def test_rm_of_a_module_takes_all_of_it_and_nothing_below_it(store, index):
    for version in (NEW_YAML, YAML, TOML):
        await keep(store, version)
    await keep(store, Version("gopkg.in/yaml.v30", "v30.0.0"))
    await store.put("gopkg.in/yaml.v3/@v/list", b"x")
    await store.put("gopkg.in/yaml.v3/@latest", b"x")
    await store.put("gopkg.in/yaml.v3/@v/v3.info", b"x")
    await store.put(request_path(Kind.INFO, "example.com/a/sub", "v1.0.0"), b"{}")
    await store.put(request_path(Kind.INFO, "example.com/a", "v1.0.0"), b"{}")
    removed = await upkeep.rm(store, index, Version(YAML.path))
    assert [row.version for row in removed] == ["v3.0.1", "v3.10.0"]
    assert await keys(store, "gopkg.in/yaml.v3/") == set()
    assert await keys(store, "gopkg.in/yaml.v30/") != set()
    await upkeep.rm(store, index, Version("example.com/a"))
    assert await keys(store, "example.com/") == {"example.com/a/sub/@v/v1.0.0.info"}
    with pytest.raises(NotFound):
        await upkeep.rm(store, index, Version("example.com/a"))


# Pins


async def test_pins_last_and_come_sorted(store):
    assert await upkeep.pins(store) == frozenset()
    await upkeep.pin(store, [YAML])
    assert await upkeep.pin(store, [TOML, Version(YAML.path)]) == {YAML, TOML, Version(YAML.path)}
    assert json.loads(await store.read(upkeep.PINS)) == {"pins": [str(TOML), YAML.path, str(YAML)]}
    assert await upkeep.unpin(store, [YAML, NEW_YAML]) == {TOML, Version(YAML.path)}
    assert await upkeep.pins(store) == {TOML, Version(YAML.path)}


@pytest.mark.parametrize(
    "bad", [Version("no-dot", "v1.0.0"), Version("example.com/m", "master"), Version("")]
)
async def test_a_malformed_pin_is_refused_and_nothing_changes(store, bad):
    await upkeep.pin(store, [YAML])
    with pytest.raises(InvalidInput):
        await upkeep.pin(store, [TOML, bad])
    assert await upkeep.pins(store) == {YAML}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"pins":3}', b'{"pins":[1]}', b'{"pins":["x y"]}', b"\xff"]
)
async def test_damaged_pins_stop_a_collection(store, content):
    await keep(store, YAML)
    await store.put(upkeep.PINS, content)
    with pytest.raises(StorageError, match="damaged") as raised:
        await upkeep.gc(store, None, max_size=0)
    assert raised.value.hint
    assert await store.stat(key(YAML, "zip")) is not None


def test_sidecars_belong_to_their_version():
    for kind in ("info", "mod", "zip", "ziphash", "modhash"):
        assert upkeep.version_of(key(TOML, kind)) == TOML
    for name in ("a.b/m/@v/list", "a.b/m/@latest", "a.b/m/@v/main.info", "sumdb/x/latest", "x.ziphash", ""):
        assert upkeep.version_of(name) is None
