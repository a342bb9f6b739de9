"""What Go source imports and names, read without a compiler.

Two levels stand above "the module is in the build list": a package with the flaw is imported by what is built, and one
of its flawed identifiers is named in the source of a package that imports it. Both are read from text. Neither says
that the code is ever run: that only a call graph can tell (govulncheck). Whatever could not be read counts as used.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from goferry.deps.advisories.matching import Match
from goferry.errors import GoferryError


class Level(StrEnum):
    """How far the narrowing went."""

    MODULE = "module"
    """The module is in the build list; the entry names no packages, or the source could not be read."""
    PACKAGE = "package"
    """Imports were read; the entry names no identifiers."""
    IDENTIFIER = "identifier"
    """Imports and identifiers were read."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the packages of a project, and those that they import, say in their source."""

    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each package that is built (main modules' and imported ones): what it imports, tests left out."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of each package: every identifier that its source has after a dot, and, for dot imports, at all."""
    unread: Mapping[str, GoferryError] = field(default_factory=dict)
    """Import paths whose source could not be had, and why."""


@dataclass(frozen=True, slots=True)
class Narrowed:
    """What the source says about one match."""

    level: Level
    """The level that was reached; the verdict below is one of that level."""
    used: bool
    """Some flawed package is imported (level package) or some flawed identifier is named (level identifier)."""
    packages: tuple[str, ...] = ()
    """The flawed packages that are imported."""
    symbols: tuple[str, ...] = ()
    """The flawed identifiers that are named, as `package.Symbol` or `package.Type.Method`."""
    chain: tuple[str, ...] = ()
    """How a package of the project comes to the flawed one: import paths, the project's first."""


def narrow(found: Match, usage: Usage) -> Narrowed:
    """The match at the finest level that the entry and the source allow."""
    raise NotImplementedError
