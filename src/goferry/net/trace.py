"""Every step of a request as an event. Logs, metrics and the doctor read the same events; none is written twice.

A step says `started`, then `complete` or `failed`. Times are monotonic seconds, so differences are durations.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

from goferry.net.failure import Failure, classify


class Step(StrEnum):
    """What is being done."""

    RESOLVE = "resolve"
    CONNECT = "connect"
    PROXY_CONNECT = "proxy_connect"
    TLS = "tls"
    REQUEST = "request"
    FIRST_BYTE = "first_byte"
    BODY = "body"
    REDIRECT = "redirect"


class State(StrEnum):
    """How far it is."""

    STARTED = "started"
    COMPLETE = "complete"
    FAILED = "failed"


class Event(NamedTuple):
    """One moment of one step. `detail` holds plain values (text, numbers, tuples); a failed step has `failure`."""

    step: Step
    state: State
    at: float
    detail: Mapping[str, Any]


Observer = Callable[[Event], None]


class Trace:
    """The events of one request, in order, and passed on to the observers as they happen.

    keep: whether `events` is filled; the server only needs its observers. `is_heard` tells whether anybody learns of
    an event, for those to whom it matters what it costs to describe one.
    """

    __slots__ = ("_clock", "_keep", "_observers", "events", "is_heard")

    def __init__(
        self,
        observers: Sequence[Observer] = (),
        *,
        keep: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.events: list[Event] = []
        self._observers = tuple(observers)
        self._keep = keep
        self.is_heard = keep or bool(self._observers)
        self._clock = clock

    def emit(self, step: Step, state: State, **detail: Any) -> None:
        """Records one event."""
        if not self.is_heard:
            return
        self.record(Event(step, state, self._clock(), detail))

    def record(self, event: Event) -> None:
        """Takes in an event that another trace has emitted; so a trace can observe a trace."""
        if self._keep:
            self.events.append(event)
        for observer in self._observers:
            observer(event)

    @contextmanager
    def step(self, step: Step, **detail: Any) -> Iterator[dict[str, Any]]:
        """Started now, complete or failed at the end. What is put into the yielded dict joins the closing event."""
        self.emit(step, State.STARTED, **detail)
        try:
            yield detail
        except BaseException as exc:
            self.failed(step, exc, **detail)
            raise
        self.emit(step, State.COMPLETE, **detail)

    def failed(self, step: Step, exc: BaseException, **detail: Any) -> None:
        """Records that the step failed, by the name of its failure."""
        self.emit(step, State.FAILED, **detail, failure=classify(exc), error=str(exc))

    def failures(self) -> list[Failure]:
        """The names of what failed, in order."""
        return [event.detail["failure"] for event in self.events if event.state is State.FAILED]

    def seconds(self, step: Step) -> float | None:
        """How long this step took in all; None if it never ended. Needs `keep`."""
        total, started, ended = 0.0, None, False
        for event in self.events:
            if event.step is not step:
                continue
            if event.state is State.STARTED:
                started = event.at
            elif started is not None:
                total, started, ended = total + event.at - started, None, True
        return total if ended else None
