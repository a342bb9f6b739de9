"""Writes several files of settings, all or none."""

import errno
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from goferry.doctor.fixes.plan import FileEdit
from goferry.errors import ConfigError, Refused
from goferry.rewriting import create, rewrite

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
    """The file with these bytes; None: without the file."""
    real = Path(os.path.realpath(path))
    if data is None:
        real.unlink(missing_ok=True)
    elif real.exists():
        rewrite(real, data)
    else:
        create(real, data)
