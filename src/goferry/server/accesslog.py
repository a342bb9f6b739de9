"""The access log: one line per request, as text or as JSON, written in batches of whole lines.

Several workers append to the same file or pipe. A file is opened with O_APPEND and gets each batch in one write; a
pipe gets pieces of at most PIPE_BUF bytes, each of whole lines, which the system does not mix with other writers'.

The write happens in a thread, one at a time: a reader of the log that stalls must not stall the server. What cannot be
written by then is dropped and counted. The lines are made where they are noted, though: a third thread that wants the
interpreter lock, for hundreds of lines at once, is what a hundredth of the requests would wait for.

Nothing secret is logged: of a request line only the path, without query; no header but the user agent.
"""

import asyncio
import json
import os
import re
import select
import stat
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

from goferry.errors import ConfigError

_BATCH: Final = 512
"""Lines after which a batch is written without waiting for the second to pass."""

_MOST_WAITING: Final = 50_000
"""Lines kept while the log cannot be written."""

_INTERVAL: Final = 1.0


class Entry(NamedTuple):
    """One request. `when` is seconds since the epoch, `seconds` how long the answer took."""

    when: float
    client: str
    method: str
    path: str
    status: int
    size: int
    seconds: float
    outcome: str
    kind: str
    agent: str


_ODD = re.compile(r"[^\x21\x23-\x5b\x5d-\x7e]")
"""What is escaped in an unquoted field: everything but visible ASCII without the quote and the backslash."""

_ODD_QUOTED = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{{{code:x}}}"


# Most lines name a path and an agent that lines before them named: a look into a cache costs a third of a search.
@lru_cache(maxsize=8192)
def _plain(field: str) -> str:
    return _ODD.sub(_escape, field)


@lru_cache(maxsize=1024)
def _ending(outcome: str, kind: str, agent: str) -> str:
    return f' {outcome} {kind} "{_ODD_QUOTED.sub(_escape, agent)}"\n'


@lru_cache(maxsize=8)
def _stamp(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def format_text(entries: list[Entry]) -> str:
    """`TIME CLIENT METHOD PATH STATUS BYTES SECONDS OUTCOME KIND "USER AGENT"`, odd characters escaped."""
    lines = []
    last, stamp = -1, ""
    for when, client, method, path, status, size, seconds, outcome, kind, agent in entries:
        milliseconds = int(when * 1000)
        if milliseconds != last:  # many lines come within one
            last = milliseconds
            stamp = f"{_stamp(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"
        lines.append(
            f"{stamp} {client} {method} {_plain(path)} {status} {size} {seconds:.6f}{_ending(outcome, kind, agent)}"
        )
    return "".join(lines)


def format_json(entries: list[Entry]) -> str:
    """One object per line; the keys are the fields of Entry, `time` in RFC 3339."""
    return "".join(
        json.dumps(
            {
                "time": f"{_stamp(int(entry.when))}.{int(entry.when * 1000) % 1000:03d}Z",
                "client": entry.client,
                "method": entry.method,
                "path": entry.path,
                "status": entry.status,
                "bytes": entry.size,
                "seconds": round(entry.seconds, 6),
                "outcome": entry.outcome,
                "kind": entry.kind,
                "user_agent": entry.agent,
            },
            separators=(",", ":"),
        )
        + "\n"
        for entry in entries
    )


_FORMATS: Final = {"text": format_text, "json": format_json}


class AccessLog:
    """Collects entries and writes them. `dropped` is told how many lines were lost."""

    def __init__(self, form: str, fd: int, dropped: Callable[[int], None]) -> None:
        self._format = _FORMATS[form]
        self._fd = fd
        self._is_file = stat.S_ISREG(os.fstat(fd).st_mode)
        self._dropped = dropped
        self._texts: list[str] = []
        self._count = 0
        """How many lines that is."""
        self._wake = asyncio.Event()
        self._closing = False
        self._writer: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write, in the running event loop."""
        self._writer = asyncio.get_running_loop().create_task(self._write_forever())

    def add(self, some: list[Entry]) -> None:
        """Note requests. Never blocks."""
        self._texts.append(self._format(some))
        self._count += len(some)
        if self._count >= _BATCH:
            if self._count >= _MOST_WAITING:
                self._dropped(self._count)
                self._take()
            self._wake.set()

    def _take(self) -> tuple[list[str], int]:
        """What waits to be written, and how many lines that is."""
        waiting = self._texts, self._count
        self._texts, self._count = [], 0
        return waiting

    async def close(self) -> None:
        """Write what is left and stop."""
        self._closing = True
        self._wake.set()
        if self._writer is not None:
            await self._writer

    async def _write_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closing or self._texts:
            if not self._closing:
                await self._pause()
            if self._texts:
                await loop.run_in_executor(None, self._write, *self._take())

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_INTERVAL):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _write(self, texts: list[str], lines: int) -> None:
        data = "".join(texts).encode("utf-8", "backslashreplace")
        try:
            if self._is_file:
                _write_all(self._fd, data)
            else:
                for piece in _pieces(data, select.PIPE_BUF):
                    _write_all(self._fd, piece)
        except OSError:
            # The reader is gone or the disk is full: requests matter more than their log.
            self._dropped(lines)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def _pieces(data: bytes, most: int) -> list[bytes]:
    """The same bytes cut behind line ends into pieces of at most `most` bytes; a longer line is a piece by itself."""
    pieces = []
    start = 0
    while len(data) - start > most:
        end = data.rfind(b"\n", start, start + most) + 1 or data.find(b"\n", start) + 1 or len(data)
        pieces.append(data[start:end])
        start = end
    return [*pieces, data[start:]] if start < len(data) else pieces


def open_log(file: Path | None) -> int:
    """The descriptor to write to: standard output, or the file, created if need be. ConfigError when it cannot be."""
    if file is None:
        return 1
    try:
        return os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise ConfigError(
            "setting {name}: cannot write {file}: {why}",
            name="access_log_file",
            file=file,
            why=error.strerror,
        ) from error
