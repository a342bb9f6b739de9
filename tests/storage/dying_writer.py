"""Run as a program by test_crash.py: writes to a store and dies, at a chosen step or when it is killed.

dying_writer.py steps FOLDER     one store per step: FOLDER/N/store, with what was acknowledged in FOLDER/N/acks
dying_writer.py loop STORE       writes without end; each acknowledged key is a line on standard output
"""

import asyncio
import os
import random
import sys
from hashlib import sha256
from pathlib import Path

from goferry.storage import writer
from goferry.storage.disk import Disk
from goferry.storage.local import LocalStore

FIRST, SECOND = b"first\n" * 50, b"second\n" * 70
BIG = bytes(range(256)) * 4096
LIST, MOD, ZIP, BAD = (
    "example.com/m/@v/list",
    "example.com/m/@v/v1.0.0.mod",
    "example.com/m/@v/v1.0.0.zip",
    "example.com/m/@v/v1.0.0.info",
)


class DyingDisk(Disk):
    """Counts its steps, and ends the process before the chosen one; a write is half done by then."""

    def __init__(self, last: int) -> None:
        self.left = last

    def __getattribute__(self, name):
        step = object.__getattribute__(self, name)
        if name not in STEPS:
            return step

        def counted(*args):
            self.left -= 1
            if self.left < 0:
                if name == "write":
                    fd, chunks = args
                    data = b"".join(chunks)
                    os.write(fd, data[: len(data) // 2])
                os._exit(17)
            return step(*args)

        return counted


STEPS = frozenset(name for name in vars(Disk) if not name.startswith("_"))


async def scenario(root: Path, disk: Disk, ack) -> None:
    store = LocalStore(root, disk=disk)
    await store.put(LIST, FIRST)
    ack("list first")
    await asyncio.gather(store.put(MOD, FIRST), store.put(MOD, FIRST), store.put(LIST, FIRST))
    ack("mod")
    upload = await store.upload()
    for start in range(0, len(BIG), 65536):
        await upload.write(BIG[start : start + 65536])
    await upload.commit(ZIP)
    ack("zip")
    await store.put(LIST, SECOND, replace=True)
    ack("list second")
    bad = await store.upload()
    await bad.write(b"bad")
    await bad.quarantine(BAD, "for the test")
    ack("quarantined")
    await store.delete(MOD)
    ack("deleted")
    await store.close()


def live_and_die(place: Path, last: int) -> None:
    acks = os.open(place / "acks", os.O_CREAT | os.O_WRONLY)
    asyncio.run(scenario(place / "store", DyingDisk(last), lambda text: os.write(acks, f"{text}\n".encode())))
    os._exit(0)


def steps(folder: Path) -> None:
    """Forks a child for every step, until one lives to the end."""
    for last in range(10_000):
        place = folder / str(last)
        place.mkdir()
        child = os.fork()
        if child == 0:
            live_and_die(place, last)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        if code == 0:
            return
        assert code == 17, f"step {last} ended with {code}"
    raise AssertionError("the scenario never ends")


async def loop(root: Path) -> None:
    """Objects named by their hash: small ones by put, bigger ones by upload, several at once."""
    store = LocalStore(root)
    seed = random.Random(os.getpid())

    async def one() -> None:
        data = seed.randbytes(seed.choice((100, 5_000, 700_000)))
        key = f"{seed.choice('abc')}.com/{seed.randrange(20)}/@v/{sha256(data).hexdigest()}"
        if len(data) < 1000:
            await store.put(key, data, replace=seed.random() < 0.5)
        else:
            upload = await store.upload()
            for start in range(0, len(data), 65536):
                await upload.write(data[start : start + 65536])
            await upload.commit(key)
        os.write(1, f"{key}\n".encode())

    async def many() -> None:
        while True:
            await one()

    await asyncio.gather(*(many() for _ in range(6)))


if __name__ == "__main__":
    command, where, *many = sys.argv[1:]
    if many:
        writer.MANY = int(many[0])
    if command == "steps":
        steps(Path(where))
    else:
        asyncio.run(loop(Path(where)))
