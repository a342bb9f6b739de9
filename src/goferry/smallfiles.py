"""Reading small files of other programs: what is missing or cannot be read counts as empty, as it does for them."""

from pathlib import Path
from typing import Final

MOST: Final = 1 << 20
"""Bytes that are read of one file. Settings are small; a log by the wrong name must not be swallowed whole."""


def nearest(folder: Path, name: str) -> Path | None:
    """The file of that name in a folder, or the nearest one above it, as go looks for go.mod and go.work."""
    return next((place / name for place in (folder, *folder.parents) if is_file(place / name)), None)


def read_text(path: Path, most: int = MOST) -> str:
    """The beginning of a file as text, undecodable bytes replaced; "" when there is none to read."""
    return read_bytes(path, most).decode("utf-8", "replace")


def read_bytes(path: Path, most: int = MOST) -> bytes:
    """The beginning of a regular file; b"" for anything else."""
    try:
        if not path.is_file():
            return b""
        with open(path, "rb") as file:
            return file.read(most)
    except (OSError, ValueError):
        return b""


def is_file(path: Path) -> bool:
    """Whether there is a file, as far as this user may know."""
    try:
        return path.is_file()
    except OSError:
        return False


def is_folder(path: Path) -> bool:
    """Whether there is a folder, as far as this user may know."""
    try:
        return path.is_dir()
    except OSError:
        return False
