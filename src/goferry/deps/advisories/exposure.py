"""Flaws of Go itself, by the Go that really builds.

The go line of a go.mod is only a lower bound: the toolchain line, GOTOOLCHAIN, the go command on the machine, the image
of the pipeline, or the finished binary decide. So every answer says where the version came from and how sure it is.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.matching import Match


class Certainty(StrEnum):
    EXACT = "exact"
    """What built: read from the binary, or asked of the go command."""
    PINNED = "pinned"
    """What is written down for the build: GOTOOLCHAIN, a pipeline's image, a toolchain line."""
    AT_LEAST = "at_least"
    """A lower bound: what builds may be newer."""


class Origin(StrEnum):
    """Where a Go version is written, the most telling first."""

    BINARY = "binary"
    COMMAND = "command"
    """`go version` in the project."""
    ENVIRONMENT = "environment"
    """GOTOOLCHAIN."""
    PIPELINE = "pipeline"
    """The image or the set-up step of CI."""
    TOOLCHAIN_LINE = "toolchain_line"
    GO_LINE = "go_line"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One place that names a Go version."""

    origin: Origin
    version: str
    """Without `go`: 1.26.3, 1.27rc1."""
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


def deciding(evidence: Iterable[Evidence]) -> GoVersion | None:
    """The version that builds by all that is known; None without a usable one."""
    raise NotImplementedError


def exposure(database: Database, go: GoVersion) -> Exposure:
    """The entries about that version."""
    raise NotImplementedError
