"""Where credentials would come from: netrc files and GOAUTH. Passwords are looked at and never kept.

One netrc file has two readers with different rules. Go's (cmd/go internal/auth) takes an entry only when it has
machine, login and password; curl's, which git uses, also takes entries without password and the `default` one.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import NetrcEntry
from goferry.doctor.settings.reading import read_text
from goferry.errors import InvalidInput


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
        words += [(number, field) for field in fields[: fields.index("macdef") if in_macro else None]]
    position = 0
    while position < len(words):
        line_number, word = words[position]
        if word == "default":
            yield line_number, word, word
            position += 1
        else:
            yield line_number, word, words[position + 1][1] if position + 1 < len(words) else ""
            position += 2


def go_netrc_machines(text: str) -> tuple[str, ...]:
    """The machines that Go has credentials for, in its order; it reads pairs of words line by line.

    The rule is that of parseNetrc in cmd/go internal/auth/netrc.go: a word alone at the end of a line is lost, and
    an entry counts at the moment when it has all three.
    """
    machines: list[str] = []
    seen: dict[str, str] = {}
    in_macro = False
    for line in text.split("\n"):
        if in_macro:
            in_macro = line != ""
            continue
        words = line.split()
        for word, value in zip(words[0::2], words[1::2], strict=False):
            if word == "machine":
                seen = {"machine": value}
            elif word in ("login", "password"):
                seen[word] = value
            in_macro = in_macro or word == "macdef"
            if all(seen.get(name) for name in ("machine", "login", "password")):
                machines.append(seen["machine"])
                seen = {}
        if len(words) % 2 and words[-1] == "default":
            break
    return tuple(machines)


def netrc_path(environ: Mapping[str, str], home: Path, platform: str = sys.platform) -> Path:
    """The file that Go reads: NETRC, else `_netrc` (Windows, if it exists) or `.netrc` in the home folder."""
    if environ.get("NETRC"):
        return Path(environ["NETRC"])
    if platform == "win32" and (home / "_netrc").exists():
        return home / "_netrc"
    return home / ".netrc"


def read_netrc(world: World, platform: str = sys.platform) -> tuple[NetrcEntry, ...]:
    """The entries of that file, each with the answer to whether Go would use it."""
    path = world.cwd / netrc_path(world.environ, home_of(world), platform)
    text = read_text(path)
    usable = set(go_netrc_machines(text))
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
