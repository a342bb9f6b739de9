"""The circuit breaker: a state machine, driven by hand and by a clock that only moves when told."""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from goferry.net.breaker import Breaker, BreakerRules, Breakers, BreakerState, Ticket

RULES = BreakerRules(failures=3, pause=10.0, max_pause=35.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(RULES, clock=clock)


def ticket(breaker: Breaker) -> Ticket:
    given = breaker.ask()
    assert given is not None
    return given


def trip(breaker: Breaker) -> None:
    ticket(breaker).failed(fatal=True)


def test_it_opens_after_failures_in_a_row(breaker: Breaker) -> None:
    for _ in range(2):
        ticket(breaker).failed()
    ticket(breaker).succeeded()
    for _ in range(2):
        ticket(breaker).failed()
    assert breaker.state is BreakerState.CLOSED
    ticket(breaker).failed()
    assert breaker.state is BreakerState.OPEN
    assert breaker.ask() is None
    assert breaker.retry_in == 10.0


def test_a_fatal_failure_opens_at_once(breaker: Breaker) -> None:
    trip(breaker)
    assert breaker.state is BreakerState.OPEN


def test_one_probe_passes_after_the_pause(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.now += 10.0
    assert breaker.state is BreakerState.HALF_OPEN
    probe = ticket(breaker)
    assert breaker.ask() is None
    probe.succeeded()
    assert breaker.state is BreakerState.CLOSED
    assert breaker.ask() is not None


def test_each_failed_probe_doubles_the_pause_up_to_the_cap(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    pauses = []
    for _ in range(4):
        pauses.append(breaker.retry_in)
        clock.now += breaker.retry_in
        ticket(breaker).failed()
    assert pauses == [10.0, 20.0, 35.0, 35.0]
    clock.now += 35.0
    ticket(breaker).succeeded()
    trip(breaker)
    assert breaker.retry_in == 10.0


def test_an_abandoned_probe_makes_room_for_another(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.now += 10.0
    ticket(breaker).abandoned()
    assert breaker.state is BreakerState.HALF_OPEN
    ticket(breaker).succeeded()
    assert breaker.state is BreakerState.CLOSED


def test_many_requests_that_fail_together_open_it_once(breaker: Breaker) -> None:
    together = [ticket(breaker) for _ in range(50)]
    for each in together:
        each.failed()
    assert breaker.retry_in == 10.0


def test_news_from_before_the_last_change_counts_no_more(breaker: Breaker, clock: Clock) -> None:
    slow_success, slow_failure = ticket(breaker), ticket(breaker)
    trip(breaker)
    slow_success.succeeded()
    assert breaker.state is BreakerState.OPEN
    clock.now += 10.0
    ticket(breaker).succeeded()
    slow_failure.failed(fatal=True)
    assert breaker.state is BreakerState.CLOSED


def test_a_ticket_is_spent_once(breaker: Breaker) -> None:
    spent = ticket(breaker)
    for _ in range(5):
        spent.failed()
    assert breaker.state is BreakerState.CLOSED


def test_hosts_have_their_own_breakers(clock: Clock) -> None:
    breakers = Breakers(RULES, clock=clock)
    trip(breakers.of("dead.example"))
    ticket(breakers.of("well.example")).succeeded()
    assert breakers.of("dead.example").ask() is None
    assert breakers.states() == {"dead.example": BreakerState.OPEN, "well.example": BreakerState.CLOSED}


def test_closed_breakers_are_forgotten_and_open_ones_are_not(clock: Clock) -> None:
    breakers = Breakers(RULES, keep=10, clock=clock)
    trip(breakers.of("dead.example"))
    for number in range(100):
        breakers.of(f"host{number}.example")
    assert len(breakers.states()) <= 10
    assert breakers.states()["dead.example"] is BreakerState.OPEN


class Any_order(RuleBasedStateMachine):
    """Whatever happens in whatever order, at most one request is under way unless the breaker is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.breaker = Breaker(RULES, clock=self.clock)
        self.tickets: list[Ticket] = []

    @rule()
    def ask(self) -> None:
        state = self.breaker.state
        given = self.breaker.ask()
        if state is BreakerState.OPEN:
            assert given is None
        if state is BreakerState.CLOSED:
            assert given is not None
        if state is BreakerState.HALF_OPEN and given is not None:
            assert self.breaker.ask() is None
        if given is not None:
            self.tickets.append(given)

    @precondition(lambda self: self.tickets)
    @rule(which=st.integers(0, 1000), how=st.sampled_from(["succeeded", "failed", "abandoned"]))
    def finish(self, which: int, how: str) -> None:
        getattr(self.tickets.pop(which % len(self.tickets)), how)()

    @rule(seconds=st.sampled_from([0.0, 1.0, 10.0, 40.0]))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @invariant()
    def the_pause_is_bounded(self) -> None:
        assert 0.0 <= self.breaker.retry_in <= RULES.max_pause
        assert (self.breaker.retry_in > 0) is (self.breaker.state is BreakerState.OPEN)


TestAnyOrder = Any_order.TestCase
