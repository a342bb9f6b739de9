"""Events: in order, with their times, to every observer, and never two stories about one step."""

import asyncio
from itertools import count

import pytest

from goferry.net import Event, Failure, State, Step, Trace


def test_a_step_that_works_is_started_and_complete_with_what_was_learnt() -> None:
    trace = Trace(clock=map(float, count()).__next__)
    with trace.step(Step.RESOLVE, host="module.example") as told:
        told["addresses"] = ("192.0.2.1",)
    assert trace.events == [
        Event(Step.RESOLVE, State.STARTED, 0.0, {"host": "module.example"}),
        Event(Step.RESOLVE, State.COMPLETE, 1.0, {"host": "module.example", "addresses": ("192.0.2.1",)}),
    ]
    assert trace.failures() == []


@pytest.mark.parametrize(
    ("error", "name"),
    [
        (ConnectionRefusedError(111, "refused"), Failure.CONNECT_REFUSED),
        (asyncio.CancelledError(), Failure.CANCELLED),
        (GeneratorExit(), Failure.CANCELLED),
    ],
)
def test_a_step_that_fails_names_the_failure_and_lets_it_through(error: BaseException, name: Failure) -> None:
    trace = Trace()
    with pytest.raises(type(error)), trace.step(Step.CONNECT, host="module.example"):
        raise error
    assert [event.state for event in trace.events] == [State.STARTED, State.FAILED]
    assert trace.events[-1].detail["failure"] is name
    assert trace.failures() == [name]


def test_observers_see_what_is_kept_and_also_what_is_not() -> None:
    seen: list[Event] = []
    kept = Trace([seen.append])
    kept.emit(Step.BODY, State.STARTED)
    assert seen == kept.events
    passing = Trace([seen.append], keep=False)
    passing.emit(Step.BODY, State.COMPLETE, size=5)
    assert passing.events == []
    assert [event.state for event in seen] == [State.STARTED, State.COMPLETE]


def test_the_time_of_a_step_is_summed_over_its_repeats() -> None:
    moments = iter([0.0, 1.0, 5.0, 8.0, 9.0])
    trace = Trace(clock=moments.__next__)
    for _ in range(2):
        with trace.step(Step.CONNECT):
            pass
    trace.emit(Step.TLS, State.STARTED)
    assert trace.seconds(Step.CONNECT) == 4.0
    assert trace.seconds(Step.TLS) is None
    assert trace.seconds(Step.BODY) is None
