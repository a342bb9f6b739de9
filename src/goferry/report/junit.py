"""A Report as JUnit XML, which every CI system shows as tests: one case per finding, failed when it is an error."""

from xml.etree import ElementTree as ET

from goferry.findings import Finding, Report, Severity


def render(report: Report) -> str:
    """One suite. A report without findings has one case that passed."""
    suite = ET.Element(
        "testsuite",
        name=f"goferry {report.kind}",
        tests=str(len(report.findings) or 1),
        failures=str(report.count(Severity.ERROR)),
        errors="0",
        skipped="0",
    )
    for finding in report.findings:
        _case(suite, report, finding)
    if not report.findings:
        ET.SubElement(suite, "testcase", classname=f"goferry.{report.kind}", name="sound")
    suites = ET.Element("testsuites")
    suites.append(suite)
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, encoding="unicode") + "\n"


def _case(suite: ET.Element, report: Report, finding: Finding) -> None:
    place = "" if finding.location is None else f" {finding.location}"
    case = ET.SubElement(
        suite, "testcase", classname=f"goferry.{report.kind}", name=_printable(finding.code + place)
    )
    lines = [str(finding.message)]
    if finding.fix is not None:
        lines += [str(finding.fix.summary), finding.fix.command]
    text = _printable("\n".join(line for line in lines if line))
    if finding.severity is Severity.ERROR:
        failure = ET.SubElement(case, "failure", message=_printable(str(finding.message)), type=finding.code)
        failure.text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _printable(text: str) -> str:
    """XML 1.0 has no place for control characters."""
    return "".join(
        char if char in "\t\n" or (char >= " " and char not in "\ufffe\uffff") else "?" for char in text
    )
