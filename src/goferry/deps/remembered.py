"""Answers about a project that a store remembers.

What a build list says follows from the files of the project and from published go.mod files. The latter never change,
so an answer holds as long as the former are what they were: go.mod and go.work files, also of local replacements. Only
whole answers are remembered. Whatever is wrong with a remembered one, it is as if it were not there. It stands on a
line of its own below what it holds by, so that one that does not hold is not read.

Of many answers the oldest go. Processes may do all of this at once: an answer is a file that is there or not.
"""

import json
import os
import sys
import zlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

from goferry import __version__
from goferry.places import StrPath

_PLACE: Final = ".goferry/answers"

MOST: Final = 1_000
MOST_BYTES: Final = 64 << 20
"""So many answers are kept, and so much of them."""


def recall(store: StrPath, start: StrPath, question: str) -> Any:
    """The answer to a question about the project that begins with this file; None when it is not known."""
    try:
        with open(_file(store, start, question), "rb") as file:
            line, answer = file.read().split(b"\n")
        about = json.loads(line)
        same = about["version"] == __version__ and about["start"] == _named(start)
        same = same and all(text == _text(name) for name, text in about["files"].items())
        return json.loads(answer) if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(
    store: StrPath, start: StrPath, question: str, files: Iterable[str], answer: Any, since: int = sys.maxsize
) -> None:
    """Keeps an answer that follows from these files as they were at a time, in nanoseconds: it may not follow from what
    has changed since. A store that cannot be written to remembers nothing."""
    files = tuple(files)
    if any(_changed(name) >= since for name in files):
        return
    place = _file(store, start, question)
    about = {"version": __version__, "start": _named(start), "files": {name: _text(name) for name in files}}
    folder = os.path.dirname(place)
    new = f"{place}.{os.getpid()}"
    with suppress(OSError):
        os.makedirs(folder, exist_ok=True)
        try:
            with open(new, "wb") as file:
                file.write(f"{json.dumps(about)}\n{json.dumps(answer)}".encode())
            os.replace(new, place)
        except BaseException:
            with suppress(OSError):
                os.unlink(new)
            raise
        _make_room(folder)


def _make_room(folder: str) -> None:
    """Removes the oldest answers beyond what is kept; what was left half written goes with them."""
    with os.scandir(folder) as entries:
        found = sorted(((entry.stat(), entry.path) for entry in entries), key=lambda one: -one[0].st_mtime_ns)
    size = 0
    for count, (about, path) in enumerate(found, 1):
        size += about.st_size
        if count > MOST or size > MOST_BYTES:
            with suppress(OSError):
                os.unlink(path)  # another process may have been quicker


def _file(store: StrPath, start: StrPath, question: str) -> str:
    """Two projects that share a name, which is unlikely, do not know each other's answers: they forget them."""
    name = _named(start).encode()
    file = f"{question}-{zlib.crc32(name):08x}{zlib.crc32(name[::-1]):08x}.json"
    return os.path.join(store, _PLACE, file)


def _named(start: StrPath) -> str:
    return ascii(os.path.abspath(start))  # links are not followed


def _changed(name: str) -> int:
    try:
        return os.stat(name).st_mtime_ns
    except OSError:
        return 0


def _text(name: str) -> str | None:
    """A file's content, byte by byte; None when it is not there."""
    try:
        with open(name, "rb") as file:
            return file.read().decode("latin-1")
    except OSError:
        return None
