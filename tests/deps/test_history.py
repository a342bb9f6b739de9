"""Kept audits: each once, whoever writes it; what is gone and what only was not looked at; the trend over time."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deps.audits import APP, audit, day, flaw, stale, unproven
from goferry.deps import history
from goferry.deps.audit.records import Compared, dumps
from goferry.deps.history import fingerprint, gone, latest, record, runs, spans
from goferry.deps.kept import MIGRATIONS, Kept
from goferry.deps.trend import sparkline, to_json, trend
from goferry.errors import InvalidInput, StorageError
from sizes import size

DAY = 86400.0


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with Kept(tmp_path / "made" / "audits.sqlite") as file:
        yield file


# ---- the file ------------------------------------------------------------------------------------------------------


def test_a_file_of_a_newer_goferry_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "audits.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(StorageError, match=r"newer goferry \(schema 99, this one knows 1\)") as caught:
        Kept(path)
    assert "audit_history" in (caught.value.hint or "")
    assert path.read_bytes() == before


def test_an_older_file_is_brought_up_to_date_and_keeps_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "audits.sqlite"
    with Kept(path) as old:
        record(old, audit(flaw()))
    later = (*MIGRATIONS, "ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT 'none'")
    with Kept(path, migrations=later) as new:
        assert new.rows("SELECT note FROM runs") == [("none",)]
        assert len(spans(new)) == 1
    with pytest.raises(StorageError, match="newer goferry"):
        Kept(path)


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "audits.sqlite"
    with Kept(path) as old:
        record(old, audit(flaw()))
    broken = (*MIGRATIONS, "ALTER TABLE runs ADD COLUMN note TEXT; INSERT INTO nowhere VALUES (1)")
    with pytest.raises(StorageError, match="no such table: nowhere"):
        Kept(path, migrations=broken)
    with Kept(path) as again:
        assert len(runs(again)) == 1


@pytest.mark.parametrize(
    "content", [b"this is no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 5000]
)
def test_a_damaged_file_is_an_error_and_never_begun_anew(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "audits.sqlite"
    path.write_bytes(content)
    with pytest.raises(StorageError, match=r"the record of audits .*audits\.sqlite cannot be used"):
        Kept(path)
    assert path.read_bytes() == content


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=r"audits\.sqlite cannot be used"):
        Kept(tmp_path / "file" / "audits.sqlite")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps files of a user's folder to the user")
def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    with Kept(tmp_path / "audits.sqlite") as kept:
        record(kept, audit(flaw()))
        assert {oct(file.stat().st_mode & 0o777) for file in tmp_path.glob("audits.sqlite*")} == {"0o600"}


# ---- keeping -------------------------------------------------------------------------------------------------------


def test_an_audit_is_kept_once(kept: Kept) -> None:
    assert record(kept, audit(flaw(), stale()))
    assert not record(kept, audit(flaw(), stale()))
    assert len(runs(kept)) == 1
    assert [(span.kind, span.closed) for span in spans(kept)] == [("vulnerability", None), ("stale", None)]


def test_what_comes_back_begins_a_life_of_its_own(kept: Kept) -> None:
    for number, found in enumerate([[flaw()], [], [flaw()]]):
        record(kept, audit(*found, when=day(number), projects=[APP]))
    assert [(span.opened, span.closed) for span in spans(kept)] == [(1, 2), (3, None)]


def test_an_audit_of_other_projects_says_nothing_of_this_one(kept: Kept) -> None:
    record(kept, audit(flaw()))
    record(kept, audit(when=day(1), projects=["example.com/other"]))
    assert [span.closed for span in spans(kept)] == [None]


@pytest.mark.parametrize(
    ("blind", "closed"),
    [
        ((), 2),
        ((unproven(),), None),
        ((unproven(module=APP),), None),
        ((unproven("", ""),), None),
        ((unproven(module="example.com/flawed"),), None),
        ((unproven(module="example.com/another"),), 2),
        ((unproven("example.com/other"),), 2),
        ((unproven(modules=["example.com/x@v1.0.0", "example.com/flawed@v1.0.0"]),), None),
        ((unproven(modules=["example.com/x@v1.0.0", "example.com/y@v1.0.0"]),), 2),
    ],
    ids=["all", "project", "main", "everything", "module", "other module", "other", "two", "two others"],
)
def test_what_could_not_be_looked_at_is_not_gone(kept: Kept, blind: tuple[object, ...], closed: int) -> None:
    record(kept, audit(flaw()))
    record(kept, audit(when=day(1), projects=[APP], blind=blind))
    assert [span.closed for span in spans(kept)] == [closed]


def test_of_an_audit_that_shows_only_news_what_it_calls_gone_is_gone() -> None:
    before = {flaw().key: (APP, flaw().module), stale().key: (APP, stale().module)}
    news = audit(projects=[APP], since=Compared(day(0), new=0, same=1, gone=(stale(),)))
    assert gone(news, before) == {stale().key}


def test_an_older_audit_of_the_same_project_is_refused(kept: Kept) -> None:
    record(kept, audit(flaw(), when=day(3)))
    with pytest.raises(InvalidInput, match="is older than one of the same projects"):
        record(kept, audit(when=day(2), projects=[APP]))
    assert record(kept, audit(when=day(2), projects=["example.com/other"]))


def test_the_last_audits_are_kept_whole(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "DOCUMENTS", 2)
    assert latest(kept) is None
    for number in range(4):
        record(kept, audit(flaw(f"GO-2026-000{number}"), when=day(number)))
    assert latest(kept) == audit(flaw("GO-2026-0003"), when=day(3))
    assert kept.rows("SELECT run FROM documents") == [(3,), (4,)]


def test_the_fingerprint_is_of_what_the_audit_says() -> None:
    assert fingerprint(audit(flaw())) == fingerprint(audit(flaw()))
    assert fingerprint(audit(flaw())) != fingerprint(audit(flaw(), when=day(1)))
    assert fingerprint(audit(flaw())) != fingerprint(audit(flaw(severity=stale().severity)))


WRITER = """
import sys
from pathlib import Path
from goferry.deps.audit.records import from_json
from goferry.deps.history import record
from goferry.deps.kept import Kept
with Kept(Path(sys.argv[1])) as kept:
    print(sum(record(kept, from_json(Path(name).read_bytes(), place=name)) for name in sys.argv[2:]))
"""


def test_two_processes_keep_each_audit_once(tmp_path: Path) -> None:
    """Both write the same audits, each of a project of its own, into a file that neither has made yet."""
    count = size(20, 200)
    names = []
    for number in range(count):
        file = tmp_path / f"{number}.json"
        file.write_text(dumps(audit(flaw(project=f"example.com/{number}"), when=day(number))))
        names.append(str(file))
    path = tmp_path / "audits.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), *order], stdout=subprocess.PIPE, text=True)
        for order in (names, names[::-1])
    ]
    wrote = [int(writer.communicate(timeout=120)[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sum(wrote) == count
    with Kept(path) as kept:
        assert len(runs(kept)) == len(spans(kept)) == count


# ---- the trend -----------------------------------------------------------------------------------------------------


def test_the_trend_counts_new_open_and_closed(kept: Kept) -> None:
    record(kept, audit(flaw("GO-1"), flaw("GO-2"), stale()))
    record(kept, audit(flaw("GO-1"), flaw("GO-3"), stale(), when=day(2)))
    record(kept, audit(flaw("GO-3"), when=day(5)))
    found = trend(runs(kept), spans(kept), by="kind")
    assert [(row.name, row.open, row.new, row.closed, row.series) for row in found.rows] == [
        ("vulnerability", 1, 1, 2, (2, 2, 1)),
        ("stale", 0, 0, 1, (1, 1, 0)),
    ]
    assert [row.seconds_to_close for row in found.rows] == [(2 + 5) / 2 * DAY, 5 * DAY]
    assert (found.total.open, found.total.new, found.total.closed) == (1, 1, 3)
    assert found.total.seconds_to_close == (2 + 5 + 5) / 3 * DAY


def test_the_trend_since_a_day_leaves_out_what_was_over_before(kept: Kept) -> None:
    for number, found in enumerate([[flaw("GO-1"), stale()], [stale()], [stale()], []]):
        record(kept, audit(*found, when=day(number), projects=[APP]))
    late = trend(runs(kept), spans(kept), by="kind", since=day(2).timestamp())
    assert [(row.name, row.open, row.new, row.closed, row.series) for row in late.rows] == [
        ("stale", 0, 0, 1, (1, 0))
    ]


def test_the_trend_of_nothing(kept: Kept) -> None:
    found = trend(runs(kept), spans(kept), by="owner")
    assert to_json(found) == {
        "schema": "goferry.trend/1",
        "by": "owner",
        "runs": [],
        "rows": [],
        "total": {"name": "", "open": 0, "new": 0, "closed": 0, "seconds_to_close": None, "series": []},
    }


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sets(st.integers(0, 6))), min_size=1, max_size=8))
def test_the_trend_equals_counting_run_by_run(story: list[tuple[str, set[int]]]) -> None:
    """Each run is of one of three projects. The model keeps what is open in a dict."""
    with Kept(Path(":memory:")) as kept:
        opened: dict[tuple[str, int], int] = {}
        series, new, lives = [], 0, []
        for number, (project, there) in enumerate(story):
            found = [flaw(f"GO-{each}", project=project) for each in sorted(there)]
            record(kept, audit(*found, when=day(number), projects=[project]))
            over = [key for key in opened if key[0] == project and key[1] not in there]
            lives += [number - opened.pop(key) for key in over]
            for each in there:
                new += number > 0 and (project, each) not in opened
                opened.setdefault((project, each), number)
            series.append(len(opened))
        total = trend(runs(kept), spans(kept), by="project").total
    assert (total.series, total.new, total.closed) == (tuple(series), new, len(lives))
    assert total.seconds_to_close == (sum(lives) * DAY / len(lives) if lives else None)


@pytest.mark.parametrize(
    ("series", "drawn"),
    [((), ""), ((0, 0), "  "), ((1,), "█"), ((1, 8), "▁█"), ((5, 0, 10), "▄ █"), (tuple(range(1, 40)), None)],
)
def test_a_sparkline(series: tuple[int, ...], drawn: str | None) -> None:
    line = sparkline(series)
    assert line == drawn if drawn is not None else len(line) == 24
