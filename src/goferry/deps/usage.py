"""What Go source imports and names, read without a compiler.

Two levels stand above "the module is in the build list": a package with the flaw is imported by what is built, and one
of its flawed identifiers is named in the source of a package that comes to it. Both are read from text. Neither says
that the code is ever run: that only a call graph can tell (govulncheck). Whatever could not be read counts as used.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from goferry.deps.advisories.matching import Match, Named
from goferry.deps.advisories.osv import STDLIB, TOOLCHAIN, Package
from goferry.deps.advisories.ranges import canonical, covers
from goferry.errors import GoferryError

# fmt: off
IMPLICIT: Final = frozenset((
    "AppendBinary",
    "AppendText",
    "As",
    "Bytes",
    "Close",
    "Convert",
    "Error",
    "Format",
    "GobDecode",
    "GobEncode",
    "GoString",
    "Is",
    "Len",
    "Less",
    "Lock",
    "MarshalBinary",
    "MarshalJSON",
    "MarshalJSONTo",
    "MarshalText",
    "MarshalXML",
    "MarshalXMLAttr",
    "MarshalYAML",
    "Open",
    "Pop",
    "Push",
    "Read",
    "ReadAt",
    "ReadByte",
    "ReadFrom",
    "ReadRune",
    "RoundTrip",
    "Scan",
    "Seek",
    "ServeHTTP",
    "Set",
    "String",
    "Swap",
    "Unlock",
    "UnmarshalBinary",
    "UnmarshalJSON",
    "UnmarshalJSONFrom",
    "UnmarshalText",
    "UnmarshalXML",
    "UnmarshalXMLAttr",
    "UnmarshalYAML",
    "Unwrap",
    "Value",
    "Write",
    "WriteAt",
    "WriteByte",
    "WriteString",
    "WriteTo",
))
"""Methods that others call by an interface: nobody who imports the package has to name them."""
# fmt: on


class Level(StrEnum):
    """How far the narrowing went."""

    MODULE = "module"
    """The module is in the build list; the entry names no packages, or not enough of the source could be read."""
    PACKAGE = "package"
    """Imports were read; the entry names no identifiers that others can name, or not all source could be read."""
    IDENTIFIER = "identifier"
    """Imports and identifiers were read."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What the packages of a project, and those that they import, say in their source."""

    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of each package that was read (main modules' and imported ones): what it imports, tests left out."""
    names: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Of each package what its source names of the identifiers in question: `import/path.Name`, and `.Method`."""
    unread: Mapping[str, GoferryError] = field(default_factory=dict)
    """Import paths whose source could not be had, and why."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Of each package that is no package of the project one that imports it, nearer to the project."""
    std_read: bool = False
    """Whether imports were followed inside the standard library."""
    goos: str = ""
    """The system in question; empty: any."""
    goarch: str = ""

    def is_imported(self, path: str) -> bool:
        return path in self.imports or path in self.parents

    def chain(self, path: str) -> tuple[str, ...]:
        """How a package of the project comes to a package: import paths, the project's first."""
        found = [path]
        while (parent := self.parents.get(found[-1])) is not None and parent not in found:
            found.append(parent)
        return tuple(reversed(found))


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


_UNKNOWN: Final = Narrowed(Level.MODULE, used=True)


def narrow(found: Match, usage: Usage) -> Narrowed:
    """The match at the finest level that the entry and the source allow."""
    flawed = flawed_packages(found)
    if not flawed or found.path == TOOLCHAIN:
        return _UNKNOWN
    if usage.goos:
        flawed = tuple(one for one in flawed if _concerns(one, usage))
    imported = tuple(one for one in flawed if usage.is_imported(one.path))
    unread = bool(usage.unread) or (found.path == STDLIB and not usage.std_read)
    if not imported:
        return _UNKNOWN if unread else Narrowed(Level.PACKAGE, used=False)
    paths = tuple(dict.fromkeys(one.path for one in imported))
    symbols = tuple(symbol for one in imported for symbol in _named(one, usage))
    level = Level.IDENTIFIER
    if any(not is_nameable(one) for one in imported) or (unread and not symbols):
        level = Level.PACKAGE
    used = bool(symbols) or level is Level.PACKAGE
    return Narrowed(level, used, paths, symbols, usage.chain(paths[0]))


def flawed_packages(found: Match) -> tuple[Package, ...]:
    """The packages with the flaw, by the paths that importers write; none when it is the whole module."""
    version = canonical(found.path, found.version)
    blocks = [block for block in found.entry.of(found.path) if covers(block, version)]
    if not all(block.packages for block in blocks):
        return ()
    packages = dict.fromkeys(package for block in blocks for package in block.packages)
    if found.named is Named.REPLACEMENT:
        return tuple(_renamed(package, found.path, found.module.path) for package in packages)
    return tuple(packages)


def _renamed(package: Package, built: str, imported: str) -> Package:
    """A replaced module keeps its path in imports."""
    path = package.path
    if path == built or path.startswith(f"{built}/"):
        path = imported + path[len(built) :]
    return Package(path, package.symbols, package.goos, package.goarch)


def is_nameable(package: Package) -> bool:
    """Whether the entry lists identifiers that other packages can write: without any, the whole package counts."""
    return any(_is_exported(symbol) for symbol in package.symbols)


def _is_exported(symbol: str) -> bool:
    """Functions by their name, methods by theirs: a method of a hidden type can be called through an interface."""
    name = symbol.rpartition(".")[2]
    return name[:1].isupper()


def _concerns(package: Package, usage: Usage) -> bool:
    systems = not package.goos or usage.goos in package.goos
    return systems and (not package.goarch or not usage.goarch or usage.goarch in package.goarch)


def _named(package: Package, usage: Usage) -> Iterator[str]:
    """The identifiers that some other package names."""
    for symbol in package.symbols:
        owner, _, method = symbol.rpartition(".")
        wanted = f".{method}" if owner else f"{package.path}.{symbol}"
        if (owner and method in IMPLICIT) or any(
            wanted in names for path, names in usage.names.items() if path != package.path
        ):
            yield f"{package.path}.{symbol}"
