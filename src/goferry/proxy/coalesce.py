"""Identical work that is wanted several times at once is done once.

A flight is a task of its own: whoever asked for it may go away without ending it for the others. When the last one
has gone, `worth_finishing` decides; a body that is nearly here is cheaper to finish than to fetch again.

The work may deliver its result before it is through with itself: bytes are proven first and kept afterwards, and
nobody has to wait for the disk. Until then the name stays taken, so nobody starts the same work again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")

Deliver = Callable[[T], None]
"""Gives the result to all who wait, while the work goes on."""

Work = Callable[[Deliver[T]], Awaitable[T]]
"""Work to be done once. What it returns counts if nothing was delivered before."""


def _always() -> bool:
    return True


@dataclass(slots=True, eq=False)
class _Flight:
    worth_finishing: Callable[[], bool]
    result: asyncio.Future[Any] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    task: asyncio.Task[Any] | None = None
    waiters: int = 0

    def deliver(self, result: Any) -> None:
        if not self.result.done():
            self.result.set_result(result)

    def fail(self, error: BaseException) -> None:
        if not self.result.done():
            self.result.set_exception(error)
            self.result.exception()  # seen: a flight without waiters must not be reported as a forgotten error


class Flights:
    """The work under way in this process, by name."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._flights

    async def run(
        self, name: str, work: Work[T], *, worth_finishing: Callable[[], bool] = _always
    ) -> tuple[T, bool]:
        """The result of `work`, and whether it was joined while already under way."""
        joined = name in self._flights
        flight = self._flights[name] if joined else self._start(name, work, worth_finishing)
        flight.waiters += 1
        try:
            result: T = await asyncio.shield(flight.result)
            return result, joined
        finally:
            flight.waiters -= 1
            if not flight.waiters and not flight.result.done() and not flight.worth_finishing():
                assert flight.task is not None
                flight.task.cancel()

    def ahead(self, name: str, work: Work[Any], *, worth_finishing: Callable[[], bool] = _always) -> None:
        """Start work that is likely to be wanted soon. Its failure is seen by those who join, and by nobody else."""
        if name not in self._flights:
            self._start(name, work, worth_finishing)

    async def close(self) -> None:
        """Let what has been delivered be kept, cancel the rest, and wait until all is gone."""
        for flight in self._flights.values():
            if not flight.result.done() and flight.task is not None:
                flight.task.cancel()
        await self.idle()

    async def idle(self) -> None:
        """Wait until nothing is under way."""
        while tasks := [flight.task for flight in self._flights.values() if flight.task is not None]:
            await asyncio.wait(tasks)

    def _start(self, name: str, work: Work[Any], worth_finishing: Callable[[], bool]) -> _Flight:
        flight = _Flight(worth_finishing)
        self._flights[name] = flight
        flight.task = asyncio.create_task(_fly(flight, work), name=name)
        flight.task.add_done_callback(lambda task: self._land(name, flight, task))
        return flight

    def _land(self, name: str, flight: _Flight, task: asyncio.Task[None]) -> None:
        del self._flights[name]
        if task.cancelled() and not flight.result.done():
            flight.result.cancel()


async def _fly(flight: _Flight, work: Work[Any]) -> None:
    try:
        flight.deliver(await work(flight.deliver))
    except Exception as error:  # noqa: BLE001  whatever it is belongs to those who wait
        flight.fail(error)
