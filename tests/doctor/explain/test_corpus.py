"""How well pasted outputs are told, measured: on public reports, and on the real go against servers that misbehave."""

from pathlib import Path

import pytest

from goferry.doctor.causes import BY_KEY, CANNOT_TELL
from goferry.doctor.explain.judge import explain
from goferry.doctor.verdict import Certainty, Verdict
from goferry.lab.cases import find
from paste_corpus import Case, cases

LAB_GOLDENS = sorted((Path(__file__).parents[1] / "goldens").iterdir())
"""What the real go of several versions says in each scenario of the lab (tools/goldens.py)."""


def explained(file: Path) -> Verdict:
    text = file.read_text("utf-8").replace("default-proxy.example.org", "mirror.golang.org")
    return explain([text.encode()]).verdict


def share(name: str) -> tuple[float, float]:
    """The share of cases with the right cause in first place, and of those that were certain and wrong."""
    all_cases = cases(name)
    verdicts = [(case, case.explained().verdict) for case in all_cases]
    right = sum(verdict.cause in case.causes for case, verdict in verdicts)
    wrong = sum(
        verdict.cause not in case.causes and verdict.certainty is Certainty.CERTAIN
        for case, verdict in verdicts
    )
    return right / len(all_cases), wrong / len(all_cases)


@pytest.mark.parametrize("case", cases("goldens"), ids=str)
def test_the_outputs_of_the_real_go_are_told(case: Case) -> None:
    assert case.explained().verdict.cause in case.causes


@pytest.mark.parametrize("case", cases("texts"), ids=str)
def test_the_known_texts_of_go_git_and_curl_are_told(case: Case) -> None:
    assert case.explained().verdict.cause in case.causes


def test_public_reports_that_were_in_sight_are_told_nine_times_out_of_ten() -> None:
    right, wrong = share("tuned")
    assert right >= 0.9
    assert wrong <= 0.01


@pytest.mark.parametrize("name", ["heldout", "chinese"])
def test_public_reports_that_were_held_out_are_told_and_none_wrongly_with_certainty(name: str) -> None:
    right, wrong = share(name)
    assert right >= 0.8
    assert wrong <= 0.03


@pytest.mark.parametrize("version", LAB_GOLDENS, ids=lambda folder: folder.name)
def test_what_go_says_in_each_broken_network_leads_to_its_cause(version: Path) -> None:
    """The text alone does not tell all of them: then the cause is a candidate, and nothing else is called certain."""
    seen = [(find(file.stem).expected, explained(file)) for file in sorted(version.glob("*.txt"))]
    first = [cause for cause, verdict in seen if verdict.cause == cause]
    named = [cause for cause, verdict in seen if cause in verdict.candidates]
    wrong = [
        cause for cause, verdict in seen if verdict.cause != cause and verdict.certainty is Certainty.CERTAIN
    ]
    assert len(seen) > 80
    assert len(first) >= 0.73 * len(seen)
    assert len(named) >= 0.95 * len(seen)
    assert wrong == []


@pytest.mark.parametrize("name", ["tuned", "heldout", "chinese", "goldens", "texts"])
def test_the_right_cause_is_hardly_ever_absent_from_the_candidates(name: str) -> None:
    told = [case for case in cases(name) if CANNOT_TELL not in case.causes]
    absent = [case for case in told if not set(case.causes) & set(case.explained().verdict.candidates)]
    assert len(absent) <= 0.05 * len(told), [str(case) for case in absent]


@pytest.mark.parametrize("name", ["tuned", "heldout", "chinese", "goldens", "texts"])
def test_the_corpus_names_causes_of_the_vocabulary_only(name: str) -> None:
    assert {cause for case in cases(name) for cause in case.causes} <= {*BY_KEY, CANNOT_TELL}
