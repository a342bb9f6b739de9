"""Source trees: module folders and module zips behind one face, read when they are asked."""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

from goferry.gomod import gosource
from goferry.gomod.dirhash import summary_hash
from goferry.gomod.module import Version
from goferry.gomod.ziparchive import Archive, Entry

GO: Final = ".go"
TEST: Final = "_test.go"


class Tree(Protocol):
    """The files of one module. Names are slash-separated and relative to its root; the root folder is ""."""

    def folder(self, name: str) -> tuple[str, ...]:
        """Base names of the files of a folder, sorted; none for a folder that is not there or of another module."""

    def read(self, name: str) -> bytes:
        """The content of a file."""

    def head(self, name: str) -> gosource.Head:
        """What a Go file says before its declarations."""

    def below(self, name: str) -> Iterator[str]:
        """All files below a folder."""


class FolderTree:
    """A module in a folder: what go would see of it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def folder(self, name: str) -> tuple[str, ...]:
        place = self.root
        for element in name.split("/") if name else ():
            place = place / element
            if (place / "go.mod").is_file():
                return ()
        try:
            return tuple(sorted(entry.name for entry in os.scandir(place) if entry.is_file()))
        except OSError:
            return ()

    def read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def head(self, name: str) -> gosource.Head:
        return gosource.head(self.read(name))

    def below(self, name: str) -> Iterator[str]:
        top = self.root / name
        for place, folders, files in os.walk(top):
            folders[:] = sorted(folder for folder in folders if not Path(place, folder, "go.mod").is_file())
            inner = os.path.relpath(place, self.root).replace(os.sep, "/")
            yield from (file if inner == "." else f"{inner}/{file}" for file in sorted(files))


class ZipTree:
    """A module zip; a context manager. It was proven when it came into the store, and `h1` proves it again."""

    def __init__(self, module: Version, path: Path) -> None:
        self.module = module
        self._archive = Archive(path)
        prefix = f"{module}/"
        self._entries: dict[str, Entry] = {}
        self._folders: dict[str, list[str]] = {}
        self._heads: dict[str, gosource.Head] = {}
        self._h1 = ""
        self._digests: Mapping[str, str] | None = None
        for entry in self._archive.entries:
            if entry.is_dir or not entry.name.startswith(prefix):
                continue
            name = entry.name[len(prefix) :]
            self._entries[name] = entry
            folder, _, base = name.rpartition("/")
            self._folders.setdefault(folder, []).append(base)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._archive.close()

    def folder(self, name: str) -> tuple[str, ...]:
        return tuple(sorted(self._folders.get(name, ())))

    def read(self, name: str) -> bytes:
        return self._archive.read(self._entries[name])

    def head(self, name: str) -> gosource.Head:
        if name not in self._heads:
            self._heads[name] = gosource.head(self.read(name))
        return self._heads[name]

    def below(self, name: str) -> Iterator[str]:
        prefix = f"{name}/" if name else ""
        yield from (file for file in sorted(self._entries) if file.startswith(prefix))

    def has(self, name: str) -> bool:
        return name in self._entries

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
        found = self._archive.digests()
        entries = self._archive.entries
        prefix = len(f"{self.module}/")
        self._digests = {
            entry.name[prefix:]: digest
            for entry, digest in zip(entries, found, strict=True)
            if not entry.is_dir
        }
        self._h1 = summary_hash(zip((entry.raw for entry in entries), found, strict=True))


@dataclass(frozen=True, slots=True)
class Package:
    """What the files of one folder import, whatever tags they are built with."""

    imports: tuple[str, ...] = ()
    test_imports: tuple[str, ...] = ()
    empty: bool = False
    """It has Go files, but none that any build would take."""


def package(tree: Tree, folder: str) -> Package | None:
    """The package of a folder; None when it has no Go file, and so is no package to go."""
    files = [name for name in tree.folder(folder) if name.endswith(GO)]
    if not files:
        return None
    imports: dict[str, None] = {}
    tests: dict[str, None] = {}
    built = 0
    for name in files:
        if name[0] in "_.":
            continue
        head = tree.head(f"{folder}/{name}" if folder else name)
        if head.excluded:
            continue
        built += 1
        (tests if name.endswith(TEST) else imports).update(dict.fromkeys(head.paths))
    return Package(tuple(imports), tuple(tests), empty=not built)


def package_folders(root: Path, ignored: tuple[str, ...] = ()) -> list[str]:
    """Folders of a main module in which go looks for packages, slash-separated and relative to it; "" is the root.

    Left out: what begins with a dot or an underscore, testdata, vendor at the root, other modules, and what an
    `ignore` line of go.mod names (with `./` from the root, else wherever it is).
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
    return not (name[0] in "._" or name in ("testdata", "vendor") or Path(place, "go.mod").is_file())


def _is_ignored(folder: str, rooted: set[str], anywhere: tuple[str, ...]) -> bool:
    return folder in rooted or any(f"/{folder}".endswith(f"/{path}") for path in anywhere)
