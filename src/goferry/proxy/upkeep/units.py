"""The files of a store, by the version that they belong to."""

import asyncio
from dataclasses import dataclass, field

from goferry.errors import GoferryError
from goferry.gomod import module
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.gomod.module import Version
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index

SUMDB = "sumdb/"
QUARANTINE = ".goferry/quarantine/"
SIDECARS = {".ziphash": ".zip", ".modhash": ".mod"}
"""A hash beside a file, as Go's own cache keeps `.ziphash`; the file it speaks of."""


@dataclass(slots=True)
class Unit:
    """The files of one version, gathered during a walk."""

    module: Version
    blobs: list[Blob] = field(default_factory=list)
    used: float = 0.0

    @property
    def size(self) -> int:
        return sum(blob.size for blob in self.blobs)


def version_of(key: str) -> Version | None:
    """The version whose file (or sidecar) a key names; None for lists, branch answers, `sumdb/` and all else."""
    request = request_of(key)
    return request.module if request is not None and request.exact else None


def request_of(key: str) -> Request | None:
    """The request that a key answers, or whose file a sidecar speaks of; None for all else."""
    for sidecar, file in SIDECARS.items():
        if key.endswith(sidecar):
            key = key.removesuffix(sidecar) + file
    try:
        return parse_request(key)
    except GoferryError:
        return None


async def gather(store: BlobStore, index: Index | None, prefix: str = "") -> dict[Version, Unit]:
    """All versions below a prefix. The last use of a version is that of its last used file."""
    used = await _last_uses(index, prefix)
    units: dict[Version, Unit] = {}
    async for blob in store.keys(prefix):
        if (version := version_of(blob.key)) is not None:
            unit = units.setdefault(version, Unit(version))
            unit.blobs.append(blob)
            unit.used = max(unit.used, blob.mtime, used.get(blob.key, 0.0))
    return units


async def _last_uses(index: Index | None, prefix: str) -> dict[str, float]:
    if index is None:
        return {}
    return {record.key: record.used for record in await asyncio.to_thread(index.records, prefix)}


def stem(wanted: Version) -> str:
    """What the keys of a version start with, up to the dot before the kind of file."""
    module.check(wanted.path, wanted.version)
    return request_path(Kind.ZIP, wanted.path, wanted.version).removesuffix("zip")


@dataclass(slots=True)
class Tally:
    """Files and bytes, counted during a walk."""

    count: int = 0
    size: int = 0

    def add(self, blob: Blob) -> None:
        self.count += 1
        self.size += blob.size
