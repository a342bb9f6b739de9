"""Everything that a gate judges about one main module, read through a supply: graphs, zips, packages."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from goferry.deps.base import BuildList, Project, Supply
from goferry.deps.buildlist import JOBS
from goferry.deps.gate import sums, tidy
from goferry.deps.gate.packages import Loading, Source
from goferry.deps.reading import modules
from goferry.deps.sources import check_module, local_requirements
from goferry.deps.trees import FolderTree, OpenZips, Tree, ZipTree
from goferry.errors import GoferryError
from goferry.gomod import gover
from goferry.gomod.gosum import go_mod_key
from goferry.gomod.modgraph import Graph, Local, Main, Mains, ModuleGraph, Requirements
from goferry.gomod.modsummary import summarize
from goferry.gomod.module import Version

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
    """go.mod files and zips for one main module (in its variants), each fetched once however often it is asked for.

    A context manager: it closes the zips.
    """

    def __init__(self, supply: Supply, step: Step | None = None) -> None:
        self.supply = supply
        self.unread: dict[str, GoferryError] = {}
        self._step = step
        self._slots = asyncio.Semaphore(JOBS)
        self._known: dict[Version, Requirements | None] = {}
        self._lost: dict[Version, GoferryError] = {}
        self._trees: dict[Source, Tree | None] = {}
        self._zips = OpenZips()
        self._done = self._total = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zips.close()

    async def graph(self, project: Project) -> BuildList:
        """The build list and graph of a project; what could not be had is in `unread` of both."""
        graph = Graph(project.mains)
        for version, known in self._known.items():
            graph.add(version, known)
        while missing := graph.missing():
            await asyncio.gather(*(self._read(version, project.mains) for version in missing))
            for version in missing:
                graph.add(version, self._known[version])
        listed = modules(project, graph.build_list())
        return BuildList(project, listed, graph.module_graph(), dict(self._lost))

    async def _read(self, version: Version, mains: Mains) -> None:
        """What a version requires: all projects here are variants of one, so its source is always the same."""
        source = mains.source(version)
        found = None
        async with self._slots:
            try:
                found = await self._requirements(version, source)
            except GoferryError as error:
                self._lost[version] = error
                self.unread[str(go_mod_key(version))] = error
        self._known[version] = found

    async def _requirements(self, version: Version, source: Source) -> Requirements:
        if isinstance(source, Local):
            return local_requirements(source)
        summary = summarize(f"{source}/go.mod", await self.supply.mod(source))
        check_module(summary.module, version, source)
        return summary.requirements

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
                tree: ZipTree | None = ZipTree(source, await self.supply.zip(source), self._zips)
            except GoferryError as error:
                self.unread[str(source)] = error
                tree = None
        self._done += 1
        if self._step is not None:
            self._step(self._done, self._total)
        return tree


async def read(project: Project, files: Files) -> Reading:
    """Reads one main module; `project` has exactly one, outside of any workspace."""
    build = await files.graph(project)
    loading = Loading(project, build.graph)
    while missing := loading.missing():
        for source, tree in (await files.trees(missing)).items():
            loading.give(source, tree or files.unread[str(source)])
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
    requirements = Requirements(_UNPRUNED, main.requirements.require)
    unpruned = main._replace(requirements=requirements)
    return (await files.graph(_with(project, unpruned))).graph


def _with(project: Project, main: Main) -> Project:
    return project._replace(mains=project.mains._replace(modules=(main,)))


async def _requirements(project: Project, files: Files, loading: Loading) -> Mapping[str, str]:
    (main,) = project.mains.modules
    steps = tidy.wanted(project, loading)
    roots = next(steps)
    while True:
        asked = main._replace(requirements=Requirements(main.requirements.go, roots))
        graph = (await files.graph(_with(project, asked))).graph
        try:
            roots = steps.send(graph)
        except StopIteration as done:
            found: Mapping[str, str] = done.value
            return found
