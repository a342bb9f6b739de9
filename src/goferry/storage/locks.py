"""Locks that the kernel frees when their holder dies: flock on POSIX, byte-range locks on Windows.

A lock is a file that is locked, not a file that exists: a crash leaves at worst an unlocked file behind.
Holders remove the file as they leave, so a contender may lock a file that no longer has a name; it must look
whether the name still leads to its file, and start over when not.

Names are locked thousands of times a minute, and making and removing a file each time costs more than everything
else about a lock. Where the kernel has locks of byte ranges that belong to an open file (Linux), a name is one byte
of one of a few files that stay; its hash says which, and where. (One file would do, but the kernel goes through all
locks of a file for each that is set: with 300 names locked that was a tenth of a small miss.)
"""

import asyncio
import errno
import os
import random
import struct
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256

if sys.platform == "win32":
    import msvcrt

    def _lock(fd: int, *, wait: bool) -> None:
        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _lock(fd: int, *, wait: bool) -> None:
        fcntl.flock(fd, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


_HAS_RANGES = sys.platform == "linux" and struct.calcsize("P") == 8
"""Whether struct flock is known to look as `_RANGE` says, and F_OFD_SETLK is there."""

_RANGE = struct.Struct("hhqqi4x")
"""struct flock of 64-bit Linux: type, whence, start, length, pid (0 for these locks)."""

_FILES = 32
"""Over how many files names are spread."""

_BUSY = frozenset({errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK})
_FLAGS = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)

FIRST_WAIT, LONGEST_WAIT = 0.001, 0.025
"""Seconds between two tries for a lock that another process holds. Polling, because a thread that waits in
flock(2) cannot be called back when its asker is cancelled, and a handful of them would fill any pool.
"""


def try_lock(path: str, *, wait: bool = False) -> int | None:
    """The descriptor of the locked file, or None while somebody else holds it. OSError for any other fault.

    The lock is held until `unlock`, or until every copy of the descriptor is closed (also by dying).
    """
    while True:
        fd = os.open(path, _FLAGS, 0o644)
        try:
            _lock(fd, wait=wait)
            if _still_named(fd, path):
                return fd
        except OSError as error:
            os.close(fd)
            if error.errno in _BUSY:
                return None
            raise
        os.close(fd)


def unlock(fd: int, path: str) -> None:
    """Frees a lock and removes its file. POSIX removes before it frees, so nobody can lock a file about to
    vanish; Windows frees first, and refuses to remove what another process has opened meanwhile.
    """
    if sys.platform == "win32":
        os.close(fd)
        with suppress(OSError):
            os.unlink(path)
        return
    with suppress(OSError):
        os.unlink(path)
    os.close(fd)


def _still_named(fd: int, path: str) -> bool:
    try:
        named = os.stat(path)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(fd), named)


@dataclass(slots=True)
class _Queue:
    """Those in this process who want one name; only the first of them asks the kernel."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    users: int = 0


class _FileLocks:
    """Each name a file of its own, made and removed with every lock."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def try_lock(self, name: str) -> bool:
        fd = try_lock(self._path(name))
        if fd is not None:
            self._held[name] = fd
        return fd is not None

    def unlock(self, name: str) -> None:
        unlock(self._held.pop(name), self._path(name))

    def close(self) -> None: ...

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, sha256(name.encode()).hexdigest())


class _RangeLocks:
    """Each name one byte of a file."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._fds: dict[int, int] = {}

    def try_lock(self, name: str) -> bool:
        try:
            self._set(name, fcntl.F_WRLCK)
            return True
        except OSError as error:
            if error.errno in _BUSY:
                return False
            raise

    def unlock(self, name: str) -> None:
        self._set(name, fcntl.F_UNLCK)

    def close(self) -> None:
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()

    def _set(self, name: str, kind: int) -> None:
        offset = int.from_bytes(sha256(name.encode()).digest()[:8], "big") >> 2
        number = offset % _FILES
        fd = self._fds.get(number)
        if fd is None:
            fd = self._fds[number] = os.open(os.path.join(self._folder, f"names-{number}"), _FLAGS, 0o644)
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _RANGE.pack(kind, os.SEEK_SET, offset, 1, 0))


class NamedLocks:
    """Exclusive locks by name over all processes that share `folder`. Belongs to one event loop.

    With `folder` None (a store that cannot be written) the lock holds within this process only.
    """

    def __init__(self, folder: str | None) -> None:
        self._kernel: _FileLocks | _RangeLocks | None = None
        if folder is not None:
            self._kernel = _RangeLocks(folder) if _HAS_RANGES else _FileLocks(folder)
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Has it for a while."""
        await self.acquire(name)
        try:
            yield
        finally:
            self.release(name)

    async def acquire(self, name: str) -> None:
        """Waits for its turn without blocking the loop; OSError when the lock file cannot be made."""
        queue = self._queues.get(name)
        if queue is None:
            queue = self._queues[name] = _Queue()
        queue.users += 1
        try:
            await queue.lock.acquire()
            try:
                await self._acquire(name)
            except BaseException:
                queue.lock.release()
                raise
        except BaseException:
            self._leave(name, queue)
            raise

    def release(self, name: str) -> None:
        """Lets the next one in; for whoever holds it."""
        queue = self._queues[name]
        try:
            if self._kernel is not None:
                self._kernel.unlock(name)
        finally:
            queue.lock.release()
            self._leave(name, queue)

    def _leave(self, name: str, queue: _Queue) -> None:
        queue.users -= 1
        if not queue.users:
            self._queues.pop(name, None)

    def close(self) -> None:
        """Frees what is still held, as the end of the process would."""
        if self._kernel is not None:
            self._kernel.close()

    async def _acquire(self, name: str) -> None:
        pause = FIRST_WAIT
        # The try itself never awaits, so a cancelled waiter holds nothing.
        while self._kernel is not None and not self._kernel.try_lock(name):
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (spreads tries, guards nothing)
            pause = min(pause * 2, LONGEST_WAIT)
