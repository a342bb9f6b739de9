"""All of a file system made durable by one call, syncfs(2), where that holds what fsync(2) promises.

For a hundred small new files it costs a fraction of as many fsyncs and of the threads that do them side by side. But
it waits for what everybody else has left to write on that file system, too. So it is for many files, at a moment when
that is little (figures: docs/adr/0004-durable-writes.md).
"""

import ctypes
import os
import re
import struct
import sys
from functools import lru_cache
from typing import Any, Final

_REPORTS_ERRORS: Final = (5, 8)
"""The first Linux whose syncfs tells of bytes that could not be written."""

_FILE_SYSTEMS: Final = frozenset({0xEF53, 0x58465342, 0x9123683E})
"""ext2 to ext4, XFS and btrfs, as statfs(2) names them. Others may write the bytes out without making them durable
(FUSE), or were not looked at."""

MOST_LEFT: Final = 32 << 20
"""Bytes that may be left to be written on this machine: a tenth of a second for a disk of middling speed."""

_MEMORY: Final = "/proc/meminfo"
_LEFT: Final = re.compile(rb"^(?:Dirty|Writeback): +([0-9]+) kB$", re.MULTILINE)


def sync(fd: int) -> bool:
    """Whether everything on the file system of this open file is durable now. False, with nothing done, where that
    can't be had by one call, or would take long.

    Raises OSError when something could not be written, whosever it is. The descriptor tells of what went wrong since it
    was opened, so keep one open.
    """
    libc = _libc()
    if libc is None or not _is_known(libc, fd) or left_to_write() > MOST_LEFT:
        return False
    if libc.syncfs(fd):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return True


def left_to_write() -> float:
    """Bytes in memory of this machine that are not on a disk yet; infinite where that is not told."""
    try:
        with open(_MEMORY, "rb", buffering=0) as file:
            found = _LEFT.findall(file.read())
    except OSError:
        return float("inf")
    return sum(map(int, found)) * 1024 if found else float("inf")


@lru_cache(maxsize=1)
def _libc() -> Any:
    """The C library where its syncfs can be relied on, else None."""
    if sys.platform != "linux" or struct.calcsize("P") != 8:  # `_is_known` reads a struct of 64-bit systems
        return None
    version = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if version is None or tuple(map(int, version.groups())) < _REPORTS_ERRORS:
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return libc if hasattr(libc, "syncfs") and hasattr(libc, "fstatfs") else None


def _is_known(libc: Any, fd: int) -> bool:
    about = ctypes.create_string_buffer(512)  # struct statfs has 120 bytes, its first field is the type
    kind: int = struct.unpack_from("l", about)[0] if libc.fstatfs(fd, about) == 0 else 0
    return kind in _FILE_SYSTEMS
