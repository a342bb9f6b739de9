"""`goferry deps trend`: what kept audits say over time."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.cli.flags import load_settings, settings_flags
from goferry.config import audit_history, format_duration, parse_duration
from goferry.errors import InvalidInput
from goferry.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from goferry.deps.trend import Row, Trend

SUMMARY = N_("Show how findings came and went over the kept audits.")
_GROUPS = ("kind", "project", "owner", "severity")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Show how findings came and went over the kept audits: what is open, new and closed, how long closing took, "
        "and a line of what was open after each audit. Audits are kept by `goferry deps audit --repos` and by "
        "`goferry serve --audit-repos`."
    ),
)
@option(
    "--by",
    metavar="|".join(_GROUPS),
    default="kind",
    help=N_("What to count by: kind, project, owner or severity."),
)
@option("--since", metavar="TIME", default=None, help=N_("Only the audits of this long, such as 30d."))
@option("--last", is_flag=True, help=N_("Print the last kept audit as JSON instead."))
@json_option
@settings_flags("deps trend")
@pass_console
def command(console: Console, /, by: str, since: str | None, last: bool, as_json: bool, **given: Any) -> int:
    from goferry.deps.audit.records import dumps
    from goferry.deps.history import latest, runs, spans
    from goferry.deps.kept import Kept
    from goferry.deps.trend import to_json, trend

    loaded = load_settings(console, given, as_json=as_json)
    if by not in _GROUPS:
        raise InvalidInput("--by {by} is not known; known are {known}", by=by, known=", ".join(_GROUPS))
    begin = 0.0 if since is None else time.time() - _seconds(since)
    path = audit_history(loaded.settings, console.environ)
    if not path.exists():
        raise InvalidInput("no audits are kept in {file} yet", file=path)
    with Kept(path) as kept:
        if last:
            return _print_last(console, latest(kept), dumps)
        found = trend(runs(kept), spans(kept), by=by, since=begin)
    if as_json:
        console.json(to_json(found))
    else:
        console.out("\n".join(_table(found)))
    return 0


def _print_last(console: Console, audit: Any, dumps: Any) -> int:
    if audit is None:
        raise InvalidInput("no audit is kept whole")
    console.stdout.write(dumps(audit))
    return 0


def _seconds(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise InvalidInput(
            "--since {text}: a duration such as 12h, 30d or 8w is needed", text=text
        ) from error


def _table(found: "Trend") -> Iterator[str]:
    count = len(found.runs)
    yield ngettext("{n} audit", "{n} audits", count).format(n=count)
    heads = (_(found.by), _("open"), _("new"), _("closed"), _("time to close"), _("open after each audit"))
    lines = [heads, *(_cells(row, row.name or _("nobody's")) for row in found.rows)]
    lines.append(_cells(found.total, _("all")))
    columns = [max(width(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            pad(cell, size) if column in (0, 5) else " " * (size - width(cell)) + cell
            for column, (cell, size) in enumerate(zip(line, columns, strict=True))
        ]
        yield "  ".join(cells).rstrip()


def _cells(row: "Row", name: str) -> tuple[str, ...]:
    from goferry.deps.trend import sparkline

    took = "-" if row.seconds_to_close is None else _rounded(row.seconds_to_close)
    return (name, str(row.open), str(row.new), str(row.closed), took, sparkline(row.series))


def _rounded(seconds: float) -> str:
    """A duration with its two largest units."""
    step = 3600.0 if seconds >= 86400 else 60.0 if seconds >= 3600 else 1.0
    return format_duration(round(seconds / step) * step)


_WORDS = (N_("kind"), N_("project"), N_("owner"), N_("severity"))
