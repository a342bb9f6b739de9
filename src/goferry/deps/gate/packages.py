"""Which packages a project loads, and from which modules: what `go mod tidy` walks.

    loading = Loading(project, graph)                 # goes on as every Following does
    loading.found                                     # every package by its path

`all` is what the main module's packages and their tests import, and what that imports. Loaded is more: the tests of
packages in `all` too, for `go mod tidy` keeps what they need (below go 1.16 those tests are in `all` themselves). Build
constraints do not matter, but for `ignore`. An import is looked for in every module whose path is a prefix of it: with
graph pruning first among those that go.mod names, then in all that are selected; two that have it are a mistake.

The rules are those of cmd/go internal/modload/load.go and import.go.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from goferry.deps.base import Part, Project
from goferry.deps.following import Following
from goferry.deps.trees import TEST, FolderTree, Tree, go_files, is_standard, package_folders, prefixes
from goferry.errors import GoferryError
from goferry.gomod import gover
from goferry.gomod.modgraph import GO_PRUNING, NONE, Local, ModuleGraph
from goferry.gomod.module import Version

NARROW_ALL: Final = "1.16"
"""The go line from which on the tests of dependencies are not in `all`."""

Source: TypeAlias = Version | Local


@dataclass(frozen=True, slots=True)
class Package:
    """What the files of one folder import, whatever tags they are built with."""

    imports: tuple[str, ...] = ()
    test_imports: tuple[str, ...] = ()
    empty: bool = False
    """It has Go files, but none that any build would take."""


_NOTHING: Final = Package()


def package(tree: Tree, folder: str) -> Package | None:
    """The package of a folder; None when it has no Go file, and so is no package to go."""
    files = go_files(tree, folder)
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


@dataclass(frozen=True, slots=True)
class Loaded:
    """One package. `module` is None for the standard library, for the main module, and for what nobody has."""

    path: str
    module: Version | None = None
    main: bool = False
    package: Package = _NOTHING
    ambiguous: tuple[Version, ...] = ()
    """Modules that have it, when they are several."""
    unread: bool = False
    """A module that might have it could not be had."""
    absent: bool = False
    """No module that could have it has it."""

    @property
    def standard(self) -> bool:
        """It is of the standard library, as far as its name tells."""
        return not (self.main or self.module or self.ambiguous or self.unread or self.absent)


class Loading(Following[Source, tuple[str, bool]]):
    """Loads packages: each by its path, and whether it is in `all`."""

    def __init__(self, project: Project, graph: ModuleGraph) -> None:
        super().__init__()
        (main,) = project.mains.modules
        self.part: Part = project.parts[0]
        self.found: dict[str, Loaded] = {}
        self.all: set[str] = set()
        """Paths of the packages in `all`."""
        self.importers: dict[str, str] = {}
        """Who imported a package first."""
        self.roots: Mapping[str, str] | None = None
        """With graph pruning the selected version of each module that go.mod names."""
        self._main = main
        self._mains = project.mains
        self._graph = graph
        self._tree = FolderTree(self.part.folder)
        self._closes_over_tests = gover.compare(main.requirements.go, NARROW_ALL) < 0
        if gover.compare(main.requirements.go, GO_PRUNING) >= 0:
            named = graph.required.get(Version(main.path), ())
            self.roots = {version.path: graph.selected(version.path) for version in named}
        self._seen: set[tuple[str, bool]] = set()
        self._queue.extend((path, True) for path in self._starts())

    def imported_by_main(self) -> dict[str, str]:
        """Packages that the main module and its tests import, and tools; each with who imports it."""
        direct = dict.fromkeys(self._tools(), "go.mod")
        for loaded in self.found.values():
            if loaded.main:
                for path in (*loaded.package.imports, *loaded.package.test_imports):
                    direct.setdefault(path, loaded.path)
        return direct

    def vendored(self) -> set[str]:
        """The packages of `all` as `go mod vendor` takes it: at any go line without the tests of dependencies."""
        if not self._closes_over_tests:
            return self.all
        queue = [*(path for path, loaded in self.found.items() if loaded.main), *self._tools()]
        reached = set(queue)
        while queue:
            if (loaded := self.found.get(queue.pop())) is None:
                continue
            tests = loaded.package.test_imports if loaded.main else ()
            new = {*loaded.package.imports, *tests} - reached
            reached |= new
            queue += new
        return reached

    def candidates(self, path: str) -> Iterator[Version]:
        """Selected modules whose path is a prefix of an import path, the longest first."""
        for prefix in prefixes(path):
            version = self._graph.selected(prefix)
            if version not in ("", NONE) and not gover.is_toolchain(prefix):
                yield Version(prefix, version)

    def provides(self, module: Version, path: str) -> bool | None:
        """Whether a module has a package; None while nobody knows."""
        source = self._mains.source(module)
        tree = self._trees.get(source)
        if tree is None or isinstance(tree, GoferryError):
            return None
        return package(tree, path[len(module.path) + 1 :]) is not None

    def _starts(self) -> Iterator[str]:
        for folder in package_folders(self.part.folder, tuple(line.path for line in self.part.file.ignore)):
            found = package(self._tree, folder)
            if found is not None and not found.empty:
                path = f"{self._main.path}/{folder}" if folder else self._main.path
                self.found[path] = Loaded(path, main=True, package=found)
                yield path
        yield from self._tools()

    def _tools(self) -> tuple[str, ...]:
        return tuple(line.path for line in self.part.file.tool)

    def _visit(self, item: tuple[str, bool]) -> None:
        path, in_all = item
        if (path, in_all) in self._seen or (path, True) in self._seen:
            return
        loaded = self.found.get(path) or self._resolve(path)
        if not isinstance(loaded, Loaded):
            self._wait(item, loaded)
            return
        self.found[path] = loaded
        self._seen.add((path, in_all))
        if in_all:
            self.all.add(path)
            self._import(path, loaded.package.test_imports, in_all=loaded.main or self._closes_over_tests)
        self._import(path, loaded.package.imports, in_all=in_all)

    def _import(self, path: str, imports: tuple[str, ...], *, in_all: bool) -> None:
        for imported in imports:
            self.importers.setdefault(imported, path)
            self._queue.append((imported, in_all))

    def _resolve(self, path: str) -> Loaded | list[Source]:
        """Where a package comes from, or the trees that are missing to say so."""
        hits: list[tuple[Version | None, Package]] = []
        if own := self._in_main(path):
            hits.append((None, own))
        layers = [[module for module in self.candidates(path) if self._is_root(module)]]
        if self.roots is not None:
            layers.append(list(self.candidates(path)))
        unread = False
        for modules in layers:
            found, missing, lost = self._look(path, modules)
            if missing:
                return missing
            unread = unread or lost
            if hits or found:
                hits += found
                break
        if len(hits) > 1:
            return Loaded(path, ambiguous=tuple(module or Version(self._main.path) for module, _ in hits))
        if hits:
            module, read = hits[0]
            return Loaded(path, module, main=module is None, package=read)
        if unread:
            return Loaded(path, unread=True)
        return Loaded(path, absent=not is_standard(path) or self._is_own(path))

    def _is_root(self, module: Version) -> bool:
        return self.roots is None or module.path in self.roots

    def _is_own(self, path: str) -> bool:
        return path == self._main.path or path.startswith(f"{self._main.path}/")

    def _in_main(self, path: str) -> Package | None:
        return package(self._tree, path[len(self._main.path) + 1 :]) if self._is_own(path) else None

    def _look(
        self, path: str, modules: list[Version]
    ) -> tuple[list[tuple[Version | None, Package]], list[Source], bool]:
        """Those of the modules that have a package, trees that are missing to say so, and whether one is not to be
        had."""
        found: list[tuple[Version | None, Package]] = []
        missing: list[Source] = []
        lost = False
        for module in modules:
            source = self._mains.source(module)
            tree = self._trees.get(source)
            if tree is None:
                missing.append(source)
            elif isinstance(tree, GoferryError):
                lost = True
            elif read := package(tree, path[len(module.path) + 1 :]):
                found.append((module, read))
        return found, missing, lost
