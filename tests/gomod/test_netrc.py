import pytest

from goferry.gomod.netrc import Login, login_for, parse

# Vectors: facts from golang/go cmd/go internal/auth/netrc_test.go (BSD-3-Clause).
MIXED = """
machine incomplete
password none

machine api.github.com
  login user
  password pwd

machine incomlete.host
  login justlogin

machine test.host
login user2
password pwd2

machine oneline login user3 password pwd3

machine ignore.host macdef ignore
  login nobody
  password nothing

machine hasmacro.too macdef ignore-next-lines login user4 password pwd4
  login nobody
  password nothing

default
login anonymous
password gopher@golang.org

machine after.default
login oops
password too-late-in-file
"""


def test_only_whole_entries_before_the_default_count() -> None:
    assert parse(MIXED) == (
        Login("api.github.com", "user", "pwd"),
        Login("test.host", "user2", "pwd2"),
        Login("oneline", "user3", "pwd3"),
        Login("hasmacro.too", "user4", "pwd4"),
    )


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("machine a login b", 0),
        ("machine a password c", 0),
        ("login b password c", 0),
        ("machine a\nlogin b\npassword c", 1),
        ("machine a login b password c machine d login e password f", 2),
        ("machine a login b account x password c", 1),
        ("machine a login b password", 0),
        ("default login b password c", 0),
        ("\ufeffmachine a login b password c", 0),
    ],
)
def test_entries_without_a_password_are_ignored(text: str, count: int) -> None:
    assert len(parse(text)) == count


def test_the_first_entry_of_a_host_wins_and_its_port_counts() -> None:
    entries = parse("machine a login one password p\nmachine a login two password p\n")
    assert login_for(entries, "a") == Login("a", "one", "p")
    assert login_for(entries, "a:8443") is None


def test_a_password_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(parse("machine a login b password secret"))
