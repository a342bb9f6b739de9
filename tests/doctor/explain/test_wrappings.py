"""The same text has the same cause, whatever it went through before it was pasted; and its secrets stay hidden."""

import json
from functools import cache

import pytest

from goferry.doctor.explain.answer import answer_of
from goferry.doctor.explain.clean import paste_of
from goferry.doctor.explain.judge import explain
from goferry.doctor.explain.wraps import tidy
from goferry.doctor.verdict import Certainty
from paste_corpus import STANDS_FOR_THE_DEFAULT, cases
from sizes import size
from wrappings import CUT, IN_CONTAINERS, ON_RUNNERS, PLAIN, Wrapping

GET = 'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": '


@cache
def pastes() -> tuple[str, ...]:
    found = [case for name in ("heldout", "tuned", "texts", "goldens") for case in cases(name)]
    texts = [case.text.replace(*STANDS_FOR_THE_DEFAULT).strip("\n") for case in found]
    return tuple(texts[:: size(24, 1)])


@cache
def cause(text: str) -> str:
    return explain([text.encode()]).verdict.cause


def same(wrapping: Wrapping, place: str = "") -> float:
    """The share of pastes that are told the same with a wrapping. place: a line that says what the wrapping does."""
    seen = [(explain([wrapping(text.split("\n"))]).verdict.cause, text) for text in pastes()]
    kept = [told for told, text in seen if told == cause(text) or (place and told == cause(place + text))]
    return len(kept) / len(seen)


@pytest.mark.parametrize("name", PLAIN)
def test_a_wrapping_that_says_nothing_of_the_place_changes_nothing(name: str) -> None:
    assert same(PLAIN[name]) >= 0.95


@pytest.mark.parametrize("name", CUT)
def test_lines_that_were_cut_are_put_together_again(name: str) -> None:
    assert same(CUT[name]) >= 0.93


@pytest.mark.parametrize("name", IN_CONTAINERS)
def test_the_prefixes_of_containers_say_no_more_than_that(name: str) -> None:
    assert same(IN_CONTAINERS[name], "#1 docker build\n") >= 0.95


@pytest.mark.parametrize("name", ON_RUNNERS)
def test_the_prefixes_of_build_services_say_no_more_than_that(name: str) -> None:
    assert same(ON_RUNNERS[name], "##[error]x\n") >= 0.95


@pytest.mark.parametrize("name", [*PLAIN, *CUT, *IN_CONTAINERS, *ON_RUNNERS])
def test_secrets_stay_hidden_in_every_wrapping(name: str) -> None:
    wrapping = (PLAIN | CUT | IN_CONTAINERS | ON_RUNNERS)[name]
    secrets = ["ghp_" + "s3cr3t" * 6, "hunter2hunter2", "glpat-" + "k3y" * 8]
    clone = "git ls-remote -q https://me:{}@github.com/a/b in /go/vcs/aa: exit status 128:"
    fatal = "fatal: unable to access 'https://x-access-token:{}@github.com/a/b/': Could not resolve host: github.com"
    lines = [
        f"go: github.com/a/b@v1.0.0: {clone.format(secrets[1])}",
        f"\t{fatal.format(secrets[0])}",
        f"{GET}Authorization: Basic {secrets[2]}",
        f"{GET}dial tcp 203.0.113.9:443: i/o timeout",
    ]
    shown = json.dumps(answer_of(explain([wrapping(lines)])).to_json(), ensure_ascii=False)
    assert [secret for secret in secrets if secret[:12] in shown or secret[-8:] in shown] == []


def _tidied(text: str) -> list[str]:
    return [line.text for line in tidy(paste_of([text.encode()]).lines)]


def test_numbers_that_count_the_lines_go() -> None:
    assert _tidied("1: go: a\n2: go: b\n3: \tfatal: c") == ["go: a", "go: b", "\tfatal: c"]


def test_numbers_that_count_nothing_stay() -> None:
    assert _tidied("443: i/o timeout\n80: EOF\n443: EOF")[0] == "443: i/o timeout"


def test_what_begins_as_a_line_of_its_own_is_never_joined() -> None:
    line = GET + "EOF"
    assert _tidied(f"{line}\n{line}\n\tfatal: x") == [line, line, "\tfatal: x"]


def test_a_line_of_the_width_of_the_others_goes_on_in_the_next() -> None:
    text = GET + "dial tcp 203.0.113.9:443: connectex: A connection attempt failed because the other party"
    cut = "\n".join(text[at : at + 60] for at in range(0, len(text), 60))
    assert _tidied(cut) == [text]


def test_a_line_that_was_filled_at_a_blank_goes_on_in_the_next() -> None:
    assert _tidied(
        "go: github.com/sirupsen/logrus@v1.9.3: the download of this module\nfailed: x509: certificate has expired"
    ) == [
        "go: github.com/sirupsen/logrus@v1.9.3: the download of this module failed: x509: certificate has expired"
    ]


@pytest.mark.parametrize(
    ("end", "same"),
    [
        ("i/o ti", True),
        ("i/o tim…", True),
        ("connection r", False),
        ("connect: connection ref", True),
        ("connect", False),
    ],
)
def test_a_line_that_was_cut_off_is_completed_where_only_one_ending_fits(end: str, same: bool) -> None:
    whole = cause(f"{GET}dial tcp 203.0.113.9:443: i/o timeout")
    assert (cause(f"{GET}dial tcp 203.0.113.9:443: {end}") == whole) is same


def test_a_last_word_is_not_taken_for_the_first_of_an_ending() -> None:
    text = f"{GET}could not connect to server"
    assert _tidied(text) == [text]


def test_what_was_cut_off_is_never_certain_and_wrong() -> None:
    for name in ("heldout", "tuned", "texts"):
        for case in cases(name)[:: size(12, 1)]:
            text = case.text.replace(*STANDS_FOR_THE_DEFAULT).strip("\n")
            for cut in (3, 10, len(text) // 3, len(text) // 2):
                verdict = explain([text[:-cut].encode()]).verdict
                whole = explain([text.encode()]).verdict
                wrong = verdict.cause not in (whole.cause, *case.causes)
                assert not (wrong and verdict.certainty is Certainty.CERTAIN), text[:-cut]
