"""One diagnosis: look, judge, propose and try, judge again with what the trials showed."""

import time
from dataclasses import replace

from goferry.doctor.base import World
from goferry.doctor.compare import compare
from goferry.doctor.evidence import Evidence, Subject
from goferry.doctor.fixes import propose
from goferry.doctor.fixes.plan import Tried, changes_of
from goferry.doctor.form import Diagnosis
from goferry.doctor.judge import has_failed, judge, verdict_of
from goferry.doctor.look import look
from goferry.doctor.mend import is_better, mend
from goferry.doctor.verdict import Judgement


async def diagnose(world: World, subject: Subject, *, old: Evidence | None = None) -> Diagnosis:
    """The whole of it, live. old: the evidence of an earlier run to compare with."""
    started = time.monotonic()
    evidence = await look(world, subject)
    judgements = judge(evidence)
    tried, runs = await mend(world, evidence, judgements)
    if runs:
        # A trial that helped is the passing side of a proof: it differs from the failing run in what was changed.
        seconds = time.monotonic() - started
        evidence = replace(evidence, runs=(*evidence.runs, *runs), seconds=seconds)
        before = dict(zip(judgements, tried, strict=True))
        by_place = {(one.cause, one.where): plans for one, plans in before.items()}
        judgements = judge(evidence)
        tried = tuple(
            _untried(evidence, one)
            if (known := by_place.get((one.cause, one.where))) is None
            else _told_anew(evidence, one, known)
            for one in judgements
        )
    return _diagnosis(evidence, judgements, tried, old)


def replay(evidence: Evidence, *, old: Evidence | None = None) -> Diagnosis:
    """The same from saved evidence: nothing is asked and nothing is run."""
    judgements = judge(evidence)
    return _diagnosis(evidence, judgements, tuple(_retested(evidence, one) for one in judgements), old)


def _told_anew(evidence: Evidence, judgement: Judgement, tried: tuple[Tried, ...]) -> tuple[Tried, ...]:
    """What others are told is what is known after the trials."""
    fresh = {plan.key: plan for plan in propose(evidence, judgement) if plan.by}
    return tuple(
        replace(one, plan=fresh.get(one.plan.key, one.plan)) if one.plan.by else one for one in tried
    )


def _untried(evidence: Evidence, judgement: Judgement) -> tuple[Tried, ...]:
    return tuple(Tried(plan) for plan in propose(evidence, judgement))


def _retested(evidence: Evidence, judgement: Judgement) -> tuple[Tried, ...]:
    """Plans with what the saved trials said of them."""
    helped = {run.changed for run in evidence.runs if run.label == "retest" and is_better(evidence, run)}
    tried = (
        Tried(plan, plan.can_be_tried and changes_of(plan) in helped) for plan in propose(evidence, judgement)
    )
    return tuple(sorted(tried, key=lambda one: not one.retested))


def _diagnosis(
    evidence: Evidence,
    judgements: tuple[Judgement, ...],
    tried: tuple[tuple[Tried, ...], ...],
    old: Evidence | None,
) -> Diagnosis:
    verdict = verdict_of(judgements, failed=has_failed(evidence))
    changes = () if old is None else compare(old, evidence)
    return Diagnosis(evidence, judgements, tried, verdict, changes)
