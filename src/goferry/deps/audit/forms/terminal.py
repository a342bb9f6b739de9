"""An audit for people at a terminal: by owner and project, the worst first, who brings it in, a sum at the end.

One line per finding, in columns; below it what it is about and the way from the main module.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.records import Audit, AuditedProject, AuditFinding, Kind
from goferry.findings import Severity
from goferry.i18n import _, ngettext
from goferry.report.columns import pad, width, wrap

_MARKS: Final = {Severity.ERROR: "✗", Severity.WARNING: "!", Severity.INFO: "·", Severity.OK: "✓"}
_COLOURS: Final = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.INFO: "36", Severity.OK: "32"}
_ROW_SAYS_ALL: Final = frozenset({Kind.PSEUDO_VERSION})
_INDENT: Final = "    "
_GAP: Final = "  "
_MOST_NAMED: Final = 3


def render(page: Page) -> str:
    """Lines of text in the language in use, with ANSI colours when asked for."""
    return "".join(f"{line.rstrip()}\n" for line in _lines(page))


def _lines(page: Page) -> Iterator[str]:
    audit = page.audit
    several = len({project.owner for project in audit.projects}) > 1
    shown = [finding for finding in audit.findings if page.notes or finding.severity is not Severity.INFO]
    for owner, projects in _by_owner(audit):
        if several:
            yield _paint("1", owner or _("(no owner)"), page)
        for project in projects:
            yield from _project(page, project, [f for f in shown if f.project == project.name])
    names = {project.name for project in audit.projects}
    yield from _table(page, [finding for finding in shown if finding.project not in names])
    yield from _unproven(page)
    yield from _notes(page)
    yield from _sums(page)


def _by_owner(audit: Audit) -> Iterator[tuple[str, list[AuditedProject]]]:
    owners = sorted({project.owner for project in audit.projects}, key=lambda owner: (not owner, owner))
    for owner in owners:
        yield owner, [project for project in audit.projects if project.owner == owner]


def _project(page: Page, project: AuditedProject, findings: list[AuditFinding]) -> Iterator[str]:
    modules = ngettext("{n} module", "{n} modules", project.modules).format(n=project.modules)
    looked = _("looked at: {level}").format(level=words.level(project.level))
    place = "" if project.root == "." else f" ({project.root})"
    yield _paint("1", f"{project.name}{place}", page) + f"  {modules}, {looked}"
    yield from _table(page, findings)
    yield ""


def _table(page: Page, findings: list[AuditFinding]) -> Iterator[str]:
    """The fix is a column where all rows have room for it; else it stands behind the module, or below."""
    rows = [(_cells(finding), finding) for finding in findings]
    widths = [max((width(cells[at]) for cells, _finding in rows), default=0) for at in range(4)]
    if sum(widths) + 2 * len(_GAP) + len(_GAP) > page.columns:
        widths[2] = 0
    before: tuple[str, ...] = ()
    for cells, finding in rows:
        mark, *others, fixed = (pad(cell, columns) for cell, columns in zip(cells, widths, strict=True))
        row = _GAP.join((mark, *others, fixed)).rstrip()
        short = width(row) > page.columns
        if short:
            row = _GAP.join((mark, *others)).rstrip()
        yield _paint(_COLOURS[finding.severity], mark, page) + row[len(mark) :]
        if short and fixed.strip():
            yield _INDENT + fixed.strip()
        said = words.ways(finding)
        yield from _below(page, finding, () if said == before else said)
        before = said


def _cells(finding: AuditFinding) -> tuple[str, str, str, str]:
    return (
        f"{_MARKS[finding.severity]} {words.severity(finding.severity)}",
        _printable(words.name(finding)),
        _printable(words.subject(finding)),
        _printable(words.fixed(finding.fixed)),
    )


def _below(page: Page, finding: AuditFinding, found: Iterable[str]) -> Iterator[str]:
    """What is said about a finding, under its row, and the ways to it where the row above has others."""
    if finding.kind in _ROW_SAYS_ALL:
        return
    said = ", ".join(word for word in (words.looked(finding), words.remarks(finding)) if word)
    text = _printable(str(finding.message)) + (f" [{said}]" if said else "")
    for line in wrap(text, max(page.columns - len(_INDENT), 20)):
        yield _INDENT + line
    for way in found:
        for line in _steps(_printable(way), max(page.columns - len(_INDENT), 20)):
            yield _INDENT + _paint("2", line, page)


def _steps(way: str, columns: int) -> Iterator[str]:
    """A way in lines that break between its steps only, so that each can be read and copied whole."""
    line, *others = way.split(words.ARROW)
    for step in others:
        if width(line + words.ARROW + step) > columns:
            yield line
            line = words.ARROW + step
        else:
            line += words.ARROW + step
    yield line


def _unproven(page: Page) -> Iterator[str]:
    for finding in page.audit.unproven:
        title = _("? not looked at")
        place = ": ".join(word for word in (finding.project, words.unseen(finding)) if word)
        yield _paint("35", title, page) + f"  {_printable(place)}"
        for text in (str(finding.message), _named(finding.details.get("modules", []))):
            for line in wrap(_printable(text), max(page.columns - len(_INDENT), 20)):
                yield _INDENT + line


def _named(modules: list[str]) -> str:
    """The first modules by name, and how many more there are."""
    more = len(modules) - _MOST_NAMED
    rest = [ngettext("{n} more", "{n} more", more).format(n=more)] if more > 0 else []
    return ", ".join([*modules[:_MOST_NAMED], *rest])


def _notes(page: Page) -> Iterator[str]:
    """Notes in one line per kind, unless all were asked for."""
    notes = [finding for finding in page.audit.findings if finding.severity is Severity.INFO]
    if page.notes or not notes:
        return
    kinds = Counter(finding.kind for finding in notes)
    listed = ", ".join(f"{words.title(kind)} {n}" for kind, n in kinds.most_common())
    text = _("notes: {kinds} (--notes shows them)").format(kinds=listed)
    yield from wrap(text, page.columns)


def _sums(page: Page) -> Iterator[str]:
    audit = page.audit
    worst = min((finding.severity for finding in audit.findings), key=lambda s: s.rank, default=Severity.OK)
    colour = "35" if audit.unproven and worst.rank > Severity.WARNING.rank else _COLOURS[worst]
    lines = (words.compared(audit), words.headline(audit) + "; " + words.database(audit))
    for line in filter(None, lines):
        yield from wrap(line, page.columns)
    yield _paint(colour, words.counts(audit), page)
    for step in words.next_steps(audit, page.base):
        yield from wrap(step, page.columns)


def _printable(text: str) -> str:
    """Text from outside must not steer the terminal."""
    return "".join(char if char.isprintable() else " " for char in text)


def _paint(code: str, text: str, page: Page) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if page.colour and text else text
