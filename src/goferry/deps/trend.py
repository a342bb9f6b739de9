"""What kept audits say over time: new, open, closed, and how long mending takes. Pure arithmetic on runs and spans."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from goferry.deps.history import Run, Span

SCHEMA: Final = "goferry.trend/1"
GROUPS: Final = ("kind", "project", "owner", "severity")


@dataclass(frozen=True, slots=True)
class Row:
    """One group of findings over the runs that were looked at."""

    name: str
    open: int
    """At the last run."""
    new: int
    closed: int
    seconds_to_close: float | None
    """On average, of those that were closed in these runs; None when none was."""
    series: tuple[int, ...]
    """How many were open after each run."""


@dataclass(frozen=True, slots=True)
class Trend:
    """All groups, the one with most open findings first, and their sum."""

    by: str
    runs: tuple[Run, ...]
    rows: tuple[Row, ...]
    total: Row


def trend(runs: Sequence[Run], spans: Iterable[Span], *, by: str, since: float = 0.0) -> Trend:
    """The trend over the runs made at `since` or later. `by` is one of GROUPS.

    What the very first kept run found is open from then on, but not new: nobody knows when it began.
    """
    shown = [run for run in runs if run.generated >= since]
    first = runs[0].id if runs else 0
    groups: dict[str, list[Span]] = {}
    everything = list(spans)
    for span in everything:
        groups.setdefault(getattr(span, by), []).append(span)
    when = {run.id: run.generated for run in runs}
    rows = [_row(name, found, shown, when, first) for name, found in groups.items()]
    rows = [row for row in rows if row.closed or any(row.series)]
    rows.sort(key=lambda row: (-row.open, -row.closed, row.name))
    return Trend(by, tuple(shown), tuple(rows), _row("", everything, shown, when, first))


def _row(name: str, spans: Sequence[Span], shown: Sequence[Run], when: dict[int, float], first: int) -> Row:
    places = {run.id: place for place, run in enumerate(shown)}
    steps = [0] * len(shown)
    new, lives = 0, []
    for span in spans:
        opened, closed = _clipped(span.opened, places, shown), _clipped(span.closed, places, shown)
        if opened is not None:
            steps[opened] += 1
            new += span.opened in places and span.opened != first
        if closed is not None:
            steps[closed] -= 1
            if span.closed in places:
                lives.append(when[span.closed] - when[span.opened])
    series = tuple(accumulate(steps))
    mean = sum(lives) / len(lives) if lives else None
    return Row(name, series[-1] if series else 0, new, len(lives), mean, series)


def _clipped(run: int | None, places: dict[int, int], shown: Sequence[Run]) -> int | None:
    """Where a run stands among those that are shown; the first place for an earlier one."""
    if run is None or not shown:
        return None
    return places.get(run, 0)


def to_json(found: Trend) -> dict[str, Any]:
    """The stable form of docs/en/json.md."""
    return {
        "schema": SCHEMA,
        "by": found.by,
        "runs": [
            {"generated": run.generated, "projects": run.projects, "unproven": run.unproven}
            for run in found.runs
        ],
        "rows": [_row_json(row) for row in found.rows],
        "total": _row_json(found.total),
    }


def _row_json(row: Row) -> dict[str, Any]:
    return {
        "name": row.name,
        "open": row.open,
        "new": row.new,
        "closed": row.closed,
        "seconds_to_close": row.seconds_to_close,
        "series": list(row.series),
    }


_BARS: Final = "▁▂▃▄▅▆▇█"


def sparkline(series: Sequence[int], width: int = 24) -> str:
    """The last `width` values as bars; an empty place for nothing.

    >>> sparkline((0, 1, 4, 8))
    ' ▁▄█'
    """
    values = series[-width:]
    most = max(values, default=0)
    return "".join(" " if value == 0 else _BARS[-(-value * len(_BARS) // most) - 1] for value in values)
