"""Remembered answers: held by what they follow from, and not kept for ever."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from goferry.deps import remembered
from goferry.deps.remembered import recall, remember


def project(folder: Path, name: str) -> Path:
    start = folder / name / "go.mod"
    start.parent.mkdir(parents=True)
    start.write_text(f"module example.org/{name}\n")
    return start


def kept(store: Path) -> set[str]:
    return {file.name for file in (store / ".goferry/answers").iterdir()}


def keep(store: Path, start: Path, answer: object, age: int = 0) -> None:
    """`age`: how much older than now it shall be, in seconds."""
    before = kept(store) if (store / ".goferry/answers").exists() else set()
    remember(store, start, "list", [str(start), str(start.parent / "none")], answer)
    for name in kept(store) - before:
        file = store / ".goferry/answers" / name
        os.utime(file, (file.stat().st_mtime - age,) * 2)


def test_an_answer_holds_while_its_files_do(tmp_path: Path) -> None:
    start = project(tmp_path, "a")
    keep(tmp_path, start, [1])
    assert recall(tmp_path, start, "list") == [1]
    assert recall(tmp_path, start, "graph") is None
    (start.parent / "none").write_text("")
    assert recall(tmp_path, start, "list") is None


def test_what_changed_while_it_was_read_is_not_remembered(tmp_path: Path) -> None:
    start = project(tmp_path, "a")
    changed = start.stat().st_mtime_ns
    remember(tmp_path, start, "list", [str(start)], [1], changed)
    assert recall(tmp_path, start, "list") is None
    remember(tmp_path, start, "list", [str(start)], [1], changed + 1)
    assert recall(tmp_path, start, "list") == [1]


def test_projects_of_one_file_name_do_not_take_each_others_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembered.zlib, "crc32", lambda _name: 0)
    a, b = project(tmp_path, "a"), project(tmp_path, "b")
    b.write_text(a.read_text())
    keep(tmp_path, a, ["a"])
    assert recall(tmp_path, b, "list") is None
    assert recall(tmp_path, a, "list") == ["a"]


def test_the_oldest_answers_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 3)
    starts = [project(tmp_path, f"p{number}") for number in range(6)]
    for number, start in enumerate(starts):
        keep(tmp_path, start, number, age=100 - number)
    assert [recall(tmp_path, start, "list") for start in starts] == [None, None, None, 3, 4, 5]
    assert len(kept(tmp_path)) == 3


def test_large_answers_make_fewer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST_BYTES", 10_000)
    starts = [project(tmp_path, f"p{number}") for number in range(4)]
    for number, start in enumerate(starts):
        keep(tmp_path, start, f"{number}" * 4000, age=100 - number)
    assert [recall(tmp_path, start, "list") is not None for start in starts] == [False, False, True, True]


def test_what_a_crash_left_goes_with_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 1)
    start = project(tmp_path, "a")
    keep(tmp_path, start, 1)
    half = tmp_path / ".goferry/answers/list-00.json.99"
    half.write_text("{")
    os.utime(half, (1, 1))
    keep(tmp_path, start, 2)
    assert half.name not in kept(tmp_path)
    assert recall(tmp_path, start, "list") == 2


def test_many_at_once_leave_no_more_than_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "MOST", 5)
    starts = [project(tmp_path, f"p{number}") for number in range(40)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda start: remember(tmp_path, start, "list", [str(start)], [str(start)]), starts))
    assert all(recall(tmp_path, start, "list") in (None, [str(start)]) for start in starts)
    remember(tmp_path, starts[0], "list", [str(starts[0])], ["last"])
    assert recall(tmp_path, starts[0], "list") == ["last"]
    assert len(kept(tmp_path)) == 5
