"""Where the source of packages is: module folders and module zips behind one face, read when they are asked."""

import os
import posixpath
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from goferry.errors import InvalidInput, StorageError
from goferry.gomod import gosource, zipdigests
from goferry.gomod.dirhash import summary_hash
from goferry.gomod.module import Version
from goferry.gomod.ziparchive import Archive

GO: Final = ".go"
TEST: Final = "_test.go"


class Tree(Protocol):
    """The files of one module. Names are slash-separated and relative to its root; the root folder is ""."""

    def folder(self, name: str) -> tuple[str, ...]:
        """Base names of the files of a folder, sorted; none for a folder that is not there or of another module."""

    def read(self, name: str, most: int | None = None) -> bytes:
        """The content of a file, or its beginning. Raises GoferryError."""

    def head(self, name: str) -> gosource.Head:
        """What a Go file says before its declarations. Raises GoferryError."""

    def below(self, name: str) -> Iterator[str]:
        """All files below a folder."""


def go_files(tree: Tree, folder: str) -> tuple[str, ...]:
    """The base names of the Go files of a folder; none when it is no package to go."""
    return tuple(name for name in tree.folder(folder) if name.endswith(GO))


class FolderTree:
    """A module in a folder: what go would see of it. With `whole` folders that have a go.mod belong to it all the
    same, as `cmd` does to GOROOT/src."""

    def __init__(self, root: Path, *, whole: bool = False) -> None:
        self.root = root
        self._whole = whole

    def folder(self, name: str) -> tuple[str, ...]:
        place = self.root
        for element in name.split("/") if name else ():
            place = place / element
            if not self._whole and _is_module(place):
                return ()
        try:
            return tuple(sorted(entry.name for entry in os.scandir(place) if entry.is_file()))
        except OSError:
            return ()

    def read(self, name: str, most: int | None = None) -> bytes:
        place = self.root / name
        try:
            with place.open("rb") as file:
                return file.read(most)
        except OSError as error:
            raise InvalidInput("cannot read {file}: {why}", file=place, why=error.strerror) from error

    def head(self, name: str) -> gosource.Head:
        return gosource.head(self.read(name))

    def below(self, name: str) -> Iterator[str]:
        top = self.root / name
        for place, folders, files in os.walk(top):
            folders[:] = sorted(name for name in folders if self._whole or not _is_module(Path(place, name)))
            inner = os.path.relpath(place, self.root).replace(os.sep, "/")
            yield from (file if inner == "." else f"{inner}/{file}" for file in sorted(files))


def _is_module(folder: Path) -> bool:
    return (folder / "go.mod").is_file()


class OpenZips:
    """Module zips, of which only a few are open at a time: a build list may have more than a process may open files."""

    def __init__(self, limit: int = 128) -> None:
        self._limit = limit
        self._open: dict[Path, Archive] = {}
        self._lock = threading.Lock()

    def get(self, place: Path) -> Archive:
        """The zip; the one that was not asked for longest is closed for it. GoferryError when it cannot be read."""
        with self._lock:
            found = self._open.pop(place, None)
            if found is None:
                while len(self._open) >= self._limit:
                    self._open.pop(next(iter(self._open))).close()
                try:
                    found = Archive(place)
                except OSError as error:
                    raise StorageError("cannot read {file}: {why}", file=place, why=error.strerror) from error
            self._open[place] = found
            return found

    def close(self) -> None:
        while self._open:
            self._open.popitem()[1].close()


class ZipTree:
    """A module zip. It was proven when it came into the store, and `h1` proves it again."""

    def __init__(self, module: Version, path: Path, zips: OpenZips) -> None:
        self.module = module
        self._path = path
        self._zips = zips
        self._folders: dict[str, dict[str, int]] = {}
        self._heads: dict[str, gosource.Head] = {}
        self._h1 = ""
        self._digests: Mapping[str, str] | None = None
        prefix = f"{module}/"
        for place, entry in enumerate(zips.get(path).entries):
            if not entry.is_dir and entry.name.startswith(prefix):
                folder, _, base = entry.name[len(prefix) :].rpartition("/")
                self._folders.setdefault(folder, {})[base] = place

    def folder(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._folders.get(name, ())))

    def read(self, name: str, most: int | None = None) -> bytes:
        folder, _, base = name.rpartition("/")
        archive = self._zips.get(self._path)
        entry = archive.entries[self._folders[folder][base]]
        return archive.read(entry) if most is None or entry.size <= most else archive.beginning(entry, most)

    def head(self, name: str) -> gosource.Head:
        if name not in self._heads:
            self._heads[name] = gosource.head(self.read(name))
        return self._heads[name]

    def below(self, name: str) -> Iterator[str]:
        prefix = f"{name}/" if name else ""
        found = (posixpath.join(folder, base) for folder, bases in self._folders.items() for base in bases)
        yield from sorted(file for file in found if file.startswith(prefix))

    def digests(self) -> Mapping[str, str]:
        """The lower-hex SHA-256 of each file, computed from its bytes."""
        if self._digests is None:
            self._hash()
        assert self._digests is not None
        return self._digests

    def h1(self) -> str:
        """The h1 hash of the zip as it is on the disk now."""
        if not self._h1:
            self._hash()
        return self._h1

    def _hash(self) -> None:
        archive = self._zips.get(self._path)
        found, entries = zipdigests.digests(archive), archive.entries
        prefix = len(f"{self.module}/")
        self._digests = {
            entry.name[prefix:]: digest
            for entry, digest in zip(entries, found, strict=True)
            if not entry.is_dir
        }
        self._h1 = summary_hash(zip((entry.raw for entry in entries), found, strict=True))


# ---- packages ----------------------------------------------------------------------------------------------------


def package_folders(root: Path, ignored: Sequence[str] = ()) -> list[str]:
    """Folders of a main module in which go looks for packages, slash-separated and relative to it; "" is the root.

    Left out: what begins with a dot or an underscore, testdata, vendor, other modules, and what an `ignore` line of
    go.mod names (with `./` from the root, else wherever it is).
    """
    found: list[str] = []
    rooted = {path[2:].strip("/") for path in ignored if path.startswith("./")}
    anywhere = tuple(path.strip("/") for path in ignored if not path.startswith("./"))

    def walk(place: str, inner: str) -> None:
        found.append(inner)
        with suppress(OSError):
            names = sorted(entry.name for entry in os.scandir(place) if entry.is_dir(follow_symlinks=False))
            for name in names:
                below = f"{inner}/{name}" if inner else name
                if _is_walked(f"{place}/{name}", name) and not _is_ignored(below, rooted, anywhere):
                    walk(f"{place}/{name}", below)

    walk(str(root), "")
    return found


def _is_walked(place: str, name: str) -> bool:
    return not (name[0] in "._" or name in ("testdata", "vendor") or _is_module(Path(place)))


def _is_ignored(folder: str, rooted: set[str], anywhere: tuple[str, ...]) -> bool:
    return folder in rooted or any(f"/{folder}".endswith(f"/{path}") for path in anywhere)


def prefixes(path: str) -> Iterator[str]:
    """An import path and everything that it is below, the longest first: the modules that may have the package."""
    while path:
        yield path
        path = path.rpartition("/")[0]


def is_standard(path: str) -> bool:
    """Whether an import path belongs to the standard library: its first element has no dot."""
    return "." not in path.partition("/")[0]
