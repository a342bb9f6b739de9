"""Whether a program that says nothing is at work: what its processes read, or what has come into its folder.

git says nothing while it fetches, and go nothing while a zip comes, so a slow line looks like a dead one. But both read
what comes, byte by byte, and a program that waits for an answer reads nothing.
"""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

PATIENCE: Final = 6.0
"""Seconds without a sign of work from which on a program only waits. git's servers give one every 5 seconds while they
put a pack together (uploadpack.keepAlive)."""

_PAUSE: Final = 0.5

_LEAST: Final = 256
"""Bytes between two looks that are a sign of go. Its own poller reads a few whenever a timer runs out, also while it
waits for a name server that never answers; git reads nothing but what comes."""


async def watch_work(pid: int, folder: Path, seen: Callable[[], None]) -> None:
    """Calls `seen` whenever the program, or one that it started, has got something since the last look.

    folder: where it writes what it gets, which is looked at where a system does not say what a process reads.
    Runs until it is cancelled.
    """
    before = await asyncio.to_thread(_amounts, pid, folder)
    while True:
        await asyncio.sleep(_PAUSE)
        now = await asyncio.to_thread(_amounts, pid, folder)
        if any(amount - before.get(key, 0) >= (_LEAST if key == pid else 1) for key, amount in now.items()):
            seen()
        before = now


def _amounts(pid: int, folder: Path) -> Mapping[int, int]:
    """Bytes that each process has read so far; or all bytes in the folder, as those of process 0."""
    return _read_by(pid) or {0: size_of(folder)}


def _read_by(pid: int) -> dict[int, int]:
    import psutil  # type: ignore[import-untyped]  # only a slow run needs it

    found: dict[int, int] = {}
    try:
        leader = psutil.Process(pid)
        for process in (leader, *leader.children(recursive=True)):
            counters = process.io_counters()
            found[process.pid] = getattr(counters, "read_chars", counters.read_bytes)
    except (psutil.Error, AttributeError, OSError):  # macOS does not count, and a process may just have ended
        pass
    return found


def size_of(folder: Path) -> int:
    """Bytes of all files below a folder that may change meanwhile."""
    total = 0
    for place, _folders, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:
                continue
    return total


class Stretch:
    """A time limit that a program at work is let pass, as far as `longest`. Seconds count from `started`."""

    def __init__(self, limit: float, longest: float, started: float) -> None:
        self.until = limit
        self.active = 0.0
        self._longest = longest
        self._started = started

    def sign(self) -> None:
        """The program is at work now."""
        self.active = time.monotonic() - self._started
        self.until = max(self.until, min(self._longest, self.active + PATIENCE))
