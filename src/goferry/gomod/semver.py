"""Semantic versions as Go modules write them: with a leading `v`, as golang.org/x/mod/semver reads them.

    vMAJOR[.MINOR[.PATCH[-PRERELEASE][+BUILD]]]

The two short forms (`v1`, `v1.2`) are shorthands for `v1.0.0` and `v1.2.0`: valid here, yet never canonical.
Numbers are compared as decimal text, by length and then by digits, because nothing limits how long they may
be. Build metadata plays no part in the order. An invalid version is lower than every valid one and equal to
its like.
"""

import functools
from collections.abc import Iterable
from typing import Any, TypeAlias

from goferry.gomod.patterns import lazily

_NUMBER = r"(0|[1-9][0-9]*)"
_PRE_IDENT = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_BUILD_IDENT = r"[0-9A-Za-z-]+"
_VERSION = lazily(
    rf"v{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}"
    rf"(-{_PRE_IDENT}(?:\.{_PRE_IDENT})*)?(\+{_BUILD_IDENT}(?:\.{_BUILD_IDENT})*)?)?)?"
)

Key: TypeAlias = tuple[Any, ...]
"""Sorts as `compare` does. Opaque: only good for comparing with other keys of this module."""

_INVALID: Key = (0,)
_RELEASE: Key = (1,)  # above every pre-release, whose key starts with 0


def is_valid(v: str) -> bool:
    """Whether `v` is a valid version. The short forms `v1` and `v1.2` are valid too."""
    return _VERSION.fullmatch(v) is not None


def canonical(v: str) -> str:
    """`v` with all three numbers and without build metadata; empty when invalid."""
    m = _VERSION.fullmatch(v)
    if m is None:
        return ""
    major, minor, patch, pre, _ = m.groups()
    return f"v{major}.{minor or 0}.{patch or 0}{pre or ''}"


def major(v: str) -> str:
    """`v2` for `v2.1.0`; empty when invalid."""
    m = _VERSION.fullmatch(v)
    return "" if m is None else f"v{m[1]}"


def major_minor(v: str) -> str:
    """`v2.1` for `v2.1.0`; empty when invalid."""
    m = _VERSION.fullmatch(v)
    return "" if m is None else f"v{m[1]}.{m[2] or 0}"


def prerelease(v: str) -> str:
    """`-pre` for `v2.1.0-pre+meta`; empty when there is none or `v` is invalid."""
    m = _VERSION.fullmatch(v)
    return "" if m is None else m[4] or ""


def build(v: str) -> str:
    """`+meta` for `v2.1.0-pre+meta`; empty when there is none or `v` is invalid."""
    m = _VERSION.fullmatch(v)
    return "" if m is None else m[5] or ""


@functools.lru_cache(maxsize=1 << 15)  # graphs compare the same few versions again and again
def key(v: str) -> Key:
    """A sort key: `key(v) < key(w)` exactly when `compare(v, w) < 0`."""
    m = _VERSION.fullmatch(v)
    if m is None:
        return _INVALID
    x, y, z, pre, _ = m.groups("0")
    return (1, len(x), x, len(y), y, len(z), z, _RELEASE if pre == "0" else _prerelease_key(pre))


def _prerelease_key(pre: str) -> Key:
    # Numbers sort below words, by length first; words sort by their ASCII bytes; more identifiers sort
    # higher.
    return (0, *((0, len(i), i) if i.isdigit() else (1, 0, i) for i in pre[1:].split(".")))


def compare(v: str, w: str) -> int:
    """-1, 0 or +1 by semantic version precedence."""
    kv, kw = key(v), key(w)
    return (kv > kw) - (kv < kw)


def max(v: str, w: str) -> str:
    """The greater of the two, both made canonical first."""
    v, w = canonical(v), canonical(w)
    return v if compare(v, w) > 0 else w


def sort(versions: Iterable[str]) -> list[str]:
    """A new ascending list; versions of equal precedence (`v1`, `v1.0.0+meta`) are ordered by their text."""
    return sorted(versions, key=lambda v: (key(v), v))
