"""What is in a store: sizes, modules, provenance, over every kind of store."""

import json
from dataclasses import asdict

import pytest

from goferry.errors import InvalidInput, NotFound
from goferry.gomod.module import Version
from goferry.proxy.upkeep import contents, pins
from keptversions import NEW_YAML, NOW, TOML, YAML, keep, key, prove


async def test_usage_counts_modules_versions_and_kinds(store):
    assert (await contents.usage(store)).files == 0
    for version in (TOML, YAML, NEW_YAML):
        await keep(store, version)
    await store.put("gopkg.in/yaml.v3/@v/list", b"v3.0.1\n")
    await store.put("example.com/m/@v/main.info", b"{}")
    await store.put("sumdb/sum.golang.org/latest", b"12345")
    await store.put("bad.example/m/@v/v1.0.0.zip", b"12")
    await store.quarantine("bad.example/m/@v/v1.0.0.zip", "bad")
    await store.put(".goferry/negative/x", b"own")
    usage = await contents.usage(store)
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
    rows = await contents.list_modules(store, index)
    assert [row.path for row in rows] == [TOML.path, YAML.path]
    assert rows[1].versions == ("v3.0.1", "v3.10.0")
    assert (rows[1].files, rows[1].used) == (10, NOW + 50)
    assert [row.path for row in await contents.list_modules(store, None, "gopkg.in,example.com/*")] == [
        YAML.path
    ]
    json.dumps([asdict(row) for row in rows])


async def test_info_tells_provenance_sums_and_pins(store, index, clock):
    sums = await keep(store, TOML, index=index)
    await keep(store, Version(TOML.path, "v1.0.0-rc.1"))
    await prove(store, TOML, sums)
    clock.now += 7
    index.touch(key(TOML, "zip"))
    found = await contents.info(store, index, TOML)
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
    await pins.pin(store, [Version(TOML.path)])
    assert (await contents.info(store, index, TOML)).pinned
    json.dumps(asdict(found))


async def test_info_without_an_index_still_tells_the_files(store):
    await keep(store, TOML)
    found = await contents.info(store, None, TOML)
    assert {(file.source, file.fetched) for file in found.files} == {("", None)}


async def test_info_of_what_is_not_there_or_malformed(store):
    with pytest.raises(NotFound, match="not in the store"):
        await contents.info(store, None, TOML)
    with pytest.raises(InvalidInput):
        await contents.info(store, None, Version("github.com/x/y", "latest"))
