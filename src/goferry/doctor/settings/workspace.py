"""The module that the user stands in: its path, its go and toolchain lines, what it requires."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import modfile
from goferry.smallfiles import nearest, read_bytes

_MOST_REQUIRED: Final = 500
_MOST_FILES: Final = 200
_MOST_IMPORTS: Final = 200
_HEAD: Final = 16 * 1024
"""Bytes of a Go file in which its imports are looked for."""

_IMPORTED: Final = re.compile(
    r'^(?:import)?[ \t]*[\w.]*[ \t]*"([\w-]+(?:\.[\w-]+)+/[\w./~-]+)"', re.MULTILINE
)
"""A line of an import declaration whose path begins with a host."""


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a go.mod file says. trouble: why it could not be understood, None when it could or there is none."""

    path: str = ""
    main_module: str = ""
    go_line: str = ""
    toolchain_line: str = ""
    requires: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    trouble: Text | None = None


def read_workspace(cwd: Path) -> Workspace:
    """The go.mod file of a folder, or the nearest one above it, as go looks for it."""
    path = nearest(cwd, "go.mod")
    if path is None:
        return Workspace()
    data = read_bytes(path)
    try:
        file = modfile.parse_lax(str(path), data)
    except InvalidInput as why:
        return Workspace(str(path), modfile.module_path(data), trouble=Text.of(why))
    return Workspace(
        str(path),
        file.module.path if file.module else "",
        file.go.version if file.go else "",
        _toolchain(path, data),
        tuple(f"{item.mod.path}@{item.mod.version}" for item in file.require[:_MOST_REQUIRED]),
        _imports(path.parent, file.module.path if file.module else ""),
    )


def _imports(folder: Path, own: str) -> tuple[str, ...]:
    """What the Go files next to go.mod, and one folder below, import from other modules."""
    files = [*sorted(folder.glob("*.go")), *sorted(folder.glob("*/*.go"))][:_MOST_FILES]
    found = {
        match
        for file in files
        for match in _IMPORTED.findall(read_bytes(file)[:_HEAD].decode("utf-8", "replace"))
    }
    return tuple(
        sorted(path for path in found if own and not f"{path}/".startswith(f"{own}/"))[:_MOST_IMPORTS]
    )


def _toolchain(path: Path, data: bytes) -> str:
    """The line counts in a main module only, so the lax reading passes over it."""
    try:
        file = modfile.parse(str(path), data)
    except InvalidInput:
        return ""
    return file.toolchain.name if file.toolchain else ""
