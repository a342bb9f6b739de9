"""A Report for programs: one JSON object, described in docs/en/json.md. The same in every language."""

import json

from goferry.findings import Report


def render(report: Report) -> str:
    """The report as indented JSON with a final newline."""
    return json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n"
