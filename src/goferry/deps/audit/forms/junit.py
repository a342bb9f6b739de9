"""An audit as JUnit XML, which every CI system shows as tests: what is an error has failed."""

from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.records import AuditFinding
from goferry.findings import Finding, Fix, Location, Report, Severity, Text
from goferry.report import junit


def render(page: Page) -> str:
    """One case per finding. What could not be looked at has failed, too."""
    audit = page.audit
    findings = [_finding(finding, finding.severity) for finding in audit.findings]
    findings += [_finding(finding, Severity.ERROR) for finding in audit.unproven]
    return junit.render(Report("deps audit", Text("dependency audit"), tuple(findings)))


def _finding(finding: AuditFinding, severity: Severity) -> Finding:
    place = f"{finding.project} {words.subject(finding)}".strip()
    fixed = words.fixed(finding.fixed)
    fix = Fix(Text("{fix}", fix=fixed)) if fixed else None
    return Finding(finding.id, severity, finding.message, Location(place), fix)
