"""From what was looked at to one audit: judged, sorted, with what the ignore files set aside."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from goferry.deps.advisories.base import About
from goferry.deps.audit.ignoring import IgnoreFile, leftovers, set_aside
from goferry.deps.audit.judge import Rules, Subject, as_text, judge, unproven
from goferry.deps.audit.records import (
    SCHEMA,
    Audit,
    AuditedProject,
    AuditFinding,
    DatabaseState,
    Kind,
    Level,
    key_of,
    rank,
)
from goferry.errors import GoferryError
from goferry.findings import Location, Severity, Text
from goferry.gomod.modsyntax import ModFileError, Problem
from goferry.gomod.module import InvalidVersion


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A project that could not be looked at at all, and why."""

    name: str
    root: str
    owner: str
    why: GoferryError

    @property
    def project(self) -> AuditedProject:
        return AuditedProject(self.name, self.root, self.owner, 0, Level.MODULE)


def compose(
    subjects: Sequence[Subject],
    unreadable: Sequence[Unreadable],
    files: Sequence[IgnoreFile],
    database: About,
    rules: Rules,
    now: datetime,
) -> Audit:
    """One audit of all of these."""
    verdicts = [judge(subject, rules, now) for subject in subjects]
    found = [finding for verdict in verdicts for finding in verdict.findings]
    blind = [finding for verdict in verdicts for finding in verdict.unproven]
    for project in unreadable:
        blind.append(_blind(project))
        found += _words_for_versions(project)
    today = now.date()
    after = set_aside(found, files, today)
    projects = [*(subject.project for subject in subjects), *(one.project for one in unreadable)]
    owners = {project.name: project.owner for project in projects}
    about_files = [
        replace(finding, owner=finding.owner or owners.get(finding.project, ""))
        for finding in leftovers(found, files, today, {finding.project for finding in blind})
    ]
    return Audit(
        SCHEMA,
        now,
        DatabaseState(database.source, database.modified, database.entries),
        tuple(sorted(projects, key=lambda project: project.name)),
        tuple(sorted((*after.findings, *about_files), key=rank)),
        tuple(sorted(blind, key=rank)),
        after.ignored,
    )


def _blind(one: Unreadable) -> AuditFinding:
    return unproven(one.project, "project", as_text(one.why))


def _words_for_versions(one: Unreadable) -> Iterable[AuditFinding]:
    """Branch names and the like in a go.mod: go refuses to build with them as well, and the project has to be mended
    before anything else can be said."""
    problems = one.why.problems if isinstance(one.why, ModFileError) else ()
    for problem in problems:
        if isinstance(problem.why, InvalidVersion) and problem.path:
            yield _no_version(one, problem)


def _no_version(one: Unreadable, problem: Problem) -> AuditFinding:
    version = str(problem.why.parts.get("version", "")).strip('"')
    return AuditFinding(
        key=key_of(one.name, Kind.NOT_A_RELEASE, Kind.NOT_A_RELEASE.value, problem.path),
        kind=Kind.NOT_A_RELEASE,
        id=Kind.NOT_A_RELEASE.value,
        severity=Severity.ERROR,
        project=one.name,
        owner=one.owner,
        module=problem.path,
        version=version,
        message=Text("{version} is no version that go builds with", version=version),
        location=Location(f"{one.root}/go.mod", problem.position.line),
    )
