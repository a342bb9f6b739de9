"""Writes the files of a fix, all or none of them."""

from collections.abc import Sequence
from contextlib import suppress

from goferry.deps.fixing.edit import Change
from goferry.errors import GoferryError, StorageError
from goferry.rewriting import create, rewrite


def write(changes: Sequence[Change]) -> None:
    """Writes all, or after an error gives those that are written their old bytes back.

    StorageError names the file; so does it when a file is no longer what the change was made from.
    """
    for change in changes:
        _check(change)
    done: list[Change] = []
    for change in changes:
        done.append(change)
        try:
            _put(change, change.after)
        except OSError as error:
            for earlier in reversed(done):
                with suppress(OSError):
                    _take_back(earlier)
            raise _failed(change, error) from error


def _check(change: Change) -> None:
    try:
        now = change.file.read_bytes() if change.file.exists() else None
    except OSError as error:
        raise _failed(change, error) from error
    if now != change.before:
        raise StorageError("{file} was changed meanwhile; nothing was written", file=change.file)


def _put(change: Change, data: bytes) -> None:
    if change.file.exists():
        rewrite(change.file, data)
    else:
        create(change.file, data)


def _take_back(change: Change) -> None:
    if change.before is None:
        change.file.unlink(missing_ok=True)
    else:
        _put(change, change.before)


def _failed(change: Change, error: OSError) -> GoferryError:
    return StorageError(
        "cannot write {file}: {why}; nothing was changed", file=change.file, why=error.strerror or str(error)
    )
