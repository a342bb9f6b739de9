"""go.sum: lines in their order, what is malformed, what is missing, what contradicts."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.gomod import gosum, module
from goferry.gomod.gosum import GO_MOD, Line, MalformedSum, Sums, Verdict, go_mod_key
from goferry.gomod.module import Version
from oracle import go_env, go_root

A = Version("x.y/a", "v1.0.0")
B = Version("x.y/b", "v1.2.0")
H1 = "h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0="
H2 = "h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c="

TEXT = f"""\
x.y/a v1.0.0 {H1}
x.y/a v1.0.0/go.mod {H2}

  x.y/b\tv1.2.0  h2:unknown
x.y/b v1.2.0 {H1}
"""


def test_lines_keep_their_order_and_place() -> None:
    lines = gosum.parse(TEXT, "work/go.sum")
    assert [(str(line), line.number, line.file) for line in lines] == [
        (f"x.y/a v1.0.0 {H1}", 1, "work/go.sum"),
        (f"x.y/a v1.0.0/go.mod {H2}", 2, "work/go.sum"),
        ("x.y/b v1.2.0 h2:unknown", 4, "work/go.sum"),
        (f"x.y/b v1.2.0 {H1}", 5, "work/go.sum"),
    ]
    assert [line.of_go_mod for line in lines] == [False, True, False, False]


@pytest.mark.parametrize(
    ("text", "where", "fields"),
    [("x.y/a v1.0.0", "go.sum:1", 2), (f"\nx.y/a v1.0.0 {H1} more", "go.sum:2", 4), ("\n\nx", "go.sum:3", 1)],
)
def test_a_line_needs_three_fields(text: str, where: str, fields: int) -> None:
    with pytest.raises(MalformedSum) as raised:
        gosum.parse(text)
    assert str(raised.value) == f"malformed go.sum: {where}: wrong number of fields {fields}"


def test_the_hash_of_an_empty_go_mod_is_an_old_bug() -> None:
    assert gosum.parse("x.y/a v1.0.0/go.mod h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY=\n") == ()


def test_sorted_lines_are_unique_and_put_go_mod_second() -> None:
    text = (
        f"x.y/b v1.10.0 {H1}\nx.y/b v1.2.0/go.mod {H2}\n"
        f"x.y/b v1.2.0 {H1}\nx.y/b v1.2.0 {H1}\nx.y/a v1.0.0 {H2}\n"
    )
    assert gosum.format_lines(gosum.sort(gosum.parse(text))) == (
        f"x.y/a v1.0.0 {H2}\nx.y/b v1.2.0 {H1}\nx.y/b v1.2.0/go.mod {H2}\nx.y/b v1.10.0 {H1}\n"
    )


def test_a_computed_hash_is_judged_by_the_recorded_ones() -> None:
    sums = Sums(gosum.parse(TEXT))
    assert sums.check(A, H1) is Verdict.MATCH
    assert sums.check(A, H2) is Verdict.MISMATCH
    assert sums.check(go_mod_key(A), H2) is Verdict.MATCH
    assert sums.check(B, H1) is Verdict.MATCH
    assert sums.check(go_mod_key(B), H1) is Verdict.MISSING


def test_an_unknown_kind_of_hash_is_kept_and_proves_nothing() -> None:
    sums = Sums(gosum.parse("x.y/b v1.2.0 h2:unknown"))
    assert len(sums) == 1
    assert sums.recorded(B) is None
    assert sums.missing([B]) == [B]
    assert sums.check(B, "h2:unknown") is Verdict.MISSING


def test_missing_keys_come_in_the_order_asked() -> None:
    sums = Sums(gosum.parse(TEXT))
    assert sums.missing([go_mod_key(B), A, B, Version("x.y/c", "v1.0.0")]) == [
        go_mod_key(B),
        Version("x.y/c", "v1.0.0"),
    ]


def test_files_of_a_workspace_that_contradict_each_other_are_told_with_their_places() -> None:
    lines = gosum.parse(f"x.y/a v1.0.0 {H1}\n") + gosum.parse(f"\nx.y/a v1.0.0 {H2}\n", "go.work.sum")
    sums = Sums(lines)
    ((first, second),) = sums.conflicts()
    assert (first.file, first.number, second.file, second.number) == ("go.sum", 1, "go.work.sum", 2)
    assert sums.recorded(A) is None
    assert sums.check(A, H1) is Verdict.MISMATCH


def test_a_repeated_line_is_no_conflict() -> None:
    sums = Sums(gosum.parse(f"x.y/a v1.0.0 {H1}\n" * 2))
    assert sums.conflicts() == []
    assert sums.recorded(A) == H1


_lines = st.builds(
    Line,
    st.builds(
        Version,
        st.sampled_from(["x.y/a", "x.y/b", "x.y/B"]),
        st.sampled_from(["v1.0.0", "v1.2.0", "v1.10.0"]).flatmap(lambda v: st.sampled_from([v, v + GO_MOD])),
    ),
    st.sampled_from([H1, H2, "h2:x"]),
)


@given(st.lists(_lines))
def test_parse_and_format_are_twins(lines: list[Line]) -> None:
    assert list(gosum.parse(gosum.format_lines(lines))) == lines
    in_order = gosum.sort(lines)
    assert set(in_order) == set(lines)
    assert gosum.sort(in_order) == in_order
    assert [line.module for line in in_order] == module.sort(line.module for line in in_order)


@pytest.mark.go
@pytest.mark.parametrize("text", ["x.y/a v1.0.0\n", "\nx.y/a v1.0.0 h1:x more\n"])
def test_go_refuses_the_same_lines_in_the_same_words(text: str, tmp_path: Path) -> None:
    if go_root() is None:
        pytest.skip("needs the go command")
    (tmp_path / "go.mod").write_text("module m.example/m\n\ngo 1.21\n\nrequire x.y/a v1.0.0\n")
    (tmp_path / "go.sum").write_text(text)
    run = subprocess.run(
        ["go", "list", "-m", "all"], cwd=tmp_path, env=go_env(), capture_output=True, text=True, check=False
    )
    assert run.returncode != 0
    with pytest.raises(MalformedSum) as raised:
        gosum.parse(text, str(tmp_path / "go.sum"))
    # Go breaks its message after the first words.
    assert str(raised.value) in run.stderr.replace("malformed go.sum:\n", "malformed go.sum: ")
