"""Where credentials would come from: netrc files and GOAUTH. Passwords are looked at and never kept.

One netrc file has two readers with different rules. Go's (gomod/netrc.py) takes an entry only when it has machine,
login and password; curl's, which git uses, also takes entries without password and the `default` one.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import NetrcEntry
from goferry.doctor.secrets import netrc_path
from goferry.errors import InvalidInput
from goferry.gomod import netrc
from goferry.smallfiles import read_text


@dataclass(slots=True)
class _Open:
    """An entry that is being read."""

    machine: str
    line: int
    login: str = ""
    has_password: bool = False


def parse_netrc(text: str, place: str = "") -> tuple[NetrcEntry, ...]:
    """All entries, also those that Go ignores; the machine of a `default` entry is `default`.

    Words may stand on any lines; a macro ends with an empty line; Go and curl agree so far.
    """
    found: list[_Open] = []
    for line, word, value in _pairs(text):
        if word in ("machine", "default"):
            found.append(_Open(value, line))
        elif found and word == "login":
            found[-1].login = value
        elif found and word == "password":
            found[-1].has_password = bool(value)
    return tuple(
        NetrcEntry(entry.machine, entry.login, entry.has_password, f"{place}:{entry.line}") for entry in found
    )


def _pairs(text: str) -> Iterator[tuple[int, str, str]]:
    """(line, word, value); `default` has no value and is given as its own."""
    in_macro = False
    words: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if in_macro:
            in_macro = line != ""
            continue
        fields = line.split()
        in_macro = "macdef" in fields
        words += [(number, word) for word in fields]
    position = 0
    while position < len(words):
        line_number, word = words[position]
        if word == "default":
            yield line_number, word, word
            position += 1
        else:
            yield line_number, word, words[position + 1][1] if position + 1 < len(words) else ""
            position += 2


def read_netrc(world: World) -> tuple[NetrcEntry, ...]:
    """The entries of the file that go reads, each with the answer to whether go would use it."""
    path = world.cwd / netrc_path(world.environ, home_of(world))
    text = read_text(path)
    usable = {login.machine for login in netrc.parse(text)}
    return tuple(
        NetrcEntry(entry.machine, entry.login, entry.has_password, entry.place, entry.machine in usable)
        for entry in parse_netrc(text, str(path))
    )


def home_of(world: World) -> Path:
    """The home folder that programs of this world see: HOME, which sudo and containers change."""
    name = "USERPROFILE" if os.name == "nt" else "HOME"
    return Path(world.environ.get(name) or world.home)


# ---- GOAUTH ------------------------------------------------------------------------------------------------


class Method(StrEnum):
    """A way to find credentials for https requests of go itself."""

    OFF = "off"
    NETRC = "netrc"
    GIT = "git"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class AuthMethod:
    """One entry of GOAUTH. detail: the folder of `git`, the program of a command."""

    method: Method
    detail: str = field(default="")


class InvalidAuth(InvalidInput):
    """A GOAUTH value with which the go command stops."""

    code = "invalid_goauth"


_LONE: Final = {"off": Method.OFF, "netrc": Method.NETRC}


def parse_goauth(text: str) -> tuple[AuthMethod, ...]:
    """The methods in the order in which they count. Raises InvalidAuth as the go command stops.

    Source: cmd/go internal/auth/auth.go. Whether a folder exists is not looked at here.
    """
    parts = [part.split() for part in text.split(";")]
    if not all(parts):
        raise InvalidAuth("GOAUTH encountered an empty command")
    if len(parts) > 1 and any(words[0] == "off" for words in parts):
        raise InvalidAuth("GOAUTH=off cannot be combined with other authentication commands")
    return tuple(_method(words) for words in parts)


def _method(words: list[str]) -> AuthMethod:
    if words[0] in _LONE:
        return AuthMethod(_LONE[words[0]])
    if words[0] != "git":
        return AuthMethod(Method.COMMAND, words[0])
    if len(words) != 2 or not Path(words[1]).is_absolute():
        raise InvalidAuth("GOAUTH=git dir method requires an absolute path to the git working directory")
    return AuthMethod(Method.GIT, words[1])
