"""The own log's file: the tree that a client expects, one record per module, and nothing lost or begun anew."""

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.errors import ConfigError, InvalidInput, StorageError
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.note import format_signer, new_signer
from goferry.gomod.sumdb.tile import new_tiles, tile_indexes
from goferry.gomod.sumdb.tlog import EMPTY_TREE, Tree
from goferry.storage.logfile import LogDamaged, LogFile, create, rehash, verifier_of
from goferry.storage.logkey import make_key, read_key
from sizes import size
from storage.log_writer import text_of

KEY = "sums.example.org+11111111+AAAA"
WRITER = Path(__file__).with_name("log_writer.py")
ROUNDS = size(6, 150)


def name(number: int) -> str:
    return f"example.org/m{number}@v1.0.0"


def made(folder: Path, count: int = 0) -> LogFile:
    path = folder / "records.sqlite"
    create(path, KEY)
    log = LogFile(path, KEY, sync=False)
    log.append_all([(name(n), text_of(name(n))) for n in range(count)])
    return log


def memlog(count: int) -> MemLog:
    twin = MemLog()
    for n in range(count):
        twin.add_text(Version(f"example.org/m{n}", "v1.0.0"), text_of(name(n)))
    return twin


@settings(max_examples=size(8, 60), deadline=None)
@given(steps=st.lists(st.integers(1, 300), min_size=1, max_size=4))
def test_trees_and_tiles_are_those_of_the_reference(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    twin = memlog(sum(steps))
    folder = tmp_path_factory.mktemp("log")
    log = made(folder)
    have = 0
    for step in steps:
        log.append_all([(name(n), text_of(name(n))) for n in range(have, have + step)], after=log.tree())
        assert log.tree() == twin.tree(have + step)
        for tile in new_tiles(8, have, have + step):
            assert b"".join(log.hashes(tile_indexes(tile))) == twin.tile(tile)
        have += step
    assert [record.text for _, record in log.records(0, have)] == list(twin.texts())
    log.close()
    shutil.rmtree(folder)


def test_a_module_version_has_one_record(tmp_path: Path) -> None:
    log = made(tmp_path, 3)
    again = log.append(name(1), b"another text\n")
    assert (again.id, again.text) == (1, text_of(name(1)))
    assert log.size() == 3
    assert log.find(name(1)) == again
    assert log.find(name(3)) is None


def test_a_text_that_no_client_could_read_is_not_taken(tmp_path: Path) -> None:
    log = made(tmp_path, 1)
    with pytest.raises(InvalidInput):
        log.append_all([(name(7), text_of(name(7))), (name(8), b"two\n\nrecords\n")])
    assert log.size() == 1  # all or none


def test_rehashing_gives_the_stored_hashes(tmp_path: Path) -> None:
    log = made(tmp_path, 77)
    rows = [digest for _, _, digests in rehash(log.records(0, 77)) for digest in digests]
    assert rows == log.hashes(range(tlog.stored_hash_count(77)))


def test_threads_share_one_log(tmp_path: Path) -> None:
    log = made(tmp_path)
    threads = [
        threading.Thread(target=lambda: [log.append(name(n), text_of(name(n))) for n in range(40)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.size() == 40
    check_whole(log)


def start(path: Path, seed: int, count: int, program: Sequence[str] = ()) -> subprocess.Popen[str]:
    words = [*(program or [sys.executable, str(WRITER)]), str(path), KEY, str(seed), str(count)]
    folders = os.pathsep.join(str(folder) for folder in (WRITER.parent, WRITER.parents[2] / "src"))
    return subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": folders},
    )


def acknowledged(said: str) -> dict[str, int]:
    """Whole lines only: the last one may have been cut off."""
    rows = [line.split() for line in said.splitlines(keepends=True) if line.endswith("\n")]
    return {module: int(number) for number, module in rows}


def check_whole(log: LogFile) -> Tree:
    """Head, hashes and records agree, from the records up."""
    count = log.size()
    entries = log.records(0, count)
    assert [record.id for _, record in entries] == list(range(count))
    assert all(record.text == text_of(module) for module, record in entries)
    digests = [digest for _, _, made in rehash(entries) for digest in made]
    assert digests == log.hashes(range(tlog.stored_hash_count(count)))
    return log.tree()


def test_processes_append_at_once(tmp_path: Path) -> None:
    made(tmp_path).close()
    path = tmp_path / "records.sqlite"
    writers = [start(path, seed, size(40, 400)) for seed in (1, 1, 2)]  # two of them the same modules
    said = [acknowledged(writer.communicate()[0]) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0]
    assert said[0] == said[1]
    log = LogFile(path, KEY)
    check_whole(log)
    assert {module for module, _ in log.records(0, log.size())} == {*said[0], *said[2]}
    for one in said:
        assert all((found := log.find(module)) is not None and found.id == n for module, n in one.items())


def test_kill_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    made(tmp_path).close()
    path = tmp_path / "records.sqlite"
    rng = random.Random(20)
    before = EMPTY_TREE
    known: dict[str, int] = {}
    for number in range(ROUNDS):
        writer = start(path, number, 10_000)
        assert writer.stdout is not None
        said = "".join(writer.stdout.readline() for _ in range(rng.randrange(1, 30)))
        writer.send_signal(signal.SIGKILL)
        said += writer.communicate()[0]
        known |= acknowledged(said)
        log = LogFile(path, KEY)
        log.check_begins_with(before)
        before = check_whole_of(log, known)
        log.close()
    assert before.size >= len(known) > 0


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX limits")
def test_a_disk_that_is_full_leaves_a_log_that_goes_on(tmp_path: Path) -> None:
    """A limit on the size of files ends each append at another step: in the journal, in the file."""
    made(tmp_path, 300).close()
    path = tmp_path / "records.sqlite"
    before = memlog(300).tree()
    for limit in (100, 700, 5_000, path.stat().st_size, path.stat().st_size + 5_000):
        words = ["sh", "-c", f'ulimit -f {limit // 512}; exec "$@"', "sh", sys.executable, str(WRITER)]
        writer = start(path, limit, 500, words)
        said, error = writer.communicate()
        assert writer.returncode != 0
        assert "cannot be used now" in error
        log = LogFile(path, KEY)
        log.check_begins_with(before)
        before = check_whole_of(log, acknowledged(said))
        log.append(name(100_000 + limit), text_of(name(100_000 + limit)), after=before)
        before = log.tree()
        log.close()


def check_whole_of(log: LogFile, known: dict[str, int]) -> Tree:
    tree = check_whole(log)
    for module, number in known.items():
        found = log.find(module)
        assert found is not None
        assert found.id == number
    return tree


# ---- what is wrong -------------------------------------------------------------------------------------------


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as file:
        file.execute(statement)
        file.commit()


def test_a_log_that_is_gone_is_not_begun_anew(tmp_path: Path) -> None:
    log = made(tmp_path, 2)
    log.path.unlink()
    with pytest.raises(LogDamaged, match="is gone"):
        log.size()
    with pytest.raises(LogDamaged, match="is gone"):
        LogFile(log.path, KEY).append(name(5), text_of(name(5)))
    assert not log.path.exists()


def test_a_log_in_whose_place_another_was_put(tmp_path: Path) -> None:
    log = made(tmp_path, 2)
    assert log.size() == 2
    made(tmp_path / "other", 1).close()
    (tmp_path / "other" / "records.sqlite").replace(log.path)
    with pytest.raises(LogDamaged, match="another file"):
        log.size()


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(b"no database at all" * 500), "is damaged"),
        (lambda path: path.write_bytes(b""), "is no log"),
        (lambda path: os.truncate(path, 8192), "is damaged"),
        (lambda path: change(path, "PRAGMA application_id = 7"), "is no log"),
        (lambda path: change(path, "PRAGMA user_version = 2"), "newer goferry"),
        (lambda path: change(path, "UPDATE about SET value = 'x+1+y'"), "under another key"),
        (lambda path: change(path, "DELETE FROM records WHERE id = 299"), "not their hashes"),
        (lambda path: change(path, "DELETE FROM hashes WHERE id > 400"), "not their hashes"),
        (lambda path: change(path, "DROP TABLE hashes"), "is damaged"),
    ],
)
def test_a_damaged_log_is_refused_and_left_alone(
    tmp_path: Path, damage: Callable[[Path], object], message: str
) -> None:
    made(tmp_path, 300).close()
    path = tmp_path / "records.sqlite"
    damage(path)
    bytes_now = path.read_bytes()
    log = LogFile(path, KEY)
    for _ in range(2):
        with pytest.raises(StorageError, match=message):
            log.append(name(900), text_of(name(900)), after=memlog(300).tree())
    assert path.read_bytes() == bytes_now


def test_a_rotten_hash_is_never_signed(tmp_path: Path) -> None:
    log = made(tmp_path, 300)
    signed = log.tree()
    index = tlog.tree_hash_indexes(300)[0]
    change(log.path, f"UPDATE hashes SET hash = zeroblob(32) WHERE id = {index}")
    with pytest.raises(LogDamaged, match="not those that were signed"):
        log.append(name(900), text_of(name(900)), after=signed)
    assert LogFile(log.path, KEY).size() == 300


def test_a_missing_hash_has_a_name(tmp_path: Path) -> None:
    log = made(tmp_path, 300)
    change(log.path, "DELETE FROM hashes WHERE id = 17")
    with pytest.raises(LogDamaged, match="lacks its hash 17"):
        log.hashes([16, 17])


def test_a_smaller_log_is_noticed(tmp_path: Path) -> None:
    log = made(tmp_path, 5)
    with pytest.raises(LogDamaged, match="has 5 records, and had 9 before"):
        log.check_begins_with(memlog(9).tree())
    with pytest.raises(LogDamaged, match="not those that were signed"):
        log.check_begins_with(Tree(3, bytes(32)))


def test_a_log_that_is_only_read(tmp_path: Path) -> None:
    made(tmp_path, 5).close()
    log = LogFile(tmp_path / "records.sqlite", KEY, read_only=True)
    assert log.tree() == memlog(5).tree()
    with pytest.raises(StorageError, match="cannot be used now"):
        log.append(name(9), text_of(name(9)))
    assert log.size() == 5


def test_what_a_killed_creation_left_is_no_log(tmp_path: Path) -> None:
    (tmp_path / "records.sqlite.new").write_bytes(b"half")
    (tmp_path / "records.sqlite.new-journal").write_bytes(b"half")
    create(tmp_path / "records.sqlite", KEY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["records.sqlite"]
    assert verifier_of(tmp_path / "records.sqlite") == KEY


# ---- the key -------------------------------------------------------------------------------------------------


def test_a_key_is_made_once_and_read_again(tmp_path: Path) -> None:
    path = tmp_path / "log" / "key"
    signer = make_key(path, "sums.example.org")
    assert read_key(path, "sums.example.org") == signer
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
    assert make_key(tmp_path / "other", "sums.example.org").seed != signer.seed


def key_file(folder: Path, text: bytes, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(text)
    path.chmod(mode)
    return path


SECRET = format_signer(new_signer("sums.example.org", bytes(range(32))))


@pytest.mark.skipif(os.name != "posix", reason="needs POSIX rights")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match="can be read by others") as raised:
        read_key(key_file(tmp_path, SECRET.encode(), mode), "sums.example.org")
    assert "chmod 600" in str(raised.value.hint)
    assert_silent(raised.value)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"garbage",
        b"\xff\x00" * 40,
        SECRET[:-5].encode(),
        SECRET.replace("PRIVATE+KEY+", "").encode(),
        SECRET.replace("sums.example.org+", "sums.example.net+").encode(),
        SECRET.encode() + b"\nand more",
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(tmp_path: Path, text: bytes) -> None:
    with pytest.raises(ConfigError, match="holds no key") as raised:
        read_key(key_file(tmp_path, text), "sums.example.org")
    assert_silent(raised.value)


def test_the_key_of_another_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"of the log sums.example.org, not of sums.example.net") as raised:
        read_key(key_file(tmp_path, SECRET.encode()), "sums.example.net")
    assert_silent(raised.value)


def test_a_key_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_key(tmp_path / "none", "sums.example.org")


def assert_silent(error: Exception) -> None:
    said = f"{error} {error.hint} {error!r} {error.__dict__} {error.__cause__!r}"  # type: ignore[attr-defined]
    assert SECRET.rpartition("+")[2][:20] not in said
