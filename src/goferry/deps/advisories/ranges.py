"""Whether a version lies in the ranges of an entry, by the rules of OSV and of the Go tools.

A range is a walk along its events in the order of versions, `0` before everything: introduced switches on from that
version, fixed switches off from that version, last_affected switches off after it. Versions are compared as semantic
versions (v0.0.0-2020… is below every tag; build metadata and +incompatible do not count); the tags of Go itself are
mapped to such versions first: go1.27rc3 is v1.27.0-rc.3.
"""

import re
from collections.abc import Iterable
from typing import Final

from goferry.deps.advisories.osv import SEMVER, STDLIB, TOOLCHAIN, Affected, EventKind, Range, version_key
from goferry.gomod import semver

_GO: Final = (STDLIB, TOOLCHAIN)
_TAG: Final = re.compile(r"go(\d+)(?:\.(\d+))?(?:\.(\d+))?(?:(beta|rc)(\d+))?(?:[-+ ].*)?")
_RELEASE: Final = re.compile(r"v1\.(\d+)\.(\d+)(?:-(beta|rc)\.(\d+))?")
_FIRST_WITH_ZERO: Final = 21
"""From go1.21.0 on the first release of a minor is written with its zero."""


def go_semver(tag: str) -> str:
    """The semantic version of a tag of Go, with `v`; empty for what is none.

    >>> go_semver("go1.27rc3"), go_semver("go1.20"), go_semver("go1.22.1-custom")
    ('v1.27.0-rc.3', 'v1.20.0', 'v1.22.1')
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        return ""
    major, minor, patch, kind, number = found.groups()
    return f"v{major}.{minor or 0}.{patch or 0}" + (f"-{kind}.{number}" if kind else "")


def go_tag(version: str) -> str:
    """The tag of Go that a semantic version (with `v`) stands for; the version itself when it is none."""
    found = _RELEASE.fullmatch(version)
    if found is None:
        return version
    if version == "v1.0.0":
        return "go1"
    minor, patch, kind, number = found.groups()
    zero = ".0" if int(minor) >= _FIRST_WITH_ZERO and not kind else ""
    return f"go1.{minor}" + (f".{patch}" if patch != "0" else zero) + (f"{kind}{number}" if kind else "")


def canonical(path: str, version: str) -> str:
    """The version as it is compared, with `v`; empty when nobody can tell which version it is."""
    if path in _GO and version.startswith("go"):
        return go_semver(version)
    text = version if version.startswith("v") else f"v{version}"
    return text if semver.is_valid(text) else ""


def written(path: str, version: str) -> str:
    """The version of an event as people write it for that module: v1.2.3, or go1.26.3 for Go itself."""
    return go_tag(f"v{version}") if path in _GO else f"v{version}"


def covers(block: Affected, version: str) -> bool:
    """Whether the block is about a version (canonical)."""
    if version.removeprefix("v") in block.versions or version in block.versions:
        return True
    semantic = [one for one in block.ranges if one.type == SEMVER]
    if not semantic:
        return not block.versions
    key = version_key(version.removeprefix("v"))
    return any(contains(one, key) for one in semantic)


def covered(blocks: Iterable[Affected], version: str) -> Affected | None:
    """The first of the blocks that is about the version."""
    return next((block for block in blocks if covers(block, version)), None)


def contains(one: Range, key: semver.Key) -> bool:
    """Whether a version, given by its key, lies in the range. Without events everything does."""
    on = not one.events
    for event in one.events:
        kind = event.kind
        if kind is EventKind.INTRODUCED:
            on = on or event.is_beginning or key >= version_key(event.version)
        elif kind is EventKind.FIXED:
            on = on and key < version_key(event.version)
        elif kind is EventKind.LAST_AFFECTED:
            on = on and key <= version_key(event.version)
    return on and _within_limits(one, key)


def _within_limits(one: Range, key: semver.Key) -> bool:
    """Beyond every limit nothing is affected; hardly any range has one."""
    limits = [event.version for event in one.events if event.kind is EventKind.LIMIT]
    return not limits or any(limit == "*" or key < version_key(limit) for limit in limits)
