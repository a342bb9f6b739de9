"""Asks for what `status` wants to know, for many versions at once, each question only once."""

import asyncio
from collections.abc import Callable, Iterable

from goferry.deps.base import BuildList, Supply
from goferry.deps.sources import local_go_mod
from goferry.deps.status import Answer, Ask, Question, Status, judge
from goferry.errors import GoferryError
from goferry.gomod.modgraph import Local, Mains
from goferry.gomod.module import Version

JOBS = 16

Step = Callable[[int, int], None]
"""Told how many versions are judged, of how many."""


class Registry:
    """Statuses from one supply. What was answered stays: for many projects that use the same modules, use one."""

    def __init__(self, supply: Supply, *, jobs: int = JOBS) -> None:
        self._supply = supply
        self._slots = asyncio.Semaphore(jobs)
        self._answers: dict[Question, Answer] = {}
        self._asked: dict[Question, asyncio.Task[Answer]] = {}

    async def of_list(
        self, found: BuildList, *, majors: bool = True, step: Step | None = None
    ) -> dict[Version, Status]:
        """The status of every dependency, and of what replaces it; see `versions_of`."""
        return await self.of(found.project.mains, versions_of(found), majors=majors, step=step)

    async def of(
        self, mains: Mains, versions: Iterable[Version], *, majors: bool = True, step: Step | None = None
    ) -> dict[Version, Status]:
        """The status of versions in a project with these main modules."""
        wanted = list(dict.fromkeys(versions))
        done = 0

        async def one(version: Version) -> Status:
            nonlocal done
            status = await self._status(mains, version, majors=majors)
            done += 1
            if step is not None:
                step(done, len(wanted))
            return status

        return dict(zip(wanted, await asyncio.gather(*map(one, wanted)), strict=True))

    async def _status(self, mains: Mains, version: Version, *, majors: bool) -> Status:
        while isinstance(found := judge(version, mains, self._answers, majors=majors), Question):
            if found not in self._asked:
                self._asked[found] = asyncio.create_task(self._ask(found))
            self._answers[found] = await self._asked[found]
        return found

    async def _ask(self, question: Question) -> Answer:
        async with self._slots:
            try:
                return await self._answer(question)
            except GoferryError as error:
                return error

    async def _answer(self, question: Question) -> Answer:
        about = question.about
        if isinstance(about, Local):
            return local_go_mod(about)
        match question.ask:
            case Ask.VERSIONS:
                return await self._supply.versions(about.path)
            case Ask.LATEST:
                return await self._supply.latest(about.path)
            case Ask.INFO:
                return await self._supply.info(about)
            case Ask.MOD:
                return await self._supply.mod(about)


def versions_of(found: BuildList) -> list[Version]:
    """What can be asked about: each dependency as it is required, and the version that replaces it."""
    replacing = [m.replace for m in found.dependencies() if isinstance(m.replace, Version)]
    return [*(module.module for module in found.dependencies()), *replacing]
