"""What may go: the least recently used versions (`gc`), and what somebody names (`rm`).

Two rules decide what collection (`gc`) may take:

- It takes whole versions, the least recently used first: `.info`, `.mod`, `.zip` and their hashes go together. Half
  a version would make `go` ask for the rest and wait for an upstream that may be away.
- It takes nothing else. Lists and `@latest` are small and answer when the upstream is down. What the checksum database
  said (`sumdb/`) is never collected: tiles serve many versions, the remembered head is what reveals a forked log, and
  a record proves the version again on the day it comes back. Pinned versions stay whatever their age.

What lies in quarantine was meant to be looked at: it goes after `QUARANTINE_AGE`, or a broken upstream could fill the
disk with what we refuse to serve.

Files are unlinked, never truncated: who is being served one reads it to its end.
"""

import time
from dataclasses import dataclass

from goferry.errors import NotFound
from goferry.gomod import semver
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.proxy.upkeep.pins import is_pinned, pins
from goferry.proxy.upkeep.units import QUARANTINE, SIDECARS, Unit, gather, stem, version_of
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index

QUARANTINE_AGE = 30 * 86_400.0
"""Seconds."""


@dataclass(frozen=True, slots=True)
class Removed:
    """One version that went, or would go: why is `age`, `size` or `asked`. `used` is seconds since the epoch."""

    path: str
    version: str
    files: int
    size: int
    used: float
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection took (with `dry_run`: would take). `kept_size` counts the files of versions only;
    `quarantine_removed` the refused files that had lain aside long enough, `quarantine_size` their bytes.
    """

    removed: tuple[Removed, ...]
    removed_size: int
    kept_versions: int
    kept_size: int
    pinned_versions: int
    quarantine_removed: int
    quarantine_size: int
    dry_run: bool


async def gc(
    store: BlobStore,
    index: Index | None = None,
    *,
    max_size: int | None = None,
    max_age: float | None = None,
    dry_run: bool = False,
    now: float | None = None,
) -> Collection:
    """Removes versions unused for `max_age` seconds, then the least recently used until the files of all
    versions take at most `max_size` bytes. None means no limit. Pinned versions count, and stay.
    """
    now = time.time() if now is None else now
    pinned = await pins(store)
    units = sorted((await gather(store, index)).values(), key=lambda unit: (unit.used, str(unit.module)))
    total = sum(unit.size for unit in units)
    loose = [unit for unit in units if not is_pinned(unit.module, pinned)]
    removed: list[Removed] = []
    for unit in loose:
        why = _why_go(unit, total, now=now, max_size=max_size, max_age=max_age)
        if why is None:
            break  # the next one was used later, and the total stays
        if not dry_run:
            await _remove(store, index, unit)
        removed.append(_removed(unit, why))
        total -= unit.size
    aside = await _old_quarantine(store, now - QUARANTINE_AGE)
    if not dry_run:
        for blob in aside:
            await store.delete(blob.key)
    return Collection(
        tuple(removed),
        removed_size=sum(row.size for row in removed),
        kept_versions=len(units) - len(removed),
        kept_size=total,
        pinned_versions=len(units) - len(loose),
        quarantine_removed=len(aside) // 2,
        quarantine_size=sum(blob.size for blob in aside),
        dry_run=dry_run,
    )


async def _old_quarantine(store: BlobStore, before: float) -> list[Blob]:
    """Refused files and their notes; the note tells the time, because a moved file keeps its own."""
    blobs = {blob.key: blob async for blob in store.keys(QUARANTINE)}
    notes = [key for key, blob in blobs.items() if key.endswith(".json") and blob.mtime < before]
    return [blobs[key] for note in notes for key in (note.removesuffix(".json"), note) if key in blobs]


def _why_go(unit: Unit, total: int, *, now: float, max_size: int | None, max_age: float | None) -> str | None:
    if max_age is not None and now - unit.used > max_age:
        return "age"
    if max_size is not None and total > max_size:
        return "size"
    return None


def _removed(unit: Unit, why: str) -> Removed:
    return Removed(unit.module.path, unit.module.version, len(unit.blobs), unit.size, unit.used, why)


async def _remove(store: BlobStore, index: Index | None, unit: Unit) -> None:
    keys = [blob.key for blob in unit.blobs]
    # The hashes go last: a file without its hash could no longer be scrubbed if we stopped half-way.
    for key in sorted(keys, key=lambda key: key.endswith(tuple(SIDECARS))):
        await store.delete(key)
    if index is not None:
        index.forget(keys)


async def rm(store: BlobStore, index: Index | None, wanted: Version) -> tuple[Removed, ...]:
    """Removes one version, or, without a version, all of a module with its list and `@latest`. Pins do not
    protect from being asked for by name. NotFound when there is nothing of it.
    """
    if wanted.version:
        prefix = stem(wanted)
    else:
        prefix = request_path(Kind.LIST, wanted.path).removesuffix("@v/list")
    units = await gather(store, index, prefix)
    chosen = [unit for unit in units.values() if wanted in (unit.module, Version(unit.module.path))]
    rest = [] if wanted.version else await _loose_files(store, wanted.path)
    if not chosen and not rest:
        raise NotFound("{module} is not in the store", module=wanted)
    for unit in chosen:
        await _remove(store, index, unit)
    for key in rest:
        await store.delete(key)
    ordered = sorted(chosen, key=lambda unit: semver.key(unit.module.version))
    return tuple(_removed(unit, "asked") for unit in ordered)


async def _loose_files(store: BlobStore, path: str) -> list[str]:
    """The files of a module that belong to no version: list, `@latest`, the .info of branches."""
    folder = request_path(Kind.LIST, path).removesuffix("@v/list")
    keys = [blob.key for name in ("@latest", "@v/") async for blob in store.keys(folder + name)]
    return [key for key in keys if version_of(key) is None]
