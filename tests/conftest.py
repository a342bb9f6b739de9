"""Fixtures shared by all tests."""

import signal
from collections.abc import Generator, Iterator

import pytest
from hypothesis import HealthCheck, settings

import skips
from goferry import i18n
from heap import Heap
from sizes import FULL

settings.register_profile(
    "small", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile(
    "full", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("full" if FULL else "small")

_HEAP = Heap()

# A shell's background jobs pass an ignored SIGINT on to all that they start. Tests interrupt what they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    """Tests read English unless they ask for another language."""
    i18n.activate("en")
    yield
    i18n.activate("en")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    return skips.judge(report, {mark.name for mark in item.iter_markers()})


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish() -> None:
    """Thousands of examples of one test must not stay with the process for the rest of the run."""
    if FULL:
        _HEAP.give_back_if_grown()
