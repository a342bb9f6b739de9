"""From evidence to an answer: all rules in the order of judging, then the one verdict.

The order is that of the rules' tuple: what breaks everything else comes first, the module's author last. The first
proven fault is the verdict and the others are "also seen"; without a proven one it is the surest, which is then called
likely or possible. Evidence of a run that worked and was not slow has no faults, whatever else looks odd.
"""

from collections.abc import Sequence

from goferry.doctor.causes import CANNOT_TELL
from goferry.doctor.evidence import Evidence
from goferry.doctor.rules import RULES
from goferry.doctor.rules.base import Rule
from goferry.doctor.rules.scene import was_at_work
from goferry.doctor.verdict import Certainty, Judgement, Verdict


def judge(evidence: Evidence, rules: Sequence[Rule] = RULES) -> tuple[Judgement, ...]:
    """What the rules find: proven ones first, in the order of judging, one judgement per cause and place."""
    found = [judgement for rule in rules for judgement in rule.check(evidence)]
    first: dict[tuple[str, str], Judgement] = {}
    for judgement in sorted(found, key=_surest_first):
        first.setdefault((judgement.cause, judgement.where), judgement)
    return tuple(first.values())


def _surest_first(judgement: Judgement) -> tuple[bool, int]:
    return (not judgement.proven, judgement.certainty.rank)


def verdict_of(judgements: Sequence[Judgement], *, failed: bool) -> Verdict | None:
    """The answer in short; None for a sound environment. `failed`: whether go itself did not get what was asked."""
    if not judgements:
        return Verdict(CANNOT_TELL, Certainty.POSSIBLE) if failed else None
    best = judgements[0]
    candidates = tuple(dict.fromkeys(judgement.cause for judgement in judgements))
    return Verdict(best.cause, best.certainty, candidates)


def has_failed(evidence: Evidence) -> bool:
    """Whether the user's own command failed; without one, whether nothing of what was asked about was reached."""
    runs = [run for run in evidence.runs if run.label == "go"]
    if runs:
        return any(run.exit != 0 for run in runs) and not was_at_work(evidence)
    if evidence.subject.host or evidence.subject.url:
        asked = {target.host for target in evidence.targets[:1]}
        return not any(dial.host in asked and not dial.failure for dial in evidence.dials)
    if not (evidence.settings.go_path or evidence.targets):
        return True  # nothing could be looked at, which is no reason to call it sound
    answers = [answer for answer in evidence.answers if answer.entry >= 0]
    return bool(answers) and all(answer.status != 200 for answer in answers)
