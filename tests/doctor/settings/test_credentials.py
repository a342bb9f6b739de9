"""netrc and GOAUTH: what would be used by whom, and never a password."""

import pytest

from goferry.doctor.settings.credentials import (
    AuthMethod,
    InvalidAuth,
    Method,
    parse_goauth,
    parse_netrc,
    read_netrc,
)
from goferry.gomod import netrc
from settingsworld import Machine

# Vectors: facts from cmd/go internal/auth/netrc_test.go (BSD-3-Clause), in a text of our own.
TEXT = """
machine incomplete
password none

machine api.example.org
  login user
  password pwd1

machine justlogin.example.org
  login user

machine oneline.example.org login user password pwd2

machine ignored.example.org macdef ignore
  login nobody
  password pwd3

machine macro.example.org macdef next login user password pwd4
  login nobody
  password pwd5

default
login anonymous
password pwd6

machine late.example.org
login oops
password pwd7
"""


def test_go_uses_complete_entries_before_the_default_one() -> None:
    machines = [login.machine for login in netrc.parse(TEXT)]
    assert machines == ["api.example.org", "oneline.example.org", "macro.example.org"]


def test_all_entries_are_seen_with_their_lines_and_without_passwords(machine: Machine) -> None:
    path = machine.write(machine.home / ".netrc", TEXT)
    found = {entry.machine: entry for entry in read_netrc(machine.world())}
    assert list(found) == [
        "incomplete",
        "api.example.org",
        "justlogin.example.org",
        "oneline.example.org",
        "ignored.example.org",
        "macro.example.org",
        "default",
        "late.example.org",
    ]
    assert (found["api.example.org"].place, found["api.example.org"].login) == (f"{path}:5", "user")
    assert {name for name, entry in found.items() if entry.used_by_go} == {
        "api.example.org",
        "oneline.example.org",
        "macro.example.org",
    }
    assert not found["justlogin.example.org"].has_password
    assert found["default"].has_password
    assert "pwd" not in repr(found)


@pytest.mark.parametrize("environ", [{"NETRC": "{home}/other"}, {"HOME": "{home}/sub"}])
def test_the_file_is_the_one_that_go_reads(environ: dict[str, str], machine: Machine) -> None:
    for path in (machine.home / "other", machine.home / "sub/.netrc"):
        machine.write(path, "machine a.example.org login x password y\n")
    world = machine.world({name: value.format(home=machine.home) for name, value in environ.items()})
    assert [entry.machine for entry in read_netrc(world)] == ["a.example.org"]
    assert read_netrc(machine.world()) == ()


@pytest.mark.parametrize(
    "text", ["", "machine", "login x", "machine a login", "\0\xff machine", "macdef x\nmachine a"]
)
def test_odd_files_are_no_error(text: str) -> None:
    assert all(not entry.has_password for entry in parse_netrc(text))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("netrc", (AuthMethod(Method.NETRC),)),
        ("off", (AuthMethod(Method.OFF),)),
        ("netrc; git /home/me/x", (AuthMethod(Method.NETRC), AuthMethod(Method.GIT, "/home/me/x"))),
        (" helper --x y ;netrc", (AuthMethod(Method.COMMAND, "helper"), AuthMethod(Method.NETRC))),
    ],
)
def test_goauth_lists_methods(text: str, want: tuple[AuthMethod, ...]) -> None:
    assert parse_goauth(text) == want


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty command"),
        ("netrc;", "empty command"),
        ("off;netrc", "cannot be combined"),
        ("git", "absolute path"),
        ("git relative/x", "absolute path"),
        ("git /a /b", "absolute path"),
    ],
)
def test_goauth_stops_where_go_stops(text: str, why: str) -> None:
    with pytest.raises(InvalidAuth, match=why):
        parse_goauth(text)
