"""What the go.mod of a dependency says for the module graph: its path, its go line, and what it requires.

A build list needs that of a thousand files, and nothing else of them. Files as tools write them are read line by line
with what is known of such lines; the rest, and whatever is wrong, goes to `modfile.parse_lax`, which always agrees.
"""

import functools
import re
from dataclasses import dataclass

from goferry.gomod import gover, module
from goferry.gomod.modgraph import Requirements
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Summary:
    """`module` is empty without a module line."""

    module: str
    requirements: Requirements


def summarize(name: str, data: bytes) -> Summary:
    """The summary of a dependency's go.mod. `name` is for messages. Raises ModFileError as parse_lax does."""
    return quick(data) or _thorough(name, data)


def _thorough(name: str, data: bytes) -> Summary:
    from goferry.gomod import modfile  # slow to import, and seldom needed

    file = modfile.parse_lax(name, data)
    go = file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION
    path = file.module.path if file.module else ""
    return Summary(path, Requirements(go, tuple(line.mod for line in file.require)))


_WORD = r"(?:[\w.~+-]|/(?![/*]))+"
_END = r"[ \t]*(?://.*)?"
_IGNORED = "(?:exclude|replace|retract|toolchain|godebug|tool)"
_SIMPLE = re.compile(rf"(?:[\w.~+=>,@\[\] \t-]|/(?![/*]))*{_END}", re.ASCII)
_STATEMENT = re.compile(
    rf"[ \t]*(?:(?P<nothing>)"
    rf"|module[ \t]+(?P<module>{_WORD})"
    rf"|go[ \t]+(?P<go>[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?)"
    rf"|require[ \t]+(?P<path>{_WORD})[ \t]+(?P<version>{_WORD})"
    rf"|require[ \t]*(?P<required>\()"
    rf"|{_IGNORED}[ \t]*(?P<ignored>\()"
    rf"|{_IGNORED}[ \t]+(?P<line>(?:[\w.~+=>,@\[\] \t-]|/(?![/*]))*)"
    rf"){_END}",
    re.ASCII,
)
_ENTRY = re.compile(rf"[ \t]*(?:({_WORD})[ \t]+({_WORD}))?{_END}", re.ASCII)
_CLOSED = ")"


class _UnusualError(Exception):
    """A line that needs a closer look."""


def quick(data: bytes) -> Summary | None:
    """The summary of a file that has nothing unusual; None for any other.

    Few lines differ in all the files of a graph, so each is understood once.
    """
    try:
        return _quick(data.decode().replace("\r\n", "\n").split("\n"))
    except (UnicodeDecodeError, _UnusualError):
        return None


def _quick(lines: list[str]) -> Summary:
    said: dict[str, str] = {}
    require: list[Version] = []
    at = 0
    while at < len(lines):
        kind, value = _statement(lines[at])
        at += 1
        if isinstance(value, Version):
            require.append(value)
        elif kind in ("module", "go"):
            if kind in said:
                raise _UnusualError
            said[kind] = value
        elif kind in ("required", "ignored"):
            end = _end(lines, at)
            entries = map(_entry if kind == "required" else _pass_over, lines[at:end])
            require += filter(None, entries)
            at = end + 1
    go = said.get("go", gover.DEFAULT_GO_MOD_VERSION)
    return Summary(said.get("module", ""), Requirements(go, tuple(require)))


def _end(lines: list[str], start: int) -> int:
    try:
        return lines.index(_CLOSED, start)
    except ValueError:
        raise _UnusualError from None


@functools.lru_cache(maxsize=1 << 14)
def _statement(line: str) -> tuple[str, str | Version]:
    """A line outside of blocks: what kind it is, and what it says."""
    found = _STATEMENT.fullmatch(line)
    if found is None or found.lastgroup is None:
        raise _UnusualError
    if found.lastgroup == "version":
        return "require", _required(found["path"], found["version"])
    return found.lastgroup, found[found.lastgroup]


@functools.lru_cache(maxsize=1 << 17)
def _entry(line: str) -> Version | None:
    """A line of a require block; None for one without words."""
    found = _ENTRY.fullmatch(line)
    if found is None:
        raise _UnusualError
    return _required(found[1], found[2]) if found[1] else None


def _pass_over(line: str) -> None:
    """A line of a block that says nothing for the graph; only its syntax counts."""
    if not _SIMPLE.fullmatch(line):
        raise _UnusualError


@functools.lru_cache(maxsize=1 << 16)
def _required(path: str, version: str) -> Version:
    """One object for all files that say the same."""
    _, major, ok = module.split_path_version(path)
    if not (ok and module.canonical_version(version) == version and module.match_path_major(version, major)):
        raise _UnusualError
    return Version(path, version)
