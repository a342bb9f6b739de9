"""The real build list: the go.mod files of a graph are fetched until nothing is missing, then versions are selected."""

import asyncio
from collections.abc import Callable, Iterable

from goferry.deps.base import BuildList, Module, Project, Supply
from goferry.deps.sources import check_module_line, local_requirements, requirements_of
from goferry.errors import GoferryError
from goferry.gomod import modfile
from goferry.gomod.modgraph import Graph, Local, Requirements
from goferry.gomod.module import Version

JOBS = 16

Step = Callable[[int, int], None]
"""Told how many go.mod files are read, of how many that are known to be needed."""


async def build_list(
    project: Project, supply: Supply, *, jobs: int = JOBS, step: Step | None = None
) -> BuildList:
    """What go would build. What cannot be had is in `unread`; the list then ends where go itself would stop."""
    graph = Graph(project.mains)
    reader = _Reader(supply, jobs, step)
    while missing := graph.missing():
        for version, found in zip(missing, await reader.read(project, missing), strict=True):
            graph.add(version, found)
    return BuildList(project, modules(project, graph.build_list()), graph.module_graph(), reader.unread)


def modules(project: Project, selected: Iterable[Version]) -> tuple[Module, ...]:
    """The modules of a build list: the main ones, then what was selected, in the given order."""
    mains = project.mains
    direct = {version.path for main in mains.modules for version in main.direct}
    found = [Module(main.path, "", main=True) for main in mains.modules]
    for version in selected:
        source = mains.source(version)
        replaced = None if source == version else source
        found.append(
            Module(version.path, version.version, indirect=version.path not in direct, replace=replaced)
        )
    return tuple(found)


class _Reader:
    """Reads what go.mod files require, at most `jobs` at a time, each one once."""

    def __init__(self, supply: Supply, jobs: int, step: Step | None) -> None:
        self.unread: dict[Version, GoferryError] = {}
        self._supply = supply
        self._slots = asyncio.Semaphore(jobs)
        self._step = step
        self._done = self._total = 0

    async def read(self, project: Project, versions: list[Version]) -> list[Requirements | None]:
        self._total += len(versions)
        return await asyncio.gather(
            *(self._one(version, project.mains.source(version)) for version in versions)
        )

    async def _one(self, version: Version, source: Version | Local) -> Requirements | None:
        async with self._slots:
            try:
                found = await self._requirements(version, source)
            except GoferryError as error:
                self.unread[version] = error
                found = None
        self._done += 1
        if self._step is not None:
            self._step(self._done, self._total)
        return found

    async def _requirements(self, version: Version, source: Version | Local) -> Requirements:
        if isinstance(source, Local):
            return local_requirements(source)
        file = modfile.parse_lax(f"{source}/go.mod", await self._supply.mod(source))
        check_module_line(file, version, source)
        return requirements_of(file)
