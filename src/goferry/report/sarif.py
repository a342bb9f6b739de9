"""A Report as SARIF 2.1.0, which code hosts and editors read (docs.oasis-open.org/sarif/sarif/v2.1.0)."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from goferry import __version__
from goferry.findings import Finding, Location, Report, Severity

_PLAIN: Final = "/:@!$&'()*+,;=~"
_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS: Final = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.INFO: "note",
    Severity.OK: "none",
}


def render(report: Report, *, files: bool = False) -> str:
    """One run with one rule per code. `files`: every place is a file, also where no line of it is named."""
    codes = list(dict.fromkeys(finding.code for finding in report.findings))
    return document(
        report.kind,
        [{"id": code} for code in codes],
        [_result(finding, codes.index(finding.code), files=files) for finding in report.findings],
        dict(report.facts),
    )


def document(
    kind: str,
    rules: Sequence[Mapping[str, Any]],
    results: Sequence[Mapping[str, Any]],
    properties: Mapping[str, Any],
    **more: Any,
) -> str:
    """A log of one run of `goferry KIND`; `more` are further properties of the run."""
    log = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "goferry",
                        "semanticVersion": __version__,
                        "rules": rules,
                    }
                },
                "automationDetails": {"id": f"goferry/{kind}/"},
                **more,
                "results": results,
                "properties": properties,
            }
        ],
    }
    return json.dumps(log, ensure_ascii=False, indent=2) + "\n"


def _result(finding: Finding, rule: int, *, files: bool) -> dict[str, Any]:
    text = str(finding.message)
    if finding.fix is not None:
        text += f"\n{finding.fix.summary}" + (f"\n{finding.fix.command}" if finding.fix.command else "")
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "kind": "pass" if finding.severity is Severity.OK else "fail",
        "message": {"text": text},
    }
    if finding.location is not None:
        result["locations"] = [_location(finding.location, files=files)]
    return result


def _location(location: Location, *, files: bool) -> dict[str, Any]:
    """A file by its path; a host or a variable, which is no file, by its name."""
    if location.line is None and not files:
        return {"logicalLocations": [{"fullyQualifiedName": location.place}]}
    return {"physicalLocation": physical(location.place, location.line)}


def physical(place: str, line: int | None) -> dict[str, Any]:
    """A place in a file. Code hosts refuse a whole log for one result without a file and a line."""
    return {"artifactLocation": {"uri": quote(place, safe=_PLAIN)}, "region": {"startLine": line or 1}}
