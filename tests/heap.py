"""Gives memory that is free back to the system.

A property test of two thousand examples needs some hundred megabytes while it runs. Nothing of that is alive
afterwards (tracemalloc sees the same ten megabytes before and behind it), but glibc keeps the pages, and as every test
leaves its holes elsewhere, a worker grew to three gigabytes over a run at full size.

To look for what is dead costs some hundred milliseconds in a worker that holds ten thousand tests; done after each of
them, it took four fifths of a run. So it is done when the process has grown.
"""

import ctypes
import gc
import mmap
import sys
from functools import cache
from pathlib import Path
from typing import Any

_GROWTH = 128 << 20
"""Bytes since it was looked at last: tests that need so much come in dozens, not thousands."""


@cache
def _libc() -> Any:
    """The C library, when it can give pages back from the middle of its heap: glibc can."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    return libc if hasattr(libc, "malloc_trim") else None


def resident() -> int:
    """Bytes of memory that the process has now. Linux only, as what it is asked for."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * mmap.PAGESIZE


class Heap:
    """Gives back what is free whenever the process has grown by so many bytes since it last did."""

    def __init__(self, growth: int = _GROWTH) -> None:
        self._growth = growth
        self._last = 0

    def give_back_if_grown(self) -> bool:
        """Collects what is dead and returns free pages, if it is time; nothing happens without means for it."""
        if (libc := _libc()) is None or resident() < self._last + self._growth:
            return False
        gc.collect()
        libc.malloc_trim(0)
        self._last = resident()
        return True
