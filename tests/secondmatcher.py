"""A matcher of its own, for comparison: other algorithm, other order of versions, nothing shared with goferry.

It reads the OSV file as JSON, turns each range into half-open intervals, and asks whether a version lies in one.
Versions are compared by the text of https://semver.org/#spec-item-11, one identifier after the other.
"""

from collections.abc import Iterator
from functools import cache, cmp_to_key
from typing import Any


@cache
def numbers_and_words(version: str) -> tuple[list[int], list[str]]:
    """The three numbers, and the identifiers of a pre-release; build metadata is dropped."""
    core, _, pre = version.split("+")[0].partition("-")
    return [int(part) for part in core.split(".")], pre.split(".") if pre else []


def compare_words(a: str, b: str) -> int:
    digits_a, digits_b = a.isascii() and a.isdigit(), b.isascii() and b.isdigit()
    if digits_a and digits_b:
        return (int(a) > int(b)) - (int(a) < int(b))
    if digits_a != digits_b:
        return -1 if digits_a else 1
    return (a > b) - (a < b)


def compare(a: str, b: str) -> int:
    (numbers_a, words_a), (numbers_b, words_b) = numbers_and_words(a), numbers_and_words(b)
    if numbers_a != numbers_b:
        return 1 if numbers_a > numbers_b else -1
    if not words_a or not words_b:
        return bool(words_b) - bool(words_a)
    for one, other in zip(words_a, words_b, strict=False):
        if decided := compare_words(one, other):
            return decided
    return (len(words_a) > len(words_b)) - (len(words_a) < len(words_b))


def intervals(events: list[dict[str, str]]) -> tuple[tuple[str | None, str | None], ...]:
    """[from, to): an introduction opens one, unless one is open; a fix closes it."""
    return intervals_of(tuple((version, kind) for event in events for kind, version in event.items()))


@cache
def intervals_of(points: tuple[tuple[str, str], ...]) -> tuple[tuple[str | None, str | None], ...]:

    def place(a: tuple[str, str], b: tuple[str, str]) -> int:
        if "0" in (a[0], b[0]):
            return (a[0] != "0") - (b[0] != "0")
        return compare(a[0], b[0])

    done: list[tuple[str | None, str | None]] = []
    open_at: str | None = None
    is_open = False
    for version, kind in sorted(points, key=cmp_to_key(place)):
        if kind == "introduced" and not is_open:
            is_open, open_at = True, None if version == "0" else version
        elif kind == "fixed" and is_open:
            done.append((open_at, version))
            is_open = False
    if is_open:
        done.append((open_at, None))
    return tuple(done)


def is_affected(block: dict[str, Any], version: str) -> bool:
    """Whether a block of an OSV file is about a version (without `v`)."""
    ranges = [one for one in block.get("ranges", []) if one["type"] == "SEMVER"]
    if not ranges:
        return True
    return any(
        not one["events"]
        or any(
            (low is None or compare(version, low) >= 0) and (high is None or compare(version, high) < 0)
            for low, high in intervals(one["events"])
        )
        for one in ranges
    )


def affected(document: dict[str, Any], module: str, version: str) -> bool:
    """Whether an entry that stands is about a version of a module."""
    return "withdrawn" not in document and any(
        is_affected(block, version)
        for block in document["affected"]
        if block["package"]["ecosystem"] == "Go" and block["package"]["name"] == module
    )


# ---- probes ---------------------------------------------------------------------------------------------------


def around(version: str) -> Iterator[str]:
    """A boundary, its neighbours, and pseudo-versions on both sides of it."""
    if version == "0":
        yield from ("0.0.0-00010101000000-000000000000", "0.0.0", "0.0.1", "99999.0.0")
        return
    (major, minor, patch), words = numbers_and_words(version)
    stem = f"{major}.{minor}"
    yield from (version, f"{stem}.{patch}", f"{stem}.{patch + 1}", f"{stem}.{patch}-0")
    yield f"{stem}.{patch}+incompatible"
    yield f"{stem}.{patch}-0.20991231235959-ffffffffffff"
    yield f"{stem}.{patch}-rc.1"
    yield f"{stem}.{patch + 1}-0.20991231235959-ffffffffffff"
    if patch:
        yield f"{stem}.{patch - 1}"
        yield f"{stem}.{patch}-0.19700101000000-000000000000"
    elif minor:
        yield f"{major}.{minor - 1}.999"
    if words:
        yield f"{version}.0"
        yield f"{stem}.{patch}-{'.'.join(words)}z"
