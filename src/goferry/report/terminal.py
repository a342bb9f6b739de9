"""A Report for people at a terminal: the worst first, one finding per block, what to do, a sum at the end."""

from collections.abc import Iterator
from typing import Final

from goferry.findings import Finding, Report, Severity
from goferry.i18n import N_, _, ngettext

_MARKS: Final = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "·", Severity.OK: "✓"}
_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.OK: "32"}
_WORDS: Final = {
    Severity.ERROR: N_("error"),
    Severity.WARNING: N_("warning"),
    Severity.INFO: N_("note"),
    Severity.OK: N_("ok"),
}


def render(report: Report, *, colour: bool = False) -> str:
    """The report as lines of text in the language in use, with ANSI colours when asked for."""
    lines = [_paint("1", str(report.title), colour)]
    for finding in report.by_severity():
        lines.extend(_finding_lines(finding, colour))
    lines.append(_summary(report, colour))
    return "\n".join(lines) + "\n"


def _finding_lines(finding: Finding, colour: bool) -> Iterator[str]:
    word = _paint(
        _COLOURS[finding.severity], f"{_MARKS[finding.severity]} {_(_WORDS[finding.severity])}", colour
    )
    place = "" if finding.location is None else f"{finding.location}: "
    yield f"{word} {place}{finding.message} [{finding.code}]"
    if finding.fix is not None:
        yield f"    → {finding.fix.summary}"
        if finding.fix.command:
            yield f"      {finding.fix.command}"


def _summary(report: Report, colour: bool) -> str:
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    parts = [
        ngettext("{n} error", "{n} errors", errors).format(n=errors),
        ngettext("{n} warning", "{n} warnings", warnings).format(n=warnings),
    ]
    facts = [f"{name} {value}" for name, value in report.facts.items()]
    return _paint(_COLOURS[report.worst], ", ".join(parts + facts), colour)


def _paint(code: str, text: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
