"""The steps of a build that can be repeated, and what each of them came to. Who runs them is the command line.

tidy       go.mod requires exactly what is needed
download   everything that go asks for is in the store
sums       go.sum is complete, and every line is proven
vendor     a vendor folder agrees with go.mod, and every file in it with its module
offline    the real go builds, vets and downloads from this store alone
"""

from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from goferry.deps.gate.rules import RULES, Judged, Level, Verdict
from goferry.i18n import in_english

SCHEMA: Final = "goferry.lock/1"


class Step(StrEnum):
    """In the order in which they are shown."""

    TIDY = "tidy"
    DOWNLOAD = "download"
    SUMS = "sums"
    VENDOR = "vendor"
    OFFLINE = "offline"


class State(StrEnum):
    """What a step came to."""

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"
    SKIPPED = "skipped"
    """It was not asked for, or there is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Done:
    """One step."""

    step: Step
    state: State
    details: tuple[object, ...] = ()
    """For people: what is wrong, or what was done, each a line that `str()` makes in the language in use."""

    def to_json(self) -> dict[str, Any]:
        details = [in_english(line) for line in self.details]
        return {"step": self.step.value, "state": self.state.value, "details": details}


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of a place: a sentence or an error."""

    place: str
    said: object

    def __str__(self) -> str:
        return f"{self.place}: {self.said}"


_PREFIXES: Final = {"tidy": Step.TIDY, "sum_": Step.SUMS, "vendor_": Step.VENDOR}


def step_of(rule: str) -> Step | None:
    """The step that a rule of the gate belongs to; None for the rules of a release."""
    return next((step for prefix, step in _PREFIXES.items() if rule.startswith(prefix)), None)


def switches(steps: Container[Step] = tuple(Step)) -> tuple[str, ...]:
    """The gate's rules as `--rule` takes them: on where they are part of one of these steps, all others off."""
    return tuple(f"{rule.name}={Level.ON if step_of(rule.name) in steps else Level.OFF}" for rule in RULES)


def from_gate(judged: Iterable[Judged], *, vendored: bool) -> Iterator[Done]:
    """The steps that the gate has judged."""
    found = list(judged)
    for step in (Step.TIDY, Step.SUMS, Step.VENDOR):
        own = [one for one in found if step_of(one.problem.rule) is step]
        if step is Step.VENDOR and not vendored:
            yield Done(step, State.SKIPPED)
        else:
            yield Done(step, _state(own), tuple(details(own)))


def _state(judged: Iterable[Judged]) -> State:
    found = list(judged)
    if any(one.fails for one in found):
        return State.FAILED
    return State.UNPROVEN if any(one.unproven for one in found) else State.PASSED


def details(judged: Iterable[Judged]) -> Iterator[object]:
    """What failed or could not be proven, each with its place."""
    for one in judged:
        if one.fails or one.unproven:
            place = one.problem.file
            if place and one.problem.line:
                place += f":{one.problem.line}"
            yield Line(place, one.problem.message) if place else one.problem.message


def verdict(done: Iterable[Done]) -> Verdict:
    """FAILED as soon as a step failed, else UNPROVEN as soon as one could not be proven."""
    states = {one.state for one in done}
    if State.FAILED in states:
        return Verdict.FAILED
    return Verdict.UNPROVEN if State.UNPROVEN in states else Verdict.PASSED


def to_json(root: str, done: Iterable[Done]) -> dict[str, Any]:
    """The stable form of docs/en/json.md."""
    steps = list(done)
    return {
        "schema": SCHEMA,
        "root": root,
        "verdict": verdict(steps).value,
        "steps": [one.to_json() for one in steps],
    }
