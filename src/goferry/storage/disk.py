"""The few things a store asks of a disk, one method per step, and the faults a disk can have.

LocalStore is built on these steps only, so a test can stand in for the disk: fail at a step, die at a step,
or record the steps and judge their order. Each method is one system call wherever that is possible; errors
are plain OSError here and get their name (`storage_error`) where they leave the package.
"""

import errno
import os
import sys
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice

from goferry.errors import StorageError
from goferry.i18n import N_
from goferry.storage import wholesync

MISSING = frozenset({errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG})
"""What a file system says when it holds no object of that name (a name too long for it cannot be there either)."""

_WINDOWS = sys.platform == "win32"
_BINARY = getattr(os, "O_BINARY", 0)
READ_FLAGS = os.O_RDONLY | _BINARY | getattr(os, "O_CLOEXEC", 0)
NO_LINK = frozenset({errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP})
"""What link(2) says on a file system without hard links (FAT, some network and container mounts)."""


_MOST_PARTS = 512
"""Pieces for one call; POSIX promises 16 and every system of ours takes 1024."""


def _write_some(fd: int, parts: Sequence[memoryview]) -> int:
    """How many bytes of the parts were written, counted from the first one."""
    if len(parts) == 1 or not hasattr(os, "writev"):
        return os.write(fd, parts[0])
    return os.writev(fd, list(islice(parts, _MOST_PARTS)))


class Disk:
    """A real disk. Paths are strings; nothing here blocks longer than the disk itself does."""

    def create(self, path: str) -> int:
        """A new file, open for reading and writing; FileExistsError when the name is taken."""
        return os.open(
            path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY | getattr(os, "O_CLOEXEC", 0), 0o644
        )

    def write(self, fd: int, chunks: Sequence[bytes]) -> None:
        """All bytes of all chunks, in few calls: after each one a thread must wait for its turn again."""
        rest = deque(memoryview(chunk) for chunk in chunks if chunk)
        while rest:
            written = _write_some(fd, rest)
            while rest and written >= len(rest[0]):
                written -= len(rest.popleft())
            if written:
                rest[0] = rest[0][written:]

    def truncate(self, fd: int, size: int) -> None:
        """Cut the file to `size` bytes and go on writing there."""
        os.ftruncate(fd, size)
        os.lseek(fd, size, os.SEEK_SET)

    def sync(self, fd: int) -> None:
        """What is in the file survives a crash of the machine from here on."""
        if sys.platform == "darwin":  # its fsync(2) stops at the drive's own cache
            import fcntl

            with suppress(OSError):  # not every file system there has it: then plain fsync is the best
                fcntl.fcntl(fd, fcntl.F_FULLFSYNC)
                return
        os.fsync(fd)

    def close(self, fd: int) -> None:
        os.close(fd)

    def link(self, source: str, target: str) -> None:
        """A second name for a file; FileExistsError when the target is taken. This is the exclusive publish."""
        os.link(source, target)

    def rename(self, source: str, target: str) -> None:
        """Move in one step. On Windows FileExistsError when the target is taken; elsewhere it is replaced."""
        os.rename(source, target)

    def replace(self, source: str, target: str) -> None:
        """Move in one step over whatever is there."""
        os.replace(source, target)

    def unlink(self, path: str) -> None:
        os.unlink(path)

    def mkdir(self, path: str) -> bool:
        """False when the folder was there already."""
        try:
            os.mkdir(path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path) from None
            return False
        return True

    def sync_folder(self, path: str) -> None:
        """The names in the folder survive a crash of the machine from here on (nothing to do on Windows)."""
        if _WINDOWS:
            return
        fd = os.open(path, READ_FLAGS)
        try:
            self.sync(fd)
        finally:
            os.close(fd)

    def sync_all(self, fd: int) -> bool:
        """All of the file system that holds an open file, in one call. False, with nothing done, where that can't be
        had, or would take long."""
        return wholesync.sync(fd)


_FAULTS: dict[int, tuple[str, str]] = {
    errno.ENOSPC: (
        N_("the store is full: no space left for {key}"),
        N_("Free space on the disk that holds {root}, or run: goferry cache gc --max-size SIZE"),
    ),
    errno.EDQUOT: (
        N_("the store is full: the quota leaves no space for {key}"),
        N_("Raise the disk quota for {root}, or run: goferry cache gc --max-size SIZE"),
    ),
    errno.EFBIG: (
        N_("{key} is larger than this file system or process may write"),
        N_("Raise the file size limit (ulimit -f) for goferry, or keep {root} on another file system"),
    ),
    errno.EROFS: (
        N_("the store is read-only: {key} was not written"),
        N_("Mount the file system of {root} writable, or point --store at another folder"),
    ),
    errno.EACCES: (
        N_("the store does not permit access to {key}"),
        N_("Let the user that runs goferry own {root} and everything below it"),
    ),
    errno.EPERM: (
        N_("the store does not permit access to {key}"),
        N_("Let the user that runs goferry own {root} and everything below it"),
    ),
    errno.EIO: (
        N_("the disk failed at {key}"),
        N_("Look for disk errors in the kernel log, then run: goferry cache verify"),
    ),
    errno.ENAMETOOLONG: (
        N_("the name {key} is too long for the store's file system"),
        N_("Keep {root} on a file system that allows names of 255 bytes and paths of 4096"),
    ),
    errno.EXDEV: (
        N_("{key} lies on another file system than the rest of the store"),
        N_("Keep everything below {root} on one file system"),
    ),
    errno.EMFILE: (
        N_("too many open files: {key} was not opened"),
        N_("Raise the limit of open files (ulimit -n) for goferry"),
    ),
    errno.ENFILE: (
        N_("too many open files on this machine: {key} was not opened"),
        N_("Raise the system's limit of open files (fs.file-max)"),
    ),
}
_LONGEST_KEY = 300
_OTHER = (N_("the store failed at {key}: {why}"), N_("Look at {root}, then run: goferry cache verify"))


def storage_error(error: OSError, key: str, root: str) -> StorageError:
    """The fault of a disk as people should read it: which key, what happened, what to do. Raise it `from error`."""
    message, hint = _FAULTS.get(error.errno or 0, _OTHER)
    why = error.strerror or type(error).__name__
    if len(key) > _LONGEST_KEY:
        key = key[:_LONGEST_KEY] + "…"
    return StorageError(
        message, hint=hint, key=key, root=root, why=why, errno=errno.errorcode.get(error.errno or 0)
    )
