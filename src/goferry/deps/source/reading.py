"""Reads what a project imports and names: the project's own folders, and its dependencies' zips from the supply."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from goferry.deps.advisories.matching import Match
from goferry.deps.base import BuildList, Module, Project, Supply
from goferry.deps.inventory import vendor_folder
from goferry.deps.source.constraints import Build
from goferry.deps.source.scanner import Names, names
from goferry.deps.source.walk import File, Package, Walk
from goferry.deps.trees import FolderTree, OpenZips, Tree, ZipTree, go_files, is_standard, package_folders
from goferry.deps.usage import Usage, flawed_packages
from goferry.errors import GoferryError
from goferry.gomod.gosource import decoded
from goferry.gomod.modgraph import Local

JOBS: Final = 8

Step = Callable[[int, int], None]
"""Told how many modules are read, of how many that are known to be needed."""


async def read_usage(
    built: BuildList,
    found: Iterable[Match],
    supply: Supply,
    *,
    build: Build | None = None,
    goroot: Path | None = None,
    step: Step | None = None,
) -> Usage:
    """What the source says about these matches. What cannot be had is in `unread`; nothing is raised for it."""
    modules = {module.path: module for module in built.modules}
    std = None if goroot is None else FolderTree(goroot / "src", whole=True)
    walk = Walk(modules, build, std)
    walk.start(_roots(built.project, walk))
    zips = OpenZips()
    try:
        await _follow(walk, _Sources(built.project, modules, supply, zips), step)
        return await asyncio.to_thread(usage_of, walk, _wanted(found))
    finally:
        zips.close()


def _wanted(found: Iterable[Match]) -> dict[str, tuple[str, ...]]:
    """Flawed package → its flawed identifiers, of all matches."""
    wanted: dict[str, dict[str, None]] = {}
    for match in found:
        for package in flawed_packages(match):
            wanted.setdefault(package.path, {}).update(dict.fromkeys(package.symbols))
    return {path: tuple(symbols) for path, symbols in wanted.items()}


def usage_of(walk: Walk, wanted: Mapping[str, tuple[str, ...]]) -> Usage:
    """What a finished walk says about packages and their identifiers."""
    symbols = [symbol for listed in wanted.values() for symbol in listed]
    looked_for = _LookedFor(
        frozenset(f"{path}.{symbol}" for path, listed in wanted.items() for symbol in listed),
        frozenset(symbol[symbol.rindex(".") :] for symbol in symbols if "." in symbol),
        walk.packages,
    )
    said = {
        path: looked_for.in_package(walk.packages[path])
        for path in sorted(_importers(walk.packages, wanted))
        if path in walk.packages
    }
    return Usage(
        {path: package.imports for path, package in walk.packages.items()},
        {path: found for path, found in said.items() if found},
        walk.unread,
        walk.parents,
        walk.std is not None,
        walk.build.goos,
        walk.build.goarch,
    )


# ---- following imports ----------------------------------------------------------------------------------------


def _roots(project: Project, walk: Walk) -> list[str]:
    """The packages of the main modules, and the tools that their go.mod files name."""
    found = []
    for part in project.parts:
        tree = FolderTree(part.folder)
        walk.give(part.path, tree)
        folders = package_folders(part.folder, [line.path for line in part.file.ignore])
        found += [f"{part.path}/{folder}".rstrip("/") for folder in folders if go_files(tree, folder)]
        found += [tool.path for tool in part.file.tool]
    return found


async def _follow(walk: Walk, sources: "_Sources", step: Step | None) -> None:
    done = total = 0
    slots = asyncio.Semaphore(JOBS)

    async def one(module: str) -> None:
        nonlocal done
        async with slots:
            walk.give(module, await sources.tree(module))
        done += 1
        if step is not None:
            step(done, total)

    while missing := await asyncio.to_thread(walk.missing):
        total += len(missing)
        await asyncio.gather(*map(one, missing))


class _Sources:
    """Where the source of each module of a build list is."""

    def __init__(
        self, project: Project, modules: Mapping[str, Module], supply: Supply, zips: OpenZips
    ) -> None:
        self._modules = modules
        self._supply = supply
        self._zips = zips
        self._vendor = vendor_folder(project)

    async def tree(self, path: str) -> Tree | GoferryError:
        """A vendored module is what is in vendor: that is what go builds."""
        module = self._modules[path]
        if self._vendor is not None:
            return FolderTree(self._vendor / path)
        if isinstance(module.replace, Local):
            return FolderTree(Path(module.replace.folder))
        source = module.source
        assert source is not None, "main modules have their source from the start"
        try:
            place = await self._supply.zip(source)
            return await asyncio.to_thread(ZipTree, source, place, self._zips)
        except GoferryError as error:
            return error


# ---- names ----------------------------------------------------------------------------------------------------


def _importers(packages: Mapping[str, Package], wanted: Iterable[str]) -> set[str]:
    """Every package that comes to one of `wanted` by imports: only there can its types turn up."""
    by: dict[str, list[str]] = {}
    for path, package in packages.items():
        for imported in package.imports:
            by.setdefault(imported, []).append(path)
    found: set[str] = set()
    todo = list(wanted)
    while todo:
        for importer in by.get(todo.pop(), ()):
            if importer not in found:
                found.add(importer)
                todo.append(importer)
    return found


class _LookedFor:
    """The identifiers in question, and how to find them in a package."""

    def __init__(
        self, qualified: frozenset[str], methods: frozenset[str], packages: Mapping[str, Package]
    ) -> None:
        self._qualified = qualified
        self._methods = methods
        self._packages = packages

    def in_package(self, package: Package) -> frozenset[str]:
        found: set[str] = set()
        for file in package.files:
            try:
                text = decoded(package.place.read(file.name))
            except GoferryError:
                found |= (
                    self._qualified | self._methods
                )  # it was readable a moment ago; now it counts as naming all
                continue
            dotted = any(one.name == "." for one in file.imports)
            found |= self._in_file(file, names(text, alone=dotted))
        return frozenset(found)

    def _in_file(self, file: File, said: Names) -> set[str]:
        found = {f".{name}" for _, name in said.selected} & self._methods
        found |= said.linked & self._qualified
        for one in file.imports:
            called = self._called(one.path, one.name)
            chosen = said.alone if called == "." else {name for x, name in said.selected if called in (x, "")}
            found |= {f"{one.path}.{name}" for name in chosen} & self._qualified
        return found

    def _called(self, path: str, name: str) -> str:
        """How a file calls an import; empty when nobody can tell, so that every selector counts."""
        if name:
            return name
        package = self._packages.get(path)
        if package is not None and package.name:
            return package.name
        if not is_standard(path):
            return ""
        stem, _, last = path.rpartition("/")
        return stem.rpartition("/")[2] if last[:1] == "v" and last[1:].isdigit() else last
