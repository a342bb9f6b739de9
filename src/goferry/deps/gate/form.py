"""The outcome of a gate for programs and for people: `goferry.gate/1`, and a Report."""

from typing import Any, Final

from goferry.deps.gate.proving import How, Proof, version_of
from goferry.deps.gate.rules import RULES, Judged, Level, State, Verdict
from goferry.deps.gate.run import Outcome
from goferry.findings import Finding, Location, Report, Severity, Text
from goferry.i18n import N_

SCHEMA: Final = "goferry.gate/1"


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The stable form of docs/en/json.md."""
    proven = outcome.proven
    return {
        "schema": SCHEMA,
        "verdict": outcome.verdict.value,
        "class": outcome.policy.of.value,
        "rules": {rule.name: outcome.policy.level(rule.name).value for rule in RULES},
        "modules": list(proven.modules),
        "proven": {
            "files": list(proven.files),
            "lines": proven.lines,
            "equal": {how.value: proven.equal.get(how, 0) for how in How},
            "database": proven.log,
            "head": proven.head,
            "own_log": {"name": proven.own_log, "head": proven.own_head} if proven.own_log else None,
            "private": [_private(one) for one in proven.private],
            "vendored_modules": proven.vendored_modules,
            "vendored_files": proven.vendored_files,
            "digests": dict(proven.digests),
        },
        "problems": [_problem(one) for one in outcome.judged],
    }


def _private(proof: Proof) -> dict[str, Any]:
    line = proof.line
    version = version_of(line)
    return {
        "path": version.path,
        "version": version.version,
        "go_mod": line.of_go_mod,
        "file": line.file,
        "line": line.number,
        "by": proof.how.value,
        "new": proof.is_new or proof.how is How.BYTES,
    }


def _problem(one: Judged) -> dict[str, Any]:
    problem = one.problem
    module = problem.module
    allowed = one.allowed
    return {
        "rule": problem.rule,
        "state": problem.state.value,
        "level": one.level.value if problem.state is not State.NOTE and allowed is None else "note",
        "message": problem.message.english,
        "module": None if module is None else {"path": module.path, "version": module.version},
        "file": problem.file or None,
        "line": problem.line,
        "allowed": None
        if allowed is None
        else {"reason": allowed.reason, "until": allowed.until.isoformat()},
    }


_TITLES: Final = {
    Verdict.PASSED: N_("gate: {name} passed"),
    Verdict.FAILED: N_("gate: {name} failed"),
    Verdict.UNPROVEN: N_("gate: {name} could not be proven"),
}


def report(outcome: Outcome, *, notes: bool = True) -> Report:
    """The worst first; `notes`: with what breaks nothing."""
    proven = outcome.proven
    name = ", ".join(proven.modules)
    start = next((file for file in proven.digests if file.endswith("go.mod")), "")
    shown = [one for one in outcome.judged if notes or _severity(one) is not Severity.INFO]
    findings = [_finding(one, start) for one in shown]
    facts: dict[str, str | int | float] = {
        "lines": proven.lines,
        "log": proven.equal.get(How.LOG, 0),
        **({"own": proven.equal.get(How.OWN, 0)} if proven.own_log else {}),
        "store": proven.equal.get(How.STORE, 0),
        "bytes": proven.equal.get(How.BYTES, 0),
        "vendored": proven.vendored_files,
    }
    return Report("gate", Text(_TITLES[outcome.verdict], name=name), tuple(findings), facts)


def _severity(one: Judged) -> Severity:
    if one.fails or one.unproven:
        return Severity.ERROR
    return Severity.WARNING if one.level is Level.WARN else Severity.INFO


def _finding(one: Judged, start: str) -> Finding:
    """`start` is where a problem of no file stands: the first go.mod."""
    problem = one.problem
    place = Location(problem.file or start, problem.line)
    return Finding(problem.rule, _severity(one), problem.message, place, problem.fix)
