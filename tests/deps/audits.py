"""Audits by the line, for the tests of history, notices and the schedule."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from goferry.deps.audit.records import (
    SCHEMA,
    Audit,
    AuditedProject,
    AuditFinding,
    Compared,
    DatabaseState,
    Fixed,
    FixState,
    Kind,
    Level,
    key_of,
)
from goferry.findings import Severity, Text
from goferry.gomod.module import Version

START = datetime(2026, 11, 1, 6, 0, tzinfo=UTC)
APP = "example.com/app"
DATABASE = DatabaseState("shipped", "2026-10-30T00:00:00Z", 5000)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


HERE = Fixed(FixState.HERE, "v1.0.1", "example.com/flawed")


def flaw(
    ident: str = "GO-2026-0001",
    *,
    project: str = APP,
    owner: str = "@platform",
    module: str = "example.com/flawed",
    severity: Severity = Severity.ERROR,
    summary: str = "it breaks",
    aliases: Iterable[str] = ("CVE-2026-1000",),
    fixed: Fixed | None = HERE,
) -> AuditFinding:
    """A known vulnerability."""
    return AuditFinding(
        key=key_of(project, Kind.VULNERABILITY, ident, module),
        kind=Kind.VULNERABILITY,
        id=ident,
        severity=severity,
        project=project,
        owner=owner,
        module=module,
        version="v1.0.0",
        message=Text("{id}: {summary}", id=ident, summary=summary),
        aliases=tuple(aliases),
        chain=(Version(project), Version("example.com/middle", "v1.2.3"), Version(module, "v1.0.0")),
        fixed=fixed,
        review="REVIEWED",
    )


def stale(
    module: str = "example.com/old", *, project: str = APP, owner: str = "", months: int = 40
) -> AuditFinding:
    """A dependency without a release for long."""
    return AuditFinding(
        key=key_of(project, Kind.STALE, "stale", module),
        kind=Kind.STALE,
        id="stale",
        severity=Severity.WARNING,
        project=project,
        owner=owner,
        module=module,
        version="v0.1.0",
        message=Text("no release for {months} months", months=months),
    )


def unproven(project: str = APP, module: str = "", modules: Iterable[str] = ()) -> AuditFinding:
    """What could not be looked at."""
    return AuditFinding(
        key=key_of(project, Kind.UNPROVEN, "unproven", module),
        kind=Kind.UNPROVEN,
        id="unproven",
        severity=Severity.WARNING,
        project=project,
        owner="",
        module=module,
        version="",
        message=Text("nobody answered"),
        details={"modules": list(modules)},
    )


def audit(
    *findings: AuditFinding,
    when: datetime = START,
    projects: Iterable[str] = (),
    blind: Iterable[AuditFinding] = (),
    since: Compared | None = None,
) -> Audit:
    """An audit of `projects` and of those that the findings name."""
    names = dict.fromkeys([*projects, *(finding.project for finding in findings)] or [APP])
    return Audit(
        schema=SCHEMA,
        generated=when,
        database=DATABASE,
        projects=tuple(AuditedProject(name, name, "", 12, Level.PACKAGE) for name in names),
        findings=findings,
        unproven=tuple(blind),
        since=since,
    )
