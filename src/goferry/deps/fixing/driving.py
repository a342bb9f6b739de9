"""Answers what a plan asks for, through a supply."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TypeAlias

from goferry.deps.base import Supply
from goferry.deps.buildlist import JOBS
from goferry.deps.fixing.asking import Ask, AskMod, Known, Listed, Steps, T
from goferry.deps.sources import check_module_line, local_requirements, requirements_of
from goferry.errors import GoferryError, NotFound
from goferry.gomod import gover, modfile, pseudo, query, semver
from goferry.gomod.modgraph import Local, Mains, Requirements
from goferry.gomod.module import Version

Good: TypeAlias = Callable[[str], Iterable[str]]
"""Of a module path: the versions that the database calls fixed, with commits among them."""

Step: TypeAlias = Callable[[int, int], None]
"""Told how many questions are answered, of how many that were asked."""

Tried: TypeAlias = Callable[[int], None]
"""Told how many sets of raises were tried."""


def nothing_known(_path: str) -> Iterable[str]:
    """Good where there is no database."""
    return ()


class Driver:
    """Runs steps to their end. What could not be had is in `unread`, by what was asked for."""

    def __init__(
        self,
        mains: Mains,
        supply: Supply,
        good: Good = nothing_known,
        step: Step | None = None,
        tried: Tried | None = None,
    ) -> None:
        self.known = Known()
        self.unread: dict[str, GoferryError] = {}
        self._supply = supply
        self._good = good
        self._step = step
        self._tried = tried
        self._tries = 0
        self._slots = asyncio.Semaphore(JOBS)
        self._done = self._total = 0
        layers = [main.replace for main in mains.modules]
        if mains.workspace:
            layers.append(mains.workspace.replace)
        self._replacing = {new for layer in layers for new in layer.values()}

    async def run(self, steps: Steps[T]) -> T:
        while True:
            try:
                asks = next(steps)
            except StopIteration as done:
                found: T = done.value
                return found
            if not asks:
                await self._rest()
                continue
            self._total += len(asks)
            await asyncio.gather(*map(self._answer, asks))

    async def _rest(self) -> None:
        """A search may take long: it is seen to go on, and can be interrupted."""
        self._tries += 1
        if self._tried is not None:
            self._tried(self._tries)
        await asyncio.sleep(0)

    async def _answer(self, ask: Ask) -> None:
        async with self._slots:
            if isinstance(ask, AskMod):
                self.known.mods[ask.source] = await self._mod(ask.source)
            else:
                self.known.lists[ask.path] = await self._versions(ask.path)
        self._done += 1
        if self._step is not None:
            self._step(self._done, self._total)

    async def _mod(self, source: Version | Local) -> Requirements | None:
        try:
            if isinstance(source, Local):
                return local_requirements(source)
            file = modfile.parse_lax(f"{source}/go.mod", await self._supply.mod(source))
            if source not in self._replacing:
                check_module_line(file, source, source)
            return requirements_of(file)
        except GoferryError as error:
            self.unread[str(source) if isinstance(source, Version) else source.folder] = error
            return None

    async def _versions(self, path: str) -> Listed | None:
        try:
            listed = await self._supply.versions(path)
            retracted = await self._retracted(path, listed)
        except NotFound:
            return Listed()
        except GoferryError as error:
            self.unread[path] = error
            return None
        commits = [version for version in self._good(path) if pseudo.is_pseudo_version(version)]
        released = tuple(semver.sort(version for version in listed if version not in retracted))
        return (
            Listed(released, tuple(semver.sort(commits))) if released else Listed(tuple(semver.sort(commits)))
        )

    async def _retracted(self, path: str, listed: tuple[str, ...]) -> set[str]:
        """Versions that the go.mod of the latest one takes back, itself perhaps among them."""
        latest = query.latest_of(listed)
        if not latest:
            return set()
        file = modfile.parse_lax(f"{path}/go.mod", await self._supply.mod(Version(path, latest)))
        return {
            version for version in listed for line in file.retract if _covers(path, line.interval, version)
        }


def _covers(path: str, interval: modfile.VersionInterval, version: str) -> bool:
    low, high = interval.low, interval.high
    return gover.mod_compare(path, low, version) <= 0 and gover.mod_compare(path, version, high) <= 0
