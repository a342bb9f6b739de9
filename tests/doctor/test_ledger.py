"""Where the time went: what go printed, added up."""

import pytest

from goferry.doctor.evidence import Evidence, RunSeen
from goferry.doctor.ledger import ledger

A = "https://a.example.org/m/@v/v1.0.0.mod"
B = "https://b.example.org/m/@v/v1.0.0."
DEAD = 'Get "https://a.example.org/m/@v/v1.0.0.mod": dial tcp 203.0.113.1:443: i/o timeout'


def run(*lines: tuple[float, str], seconds: float, exit: int = 1) -> Evidence:
    output = "".join(line + "\n" for _, line in lines)
    seen = RunSeen("go", ("go",), exit, seconds, trace=output, times=tuple(at for at, _ in lines))
    return Evidence(runs=(seen,))


def said(evidence: Evidence) -> list[str]:
    return [str(item.said) for item in ledger(evidence)]


def test_waits_of_one_kind_are_added_up_by_host_longest_first() -> None:
    lines = []
    for n, kind in enumerate(("info", "mod", "zip")):
        url = A.replace("mod", kind)
        lines += [(30.03 * n, f"# get {url}"), (30.03 * n + 30, f"# get {url}: {DEAD}")]
        lines += [
            (30.03 * n + 30, f"# get {B}{kind}"),
            (30.03 * n + 30.03, f"# get {B}{kind}: 200 OK (0.030s)"),
        ]
    assert said(run(*lines, seconds=90.1, exit=0)) == [
        "3 x 30 s connecting to a.example.org",
        "3 x 0.0 s for answers of b.example.org",
    ]


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ("dial tcp: lookup a.example.org: i/o timeout", "1 x 10 s looking up a.example.org"),
        ("net/http: TLS handshake timeout", "1 x 10 s in a TLS handshake with a.example.org"),
        ("context deadline exceeded", "1 x 10 s waiting for a.example.org"),
        ("EOF", "1 x 10 s for answers of a.example.org"),
    ],
)
def test_each_kind_of_wait_has_its_sentence(outcome: str, sentence: str) -> None:
    assert said(run((0.0, f"# get {A}"), (10.0, f"# get {A}: {outcome}"), seconds=10.0)) == [sentence]


def test_what_go_still_waited_for_when_it_was_stopped_counts() -> None:
    assert said(run((0.5, f"# get {A}"), seconds=20.5, exit=-1)) == ["1 x 20 s for answers of a.example.org"]


def test_time_outside_of_questions_is_named() -> None:
    assert (
        said(run((0.0, f"# get {A}"), (1.0, f"# get {A}: 200 OK (1.000s)"), seconds=5.0))
        == [
            "4.0 s for everything else",
            "1 x 1.0 s for answers of a.example.org",
        ][::-1]
    )


@pytest.mark.parametrize("evidence", [Evidence(), run((0.0, f"# get {A}"), seconds=0.4)])
def test_a_quick_run_or_none_has_no_ledger(evidence: Evidence) -> None:
    assert ledger(evidence) == ()


GIT = "cd $GOMODCACHE/cache/vcs/1f; git fetch -f origin"
SHELF = "mkdir -p $GOMODCACHE/cache/vcs/1f # git3 https://git.example.org/lab/hello"


def test_what_git_took_counts_for_the_host_of_its_repository() -> None:
    done = ((0.0, SHELF), (1.0, GIT), (21.0, f"20.0s # {GIT}"))
    assert said(run(*done, seconds=21.5, exit=0)) == [
        "1 x 20 s in git fetch from git.example.org",
        "1.5 s for everything else",
    ]
    assert said(run(*done[:2], seconds=13.0, exit=-1)) == [
        "1 x 12 s in git fetch from git.example.org",
        "1.0 s for everything else",
    ]


def test_an_answered_question_of_a_stopped_run_is_not_waited_for() -> None:
    lines = ((0.0, f"# get {A}"), (0.1, f"# get {A}: 200 OK (0.100s)"))
    assert said(run(*lines, seconds=12.0, exit=-1)) == [
        "1 x 0.1 s for answers of a.example.org",
        "12 s for everything else",
    ]
