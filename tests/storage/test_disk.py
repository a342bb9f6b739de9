"""The steps of a disk that are more than one system call."""

import os

import pytest

from goferry.storage import disk
from goferry.storage.disk import Disk


@pytest.fixture
def opened(tmp_path):
    path = str(tmp_path / "file")
    fd = Disk().create(path)
    yield fd, path
    os.close(fd)


@pytest.mark.parametrize("sizes", [[], [0], [5], [3, 0, 4], [0, 0], [1] * 2000, [70_000] * 30])
def test_all_chunks_are_written_in_order(opened, sizes):
    fd, path = opened
    chunks = [bytes([at % 251]) * size for at, size in enumerate(sizes)]
    Disk().write(fd, chunks)
    with open(path, "rb") as file:
        assert file.read() == b"".join(chunks)


@pytest.mark.parametrize("most", [1, 2, 3, 7, 1000])
def test_a_disk_that_takes_few_bytes_at_once_gets_them_all(opened, monkeypatch, most):
    def write_few(fd, parts):
        return os.write(fd, b"".join(parts)[:most])

    monkeypatch.setattr(disk, "_write_some", write_few)
    fd, path = opened
    Disk().write(fd, [b"ab", b"", b"cdefg", b"h", b"ijklmnop"])
    with open(path, "rb") as file:
        assert file.read() == b"abcdefghijklmnop"


def test_where_parts_cannot_be_gathered_they_are_written_one_by_one(opened, monkeypatch):
    monkeypatch.delattr(os, "writev", raising=False)
    fd, path = opened
    Disk().write(fd, [b"ab", b"cd"])
    with open(path, "rb") as file:
        assert file.read() == b"abcd"
