"""Counters of all workers in one piece of shared memory, and the page that Prometheus reads.

Every worker owns one row and writes nothing else, so counting needs no lock: a count is one addition to a double
(about 0.1 microseconds). Whichever worker is asked for the page adds up all rows. A row outlives its worker and is
given to a later one, which goes on counting where the former stopped, so totals never fall over restarts and reloads.

A row is: the length of its directory, its cells, its directory. The directory lists the series in the order in which
their cells were taken; a series is its family and label values. What a family is, stands in FAMILIES.
"""

import mmap
import os
import struct
import sys
import tempfile
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from contextvars import ContextVar
from dataclasses import dataclass

from goferry.proxy.base import Guess, Outcome

_SEP = "\x1f"
_END = "\n"
_LENGTH = struct.Struct("Q")
_CELLS = 6144
_DIRECTORY = 64 * 1024
_CELLS_AT = _LENGTH.size
_DIRECTORY_AT = _CELLS_AT + 8 * _CELLS
ROW_SIZE = -(-(_DIRECTORY_AT + _DIRECTORY) // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One metric. `bounds` are a histogram's upper bounds; `merge` says how the rows of a gauge become one value."""

    name: str
    type: str
    help: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()
    merge: Callable[[float, float], float] = lambda a, b: a + b

    @property
    def width(self) -> int:
        """Cells of one series: one, or for a histogram the buckets, the one above all bounds, and the sum."""
        return len(self.bounds) + 2 if self.bounds else 1


REQUESTS = Family(
    "goferry_requests_total",
    "counter",
    "Requests answered, by what was asked, how it was answered (hit, miss, coalesced, stale, negative, error) and "
    "the HTTP status.",
    ("kind", "outcome", "status"),
)
REQUEST_SECONDS = Family(
    "goferry_request_seconds",
    "histogram",
    "Time from the request to its answer being handed to the network.",
    ("kind",),
    SECONDS,
)
RESPONSE_BYTES = Family("goferry_response_bytes_total", "counter", "Bytes of bodies answered.", ("kind",))
IN_FLIGHT = Family("goferry_requests_in_flight", "gauge", "Requests being answered now.")
UPSTREAM = Family(
    "goferry_upstream_requests_total",
    "counter",
    "Requests to an entry of the upstream list, by result (ok or the error's code).",
    ("entry", "kind", "code"),
)
UPSTREAM_SECONDS = Family(
    "goferry_upstream_seconds",
    "histogram",
    "Time until an upstream entry's whole answer was here, retries included.",
    ("entry", "kind"),
    SECONDS,
)
READ_AHEAD = Family(
    "goferry_read_ahead_total",
    "counter",
    "Files fetched before a client asked for them (made), and those of them that one asked for then (true).",
    ("kind", "outcome"),
)
BREAKER = Family(
    "goferry_breaker_state",
    "gauge",
    "Circuit breaker of an upstream host: 0 closed, 1 half open, 2 open; the worst of all workers.",
    ("host",),
    merge=max,
)
STORE_BYTES = Family("goferry_store_bytes", "gauge", "Bytes of the objects in the store.", merge=max)
STORE_OBJECTS = Family("goferry_store_objects", "gauge", "Objects in the store.", merge=max)
CACHE_BYTES = Family(
    "goferry_memory_cache_bytes", "gauge", "Bytes of small objects kept in memory, over all workers."
)
LOG_DROPPED = Family(
    "goferry_access_log_dropped_total",
    "counter",
    "Access log lines lost because whoever reads the log did not.",
)
WORKERS = Family("goferry_workers", "gauge", "Worker processes that answer requests.")
RESTARTS = Family("goferry_worker_restarts_total", "counter", "Workers that died and were replaced.")
RELOADS = Family("goferry_reloads_total", "counter", "Reloads of the settings (SIGHUP).", ("result",))
AUDITS = Family(
    "goferry_audits_total", "counter", "Audits of repositories on a schedule, by result.", ("result",)
)
AUDIT_TIME = Family(
    "goferry_audit_success_time_seconds",
    "gauge",
    "When the last audit that did not fail ended, seconds since the epoch.",
    merge=max,
)
AUDIT_FINDINGS = Family(
    "goferry_audit_findings", "gauge", "Findings of the last audit, by severity.", ("severity",), merge=max
)
UNTOLD = Family(
    "goferry_audit_notices_failed_total", "counter", "Receivers that did not take the notice of an audit."
)
BUILD = Family(
    "goferry_build_info",
    "gauge",
    "Always 1; the labels are what is running.",
    ("version", "python"),
    merge=max,
)
STARTED = Family(
    "goferry_start_time_seconds", "gauge", "When the server was started, seconds since the epoch.", merge=max
)

FAMILIES = (
    REQUESTS, REQUEST_SECONDS, RESPONSE_BYTES, IN_FLIGHT, UPSTREAM, UPSTREAM_SECONDS, READ_AHEAD, BREAKER, STORE_BYTES,
    STORE_OBJECTS, CACHE_BYTES, LOG_DROPPED, WORKERS, RESTARTS, RELOADS, AUDITS, AUDIT_TIME,
    AUDIT_FINDINGS, UNTOLD, BUILD, STARTED,
)  # fmt: skip
_BY_NAME = {family.name: family for family in FAMILIES}

Series = tuple[Family, tuple[str, ...]]

_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_NO_SEPARATORS = str.maketrans({_SEP: "?", _END: "?"})


class Row:
    """One process's own series. Not for two writers at once."""

    def __init__(self, memory: mmap.mmap, index: int) -> None:
        start = index * ROW_SIZE
        self._memory = memory
        self._start = start
        self.cells = memoryview(memory)[start + _CELLS_AT : start + _DIRECTORY_AT].cast("d")
        self._cell_of: dict[Series, int] = {}
        self._next = 1  # cell 0 takes the counts of series for which there is no more room
        for series, cell in _read_directory(memory, start):
            self._cell_of[series] = cell
            self._next = cell + series[0].width
            if series[0].type == "gauge":
                self.cells[cell] = 0.0

    def cell(self, family: Family, *labels: str) -> int:
        """The first cell of a series, taken when it is first asked for; 0 when the row is full."""
        series = (family, labels)
        found = self._cell_of.get(series)
        return self._take(series) if found is None else found

    def _take(self, series: Series) -> int:
        family, labels = series
        line = _SEP.join((family.name, *(label.translate(_NO_SEPARATORS) for label in labels))) + _END
        used = _LENGTH.unpack_from(self._memory, self._start)[0]
        data = line.encode("utf-8", "replace")
        if self._next + family.width > _CELLS or used + len(data) > _DIRECTORY:
            self._cell_of[series] = 0
            return 0
        at = self._start + _DIRECTORY_AT + used
        self._memory[at : at + len(data)] = data
        # The length is written last: a reader sees the whole line or none of it.
        _LENGTH.pack_into(self._memory, self._start, used + len(data))
        cell = self._cell_of[series] = self._next
        self._next += family.width
        return cell

    def add(self, amount: float, family: Family, *labels: str) -> None:
        """Count up."""
        self.cells[self.cell(family, *labels)] += amount

    def set(self, value: float, family: Family, *labels: str) -> None:
        """Set a gauge."""
        self.cells[self.cell(family, *labels)] = value

    def observe(self, value: float, family: Family, *labels: str) -> None:
        """Put one value into a histogram."""
        self.observe_all((value,), family, *labels)

    def observe_all(self, values: Collection[float], family: Family, *labels: str) -> None:
        """Put several values into a histogram: each bound is looked for once."""
        first = self.cell(family, *labels)
        if not first:
            return
        ordered, below = sorted(values), 0
        for at, bound in enumerate(family.bounds, first):
            if below == len(ordered):
                break
            here = bisect_right(ordered, bound)
            self.cells[at] += here - below
            below = here
        self.cells[first + len(family.bounds)] += len(ordered) - below
        self.cells[first + len(family.bounds) + 1] += sum(ordered)

    def close(self) -> None:
        """Let go of the shared memory."""
        self.cells.release()


def _read_directory(memory: mmap.mmap, start: int) -> Iterator[tuple[Series, int]]:
    used = _LENGTH.unpack_from(memory, start)[0]
    at = start + _DIRECTORY_AT
    cell = 1
    for line in memory[at : at + used].decode("utf-8", "replace").split(_END)[:-1]:
        name, *labels = line.split(_SEP)
        family = _BY_NAME[name]
        yield (family, tuple(labels)), cell
        cell += family.width


class Board:
    """The shared memory: `rows` rows, one per process. Made by the supervisor, opened by the workers by descriptor."""

    def __init__(self, rows: int, fd: int | None = None) -> None:
        self.rows = rows
        self.fd = _shared_file(rows * ROW_SIZE) if fd is None else fd
        self._memory = mmap.mmap(self.fd, rows * ROW_SIZE)

    def row(self, index: int) -> Row:
        """The row of one process, to write into."""
        return Row(self._memory, index)

    def clear_gauges(self, index: int) -> None:
        """A process is gone: what it was holding is no more. Its counts stay."""
        Row(self._memory, index).close()

    def page(self) -> bytes:
        """The text exposition format, all rows added up."""
        merged: dict[Family, dict[tuple[str, ...], list[float]]] = {family: {} for family in FAMILIES}
        for index in range(self.rows):
            self._merge_row(index * ROW_SIZE, merged)
        return "".join(_render(family, series) for family, series in merged.items() if series).encode()

    def _merge_row(self, start: int, merged: dict[Family, dict[tuple[str, ...], list[float]]]) -> None:
        for (family, labels), cell in _read_directory(self._memory, start):
            values = struct.unpack_from(f"{family.width}d", self._memory, start + _CELLS_AT + 8 * cell)
            so_far = merged[family].get(labels)
            merge = family.merge if so_far else None
            merged[family][labels] = (
                [merge(a, b) for a, b in zip(so_far, values, strict=True)]
                if merge and so_far
                else list(values)
            )

    def close(self) -> None:
        """Unmap it and close the descriptor."""
        self._memory.close()
        os.close(self.fd)


def _shared_file(size: int) -> int:
    if sys.platform == "linux":
        fd = os.memfd_create("goferry-metrics")
    else:
        handle, name = tempfile.mkstemp(prefix="goferry-metrics-")
        os.unlink(name)  # noqa: PTH108 - the name is not needed: workers get the descriptor
        fd = handle
    os.truncate(fd, size)
    return fd


def _render(family: Family, series: dict[tuple[str, ...], list[float]]) -> str:
    lines = [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.type}"]
    for values, cells in sorted(series.items()):
        labels = [
            f'{name}="{value.translate(_ESCAPES)}"' for name, value in zip(family.labels, values, strict=True)
        ]
        lines += (
            _histogram_lines(family, labels, cells)
            if family.bounds
            else [_line(family.name, labels, cells[0])]
        )
    return "\n".join(lines) + "\n"


def _histogram_lines(family: Family, labels: list[str], cells: list[float]) -> Iterator[str]:
    count = 0.0
    for bound, cell in zip((*map(_number, family.bounds), "+Inf"), cells, strict=False):
        count += cell
        yield _line(f"{family.name}_bucket", [*labels, f'le="{bound}"'], count)
    yield _line(f"{family.name}_sum", labels, cells[-1])
    yield _line(f"{family.name}_count", labels, count)


def _line(name: str, labels: list[str], value: float) -> str:
    return f"{name}{{{','.join(labels)}}} {_number(value)}" if labels else f"{name} {_number(value)}"


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


_outcome: ContextVar[list[Outcome] | None] = ContextVar("goferry_outcome", default=None)


def watch_outcome() -> list[Outcome]:
    """A list to which the service adds how it answered the request of this context.

    A list, because a task started on the request's behalf sees a copy of the context but the same list.
    """
    seen: list[Outcome] = []
    _outcome.set(seen)
    return seen


class Meter:
    """The Observer that counts into a row."""

    def __init__(self, row: Row) -> None:
        self._row = row

    def answered(self, kind: str, outcome: Outcome) -> None:  # noqa: ARG002 - the server knows the kind already
        """Remembers the outcome for the request being answered; it is counted together with its status."""
        if (seen := _outcome.get()) is not None:
            seen.append(outcome)

    def asked(self, entry: str, kind: str, code: str, seconds: float) -> None:
        """Counts one upstream request."""
        self._row.add(1.0, UPSTREAM, entry, kind, code)
        self._row.observe(seconds, UPSTREAM_SECONDS, entry, kind)

    def guessed(self, kind: str, outcome: Guess) -> None:
        """Counts one file fetched ahead, or one of those that was asked for."""
        self._row.add(1.0, READ_AHEAD, kind, outcome)
