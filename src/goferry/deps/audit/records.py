"""What an audit found: frozen records with one JSON form, `goferry.audit/1`.

The field names are the JSON names (docs/en/json.md). Data first, as everywhere: kinds, ids, severities and parts are
the same in every language, and each sentence is an English key that is translated when it is shown. So an audit that
was saved can be shown later, in another form and another language, and compared with a newer one by its keys.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

import msgspec

from goferry.deps.advisories.matching import Fixed as Fixed
from goferry.deps.advisories.matching import FixState as FixState
from goferry.deps.usage import Level as Level
from goferry.errors import InvalidInput
from goferry.findings import Location, Severity, Text, decode_text, encode_text
from goferry.gomod.module import Version

SCHEMA: Final = "goferry.audit/1"


class Kind(StrEnum):
    """What a finding is about. A closed list: rules, `--fail-on` and ignore entries name these words."""

    VULNERABILITY = "vulnerability"
    """An advisory covers a module of the build list."""
    STDLIB = "stdlib"
    """An advisory covers the standard library that the project is built with."""
    TOOLCHAIN = "toolchain"
    """An advisory covers the go command itself: it concerns developers and CI, not what is shipped."""
    STALE = "stale"
    """No release for a long time."""
    ARCHIVED = "archived"
    """Its repository is closed to changes."""
    RETRACTED = "retracted"
    """Its authors withdrew the version that is used."""
    DEPRECATED = "deprecated"
    """Its authors say that it should not be used any more."""
    PSEUDO_VERSION = "pseudo_version"
    """A commit is used and not a release."""
    NOT_A_RELEASE = "not_a_release"
    """A pre-release, or a word that is no version (a branch name), is used."""
    LICENCE = "licence"
    """Its licence is not allowed, or could not be told."""
    REPLACED_BY_FORK = "replaced_by_fork"
    """Another module, or a folder, is built in its place."""
    IGNORE_UNUSED = "ignore_unused"
    """An entry of the ignore file sets nothing aside."""
    IGNORE_EXPIRED = "ignore_expired"
    """An entry of the ignore file is past its date, so what it set aside is shown again."""
    UNPROVEN = "unproven"
    """Something could not be looked at, so nothing is said about it; only in `unproven`."""


@dataclass(frozen=True, slots=True)
class AuditFinding:
    """One thing to act on."""

    key: str
    """Stable over runs and versions: see `key_of`."""
    kind: Kind
    id: str
    """The advisory; for a licence its SPDX name; else the kind."""
    severity: Severity
    project: str
    owner: str
    """Who looks after the project: from CODEOWNERS, else the folder. Empty when nobody is known."""
    module: str
    """The module path in the build list; `stdlib` and `toolchain` for Go itself."""
    version: str
    message: Text
    aliases: tuple[str, ...] = ()
    """Other names of the advisory (CVE, GHSA)."""
    chain: tuple[Version, ...] = ()
    """Who brings it in, from the main module to this one. Empty when that says nothing."""
    fixed: Fixed | None = None
    """Of advisories only."""
    review: str = ""
    """`REVIEWED` or `UNREVIEWED`, as the advisory says; empty for the rest."""
    level: Level = Level.MODULE
    location: Location | None = None
    """The line that requires it, or through which it comes; the place is relative like `root` of the project."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """Plain JSON; what is in it depends on the kind (docs/en/json.md)."""


def key_of(project: str, kind: Kind, ident: str, module: str) -> str:
    """The fingerprint that `--since`, notices and trends compare. No version is in it: an upgrade that mends nothing
    makes no news."""
    return f"{project}|{kind.value}|{ident}|{module}"


@dataclass(frozen=True, slots=True)
class AuditedProject:
    """What was looked at."""

    name: str
    """The main module's path, for a workspace its folder; with the root behind it when two have the same name."""
    root: str
    """The folder, relative to where the audit ran if it is below; with slashes."""
    owner: str
    modules: int
    """How many modules are in its build list, without the main ones."""
    level: Level
    """How closely all of it could be looked at: `module` when its source could not be read."""


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The advisories that were used."""

    source: str
    """`shipped`, or where it came from."""
    modified: str
    """As the database says: RFC 3339."""
    entries: int


@dataclass(frozen=True, slots=True)
class Ignored:
    """A finding that the ignore file sets aside, and why."""

    finding: AuditFinding
    reason: str
    owner: str = ""
    expires: date | None = None
    state: str = ""
    """The VEX state that its author chose, empty for none."""
    justification: str = ""
    """The VEX justification that its author chose, empty for none."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What changed since an older audit (`--since`): `findings` of the new one then holds what is new only."""

    generated: datetime
    """When the older one was made."""
    new: int
    same: int
    gone: tuple[AuditFinding, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """One run over any number of projects."""

    schema: str
    generated: datetime
    database: DatabaseState
    projects: tuple[AuditedProject, ...]
    findings: tuple[AuditFinding, ...] = ()
    """Worst first; see `sorted_findings`."""
    unproven: tuple[AuditFinding, ...] = ()
    """What could not be looked at, all of kind `unproven`: no project named here is clean."""
    ignored: tuple[Ignored, ...] = ()
    since: Compared | None = None

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    def by_owner(self) -> Iterator[tuple[str, tuple[AuditFinding, ...]]]:
        """The findings of each owner in alphabetical order, those of nobody last."""
        owners = sorted({finding.owner for finding in self.findings}, key=lambda owner: (not owner, owner))
        for owner in owners:
            yield owner, tuple(finding for finding in self.findings if finding.owner == owner)


_KINDS: Final = tuple(Kind)
_FIXABLE: Final = {FixState.HERE: 0, FixState.NEXT_MAJOR: 1, FixState.UNRELEASED: 2, FixState.NOWHERE: 3}


def rank(finding: AuditFinding) -> tuple[Any, ...]:
    """What can be acted on first: the worst, then flaws before all else, those with a fix first, then by name."""
    fix = _FIXABLE[finding.fixed.state] if finding.fixed else 0
    kind = _KINDS.index(finding.kind)
    return (
        finding.severity.rank,
        finding.fixed is None,
        fix,
        finding.project,
        kind,
        finding.module,
        finding.id,
    )


def to_json(audit: Audit) -> dict[str, Any]:
    """The stable form, as plain values."""
    found: dict[str, Any] = json.loads(_encoded(audit))
    return found


def dumps(audit: Audit) -> str:
    """Indented JSON with a final newline."""
    return msgspec.json.format(_encoded(audit), indent=2).decode() + "\n"


def _encoded(audit: Audit) -> bytes:
    found = msgspec.to_builtins(audit, enc_hook=encode_text)
    return msgspec.json.encode(_with_chains(found, _as_objects))


def from_json(data: bytes | str, *, place: str) -> Audit:
    """The inverse. InvalidInput when it is no audit of this schema; `place` names where it came from. Fields that are
    not known are passed over, so an audit of a newer goferry can still be compared."""
    try:
        schema = msgspec.json.decode(data, type=_Schema).schema
        if schema != SCHEMA:
            raise InvalidInput(
                "{place}: its schema is {found}, and this goferry reads {wanted}",
                place=place,
                found=schema or "?",
                wanted=SCHEMA,
            )
        found = _with_chains(msgspec.json.decode(data), _as_pairs)
        return msgspec.convert(found, type=Audit, dec_hook=decode_text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInput("{place} is no saved audit: {why}", place=place, why=error) from error


def _with_chains(found: Any, change: Callable[[Any], Any]) -> Any:
    """The same with each step of a chain changed. msgspec takes a Version for the pair that it is; here it is an object
    with names."""
    if isinstance(found, dict):
        return {
            name: list(map(change, value))
            if name == "chain" and isinstance(value, list | tuple)
            else _with_chains(value, change)
            for name, value in found.items()
        }
    return [_with_chains(one, change) for one in found] if isinstance(found, list | tuple) else found


def _as_objects(step: Any) -> Any:
    path, version = step
    return {"path": path, "version": version}


def _as_pairs(step: Any) -> Any:
    """What is no such object is left to be refused."""
    if isinstance(step, dict) and "path" in step:
        return [step["path"], step.get("version", "")]
    return False


class _Schema(msgspec.Struct):
    schema: str = ""
