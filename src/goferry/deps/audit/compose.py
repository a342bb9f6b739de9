"""From what was found in each project to one audit: sorted, without what the ignore files set aside."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from goferry.deps.advisories.base import About
from goferry.deps.audit.ignoring import IgnoreFile, leftovers, set_aside
from goferry.deps.audit.judge import Verdict, as_text, unproven
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
from goferry.findings import Location, Part, Severity, Text
from goferry.gomod.modsyntax import ModFileError, Problem
from goferry.gomod.module import InvalidVersion


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A project that could not be looked at at all, and why."""

    name: str
    root: str
    owner: str
    why: GoferryError
    folder: str = ""
    """The whole path of the root, which is nobody's business."""

    @property
    def project(self) -> AuditedProject:
        return AuditedProject(self.name, self.root, self.owner, 0, Level.MODULE)


@dataclass(frozen=True, slots=True)
class Judged:
    """A project, and what was found in it. What was known of it for that is large, and not kept."""

    project: AuditedProject
    verdict: Verdict


def compose(
    judged: Sequence[Judged],
    unreadable: Sequence[Unreadable],
    files: Sequence[IgnoreFile],
    database: About,
    now: datetime,
) -> Audit:
    """One audit of all of these."""
    found = [finding for one in judged for finding in one.verdict.findings]
    blind = [finding for one in judged for finding in one.verdict.unproven]
    for project in unreadable:
        blind.append(_blind(project))
        found += _words_for_versions(project)
    today = now.date()
    after = set_aside(found, files, today)
    projects = [*(one.project for one in judged), *(one.project for one in unreadable)]
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
    text = as_text(one.why)
    return unproven(one.project, "project", _seen_from_here(text, one) if one.folder else text)


def _seen_from_here(text: Text, one: Unreadable) -> Text:
    """The text with files of the project named by their place in it."""
    root = "" if one.root == "." else f"{one.root}/"

    def shown(part: Part) -> Part:
        if isinstance(part, Text):
            return _seen_from_here(part, one)
        return part.replace(f"{one.folder}{os.sep}", root) if isinstance(part, str) else part

    return Text(text.key, **{name: shown(part) for name, part in text.parts.items()})


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
