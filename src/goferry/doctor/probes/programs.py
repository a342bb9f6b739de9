"""Runs a real program as a user would, bounded in time and in what is kept of its words.

The program gets no terminal and no input, so nothing can ask for a password. At the limit the whole group of
processes ends: go starts git, git starts ssh, and none of them may stay behind.
"""

import asyncio
import contextlib
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.doctor.probes.work import PATIENCE, Stretch, watch_work

KEPT: Final = 64 * 1024
"""Bytes of output that are kept: half from its head, half from its tail."""

STOPPED: Final = -1
"""The exit status of a program that was ended at its limit."""

NOT_STARTED: Final = 127
"""The exit status that a shell gives for a program that could not be started."""

_AFTER_KILL = 2.0
_READ = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did. output: both streams as they came, as text; exit: STOPPED at the limit.

    times: when each line of the output came, seconds after the start; empty when part of the output was left out.
    active: when it was seen at work last, seconds after the start; 0 where nobody looked, or saw nothing.
    """

    exit: int
    seconds: float
    output: str
    times: tuple[float, ...] = ()
    active: float = 0.0


@dataclass(frozen=True, slots=True)
class Following:
    """A program that is at work is followed beyond its limit, as far as `longest` seconds. folder: where it writes."""

    longest: float
    folder: Path


_TALKATIVE: Final = ("GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_TRANSFER_TRACE")
"""Variables that have git tell every header that it sends and every helper that it runs, amid its words."""


async def run_program(
    argv: Sequence[str],
    *,
    environ: Mapping[str, str],
    cwd: Path,
    limit: float,
    feed: bytes = b"",
    errors: bool = True,
    watch: Callable[[bytes], None] | None = None,
    following: Following | None = None,
) -> Ran:
    """Runs it to its end, or for `limit` seconds. A program that cannot be started is a run that failed.

    feed: what it finds on its standard input; errors: whether its complaints are part of the output; watch: is shown
    what the program says while it still runs; following: a limit that holds for a program that only waits.
    """
    started = time.monotonic()
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            env={name: value for name, value in environ.items() if not name.startswith(_TALKATIVE)},
            cwd=cwd,
            stdin=asyncio.subprocess.PIPE if feed else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT if errors else asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as exc:
        return Ran(NOT_STARTED, time.monotonic() - started, f"{argv[0]}: {exc.strerror or exc}")
    output = HeadTail()
    if process.stdin is not None:
        process.stdin.write(feed)
        process.stdin.close()
    stretch = Stretch(limit, following.longest if following is not None else limit, started)
    try:
        async with _followed(process.pid, following, stretch) as timeout:
            exit_status = await _to_its_end(process, output, timeout, started, watch)
    finally:
        _end_group(process.pid)
        await _reaped(process)
    return Ran(exit_status, time.monotonic() - started, output.text(), output.times(), stretch.active)


@contextlib.asynccontextmanager
async def _followed(
    pid: int, following: Following | None, stretch: Stretch
) -> AsyncIterator[asyncio.Timeout]:
    """The time limit, which moves on while the program is seen at work."""
    timeout = asyncio.timeout(stretch.until)
    if following is None:
        yield timeout
        return
    base = asyncio.get_running_loop().time()

    def seen() -> None:
        stretch.sign()
        if not timeout.expired():
            timeout.reschedule(base + stretch.until)

    async def watched() -> None:
        # A program that is soon done is not looked at.
        await asyncio.sleep(max(0.0, stretch.until - PATIENCE))
        await watch_work(pid, following.folder, seen)

    watching = asyncio.create_task(watched())
    try:
        yield timeout
    finally:
        watching.cancel()


async def _to_its_end(
    process: asyncio.subprocess.Process,
    output: "HeadTail",
    until: asyncio.Timeout,
    started: float,
    watch: Callable[[bytes], None] | None,
) -> int:
    assert process.stdout is not None
    try:
        async with until:
            while data := await process.stdout.read(_READ):
                output.add(data, time.monotonic() - started)
                if watch is not None:
                    watch(data)
            return await process.wait()
    except TimeoutError:
        return STOPPED


def _end_group(pid: int) -> None:
    """Ends the program and all that it started; nothing happens when they are gone."""
    if sys.platform == "win32":
        _end_tree(pid)
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)


def _end_tree(pid: int) -> None:
    """For systems without process groups that can be ended at once."""
    import psutil  # type: ignore[import-untyped]

    with contextlib.suppress(psutil.Error):
        parent = psutil.Process(pid)
        for process in (*parent.children(recursive=True), parent):
            with contextlib.suppress(psutil.Error):
                process.kill()


async def _reaped(process: asyncio.subprocess.Process) -> None:
    """Waits for the end; not for ever, for a pipe can be held by somebody who left the group."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_AFTER_KILL):
            await process.wait()
    # asyncio offers no other way to let go of a pipe that nobody closes.
    process._transport.close()  # type: ignore[attr-defined]


class HeadTail:
    """The first and the last of what came, by whole lines where it had to be cut, so that no half secret stays."""

    def __init__(self, kept: int = KEPT) -> None:
        self._half = kept // 2
        self._head = bytearray()
        self._tail = bytearray()
        self._dropped = 0
        self._times: list[float] = []
        self._line_is_open = False

    def add(self, data: bytes, at: float = 0.0) -> None:
        """The next bytes, which came at this time. A line counts from its first byte."""
        if data and len(self._times) < self._half:
            starts = data[:-1].count(b"\n") + (not self._line_is_open)
            self._times += [at] * starts
            self._line_is_open = not data.endswith(b"\n")
        room = self._half - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        excess = len(self._tail) - self._half
        if excess > 0:
            del self._tail[:excess]
            self._dropped += excess

    def times(self) -> tuple[float, ...]:
        """When each line came; () when lines are missing."""
        return () if self._dropped else tuple(self._times)

    def text(self) -> str:
        """What was kept, decoded leniently, with a note of what was left out."""
        head, tail = bytes(self._head), bytes(self._tail)
        if self._dropped:
            left, right = head.rfind(b"\n") + 1, tail.find(b"\n") + 1
            dropped = self._dropped + len(head) - left + (right or len(tail))
            head, tail = head[:left], tail[right:] if right else b""
            head += b"... %d bytes left out ...\n" % dropped
        return (head + tail).decode("utf-8", "replace")
