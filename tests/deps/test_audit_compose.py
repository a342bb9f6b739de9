"""What fails, and how many subjects become one audit."""

from datetime import UTC, datetime

import pytest

from auditfindings import APP, audit, finding, stale
from goferry.deps.advisories.base import About
from goferry.deps.audit import failing
from goferry.deps.audit.compose import Unreadable, compose
from goferry.deps.audit.failing import FailOn
from goferry.deps.audit.ignoring import Entry, IgnoreFile
from goferry.deps.audit.judge import Rules
from goferry.deps.audit.records import Audit, Kind
from goferry.errors import InvalidInput, Unavailable
from goferry.findings import Severity

BLIND = finding(kind=Kind.UNPROVEN, id="go_mod", severity=Severity.WARNING)

STATUSES = {
    "nothing found": (audit(), "error", 0),
    "an error": (audit(finding()), "error", 1),
    "a warning, errors fail": (audit(stale()), "error", 0),
    "a warning, warnings fail": (audit(stale()), "warning", 1),
    "an error, warnings fail": (audit(finding()), "warning", 1),
    "nothing fails": (audit(finding()), "none", 0),
    "its kind": (audit(stale()), "stale", 1),
    "another kind": (audit(finding()), "stale", 0),
    "a kind or a severity": (audit(stale()), "error, stale", 1),
    "the mildest severity counts": (audit(stale()), "error,warning", 1),
    "not looked at": (audit(unproven=(BLIND,)), "error", 3),
    "not looked at, nothing fails": (audit(unproven=(BLIND,)), "none", 3),
    "not looked at fails": (audit(unproven=(BLIND,)), "unproven", 1),
    "not looked at, and an error": (audit(finding(), unproven=(BLIND,)), "error", 1),
    "not looked at, warnings fail": (audit(unproven=(BLIND,)), "warning", 3),
}


@pytest.mark.parametrize(("found", "words", "expected"), STATUSES.values(), ids=list(STATUSES))
def test_the_exit_status(found: Audit, words: str, expected: int) -> None:
    assert failing.status(found, failing.parse(words)) == expected


@pytest.mark.parametrize("words", ["errors", "", "error;warning", "ERROR", "ok"])
def test_other_words_are_refused(words: str) -> None:
    with pytest.raises(InvalidInput, match="--fail-on"):
        failing.parse(words)


def test_severities_and_kinds_are_told_apart() -> None:
    assert failing.parse("warning,licence") == FailOn(Severity.WARNING, frozenset({Kind.LICENCE}))
    assert failing.parse("licence") == FailOn(None, frozenset({Kind.LICENCE}))


NOW = datetime(2026, 11, 29, tzinfo=UTC)


def test_a_project_that_could_not_be_read_is_there_and_unproven() -> None:
    one = Unreadable(APP, "app", "@team", Unavailable("there is no network"))
    entry = IgnoreFile("f", (Entry("GO-1", "r"),), frozenset({APP}))
    made = compose([], [one], [entry], About("test", "2026-01-01T00:00:00Z", 3), Rules(), NOW)
    assert [(p.name, p.owner, p.modules) for p in made.projects] == [(APP, "@team", 0)]
    (blind,) = made.unproven
    assert (blind.id, str(blind.message)) == ("project", "there is no network")
    assert made.findings == ()
    assert (made.database.entries, made.generated) == (3, NOW)


def test_an_unused_entry_belongs_to_who_owns_the_project_or_the_entry() -> None:
    files = [
        IgnoreFile("f", (Entry("GO-1", "r"), Entry("GO-2", "r", owner="@me"))),
    ]
    made = compose([], [], files, About("test", "", 0), Rules(), NOW)
    assert [(one.kind, one.owner) for one in made.findings] == [
        (Kind.IGNORE_UNUSED, ""),
        (Kind.IGNORE_UNUSED, "@me"),
    ]
