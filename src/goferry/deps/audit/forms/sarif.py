"""An audit as SARIF 2.1.0: one rule per advisory or kind, one result per finding, found again by its key.

What is set aside is there as suppressed, with its reason. What could not be looked at is a notification of the run, so
that no code host shows a project as clean that was not looked at.
"""

from collections.abc import Mapping
from typing import Any

from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.records import AuditFinding, Ignored, Kind
from goferry.findings import Location
from goferry.report.sarif import LEVELS, document, physical


def render(page: Page) -> str:
    """One run."""
    audit = page.audit
    found = [*audit.findings, *(one.finding for one in audit.ignored)]
    rules = {_rule_id(finding): _rule(finding) for finding in found}
    order = list(rules)
    starts = {project.name: f"{project.root}/go.mod".removeprefix("./") for project in audit.projects}
    results = [_result(finding, order, starts) for finding in audit.findings]
    results += [_suppressed(one, order, starts) for one in audit.ignored]
    return document(
        "deps audit",
        list(rules.values()),
        results,
        {"database": audit.database.modified, "projects": len(audit.projects)},
        invocations=[
            {
                "executionSuccessful": not audit.unproven,
                "toolExecutionNotifications": [_notification(finding) for finding in audit.unproven],
            }
        ],
    )


def _rule_id(finding: AuditFinding) -> str:
    """The advisory, or the kind: a licence is found by its kind, too."""
    return finding.id if finding.fixed is not None else finding.kind.value


def _rule(finding: AuditFinding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": _rule_id(finding),
        "shortDescription": {"text": _one_line(finding)},
        "properties": {"tags": ["security" if finding.fixed else "dependencies", finding.kind.value]},
    }
    if url := finding.details.get("url"):
        rule["helpUri"] = url
    return rule


def _one_line(finding: AuditFinding) -> str:
    return str(finding.message) if finding.fixed is not None else words.title(finding.kind)


def _result(finding: AuditFinding, rules: list[str], starts: Mapping[str, str]) -> dict[str, Any]:
    rule = _rule_id(finding)
    return {
        "ruleId": rule,
        "ruleIndex": rules.index(rule),
        "level": LEVELS[finding.severity],
        "kind": "fail",
        "message": {"text": _text(finding)},
        "locations": [_location(finding, starts.get(finding.project, "go.mod"))],
        "partialFingerprints": {"goferryKey/v1": finding.key},
        "properties": _properties(finding),
    }


def _suppressed(one: Ignored, rules: list[str], starts: Mapping[str, str]) -> dict[str, Any]:
    suppression = {"kind": "external", "status": "accepted", "justification": one.reason}
    return _result(one.finding, rules, starts) | {"suppressions": [suppression]}


def _text(finding: AuditFinding) -> str:
    parts = [
        f"{words.subject(finding)}: {finding.message}",
        words.fixed(finding.fixed),
        *words.ways(finding),
    ]
    return "\n".join(part for part in parts if part)


def _location(finding: AuditFinding, start: str) -> dict[str, Any]:
    """The line of the go.mod, where there is one; else the beginning of the project's go.mod, `start`."""
    location = finding.location or Location(start)
    return {
        "physicalLocation": physical(location.place, location.line),
        "logicalLocations": [{"fullyQualifiedName": finding.module or finding.project, "kind": "module"}],
    }


def _properties(finding: AuditFinding) -> Mapping[str, Any]:
    return {
        "project": finding.project,
        "owner": finding.owner,
        "module": finding.module,
        "version": finding.version,
        "level": finding.level.value,
        "aliases": list(finding.aliases),
    }


def _notification(finding: AuditFinding) -> dict[str, Any]:
    return {
        "level": "warning",
        "message": {"text": f"{finding.project}: {finding.message}"},
        "descriptor": {"id": f"{Kind.UNPROVEN.value}/{finding.id}"},
    }
