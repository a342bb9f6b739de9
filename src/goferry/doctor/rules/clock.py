"""R24: the clock. Certificates look expired or not yet valid, and the Date headers of others agree that it is us."""

from collections.abc import Iterable
from statistics import median
from typing import Final

from goferry.doctor.evidence import Evidence, HandshakeSeen
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import failed
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_

ALLOWED: Final = 300.0
"""Seconds that a clock may be wrong by."""

_OF_TIME: Final = ("expired", "not_yet_valid")


def offset(evidence: Evidence) -> float | None:
    """Seconds that the local clock is ahead of the others' median; None when nobody said the time."""
    offsets = [date.offset for date in evidence.dates]
    return median(offsets) if offsets else None


def clock_is_right(evidence: Evidence) -> bool | None:
    """Whether others agree with the local clock; None when nobody said the time."""
    ahead = offset(evidence)
    return None if ahead is None else abs(ahead) <= ALLOWED


def _clock(evidence: Evidence) -> Iterable[Judgement]:
    ahead = offset(evidence)
    if ahead is None or abs(ahead) <= ALLOWED:
        return
    bad = [shake for shake in evidence.handshakes if shake.wrong in _OF_TIME]
    heard = scene.said(scene.facts(evidence), "expired|not_yet")
    if not bad and heard is None:
        return
    cured = next((shake for shake in bad if _is_valid_then(shake, evidence.taken - ahead)), None)
    proof = None
    if cured is not None and len(evidence.dates) > 1:
        leaf = cured.chain[0]
        proof = Proof(
            Text(N_("certificate of {host} at this machine's time: {wrong}"), host=cured.host,
                 wrong=failed(cured.wrong)),
            Text(N_("certificate of {host} at the time of {hosts}: valid"), host=cured.host,
                 hosts=", ".join(sorted({date.host for date in evidence.dates})), names=leaf.subject),
            Text(N_("the clock")),
        )  # fmt: skip
    yield judged(
        evidence, "R24", "clock_skew", "clock", "tls",
        Text(N_("this clock is {days} days ahead of the others (by {hosts} hosts)"),
             days=round(ahead / 86400, 2), hosts=len(evidence.dates)),
        proof=proof,
        sole=cured is not None and any(shake.wrong == "not_yet_valid" for shake in bad),
    )  # fmt: skip


def _is_valid_then(shake: HandshakeSeen, moment: float) -> bool:
    return bool(shake.chain) and all(cert.not_before <= moment <= cert.not_after for cert in shake.chain)


CLOCK = Rule("R24", N_("The clock is wrong"), ("clock_skew",), when_broken(_clock))
