"""What a go.mod says for the module graph: its path, its go line, and what it requires.

A build list needs that of a thousand dependencies, and nothing else of them. Files as tools write them are read line
by line with what is known of such lines; the rest, and whatever is wrong, goes to `modfile.parse_lax`, which always
agrees. Of the go.mod of a main module `quick_main` says what `modfile.parse` says, or nothing.
"""

import functools
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from goferry.gomod import gover, module
from goferry.gomod.modgraph import Requirements
from goferry.gomod.module import Version
from goferry.gomod.patterns import lazily


class Summary(NamedTuple):
    """`module` is empty without a module line."""

    module: str
    requirements: Requirements


class MainSummary(NamedTuple):
    """Of a main module that has a module line, and nothing unusual."""

    module: str
    requirements: Requirements
    toolchain: str
    direct: frozenset[Version]
    """What is required without `// indirect`."""
    replace: tuple[tuple[Version, Version], ...] = ()
    """What is replaced, and by what, line by line; a folder has no version."""
    exclude: frozenset[Version] = frozenset()


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
_TOOLCHAIN = lazily(r"go1\.[0-9.]+")
_SIMPLE = lazily(rf"(?:[\w.~+=>,@\[\] \t-]|/(?![/*]))*{_END}", re.ASCII)
_COMMON = lazily(
    rf"[ \t]*(?:(?P<nothing>)"
    rf"|module[ \t]+(?P<module>{_WORD})"
    rf"|go[ \t]+(?P<go>[1-9][0-9]*\.(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))?)"
    rf"|toolchain[ \t]+(?P<toolchain>{_WORD})"
    rf"|require[ \t]*(?P<required>\()"
    rf"){_END}",
    re.ASCII,
)
"""What nearly all files consist of, outside of blocks: the rest takes as long to compile, and few need it."""
_OTHER = lazily(
    rf"[ \t]*(?:require[ \t]+(?P<path>{_WORD})[ \t]+(?P<version>{_WORD})"
    rf"|{_IGNORED}[ \t]*(?P<ignored>\()"
    rf"|{_IGNORED}[ \t]+(?P<line>(?:[\w.~+=>,@\[\] \t-]|/(?![/*]))*)"
    rf"){_END}",
    re.ASCII,
)
_ENTRY = lazily(rf"[ \t]*(?:({_WORD})[ \t]+({_WORD}))?{_END}", re.ASCII)
_RELEASE = lazily(r"v[01]\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)", re.ASCII)
"""What most paths without a major version are required in; for others there is more to check."""
_PLAIN = lazily(
    r"^\t([\w.~+-]+(?:/[\w.~+-]+)*) (v[01]\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*))(|[ ]// indirect)$",
    re.ASCII | re.MULTILINE,
)
_REPLACED = lazily(
    rf"[ \t]*(?:({_WORD})(?:[ \t]+({_WORD}))?[ \t]+=>[ \t]+({_WORD})(?:[ \t]+({_WORD}))?)?{_END}", re.ASCII
)
_CLOSED = ")"


class _UnusualError(Exception):
    """A line that needs a closer look."""


def quick(data: bytes) -> Summary | None:
    """The summary of a file that has nothing unusual; None for any other.

    Few lines differ in all the files of a graph, so each is understood once.
    """
    try:
        return _quick(_lines(data))
    except (UnicodeDecodeError, _UnusualError):
        return None


def quick_main(data: bytes) -> MainSummary | None:
    """The summary of a main module's file that has nothing unusual; None for any other."""
    try:
        return _quick_main(_lines(data))
    except (UnicodeDecodeError, _UnusualError):
        return None


def _lines(data: bytes) -> list[str]:
    return data.decode().replace("\r\n", "\n").split("\n")


def _quick_main(lines: list[str]) -> MainSummary:
    said: dict[str, str] = {}
    found: dict[str, list[Any]] = {"require": [], "direct": [], "replace": [], "exclude": []}
    for kind, value, line in _one_by_one(lines):
        if kind == "plain":
            found["require"] += value
            found["direct"] += [version for version, indirect in value.items() if not indirect]
        elif kind in found:
            found[kind].append(value)
            if kind == "require" and _is_direct(line):
                found["direct"].append(value)
        elif kind in ("module", "go", "toolchain") and kind not in said:
            said[kind] = value
        elif kind != "nothing":
            raise _UnusualError
    toolchain = said.get("toolchain", "")
    if "module" not in said or (toolchain and not _TOOLCHAIN.fullmatch(toolchain)):
        raise _UnusualError
    return MainSummary(
        said["module"],
        Requirements(said.get("go", gover.DEFAULT_GO_MOD_VERSION), tuple(found["require"])),
        toolchain,
        frozenset(found["direct"]),
        tuple(found["replace"]),
        frozenset(found["exclude"]),
    )


def _one_by_one(lines: list[str]) -> Iterator[tuple[str, Any, str]]:
    """Each line that says something, with the kind of it and what it says."""
    at = 0
    while at < len(lines):
        line = lines[at]
        kind, value = _statement(line)
        at += 1
        if kind == "line":
            verb, _, rest = line.lstrip(" \t").replace("\t", " ").partition(" ")
            yield verb, _reader(verb)(rest), line
        elif kind not in ("required", "ignored"):
            yield kind, value, line
        else:
            verb = line.partition("(")[0].strip(" \t")
            end, read = _end(lines, at), _reader(verb)
            if verb == "require" and (plain := _plain(lines[at:end])):
                yield "plain", plain, line
                at = end + 1
                continue
            for entry in lines[at:end]:
                if (said := read(entry)) is not None:
                    yield verb, said, entry
            at = end + 1


def _plain(lines: list[str]) -> dict[Version, str]:
    """The requirements of a block, each with its mark if it has one, when each line is as most lines are; else none."""
    found = _PLAIN.findall("\n".join(lines))
    said = {Version(path, version): mark for path, version, mark in found if _may_be_v0_or_v1(path)}
    return said if len(said) == len(lines) else {}


def _may_be_v0_or_v1(path: str) -> bool:
    _, major, ok = module.split_path_version(path)
    return ok and not major


def _reader(verb: str) -> Callable[[str], Any]:
    """What reads the lines of a kind, None for one without words."""
    if verb == "replace":
        return _replacement
    if verb in ("require", "exclude"):
        return _entry
    raise _UnusualError


def _replacement(line: str) -> tuple[Version, Version] | None:
    found = _REPLACED.fullmatch(line)
    if found is None:
        raise _UnusualError
    old, version, new, new_version = found.groups("")
    if not old:
        return None
    _, major, ok = module.split_path_version(old)
    if not ok or (version and not (_is_canonical(version) and module.match_path_major(version, major))):
        raise _UnusualError
    is_folder = new in (".", "..") or new.startswith(("./", "../", "/"))
    if is_folder == bool(new_version) or (new_version and not _is_canonical(new_version)):
        raise _UnusualError
    return Version(old, version), Version(new, new_version)


def _is_canonical(version: str) -> bool:
    return module.canonical_version(version) == version


def _is_direct(line: str) -> bool:
    """Whether a requirement lacks the mark `// indirect`. No path has two slashes in a row."""
    comment = line.partition("//")[2]
    if "indirect" not in comment:
        return True
    if comment.strip(" \t") != "indirect":
        raise _UnusualError
    return False


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
    found = _COMMON.fullmatch(line) or _OTHER.fullmatch(line)
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
    if ok and not major and _RELEASE.fullmatch(version):
        return Version(path, version)
    if not (ok and _is_canonical(version) and module.match_path_major(version, major)):
        raise _UnusualError
    return Version(path, version)
