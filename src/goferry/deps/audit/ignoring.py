"""The ignore file: which findings a team has looked at and lives with, why, and until when.

    [[ignore]]
    id = "GO-2024-0001"             # the advisory, one of its aliases, a licence, or a kind such as "stale"
    module = "example.com/flawed"   # optional: only there
    reason = "we never call Parse"
    owner = "@platform"             # optional
    expires = 2027-01-31            # optional: counts to the end of that day
    state = "not_affected"          # optional: what a VEX says
    justification = "code_not_reachable"

An entry without a reason is refused: nobody can judge it later. One that sets nothing aside, or is past its date, is a
finding itself, so that the file stays as short as what it is for.
"""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

import msgspec

from goferry.deps.audit.records import AuditFinding, Ignored, Kind, key_of
from goferry.errors import InvalidInput
from goferry.findings import Severity, Text
from goferry.i18n import N_

FILE_NAME: Final = "goferry-ignore.toml"
"""What is looked for beside a go.mod or go.work, and in a folder that is audited as a whole."""


class State(StrEnum):
    """What a VEX says about a flaw (CycloneDX 1.6, `analysis.state`)."""

    RESOLVED = "resolved"
    RESOLVED_WITH_PEDIGREE = "resolved_with_pedigree"
    EXPLOITABLE = "exploitable"
    IN_TRIAGE = "in_triage"
    FALSE_POSITIVE = "false_positive"
    NOT_AFFECTED = "not_affected"


class Justification(StrEnum):
    """Why something is not affected (CycloneDX 1.6, `analysis.justification`)."""

    CODE_NOT_PRESENT = "code_not_present"
    CODE_NOT_REACHABLE = "code_not_reachable"
    REQUIRES_CONFIGURATION = "requires_configuration"
    REQUIRES_DEPENDENCY = "requires_dependency"
    REQUIRES_ENVIRONMENT = "requires_environment"
    PROTECTED_BY_COMPILER = "protected_by_compiler"
    PROTECTED_AT_RUNTIME = "protected_at_runtime"
    PROTECTED_AT_PERIMETER = "protected_at_perimeter"
    PROTECTED_BY_MITIGATING_CONTROL = "protected_by_mitigating_control"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to live with."""

    id: str
    reason: str
    module: str = ""
    owner: str = ""
    expires: date | None = None
    state: State | None = None
    justification: Justification | None = None

    def covers(self, finding: AuditFinding) -> bool:
        """By the id, an alias or the kind, and by the module where one is named."""
        return self.names((finding.id, finding.kind.value, *finding.aliases), finding.module)

    def names(self, known_as: Collection[str], module: str) -> bool:
        """Whether it is for something that is known by these names, in this module."""
        return self.id in known_as and self.module in ("", module)

    def is_past(self, today: date) -> bool:
        """It holds to the end of its last day."""
        return self.expires is not None and today > self.expires


@dataclass(frozen=True, slots=True)
class IgnoreFile:
    """The entries of one file, and whose findings they may set aside."""

    place: str
    entries: tuple[Entry, ...]
    projects: frozenset[str] | None = None
    """Names of projects; None for all."""

    def concerns(self, project: str) -> bool:
        return self.projects is None or project in self.projects


@dataclass(frozen=True, slots=True)
class Sorted:
    """What remains, and what was set aside."""

    findings: tuple[AuditFinding, ...]
    ignored: tuple[Ignored, ...]


class _Form(msgspec.Struct, forbid_unknown_fields=True):
    ignore: tuple[dict[str, Any], ...] = ()


class _Item(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    reason: str = ""
    module: str = ""
    owner: str = ""
    expires: date | None = None
    state: State | None = None
    justification: Justification | None = None


def parse(data: bytes, place: str) -> IgnoreFile:
    """The file; InvalidInput says in one line which entry is wrong."""
    try:
        text = data.decode()
        form = msgspec.convert(tomllib.loads(text), _Form)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise InvalidInput(
            "{place}: not a list of entries to ignore: {why}", place=place, why=error
        ) from error
    entries = tuple(_entry(item, f"{place}: [[ignore]] {n}") for n, item in enumerate(form.ignore, 1))
    return IgnoreFile(place, entries)


def _entry(item: Mapping[str, Any], place: str) -> Entry:
    try:
        found = msgspec.convert(item, _Item)
    except msgspec.ValidationError as error:
        raise InvalidInput("{place}: {why}", place=place, why=error) from error
    if not found.id.strip():
        raise InvalidInput("{place}: `id` is empty", hint=_ID_HINT, place=place)
    if not found.reason.strip():
        raise InvalidInput(
            "{place}: {id} has no `reason`",
            hint=N_('write reason = "…": somebody will have to judge it later'),
            place=place,
            id=found.id,
        )
    return Entry(
        found.id,
        found.reason.strip(),
        found.module,
        found.owner,
        found.expires,
        found.state,
        found.justification,
    )


_ID_HINT: Final = N_("name an advisory, one of its aliases, a licence, or a kind such as stale")


def set_aside(findings: Iterable[AuditFinding], files: Iterable[IgnoreFile], today: date) -> Sorted:
    """Sorts findings by the first entry that covers them and is not past its date."""
    valid = [(file, entry) for file in files for entry in file.entries if not entry.is_past(today)]
    kept: list[AuditFinding] = []
    ignored: list[Ignored] = []
    for finding in findings:
        entry = next((e for file, e in valid if file.concerns(finding.project) and e.covers(finding)), None)
        if entry is None:
            kept.append(finding)
        else:
            ignored.append(
                Ignored(
                    finding,
                    entry.reason,
                    entry.owner,
                    entry.expires,
                    entry.state.value if entry.state else "",
                    entry.justification.value if entry.justification else "",
                )
            )
    return Sorted(tuple(kept), tuple(ignored))


def leftovers(
    findings: Iterable[AuditFinding],
    files: Iterable[IgnoreFile],
    today: date,
    unproven: Iterable[str] = (),
) -> tuple[AuditFinding, ...]:
    """Findings about the files themselves: entries past their date, and entries that cover nothing. `findings` are
    all, before anything was set aside. An entry is not called unused while a project that it may concern is
    `unproven`: what it is for may be what could not be looked at."""
    known, open_ = tuple(findings), frozenset(unproven)
    return tuple(
        finding
        for file in files
        for entry in file.entries
        if (finding := _leftover(file, entry, known, today, open_)) is not None
    )


def _leftover(
    file: IgnoreFile, entry: Entry, known: tuple[AuditFinding, ...], today: date, unproven: frozenset[str]
) -> AuditFinding | None:
    if entry.is_past(today):
        return _about(file, entry, Kind.IGNORE_EXPIRED, _expired(file, entry))
    used = any(file.concerns(finding.project) and entry.covers(finding) for finding in known)
    if used or any(file.concerns(project) for project in unproven):
        return None
    return _about(file, entry, Kind.IGNORE_UNUSED, _unused(file, entry))


def _expired(file: IgnoreFile, entry: Entry) -> Text:
    return Text(
        "{file}: the entry for {id} ended on {date}: look at it again, or take it out",
        file=file.place,
        id=entry.id,
        date=str(entry.expires),
    )


def _unused(file: IgnoreFile, entry: Entry) -> Text:
    return Text("{file}: the entry for {id} sets nothing aside: take it out", file=file.place, id=entry.id)


def _about(file: IgnoreFile, entry: Entry, kind: Kind, message: Text) -> AuditFinding:
    project = next(iter(file.projects)) if file.projects and len(file.projects) == 1 else ""
    details = {"file": file.place, "reason": entry.reason}
    if entry.expires is not None:
        details["expires"] = str(entry.expires)
    return AuditFinding(
        key=key_of(project, kind, entry.id, entry.module),
        kind=kind,
        id=entry.id,
        severity=Severity.WARNING,
        project=project,
        owner=entry.owner,
        module=entry.module,
        version="",
        message=message,
        details=details,
    )
