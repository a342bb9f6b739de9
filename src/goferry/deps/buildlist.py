"""The real build list: the go.mod files of a graph are fetched until nothing is missing, then versions are selected."""

import asyncio
from collections.abc import Callable

from goferry.deps.base import BuildList, Project, Supply
from goferry.deps.reading import Reading
from goferry.errors import GoferryError
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

JOBS = 16

Step = Callable[[int, int], None]
"""Told how many go.mod files are read, of how many that are known to be needed."""


async def build_list(
    project: Project, supply: Supply, *, jobs: int = JOBS, step: Step | None = None
) -> BuildList:
    """What go would build. What cannot be had is in `unread`; the list then ends where go itself would stop."""
    return await finished(Reading(project), supply, jobs=jobs, step=step)


async def finished(
    reading: Reading, supply: Supply, *, jobs: int = JOBS, step: Step | None = None
) -> BuildList:
    """The same from what is read already."""
    fetcher = _Fetcher(reading, supply, jobs, step)
    while missing := reading.missing():
        await fetcher.fetch(missing)
    return reading.build_list()


class _Fetcher:
    """Fetches go.mod files, at most `jobs` at a time, each one once."""

    def __init__(self, reading: Reading, supply: Supply, jobs: int, step: Step | None) -> None:
        self._reading = reading
        self._supply = supply
        self._slots = asyncio.Semaphore(jobs)
        self._step = step
        self._done = self._total = 0

    async def fetch(self, versions: list[Version]) -> None:
        self._total += len(versions)
        await asyncio.gather(*map(self._one, versions))

    async def _one(self, version: Version) -> None:
        source = self._reading.source(version)
        async with self._slots:
            try:
                data = b"" if isinstance(source, Local) else await self._supply.mod(source)
            except GoferryError as error:
                self._reading.fail(version, error)
            else:
                self._reading.add(version, source, data)
        self._done += 1
        if self._step is not None:
            self._step(self._done, self._total)
