"""Arithmetic on decimal text of any length, without leading zeros.

Nothing limits how long a number in a version may be, and Python refuses to turn thousands of digits into an int.
"""


def key(digits: str) -> tuple[int, str]:
    """Sorts as the numbers do; the empty text comes first."""
    return len(digits), digits


def increment(digits: str) -> str:
    """One more."""
    head = digits.rstrip("9")
    zeros = "0" * (len(digits) - len(head))
    return f"{head[:-1]}{int(head[-1]) + 1}{zeros}" if head else "1" + zeros


def decrement(digits: str) -> str:
    """One less than a number above zero."""
    head = digits.rstrip("0")
    nines = "9" * (len(digits) - len(head))
    less = f"{head[:-1]}{int(head[-1]) - 1}{nines}"
    return less.removeprefix("0") or "0"
