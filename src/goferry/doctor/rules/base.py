"""What a rule is: a code, the causes it can name, and one pure function from evidence to judgements."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from goferry.doctor.evidence import Evidence
from goferry.doctor.rules.scene import is_broken
from goferry.doctor.verdict import Judgement

Check = Callable[[Evidence], Iterable[Judgement]]


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. code: `R01`, the name of its page in docs/*/rules; title: an English key of one short line.

    check: everything it finds in the evidence, nothing for a healthy world. It never raises for odd evidence.
    """

    code: str
    title: str
    causes: tuple[str, ...]
    check: Check


def when_broken(check: Check) -> Check:
    """The check for worlds in which something failed; a command that worked has no faults."""

    def guarded(evidence: Evidence) -> Iterable[Judgement]:
        return check(evidence) if is_broken(evidence) else ()

    return guarded
