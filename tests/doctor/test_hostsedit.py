"""Writing a hosts file: owner, mode, links, mounts, and files that change or refuse while we look."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from goferry.doctor import hostsedit
from goferry.doctor.hostsedit import HostsFile
from goferry.errors import ConfigError, Refused

OLD, NEW = b"127.0.0.1 localhost\n", b"127.0.0.1 localhost\n192.0.2.7 a.example\n"


@pytest.fixture
def file(tmp_path: Path) -> HostsFile:
    path = tmp_path / "etc" / "hosts"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return HostsFile(path, tmp_path / "state")


def left_over(file: HostsFile) -> list[str]:
    return [name for name in os.listdir(file.path.parent) if name != "hosts"]


def test_mode_and_owner_stay(file: HostsFile) -> None:
    file.path.chmod(0o664)
    if os.geteuid() == 0:
        os.chown(file.path, 1234, 4321)
    before = file.path.stat()
    file.write(OLD, NEW, retry="")
    after = file.path.stat()
    assert file.path.read_bytes() == NEW
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert not left_over(file)


def test_a_symbolic_link_stays_one_and_its_target_is_written(file: HostsFile, tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    file.path.rename(target)
    file.path.symlink_to("../elsewhere")
    file.write(OLD, NEW, retry="")
    assert file.path.is_symlink()
    assert target.read_bytes() == NEW


def test_a_hard_link_still_shows_the_same_file(file: HostsFile, tmp_path: Path) -> None:
    os.link(file.path, tmp_path / "twin")
    file.write(OLD, NEW, retry="")
    assert (tmp_path / "twin").read_bytes() == NEW


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EROFS])
def test_where_a_rename_is_impossible_the_file_is_written_in_place(
    file: HostsFile, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no(*_args: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "replace", no)
    inode = file.path.stat().st_ino
    file.write(OLD, NEW, retry="")
    assert file.path.read_bytes() == NEW
    assert file.path.stat().st_ino == inode
    assert not left_over(file)


def test_a_file_that_is_a_mount_of_its_own_is_written(tmp_path: Path) -> None:
    """As /etc/hosts in a container."""
    for name in ("mount", "source"):
        (tmp_path / name).write_bytes(OLD)
    program = (
        "from pathlib import Path; from goferry.doctor.hostsedit import HostsFile; "
        f"HostsFile(Path('mount'), Path('state')).write({OLD!r}, {NEW!r}, retry='')"
    )
    script = 'mount --bind source mount && exec "$@"'
    try:
        run = subprocess.run(
            ["unshare", "-rm", "sh", "-c", script, "sh", sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        pytest.skip("needs mount namespaces")
    if "unshare" in run.stderr or "mount:" in run.stderr:
        pytest.skip("needs mount namespaces")
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "source").read_bytes() == NEW
    assert (tmp_path / "mount").read_bytes() == OLD
    assert sorted(os.listdir(tmp_path)) == ["mount", "source"]


def test_half_a_file_is_never_left_behind(file: HostsFile, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, []

    def fails_once(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:  # the first is that of the new file which cannot be renamed
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    def busy(*_args: object) -> None:
        raise OSError(errno.EBUSY, "Device or resource busy")

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(hostsedit.os, "fsync", fails_once)
    with pytest.raises(Refused, match="No space left"):
        file.write(OLD, NEW, retry="")
    assert file.path.read_bytes() == OLD


def test_a_file_that_somebody_else_has_changed_is_not_overwritten(file: HostsFile) -> None:
    file.path.write_bytes(b"theirs\n")
    with pytest.raises(ConfigError, match="changed by somebody else"):
        file.write(OLD, NEW, retry="")
    assert file.path.read_bytes() == b"theirs\n"


def test_a_read_only_file_is_written_by_root_alone_and_keeps_its_mode(file: HostsFile) -> None:
    file.path.chmod(0o444)
    if os.geteuid() == 0:
        file.write(OLD, NEW, retry="")
    else:
        with pytest.raises(Refused, match="may not be written"):
            file.write(OLD, NEW, retry="sudo it")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o444


def test_the_backup_is_that_from_before_the_first_pin(file: HostsFile) -> None:
    from datetime import date

    from goferry.doctor import hostsfile

    first = file.keep(OLD)
    pinned = hostsfile.pin(OLD, "a.example", ["192.0.2.7"], date(2026, 11, 30))
    assert file.keep(pinned) == first
    assert first.read_bytes() == OLD
    assert first.parent == file.backups
    file.forget()
    assert file.backup() is None
    # The backup was lost: what was there before our blocks can still be told.
    assert file.keep(pinned).read_bytes() == OLD


def test_a_state_folder_that_cannot_be_made_puts_the_backup_beside_the_file(file: HostsFile) -> None:
    file.backups.write_bytes(b"in the way")
    place = file.keep(OLD)
    assert place == file.path.with_name("hosts.goferry-backup")
    assert file.backup() == place


def test_without_any_place_for_a_backup_nothing_is_done(
    file: HostsFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hostsedit, "write_private", denied)
    with pytest.raises(Refused, match="no backup"):
        file.keep(OLD)


def test_two_files_have_two_backups(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    places = {
        HostsFile(tmp_path / each / "hosts", tmp_path / "state").backup_places()[0] for each in ("a", "b")
    }
    assert len(places) == 2


@pytest.mark.parametrize(
    ("platform", "environ", "want"),
    [
        ("linux", {}, "/home/x/.local/state/goferry/hosts"),
        ("linux", {"XDG_STATE_HOME": "/s"}, "/s/goferry/hosts"),
        ("win32", {"LOCALAPPDATA": "/l"}, "/l/goferry/hosts"),
    ],
)
def test_backups_go_to_the_users_state_folder(platform: str, environ: dict[str, str], want: str) -> None:
    assert hostsedit.state_folder(environ, Path("/home/x"), platform) == Path(want)
