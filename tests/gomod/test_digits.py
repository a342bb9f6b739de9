"""Decimal text: the same answers as with numbers, and no limit of length."""

from hypothesis import given
from hypothesis import strategies as st

from goferry.gomod import digits

numbers = st.integers(0, 10**30)


@given(numbers)
def test_one_more_and_one_less(n: int) -> None:
    assert digits.increment(str(n)) == str(n + 1)
    assert digits.decrement(str(n + 1)) == str(n)


@given(numbers, numbers)
def test_order_is_that_of_numbers(a: int, b: int) -> None:
    assert (digits.key(str(a)) < digits.key(str(b))) == (a < b)


def test_length_is_no_limit() -> None:
    assert digits.increment("9" * 6000) == "1" + "0" * 6000
    assert digits.decrement("1" + "0" * 6000) == "9" * 6000
