"""Where the source of packages is: a folder, a module zip, a vendor folder, the standard library.

Everything is read through two questions: which Go files a package folder has, and what is in one of them.
"""

import os
import posixpath
import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from goferry.errors import InvalidInput

MOST: Final = 16 << 20
"""Bytes of one Go file that are read; longer ones are data that a program wrote."""

_ENCODING: Final = ("utf-8", "surrogateescape")


class Tree(Protocol):
    """The packages of one module, by their folder below it (`""` for the module itself)."""

    def files(self, folder: str) -> Sequence[str]:
        """The bare names of its Go files; none when there is no such package."""

    def text(self, folder: str, file: str) -> str:
        """One of them. InvalidInput when it cannot be read."""


class FolderTree:
    """A folder: a main module, a folder that replaces a module, a vendor folder, GOROOT/src."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def files(self, folder: str) -> Sequence[str]:
        try:
            return sorted(name for name in os.listdir(self.root / folder) if name.endswith(".go"))
        except OSError:
            return ()

    def text(self, folder: str, file: str) -> str:
        place = self.root / folder / file
        try:
            with place.open("rb") as source:
                return source.read(MOST).decode(*_ENCODING)
        except OSError as error:
            raise InvalidInput("cannot read {file}: {why}", file=place, why=error.strerror) from error

    def packages(self, ignored: Sequence[str] = ()) -> Iterator[str]:
        """All package folders of the module, as `./...` has them: nothing that is hidden, testdata, vendored, another
        module, or named by an `ignore` line of its go.mod."""
        for at, folders, names in os.walk(self.root):
            here = Path(at).relative_to(self.root).as_posix().removeprefix(".")
            folders[:] = sorted(
                name
                for name in folders
                if not name.startswith((".", "_"))
                and name != "testdata"
                and not (name == "vendor" and _has_go_mod(at))
                and not _has_go_mod(Path(at, name))
                and not _is_ignored(posixpath.join(here, name), ignored)
            )
            if any(name.endswith(".go") for name in names):
                yield here


def _has_go_mod(folder: str | Path) -> bool:
    return Path(folder, "go.mod").is_file()


def _is_ignored(folder: str, ignored: Sequence[str]) -> bool:
    """`./x` names that folder, `x` any folder of that name; with what is below."""
    return any(
        folder == one[2:] if one.startswith("./") else f"/{folder}".endswith(f"/{one}") for one in ignored
    )


class ZipTree:
    """A module zip; `prefix` is `path@version/`."""

    def __init__(self, place: Path, prefix: str) -> None:
        self._place = place
        self._prefix = prefix
        try:
            self._zip = zipfile.ZipFile(place)
        except (OSError, zipfile.BadZipFile) as error:
            raise InvalidInput("cannot read {file}: {why}", file=place, why=error) from error
        self._folders: dict[str, list[str]] = defaultdict(list)
        for name in self._zip.namelist():
            if name.endswith(".go") and name.startswith(prefix):
                folder, _, file = name[len(prefix) :].rpartition("/")
                self._folders[folder].append(file)

    def files(self, folder: str) -> Sequence[str]:
        return sorted(self._folders.get(folder, ()))

    def text(self, folder: str, file: str) -> str:
        name = self._prefix + posixpath.join(folder, file)
        try:
            with self._zip.open(name) as source:
                return source.read(MOST).decode(*_ENCODING)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InvalidInput(
                "cannot read {file}: {why}", file=f"{self._place}: {name}", why=error
            ) from error

    def close(self) -> None:
        self._zip.close()


class NoTree:
    """A module whose source could not be had."""

    def files(self, folder: str) -> Sequence[str]:  # noqa: ARG002 - the protocol has it
        return ()

    def text(self, folder: str, file: str) -> str:
        raise InvalidInput("cannot read {file}: {why}", file=f"{folder}/{file}", why="no source")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a package was found."""

    module: str
    """The module's path; `std` for the standard library."""
    tree: Tree
    folder: str


def module_candidates(path: str, modules: Mapping[str, object]) -> Iterator[str]:
    """The modules that may have a package, the longest path first."""
    while path:
        if path in modules:
            yield path
        path = path.rpartition("/")[0]


def is_standard(path: str) -> bool:
    """Whether an import path belongs to the standard library: its first element has no dot."""
    return "." not in path.partition("/")[0]
