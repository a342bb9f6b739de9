"""What comes out of judging: one cause or an honest "cannot tell", how sure, and what proves it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from goferry.doctor.causes import BY_KEY, CANNOT_TELL, Whose
from goferry.findings import Text


class Certainty(StrEnum):
    """How sure. `certain` needs a proof, or a text that has one cause only; a wrong certain verdict is a defect."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def rank(self) -> int:
        """0 is the surest."""
        return list(Certainty).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The short answer. `candidates` are causes, best first; the first is `cause` unless that is `cannot_tell`."""

    cause: str
    certainty: Certainty
    candidates: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"cause": self.cause, "certainty": self.certainty.value, "candidates": list(self.candidates)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Verdict":
        return cls(data["cause"], Certainty(data["certainty"]), tuple(data["candidates"]))


@dataclass(frozen=True, slots=True)
class Proof:
    """Two runs that differ in one `variable`; `failing` and `passing` say what was run and seen."""

    failing: Text
    passing: Text
    variable: Text


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one rule says about one thing.

    rule: its code (`R01`); where: host, host:port, file or variable; step: the step of the way that breaks (`resolve`,
    `connect`, `proxy_connect`, `tls`, `request`, `body`, `sumdb`, `vcs`, `settings`, `disk`); detail: what was seen;
    side: at whose side it lies, where that is not the side that the cause has most often.
    """

    rule: str
    cause: str
    certainty: Certainty
    where: str
    step: str
    detail: Text
    proof: Proof | None = None
    side: Whose | None = None

    @property
    def proven(self) -> bool:
        """Whether a failing and a passing side were both seen."""
        return self.proof is not None

    @property
    def whose(self) -> Whose | None:
        """At whose side it lies; None for `cannot_tell`."""
        return None if self.cause == CANNOT_TELL else self.side or BY_KEY[self.cause].whose
