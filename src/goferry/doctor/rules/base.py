"""What a rule is: a code, the causes it can name, and one pure function from evidence to judgements."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from goferry.doctor.evidence import Evidence
from goferry.doctor.verdict import Judgement


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. code: `R01`, the name of its page in docs/*/rules; title: an English key of one short line.

    check: everything it finds in the evidence, nothing for a healthy world. It never raises for odd evidence.
    """

    code: str
    title: str
    causes: tuple[str, ...]
    check: Callable[[Evidence], Iterable[Judgement]]
