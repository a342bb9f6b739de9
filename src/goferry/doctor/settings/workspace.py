"""The module that the user stands in: its path, its go and toolchain lines, what it requires."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import modfile
from goferry.smallfiles import is_file, read_bytes

_MOST_REQUIRED: Final = 500


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a go.mod file says. trouble: why it could not be understood, "" when it could or there is none."""

    path: str = ""
    main_module: str = ""
    go_line: str = ""
    toolchain_line: str = ""
    requires: tuple[str, ...] = ()
    trouble: str = ""


def read_workspace(cwd: Path) -> Workspace:
    """The go.mod file of a folder, or the nearest one above it, as go looks for it."""
    path = next((folder / "go.mod" for folder in (cwd, *cwd.parents) if is_file(folder / "go.mod")), None)
    if path is None:
        return Workspace()
    data = read_bytes(path)
    try:
        file = modfile.parse_lax(str(path), data)
    except InvalidInput as why:
        return Workspace(str(path), modfile.module_path(data), trouble=str(why))
    return Workspace(
        str(path),
        file.module.path if file.module else "",
        file.go.version if file.go else "",
        _toolchain(path, data),
        tuple(f"{item.mod.path}@{item.mod.version}" for item in file.require[:_MOST_REQUIRED]),
    )


def _toolchain(path: Path, data: bytes) -> str:
    """The line counts in a main module only, so the lax reading passes over it."""
    try:
        file = modfile.parse(str(path), data)
    except InvalidInput:
        return ""
    return file.toolchain.name if file.toolchain else ""
