"""Waits between attempts, and the server's own word on them."""

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.net.backoff import Backoff, retry_after

NOW = datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=datetime.UTC)
YEAR = 365 * 24 * 3600.0


def test_waits_double_up_to_the_cap() -> None:
    backoff = Backoff(first=0.5, factor=2.0, cap=5.0)
    assert [backoff.delay(attempt, lambda: 1.0) for attempt in range(6)] == [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]
    assert [backoff.delay(attempt, lambda: 0.0) for attempt in range(3)] == [0.25, 0.5, 1.0]


@given(st.integers(0, 10**6), st.floats(0, 1, exclude_max=True))
def test_no_wait_is_shorter_than_half_or_longer_than_the_cap(attempt: int, drawn: float) -> None:
    backoff = Backoff()
    wait = backoff.delay(attempt, lambda: drawn)
    assert backoff.first / 2 <= wait <= backoff.cap


# RFC 9110, 5.6.7 gives the three forms of a date; 10.2.3 the header.
@pytest.mark.parametrize(
    ("value", "want"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 60.0),
        ("Sunday, 06-Nov-94 08:50:37 GMT", 60.0),
        ("Sun Nov  6 08:50:37 1994", 60.0),
        ("Sun, 06 Nov 1994 08:49:36 GMT", 0.0),
        ("Mon, 01 Jan 2096 00:00:00 GMT", YEAR),
        ("9" * 500, YEAR),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("١٢", None),
        ("Sun, 99 Nov 1994 08:49:37 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: str, want: float | None) -> None:
    assert retry_after(value, NOW) == want


@given(st.text(max_size=40))
def test_nonsense_never_raises(value: str) -> None:
    wait = retry_after(value, NOW)
    assert wait is None or 0.0 <= wait <= YEAR
