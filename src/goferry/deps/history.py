"""Kept audits: each run once, and from when to when each finding was there."""

import hashlib
import json
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from goferry.deps.audit.records import Audit, AuditFinding, dumps, from_json, to_json
from goferry.deps.kept import Kept
from goferry.errors import InvalidInput

DOCUMENTS: Final = 30
"""How many audits are kept whole; of older ones the runs and the life of each finding stay."""


@dataclass(frozen=True, slots=True)
class Run:
    """One kept audit. `generated` is in seconds since the epoch."""

    id: int
    generated: float
    projects: int
    unproven: int


@dataclass(frozen=True, slots=True)
class Span:
    """The life of one finding: the ids of the runs that saw it first, and that saw it gone."""

    kind: str
    project: str
    owner: str
    severity: str
    opened: int
    closed: int | None


def fingerprint(audit: Audit) -> str:
    """The same for the same audit, however it was stored."""
    plain = json.dumps(to_json(audit), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()


def gone(audit: Audit, before: Mapping[str, tuple[str, str]]) -> set[str]:
    """The keys of `before` (key → project and module) of which this audit shows that they are no more.

    What it did not look at is not gone: other projects, and what is `unproven`, as a whole or for one module.
    """
    if audit.since is not None:
        return {finding.key for finding in audit.since.gone} & set(before)
    there = {finding.key for finding in audit.findings}
    looked_at = {project.name for project in audit.projects}
    blind = {(finding.project, path) for finding in audit.unproven for path in _modules(finding)}
    return {
        key
        for key, (project, module) in before.items()
        if key not in there and project in looked_at and not _hidden(blind, project, module)
    }


def _modules(unproven: AuditFinding) -> Collection[str]:
    """The module paths that an unproven thing is about; an empty one for all of the project."""
    named = unproven.details.get("modules") or [unproven.module]
    return {str(name).partition("@")[0] for name in named}


def _hidden(blind: set[tuple[str, str]], project: str, module: str) -> bool:
    whole = {("", ""), (project, ""), (project, project)}
    return not blind.isdisjoint({*whole, (project, module)})


def record(kept: Kept, audit: Audit) -> bool:
    """Keeps an audit; False if it is there already, whoever wrote it.

    Raises InvalidInput for an audit that is older than a kept one of the same projects.
    """
    mark, generated = fingerprint(audit), audit.generated.timestamp()
    with kept.writing():
        if kept.row("SELECT id FROM runs WHERE fingerprint = ?", (mark,)):
            return False
        _refuse_older(kept, audit, generated)
        run = kept.do(
            "INSERT INTO runs (fingerprint, generated, database, projects, unproven) VALUES (?, ?, ?, ?, ?)",
            (mark, generated, audit.database.modified, len(audit.projects), len(audit.unproven)),
        )
        kept.do_all(
            "INSERT OR IGNORE INTO audited (run, project, owner, modules, level) VALUES (?, ?, ?, ?, ?)",
            [(run, each.name, each.owner, each.modules, each.level.value) for each in audit.projects],
        )
        _keep_document(kept, run, audit)
        _close_and_open(kept, run, audit)
    return True


def _refuse_older(kept: Kept, audit: Audit, generated: float) -> None:
    names = json.dumps([project.name for project in audit.projects])
    newest = kept.row(
        "SELECT max(generated) FROM runs JOIN audited ON run = id "
        "WHERE project IN (SELECT value FROM json_each(?))",
        (names,),
    )
    if newest and newest[0] is not None and newest[0] > generated:
        raise InvalidInput(
            "this audit ({generated}) is older than one of the same projects that is kept",
            generated=audit.generated.isoformat(timespec="seconds"),
        )


def _keep_document(kept: Kept, run: int, audit: Audit) -> None:
    kept.do(
        "INSERT INTO documents (run, audit) VALUES (?, ?)", (run, zlib.compress(dumps(audit).encode(), 6))
    )
    kept.do(
        "DELETE FROM documents WHERE run NOT IN (SELECT run FROM documents ORDER BY run DESC LIMIT ?)",
        (DOCUMENTS,),
    )


def _close_and_open(kept: Kept, run: int, audit: Audit) -> None:
    open_now = {
        key: (project, module)
        for key, project, module in kept.rows("SELECT key, project, module FROM spans WHERE closed IS NULL")
    }
    kept.do_all(
        "UPDATE spans SET closed = ? WHERE key = ? AND closed IS NULL",
        [(run, key) for key in sorted(gone(audit, open_now))],
    )
    fresh = {finding.key: finding for finding in audit.findings if finding.key not in open_now}
    kept.do_all(
        "INSERT INTO spans (key, kind, ident, severity, project, owner, module, opened) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [_span(finding, run) for finding in fresh.values()],
    )


def _span(finding: AuditFinding, run: int) -> tuple[object, ...]:
    return (
        finding.key,
        finding.kind.value,
        finding.id,
        finding.severity.value,
        finding.project,
        finding.owner,
        finding.module,
        run,
    )


def runs(kept: Kept) -> tuple[Run, ...]:
    """All kept runs, the first one first."""
    return tuple(
        Run(*row) for row in kept.rows("SELECT id, generated, projects, unproven FROM runs ORDER BY id")
    )


def spans(kept: Kept) -> tuple[Span, ...]:
    """The life of every finding that was ever kept."""
    return tuple(
        Span(*row)
        for row in kept.rows("SELECT kind, project, owner, severity, opened, closed FROM spans ORDER BY id")
    )


def latest(kept: Kept) -> Audit | None:
    """The audit that was kept last, whole."""
    found = kept.row("SELECT audit FROM documents ORDER BY run DESC LIMIT 1")
    return None if found is None else from_json(zlib.decompress(found[0]), place=str(kept.path))
