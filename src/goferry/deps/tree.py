"""Many projects: what is found below a folder, as the go command would find it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from goferry.deps.base import Part
from goferry.deps.finding import NAMES, folder_of
from goferry.deps.sources import load
from goferry.errors import GoferryError, InvalidInput

PASSED_OVER: Final = frozenset({"vendor", "testdata", "node_modules"})


def matching(pattern: str, cwd: Path) -> list[Path]:
    """The projects that `DIR/...` stands for. InvalidInput when there is none."""
    folder = folder_of(pattern, cwd)
    found = below(folder)
    if not found:
        raise InvalidInput("there is no go.mod or go.work below {folder}", folder=folder)
    return found


def below(folder: Path) -> list[Path]:
    """The go.work files below a folder, and the go.mod files that none of them takes in. Hidden folders, vendored trees
    and test data are passed over. Folders that cannot be read are, too: they hold no project of ours."""
    found: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] not in "._" and name not in PASSED_OVER)
        found += [Path(place, name) for name in NAMES if name in files]
    taken = {part.folder.resolve() for file in found if file.suffix == ".work" for part in _parts(file)}
    return [file for file in found if file.suffix == ".work" or file.parent.resolve() not in taken]


def _parts(file: Path) -> Iterable[Part]:
    try:
        return load(file).parts
    except GoferryError:
        return ()  # it is found, and who reads it will hear why not
