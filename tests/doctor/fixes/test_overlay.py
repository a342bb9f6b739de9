"""Other files for one program: real mount namespaces, and nobody else sees anything of it."""

import os
import subprocess
from pathlib import Path

import pytest

from goferry.doctor.fixes import FileEdit, overlay

needs_namespaces = pytest.mark.skipif(not overlay.is_possible(), reason="needs mount namespaces")


def seen_by(command: list[str] | None) -> bytes:
    assert command is not None
    return subprocess.run(command, capture_output=True, check=True).stdout


@needs_namespaces
def test_the_program_sees_other_content_and_nobody_else_does(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "with blank"
    first.write_bytes(b"1")
    second.write_bytes(b"2")
    edits = [FileEdit(str(first), b"1", b"one "), FileEdit(str(second), b"2", b"two")]
    copies = tmp_path / "copies"
    copies.mkdir()
    command = overlay.wrapped(["cat", str(first), str(second)], edits, copies)
    assert seen_by(command) == b"one two"
    assert (first.read_bytes(), second.read_bytes()) == (b"1", b"2")


@needs_namespaces
@pytest.mark.skipif(not os.path.exists("/etc/hosts"), reason="needs a hosts file")
def test_a_file_of_the_system_can_be_covered(tmp_path: Path) -> None:
    before = Path("/etc/hosts").read_bytes()
    edit = FileEdit("/etc/hosts", before, b"192.0.2.9 covered.example\n")
    assert seen_by(overlay.wrapped(["cat", "/etc/hosts"], [edit], tmp_path)) == edit.after
    assert Path("/etc/hosts").read_bytes() == before


@needs_namespaces
def test_a_symbolic_link_is_followed_as_the_program_would(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    link = tmp_path / "link"
    link.symlink_to("real")
    command = overlay.wrapped(
        ["cat", str(link), str(tmp_path / "real")], [FileEdit(str(link), b"old", b"new")], tmp_path
    )
    assert seen_by(command) == b"newnew"


@needs_namespaces
def test_the_exit_status_and_arguments_are_the_programs_own(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    command = overlay.wrapped(
        ["sh", "-c", 'printf "%s|" "$@"; exit 7', "sh", "a b", "$HOME", "--"],
        [FileEdit(str(tmp_path / "file"), b"", b"x")],
        tmp_path,
    )
    assert command is not None
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (7, b"a b|$HOME|--|")


def test_without_edits_the_command_is_itself(tmp_path: Path) -> None:
    assert overlay.wrapped(["go", "version"], [], tmp_path) == ["go", "version"]


@pytest.mark.parametrize(("exists", "after"), [(False, b"x"), (True, None)])
def test_what_cannot_be_covered_is_not_pretended(tmp_path: Path, exists: bool, after: bytes | None) -> None:
    path = tmp_path / "file"
    if exists:
        path.write_bytes(b"")
    assert overlay.wrapped(["true"], [FileEdit(str(path), None, after)], tmp_path) is None


def test_a_system_without_namespaces_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "_namespace", lambda: None)
    (tmp_path / "file").write_bytes(b"")
    assert overlay.wrapped(["true"], [FileEdit(str(tmp_path / "file"), b"", b"x")], tmp_path) is None
