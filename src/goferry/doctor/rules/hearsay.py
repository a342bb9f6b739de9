"""R00: what the text alone suggests, where nothing was seen that says more.

The last rule. It gives candidates and never more: a text has several causes, which is why the others look at evidence.
"""

from collections.abc import Iterable, Sequence

from goferry.doctor.causes import BY_KEY
from goferry.doctor.evidence import Evidence
from goferry.doctor.explain.signatures import SIGNATURES
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.verdict import Certainty, Judgement
from goferry.findings import Text
from goferry.i18n import N_


def unless(rules: Sequence[Rule]) -> Rule:
    """The rule that speaks only where none of these has anything likely to say."""

    def check(evidence: Evidence) -> Iterable[Judgement]:
        found = [judgement for rule in rules for judgement in rule.check(evidence)]
        if any(judgement.certainty is not Certainty.POSSIBLE for judgement in found):
            return
        known = {judgement.cause for judgement in found}
        yield from (judgement for judgement in _suggested(evidence) if judgement.cause not in known)

    causes = tuple(dict.fromkeys(row.cause for row in SIGNATURES))
    return Rule("R00", N_("What the text alone suggests"), causes, when_broken(check))


def _suggested(evidence: Evidence) -> Iterable[Judgement]:
    for fact in scene.facts(evidence):
        row = next((row for row in SIGNATURES if row.fits(fact.tags)), None)
        if row is not None and row.cause in BY_KEY:
            where = fact.target.host or fact.target.module or "go"
            said = Text("{said}", said=scene.quoted(fact))
            yield Judgement("R00", row.cause, Certainty.POSSIBLE, where, "request", said)
