"""Writes files of settings so that nothing else can go wrong with them: all or none, owner and mode kept.

In a container /etc/hosts is a mount of its own and cannot be renamed over; there, and where the folder or a hard link
forbids it, the file is written in place.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from goferry.doctor.fixes.plan import FileEdit
from goferry.errors import ConfigError, Refused

_NEW_FILE: Final = 0o644
_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS})
"""Errors of a rename after which writing in place may still work: a file that is a mount, a folder that is not ours."""

_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


def write_all(edits: Sequence[FileEdit]) -> str | None:
    """Writes all of them. None, or the path that may not be written; then the others are as they were.

    Raises ConfigError when one has changed since it was read, Refused when one cannot be written for another reason.
    """
    for edit in edits:
        if read(edit.path) != edit.before:
            raise ConfigError("{path} has just been changed by somebody else; try again", path=edit.path)
    done: list[FileEdit] = []
    for edit in edits:
        try:
            _write(Path(edit.path), edit.after)
        except OSError as error:
            for other in reversed(done):
                _write(Path(other.path), other.before)
            if error.errno in _NOT_ALLOWED:
                return edit.path
            raise Refused("cannot write {path}: {why}", path=edit.path, why=error.strerror) from error
        done.append(edit)
    return None


def read(path: str) -> bytes | None:
    """The bytes, None without such a file. Raises Refused when it may not be read."""
    try:
        return Path(path).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Refused("cannot read {path}: {why}", path=path, why=error.strerror) from error


def _write(path: Path, data: bytes | None) -> None:
    """The file with these bytes, its owner and mode kept; None: without the file."""
    real = Path(os.path.realpath(path))
    if data is None:
        real.unlink(missing_ok=True)
        return
    if not real.exists():
        real.parent.mkdir(parents=True, exist_ok=True)
        _replace(real, data, None)
        return
    info = real.stat()
    if info.st_nlink > 1 or not os.access(real, os.W_OK):
        # A rename would leave other names of the file behind, or replace one that is protected on purpose.
        _write_in_place(real, data)
        return
    try:
        _replace(real, data, info)
    except OSError as error:
        if error.errno not in _IN_PLACE:
            raise
        _write_in_place(real, data)


def _replace(path: Path, data: bytes, info: os.stat_result | None) -> None:
    """In one step. info: of the file whose mode and owner are kept; None for a new one."""
    with _beside(path, data) as new:
        if info is None:
            new.chmod(_NEW_FILE)
        else:
            shutil.copystat(path, new)
            os.utime(new)
            _own(new, info)
        new.replace(path)


def write_private(path: Path, data: bytes) -> None:
    """A file for this user alone, in one step. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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


def _own(new: Path, info: os.stat_result) -> None:
    if not hasattr(os, "chown"):
        return
    made = new.stat()
    if (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
        os.chown(new, info.st_uid, info.st_gid)


def _write_in_place(path: Path, data: bytes) -> None:
    with path.open("r+b") as file:
        file.write(data)
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
