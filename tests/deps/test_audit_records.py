"""The JSON form of an audit: what is written is read back the same, and what is no audit is refused in one line."""

import json
from datetime import UTC, date, datetime

import pytest

from goferry.deps.audit.records import (
    Audit,
    AuditedProject,
    AuditFinding,
    Compared,
    DatabaseState,
    Fixed,
    FixState,
    Ignored,
    Kind,
    Level,
    dumps,
    from_json,
    key_of,
    rank,
    to_json,
)
from goferry.errors import InvalidInput
from goferry.findings import Location, Severity, Text
from goferry.gomod.module import Version

MAIN, MIDDLE = Version("example.com/app"), Version("example.com/middle", "v1.2.3")

FLAW = AuditFinding(
    key=key_of("example.com/app", Kind.VULNERABILITY, "GO-2024-0001", "example.com/flawed"),
    kind=Kind.VULNERABILITY,
    id="GO-2024-0001",
    severity=Severity.ERROR,
    project="example.com/app",
    owner="@platform",
    module="example.com/flawed",
    version="v1.0.0",
    message=Text("{id}: {summary}", id="GO-2024-0001", summary="It breaks, 会坏"),
    aliases=("CVE-2024-1", "GHSA-aaaa-bbbb-cccc"),
    chain=(MAIN, MIDDLE, Version("example.com/flawed", "v1.0.0")),
    fixed=Fixed(FixState.HERE, "v1.0.1", "example.com/flawed"),
    review="REVIEWED",
    level=Level.IDENTIFIER,
    location=Location("services/app/go.mod", 7),
    details={"packages": ["example.com/flawed/p"], "all_versions": False},
)
STALE = AuditFinding(
    key=key_of("example.com/app", Kind.STALE, "stale", "example.com/old"),
    kind=Kind.STALE,
    id="stale",
    severity=Severity.WARNING,
    project="example.com/app",
    owner="",
    module="example.com/old",
    version="v0.1.0",
    message=Text("no release for {months} months", months=40),
)
AUDIT = Audit(
    "goferry.audit/1",
    datetime(2026, 11, 29, 12, 30, tzinfo=UTC),
    DatabaseState("shipped", "2026-08-21T00:00:00Z", 4291),
    (AuditedProject("example.com/app", "services/app", "@platform", 12, Level.PACKAGE),),
    (FLAW, STALE),
    ignored=(Ignored(FLAW, "not on our path", "@platform", date(2027, 1, 31), "not_affected"),),
    since=Compared(datetime(2026, 11, 22, tzinfo=UTC), new=2, same=5, gone=(STALE,)),
)


def test_an_audit_comes_back_from_its_json_as_it_was() -> None:
    assert from_json(dumps(AUDIT), place="a test") == AUDIT


def test_the_json_form_is_the_documented_one() -> None:
    found = to_json(AUDIT)
    assert list(found) == [
        "schema",
        "generated",
        "database",
        "projects",
        "findings",
        "unproven",
        "ignored",
        "since",
    ]
    assert found["generated"] == "2026-11-29T12:30:00Z"
    assert found["projects"] == [
        {
            "name": "example.com/app",
            "root": "services/app",
            "owner": "@platform",
            "modules": 12,
            "level": "package",
        }
    ]
    assert found["findings"][0] == {
        "key": "example.com/app|vulnerability|GO-2024-0001|example.com/flawed",
        "kind": "vulnerability",
        "id": "GO-2024-0001",
        "severity": "error",
        "project": "example.com/app",
        "owner": "@platform",
        "module": "example.com/flawed",
        "version": "v1.0.0",
        "message": {
            "key": "{id}: {summary}",
            "parts": {"id": "GO-2024-0001", "summary": "It breaks, 会坏"},
            "text": "GO-2024-0001: It breaks, 会坏",
        },
        "aliases": ["CVE-2024-1", "GHSA-aaaa-bbbb-cccc"],
        "chain": [
            {"path": "example.com/app", "version": ""},
            {"path": "example.com/middle", "version": "v1.2.3"},
            {"path": "example.com/flawed", "version": "v1.0.0"},
        ],
        "fixed": {"state": "here", "version": "v1.0.1", "path": "example.com/flawed"},
        "review": "REVIEWED",
        "level": "identifier",
        "location": {"place": "services/app/go.mod", "line": 7},
        "details": {"packages": ["example.com/flawed/p"], "all_versions": False},
    }
    assert found["findings"][1]["fixed"] is None
    assert found["ignored"][0]["expires"] == "2027-01-31"


def test_fields_of_a_newer_goferry_are_passed_over() -> None:
    data = to_json(AUDIT) | {"later": 1}
    data["findings"][0]["later"] = {"a": []}
    assert from_json(json.dumps(data), place="a test") == AUDIT


BROKEN = {
    "not JSON": "{",
    "not an object": "[]",
    "no schema": "{}",
    "a report of another kind": '{"schema": "goferry.report/1"}',
    "a later schema": '{"schema": "goferry.audit/2"}',
    "nothing but a schema": '{"schema": "goferry.audit/1"}',
    "not UTF-8": b'{"schema": "goferry.audit/1\xff"}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("data", BROKEN.values(), ids=list(BROKEN))
def test_what_is_no_audit_is_refused_in_one_line(data: str | bytes) -> None:
    with pytest.raises(InvalidInput, match=r"^old\.json") as refused:
        from_json(data, place="old.json")
    assert "\n" not in str(refused.value)


WRONG_FIELDS = {
    "kind": "vulnerable",
    "severity": "critical",
    "message": {"key": "{missing}", "parts": {}},
    "chain": [{"path": 1}],
    "level": "reachable",
}


@pytest.mark.parametrize("name", WRONG_FIELDS)
def test_a_wrong_field_is_refused_by_its_name(name: str) -> None:
    data = to_json(AUDIT)
    data["findings"][0][name] = WRONG_FIELDS[name]
    with pytest.raises(InvalidInput, match=rf"findings\[0\]\.{name}"):
        from_json(json.dumps(data), place="old.json")


def test_what_can_be_acted_on_comes_first() -> None:
    nowhere = AuditFinding(
        **{name: getattr(FLAW, name) for name in FLAW.__slots__} | {"fixed": Fixed(FixState.NOWHERE)}
    )
    assert sorted([STALE, nowhere, FLAW], key=rank) == [FLAW, nowhere, STALE]


def test_findings_are_grouped_by_owner_and_those_of_nobody_come_last() -> None:
    assert [(owner, len(found)) for owner, found in AUDIT.by_owner()] == [("@platform", 1), ("", 1)]
