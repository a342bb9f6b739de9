"""The folders that go writes to: whether this user can really write there, who owns them, and the space left.

Permission bits tell too little (read-only mounts, quotas, foreign owners, root squashing), so a small file is written
and removed. A folder that does not exist yet is tried at its nearest parent, where go would create it.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from goferry.doctor.evidence import FolderSeen


def read_folders(go: Mapping[str, str], environ: Mapping[str, str]) -> tuple[FolderSeen, ...]:
    """GOMODCACHE, GOCACHE, GOTMPDIR (or the system's place for temporary files) and GOPATH, where they are known."""
    return tuple(
        _inner(name, Path(path)) or look(name, Path(path))
        for name, path in _named(go, environ)
        if path and path != "off"
    )


_INNER: Final = ("cache", "cache/download", "cache/download/sumdb", "cache/vcs")


def _inner(name: str, path: Path) -> FolderSeen | None:
    """A folder in the module cache that cannot be written, as one that `sudo go` has left; None for a well one."""
    if name != "GOMODCACHE" or not path.is_absolute():
        return None
    there = (path / inner for inner in _INNER if os.path.lexists(path / inner))
    return next((seen for inner in there if not (seen := look(name, inner)).writable), None)


def _named(go: Mapping[str, str], environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    yield "GOMODCACHE", go.get("GOMODCACHE", "")
    yield "GOCACHE", go.get("GOCACHE", "")
    yield "GOTMPDIR", go.get("GOTMPDIR") or environ.get("TMPDIR") or tempfile.gettempdir()
    yield "GOPATH", go.get("GOPATH", "").split(os.pathsep)[0]


def look(name: str, path: Path) -> FolderSeen:
    """What is known of one folder; failure: `not_permitted`, `read_only`, `no_space`, `not_a_folder`, `io`."""
    try:
        place = _nearest(path)
        exists = place == path
    except OSError as error:
        return FolderSeen(
            name, str(path), exists=True, writable=False, failure=_failure(error), text=_text(error)
        )
    trouble = _try(place)
    free_bytes, free_inodes = _free(place)
    return FolderSeen(
        name,
        str(path),
        exists=exists,
        writable=trouble is None,
        owner=_owner(place),
        free_bytes=free_bytes,
        free_inodes=free_inodes,
        failure="" if trouble is None else _failure(trouble),
        text="" if trouble is None else _text(trouble),
    )


def _nearest(path: Path) -> Path:
    """The folder itself, or the nearest one above that exists."""
    for folder in (path, *path.parents):
        try:
            folder.stat()
        except FileNotFoundError:
            continue
        return folder
    return path


def _try(folder: Path) -> OSError | None:
    try:
        with tempfile.TemporaryFile(dir=folder, prefix=".goferry-") as file:
            file.write(b"\0")
            file.flush()
    except OSError as error:
        return error
    return None


_FAILURES: Mapping[str, str] = {
    "EACCES": "not_permitted",
    "EPERM": "not_permitted",
    "EROFS": "read_only",
    "ENOSPC": "no_space",
    "EDQUOT": "no_space",
    "ENOTDIR": "not_a_folder",
}


def _failure(error: OSError) -> str:
    import errno

    return _FAILURES.get(errno.errorcode.get(error.errno or 0, ""), "io")


def _text(error: OSError) -> str:
    return error.strerror or type(error).__name__


def _owner(folder: Path) -> str:
    """The name of the owner, or the number when it has none here (a container, a foreign machine)."""
    try:
        return folder.owner()
    except KeyError:
        return str(folder.stat().st_uid)
    except (OSError, NotImplementedError):
        return ""


def _free(folder: Path) -> tuple[int, int]:
    """Bytes and inodes that this user may still take; -1 for what the system does not tell (btrfs has no inodes)."""
    if not hasattr(os, "statvfs"):
        import psutil  # type: ignore[import-untyped]

        try:
            return int(psutil.disk_usage(str(folder)).free), -1
        except OSError:
            return -1, -1
    try:
        seen = os.statvfs(folder)
    except OSError:
        return -1, -1
    return seen.f_bavail * seen.f_frsize, seen.f_favail if seen.f_files else -1
