"""Where a project begins: the go.work or go.mod of a folder, as the go command looks for it."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from goferry.errors import InvalidInput
from goferry.i18n import N_
from goferry.places import StrPath

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = ("go.work", "go.mod")
"""What a folder is searched for, the first one first."""

BELOW: Final = "..."
"""As in the patterns of the go command: `DIR/...` stands for all below."""


def is_pattern(text: str) -> bool:
    """Whether it stands for many projects."""
    return text.replace(os.sep, "/").rpartition("/")[2] == BELOW


def folder_of(pattern: str, cwd: "Path") -> "Path":
    """The folder of a pattern."""
    return cwd / (pattern.replace(os.sep, "/").rpartition("/")[0] or ".")


def is_project(named: StrPath) -> bool:
    """Whether a name can only stand for a project: no file, or a go.mod or go.work."""
    return os.path.splitext(named)[1] in (".mod", ".work") or not os.path.isfile(named)


def start_of(named: StrPath, gowork: str = "") -> str:
    """The file that a project begins with, for a folder or that very file. `gowork` is the go command's GOWORK: off for
    no workspace, or the go.work to use."""
    if not os.path.isdir(named):
        return os.fspath(named)
    if gowork == "off":
        return find(named, NAMES[1:])
    return find(named) if gowork in ("", "auto") else os.path.join(named, gowork)


def find(folder: StrPath, names: Sequence[str] = NAMES) -> str:
    """The go.work above a folder if there is one, else its go.mod."""
    places = [os.path.realpath(folder)]
    while (above := os.path.dirname(places[-1])) != places[-1]:
        places.append(above)
    for name in names:
        for place in places:
            file = os.path.join(place, name)
            if os.path.isfile(file):
                return file
    raise InvalidInput(
        "there is no go.mod or go.work in {folder} or above it",
        hint=N_("name a go.mod, go.work or go.sum file, or a folder with one"),
        folder=folder,
    )
