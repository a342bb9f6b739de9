"""Stores that hold a whole checksum database, as a server keeps it over time."""

from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import lookup_path
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.tile import DATA_LEVEL, HEIGHT, Tile, new_tiles
from goferry.storage.base import BlobStore

EARLIER = 260
"""A size that the log had once: its records stand under that head, its partial tiles are still there."""

FILLERS = [Version(f"example.org/m{n}", "v1.0.0") for n in range(600)]


def sums_of(module: Version) -> list[str]:
    """Two go.sum lines of the right form."""
    return [f"{module} h1:{'A' * 43}=".replace("@", " "), f"{module}/go.mod h1:{'B' * 43}=".replace("@", " ")]


def grown(name: str = "sum.example.org") -> MemLog:
    """A log with full and partial tiles on two levels; asked for others it makes them up."""
    log = MemLog(name, sums=sums_of)
    for module in FILLERS:
        log.find(module)
    return log


async def fill(store: BlobStore, log: MemLog) -> None:
    """All of the log: the head, records under it and under an earlier one, tiles now and then, texts."""
    await store.put(f".goferry/sumdb/{log.name}/latest", log.head(), replace=True)
    tiles = [
        *new_tiles(HEIGHT, 0, log.size),
        *new_tiles(HEIGHT, 0, EARLIER),
        Tile(HEIGHT, DATA_LEVEL, 0, 256),
    ]
    for tile in tiles:
        await store.put(f"sumdb/{log.name}/{tile.path}", log.tile(tile))
    for number, module in enumerate([*FILLERS[:5], *FILLERS[300:305]]):
        body = tlog.format_record(log.find(module)) + log.head(EARLIER if number < 5 else None)
        await store.put(f"sumdb/{log.name}/{lookup_path(module)}", body)
