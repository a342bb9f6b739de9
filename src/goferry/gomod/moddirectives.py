"""What the lines of go.mod and go.work files can say, one frozen value per directive.

A value points to its line in the syntax tree; two values are equal when they say the same, wherever they stand.
Names and rules are golang.org/x/mod/modfile's; the reference is https://go.dev/ref/mod#go-mod-file.
"""

import re
from dataclasses import dataclass, field

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import quote
from goferry.gomod.modsyntax import Line
from goferry.gomod.module import InvalidVersion, Version

GO_VERSION = re.compile(r"([1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?")
TOOLCHAIN = re.compile(r"default|go1(\..*)?", re.DOTALL)
_FOLDER = re.compile(r"\.\.?\Z|\.\.?[/\\]|[/\\]|[A-Za-z]:")


@dataclass(frozen=True, slots=True)
class Module:
    """`module PATH`. `deprecated` is the message of a paragraph that starts with `Deprecated:`, empty without one."""

    path: str
    deprecated: str = ""
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Go:
    """`go VERSION`, such as 1.23 or 1.23.4."""

    version: str
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """`toolchain NAME`, such as go1.23.4 or default."""

    name: str
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Godebug:
    """`godebug KEY=VALUE`."""

    key: str
    value: str
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Require:
    """`require PATH VERSION`, perhaps with the comment `// indirect`."""

    mod: Version
    indirect: bool = False
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Exclude:
    """`exclude PATH VERSION`."""

    mod: Version
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Replace:
    """`replace OLD => NEW`. Without a version OLD is every version; a NEW without a version is a folder."""

    old: Version
    new: Version
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class VersionInterval:
    """Versions from `low` to `high`, both included."""

    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Retract:
    """`retract VERSION` or `retract [LOW, HIGH]`; the rationale is the comment on it or above it."""

    interval: VersionInterval
    rationale: str = ""
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Tool:
    """`tool PACKAGE`."""

    path: str
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Ignore:
    """`ignore FOLDER`."""

    path: str
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


def check_go_version(version: str) -> None:
    """Raise InvalidInput unless it can stand in a go line."""
    if not GO_VERSION.fullmatch(version):
        raise InvalidInput("invalid language version {version}", version=quote(version))


def check_toolchain(name: str) -> None:
    """Raise InvalidInput unless it can stand in a toolchain line."""
    if not TOOLCHAIN.fullmatch(name):
        raise InvalidInput("invalid toolchain name {name}", name=quote(name))


def invalid_version(version: str, why: InvalidInput) -> InvalidVersion:
    """The error for a version that can not stand where it does."""
    return InvalidVersion("version {version} invalid: {why}", version=quote(version), why=why)


def is_directory_path(path: str) -> bool:
    """Whether the right side of a replacement is a folder, on any system: rooted, or starting with . or .."""
    return bool(_FOLDER.match(path))
