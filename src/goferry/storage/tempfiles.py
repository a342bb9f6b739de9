"""Private files on the store's own file system, and the removal of those whose owner died.

Each process that writes has a folder `.goferry/tmp/<owner>/`, and beside it `<owner>.lock`, which it keeps
locked for as long as it lives. A folder whose lock can be taken belongs to nobody: a crash left it, and
whoever opens the store next removes it. Process ids are not asked: they are reused, and mean nothing across
containers that share a volume.
"""

import itertools
import os
import secrets
import shutil
import threading
from contextlib import suppress

from goferry.storage.locks import try_lock, unlock

_LOCK = ".lock"


class TempFiles:
    """Names for new temporary files. The owner's folder is made at the first use, so readers leave no trace."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._own: tuple[int, str] | None = None
        self._numbers = itertools.count()
        self._claiming = threading.Lock()

    def name(self) -> str:
        """A path that no other file has or will have; OSError when the owner's folder cannot be made."""
        with self._claiming:  # the loop, the writer and the threads of uploads all ask
            folder = self._claim()
        return os.path.join(folder, f"{os.getpid()}-{next(self._numbers)}")

    def _claim(self) -> str:
        if self._own is None:
            lock = os.path.join(self._folder, secrets.token_hex(8) + _LOCK)
            fd = try_lock(lock)
            if fd is None:  # a collector looked at the new lock in this very moment: it will remove that name
                return self._claim()
            folder = lock.removesuffix(_LOCK)
            try:
                os.mkdir(folder)
            except OSError:
                unlock(fd, lock)
                raise
            self._own = fd, folder
        return self._own[1]

    def collect(self) -> int:
        """Removes what dead owners left behind; how many owners that were. Faults leave it for the next time."""
        with suppress(OSError):
            names = set(os.listdir(self._folder))
            owners = {name.removesuffix(_LOCK) for name in names}
            return sum(
                self._collect_owner(owner, has_lock=owner + _LOCK in names) for owner in sorted(owners)
            )
        return 0

    def _collect_owner(self, owner: str, *, has_lock: bool) -> bool:
        folder = os.path.join(self._folder, owner)
        if (
            not has_lock
        ):  # the lock is made before the folder and removed after it, so this is no owner's folder
            return self._remove_stray(folder)
        lock = folder + _LOCK
        fd = try_lock(lock) if os.path.exists(lock) else None
        if fd is None:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        unlock(fd, lock)
        return True

    def _remove_stray(self, folder: str) -> bool:
        if os.path.exists(folder + _LOCK):
            return False  # its owner came up between the listing and now
        if os.path.isdir(folder):
            shutil.rmtree(folder, ignore_errors=True)
        else:
            with suppress(OSError):
                os.unlink(folder)
        return True

    def close(self) -> None:
        """Removes the owner's folder with everything in it."""
        if self._own is not None:
            fd, folder = self._own
            self._own = None
            shutil.rmtree(folder, ignore_errors=True)
            unlock(fd, folder + _LOCK)
