"""The trace of go (`-x`): one line when a question is asked, one when its answer begins; one when a program is started,
one when it has ended. Of a run that was ended at its limit it is all there is, as go tells its errors last.
"""

import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from goferry.doctor.evidence import RunSeen, Subject
from goferry.errors import GoferryError
from goferry.gomod.module import unescape_path, unescape_version

_PATH: Final = r"(?P<path>[^/\s@]+\.[^/\s@]+(?:/[^\s@]+?)?)"
_ASKED: Final = re.compile(
    r"^# get \S+?://[^/\s]+/(?:\S*/)??"
    rf"(?:{_PATH}/@(?:v/(?P<version>[^/\s]+)\.(?:info|mod|zip)|v/list|latest)"
    rf"|lookup/{_PATH.replace('path', 'summed')}@(?P<summed_version>[^/\s:]+))(?P<answered>: .*)?$",
    re.MULTILINE,
)


def module_awaited(trace: str, requires: Sequence[str] = ()) -> Subject:
    """The module that the run waits for, by what it has said so far; else the first that is required, if any.

    requires: PATH@VERSION, as in the evidence.
    """
    waiting: dict[tuple[str, str], bool] = {}
    for asked in _ASKED.finditer(trace):
        key = asked["path"] or asked["summed"], asked["version"] or asked["summed_version"] or ""
        waiting[key] = asked["answered"] is None
    for (path, version), is_waiting in waiting.items():
        if is_waiting and (subject := _unescaped(path, version)) is not None:
            return subject
    path, _at, version = next(iter(requires), "").partition("@")
    return Subject(module=path, version=version)


def module_asked_last(trace: str) -> Subject:
    """The module of the last file that was asked for; nothing when there was none."""
    files = [asked for asked in _ASKED.finditer(trace) if asked["path"] and asked["version"]]
    return (_unescaped(files[-1]["path"], files[-1]["version"]) if files else None) or Subject()


def _unescaped(path: str, version: str) -> Subject | None:
    try:
        return Subject(module=unescape_path(path), version=unescape_version(version) if version else "")
    except GoferryError:
        return None


# ---- programs ----------------------------------------------------------------------------------------------

_FOLDER: Final = re.compile(r"mkdir -p (?P<folder>\S+) # (?:git|hg|svn|bzr|fossil)\d* (?P<url>\S+)")
_BEGUN: Final = re.compile(r"(?:cd (?P<folder>\S+); )?(?P<words>(?:git|hg|svn|bzr|fossil) .*)")
_ENDED: Final = re.compile(r"(?P<seconds>[0-9.]+)s # (?P<line>.*)")


@dataclass(frozen=True, slots=True)
class Command:
    """A program that go started. what: `git fetch`; url: the repository that its folder is of, "" where it has none;
    seconds: how long it took, None for one that had not ended.
    """

    what: str
    url: str
    began: float
    seconds: float | None = None


def commands_of(run: RunSeen) -> tuple[Command, ...]:
    """The programs that go started, in their order."""
    found: list[Command] = []
    open_ones: dict[str, list[int]] = {}
    urls: dict[str, str] = {}
    for line, moment in timed_lines(run):
        if folder := _FOLDER.match(line):
            urls[folder["folder"]] = folder["url"]
        elif ended := _ENDED.match(line):
            if places := open_ones.get(ended["line"]):
                place = places.pop(0)
                found[place] = replace(found[place], seconds=float(ended["seconds"]))
        elif begun := _BEGUN.match(line):
            open_ones.setdefault(line, []).append(len(found))
            found.append(Command(_what(begun["words"]), urls.get(begun["folder"] or "", ""), moment))
    return tuple(found)


def timed_lines(run: RunSeen) -> Iterator[tuple[str, float]]:
    """The lines of a trace with the seconds at which they came, 0 where nobody looked."""
    lines = run.trace.splitlines()
    times = run.times if len(run.times) == len(lines) else (0.0,) * len(lines)
    return zip(lines, times, strict=True)


def _what(words: str) -> str:
    """The program and what it is told to do, without its options."""
    try:
        parts = shlex.split(words)
    except ValueError:
        parts = words.split()
    rest = iter(parts[1:])
    for part in rest:
        if part in ("-c", "-C", "-R"):
            next(rest, None)
        elif not part.startswith("-"):
            return f"{parts[0]} {part}"
    return parts[0]
