"""Consent to second opinions, and the world that the doctor is given."""

import io
from pathlib import Path

import pytest

from goferry.cli.console import Console
from goferry.cli.worlds import may_ask_public, world_of
from terminal import Screen


def console(answer: str = "", *, stdin_tty: bool = True, stderr_tty: bool = True) -> Console:
    def stream(tty: bool, text: str = "") -> io.StringIO:
        return (Screen if tty else io.StringIO)(text)

    return Console(
        {"HOME": "/home/x"}, stream(stdin_tty, answer), io.StringIO(), stream(stderr_tty), Path("/cwd")
    )


@pytest.mark.parametrize(
    ("answer", "want"),
    [("y\n", True), ("YES\n", True), ("是\n", True), ("n\n", False), ("\n", False), ("", False)],
)
def test_a_person_at_a_terminal_is_asked_once(answer: str, want: bool) -> None:
    asked = console(answer)
    assert may_ask_public(asked, None) is want
    assert asked.stderr.getvalue().count("[y/N]") == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("flag", "quiet", "stdin_tty", "stderr_tty", "want"),
    [
        (True, False, True, True, True),
        (False, False, True, True, False),
        (True, True, False, False, True),
        (None, True, True, True, False),
        (None, False, False, True, False),
        (None, False, True, False, False),
    ],
)
def test_nobody_else_is_asked(
    flag: bool | None, quiet: bool, stdin_tty: bool, stderr_tty: bool, want: bool
) -> None:
    asked = console("y\n", stdin_tty=stdin_tty, stderr_tty=stderr_tty)
    assert may_ask_public(asked, flag, quiet=quiet) is want
    assert asked.stderr.getvalue() == ""  # type: ignore[attr-defined]


def test_the_world_is_that_of_the_console() -> None:
    world = world_of(console(), public_dns=True)
    assert (world.cwd, world.home, world.public_dns) == (Path("/cwd"), Path("/home/x"), True)
