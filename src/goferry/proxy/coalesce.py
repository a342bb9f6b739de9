"""Identical work that is wanted several times at once is done once.

A flight is a task of its own: whoever asked for it may go away without ending it for the others. When the last one
has gone, `worth_finishing` decides; a body that is nearly here is cheaper to finish than to fetch again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def _always() -> bool:
    return True


@dataclass(slots=True, eq=False)
class _Flight:
    task: asyncio.Task[Any]
    worth_finishing: Callable[[], bool]
    waiters: int = 0


class Flights:
    """The work under way in this process, by name."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._flights

    async def run(
        self, name: str, work: Callable[[], Awaitable[T]], *, worth_finishing: Callable[[], bool] = _always
    ) -> tuple[T, bool]:
        """The result of `work`, and whether it was joined while already under way."""
        joined = name in self._flights
        flight = self._flights[name] if joined else self._start(name, work, worth_finishing)
        flight.waiters += 1
        try:
            result: T = await asyncio.shield(flight.task)
            return result, joined
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.task.done() and not flight.worth_finishing():
                flight.task.cancel()

    def ahead(
        self, name: str, work: Callable[[], Awaitable[Any]], *, worth_finishing: Callable[[], bool] = _always
    ) -> None:
        """Start work that is likely to be wanted soon. Its failure is seen by those who join, and by nobody else."""
        if name not in self._flights:
            self._start(name, work, worth_finishing)

    async def close(self) -> None:
        """Cancel what is under way and wait until it is gone."""
        tasks = [flight.task for flight in self._flights.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while self._flights:
            await asyncio.wait([flight.task for flight in self._flights.values()])

    def _start(
        self, name: str, work: Callable[[], Awaitable[Any]], worth_finishing: Callable[[], bool]
    ) -> _Flight:
        async def fly() -> Any:
            return await work()

        flight = _Flight(asyncio.create_task(fly(), name=name), worth_finishing)
        self._flights[name] = flight
        flight.task.add_done_callback(lambda task: self._land(name, task))
        return flight

    def _land(self, name: str, task: asyncio.Task[Any]) -> None:
        self._flights.pop(name, None)
        if not task.cancelled():
            task.exception()  # seen: a flight without waiters must not be reported as a forgotten error
