"""Whatever kills a writer, at whatever step: what is visible is whole, and what was acknowledged is there."""

import asyncio
import os
import random
import signal
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from goferry.storage import writer
from goferry.storage.disk import Disk
from goferry.storage.local import LocalStore
from sizes import size
from storage.dying_writer import BAD, BIG, FIRST, LIST, MOD, SECOND, ZIP, scenario
from storage.programs import ENVIRONMENT

PROGRAM = Path(__file__).parent / "dying_writer.py"


def read(store: Path, key: str) -> bytes | None:
    path = store / key
    return path.read_bytes() if path.exists() else None


def private_files(store: Path) -> list[Path]:
    return [
        path for path in (store / ".goferry" / "tmp").rglob("*") if path.is_file() and path.suffix != ".lock"
    ]


def run_steps(folder: Path, many: int) -> list[Path]:
    """One place for every step that the writer died before; in the last one it lived."""
    command = [sys.executable, str(PROGRAM), "steps", str(folder), str(many)]
    subprocess.run(command, env=ENVIRONMENT, check=True, timeout=300)
    return sorted(folder.iterdir(), key=lambda path: int(path.name))


MANY = pytest.mark.parametrize("many", [writer.MANY, 1], ids=["each alone", "whole file system"])
"""How many things are synced by one call for all of the file system."""

ALLOWED = {
    LIST: [("list second", {SECOND}), ("list first", {FIRST, SECOND}), ("", {None, FIRST})],
    MOD: [("deleted", {None}), ("quarantined", {None, FIRST}), ("mod", {FIRST}), ("", {None, FIRST})],
    ZIP: [("zip", {BIG}), ("", {None, BIG})],
    BAD: [("", {None})],
}
"""What a reader may find, by the last thing that was acknowledged about it."""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the writer forks a child for every step")
@MANY
async def test_dying_before_any_step_leaves_whole_objects_and_all_that_was_acknowledged(tmp_path, many):
    places = await asyncio.to_thread(run_steps, tmp_path, many)
    assert len(places) > 40
    assert (places[0] / "acks").read_text() == ""
    assert (places[-1] / "acks").read_text().splitlines()[-1] == "deleted"
    for place in places:
        acks = {"", *(place / "acks").read_text().splitlines()}
        root = place / "store"
        what = f"killed before step {place.name}, after {sorted(acks)}"
        for key, cases in ALLOWED.items():
            allowed = next(bodies for ack, bodies in cases if ack in acks)
            assert read(root, key) in allowed, f"{key} {what}"
        store = LocalStore(root)
        assert private_files(root) == [], what
        async for blob in store.keys(".goferry/quarantine/"):
            assert blob.key.endswith(".json") or await store.read(blob.key) == b"bad", what
        await store.put(LIST, b"third", replace=True)
        assert await store.read(LIST) == b"third"
        await store.close()
        assert list((root / ".goferry" / "tmp").iterdir()) == [], what


def test_killed_at_random_moments_nothing_is_torn_and_nothing_acknowledged_is_lost(tmp_path):
    seed = random.Random(1)
    acknowledged: set[str] = set()
    for _ in range(size(10, 150)):
        command = [sys.executable, str(PROGRAM), "loop", str(tmp_path)]
        with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE) as writer:
            # The moment is a count of what is done, never a time; what else is under way differs each time.
            for _ in range(seed.randrange(1, 60)):
                acknowledged.add(writer.stdout.readline().decode().strip())
            writer.send_signal(signal.SIGKILL)
            acknowledged.update(writer.stdout.read().decode().split("\n")[:-1])
        assert writer.returncode == -signal.SIGKILL
        asyncio.run(check_whole(tmp_path, acknowledged))
    assert len(acknowledged) > size(10, 150)


async def check_whole(root: Path, acknowledged: set[str]) -> None:
    store = LocalStore(root)
    assert private_files(root) == []
    visible = [blob.key async for blob in store.keys("")]
    for key in visible:
        assert sha256(await store.read(key)).hexdigest() == key.rpartition("/")[2]
    assert acknowledged <= set(visible)
    await store.close()


class Inode:
    def __init__(self) -> None:
        self.dirty = True


class PowerlessDisk(Disk):
    """A real disk that also keeps the books on what would be left if the power failed now.

    Worst case both ways: a name that was not synced may be gone, so nothing acknowledged may rest on it; and it may be
    there, so no name may ever lead to bytes that were not synced.
    """

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.names: dict[str, Inode] = {}
        self.durable: dict[str, Inode] = {}
        self.open: dict[int, Inode] = {}
        self.violations: list[str] = []

    def create(self, path):
        fd = super().create(path)
        self.names[path] = self.open[fd] = Inode()
        return fd

    def write(self, fd, chunks):
        self.open[fd].dirty = True
        super().write(fd, chunks)

    def truncate(self, fd, size):
        self.open[fd].dirty = True
        super().truncate(fd, size)

    def sync(self, fd):
        super().sync(fd)
        if fd in self.open:
            self.open[fd].dirty = False

    def close(self, fd):
        self.open.pop(fd)
        super().close(fd)

    def _name(self, path: str, inode: Inode) -> None:
        if inode.dirty:
            self.violations.append(f"{path} got its name before its bytes were synced")
        self.names[path] = inode

    def link(self, source, target):
        super().link(source, target)
        self._name(target, self.names[source])

    def rename(self, source, target):
        super().rename(source, target)
        self._name(target, self.names.pop(source))

    def replace(self, source, target):
        super().replace(source, target)
        self._name(target, self.names.pop(source))

    def unlink(self, path):
        super().unlink(path)
        self.names.pop(path)

    def mkdir(self, path):
        made = super().mkdir(path)
        if made:
            folder = self.names[path] = Inode()
            folder.dirty = False
        return made

    def sync_folder(self, path):
        inside = {name: inode for name, inode in list(self.names.items()) if os.path.dirname(name) == path}
        super().sync_folder(path)
        for name in [name for name in self.durable if os.path.dirname(name) == path and name not in inside]:
            del self.durable[name]
        self.durable.update(inside)

    def sync_all(self, fd):
        """As far as the books go, one call for the whole file system can be had everywhere."""
        for inode in self.names.values():
            inode.dirty = False
        self.durable = dict(self.names)
        super().sync_all(fd)
        return True

    def survives(self, key: str) -> bool:
        path = f"{self.root}/{key}"
        if self.durable.get(path) is not self.names.get(path) or path not in self.durable:
            return False
        folder = os.path.dirname(path)
        while folder != self.root:
            if folder not in self.durable:
                return False
            folder = os.path.dirname(folder)
        return not self.durable[path].dirty


@MANY
async def test_what_was_acknowledged_would_survive_a_power_failure(tmp_path, monkeypatch, many):
    monkeypatch.setattr(writer, "MANY", many)
    root = tmp_path / "store"
    disk = PowerlessDisk(root)
    kept = {"list first": LIST, "mod": MOD, "zip": ZIP, "list second": LIST}
    lost = []

    def ack(text: str) -> None:
        if text in kept and not disk.survives(kept[text]):
            lost.append(text)

    await scenario(root, disk, ack)
    assert disk.violations == []
    assert lost == []


@MANY
async def test_the_power_failure_test_sees_a_missing_sync(tmp_path, monkeypatch, many):
    """Without fsync the same books must show violations and losses, or they prove nothing."""
    monkeypatch.setattr(writer, "MANY", many)

    class Forgetful(PowerlessDisk):
        def sync(self, fd):
            pass

        def sync_folder(self, path):
            pass

        def sync_all(self, fd):
            return True

    disk = Forgetful(tmp_path)
    store = LocalStore(tmp_path, disk=disk)
    await store.put(MOD, b"m")
    await store.close()
    assert disk.violations
    assert not disk.survives(MOD)
