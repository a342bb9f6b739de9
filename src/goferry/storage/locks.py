"""Locks that the kernel frees when their holder dies: flock on POSIX, byte-range locks on Windows.

A lock is a file that is locked, not a file that exists: a crash leaves at worst an unlocked file behind.
Holders remove the file as they leave, so a contender may lock a file that no longer has a name; it must look
whether the name still leads to its file, and start over when not.
"""

import asyncio
import errno
import os
import random
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


class NamedLocks:
    """Exclusive locks by name over all processes that share `folder`. Belongs to one event loop.

    With `folder` None (a store that cannot be written) the lock holds within this process only.
    """

    def __init__(self, folder: str | None) -> None:
        self._folder = folder
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator[None]:
        """Waits for its turn without blocking the loop; OSError when the lock file cannot be made."""
        queue = self._queues.setdefault(name, _Queue())
        queue.users += 1
        try:
            async with queue.lock:
                held = await self._acquire(name)
                try:
                    yield
                finally:
                    if held is not None:
                        unlock(*held)
        finally:
            queue.users -= 1
            if not queue.users:
                self._queues.pop(name, None)

    async def _acquire(self, name: str) -> tuple[int, str] | None:
        if self._folder is None:
            return None
        path = os.path.join(self._folder, sha256(name.encode()).hexdigest())
        pause = FIRST_WAIT
        # The try itself never awaits, so a cancelled waiter holds nothing.
        while (fd := try_lock(path)) is None:
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 (spreads tries, guards nothing)
            pause = min(pause * 2, LONGEST_WAIT)
        return fd, path
