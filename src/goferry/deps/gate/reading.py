"""Everything that a gate judges about one main module, read through a supply: graphs, zips, packages."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from goferry.deps.base import BuildList, Project, Supply
from goferry.deps.buildlist import JOBS, build_list
from goferry.deps.gate import sums, tidy
from goferry.deps.gate.packages import Loading, Source
from goferry.deps.gate.trees import FolderTree, Tree, ZipTree
from goferry.errors import GoferryError
from goferry.gomod import gover
from goferry.gomod.gosum import go_mod_key
from goferry.gomod.modgraph import Local, Main, ModuleGraph
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Sums

_UNPRUNED: Final = "1.16"

Step = Callable[[int, int], None]
"""Told how many files are read, of how many that are known to be needed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One main module, with workspaces off."""

    project: Project
    build: BuildList
    loading: Loading
    needed: sums.Needed
    faults: tuple[tidy.Fault, ...]
    unread: Mapping[str, GoferryError]
    """What was needed and could not be had, by name: the rest is a guess then."""


class Files:
    """go.mod files and zips, each fetched once however often it is asked for. A context manager: zips stay open."""

    def __init__(self, supply: Supply, step: Step | None = None) -> None:
        self.supply = supply
        self.unread: dict[str, GoferryError] = {}
        self._step = step
        self._slots = asyncio.Semaphore(JOBS)
        self._mods: dict[Version, asyncio.Task[bytes]] = {}
        self._trees: dict[Source, Tree | None] = {}
        self._open = ExitStack()
        self._done = self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()

    async def graph(self, project: Project) -> BuildList:
        """The build list and graph of a project; what could not be had is in `unread` of both."""
        found = await build_list(project, self)
        self.unread |= {str(go_mod_key(version)): error for version, error in found.unread.items()}
        return found

    async def trees(self, sources: Iterable[Source]) -> dict[Source, Tree | None]:
        """The source trees; None for one that cannot be had, which is in `unread` then."""
        wanted = [source for source in sources if source not in self._trees]
        self._total += len(wanted)
        for source, tree in zip(wanted, await asyncio.gather(*map(self._tree, wanted)), strict=True):
            self._trees[source] = tree
        return {source: self._trees[source] for source in sources}

    async def _tree(self, source: Source) -> Tree | None:
        if isinstance(source, Local):
            return FolderTree(Path(source.folder))
        async with self._slots:
            try:
                path = await self.supply.zip(source)
                tree: ZipTree | None = self._open.enter_context(ZipTree(source, path))
            except GoferryError as error:
                self.unread[str(source)] = error
                tree = None
        self._done += 1
        if self._step is not None:
            self._step(self._done, self._total)
        return tree

    # A supply itself, that remembers go.mod files.

    async def mod(self, version: Version) -> bytes:
        if version not in self._mods:
            self._mods[version] = asyncio.ensure_future(self.supply.mod(version))
        return await self._mods[version]

    async def info(self, version: Version) -> bytes:
        return await self.supply.info(version)

    async def zip(self, version: Version) -> Path:
        return await self.supply.zip(version)

    async def versions(self, path: str) -> tuple[str, ...]:
        return await self.supply.versions(path)

    async def latest(self, path: str) -> bytes:
        return await self.supply.latest(path)

    async def prove(self, version: Version) -> Sums:
        return await self.supply.prove(version)


async def read(project: Project, files: Files) -> Reading:
    """Reads one main module; `project` has exactly one, outside of any workspace."""
    build = await files.graph(project)
    loading = Loading(project, build.graph)
    while missing := loading.missing():
        for source, tree in (await files.trees(missing)).items():
            loading.add(source, tree)
    older = await _older(project, files)
    needed = sums.needed(project.mains, build.graph, loading, older)
    requirements = await _requirements(project, files, loading)
    faults = tidy.faults(project, loading, requirements)
    return Reading(project, build, loading, needed, tuple(faults), dict(files.unread))


async def _older(project: Project, files: Files) -> ModuleGraph | None:
    """The graph that Go 1.16 sees of a go 1.17 module: tidy keeps go.sum good for both."""
    (main,) = project.mains.modules
    if gover.lang(main.requirements.go) != sums.COMPATIBLE:
        return None
    requirements = replace(main.requirements, go=_UNPRUNED)
    unpruned = replace(main, requirements=requirements)
    return (await files.graph(_with(project, unpruned))).graph


def _with(project: Project, main: Main) -> Project:
    return replace(project, mains=replace(project.mains, modules=(main,)))


async def _requirements(project: Project, files: Files, loading: Loading) -> Mapping[str, str]:
    (main,) = project.mains.modules
    steps = tidy.wanted(project, loading)
    roots = next(steps)
    while True:
        asked = replace(main, requirements=replace(main.requirements, require=roots))
        graph = (await files.graph(_with(project, asked))).graph
        try:
            roots = steps.send(graph)
        except StopIteration as done:
            found: Mapping[str, str] = done.value
            return found
