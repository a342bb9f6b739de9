"""Stored files, ready to be sent."""

import os
from pathlib import Path

import pytest

from goferry.server.files import IMMUTABLE, LOOK, SMALL, VALID, ReadyFiles, read_content
from goferry.storage.local import LocalStore
from server.serving import keep

KEY = "/example.org/m/@v/v1.0.0.info"


@pytest.mark.parametrize(
    ("path", "matches"),
    [
        ("/example.org/m/@v/v1.0.0.info", True),
        ("/example.org/m/@v/v1.0.0.mod", True),
        ("/example.org/m/@v/v1.0.0.zip", True),
        ("/github.com/!burnt!sushi/toml/@v/v1.0.0-rc.1.zip", True),
        ("/example.org/m/@v/v2.0.0+incompatible.info", True),
        ("/example.org/m/@v/v0.0.0-20200101000000-abcdefabcdef.info", True),
        ("/golang.org/toolchain/@v/v0.0.1-go1.24.0.linux-amd64.zip", True),
        # What changes, is no file of a module, or needs a second look.
        ("/example.org/m/@v/list", False),
        ("/example.org/m/@latest", False),
        ("/example.org/m/@v/v1.info", False),
        ("/example.org/m/@v/v1.2.info", False),
        ("/example.org/m/@v/main.info", False),
        ("/example.org/m/@v/v1.0.0.info\n", False),
        ("/example.org/m/@v/v1.0.0.ziphash", False),
        ("/example.org/m/@v/v01.0.0.info", False),
        ("/example.org/M/@v/v1.0.0.info", False),
        ("/example.org/../m/@v/v1.0.0.info", False),
        ("/.goferry/quarantine/@v/v1.0.0.info", False),
        ("//@v/v1.0.0.info", False),
        ("/@v/v1.0.0.info", False),
        ("/sumdb/sum.example.org/latest", False),
    ],
)
def test_the_short_way_is_for_immutable_files_only(path: str, matches: bool) -> None:
    assert bool(IMMUTABLE.match(path)) == matches


@pytest.mark.parametrize(
    "name",
    [
        "m/@v/v2.0.0.info",
        "m/v2/@v/v1.0.0.info",
        "m/@v/v1.0.0-01.info",
        "m/@v/v1.0.0-a..b.info",
        "m!!x/@v/v1.0.0.mod",
    ],
)
def test_a_version_that_only_looks_canonical_takes_the_long_way(name: str, tmp_path: Path) -> None:
    keep(tmp_path, "example.org/" + name, b"{}")
    assert IMMUTABLE.match("/example.org/" + name)
    assert ReadyFiles(str(tmp_path), 1000).find("/example.org/" + name, 0.0) is None


def replace(path: Path, body: bytes) -> None:
    new = path.with_name("new")
    new.write_bytes(body)
    new.rename(path)


def test_small_files_come_from_memory_until_the_file_changes(tmp_path: Path) -> None:
    files = ReadyFiles(str(tmp_path), 10**6)
    path = keep(tmp_path, KEY[1:], b"one")
    first = files.find(KEY, 0.0)
    assert first is not None
    assert first.body["body"] == b"one"
    assert files.find(KEY, 2 * VALID) is first
    replace(path, b"two")
    second = files.find(KEY, 4 * VALID)
    assert second is not None
    assert second.body["body"] == b"two"
    assert second.content.etag != first.content.etag
    path.unlink()
    assert files.find(KEY, 6 * VALID) is None


def test_a_look_at_a_small_file_holds_for_a_moment(tmp_path: Path) -> None:
    files = ReadyFiles(str(tmp_path), 10**6)
    path = keep(tmp_path, KEY[1:], b"one")
    first = files.find(KEY, 10.0)
    path.unlink()
    assert files.find(KEY, 10.0 + 0.9 * VALID) is first
    assert files.find(KEY, 10.0 + 2 * VALID) is None


async def test_what_a_store_removes_is_gone_at_once(tmp_path: Path) -> None:
    store = LocalStore(tmp_path)
    files = ReadyFiles(str(tmp_path), 10**6)
    for n, remove in enumerate([store.delete, lambda key: store.quarantine(key, "why")] * 2):
        now = 100.0 * n
        await store.put(KEY[1:], b"one")
        assert files.find(KEY, now) is not None
        await remove(KEY[1:])
        assert files.find(KEY, now + 2 * LOOK) is None
    await store.close()


def test_every_request_looks_at_a_big_file(tmp_path: Path) -> None:
    """It is opened by its name later, so the name has to be there."""
    files = ReadyFiles(str(tmp_path), 10**6)
    path = keep(tmp_path, KEY[1:], bytes(SMALL + 1))
    assert files.find(KEY, 10.0) is not None
    path.unlink()
    assert files.find(KEY, 10.0) is None


def test_big_files_are_sent_from_disk(tmp_path: Path) -> None:
    path = keep(tmp_path, KEY[1:], os.urandom(SMALL + 1))
    ready = ReadyFiles(str(tmp_path), 10**6).find(KEY, 0.0)
    assert ready is not None
    assert ready.body == {"type": "http.response.pathsend", "path": str(path)}
    assert ready.content.body is None


def test_the_tag_is_made_from_the_bytes_and_not_from_times(tmp_path: Path) -> None:
    for size in (10, SMALL, SMALL + 1, 3 * SMALL):
        data = os.urandom(size)
        a, b = keep(tmp_path, "a", data), keep(tmp_path, "b", data)
        os.utime(b, (1, 1))
        tags = [content.etag for path in (a, b) if (content := read_content(str(path), b"", b"")[0])]
        assert tags[0] == tags[1]
        other = read_content(str(keep(tmp_path, "c", data[:-1] + bytes([data[-1] ^ 1]))), b"", b"")[0]
        assert other is not None
        assert other.etag != tags[0]


def test_memory_stays_within_its_limit_and_the_most_recent_stay(tmp_path: Path) -> None:
    files = ReadyFiles(str(tmp_path), 60_000)
    keys = [f"/example.org/m/@v/v1.0.{n}.info" for n in range(20)]
    for n, key in enumerate(keys):
        keep(tmp_path, key[1:], bytes(10_000))
        assert files.find(key, float(n)) is not None
        assert files.find(keys[0], float(n)) is not None
        assert files.bytes <= 60_000
    kept = {key for key in keys if key in files._entries}
    assert keys[0] in kept
    assert keys[-1] in kept
    assert len(kept) == 5


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    (tmp_path / KEY[1:]).mkdir(parents=True)
    assert ReadyFiles(str(tmp_path), 1000).find(KEY, 0.0) is None
