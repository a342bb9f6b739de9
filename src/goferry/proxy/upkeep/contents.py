"""What is in a store: sizes, modules, and all that is known of one version."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from goferry.errors import NotFound
from goferry.gomod import module, semver
from goferry.gomod.module import Version
from goferry.proxy.upkeep.pins import is_pinned, pins
from goferry.proxy.upkeep.records import databases, go_sum_lines, recorded
from goferry.proxy.upkeep.units import QUARANTINE, SUMDB, Tally, Unit, gather, request_of, stem
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index, Record


@dataclass(frozen=True, slots=True)
class Usage:
    """Sizes of a store, in files and bytes. `files` and `size` count what can be served, without quarantine."""

    modules: int
    versions: int
    files: int
    size: int
    zips: int
    zip_size: int
    sumdb_files: int
    sumdb_size: int
    quarantined: int
    quarantine_size: int


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """One module: its kept versions in order, and when any of them was last used (seconds since the epoch)."""

    path: str
    versions: tuple[str, ...]
    files: int
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version: its files, and the go.sum lines that a stored record of a checksum database holds for it."""

    path: str
    version: str
    files: tuple[Record, ...]
    size: int
    used: float
    pinned: bool
    sums: tuple[str, ...]


async def usage(store: BlobStore) -> Usage:
    """How much a store holds. StorageError when it cannot be read."""
    modules: set[str] = set()
    versions: set[Version] = set()
    files, zips, sumdb = Tally(), Tally(), Tally()
    async for blob in store.keys(""):
        files.add(blob)
        if blob.key.startswith(SUMDB):
            sumdb.add(blob)
        elif (request := request_of(blob.key)) is not None:
            modules.add(request.path)
            if request.exact:
                versions.add(request.module)
            if blob.key.endswith(".zip"):
                zips.add(blob)
    aside = Tally()
    async for blob in store.keys(QUARANTINE):
        aside.add(blob)
    return Usage(
        modules=len(modules),
        versions=len(versions),
        files=files.count,
        size=files.size,
        zips=zips.count,
        zip_size=zips.size,
        sumdb_files=sumdb.count,
        sumdb_size=sumdb.size,
        quarantined=aside.count // 2,  # each with its reason beside it
        quarantine_size=aside.size,
    )


async def list_modules(store: BlobStore, index: Index | None = None, patterns: str = "") -> list[ModuleUse]:
    """The modules of which a version is kept, in the order of their paths; only those that the
    comma-separated patterns match (as in GOPRIVATE), when there are any.
    """
    by_path: dict[str, list[Unit]] = {}
    for unit in (await gather(store, index)).values():
        if not patterns or module.match_prefix_patterns(patterns, unit.module.path):
            by_path.setdefault(unit.module.path, []).append(unit)
    return [_module_use(path, units) for path, units in sorted(by_path.items())]


def _module_use(path: str, units: Sequence[Unit]) -> ModuleUse:
    return ModuleUse(
        path,
        versions=tuple(semver.sort(unit.module.version for unit in units)),
        files=sum(len(unit.blobs) for unit in units),
        size=sum(unit.size for unit in units),
        used=max(unit.used for unit in units),
    )


async def info(store: BlobStore, index: Index | None, wanted: Version) -> VersionInfo:
    """All that is known of one version. InvalidInput for a malformed one, NotFound when nothing of it is kept."""
    unit = (await gather(store, index, stem(wanted))).get(wanted)
    if unit is None:
        raise NotFound("{module} is not in the store", module=wanted)
    records = await asyncio.gather(*(_record(index, blob) for blob in unit.blobs))
    sums = [
        line for name in await databases(store) for line in go_sum_lines(await recorded(store, name, wanted))
    ]
    return VersionInfo(
        wanted.path,
        wanted.version,
        files=tuple(records),
        size=unit.size,
        used=unit.used,
        pinned=is_pinned(wanted, await pins(store)),
        sums=tuple(dict.fromkeys(sums)),
    )


async def _record(index: Index | None, blob: Blob) -> Record:
    known = await asyncio.to_thread(index.get, blob.key) if index is not None else None
    return known or Record(blob.key, blob.size, blob.mtime, blob.mtime)
