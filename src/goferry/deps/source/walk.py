"""Which packages a build takes in, found by following imports from the packages of the main modules.

The walk itself touches no network: it says which modules' source it needs next, is given it, and goes on until nothing
is missing (the pattern of golang.org/x/mod/sumdb/tlog). What cannot be had is noted, and the walk goes on without it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from goferry.deps.source.constraints import Build, is_built
from goferry.deps.trees import Tree, go_files, is_standard, prefixes
from goferry.errors import GoferryError
from goferry.gomod.gosource import C, Head, Import, sound_head

STD: Final = "std"

MOST: Final = 16 << 20
"""Bytes of one Go file that are read; longer ones are data that a program wrote."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a package was found."""

    module: str
    """The module's path; `std` for the standard library."""
    tree: Tree
    folder: str

    def files(self) -> tuple[str, ...]:
        """The base names of its Go files."""
        return go_files(self.tree, self.folder)

    def read(self, file: str) -> bytes:
        """One of them. Raises GoferryError."""
        return self.tree.read(f"{self.folder}/{file}" if self.folder else file, MOST)


@dataclass(frozen=True, slots=True)
class File:
    """A file that is built."""

    name: str
    imports: tuple[Import, ...]


@dataclass(frozen=True, slots=True)
class Package:
    """A package that is built."""

    path: str
    name: str
    """What its package clause says."""
    place: Place
    files: tuple[File, ...]
    imports: tuple[str, ...]
    """Sorted, as import paths of packages (those of the standard library's own vendor folder with `vendor/`)."""


@dataclass(slots=True)
class Walk:
    """One walk. `modules` are the paths of the build list; their source is given by `give` when `missing` asks."""

    modules: Mapping[str, object]
    build: Build = field(default_factory=Build)
    std: Tree | None = None
    """GOROOT/src; without it the standard library is the end of every path."""
    packages: dict[str, Package] = field(default_factory=dict)
    parents: dict[str, str] = field(default_factory=dict)
    """Of each package the one that came to it first; roots have none."""
    unread: dict[str, GoferryError] = field(default_factory=dict)
    """Packages whose source could not be had, with the reason."""
    nowhere: set[str] = field(default_factory=set)
    """Imports that no module of the build list has."""
    _roots: set[str] = field(default_factory=set)
    _trees: dict[str, Tree | GoferryError] = field(default_factory=dict)
    _todo: list[str] = field(default_factory=list)
    _waiting: dict[str, list[str]] = field(default_factory=dict)

    def give(self, module: str, tree: Tree | GoferryError) -> None:
        """The source of a module, or why there is none."""
        self._trees[module] = tree
        self._todo += self._waiting.pop(module, [])

    def start(self, paths: Iterable[str]) -> None:
        """The packages to start from."""
        paths = list(paths)
        self._roots.update(paths)
        self._todo += paths

    def missing(self) -> list[str]:
        """Goes as far as it can; the modules whose source is needed to go on."""
        while self._todo:
            self._visit(self._todo.pop(0))
        return sorted(self._waiting)

    def _visit(self, path: str) -> None:
        if path in self.packages or path in self.unread:
            return
        found = self._find(path)
        if found is None:
            return
        if isinstance(found, GoferryError):
            self.unread[path] = found
            return
        package = self._read(path, found)
        self.packages[path] = package
        for imported in package.imports:
            if imported not in self.packages and imported not in self.parents:
                if imported not in self._roots:
                    self.parents[imported] = path
                self._todo.append(imported)

    def _find(self, path: str) -> Place | GoferryError | None:
        """Where a package is; None when that has to wait, needs no reading, or is nowhere."""
        candidates = [prefix for prefix in prefixes(path) if prefix in self.modules]
        if is_standard(path) and not candidates:
            return Place(STD, self.std, path) if self.std is not None and go_files(self.std, path) else None
        trouble: GoferryError | None = None
        for module in candidates:
            tree = self._trees.get(module)
            if tree is None:
                self._waiting.setdefault(module, []).append(path)
                return None
            if isinstance(tree, GoferryError):
                trouble = trouble or tree
                continue
            place = Place(module, tree, path[len(module) + 1 :])
            if place.files():
                return place
        if trouble is None:
            self.nowhere.add(path)  # the go command would stop here: nothing that is built can be behind it
        return trouble

    def _read(self, path: str, place: Place) -> Package:
        names, files = "", list[File]()
        imports = set[str]()
        for name in place.files():
            found = self._head(path, place, name)
            if found is not None and is_built(self.build, name, found):
                names = names or found.package
                files.append(File(name, tuple(one for one in found.imports if one.path != C)))
                imports.update(one.path for one in files[-1].imports)
        return Package(path, names, place, tuple(files), tuple(sorted(map(self._resolver(place), imports))))

    def _head(self, path: str, place: Place, name: str) -> Head | None:
        """The head of a file; what cannot be read is noted with its package, whose other files still count."""
        try:
            return sound_head(f"{path}/{name}", place.read(name))
        except GoferryError as error:
            if is_built(self.build, name, _NO_HEAD):
                self.unread.setdefault(f"{path}/{name}", error)
            return None

    def _resolver(self, place: Place) -> "_Resolver":
        return _Resolver(self.std if place.module == STD else None)

    def chain(self, path: str) -> tuple[str, ...]:
        """How the walk came to a package: import paths, a root first."""
        found = [path]
        while (parent := self.parents.get(found[-1])) is not None and parent not in found:
            found.append(parent)
        return tuple(reversed(found))


_NO_HEAD: Final = Head()


class _Resolver:
    """Import path → package path: inside the standard library its own vendor folder goes first."""

    def __init__(self, std: Tree | None) -> None:
        self._std = std

    def __call__(self, path: str) -> str:
        if self._std is not None and not is_standard(path) and go_files(self._std, f"vendor/{path}"):
            return f"vendor/{path}"
        return path
