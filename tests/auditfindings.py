"""Findings for tests: one flaw in a module of example.com/app, with any field changed."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from goferry.deps.audit.records import (
    SCHEMA,
    Audit,
    AuditedProject,
    AuditFinding,
    DatabaseState,
    Fixed,
    FixState,
    Kind,
    Level,
    key_of,
)
from goferry.findings import Location, Severity, Text
from goferry.gomod.module import Version

APP = "example.com/app"

FLAW = AuditFinding(
    key="",
    kind=Kind.VULNERABILITY,
    id="GO-2024-0001",
    severity=Severity.ERROR,
    project=APP,
    owner="@platform",
    module="example.com/flawed",
    version="v1.0.0",
    message=Text("{id}: {summary}", id="GO-2024-0001", summary="It breaks, 会坏"),
    aliases=("CVE-2024-1", "GHSA-aaaa-bbbb-cccc"),
    chain=(
        Version(APP),
        Version("example.com/middle", "v1.2.3"),
        Version("example.com/flawed", "v1.0.0"),
    ),
    fixed=Fixed(FixState.HERE, "v1.0.1", "example.com/flawed"),
    review="REVIEWED",
    level=Level.IDENTIFIER,
    location=Location("go.mod", 7),
    details={"url": "https://example.com/GO-2024-0001", "packages": ["example.com/flawed/p"]},
)


def finding(**changed: Any) -> AuditFinding:
    """FLAW with other fields, and its key."""
    found = replace(FLAW, **changed)
    return replace(found, key=key_of(found.project, found.kind, found.id, found.module))


def stale(**changed: Any) -> AuditFinding:
    """A finding that is about no advisory."""
    fields = {
        "kind": Kind.STALE,
        "id": "stale",
        "severity": Severity.WARNING,
        "module": "example.com/old",
        "version": "v0.1.0",
        "message": Text("no release since {date}", date="2021-02-03"),
        "aliases": (),
        "chain": (Version(APP), Version("example.com/old", "v0.1.0")),
        "fixed": None,
        "review": "",
        "level": Level.MODULE,
        "location": None,
        "details": {},
    }
    return finding(**(fields | changed))


def audit(*findings: AuditFinding, **changed: Any) -> Audit:
    """An audit of example.com/app that found these."""
    made = Audit(
        SCHEMA,
        datetime(2026, 11, 29, 12, 30, tzinfo=UTC),
        DatabaseState("shipped", "2026-08-21T00:00:00Z", 4291),
        (AuditedProject(APP, ".", "@platform", 12, Level.IDENTIFIER),),
        findings,
    )
    return replace(made, **changed)
