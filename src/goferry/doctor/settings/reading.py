"""Reading small files of other programs: what is missing or cannot be read counts as empty, as it does for them."""

import os
import shutil
from pathlib import Path
from typing import Final

from goferry.doctor.base import World

MOST: Final = 1 << 20
"""Bytes that are read of one file. Settings are small; a log by the wrong name must not be swallowed whole."""


def read_text(path: Path, most: int = MOST) -> str:
    """The beginning of a file as text, undecodable bytes kept apart; "" when there is none to read."""
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


def find_program(world: World, name: str) -> str:
    """The path of a program as this world finds it; "" when there is none."""
    if world.which is not None:
        return world.which(name) or ""
    found = shutil.which(name, path=world.environ.get("PATH", os.defpath))
    return found or ""


def below(root: Path, path: str) -> Path:
    """An absolute path of the system, below the root of this world."""
    return root / path.lstrip("/") if root != Path("/") else Path(path)
