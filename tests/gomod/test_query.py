"""Version queries: tables of answers, and the real `go list -m` over a file tree as the judge."""

import json
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.gomod import module, pseudo, query, semver
from goferry.gomod.query import AskLatest, AskRevision, Chosen, InvalidQuery, NoMatchingVersion
from oracle import go_env, go_root
from sizes import size

PATH = "vcs.example.org/querytest"

# The tags of the repository of cmd/go's own query tests, and its questions.
# Vectors: facts from cmd/go internal/modload/query_test.go (BSD-3-Clause).
TAGS = [
    *("v0.0.0-pre1", "v0.0.0", "v0.0.1", "v0.0.2", "v0.0.3", "v0.1.0", "v0.1.1", "v0.1.2", "v0.3.0"),
    *("v1.0.0", "v1.1.0", "v1.9.0", "v1.9.9", "v1.9.10-pre1"),
]
QUERIES = [
    ("<v0.0.0", "", "v0.0.0-pre1"),
    ("<v0.0.0-pre1", "", None),
    ("<=v0.0.0", "", "v0.0.0"),
    (">v0.0.0", "", "v0.0.1"),
    (">=v0.0.0", "", "v0.0.0"),
    ("v0", "", "v0.3.0"),
    ("v0.1", "", "v0.1.2"),
    ("v0.2", "", None),
    ("v0.0", "", "v0.0.3"),
    ("latest", "", "v1.9.9"),
    ("latest", "v1.9.10-pre1", "v1.9.9"),
    ("upgrade", "", "v1.9.9"),
    ("upgrade", "v1.9.10-pre1", "v1.9.10-pre1"),
    ("patch", "v0.1.0", "v0.1.2"),
    ("patch", "v1.9.0", "v1.9.9"),
    ("patch", "v1.9.10-pre1", "v1.9.10-pre1"),
    (">v1.9.9", "", "v1.9.10-pre1"),
    (">v1.10.0", "", None),
    (">=v1.10.0", "", None),
    ("upgrade", "v1.99.99", "v1.99.99"),
]


@pytest.mark.parametrize(("text", "current", "want"), QUERIES)
def test_a_query_chooses_from_the_list(text: str, current: str, want: str | None) -> None:
    if want is None:
        with pytest.raises(NoMatchingVersion, match="no matching versions"):
            query.resolve(PATH, text, TAGS, current=current)
    else:
        assert query.resolve(PATH, text, TAGS, current=current) == Chosen(want)


@pytest.mark.parametrize("text", ["v0.0.1", "v0.0.1+foo", "v0.0.99", "ed5ffdaa", "main", "release-1.2"])
def test_a_version_or_revision_is_asked_of_its_source(text: str) -> None:
    assert query.is_revision_query(PATH, text)
    assert query.resolve(PATH, text, TAGS) == AskRevision(text)


@pytest.mark.parametrize("text", ["latest", "upgrade", "patch", "<v1.0.0", ">=v1", "v1", "v1.2"])
def test_what_is_no_revision(text: str) -> None:
    assert not query.is_revision_query(PATH, text)


@pytest.mark.parametrize(
    ("text", "current", "why"),
    [
        ("patch", "", "no existing version is required"),
        ("patch", "none", "no existing version is required"),
        ("<=v1.2", "", 'ambiguous semantic version "v1.2" in range "<=v1.2"'),
        (">v1", "", 'ambiguous semantic version "v1" in range ">v1"'),
        ("<1.2.3", "", 'invalid semantic version "1.2.3" in range "<1.2.3"'),
        (">=", "", 'invalid semantic version "" in range ">="'),
    ],
)
def test_a_query_that_can_have_no_answer_is_refused(text: str, current: str, why: str) -> None:
    with pytest.raises(InvalidQuery) as raised:
        query.resolve(PATH, text, TAGS, current=current)
    assert why in str(raised.value)


def test_a_current_version_that_is_none_is_refused() -> None:
    with pytest.raises(
        module.InvalidVersion, match=r"invalid previous version vcs.example.org/querytest@1\.2"
    ):
        query.resolve(PATH, "upgrade", TAGS, current="1.2")


def test_without_a_fitting_tag_the_latest_is_asked_for() -> None:
    commit = "v0.0.0-20180704023549-7bb914627242"
    assert query.resolve(PATH, "latest", []) == AskLatest()
    assert query.resolve(PATH, "latest", [], latest=commit) == Chosen(commit)
    with pytest.raises(NoMatchingVersion):
        query.resolve(PATH, "latest", [], latest="")
    with pytest.raises(NoMatchingVersion):
        query.resolve(PATH, ">v0.0.0", [])


def test_excluded_and_retracted_versions_do_not_exist() -> None:
    def allowed(version: str) -> bool:
        return version not in {"v1.9.9", "v1.9.0"}

    assert query.resolve(PATH, "latest", TAGS, allowed=allowed) == Chosen("v1.1.0")
    with pytest.raises(NoMatchingVersion):
        query.resolve(PATH, "patch", TAGS, current="v1.9.0", allowed=lambda v: v < "v1.9.0")


def test_a_branch_commit_is_not_replaced_by_an_older_release() -> None:
    current = "v0.0.0-20190513201126-42abcb6df8ee"

    def older(_: str) -> datetime:
        return datetime(2018, 7, 4, tzinfo=UTC)

    def newer(_: str) -> datetime:
        return datetime(2020, 7, 4, tzinfo=UTC)

    assert query.resolve(PATH, "upgrade", TAGS, current=current, time_of=older) == Chosen(current)
    assert query.resolve(PATH, "upgrade", TAGS, current=current, time_of=newer) == Chosen("v1.9.9")
    assert query.resolve(PATH, "upgrade", TAGS, current="v1.0.0", time_of=older) == Chosen("v1.9.9")


INCOMPATIBLE = ["v1.0.0", "v1.1.0", "v2.0.0+incompatible", "v3.0.0+incompatible"]


@pytest.mark.parametrize(
    ("text", "current", "has_go_mod", "want"),
    [
        ("latest", "", True, "v1.1.0"),
        ("latest", "", False, "v3.0.0+incompatible"),
        ("latest", "v2.0.0+incompatible", True, "v3.0.0+incompatible"),
        ("upgrade", "v1.0.0", True, "v1.1.0"),
        ("upgrade", "v2.0.0+incompatible", True, "v3.0.0+incompatible"),
        (">=v2.0.0", "", True, "v2.0.0+incompatible"),
        ("<v3.0.0", "", True, "v2.0.0+incompatible"),
        ("v3", "", True, "v3.0.0+incompatible"),
    ],
)
def test_incompatible_versions_yield_to_a_module_with_go_mod(
    text: str, current: str, has_go_mod: bool, want: str
) -> None:
    answer = query.resolve(PATH, text, INCOMPATIBLE, current=current, has_go_mod=lambda _: has_go_mod)
    assert answer == Chosen(want)


def test_only_the_highest_compatible_version_is_asked_for_its_go_mod() -> None:
    asked: list[str] = []
    query.resolve(PATH, "latest", reversed(INCOMPATIBLE), has_go_mod=lambda v: not asked.append(v))
    assert asked == ["v1.1.0"]


def test_go_and_toolchain_have_their_own_order() -> None:
    assert query.resolve("go", "latest", ["1.9", "1.21rc2", "1.21.0", "1.22rc1"]) == Chosen("1.21.0")
    assert query.resolve("go", "1.22", ["1.21.0", "1.22rc1", "1.22.1"]) == Chosen("1.22.1")
    assert query.resolve("toolchain", "go1.22", ["go1.22.0", "go1.22.3"]) == Chosen("go1.22.3")


LIST = """\
v1.10.0
v1.2.0 2020-01-02T03:04:05Z

 v1.2
not-a-version
v0.0.0-20180704023549-7bb914627242
"""


def test_a_list_is_read_as_the_go_command_reads_it() -> None:
    assert query.versions_in_list(LIST) == ["v1.2", "v1.2.0", "v1.10.0"]
    assert query.versions_in_list("") == []


def test_without_tags_the_latest_commit_of_a_list_is_the_latest() -> None:
    body = (
        "v0.0.0-20180704023549-7bb914627242\n"
        "v0.0.0-20190704023549-7bb914627242\n"
        "v0.0.0-20170704023549-7bb914627242 2017-07-04T02:35:49Z\n"
    )
    assert query.latest_in_list(body) == "v0.0.0-20190704023549-7bb914627242"
    assert query.latest_in_list("v1.0.0\n") == ""
    assert query.latest_in_list("v1.0.0 2017-07-04T02:35:49Z\nv1.1.0 gibberish\n") == "v1.0.0"


@pytest.mark.parametrize(
    ("versions", "want"),
    [
        ([], ""),
        (["v1.0.0", "v1.1.0-rc.1", "v0.9.0", "v1.2.0-0.20190704023549-7bb914627242"], "v1.0.0"),
        (["v1.1.0-rc.1", "v1.1.0-rc.2", "v1.2.0-0.20190704023549-7bb914627242"], "v1.1.0-rc.2"),
        (
            ["v0.0.0-20170704023549-7bb914627242", "v0.0.0-20190704023549-7bb914627242", "bad"],
            "v0.0.0-20190704023549-7bb914627242",
        ),
        (["v1.0.0", "v2.0.0+incompatible"], "v1.0.0"),
        (["v2.0.0+incompatible"], "v2.0.0+incompatible"),
    ],
)
def test_latest_of_known_versions(versions: list[str], want: str) -> None:
    assert query.latest_of(versions) == want


def test_latest_of_known_versions_heeds_filters() -> None:
    assert query.latest_of(["v1.0.0", "v1.1.0"], allowed=lambda v: v != "v1.1.0") == "v1.0.0"
    assert (
        query.latest_of(["v1.0.0", "v2.0.0+incompatible"], has_go_mod=lambda _: False)
        == "v2.0.0+incompatible"
    )


@given(st.lists(st.sampled_from([*TAGS, *INCOMPATIBLE, "v0.0.0-20170704023549-7bb914627242"])))
def test_latest_of_is_what_the_query_latest_means(versions: list[str]) -> None:
    listed = [v for v in versions if not pseudo.is_pseudo_version(v)]
    commits = semver.sort(v for v in versions if pseudo.is_pseudo_version(v))
    latest = query.latest_of(versions)
    if not versions:
        assert latest == ""
        return
    assert query.resolve(PATH, "latest", listed, latest=commits[-1] if commits else "") == Chosen(latest)


# Against the real go command: a module tree that is a GOPROXY by itself, and many queries in one run.


def _tree(root: Path, path: str, versions: list[str], *, go_mod: bool) -> None:
    folder = root / module.escape_path(path) / "@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text("".join(f"{v}\n" for v in versions))
    for v in versions:
        (folder / f"{v}.info").write_text(json.dumps({"Version": v, "Time": "2020-01-02T03:04:05Z"}))
        # A go.mod of one line is what a proxy makes up for a version without one.
        (folder / f"{v}.mod").write_text(f"module {path}\n" + ("\ngo 1.17\n" if go_mod else ""))


def _ask_go(tmp: Path, path: str, queries: list[str], current: str) -> list[str]:
    """What `go list -m` answers to each query; an error is an empty text."""
    main = tmp / "main"
    main.mkdir()
    require = f"require {path} {current}\n" if current else ""
    (main / "go.mod").write_text(f"module m.example/m\n\ngo 1.21\n\n{require}")
    env = go_env(
        GOPROXY=(tmp / "proxy").as_uri(), GONOSUMDB="*", GOFLAGS="-mod=mod", GOMODCACHE=str(tmp / "cache")
    )
    run = subprocess.run(
        ["go", "list", "-e", "-m", "-json=Version,Error", *(f"{path}@{q}" for q in queries)],
        cwd=main,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    decoder = json.JSONDecoder()
    answers, rest = [], run.stdout.strip()
    while rest:
        answer, end = decoder.raw_decode(rest)
        answers.append("" if "Error" in answer else answer["Version"])
        rest = rest[end:].strip()
    assert len(answers) == len(queries), run.stderr
    return answers


def _ask_us(path: str, text: str, versions: list[str], current: str, *, go_mod: bool) -> str:
    try:
        answer = query.resolve(path, text, versions, current=current, latest="", has_go_mod=lambda _: go_mod)
    except (InvalidQuery, NoMatchingVersion):
        return ""
    if isinstance(answer, AskRevision):
        canonical = module.canonical_version(answer.revision)
        return canonical if canonical in versions else ""
    assert isinstance(answer, Chosen)
    return answer.version


_BOUNDS = ["v0.1.0", "v1", "v1.2", "v1.2.0", "v1.2.3-pre", "v1.2.3", "v2.0.0", "v3"]
_WORDS = ["latest", "upgrade", "patch"]
EVERY_QUERY = [sign + bound for sign in ("<", "<=", ">", ">=", "") for bound in _BOUNDS] + _WORDS
POOL = [
    *("v0.1.0-alpha", "v0.1.0", "v1.0.0", "v1.2.0", "v1.2.3-pre", "v1.2.3", "v1.2.10", "v1.3.0-rc.1"),
    *("v2.0.0+incompatible", "v2.1.0-beta+incompatible", "v3.0.0+incompatible"),
]


@pytest.mark.go
@pytest.mark.parametrize("go_mod", [True, False])
@pytest.mark.parametrize("current", ["", "v1.2.0", "v2.0.0+incompatible"])
@pytest.mark.parametrize("seed", range(size(2, 20)))
def test_every_query_is_answered_as_go_list_answers_it(
    tmp_path: Path, go_mod: bool, current: str, seed: int
) -> None:
    if go_root() is None:
        pytest.skip("needs the go command")
    versions = [v for i, v in enumerate(POOL) if v == current or (seed * 2654435761 >> i) & 1 or seed == 0]
    _tree(tmp_path / "proxy", PATH, versions, go_mod=go_mod)
    theirs = _ask_go(tmp_path, PATH, EVERY_QUERY, current)
    ours = [_ask_us(PATH, q, versions, current, go_mod=go_mod) for q in EVERY_QUERY]
    assert dict(zip(EVERY_QUERY, ours, strict=True)) == dict(zip(EVERY_QUERY, theirs, strict=True))
