"""The digests of a zip are the same, and the same member is at fault, whoever shares the work."""

import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from random import Random

import pytest

from goferry.gomod import zipdigests
from goferry.gomod.ziparchive import Archive, ZipError

ways = pytest.mark.parametrize("way", ["one", "thread", "copy"])

_MAIN = """
import json, os, sys
from goferry.gomod import zipdigests
from goferry.gomod.ziparchive import Archive, ZipError
copies = []
os.register_at_fork(after_in_parent=lambda: copies.append(1))
{before}
with Archive(sys.argv[1]) as archive:
    try:
        found = zipdigests.digests(archive, workers=2)
    except ZipError as why:
        found = str(why)
print(json.dumps([len(copies), found]))
"""


def make(path: Path, seed: int = 1, sizes: int = 300) -> dict[str, bytes]:
    """A zip of small and big members; what is in it."""
    random = Random(seed)
    files = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(sizes):
            size = random.choice((0, 1, 100, 3_000, 20_000, 200_000))
            files[f"f{number:03}"] = random.randbytes(size // 4 + 1)[: size // 4] * 4
            archive.writestr(f"f{number:03}", files[f"f{number:03}"])
    return files


def damage(path: Path, *names: str) -> None:
    """Another CRC for these members, in the directory."""
    data = bytearray(path.read_bytes())
    with Archive(path) as archive:
        for entry in archive.entries:
            if entry.name in names:
                at = data.rindex(entry.raw) - 46
                data[at + 16] ^= 1
    path.write_bytes(data)


def digests(way: str, path: Path) -> list[str] | str:
    """As the way says, or what is wrong; a copy needs a process without other threads."""
    if way == "copy":
        copies, found = beside(path)
        assert copies == 1
        return found
    with Archive(path) as archive:
        try:
            return zipdigests.digests(archive, workers=1 if way == "one" else 2)
        except ZipError as why:
            return str(why)


def beside(path: Path, before: str = "") -> tuple[int, list[str] | str]:
    done = subprocess.run(
        [sys.executable, "-c", _MAIN.format(before=before), str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    copies, found = json.loads(done.stdout)
    return copies, found


def _skip_without_copies(way: str) -> None:
    if way == "copy" and sys.platform != "linux":
        pytest.skip("whether there are other threads is known on Linux only")


@pytest.fixture(autouse=True)
def other_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """pytest's own process may have no other thread, and is not to be copied."""
    monkeypatch.setattr(zipdigests, "_is_single_threaded", lambda: False)


@ways
def test_they_are_those_of_the_contents(way: str, tmp_path: Path) -> None:
    _skip_without_copies(way)
    path = tmp_path / "m.zip"
    files = make(path)
    assert digests(way, path) == [hashlib.sha256(content).hexdigest() for content in files.values()]


@ways
@pytest.mark.parametrize("seed", range(3))
def test_the_first_bad_member_is_named_whoever_came_to_it(way: str, seed: int, tmp_path: Path) -> None:
    _skip_without_copies(way)
    path = tmp_path / "m.zip"
    make(path)
    first, *others = sorted(Random(seed).sample(range(300), 3))
    damage(path, f"f{first:03}", *(f"f{other:03}" for other in others))
    found = digests(way, path)
    assert isinstance(found, str)
    assert found.startswith(f"f{first:03}: its CRC-32 differs")


@pytest.mark.skipif(sys.platform != "linux", reason="no copies elsewhere")
@pytest.mark.parametrize(
    ("before", "copies"),
    [
        ("import threading, time; threading.Thread(target=time.sleep, args=(600,), daemon=True).start()", 0),
        ("def no(): raise OSError('no room')\nos.fork = no", 0),
        # One that takes a share and ends without a word, and one that says half of what it found.
        (
            "zipdigests._Hashing._be_the_copy = lambda self, shares, numbers, sink: os._exit(os.read(numbers, 4)[0])",
            1,
        ),
        (
            "def half(self, shares, numbers, sink):\n"
            "    os.read(numbers, 4)\n"
            "    os.write(sink, bytes(10))\n"
            "    os._exit(0)\n"
            "zipdigests._Hashing._be_the_copy = half",
            1,
        ),
    ],
    ids=["another thread", "no room", "silent", "half"],
)
def test_what_becomes_of_the_copy_changes_nothing(before: str, copies: int, tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    files = make(path)
    assert beside(path, before) == (
        copies,
        [hashlib.sha256(content).hexdigest() for content in files.values()],
    )


def test_two_threads_leave_nothing_out(tmp_path: Path) -> None:
    path = tmp_path / "m.zip"
    for seed in range(20):
        files = make(path, seed, 40)
        assert digests("thread", path) == [hashlib.sha256(content).hexdigest() for content in files.values()]


def test_a_small_zip_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.zip"
    make(path, sizes=20)
    monkeypatch.setattr(zipdigests._Hashing, "share_with_a_thread", lambda _: pytest.fail("it is shared"))
    with Archive(path) as archive:
        assert len(zipdigests.digests(archive)) == 20
