"""Files of the system are never left half written, whoever writes them."""

import errno
import os
from pathlib import Path

import pytest

from goferry.doctor.fixes import files
from goferry.doctor.fixes.plan import FileEdit
from goferry.errors import Refused
from goferry.rewriting import create, rewrite, write_private

OLD, NEW = b"127.0.0.1 localhost\n", b"10.1.2.3 proxy.example.org\n" * 3


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be renamed over, as a mount, and the first write in place ends with a full disk."""
    real, calls = os.fsync, []

    def full_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:  # the first is that of the new file which cannot be renamed
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    def refuse(*_args: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", refuse)
    monkeypatch.setattr(os, "fsync", full_once)


def test_a_write_in_place_that_fails_leaves_the_old_bytes(tmp_path: Path, busy: None) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(OLD)
    with pytest.raises(OSError, match="No space left"):
        rewrite(path, NEW)
    assert path.read_bytes() == OLD
    assert os.listdir(tmp_path) == ["hosts"]


def test_a_fix_that_cannot_be_written_leaves_the_old_bytes(tmp_path: Path, busy: None) -> None:
    path = tmp_path / "hosts"
    path.write_bytes(OLD)
    with pytest.raises(Refused, match="No space left"):
        files.write_all([FileEdit(str(path), OLD, NEW)])
    assert path.read_bytes() == OLD


def test_mode_and_links_are_kept(tmp_path: Path) -> None:
    path, link, other = tmp_path / "hosts", tmp_path / "link", tmp_path / "other"
    path.write_bytes(OLD)
    path.chmod(0o600)
    link.symlink_to(path)
    rewrite(link, NEW)
    assert (path.read_bytes(), path.stat().st_mode & 0o777, link.is_symlink()) == (NEW, 0o600, True)
    os.link(path, other)
    rewrite(path, OLD)
    assert other.read_bytes() == OLD


def test_new_files_are_for_everybody_or_for_this_user(tmp_path: Path) -> None:
    create(tmp_path / "below" / "hosts", NEW)
    write_private(tmp_path / "journal", NEW)
    modes = [(tmp_path / name).stat().st_mode & 0o777 for name in ("below/hosts", "journal")]
    assert modes == [0o644, 0o600]
