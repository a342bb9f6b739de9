"""Audits on a schedule: due after the last one, kept, and told.

When the next audit is due follows from what is kept, so a restart changes nothing: one that is not due yet is waited
for, one that was missed is made at once. One that failed is made again after a pause that doubles. Only one process at
a time makes audits with one kept file; who comes second finds that it is not due any more. Clock, waiting and jitter
are handed in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final

from goferry.deps import history
from goferry.deps.audit.records import Audit
from goferry.deps.kept import Kept
from goferry.errors import GoferryError, InvalidInput

_log = logging.getLogger(__name__)

FIRST_PAUSE: Final = 300.0
"""Seconds after the first failure in a row; never longer than the time between two audits."""

SPREAD: Final = 0.05
"""How much later an audit may begin, as a part of the time between two: not all of them should begin at once."""

_KEEP_ATTEMPTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at an audit. Times are seconds since the epoch; `ended` is None while it runs, or if its process died."""

    started: float
    ended: float | None = None
    failure: str | None = None

    @property
    def failed(self) -> bool:
        return self.ended is None or self.failure is not None


def next_due(attempts: Sequence[Attempt], every: float, jitter: float = 0.0) -> float:
    """When the next audit is due, in seconds since the epoch; 0 if there never was one.

    attempts: the last ones, the newest first, back to one that did not fail. jitter: from 0 to 1.
    """
    if not attempts:
        return 0.0
    last = attempts[0]
    if not last.failed:
        return last.started + every * (1.0 + SPREAD * jitter)
    failures = next((n for n, attempt in enumerate(attempts) if not attempt.failed), len(attempts))
    pause = min(every, FIRST_PAUSE * 2.0 ** min(failures - 1, 30))
    return (last.started if last.ended is None else last.ended) + pause * (1.0 + SPREAD * jitter)


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one audit."""

    seconds: float
    audit: Audit | None = None
    failure: BaseException | None = None
    untold: int = 0
    """Receivers that did not take their notice."""


@dataclass(frozen=True, slots=True)
class Work:
    """What a schedule does, and when."""

    every: float
    audit: Callable[[], Awaitable[Audit]]
    """Makes one audit."""
    tell: Callable[[Audit], Awaitable[int]]
    """Tells its news; the number of receivers that did not take them."""


class Schedule:
    """The schedule of one kept file."""

    def __init__(self, kept: Kept, work: Work, *, clock: Callable[[], float], jitter: float = 0.0) -> None:
        self._kept = kept
        self._work = work
        self._clock = clock
        self._jitter = jitter

    def due(self) -> float:
        """When the next audit is due, in seconds since the epoch."""
        return next_due(self._attempts(), self._work.every, self._jitter)

    def _attempts(self) -> list[Attempt]:
        """Back to the last that did not fail."""
        found = []
        for row in self._kept.rows("SELECT started, ended, failure FROM attempts ORDER BY id DESC LIMIT 40"):
            found.append(Attempt(*row))
            if not found[-1].failed:
                break
        return found

    async def once(self, *, force: bool = False) -> Done | None:
        """Makes an audit if it is due, keeps it and tells it; None if it was not due (any more).

        Never raises what an audit raises. Cancelled, it leaves no trace and is due as before.
        """
        locks = self._kept.locks()
        try:
            async with locks.hold("audit"):
                if not force and self.due() > self._clock():
                    return None
                return await self._attempt()
        finally:
            locks.close()

    async def _attempt(self) -> Done:
        started = self._clock()
        attempt = self._begin(started)
        try:
            audit = await self._work.audit()
            _keep(self._kept, audit)
            untold = await self._work.tell(audit)
        except asyncio.CancelledError:
            self._kept.do("DELETE FROM attempts WHERE id = ?", (attempt,))
            raise
        except Exception as failure:  # noqa: BLE001 - whatever an audit breaks on, the next one is made all the same
            text = str(failure) if isinstance(failure, GoferryError) else repr(failure)
            self._end(attempt, text)
            return Done(self._clock() - started, failure=failure)
        self._end(attempt, None)
        return Done(self._clock() - started, audit, untold=untold)

    def _begin(self, started: float) -> int:
        with self._kept.writing():
            self._kept.do(
                "DELETE FROM attempts WHERE id <= (SELECT max(id) FROM attempts) - ?", (_KEEP_ATTEMPTS,)
            )
            return self._kept.do("INSERT INTO attempts (started) VALUES (?)", (started,))

    def _end(self, attempt: int, failure: str | None) -> None:
        self._kept.do(
            "UPDATE attempts SET ended = ?, failure = ? WHERE id = ?", (self._clock(), failure, attempt)
        )

    async def next(self, pause: Callable[[float], Awaitable[None]]) -> Done:
        """Waits until an audit is due, and makes it. `pause` waits so many seconds."""
        while True:
            while (left := self.due() - self._clock()) > 0:
                # In pieces: a clock that is put forward, or a machine that slept, is noticed.
                await pause(min(left, 60.0))
            if (done := await self.once()) is not None:
                return done


def _keep(kept: Kept, audit: Audit) -> None:
    try:
        history.record(kept, audit)
    except InvalidInput as error:
        # A clock that was put back: the audit is told, and the next one is kept again.
        _log.warning("%s", error)
