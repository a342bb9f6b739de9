"""The ignore file: what it sets aside, what it may not hold, and how it is kept short."""

from datetime import date

import pytest

from auditfindings import APP, finding, stale
from goferry.deps.audit.ignoring import Entry, IgnoreFile, Justification, State, leftovers, parse, set_aside
from goferry.deps.audit.records import Kind
from goferry.errors import InvalidInput
from goferry.findings import Severity

TODAY = date(2026, 11, 29)

FULL = b"""
[[ignore]]
id = "CVE-2024-1"
module = "example.com/flawed"
reason = "we never call Parse"
owner = "@platform"
expires = 2027-01-31
state = "not_affected"
justification = "code_not_reachable"

[[ignore]]
id = "stale"
reason = "it is finished"
"""


def test_a_file_is_read_with_all_that_an_entry_may_say() -> None:
    assert parse(FULL, "goferry-ignore.toml") == IgnoreFile(
        "goferry-ignore.toml",
        (
            Entry(
                "CVE-2024-1",
                "we never call Parse",
                "example.com/flawed",
                "@platform",
                date(2027, 1, 31),
                State.NOT_AFFECTED,
                Justification.CODE_NOT_REACHABLE,
            ),
            Entry("stale", "it is finished"),
        ),
    )


WRONG = {
    "no reason": (b'[[ignore]]\nid = "GO-1"\n', r"\[\[ignore\]\] 1: GO-1 has no `reason`"),
    "a blank reason": (b'[[ignore]]\nid = "GO-1"\nreason = "  "\n', r"1: GO-1 has no `reason`"),
    "the second": (
        b'[[ignore]]\nid = "a"\nreason = "b"\n[[ignore]]\nid = "GO-2"\n',
        "2: GO-2 has no `reason`",
    ),
    "no id": (b'[[ignore]]\nreason = "x"\n', r"1: .*`id`"),
    "an empty id": (b'[[ignore]]\nid = ""\nreason = "x"\n', "1: `id` is empty"),
    "a misspelt field": (b'[[ignore]]\nid = "a"\nreason = "x"\nexpire = 2027-01-01\n', "`expire`"),
    "a date that is none": (b'[[ignore]]\nid = "a"\nreason = "x"\nexpires = "soon"\n', "expires"),
    "a state that is none": (b'[[ignore]]\nid = "a"\nreason = "x"\nstate = "fine"\n', "state"),
    "another table": (b'[[ignored]]\nid = "a"\nreason = "x"\n', "`ignored`"),
    "not TOML": (b"<<<<<<< ours\n", "line 1"),
    "not UTF-8": b"\xff\xfe",
    "not a list": (b'ignore = "all"\n', "ignore"),
}


@pytest.mark.parametrize("case", WRONG.values(), ids=list(WRONG))
def test_a_wrong_file_is_refused_in_one_line_that_says_where(case: object) -> None:
    data, why = case if isinstance(case, tuple) else (case, "utf-8")
    with pytest.raises(InvalidInput, match=why) as refused:
        parse(data, "goferry-ignore.toml")
    assert str(refused.value).startswith("goferry-ignore.toml")
    assert "\n" not in str(refused.value)


COVERS = {
    "the advisory": (Entry("GO-2024-0001", "r"), True),
    "an alias": (Entry("GHSA-aaaa-bbbb-cccc", "r"), True),
    "the kind": (Entry("vulnerability", "r"), True),
    "in that module": (Entry("GO-2024-0001", "r", "example.com/flawed"), True),
    "in another module": (Entry("GO-2024-0001", "r", "example.com/other"), False),
    "another advisory": (Entry("GO-2024-0002", "r"), False),
    "a part of the id": (Entry("GO-2024", "r"), False),
}


@pytest.mark.parametrize(("entry", "expected"), COVERS.values(), ids=list(COVERS))
def test_an_entry_covers_by_id_alias_or_kind_and_module(entry: Entry, expected: bool) -> None:
    done = set_aside([finding()], [IgnoreFile("f", (entry,))], TODAY)
    assert (len(done.ignored), len(done.findings)) == ((1, 0) if expected else (0, 1))


def test_what_is_set_aside_keeps_its_reason() -> None:
    one = parse(FULL, "f")
    (ignored,) = set_aside([finding()], [one], TODAY).ignored
    assert ignored.finding == finding()
    assert (ignored.reason, ignored.owner, ignored.expires) == (
        "we never call Parse",
        "@platform",
        date(2027, 1, 31),
    )
    assert (ignored.state, ignored.justification) == ("not_affected", "code_not_reachable")


def test_an_entry_counts_to_the_end_of_its_day_and_no_longer() -> None:
    file = IgnoreFile("f", (Entry("GO-2024-0001", "r", expires=TODAY),))
    assert set_aside([finding()], [file], TODAY).findings == ()
    assert leftovers([finding()], [file], TODAY) == ()
    tomorrow = date(2026, 11, 30)
    assert set_aside([finding()], [file], tomorrow).findings == (finding(),)
    (expired,) = leftovers([finding()], [file], tomorrow)
    assert (expired.kind, expired.id, expired.severity) == (
        Kind.IGNORE_EXPIRED,
        "GO-2024-0001",
        Severity.WARNING,
    )
    assert expired.details["expires"] == "2026-11-29"


def test_an_entry_that_sets_nothing_aside_is_a_finding() -> None:
    file = IgnoreFile("f", (Entry("GO-2020-1", "fixed long ago", "example.com/x"), Entry("stale", "r")))
    (unused,) = leftovers([stale()], [file], TODAY)
    assert (unused.kind, unused.id, unused.module) == (Kind.IGNORE_UNUSED, "GO-2020-1", "example.com/x")
    assert unused.details == {"file": "f", "reason": "fixed long ago"}


def test_the_file_of_a_project_concerns_that_project_only() -> None:
    file = IgnoreFile("f", (Entry("GO-2024-0001", "r"),), frozenset({APP}))
    other = finding(project="example.com/other")
    done = set_aside([finding(), other], [file], TODAY)
    assert done.findings == (other,)
    (unused,) = leftovers([other], [file], TODAY)
    assert unused.project == APP


def test_no_entry_is_called_unused_while_its_project_could_not_be_looked_at() -> None:
    file = IgnoreFile("f", (Entry("GO-2024-0001", "r"),), frozenset({APP}))
    assert leftovers([], [file], TODAY, unproven=[APP]) == ()
    assert len(leftovers([], [file], TODAY, unproven=["example.com/other"])) == 1
