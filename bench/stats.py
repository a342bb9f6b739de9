"""Medians and paired ratios. Plain functions on plain values."""

import statistics
from collections.abc import Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")

Round = Mapping[str, float]
"""One round: name of the contestant → its figure."""


def median(values: Sequence[float]) -> float:
    """The median. ValueError when there are none."""
    if not values:
        raise ValueError("no values")
    return statistics.median(values)


def paired_ratios(rounds: Sequence[Round], name: str, base: str) -> list[float]:
    """name ÷ base inside each round. ValueError when a base is zero: it was not measured."""
    if any(one[base] <= 0 for one in rounds):
        raise ValueError(f"{base} measured nothing")
    return [one[name] / one[base] for one in rounds]


def paired_ratio(rounds: Sequence[Round], name: str, base: str) -> float:
    """The median of the paired ratios."""
    return median(paired_ratios(rounds, name, base))


def typical(rounds: Sequence[Round], name: str) -> float:
    """The median figure of one contestant."""
    return median([one[name] for one in rounds])


def percentile(values: Sequence[float], percent: float) -> float:
    """Nearest-rank percentile of raw samples, 0 < percent <= 100. ValueError when there are none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)
    return ordered[max(0, int(rank) - 1)]


def alternate(items: Sequence[T], number: int) -> list[T]:
    """The items in order in even rounds, reversed in odd ones: neither end of a round is anybody's."""
    return list(items) if number % 2 == 0 else list(reversed(items))
