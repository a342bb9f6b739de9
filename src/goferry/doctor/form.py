"""A diagnosis in the forms that others read: JSON for programs, a Report for the renderers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from goferry.doctor.causes import BY_KEY
from goferry.doctor.compare import Change
from goferry.doctor.evidence import Evidence
from goferry.doctor.fixes.plan import Tried
from goferry.doctor.ledger import Item, ledger
from goferry.doctor.picture import Link, picture
from goferry.doctor.reach import Reach, reach
from goferry.doctor.verdict import Certainty, Judgement, Proof, Verdict
from goferry.findings import Finding, Fix, Location, Report, Severity, Text
from goferry.i18n import N_

SCHEMA: Final = "goferry.doctor/1"

_SEVERITY: Final = {
    Certainty.CERTAIN: Severity.ERROR,
    Certainty.LIKELY: Severity.ERROR,
    Certainty.POSSIBLE: Severity.WARNING,
}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything a run of the doctor came to. `tried` has the plans of each judgement, in the same order."""

    evidence: Evidence
    judgements: tuple[Judgement, ...]
    tried: tuple[tuple[Tried, ...], ...]
    verdict: Verdict | None
    changes: tuple[Change, ...] = ()

    @property
    def links(self) -> tuple[Link, ...]:
        """The way, with its break."""
        return picture(self.evidence, self.judgements)

    @property
    def ledger(self) -> tuple[Item, ...]:
        """Where the time went."""
        return ledger(self.evidence)

    @property
    def reach(self) -> tuple[Reach, ...]:
        """How far each host that matters can be reached."""
        return reach(self.evidence)

    def to_json(self) -> dict[str, Any]:
        """The stable form of `goferry doctor --json`; a sound environment has no verdict and no findings."""
        return {
            "schema": SCHEMA,
            "verdict": None if self.verdict is None else self.verdict.to_json(),
            "findings": [
                _finding_json(judgement, tried)
                for judgement, tried in zip(self.judgements, self.tried, strict=True)
            ],
            "path": [link.to_json() for link in self.links],
            "reach": [row.to_json() for row in self.reach],
            "ledger": [item.to_json() for item in self.ledger],
            "changes": [change.to_json() for change in self.changes],
            "skipped": [
                {"what": skipped.what, "why": skipped.why.english} for skipped in self.evidence.skipped
            ],
            "seconds": round(self.evidence.seconds, 3),
        }

    def to_report(self) -> Report:
        """For SARIF, JUnit and HTML."""
        return Report(
            "doctor",
            Text(N_("goferry doctor")),
            tuple(
                _finding(judgement, tried)
                for judgement, tried in zip(self.judgements, self.tried, strict=True)
            ),
            {"seconds": round(self.evidence.seconds, 1)},
        )


def _finding_json(judgement: Judgement, tried: tuple[Tried, ...]) -> Mapping[str, Any]:
    whose = judgement.whose
    return {
        "rule": judgement.rule,
        "cause": judgement.cause,
        "certainty": judgement.certainty.value,
        "proven": judgement.proven,
        "where": judgement.where,
        "step": judgement.step,
        "whose": None if whose is None else whose.value,
        "detail": judgement.detail.to_json(),
        "proof": None if judgement.proof is None else _proof_json(judgement.proof),
        "fixes": [one.to_json() for one in tried],
    }


def _proof_json(proof: Proof) -> Mapping[str, Any]:
    return {
        "failing": proof.failing.to_json(),
        "passing": proof.passing.to_json(),
        "variable": proof.variable.to_json(),
    }


_SEEN: Final = N_("{meaning} ({certainty}) {detail}")
_PROVEN: Final = N_(
    "{meaning} ({certainty}) {detail}. Proof, with one thing changed ({variable}): failing: {failing}; "
    "passing: {passing}"
)


def _finding(judgement: Judgement, tried: tuple[Tried, ...]) -> Finding:
    """Whoever reads a report was not here: what was seen, and what proves it, is as much of it as the cause."""
    meaning = Text(BY_KEY[judgement.cause].meaning) if judgement.cause in BY_KEY else Text(judgement.cause)
    parts = {"meaning": meaning, "certainty": judgement.certainty.value, "detail": judgement.detail}
    proof = judgement.proof
    message = Text(_SEEN, **parts)
    if proof is not None:
        sides = {"variable": proof.variable, "failing": proof.failing, "passing": proof.passing}
        message = Text(_PROVEN, **parts, **sides)
    best = next((one for one in tried if one.retested), next(iter(tried), None))
    return Finding(
        judgement.cause,
        _SEVERITY[judgement.certainty],
        message,
        Location(judgement.where),
        None if best is None else Fix(best.plan.summary, "\n".join(best.plan.commands)),
    )
