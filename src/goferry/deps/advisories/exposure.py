"""Flaws of Go itself, by the Go that really builds.

The go line of a go.mod is only a lower bound. The finished binary knows exactly; what the pipeline installs,
GOTOOLCHAIN or the go command on the machine say it for a build to come, and a newer go or toolchain line makes that Go
switch to it.
So every answer says which place decided and how sure it is.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.matching import Match, judge
from goferry.deps.advisories.osv import STDLIB, TOOLCHAIN
from goferry.deps.advisories.ranges import go_semver
from goferry.deps.base import Module, Project
from goferry.gomod import gover, semver


class Certainty(StrEnum):
    EXACT = "exact"
    """What built, or what would build here."""
    PINNED = "pinned"
    """What is written down for the build elsewhere."""
    AT_LEAST = "at_least"
    """A lower bound: what builds may be newer."""


class Origin(StrEnum):
    """Where a Go version is written, the most telling first."""

    BINARY = "binary"
    PIPELINE = "pipeline"
    """The image or the set-up step of CI, a Dockerfile."""
    ENVIRONMENT = "environment"
    """GOTOOLCHAIN."""
    COMMAND = "command"
    """`go version`."""
    TOOLCHAIN_LINE = "toolchain_line"
    GO_LINE = "go_line"


_CERTAINTY: Final[Mapping[Origin, Certainty]] = {
    Origin.BINARY: Certainty.EXACT,
    Origin.PIPELINE: Certainty.PINNED,
    Origin.ENVIRONMENT: Certainty.EXACT,
    Origin.COMMAND: Certainty.EXACT,
    Origin.TOOLCHAIN_LINE: Certainty.AT_LEAST,
    Origin.GO_LINE: Certainty.AT_LEAST,
}
_ORDER: Final = tuple(_CERTAINTY)
_SWITCHES: Final = (Origin.PIPELINE, Origin.COMMAND)
"""A Go from there makes way for a newer one that go.mod or go.work names."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place that names a Go version."""

    origin: Origin
    version: str
    """Without `go`: 1.26.3, 1.27rc1; 1.26 alone stands for any release of it."""
    where: str
    """The file, variable or command."""


@dataclass(frozen=True, slots=True)
class GoVersion:
    """The Go that builds, as far as it is known."""

    version: str
    certainty: Certainty
    decided: Evidence
    others: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Exposure:
    """What the Go that builds is known for. The two concern different people."""

    go: GoVersion
    stdlib: tuple[Match, ...]
    """In what is built: concerns whoever runs it."""
    toolchain: tuple[Match, ...]
    """In the go command: concerns whoever builds with it, people and pipelines."""


def exposure(database: Database, go: GoVersion) -> Exposure:
    """The entries about that version."""
    stdlib, toolchain = (judge(database, Module(path, f"go{go.version}")) for path in (STDLIB, TOOLCHAIN))
    return Exposure(go, stdlib, toolchain)


# ---- which Go -------------------------------------------------------------------------------------------------


def deciding(evidence: Iterable[Evidence]) -> GoVersion | None:
    """The version that builds by all that is known; None without a usable one. Of several pipelines the oldest counts:
    it is the one that may still have the flaw."""
    known = sorted((one for one in evidence if gover.is_valid(one.version)), key=_telling)
    if not known:
        return None
    lines = [one for one in known if _CERTAINTY[one.origin] is Certainty.AT_LEAST]
    floor = max(lines, key=_order, default=None)
    first = known[0]
    decided = first
    if floor is not None and (
        first in lines or (first.origin in _SWITCHES and _order(floor) > _order(first))
    ):
        decided = floor
    any_of = _is_open(first.version) and gover.lang(first.version) == gover.lang(decided.version)
    open_ended = any_of or _is_open(decided.version)
    certainty = Certainty.AT_LEAST if open_ended else _CERTAINTY[first.origin]
    return GoVersion(decided.version, certainty, decided, tuple(one for one in known if one is not decided))


def _telling(one: Evidence) -> tuple[int, semver.Key]:
    return _ORDER.index(one.origin), _order(one)


def _order(one: Evidence) -> semver.Key:
    return semver.key(go_semver(f"go{one.version}"))


def _is_open(version: str) -> bool:
    """Whether a version names a minor with all its releases."""
    return version.count(".") < 2 and not gover.is_prerelease(version)


# ---- places ---------------------------------------------------------------------------------------------------

_NAMED: Final = re.compile(r"go version (\S+)")


def from_lines(project: Project) -> tuple[Evidence, ...]:
    """The go and toolchain lines of a project's go.mod and go.work files."""
    files = [(str(part.folder / "go.mod"), part.file.go, part.file.toolchain) for part in project.parts]
    if project.work is not None:
        files.append((str(project.start), project.work.go, project.work.toolchain))
    found = []
    for where, go, toolchain in files:
        if go is not None:
            found.append(Evidence(Origin.GO_LINE, go.version, where))
        if toolchain is not None and (version := gover.from_toolchain(toolchain.name)):
            found.append(Evidence(Origin.TOOLCHAIN_LINE, version, where))
    return tuple(found)


def from_gotoolchain(value: str, where: str = "GOTOOLCHAIN") -> tuple[Evidence, ...]:
    """What GOTOOLCHAIN says: a name such as go1.26.3 is the version itself, `go1.26.3+auto` only what is used by
    default; local, auto and path say nothing."""
    name, plus, _ = value.partition("+")
    version = gover.from_toolchain(name)
    if not version:
        return ()
    return (Evidence(Origin.COMMAND if plus else Origin.ENVIRONMENT, version, where),)


def from_go_version(text: str, where: str = "go version") -> tuple[Evidence, ...]:
    """What `go version` printed; nothing for a Go built from a development tree."""
    found = _NAMED.match(text)
    version = gover.from_toolchain(found[1]) if found else ""
    return (Evidence(Origin.COMMAND, version, where),) if version else ()


def from_binary(go_version: str, where: str) -> tuple[Evidence, ...]:
    """The Go version in the build information of a binary (go1.26.3, `go1.26.3 X:exp`)."""
    version = gover.from_toolchain(go_version)
    return (Evidence(Origin.BINARY, version, where),) if version else ()
