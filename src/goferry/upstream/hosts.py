"""Manners towards one host: how many requests at once, and whether it is worth asking at all.

The breaker counts what costs waiting. A time limit that ran out on a host that has not spoken meanwhile opens it at
once (everyone else would wait as long); refusals to connect and 5xx answers open it only in a row. So an upstream
which fails now and then is retried, and a dead one costs one time limit instead of one per request.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from goferry.errors import Unavailable
from goferry.net.breaker import Breaker, State
from goferry.net.failure import Failure

_SERVER_ERRORS_PER_FAILURE = 4
"""5xx answers in a row that weigh as much as one refused connection: an answer came, so waiting was short."""


class HostGate:
    """Slots and breaker of one host."""

    def __init__(self, host: str, *, slots: int, breaker: Breaker, clock: Callable[[], float]) -> None:
        self.host = host
        self.breaker = breaker
        self._slots = asyncio.Semaphore(slots)
        self._clock = clock
        self._server_errors = 0
        self._last_answer = float("-inf")

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Waits for a free slot; raises Unavailable while the breaker is open."""
        async with self._slots:
            if not self.breaker.allow():
                raise Unavailable(
                    "{host} did not answer before and is not asked again for a moment",
                    hint="it is tried again by itself; see goferry_breaker_state in /metrics",
                    host=self.host,
                )
            yield

    def answered(self, status: int) -> None:
        """The host spoke; only 5xx in a row count against it."""
        self._last_answer = self._clock()
        if status < 500:
            self._server_errors = 0
            self.breaker.success()
            return
        self._server_errors += 1
        if self._server_errors % _SERVER_ERRORS_PER_FAILURE == 0:
            self.breaker.failure()

    def failed(self, kind: Failure, began: float) -> None:
        """The host could not be reached or went silent in a request that began at `began` (by the same clock)."""
        if kind.is_timeout and self._last_answer < began:
            self.breaker.trip()
        else:
            self.breaker.failure()


class HostGates:
    """The gates of all hosts that were asked so far."""

    def __init__(
        self,
        *,
        slots: int = 32,
        failures: int = 5,
        reset: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slots = slots
        self._failures = failures
        self._reset = reset
        self._clock = clock
        self._gates: dict[str, HostGate] = {}

    def of(self, host: str) -> HostGate:
        """The gate of `host` (with port, as in a URL)."""
        gate = self._gates.get(host)
        if gate is None:
            breaker = Breaker(failures=self._failures, reset=self._reset, clock=self._clock)
            gate = HostGate(host, slots=self._slots, breaker=breaker, clock=self._clock)
            self._gates[host] = gate
        return gate

    def states(self) -> Mapping[str, State]:
        """Breaker state per host, for metrics."""
        return {host: gate.breaker.state for host, gate in self._gates.items()}
