"""A fix as JSON, `goferry.fix/1`: described in docs/en/json.md."""

from collections.abc import Iterable
from typing import Any, Final

from goferry.deps.fixing.edit import Change
from goferry.deps.fixing.flaws import Aside
from goferry.deps.fixing.mending import Fix, Problem
from goferry.deps.fixing.plan import Mended, Raise, Stays
from goferry.deps.fixing.sums import Computed
from goferry.deps.fixing.vendoring import Vendoring
from goferry.deps.gate.run import Outcome
from goferry.deps.lock import details
from goferry.gomod.module import Version
from goferry.i18n import in_english

SCHEMA: Final = "goferry.fix/1"


def to_json(
    fix: Fix, gated: Outcome | None, aside: Iterable[Aside] = (), vendoring: Vendoring | None = None
) -> dict[str, Any]:
    """The stable form. Lists are sorted or in the order of the plan. `gated` is what the gate says of written files."""
    plan = fix.plan
    return {
        "schema": SCHEMA,
        "project": fix.project.name,
        "root": str(fix.project.root),
        "applied": gated is not None,
        "proven": not fix.problems,
        "smallest": plan.smallest,
        "raises": [_raise(step) for step in plan.raises],
        "holds": [_version(held) for held in plan.holds],
        "mended": [_mended(one) for one in plan.mended],
        "stays": [_stays(one) for one in plan.stays],
        "ignored": [_aside(one) for one in aside],
        "unused": [_version(one) for one in fix.unused],
        "unsigned": [_unsigned(one) for one in fix.unsigned],
        "own_log": {"name": fix.own_log, "lines": [_own(one) for one in fix.own]} if fix.own_log else None,
        "vendored": fix.vendored,
        "vendoring": None if vendoring is None else vendoring.to_json(),
        "files": [_change(change, fix) for change in fix.changes],
        "gate": None if gated is None else _gate(gated),
        "problems": [_problem(one) for one in fix.problems],
    }


def _version(version: Version) -> dict[str, str]:
    return {"path": version.path, "version": version.version}


def _raise(step: Raise) -> dict[str, Any]:
    return {
        "path": step.path,
        "before": step.before,
        "after": step.after,
        "direct": step.direct,
        "frees": list(step.frees),
    }


def _mended(one: Mended) -> dict[str, Any]:
    return {
        "path": one.path,
        "before": one.before,
        "after": one.after,
        "ids": list(one.ids),
        "direct": one.direct,
        "by": one.by,
        "parents": [
            {"path": parent.path, "before": parent.before, "after": parent.after} for parent in one.parents
        ],
    }


def _stays(one: Stays) -> dict[str, Any]:
    return {
        "path": one.path,
        "version": one.version,
        "ids": list(one.ids),
        "reason": one.reason.value,
        "detail": one.detail,
    }


def _aside(one: Aside) -> dict[str, Any]:
    entry = one.entry
    expires = None if entry.expires is None else entry.expires.isoformat()
    return _version(one.version) | {
        "id": one.id, "reason": entry.reason, "owner": entry.owner, "expires": expires,
    }  # fmt: skip


def _unsigned(one: Computed) -> dict[str, Any]:
    return {**_version(one.line.module), "why": None if one.why is None else in_english(one.why)}


def _own(one: Computed) -> dict[str, Any]:
    return {**_version(one.line.module), "new": one.is_new}


def _change(change: Change, fix: Fix) -> dict[str, Any]:
    return {
        "file": str(change.file),
        "new": change.before is None,
        "diff": change.diff(fix.project.root),
    }


def _problem(one: Problem) -> dict[str, str]:
    return {"about": one.about, "code": one.why.code, "error": in_english(one.why)}


def _gate(outcome: Outcome) -> dict[str, Any]:
    return {
        "verdict": outcome.verdict.value,
        "lines": outcome.proven.lines,
        "problems": [in_english(line) for line in details(outcome.judged)],
    }
