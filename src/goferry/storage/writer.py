"""Group commit: many small writes share one thread hop and one journal commit.

Every durable write needs the same steps in the same order: bytes into a private file, sync it, give it its
public name, sync the folder that holds the name, and only then say "kept". Alone, each waits for the disk
twice. Here one thread takes all writes that are waiting, and does each *step* for all of them: the syncs of a
step run side by side, so the journal of the file system commits them together, and a folder that got ten
names is synced once. Many are synced by one call for all of the file system, where that can be done (figures and
the ways that lost: docs/adr/0004-durable-writes.md).

A crash at any step leaves a private file that the next start removes, or a public name with complete, synced
bytes.
"""

import asyncio
import errno
import os
import queue
import stat
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from goferry.storage.base import Blob
from goferry.storage.disk import MISSING, NO_LINK, READ_FLAGS, Disk
from goferry.storage.locks import try_lock, unlock
from goferry.storage.tempfiles import TempFiles

MOST_AT_ONCE = 256
"""Writes per group: bounds the descriptors a group holds open."""

LINGER = 0.15
"""Seconds that writes which nobody waits for wait for company: each group costs two commits of the file system's
journal, and they take most of what a small write costs."""

LINGER_SHARED = 0.025
"""The same where other processes use the store: they may wait for what is kept here, and nobody hears them wait."""

MOST_FOLDERS = 20_000
"""Folders remembered as durable (about 2 MB); forgetting them costs a few syncs."""

_SYNCERS = 16

MANY = 2 * _SYNCERS
"""Things to sync from which on one call for the whole file system is tried."""

_T = TypeVar("_T")
_WINDOWS = sys.platform == "win32"


@dataclass(slots=True, eq=False)
class Write:
    """One object on its way to `path`. Either `data` (whole, no file yet) or an open private file `fd` at
    `temp`.

    The writer owns `fd` and `temp` from `submit` on, whatever becomes of the asker.
    """

    key: str
    path: str
    replace: bool
    data: bytes | None = None
    fd: int | None = None
    temp: str | None = None
    synced: bool = False
    durable: bool = True
    """Whether the asker waits for the disk; what can be fetched and proven again need not."""
    lazy: bool = False
    """Whether nobody needs it soon, so that it may wait for company."""
    result: asyncio.Future[Blob] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Belongs to the asker's loop. A cancelled asker does not stop the write: it is all or nothing either way."""
    blob: Blob | None = None
    error: Exception | None = None


class GroupWriter:
    """Publishes objects below `root`, durably unless `fsync` is False.

    The thread starts with the first write, so a store may be opened before a fork and used after it.
    """

    def __init__(
        self, disk: Disk, root: str, temps: TempFiles, publish_lock: str, *, fsync: bool, shared: bool
    ) -> None:
        self._disk = disk
        self._root = root
        self._temps = temps
        self._publish_lock = publish_lock
        self._fsync = fsync
        self._shared = shared
        self._links = not _WINDOWS
        self._settled: set[str] = {root}
        self._waiting: queue.SimpleQueue[Write | None] = queue.SimpleQueue()
        self._urgent = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(_SYNCERS, thread_name_prefix="goferry-sync")
        self._top: int | None = None
        """The root, open: for syncing all of its file system."""

    def submit(self, write: Write) -> asyncio.Future[Blob]:
        """The blob as it is kept (an earlier one when it won), or the OSError that stopped this write alone.

        Writes are published in the order in which they were submitted.
        """
        if self._thread is None:
            with self._start:
                if self._closed:
                    raise RuntimeError("the store is closed")
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="goferry-writer", daemon=True)
                    self._thread.start()
        self._waiting.put(write)
        if not write.lazy:
            self.hurry()
        return write.result

    def hurry(self) -> None:
        """Whatever waits for company is written now."""
        self._urgent.set()

    def write_now(self, write: Write) -> Blob:
        """As `submit`, in this thread: for few bytes that need not be durable. Whole or absent, as all.

        Handing such a write to the thread and hearing of it costs more than the write itself.
        """
        try:
            self._stage(write)
            self._give_name_now(write)
        finally:
            self._tidy(write)
        assert write.blob is not None
        return write.blob

    def close(self) -> None:
        """Ends when everything that was submitted is settled."""
        with self._start:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            self._waiting.put(None)
            self._urgent.set()
            thread.join()
        self._pool.shutdown()
        top, self._top = self._top, None
        if top is not None:
            os.close(top)

    def _run(self) -> None:
        running = True
        while running:
            group = [self._waiting.get()]
            # A full group has company enough, and who hurries may stand behind it.
            if self._waiting.qsize() < MOST_AT_ONCE:
                self._urgent.wait(LINGER_SHARED if self._shared else LINGER)
                self._urgent.clear()
            with suppress(queue.Empty):
                while len(group) < MOST_AT_ONCE:
                    group.append(self._waiting.get_nowait())
            running = None not in group
            writes = [write for write in group if write is not None]
            try:
                self._commit(writes)
            except BaseException as error:  # noqa: BLE001 (no asker may wait for ever, whatever went wrong here)
                for write in writes:
                    write.error = write.error or RuntimeError(f"the writer failed: {error!r}")
                _settle(writes)

    def _commit(self, group: list[Write]) -> None:
        for write in group:
            self._attempt(write, self._stage)
        self._sync_files([write for write in group if _needs_sync(write)])
        names = _NewNames()
        for write in group:
            if write.error is None:
                self._attempt(write, lambda write: self._publish(write, names))
        self._sync_names(names)
        for write in group:
            self._tidy(write)
        _settle(group)

    def _attempt(self, write: Write, step: Callable[[Write], None]) -> None:
        try:
            step(write)
        except Exception as error:  # noqa: BLE001 (whatever it is, its asker gets it and the others go on)
            write.error = error

    def _stage(self, write: Write) -> None:
        """Small bytes get their private file here. That an earlier object wins shows when it gets its name."""
        if write.data is not None and write.fd is None:
            write.temp = self._temps.name()
            write.fd = self._disk.create(write.temp)
            self._disk.write(write.fd, [write.data])

    def _sync_files(self, writes: list[Write]) -> None:
        if not self._fsync or self._sync_all(len(writes)):
            return

        def sync(write: Write) -> None:
            assert write.fd is not None
            self._disk.sync(write.fd)

        self._side_by_side(lambda write: self._attempt(write, sync), writes)

    def _publish(self, write: Write, names: "_NewNames") -> None:
        folder = os.path.dirname(write.path)
        fresh = self._make_folders(folder, names.made)
        try:
            self._give_name(write)
        except FileNotFoundError:
            # Somebody removed the folder after this process had made it: make it again, once.
            self._settled = {self._root}
            names.made.clear()
            fresh = self._make_folders(folder, names.made)
            self._give_name(write)
        # An object of another process that won may have its name only in memory yet, so its folder is synced
        # too.
        if write.durable:
            names.add(write, folder, fresh)

    def _make_folders(self, folder: str, made: set[str]) -> list[str]:
        """Makes what is missing and not `made` a moment ago; returns the folders whose own names are not known to be
        durable, deepest first."""
        fresh: list[str] = []
        while folder not in self._settled:
            fresh.append(folder)
            folder = os.path.dirname(folder)
        for path in reversed(fresh):
            if path not in made:
                self._disk.mkdir(path)
                made.add(path)
        return fresh

    def _give_name_now(self, write: Write) -> None:
        """Without a look at the folders, which are mostly there, and need not be durable."""
        try:
            self._give_name(write)
        except FileNotFoundError:
            self._make_missing(os.path.dirname(write.path))
            self._give_name(write)

    def _make_missing(self, folder: str) -> None:
        try:
            self._disk.mkdir(folder)
        except FileNotFoundError:
            self._make_missing(os.path.dirname(folder))
            self._disk.mkdir(folder)

    def _give_name(self, write: Write) -> None:
        """Without `replace`, an object that is there already stays, also when two processes get here at once."""
        assert write.temp is not None
        found = os.stat(write.temp) if write.fd is None else os.fstat(write.fd)
        mine = Blob(write.key, found.st_size, found.st_mtime)
        if _WINDOWS:  # an open file cannot be renamed there
            fd, write.fd = write.fd, None
            if fd is not None:
                self._disk.close(fd)
        if write.replace:
            self._disk.replace(write.temp, write.path)
            write.temp = None
            write.blob = mine
        elif self._move_exclusively(write.temp, write.path):
            write.blob = mine
        else:
            write.blob = blob_at(write.path, write.key)
            if (
                write.blob is None
            ):  # a folder has that name, or a delete came between: nothing is kept, so say so
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), write.path)

    def _move_exclusively(self, temp: str, path: str) -> bool:
        """False when the name was taken."""
        try:
            if _WINDOWS:  # never renames over a file
                self._disk.rename(temp, path)
                return True
            if self._links:
                self._disk.link(temp, path)
                return True
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in NO_LINK:
                raise
            self._links = False
        return self._move_under_lock(temp, path)

    def _move_under_lock(self, temp: str, path: str) -> bool:
        """Where there are no links: one lock serves all publishers of the store."""
        fd = try_lock(self._publish_lock, wait=True)
        assert fd is not None, "a blocking flock returns holding the lock"
        try:
            if os.path.lexists(path):
                return False
            self._disk.rename(temp, path)
            return True
        finally:
            unlock(fd, self._publish_lock)

    def _sync_names(self, names: "_NewNames") -> None:
        def sync(folder: str) -> None:
            try:
                self._disk.sync_folder(folder)
            except Exception as error:  # noqa: BLE001 (as in _attempt: those who depend on it get it)
                for write in names.folders[folder]:
                    write.error = error

        if self._fsync and not self._sync_all(len(names.folders)):
            self._side_by_side(sync, list(names.folders))
        if all(write.error is None for writes in names.folders.values() for write in writes):
            if len(self._settled) > MOST_FOLDERS:
                self._settled = {self._root}
            self._settled |= names.fresh

    def _sync_all(self, count: int) -> bool:
        """Whether the whole file system was synced, for so many things on it."""
        if count < MANY:
            return False
        try:
            if self._top is None:
                self._top = os.open(self._root, READ_FLAGS)
            return self._disk.sync_all(self._top)
        except OSError:
            return False  # each of them, synced by itself, tells whether the fault is its own

    def _side_by_side(self, step: Callable[[_T], None], things: list[_T]) -> None:
        def each(some: Sequence[_T]) -> None:
            for thing in some:
                step(thing)

        # A share for each thread: handing over every thing alone would cost more than a sync itself.
        shares = [things[start::_SYNCERS] for start in range(1, min(_SYNCERS, len(things)))]
        handed = [self._pool.submit(each, share) for share in shares]
        each(things[::_SYNCERS])
        for done in handed:
            done.result()

    def _tidy(self, write: Write) -> None:
        """Drops the descriptor and the private name; what fails here is collected at the next start."""
        fd, temp = write.fd, write.temp
        write.fd = write.temp = None
        with suppress(OSError):
            if fd is not None:
                self._disk.close(fd)
        with suppress(OSError):
            if temp is not None:
                self._disk.unlink(temp)


class _NewNames:
    """What one group put where: each folder that must be synced, and the writes that wait for it."""

    def __init__(self) -> None:
        self.folders: dict[str, list[Write]] = {}
        self.fresh: set[str] = set()
        self.made: set[str] = set()
        """Folders that were made for this group, durable or not."""

    def add(self, write: Write, folder: str, fresh: list[str]) -> None:
        for path in (folder, *map(os.path.dirname, fresh)):
            self.folders.setdefault(path, []).append(write)
        self.fresh.update(fresh)


def blob_at(path: str, key: str) -> Blob | None:
    """What stands at a path, None when nothing does (or no plain file)."""
    try:
        found = os.stat(path)
    except OSError as error:
        if error.errno in MISSING:
            return None
        raise
    return Blob(key, found.st_size, found.st_mtime) if stat.S_ISREG(found.st_mode) else None


def _needs_sync(write: Write) -> bool:
    return write.durable and write.error is None and not write.synced


def _settle(group: list[Write]) -> None:
    """Tells the askers, each loop once: waking one up costs more than many results."""
    loops: dict[asyncio.AbstractEventLoop, list[Write]] = {}
    for write in group:
        loops.setdefault(write.result.get_loop(), []).append(write)
    for loop, writes in loops.items():
        with suppress(RuntimeError):  # the loop has ended, and its askers with it
            loop.call_soon_threadsafe(_tell, writes)


def _tell(writes: list[Write]) -> None:
    for write in writes:
        if write.result.done():  # its asker was cancelled
            continue
        if write.error is not None:
            write.result.set_exception(write.error)
        else:
            assert write.blob is not None
            write.result.set_result(write.blob)
