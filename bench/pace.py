"""How fast the machine is just now.

A shared one may be half as fast a minute later, and not for everything alike: with a busy neighbour an interpreter
loses more than SHA-256 does, and what the kernel does for nginx may lose nothing at all. Then ratios between programs
of different kinds move too. So a run notes its pace before and after each group: figures of two runs say something
about goferry only where their paces are the same.
"""

import hashlib
import mmap
import time
from collections.abc import Callable
from dataclasses import dataclass, fields

from bench.stats import median

_TRIES = 5
_ENTRIES = 50_000
_HASHED = 8 << 20
_TOUCHED = 16 << 20


@dataclass(frozen=True, slots=True)
class Pace:
    """What a core gets done. `python`: thousand dictionary entries made per second by this interpreter; `sha256` and
    `memory` (fresh pages, touched for the first time by this process): MB/s."""

    python: float
    sha256: float
    memory: float

    def __str__(self) -> str:
        return (
            f"Python {self.python:,.0f} k/s, SHA-256 {self.sha256:,.0f} MB/s, memory {self.memory:,.0f} MB/s"
        )


def measure() -> Pace:
    """Takes a third of a second."""
    content = bytes(_HASHED)
    return Pace(
        python=_ENTRIES / 1e3 / _seconds(_entries),
        sha256=_HASHED / 1e6 / _seconds(lambda: hashlib.sha256(content)),
        memory=_TOUCHED / 1e6 / _seconds(_touch),
    )


def spread(paces: dict[str, list[dict[str, float]]]) -> dict[str, str]:
    """The slowest and the fastest of a run, as text: `python`, `sha256` and `memory`."""
    seen = [pace for group in paces.values() for pace in group]
    return {one.name: _range([pace[one.name] for pace in seen]) for one in fields(Pace)} if seen else {}


def _range(values: list[float]) -> str:
    low, high = f"{min(values):,.0f}", f"{max(values):,.0f}"
    return low if low == high else f"{low}–{high}"


def _entries() -> object:
    return {number: (number, str(number)) for number in range(_ENTRIES)}


def _touch() -> None:
    """A mapping of its own: memory from the allocator may have been in use before."""
    with mmap.mmap(-1, _TOUCHED) as pages:
        pages[:: mmap.PAGESIZE] = bytes(_TOUCHED // mmap.PAGESIZE)


def _seconds(work: Callable[[], object]) -> float:
    """The median of a few tries: one alone says what happened to be in its way."""
    took = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        work()
        took.append(time.perf_counter() - started)
    return median(took)
