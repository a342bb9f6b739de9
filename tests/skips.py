"""Under GOFERRY_CI=1 a skipped test is a failed test, apart from those named here with their reason.

A skip that nobody expects hides that something was never run: a program that is missing, a fixture that gave up.
"""

import os
from typing import Final

import pytest

STRICT: Final = os.environ.get("GOFERRY_CI") == "1"

ALLOWED_MARKERS: Final = {
    "online": "the real upstream may be out of reach",
    "namespace": "other systems have none, and containers may forbid them",
    "govulncheck": "a program of its own; its recorded results are tested everywhere",
}


ALLOWED_WORDS: Final = ("namespaces", "private network")
"""A reason with one of these is allowed too: what a test needs is known only when it has begun."""


def judge(report: pytest.TestReport, markers: set[str], *, strict: bool = STRICT) -> pytest.TestReport:
    """The report itself, or turned into a failure when it is a skip that nobody allowed."""
    expected = hasattr(report, "wasxfail") or markers & set(ALLOWED_MARKERS)
    expected = expected or any(word in _reason(report) for word in ALLOWED_WORDS)
    if strict and report.skipped and not expected:
        report.outcome = "failed"
        report.longrepr = f"unexpected skip: {_reason(report)}"
    return report


def _reason(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
