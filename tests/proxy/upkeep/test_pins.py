"""What must stay, over every kind of store."""

import json

import pytest

from goferry.errors import InvalidInput, StorageError
from goferry.gomod.module import Version
from goferry.proxy.upkeep import collecting, pins
from keptversions import NEW_YAML, TOML, YAML, keep, key


async def test_pins_last_and_come_sorted(store):
    assert await pins.pins(store) == frozenset()
    await pins.pin(store, [YAML])
    assert await pins.pin(store, [TOML, Version(YAML.path)]) == {YAML, TOML, Version(YAML.path)}
    assert json.loads(await store.read(pins.PINS)) == {"pins": [str(TOML), YAML.path, str(YAML)]}
    assert await pins.unpin(store, [YAML, NEW_YAML]) == {TOML, Version(YAML.path)}
    assert await pins.pins(store) == {TOML, Version(YAML.path)}


@pytest.mark.parametrize(
    "bad", [Version("no-dot", "v1.0.0"), Version("example.com/m", "master"), Version("")]
)
async def test_a_malformed_pin_is_refused_and_nothing_changes(store, bad):
    await pins.pin(store, [YAML])
    with pytest.raises(InvalidInput):
        await pins.pin(store, [TOML, bad])
    assert await pins.pins(store) == {YAML}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"pins":3}', b'{"pins":[1]}', b'{"pins":["x y"]}', b"\xff"]
)
async def test_damaged_pins_stop_a_collection(store, content):
    await keep(store, YAML)
    await store.put(pins.PINS, content)
    with pytest.raises(StorageError, match="damaged") as raised:
        await collecting.gc(store, None, max_size=0)
    assert raised.value.hint
    assert await store.stat(key(YAML, "zip")) is not None
