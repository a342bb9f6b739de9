"""Only what is new is news."""

from datetime import UTC, datetime

import pytest

from auditfindings import audit, finding, stale
from goferry.deps.audit.records import AuditedProject, Compared, Ignored, Kind, Level
from goferry.deps.audit.since import since
from goferry.errors import InvalidInput
from goferry.findings import Severity

LAST_WEEK = datetime(2026, 11, 22, tzinfo=UTC)


def test_what_was_known_is_counted_and_what_is_new_is_shown() -> None:
    found = since(audit(stale(), generated=LAST_WEEK), audit(stale(), finding()), place="old.json")
    assert found.findings == (finding(),)
    assert found.since == Compared(LAST_WEEK, new=1, same=1, gone=())


def test_what_is_no_more_is_gone() -> None:
    found = since(audit(stale(), finding()), audit(stale()), place="old.json")
    assert found.findings == ()
    assert found.since is not None
    assert (found.since.new, found.since.same, found.since.gone) == (0, 1, (finding(),))


def test_another_version_with_the_same_flaw_is_no_news() -> None:
    found = since(audit(finding()), audit(finding(version="v1.0.9")), place="old.json")
    assert found.findings == ()


def test_what_got_worse_is_news_and_what_got_better_is_not() -> None:
    mild, grave = finding(severity=Severity.INFO), finding(severity=Severity.ERROR)
    assert since(audit(mild), audit(grave), place="old.json").findings == (grave,)
    assert since(audit(grave), audit(mild), place="old.json").findings == ()


def test_nothing_of_a_project_that_could_not_be_looked_at_is_gone() -> None:
    blind = finding(kind=Kind.UNPROVEN, id="go_mod", severity=Severity.WARNING)
    found = since(audit(stale()), audit(unproven=(blind,)), place="old.json")
    assert found.since is not None
    assert found.since.gone == ()
    assert found.unproven == (blind,)


def test_nothing_of_a_project_that_was_left_out_is_gone() -> None:
    other = (AuditedProject("example.com/other", ".", "", 1, Level.MODULE),)
    found = since(audit(stale()), audit(projects=other), place="old.json")
    assert found.since is not None
    assert found.since.gone == ()


def test_what_is_set_aside_now_is_not_gone() -> None:
    found = since(audit(stale()), audit(ignored=(Ignored(stale(), "finished"),)), place="old.json")
    assert found.since is not None
    assert found.since.gone == ()


def test_an_audit_that_holds_a_part_only_is_no_ground() -> None:
    part = audit(since=Compared(LAST_WEEK, 0, 0))
    with pytest.raises(InvalidInput, match=r"^old\.json was made with --since itself"):
        since(part, audit(), place="old.json")
