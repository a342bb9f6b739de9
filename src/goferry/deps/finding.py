"""Where a project begins: the go.work or go.mod of a folder, as the go command looks for it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from goferry.errors import InvalidInput
from goferry.i18n import N_

NAMES: Final = ("go.work", "go.mod")
"""What a folder is searched for, the first one first."""

BELOW: Final = "..."
"""As in the patterns of the go command: `DIR/...` stands for all below."""


def is_pattern(text: str) -> bool:
    """Whether it stands for many projects."""
    return text.replace(os.sep, "/").rpartition("/")[2] == BELOW


def folder_of(pattern: str, cwd: Path) -> Path:
    """The folder of a pattern."""
    return Path(cwd, pattern.replace(os.sep, "/").rpartition("/")[0] or ".")


def is_project(named: Path) -> bool:
    """Whether a name can only stand for a project: no file, or a go.mod or go.work."""
    return named.suffix in (".mod", ".work") or not named.is_file()


def start_of(named: Path, gowork: str = "") -> Path:
    """The file that a project begins with, for a folder or that very file. `gowork` is the go command's GOWORK: off for
    no workspace, or the go.work to use."""
    if not named.is_dir():
        return named
    if gowork == "off":
        return find(named, NAMES[1:])
    return find(named) if gowork in ("", "auto") else Path(named, gowork)


def find(folder: Path, names: Sequence[str] = NAMES) -> Path:
    """The go.work above a folder if there is one, else its go.mod."""
    places = [folder.resolve(), *folder.resolve().parents]
    for name in names:
        for place in places:
            if (place / name).is_file():
                return place / name
    raise InvalidInput(
        "there is no go.mod or go.work in {folder} or above it",
        hint=N_("name a go.mod, go.work or go.sum file, or a folder with one"),
        folder=folder,
    )
