"""Answers about a project that a store remembers.

What a build list says follows from the files of the project and from published go.mod files. The latter never change,
so an answer holds as long as the former are what they were: go.mod and go.work files, also of local replacements. Only
whole answers are remembered. Whatever is wrong with a remembered one, it is as if it were not there.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from goferry import __version__

_PLACE: Final = ".goferry/answers"


def recall(store: Path, start: Path, question: str) -> Any:
    """The answer to a question about the project that begins with this file; None when it is not known."""
    try:
        kept = json.loads(_file(store, start, question).read_bytes())
        same = kept["version"] == __version__ and all(
            digest == _digest(name) for name, digest in kept["files"].items()
        )
        return kept["answer"] if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remember(store: Path, start: Path, question: str, files: Iterable[str], answer: Any) -> None:
    """Keeps an answer that follows from these files. A store that cannot be written to remembers nothing."""
    place = _file(store, start, question)
    kept = {"version": __version__, "files": {name: _digest(name) for name in files}, "answer": answer}
    new = place.with_name(f"{place.name}.{os.getpid()}")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            new.write_text(json.dumps(kept), "utf-8")
            new.replace(place)
        finally:
            new.unlink(missing_ok=True)


def _file(store: Path, start: Path, question: str) -> Path:
    name = hashlib.sha256(os.fsencode(os.path.abspath(start))).hexdigest()[:32]  # noqa: PTH100 - links are not followed
    return store / _PLACE / f"{question}-{name}.json"


def _digest(name: str) -> str:
    """Of a file's content; empty when it is not there."""
    try:
        with open(name, "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()
    except OSError:
        return ""
