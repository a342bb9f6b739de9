"""Patterns of GOPRIVATE and its like that were meant for a module and do not match it, and what was wrong with them.

Go compares a pattern with the same number of leading path elements, case and blanks included, and ignores what it does
not understand. So a pattern that is written like a URL is not an error: it quietly protects nothing.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from goferry.gomod import module


@dataclass(frozen=True, slots=True)
class Near:
    """A pattern that misses. mended: patterns in its place that match; faults: what was changed, in this order."""

    pattern: str
    mended: tuple[str, ...]
    faults: tuple[str, ...]

    def replaced_in(self, globs: str) -> str:
        """The whole list with the mended patterns in place of this one; the others in the form of patterns, too."""
        parts = [self.mended if part == self.pattern else _tidy(part) for part in globs.split(",")]
        return ",".join(dict.fromkeys(word for part in parts for word in part if word))


def matching(globs: str, path: str) -> str:
    """The first pattern of the list that matches; "" for none."""
    return next((glob for glob in globs.split(",") if module.match_prefix_patterns(glob, path)), "")


def nearest(globs: str, path: str) -> Near | None:
    """The first pattern that was meant for this module, when none matches it."""
    if matching(globs, path):
        return None
    return next((near for glob in globs.split(",") if (near := _near(glob, path)) is not None), None)


def _near(glob: str, path: str) -> Near | None:
    words = [glob]
    faults: list[str] = []
    for fault, mend in _MENDS:
        better = [word for old in words for word in mend(old, path) if word]
        if better != words:
            words, faults = better, [*faults, fault]
        if words and module.match_prefix_patterns(",".join(words), path):
            return Near(glob, tuple(dict.fromkeys(words)), tuple(faults))
    return None


_Mend = Callable[[str, str], Iterator[str]]


def _without_quotes(word: str, _path: str) -> Iterator[str]:
    yield re.sub(r"[\"']", "", word)


def _without_blanks(word: str, _path: str) -> Iterator[str]:
    yield from re.split(r"[\s;|]+", word)


def _without_scheme(word: str, _path: str) -> Iterator[str]:
    yield word.partition("://")[2] or word


def _without_user(word: str, _path: str) -> Iterator[str]:
    """`git@host:path` is git's way to write host/path."""
    user, at, rest = word.partition("@")
    yield rest.replace(":", "/", 1) if at and "/" not in user else word


def _without_port(word: str, _path: str) -> Iterator[str]:
    yield re.sub(r"\A([^/:]+):\d+", r"\1", word)


def _without_dots(word: str, _path: str) -> Iterator[str]:
    yield re.sub(r"(?:/(?:\.\.\.|\*\*))+/?\Z", "", word)


def _without_suffix(word: str, _path: str) -> Iterator[str]:
    yield word.removesuffix(".git")


def _with_path_case(word: str, path: str) -> Iterator[str]:
    """The pattern with the letters of the module, where case is the only difference."""
    if module.match_prefix_patterns(word.lower(), path.lower()):
        elements = zip(word.split("/"), path.split("/"), strict=False)
        yield "/".join(mine if re.search(r"[*?\[]", mine) else theirs for mine, theirs in elements)
    else:
        yield word


def _with_parent(word: str, path: str) -> Iterator[str]:
    """`*.corp.example` and `.corp.example` leave corp.example itself out."""
    yield "*" + word if word.startswith(".") else word
    parent = re.sub(r"\A\*?\.", "", word)
    if parent != word and module.match_prefix_patterns(parent, path):
        yield parent


def _without_last_star(word: str, _path: str) -> Iterator[str]:
    """`corp.example/team/*` leaves corp.example/team itself out."""
    yield re.sub(r"(?:/\*)+/?\Z", "", word)


# In the order in which people would see them; the codes are stable words.
_MENDS: Final[tuple[tuple[str, _Mend], ...]] = (
    ("quotes_in_pattern", _without_quotes),
    ("blank_in_pattern", _without_blanks),
    ("scheme_in_pattern", _without_scheme),
    ("user_in_pattern", _without_user),
    ("port_in_pattern", _without_port),
    ("dots_in_pattern", _without_dots),
    ("git_suffix_in_pattern", _without_suffix),
    ("case_of_pattern", _with_path_case),
    ("star_without_parent", _with_parent),
    ("star_needs_element", _without_last_star),
)
FAULTS: Final = tuple(name for name, _mend in _MENDS)
_WRITING: Final = _MENDS[: FAULTS.index("git_suffix_in_pattern")]
"""Faults of the writing: these can be mended without knowing the module."""


def _tidy(glob: str) -> tuple[str, ...]:
    words = [glob]
    for _fault, mend in _WRITING:
        words = [word for old in words for word in mend(old, "")]
    return tuple(words)
