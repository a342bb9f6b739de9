"""The side index: what it remembers, and that nothing that happens to it is ever felt by a caller."""

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from goferry.storage import index_sqlite
from goferry.storage.base import Blob
from goferry.storage.index_sqlite import Index, Provenance, Record
from goferry.storage.memory import MemoryStore
from storage.programs import ENVIRONMENT

MOD, ZIP = "example.com/m/@v/v1.0.0.mod", "example.com/m/@v/v1.0.0.zip"
FROM = Provenance("goproxy.cn", "h1:abc=", "sum.golang.org")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def index(tmp_path, clock):
    index = Index(tmp_path / "index.sqlite", clock=clock, flush_seconds=3600)
    yield index
    index.close()


@pytest.fixture
def log(caplog):
    caplog.set_level(logging.WARNING, logger="goferry.storage.index_sqlite")
    return caplog


def test_provenance_is_remembered(index, clock):
    index.stored(Blob(MOD, 10, 900.0), FROM)
    assert index.get(MOD) == Record(MOD, 10, 900.0, 1000.0, 1000.0, "goproxy.cn", "h1:abc=", "sum.golang.org")
    assert index.get(ZIP) is None


def test_an_access_moves_the_time_of_use_and_nothing_else(index, clock):
    index.stored(Blob(MOD, 10, 900.0), FROM)
    clock.now = 5_000.0
    index.touch(MOD)
    index.touch("never/stored")
    assert index.get(MOD) == Record(MOD, 10, 900.0, 5000.0, 1000.0, "goproxy.cn", "h1:abc=", "sum.golang.org")
    assert index.get("never/stored") is None


def test_time_of_use_never_goes_back(index, clock):
    clock.now = 5_000.0
    index.stored(Blob(MOD, 10, 900.0), FROM)
    clock.now = 2_000.0
    index.touch(MOD)
    assert index.get(MOD).used == 5_000.0


def test_stored_again_is_known_as_the_new_one(index, clock):
    index.stored(Blob(MOD, 10, 900.0), FROM)
    index.flush()
    index.stored(Blob(MOD, 20, 950.0), Provenance("other"))
    assert index.get(MOD) == Record(MOD, 20, 950.0, 1000.0, 1000.0, "other")


def test_forgotten_files_are_unknown(index):
    for key in (MOD, ZIP):
        index.stored(Blob(key, 1, 1.0), FROM)
    index.flush()
    index.forget([MOD])
    assert [record.key for record in index.records()] == [ZIP]
    index.stored(Blob(MOD, 2, 2.0), FROM)
    assert index.get(MOD).size == 2


def test_records_come_by_prefix_and_in_order(index):
    for key in ("b/x", "a/z", "a/b", "a%/c", "a😀/d"):
        index.stored(Blob(key, 1, 1.0), FROM)
    assert [record.key for record in index.records()] == sorted(["b/x", "a/z", "a/b", "a%/c", "a😀/d"])
    assert [record.key for record in index.records("a/")] == ["a/b", "a/z"]
    assert [record.key for record in index.records("a")] == ["a%/c", "a/b", "a/z", "a😀/d"]


def test_search_finds_parts_of_keys_and_sources_literally(index, clock):
    index.stored(Blob("example.com/Yaml/@v/v1.zip", 1, 1.0), Provenance("one"))
    clock.now += 1
    index.stored(Blob("a_b%c", 1, 1.0), Provenance("two.example.org"))
    assert [record.key for record in index.search("yaml")] == ["example.com/Yaml/@v/v1.zip"]
    assert [record.key for record in index.search("two.ex")] == ["a_b%c"]
    assert [record.key for record in index.search("_")] == ["a_b%c"]
    assert [record.key for record in index.search("%c")] == ["a_b%c"]
    assert [record.key for record in index.search("")] == ["a_b%c", "example.com/Yaml/@v/v1.zip"]
    assert len(index.search("", limit=1)) == 1


def test_what_was_noted_is_there_after_reopening(tmp_path, index):
    index.stored(Blob(MOD, 10, 900.0), FROM)
    index.close()
    again = Index(tmp_path / "index.sqlite")
    assert again.get(MOD).source == "goproxy.cn"
    again.close()


def test_touches_gather_in_memory_until_there_are_enough(index, monkeypatch):
    """No statement is run on the way of a request; the writer's thread is woken by the count alone."""
    monkeypatch.setattr(index_sqlite, "FLUSH_COUNT", 10)
    flushed = threading.Event()
    flush = index.flush
    threads = []

    def noted():
        threads.append(threading.current_thread())
        flush()
        flushed.set()

    monkeypatch.setattr(index, "flush", noted)
    for n in range(9):
        index.touch(f"k{n}")
    assert threads == []
    index.touch("k9")
    assert flushed.wait(20)
    assert threading.main_thread() not in threads


async def test_rebuild_makes_the_index_tell_what_the_store_holds(index, clock):
    store = MemoryStore()
    kept, new = await store.put(MOD, b"m"), await store.put(ZIP, b"zz")
    index.stored(kept, FROM)
    index.stored(Blob("gone", 1, 1.0), FROM)
    clock.now = new.mtime + 1_000
    index.touch(MOD)
    assert await index.rebuild(store) == 2
    assert index.records() == [
        Record(MOD, 1, kept.mtime, new.mtime + 1_000, 1000.0, "goproxy.cn", "h1:abc=", "sum.golang.org"),
        Record(ZIP, 2, new.mtime, new.mtime),
    ]


# Faults


@pytest.mark.parametrize("damage", ["garbage", "cut", "middle"])
def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(tmp_path, log, damage):
    path = tmp_path / "index.sqlite"
    first = Index(path)
    for n in range(2000):
        first.stored(Blob(f"key{n}", 1, 1.0), FROM)
    first.close()
    data = path.read_bytes()
    broken = {
        "garbage": b"no database at all" * 100,
        "cut": data[: len(data) // 2],
        "middle": bytearray(data),
    }[damage]
    if damage == "middle":
        broken[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(broken)
    index = Index(path)
    index.stored(Blob(MOD, 10, 900.0), FROM)
    index.flush()
    assert index.get(MOD).size == 10
    index.close()
    assert len(list(tmp_path.glob("index.sqlite.damaged-*"))) >= 1
    assert "damaged" in log.text


def test_when_one_process_replaces_a_damaged_file_the_others_follow(tmp_path, log):
    path = tmp_path / "index.sqlite"
    first, second = Index(path, flush_seconds=3600), Index(path, flush_seconds=3600)
    first.stored(Blob(MOD, 1, 1.0), FROM)
    assert first.get(MOD) is not None
    with closing(sqlite3.connect(path)) as file:  # so that nothing is left of it in the write-ahead log
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"damaged" * 1000)
    second.stored(Blob("second", 1, 1.0), FROM)
    second.flush()
    first.stored(Blob("first", 1, 1.0), FROM)
    assert [record.key for record in first.records()] == ["first", "second"]
    assert second.records() == first.records()
    for index in (first, second):
        index.close()
    assert len([path for path in tmp_path.glob("*damaged*") if path.suffix.startswith(".damaged")]) >= 1
    assert log.text.count("was damaged") == 1


def test_a_removed_file_is_begun_anew(tmp_path, index):
    index.stored(Blob(MOD, 1, 1.0), FROM)
    index.flush()
    for path in tmp_path.glob("index.sqlite*"):
        path.unlink()
    index.stored(Blob(ZIP, 1, 1.0), FROM)
    assert [record.key for record in index.records()] == [ZIP]


def test_a_file_of_a_newer_version_is_left_alone(tmp_path, log):
    path = tmp_path / "index.sqlite"
    with closing(sqlite3.connect(path)) as file:
        file.execute("PRAGMA user_version = 99")
        file.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    index = Index(path)
    index.stored(Blob(MOD, 1, 1.0), FROM)
    assert index.get(MOD) is None
    index.close()
    assert path.read_bytes() == before
    assert "newer goferry" in log.text


def test_a_place_that_cannot_be_written_is_a_warning_and_no_error(tmp_path, log):
    (tmp_path / "file").write_text("")
    index = Index(tmp_path / "file" / "index.sqlite")
    index.touch(MOD)
    index.stored(Blob(MOD, 1, 1.0), FROM)
    assert index.get(MOD) is None
    assert index.records() == []
    index.close()
    assert "serving goes on without it" in log.text


def test_a_locked_file_keeps_the_notes_for_the_next_time(tmp_path, log, monkeypatch):
    monkeypatch.setattr(index_sqlite, "_BUSY_SECONDS", 0.01)
    path = tmp_path / "index.sqlite"
    index = Index(path, flush_seconds=3600)
    assert index.records() == []
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        index.stored(Blob(MOD, 1, 1.0), FROM)
        index.touch(MOD)
        index.flush()
        assert "busy" in log.text
        other.execute("ROLLBACK")
    assert index.get(MOD).size == 1
    index.close()
    assert list(tmp_path.glob("*damaged*")) == []


def test_notes_that_cannot_be_written_do_not_grow_without_bound(tmp_path, log, monkeypatch):
    monkeypatch.setattr(index_sqlite, "MOST_PENDING", 10)
    (tmp_path / "file").write_text("")
    index = Index(tmp_path / "file" / "index.sqlite", flush_seconds=3600)
    for n in range(100):
        index.touch(f"key{n}")
    index.flush()
    assert list(index._used) == [f"key{n}" for n in range(90, 100)]
    index.close()


WORKER = """
import sys
from pathlib import Path
from goferry.storage.base import Blob
from goferry.storage.index_sqlite import Index, Provenance

index = Index(Path(sys.argv[1]))
for n in range(200):
    index.stored(Blob(f"{sys.argv[2]}/{n}", n, 1.0), Provenance("somewhere"))
    index.touch("shared")
    if n % 20 == 0:
        index.flush()
index.close()
"""


async def test_processes_share_one_file(tmp_path, index):
    index.stored(Blob("shared", 1, 1.0), FROM)
    index.flush()
    workers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WORKER, str(index.path), str(n), env=ENVIRONMENT, stderr=subprocess.PIPE
        )
        for n in range(3)
    ]
    for worker in workers:
        _, err = await worker.communicate()
        assert (worker.returncode, err) == (0, b"")
    assert len(index.records()) == 601
    assert index.get("shared").used > 1_000.0


def test_touches_while_flushing_are_never_an_error(index):
    """The loop notes while the writer's thread swaps: neither may see the other's dict change."""
    stop = threading.Event()
    faults = []

    def flush_all_the_time():
        try:
            while not stop.is_set():
                index.flush()
        except Exception as error:  # noqa: BLE001 (any at all is what the test looks for)
            faults.append(error)

    thread = threading.Thread(target=flush_all_the_time)
    thread.start()
    for n in range(20_000):
        index.touch(f"key{n % 100}")
    stop.set()
    thread.join()
    assert faults == []
