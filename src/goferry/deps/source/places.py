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
            return sorted(one.name for one in (self.root / folder).iterdir() if one.name.endswith(".go"))
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


class OpenZips:
    """Module zips, of which only a few are open at a time: a build list may have more than a process may open files."""

    def __init__(self, limit: int = 64) -> None:
        self._limit = limit
        self._open: dict[Path, zipfile.ZipFile] = {}

    def get(self, place: Path) -> zipfile.ZipFile:
        """The zip; the one that was not asked for longest is closed for it. InvalidInput when it is none."""
        found = self._open.pop(place, None)
        if found is None:
            while len(self._open) >= self._limit:
                self._open.pop(next(iter(self._open))).close()
            try:
                found = zipfile.ZipFile(place)
            except (OSError, zipfile.BadZipFile) as error:
                raise InvalidInput("cannot read {file}: {why}", file=place, why=error) from error
        self._open[place] = found
        return found

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


class ZipTree:
    """A module zip; `prefix` is `path@version/`."""

    def __init__(self, zips: OpenZips, place: Path, prefix: str) -> None:
        self._zips = zips
        self._place = place
        self._prefix = prefix
        self._folders: dict[str, list[str]] = defaultdict(list)
        for name in zips.get(place).namelist():
            if name.endswith(".go") and name.startswith(prefix):
                folder, _, file = name[len(prefix) :].rpartition("/")
                self._folders[folder].append(file)

    def files(self, folder: str) -> Sequence[str]:
        return sorted(self._folders.get(folder, ()))

    def text(self, folder: str, file: str) -> str:
        name = self._prefix + posixpath.join(folder, file)
        try:
            with self._zips.get(self._place).open(name) as source:
                return source.read(MOST).decode(*_ENCODING)
        except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise InvalidInput(
                "cannot read {file}: {why}", file=f"{self._place}: {name}", why=error
            ) from error


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
