"""Which repositories are audited on a schedule: a file that lists them, or a folder of checkouts."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.deps.finding import NAMES
from goferry.errors import InvalidInput
from goferry.i18n import N_

_MARKS: Final = (".git", *NAMES)
"""What makes a folder a checkout, or a project without one."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A checkout. `owner` is empty when the list names nobody."""

    folder: Path
    owner: str = ""


def read_repositories(place: Path) -> tuple[Repository, ...]:
    """The repositories of a list or folder. It is read anew for each audit, so that it may change meanwhile.

    A list has a line for each: a path (relative to the list), and perhaps an owner behind it; `#` begins a comment.
    Raises InvalidInput when there is none, or a line means nothing.
    """
    try:
        found = tuple(_below(place) if place.is_dir() else _listed(place))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise InvalidInput("cannot read the repositories in {place}: {why}", place=place, why=why) from error
    if not found:
        raise InvalidInput(
            "there is no repository in {place}",
            hint=N_("a folder needs checkouts below it, a list needs a line with the path of each"),
            place=place,
        )
    return found


def _below(folder: Path) -> Iterator[Repository]:
    for child in sorted(folder.iterdir()):
        if child.is_dir() and any((child / mark).exists() for mark in _MARKS):
            yield Repository(child)


def _listed(file: Path) -> Iterator[Repository]:
    for number, line in enumerate(file.read_text("utf-8-sig").splitlines(), 1):
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            raise InvalidInput("{place}: {why}", place=f"{file}:{number}", why=error) from error
        if len(words) > 2:
            raise InvalidInput(
                "{place}: a path and an owner are one line; a path with spaces needs quotes",
                place=f"{file}:{number}",
            )
        if words:
            yield Repository(Path(file.parent, Path(words[0]).expanduser()), words[1] if words[1:] else "")
