"""Writes files of settings that are there already: in one step, owner, mode and attributes kept, and never half.

In a container /etc/hosts is a mount of its own and cannot be renamed over; there, and where the folder or a hard link
forbids it, the file is written in place, and gets its old bytes back when that fails.
"""

import errno
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_NEW_FILE: Final = 0o644
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS})
"""Errors of a rename after which writing in place may still work: a file that is a mount, a folder that is not ours."""


def rewrite(path: Path, data: bytes) -> None:
    """Other bytes for a file that is there, behind a symbolic link if need be. After an OSError it has its old ones."""
    real = Path(os.path.realpath(path))
    info = real.stat()
    if info.st_nlink > 1 or not _is_writable(info, real):
        # A rename would leave the other names of the file behind, or replace a file that is protected on purpose.
        _write_in_place(real, data)
        return
    try:
        with _beside(real, data) as new:
            _dress(new, real, info)
            new.replace(real)
    except OSError as error:
        if error.errno not in _IN_PLACE:
            raise
        _write_in_place(real, data)


def create(path: Path, data: bytes) -> None:
    """A new file that everybody may read, with the folders above it. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _beside(path, data) as new:
        new.chmod(_NEW_FILE)
        new.replace(path)


def write_private(path: Path, data: bytes) -> None:
    """A file for this user alone, in a folder that is there, in one step. Raises OSError."""
    with _beside(path, data) as new:  # made so that nobody else can read it
        new.replace(path)


@contextmanager
def _beside(path: Path, data: bytes) -> Iterator[Path]:
    """A complete new file in the same folder; it is gone afterwards unless it was renamed."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        with suppress(OSError):
            Path(name).unlink()


def _is_writable(info: os.stat_result, path: Path) -> bool:
    return bool(info.st_mode & stat.S_IWUSR) and os.access(path, os.W_OK)


def _dress(new: Path, old: Path, info: os.stat_result) -> None:
    shutil.copystat(old, new)
    os.utime(new)
    made = new.stat()
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
        os.chown(new, info.st_uid, info.st_gid)


def _write_in_place(path: Path, data: bytes) -> None:
    with open(path, "r+b", buffering=0) as file:
        before = file.read()
        try:
            _overwrite(file, data)
        except OSError:
            # Half a hosts file would be worse than the old one.
            with suppress(OSError):
                _overwrite(file, before)
            raise


def _overwrite(file: io.FileIO, data: bytes) -> None:
    file.seek(0)
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    file.truncate(len(data))
    os.fsync(file.fileno())
