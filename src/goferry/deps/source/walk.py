"""Which packages a build takes in, found by following imports from the packages of the main modules."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from goferry.deps.following import Following
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


class Walk(Following[str, str]):
    """One walk. `modules` are the paths of the build list; trees are asked for by them, packages by their paths."""

    def __init__(
        self, modules: Mapping[str, object], build: Build | None = None, std: Tree | None = None
    ) -> None:
        super().__init__()
        self.modules = modules
        self.build = build or Build()
        self.std = std
        """GOROOT/src; without it the standard library is the end of every path."""
        self.packages: dict[str, Package] = {}
        self.parents: dict[str, str] = {}
        """Of each package the one that came to it first; roots have none."""
        self.unread: dict[str, GoferryError] = {}
        """Packages whose source could not be had, with the reason."""
        self.nowhere: set[str] = set()
        """Imports that no module of the build list has."""
        self._roots: set[str] = set()

    def start(self, paths: Iterable[str]) -> None:
        """The packages to start from."""
        paths = list(paths)
        self._roots.update(paths)
        self._queue.extend(paths)

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
                self._queue.append(imported)

    def _find(self, path: str) -> Place | GoferryError | None:
        """Where a package is; None when that has to wait, needs no reading, or is nowhere."""
        candidates = [prefix for prefix in prefixes(path) if prefix in self.modules]
        if is_standard(path) and not candidates:
            return Place(STD, self.std, path) if self.std is not None and go_files(self.std, path) else None
        trouble: GoferryError | None = None
        for module in candidates:
            tree = self._trees.get(module)
            if tree is None:
                self._wait(path, [module])
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
