"""A circuit breaker per host: a dead server costs one time-out, not one per request.

    CLOSED     requests pass; failures in a row are counted; at the limit → OPEN
    OPEN       nothing passes until the pause is over; then → HALF_OPEN
    HALF_OPEN  one request passes as a probe; success → CLOSED, failure → OPEN with twice the pause (up to a cap)

Who wants to ask takes a Ticket and says on it how it went. A ticket from before the last change of state no longer
counts, so a slow failure from long ago cannot close or open anything. Nothing here waits, and the clock is passed in.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class BreakerState(StrEnum):
    """Stable names, as in the metrics."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """failures: in a row, before it opens; pause: seconds that it stays open, doubled per failed probe to max_pause."""

    failures: int = 5
    pause: float = 5.0
    max_pause: float = 300.0


class Breaker:
    """The breaker of one host."""

    def __init__(
        self, rules: BreakerRules | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._rules = rules or BreakerRules()
        self._clock = clock
        self._failures = 0
        self._pause = self._rules.pause
        self._open_until: float | None = None  # None: closed
        self._probing = False
        self._epoch = 0  # counts the changes of state, to know old tickets

    @property
    def state(self) -> BreakerState:
        """The state now."""
        if self._open_until is None:
            return BreakerState.CLOSED
        return BreakerState.HALF_OPEN if self._clock() >= self._open_until else BreakerState.OPEN

    @property
    def retry_in(self) -> float:
        """Seconds until a probe may pass; 0 when something may pass now."""
        return 0.0 if self._open_until is None else max(0.0, self._open_until - self._clock())

    def ask(self) -> "Ticket | None":
        """A ticket for one request, or None if it must not be made."""
        state = self.state
        if state is BreakerState.OPEN or self._probing:
            return None
        self._probing = state is BreakerState.HALF_OPEN
        return Ticket(self, self._epoch)

    def _succeeded(self) -> None:
        self._failures = 0
        if self._open_until is not None:
            self._open_until, self._pause = None, self._rules.pause
            self._turn()

    def _failed(self, fatal: bool) -> None:
        self._failures += 1
        if self._open_until is not None:
            self._pause = min(self._pause * 2, self._rules.max_pause)
        elif not fatal and self._failures < self._rules.failures:
            return
        self._open_until = self._clock() + self._pause
        self._turn()

    def _turn(self) -> None:
        self._epoch += 1
        self._probing = False


class Ticket:
    """Permission for one request. Exactly one of the three methods ends it; later calls do nothing."""

    __slots__ = ("_breaker", "_epoch")

    def __init__(self, breaker: Breaker, epoch: int) -> None:
        self._breaker: Breaker | None = breaker
        self._epoch = epoch

    def succeeded(self) -> None:
        """The host answered, whatever the answer was."""
        if (breaker := self._spend()) is not None:
            breaker._succeeded()

    def failed(self, *, fatal: bool = False) -> None:
        """The host did not answer. fatal: it is so clearly dead (a connect time-out, say) that once is enough."""
        if (breaker := self._spend()) is not None:
            breaker._failed(fatal)

    def abandoned(self) -> None:
        """The request was given up on our side, so nothing was learnt; another probe may go."""
        if (breaker := self._spend()) is not None:
            breaker._probing = False

    def _spend(self) -> Breaker | None:
        breaker, self._breaker = self._breaker, None
        return breaker if breaker is not None and breaker._epoch == self._epoch else None


class Breakers:
    """The breakers of all hosts, made as they are met; those that are closed and idle are forgotten beyond `keep`."""

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        keep: int = 1024,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules = rules or BreakerRules()
        self._keep = keep
        self._clock = clock
        self._hosts: dict[str, Breaker] = {}

    def of(self, host: str) -> Breaker:
        """The breaker of this host (`name` or `name:port`)."""
        breaker = self._hosts.get(host)
        if breaker is None:
            if len(self._hosts) >= self._keep:
                self._hosts = {h: b for h, b in self._hosts.items() if b.state is not BreakerState.CLOSED}
            breaker = self._hosts[host] = Breaker(self._rules, clock=self._clock)
        return breaker

    def states(self) -> Mapping[str, BreakerState]:
        """The state of every host met so far, for the metrics."""
        return {host: breaker.state for host, breaker in sorted(self._hosts.items())}
