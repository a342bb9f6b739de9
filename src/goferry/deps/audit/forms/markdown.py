"""An audit as Markdown, for issues, merge requests and job summaries."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.records import AuditFinding
from goferry.findings import Severity
from goferry.i18n import N_, _

_HEADS: Final = (N_("Severity"), N_("What"), N_("Module"), N_("Fix"), N_("About"))
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def render(page: Page) -> str:
    """A heading per owner and project, a table each; notes as counts unless they were asked for."""
    return "\n".join(_lines(page)) + "\n"


def _lines(page: Page) -> Iterator[str]:
    audit = page.audit
    yield f"# {_('Dependency audit')}"
    yield ""
    yield f"**{_text(words.counts(audit))}**. {_text(words.headline(audit))}; {_text(words.database(audit))}."
    if since := words.compared(audit):
        yield f"\n{_text(since)}."
    shown = [finding for finding in audit.findings if page.notes or finding.severity is not Severity.INFO]
    owners = sorted({finding.owner for finding in shown}, key=lambda owner: (not owner, owner))
    for owner in owners:
        mine = [finding for finding in shown if finding.owner == owner]
        if len(owners) > 1:
            yield f"\n## {_text(owner or _('(no owner)'))}"
        for project in dict.fromkeys(finding.project for finding in mine):
            yield f"\n### {_text(project or _('Ignore files'))}\n"
            yield from _table([finding for finding in mine if finding.project == project])
    if audit.unproven:
        yield f"\n## {_('Could not be looked at')}\n"
        for finding in audit.unproven:
            yield f"- {_text(finding.project)}, {_text(words.name(finding))}: {_text(str(finding.message))}"
    yield from _notes(page)


def _table(findings: list[AuditFinding]) -> Iterator[str]:
    yield "| " + " | ".join(_(head) for head in _HEADS) + " |"
    yield "|" + " --- |" * len(_HEADS)
    for finding in findings:
        yield "| " + " | ".join(_cells(finding)) + " |"


def _cells(finding: AuditFinding) -> Iterator[str]:
    yield words.severity(finding.severity)
    name = words.name(finding)
    url = str(finding.details.get("url") or "")
    yield f"[{_text(name)}]({url})" if re.fullmatch(r"https?://[^\s()<>|]+", url) else _text(name)
    yield _text(words.subject(finding))
    yield _text(words.fixed(finding.fixed))
    about = [str(finding.message), words.looked(finding), words.remarks(finding)]
    about += words.ways(finding)
    yield "<br>".join(_text(part) for part in about if part)


def _notes(page: Page) -> Iterator[str]:
    notes = Counter(f.kind for f in page.audit.findings if f.severity is Severity.INFO)
    if notes and not page.notes:
        listed = ", ".join(f"{words.title(kind)} {n}" for kind, n in notes.most_common())
        yield f"\n{_('Notes')}: {listed}."


def _text(text: str) -> str:
    """Text from outside in one line, with nothing in it that Markdown or HTML takes for its own."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
