"""Manners towards one host: how many requests at once, and whether it is worth asking at all.

The breaker counts what costs waiting. A time limit that ran out on a host that has not spoken meanwhile opens it at
once (everyone else would wait as long); refusals to connect and 5xx answers open it only in a row. So an upstream
which fails now and then is retried, and a dead one costs one time limit instead of one per request.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from goferry.errors import Unavailable
from goferry.findings import Text
from goferry.net.breaker import Breaker, BreakerRules, Breakers, BreakerState, Ticket
from goferry.net.failure import NetError

_SERVER_ERRORS_PER_FAILURE = 4
"""5xx answers in a row that weigh as much as one refused connection: an answer came, so waiting was short."""


class HostGate:
    """Slots and breaker of one host."""

    def __init__(self, host: str, *, slots: int, breaker: Breaker, clock: Callable[[], float]) -> None:
        self.host = host
        self.clock = clock
        self.server_errors = 0
        self.last_answer = float("-inf")
        self.trouble: Text | str = ""
        """The last failure, for those who are turned away because of it."""
        self._breaker = breaker
        self._slots = asyncio.Semaphore(slots)

    def visit(self) -> "Visit":
        """Room for one request, as a context: entering it waits for a free slot, and raises Unavailable while the
        breaker is open."""
        return Visit(self)

    async def enter(self) -> Ticket:
        """For Visit. Who has a ticket calls `leave`."""
        await self._slots.acquire()
        ticket = self._breaker.ask()
        if ticket is None:
            self.leave()
            raise Unavailable(
                "{why}; {host} is not asked again for a moment",
                hint="it is tried again by itself; see goferry_breaker_state in /metrics",
                why=self.trouble,
                host=self.host,
            )
        return ticket

    def leave(self) -> None:
        """For Visit: the slot is free again."""
        self._slots.release()


class Visit(AbstractAsyncContextManager["Visit"]):
    """One request to the host; what came of it is told to the breaker."""

    _ticket: Ticket
    _began: float

    def __init__(self, gate: HostGate) -> None:
        self._gate = gate

    async def __aenter__(self) -> "Visit":
        self._ticket = await self._gate.enter()
        self._began = self._gate.clock()
        return self

    async def __aexit__(self, *_raised: object) -> None:
        self._ticket.abandoned()
        self._gate.leave()

    def answered(self, status: int) -> None:
        """The host spoke; only 5xx in a row count against it."""
        gate = self._gate
        gate.last_answer = gate.clock()
        if status < 500:
            gate.server_errors = 0
            self._ticket.succeeded()
            return
        gate.server_errors += 1
        gate.trouble = Text("{upstream} answered {status}", upstream=gate.host, status=status)
        if gate.server_errors % _SERVER_ERRORS_PER_FAILURE == 0:
            self._ticket.failed()

    def failed(self, error: NetError) -> None:
        """The host could not be reached or went silent."""
        self._gate.trouble = Text.of(error)
        self._ticket.failed(fatal=error.kind.is_timeout and self._gate.last_answer < self._began)


class HostGates:
    """The gates of all hosts that were asked so far."""

    def __init__(
        self,
        *,
        slots: int = 32,
        rules: BreakerRules | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._slots = slots
        self._clock = clock
        self._breakers = Breakers(rules, clock=clock)
        self._gates: dict[str, HostGate] = {}

    def of(self, host: str) -> HostGate:
        """The gate of `host` (with port, as in a URL)."""
        gate = self._gates.get(host)
        if gate is None:
            breaker = self._breakers.of(host)
            gate = HostGate(host, slots=self._slots, breaker=breaker, clock=self._clock)
            self._gates[host] = gate
        return gate

    def states(self) -> Mapping[str, BreakerState]:
        """Breaker state per host, for metrics."""
        return self._breakers.states()
