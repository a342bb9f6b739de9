"""What must stay: versions, and whole modules, that no collection takes."""

import json
from collections.abc import Callable, Iterable

from goferry.errors import InvalidInput, StorageError
from goferry.gomod import module
from goferry.gomod.module import Version
from goferry.storage.base import BlobStore

PINS = ".goferry/pins.json"


async def pins(store: BlobStore) -> frozenset[Version]:
    """What is pinned: versions, and modules as a whole (with an empty version). StorageError for a damaged
    file, since collecting without knowing the pins would take what must stay.
    """
    data = await store.read(PINS)
    if data is None:
        return frozenset()
    try:
        return frozenset(_parse_pin(text) for text in json.loads(data)["pins"])
    except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise StorageError(
            "the list of pins {key} is damaged: {why}",
            hint="mend or remove {key} in the store; without it nothing is pinned",
            key=PINS,
            why=error,
        ) from error


async def pin(store: BlobStore, wanted: Iterable[Version]) -> frozenset[Version]:
    """Protects versions, or whole modules, from collection; returns all pins. What is not there yet can be pinned."""
    return await _change_pins(store, lambda have: have | set(wanted))


async def unpin(store: BlobStore, wanted: Iterable[Version]) -> frozenset[Version]:
    """Takes the protection away; returns the pins left. No error for what was not pinned."""
    return await _change_pins(store, lambda have: have - set(wanted))


async def _change_pins(
    store: BlobStore, change: Callable[[frozenset[Version]], frozenset[Version]]
) -> frozenset[Version]:
    async with store.lock(PINS):
        now = change(await pins(store))
        for wanted in now:
            _check_pin(wanted)
        body = json.dumps({"pins": [str(wanted) for wanted in module.sort(now)]}, indent=2) + "\n"
        await store.put(PINS, body.encode(), replace=True)
    return now


def _parse_pin(text: str) -> Version:
    path, _at, version = text.partition("@")
    return _check_pin(Version(path, version))


def _check_pin(wanted: Version) -> Version:
    if wanted.version:
        module.check(wanted.path, wanted.version)
    else:
        module.check_path(wanted.path)
    return wanted


def is_pinned(version: Version, pinned: frozenset[Version]) -> bool:
    return version in pinned or Version(version.path) in pinned
