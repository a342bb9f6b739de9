"""What changed since an older audit: only what is new is news."""

from collections.abc import Iterable
from dataclasses import replace

from goferry.deps.audit.records import Audit, AuditFinding, Compared
from goferry.errors import InvalidInput


def since(old: Audit, new: Audit, *, place: str) -> Audit:
    """The new audit with the findings that the old one has not, by key. One that got worse is new again.

    What could not be looked at is shown each time, and nothing of such a project is called gone. InvalidInput for an
    old audit that was itself made with `--since`: it does not hold everything; `place` names it.
    """
    if old.since is not None:
        raise InvalidInput("{place} was made with --since itself, so it holds a part only", place=place)
    before = {finding.key: finding for finding in old.findings}
    fresh = tuple(finding for finding in new.findings if _is_news(finding, before.get(finding.key)))
    compared = Compared(old.generated, len(fresh), len(new.findings) - len(fresh), _gone(old.findings, new))
    return replace(new, findings=fresh, since=compared)


def _is_news(finding: AuditFinding, before: AuditFinding | None) -> bool:
    return before is None or finding.severity.rank < before.severity.rank


def _gone(old: Iterable[AuditFinding], new: Audit) -> tuple[AuditFinding, ...]:
    """Of projects that were looked at in full, as well as findings about no project. Set aside is not gone."""
    there = {finding.key for finding in new.findings} | {one.finding.key for one in new.ignored}
    looked_at = {project.name for project in new.projects} | {""}
    unproven = {finding.project for finding in new.unproven}
    return tuple(
        finding for finding in old if finding.key not in there and finding.project in looked_at - unproven
    )
