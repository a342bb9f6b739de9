"""How well pasted outputs are told, measured: on public reports, and on the real go against servers that misbehave."""

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from goferry.doctor.causes import BY_KEY, CANNOT_TELL
from goferry.doctor.explain.judge import explain
from goferry.doctor.verdict import Certainty, Verdict
from goferry.lab.cases import find
from paste_corpus import Case, cases

LAB_GOLDENS = sorted((Path(__file__).parents[1] / "goldens").iterdir())
"""What the real go of several versions says in each scenario of the lab (tools/goldens.py)."""
HELD_OUT = ("heldout", "chinese", "broad", "rare", "english", "second_english", "asia", "layers")
"""Public reports that were labelled before the table had seen them."""
ALL = ("tuned", "goldens", "texts", "fresh", "grammar", *HELD_OUT)


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


@pytest.mark.parametrize("case", cases("grammar"), ids=str)
def test_the_closed_sets_of_error_texts_are_told_and_nothing_that_only_looks_like_one(case: Case) -> None:
    assert case.explained().verdict.cause in case.causes


def test_no_error_text_by_itself_is_told_wrongly_with_certainty() -> None:
    assert share("grammar")[1] == 0


WRAPPERS = {
    "box": "    │ {}",
    "npm": "npm ERR! {}",
    "mail": "> {}",
    "Terraform": "module.build (local-exec): {}",
    "git push": "remote:        {}",
    "Kubernetes": "2026-01-01T10:00:00.123456789Z stderr F {}",
}
"""What other programs put before each line, and what says nothing about the place."""


@pytest.mark.parametrize("wrapper", WRAPPERS.values(), ids=WRAPPERS)
def test_what_other_programs_put_before_each_line_changes_nothing(wrapper: str) -> None:
    for case in cases("fresh"):
        wrapped = "\n".join(wrapper.format(line) for line in case.text.splitlines())
        told = Case(case.causes, case.source, wrapped).explained().verdict
        assert told.cause == case.explained().verdict.cause, case


CHANGES: dict[str, tuple[Callable[[str], str], float]] = {
    "CRLF": (lambda text: text.replace("\n", "\r\n"), 0.99),
    "colours": (lambda text: re.sub("(?m)^(.*)$", "\x1b[31m\\1\x1b[0m\x1b[K", text), 0.99),
    "stamps": (lambda text: re.sub("(?m)^", "[2026-01-01T10:00:00.123Z] ", text), 0.98),
    "no indentation": (lambda text: re.sub("(?m)^[ \t]+", "", text), 0.98),
    "80 columns": (lambda text: re.sub("(?m)^(.{80})(?=.)", "\\1\n", text), 0.96),
    "cut off": (lambda text: text[: len(text) * 9 // 10], 0.83),
}
"""What happens to a text on its way, and the share that must still be told as before."""


@pytest.mark.parametrize("change", CHANGES)
def test_what_happens_to_a_text_on_its_way_hardly_changes_what_it_is_told_to_be(change: str) -> None:
    changed, share_told = CHANGES[change]
    verdicts = [
        (case, Case(case.causes, case.source, changed(case.text)).explained().verdict)
        for case in cases("english")
    ]
    wrong = [(case, verdict) for case, verdict in verdicts if verdict.cause not in case.causes]
    assert [case for case, verdict in wrong if verdict.certainty is Certainty.CERTAIN] == []
    assert len(wrong) <= (1 - share_told) * len(verdicts), [str(case) for case, _verdict in wrong]


NOISE = (
    "npm WARN deprecated left-pad\nfatal: not a git repository (or any of the parent directories): .git\n"
    "svn: command not found\nmake: git: Command not found\ncurl: (22) The requested URL returned error: 404\n"
    "warning: go env -w GOPATH=... does not override conflicting OS environment variable\n"
)
"""What stands in logs of builds that succeed."""


def test_what_stands_in_every_log_leads_to_no_wrong_certainty_and_hardly_hides_the_cause() -> None:
    told = [case for name in ("fresh", "tuned") for case in cases(name) if CANNOT_TELL not in case.causes]
    verdicts = [
        (case, Case(case.causes, case.source, NOISE + case.text).explained().verdict) for case in told
    ]
    wrong = [(case, verdict) for case, verdict in verdicts if verdict.cause not in case.causes]
    assert [case for case, verdict in wrong if verdict.certainty is Certainty.CERTAIN] == []
    assert len(wrong) <= 0.12 * len(told)


def test_a_text_copied_from_the_source_of_a_page_or_with_its_line_numbers_is_told() -> None:
    lines = [
        'go: a.example/b@v1.0.0: Get "https://goproxy.cn/a.example/b/@v/v1.0.0.mod":',
        " proxyconnect tcp: EOF",
    ]
    entities = html.escape("\n".join(lines))
    numbered = "\n".join(f"{number} {line}" for number, line in enumerate(lines, 41))
    typeset = "\n".join(lines).replace('"', "”")
    for text in (entities, numbered, typeset):
        assert explain([text.encode()]).verdict.cause == "forward_proxy_broken"


def test_fresh_reports_stay_told_once_they_were_learnt_from() -> None:
    right, wrong = share("fresh")
    assert right >= 0.93
    assert wrong == 0


def test_public_reports_that_were_in_sight_are_told_nine_times_out_of_ten() -> None:
    right, wrong = share("tuned")
    assert right >= 0.9
    assert wrong <= 0.01


@pytest.mark.parametrize("name", HELD_OUT)
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


@pytest.mark.parametrize("name", ALL)
def test_the_right_cause_is_hardly_ever_absent_from_the_candidates(name: str) -> None:
    told = [case for case in cases(name) if CANNOT_TELL not in case.causes]
    absent = [case for case in told if not set(case.causes) & set(case.explained().verdict.candidates)]
    assert len(absent) <= 0.05 * len(told), [str(case) for case in absent]


@pytest.mark.parametrize("name", ALL)
def test_the_corpus_names_causes_of_the_vocabulary_only(name: str) -> None:
    assert {cause for case in cases(name) for cause in case.causes} <= {*BY_KEY, CANNOT_TELL}
