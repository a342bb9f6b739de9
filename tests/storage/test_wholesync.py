"""One call for a whole file system: where it is made, and where it is not."""

import ctypes
import errno
import os
from types import SimpleNamespace

import pytest

from goferry.storage import wholesync

EXT4, FUSE = 0xEF53, 0x65735546


class Library:
    """A C library whose syncfs is counted, and fails when it is told to."""

    def __init__(self, kind: int = EXT4, fault: int = 0) -> None:
        self.kind, self.fault, self.synced = kind, fault, []

    def fstatfs(self, _fd, about):
        about[:8] = self.kind.to_bytes(8, "little")
        return 0

    def syncfs(self, fd):
        self.synced.append(fd)
        ctypes.set_errno(self.fault)
        return -1 if self.fault else 0


@pytest.fixture
def memory(tmp_path, monkeypatch):
    """Tells wholesync how many kB are left to be written."""
    path = tmp_path / "meminfo"
    monkeypatch.setattr(wholesync, "_MEMORY", str(path))

    def tell(dirty: int, writeback: int = 0) -> None:
        rows = f"Dirty:    {dirty} kB\nWriteback:  {writeback} kB"
        path.write_text(f"MemTotal: 9 kB\n{rows}\nWritebackTmp: 77 kB\n")

    tell(12)
    return tell


@pytest.fixture
def library(monkeypatch, memory):
    def give(library: Library | None) -> Library | None:
        monkeypatch.setattr(wholesync, "_libc", lambda: library)
        return library

    return give


def test_a_file_system_that_is_known_is_synced(library):
    lib = library(Library())
    assert wholesync.sync(7)
    assert lib.synced == [7]


@pytest.mark.parametrize(
    ("lib", "dirty", "writeback"),
    [
        (None, 0, 0),
        (Library(FUSE), 0, 0),
        (Library(), wholesync.MOST_LEFT // 1024 + 1, 0),
        (Library(), 1, wholesync.MOST_LEFT // 1024),
    ],
    ids=["no such call", "unknown file system", "much is left to write", "much is being written"],
)
def test_otherwise_nothing_is_done(library, memory, lib, dirty, writeback):
    library(lib)
    memory(dirty, writeback)
    assert not wholesync.sync(7)
    assert lib is None or lib.synced == []


def test_bytes_that_could_not_be_written_are_told_of(library):
    library(Library(fault=errno.EIO))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)) as raised:
        wholesync.sync(7)
    assert raised.value.errno == errno.EIO


@pytest.mark.parametrize("text", [None, "", "MemTotal: 9 kB\n"])
def test_where_it_is_not_told_what_is_left_much_may_be(tmp_path, monkeypatch, text):
    path = tmp_path / "meminfo"
    if text is not None:
        path.write_text(text)
    monkeypatch.setattr(wholesync, "_MEMORY", str(path))
    assert wholesync.left_to_write() == float("inf")


@pytest.mark.parametrize(
    ("platform", "release", "offered"),
    [
        ("linux", "6.18.5", True),
        ("linux", "5.8.0-rc1", True),
        ("linux", "5.7.19", False),
        ("linux", "4.19.0-27-amd64", False),
        ("linux", "?", False),
        ("darwin", "24.1.0", False),
        ("win32", "11", False),
    ],
)
def test_only_a_kernel_that_tells_of_errors_is_asked(monkeypatch, platform, release, offered):
    monkeypatch.setattr(wholesync.sys, "platform", platform)
    monkeypatch.setattr(wholesync.os, "uname", lambda: SimpleNamespace(release=release), raising=False)
    wholesync._libc.cache_clear()
    try:
        assert (wholesync._libc() is not None) is offered
    finally:
        wholesync._libc.cache_clear()


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="needs a file system that holds nothing")
def test_a_real_file_system_without_a_disk_is_left_alone(memory):
    fd = os.open("/proc/self", os.O_RDONLY)
    try:
        assert not wholesync.sync(fd)
    finally:
        os.close(fd)
