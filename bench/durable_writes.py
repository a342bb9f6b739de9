"""How many small objects a second can be made durable, by the ways there are to do it.

    python bench/durable_writes.py FOLDER [--objects 2000] [--rounds 3]

64 writers put 5 KB objects into new module folders (three to a folder, as a version's files come). Every way ends at
the same promise: file and names are on the disk when the writer is told. FOLDER must lie on the disk in question; it is
emptied only after the last round, because ext4 searches long for inodes near those deleted in the last minutes.
docs/adr/0004-durable-writes.md has the figures and what follows from them.
"""

import argparse
import asyncio
import ctypes
import itertools
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from goferry.storage.local import LocalStore

DATA = os.urandom(5_000)
WRITERS = 64
THREADS = 16

Sync = Callable[[int], object]


def target(root: str, n: int) -> str:
    return f"{root}/example.com/m{n // 3}/@v/v1.0.{n}.mod"


def write_temp(root: str, n: int) -> int:
    fd = os.open(f"{root}/temp{n}", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    os.write(fd, DATA)
    return fd


def name(root: str, n: int) -> list[str]:
    """Publishes; returns the folders to sync."""
    path = target(root, n)
    folder = os.path.dirname(path)
    folders = [folder]
    if not os.path.isdir(folder):
        os.makedirs(folder, exist_ok=True)
        folders += [os.path.dirname(folder), f"{root}/example.com"]
    os.link(f"{root}/temp{n}", path)
    os.unlink(f"{root}/temp{n}")
    return folders


def sync_folder(path: str) -> None:
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def each_in_threads(root: str, count: int, sync: Sync) -> None:
    """Every write alone, in a pool."""

    def put(n: int) -> None:
        fd = write_temp(root, n)
        sync(fd)
        os.close(fd)
        for folder in name(root, n):
            sync_folder(folder)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(put, range(count)))


def in_groups(root: str, count: int, sync: Sync, *, threads: int) -> None:
    """Step by step for a group; the syncs of a step one after the other, or side by side."""
    with ThreadPoolExecutor(max(1, threads)) as pool:

        def run(step: Callable[..., object], things: Iterable[object]) -> None:
            list(pool.map(step, things) if threads else map(step, things))

        for group in groups(count):
            fds = [write_temp(root, n) for n in group]
            run(sync, fds)
            for fd in fds:
                os.close(fd)
            folders = {folder for n in group for folder in name(root, n)}
            run(sync_folder, folders)


def in_groups_syncfs(root: str, count: int) -> None:
    """The whole file system, twice for a group."""
    libc = ctypes.CDLL(None, use_errno=True)
    fs = os.open(root, os.O_RDONLY)
    for group in groups(count):
        for n in group:
            os.close(write_temp(root, n))
        libc.syncfs(fs)
        for n in group:
            name(root, n)
        libc.syncfs(fs)
    os.close(fs)


def groups(count: int) -> Iterable[Sequence[int]]:
    return (range(count)[start : start + WRITERS] for start in range(0, count, WRITERS))


def through_the_store(root: str, count: int, *, fsync: bool) -> None:
    async def run() -> None:
        store = LocalStore(Path(root), fsync=fsync)
        numbers = iter(range(count))

        async def write() -> None:
            for n in numbers:
                await store.put(target(root, n).removeprefix(f"{root}/"), DATA)

        await asyncio.gather(*(write() for _ in range(WRITERS)))
        await store.close()

    asyncio.run(run())


WAYS: dict[str, Callable[[str, int], None]] = {
    "each alone, fsync, 16 threads": lambda root, count: each_in_threads(root, count, os.fsync),
    "each alone, fdatasync, 16 threads": lambda root, count: each_in_threads(root, count, os.fdatasync),
    "groups, fsync one by one": lambda root, count: in_groups(root, count, os.fsync, threads=0),
    "groups, fsync side by side": lambda root, count: in_groups(root, count, os.fsync, threads=THREADS),
    "groups, fdatasync side by side": lambda root, count: in_groups(
        root, count, os.fdatasync, threads=THREADS
    ),
    "groups, syncfs": in_groups_syncfs,
    "LocalStore": lambda root, count: through_the_store(root, count, fsync=True),
    "LocalStore(fsync=False)": lambda root, count: through_the_store(root, count, fsync=False),
}


def main(argv: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--objects", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(argv)
    base = tempfile.mkdtemp(dir=options.folder)
    found: dict[str, list[tuple[float, float]]] = {way: [] for way in WAYS}
    for turn, (way, run) in itertools.product(range(options.rounds), WAYS.items()):
        root = f"{base}/{turn}-{list(WAYS).index(way)}"
        os.makedirs(f"{root}/example.com")
        began, cpu = time.perf_counter(), time.process_time()
        run(root, options.objects)
        rate = options.objects / (time.perf_counter() - began)
        found[way].append((rate, (time.process_time() - cpu) / options.objects * 1e6))
    shutil.rmtree(base)
    print(f"{'way':38s}{'objects/s (median, least to most)':>38s}{'CPU µs/object':>16s}")
    for way, rows in found.items():
        rates = sorted(rate for rate, _ in rows)
        spread = f"{statistics.median(rates):,.0f}  ({rates[0]:,.0f} to {rates[-1]:,.0f})"
        print(f"{way:38s}{spread:>38s}{statistics.median(cpu for _, cpu in rows):>16.0f}")


if __name__ == "__main__":
    main(sys.argv[1:])
