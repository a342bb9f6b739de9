"""Every file of a vendor folder against the module that it was copied from; go itself never looks.

`go mod vendor` copies of each package all files of its folder but tests and what `//go:build ignore` keeps out of every
build, from go 1.17 on without go.mod and go.sum; files that it embeds; and of the folders above it, up to the module's
root, LICENSE and the like. So it can be said of every file whether it must be there, and what its bytes must be.
Rules: cmd/go internal/modcmd/vendor.go; V4, V5.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from goferry.deps.inventory import VENDOR_LIST
from goferry.deps.trees import GO, TEST, Tree, ZipTree
from goferry.gomod import gosource, gover
from goferry.gomod.module import Version, path_match
from goferry.gomod.modulestxt import Modules

NO_GO_MOD: Final = "1.17"
"""The go line from which on go.mod and go.sum of dependencies are left out."""
NO_TEST_EMBEDS: Final = "1.22"
"""The go line from which on files that only tests embed are left out."""
LISTED_ONLY: Final = "1.23"
"""The go line from which on go refuses packages that modules.txt does not list."""

_METADATA: Final = (
    "AUTHORS",
    "CONTRIBUTORS",
    "COPYLEFT",
    "COPYING",
    "COPYRIGHT",
    "LEGAL",
    "LICENSE",
    "NOTICE",
    "PATENTS",
)
_MODULE_FILES: Final = ("go.mod", "go.sum")
_FOREIGN: Final = (
    *(".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90"),
    *(".s", ".S", ".sx", ".swig", ".swigcxx", ".syso"),
)
"""What the go command hands to other compilers (go/build, fileListForExt); those may include files of any name."""
_NEVER_EMBEDDED: Final = (".bzr", ".hg", ".git", ".svn")


class Trouble(StrEnum):
    """What is wrong with a vendored file."""

    EDITED = "edited"
    EXTRA = "extra"
    MISSING = "missing"
    IDLE = "idle"
    """It is missing, and no build would read it. A .gitignore that came with the module often has that effect."""
    RENAMED = "renamed"
    UNLISTED = "unlisted"
    """It is in a folder that modules.txt does not list as a package."""
    LINK = "link"
    """It is a symbolic link, which go never makes."""
    SURPLUS = "surplus"
    """The module has exactly this file, but go would not have copied it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One file, named from the vendor folder; `module` is empty for what belongs to none."""

    trouble: Trouble
    file: str
    module: Version
    other: str = ""
    """What it was renamed from."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came out, and how much was looked at."""

    findings: tuple[Finding, ...] = ()
    files: int = 0
    """Files whose bytes were compared and are the same."""
    modules: int = 0


def compare(vendor: Path, modules: Modules, trees: Mapping[Version, Tree], go: str) -> Compared:
    """Compares a vendor folder with source trees by module (as modules.txt names it, replaced or not); modules
    without a tree are passed over, which is the caller's to report. `go` is the go line of the main module."""
    return _Comparison(vendor, modules, trees, go).run()


@dataclass(slots=True)
class _Copy:
    """Where a vendored file comes from."""

    module: Version
    tree: Tree
    name: str
    idle: bool = False
    """No build reads it."""

    def digest(self) -> str:
        if isinstance(self.tree, ZipTree):
            return self.tree.digests()[self.name]
        return hashlib.sha256(self.tree.read(self.name)).hexdigest()


class _Comparison:
    def __init__(self, vendor: Path, modules: Modules, trees: Mapping[Version, Tree], go: str) -> None:
        self._vendor = vendor
        self._modules = modules
        self._trees = trees
        self._keeps_go_mod = gover.compare(go, NO_GO_MOD) < 0
        self._embeds_of_tests = gover.compare(go, NO_TEST_EMBEDS) < 0
        self._present: dict[str, Path] = {}
        self._links: list[str] = []
        self._expected: dict[str, _Copy] = {}
        self._same = 0
        self._digests: dict[str, str] = {}
        self._by_length = sorted((entry.module for entry in modules), key=lambda m: -len(m.path))

    def run(self) -> Compared:
        self._list()
        for package, module in self._modules.owners.items():
            if tree := self._trees.get(module):
                self._expect(package, module, tree)
        findings = [*self._compare_expected(), *self._judge_others()]
        findings = _with_renames(findings, self._digests, self._expected)
        return Compared(
            tuple(sorted(findings, key=lambda found: found.file)), self._same, len(set(self._trees))
        )

    def _list(self) -> None:
        for place, folders, files in os.walk(self._vendor):
            inner = os.path.relpath(place, self._vendor).replace(os.sep, "/")
            prefix = "" if inner == "." else f"{inner}/"
            for name in [*folders, *files]:
                path = Path(place, name)
                if path.is_symlink():
                    self._links.append(prefix + name)
                elif name in files:
                    self._present[prefix + name] = path
        self._present.pop(VENDOR_LIST, None)

    # ---- what should be there --------------------------------------------------------------------------

    def _expect(self, package: str, module: Version, tree: Tree) -> None:
        folder = package[len(module.path) + 1 :]
        heads: dict[str, gosource.Head] = {}
        for base in tree.folder(folder):
            name = f"{folder}/{base}" if folder else base
            if base.endswith(GO) and (not base.endswith(TEST) or self._embeds_of_tests):
                heads[base] = tree.head(name)
        patterns = [pattern for head in heads.values() if not head.excluded for pattern in head.embeds]
        for name in embedded(tree, folder, patterns):
            inner = name[len(folder) + 1 :] if folder else name
            self._expected[f"{package}/{inner}"] = _Copy(module, tree, name)
        foreign = any(base.endswith(_FOREIGN) for base in tree.folder(folder))
        anything = foreign or any(head.cgo for head in heads.values())
        for base in tree.folder(folder):
            if self._is_copied(base, heads):
                name = f"{folder}/{base}" if folder else base
                idle = base[0] == "." or not (anything or base.endswith(GO) or base.startswith(_METADATA))
                self._expected.setdefault(f"{package}/{base}", _Copy(module, tree, name, idle))
        self._expect_metadata(package, module, tree)

    def _is_copied(self, base: str, heads: Mapping[str, gosource.Head]) -> bool:
        if base.endswith(TEST):
            return False
        if base in _MODULE_FILES:
            return self._keeps_go_mod
        return not (base in heads and heads[base].excluded)

    def _expect_metadata(self, package: str, module: Version, tree: Tree) -> None:
        while package != module.path and (package := package.rpartition("/")[0]):
            folder = package[len(module.path) + 1 :]
            for base in tree.folder(folder):
                if base.startswith(_METADATA):
                    name = f"{folder}/{base}" if folder else base
                    self._expected.setdefault(f"{package}/{base}", _Copy(module, tree, name))

    # ---- what is there ---------------------------------------------------------------------------------

    def _compare_expected(self) -> Iterator[Finding]:
        for name, copy in self._expected.items():
            if name not in self._present:
                yield Finding(Trouble.IDLE if copy.idle else Trouble.MISSING, name, copy.module)
            elif self._digest(name) != copy.digest():
                yield Finding(Trouble.EDITED, name, copy.module)
            else:
                self._same += 1

    def _judge_others(self) -> Iterator[Finding]:
        for name in self._links:
            yield Finding(Trouble.LINK, name, self._module_of(name))
        for name in self._present:
            if name in self._expected:
                continue
            module = self._module_of(name)
            if module.path and module not in self._trees and self._is_listed(name, module):
                continue  # what it comes from could not be had
            self._digest(name)
            yield Finding(self._trouble(name, module), name, module)

    def _is_listed(self, name: str, module: Version) -> bool:
        return self._modules.owners.get(name.rpartition("/")[0]) == module or not name.endswith(GO)

    def _trouble(self, name: str, module: Version) -> Trouble:
        folder, _, base = name.rpartition("/")
        if base.endswith(GO) and folder not in self._modules.owners:
            return Trouble.UNLISTED
        inner = name[len(module.path) + 1 :]
        tree = self._trees.get(module)
        if tree is None or not module.path or base in _MODULE_FILES:
            return Trouble.EXTRA
        above, _, file = inner.rpartition("/")
        if file not in tree.folder(above):
            return Trouble.EXTRA
        copy = _Copy(module, tree, inner)
        return Trouble.SURPLUS if self._digest(name) == copy.digest() else Trouble.EDITED

    def _module_of(self, name: str) -> Version:
        for module in self._by_length:
            if name.startswith(f"{module.path}/") and module.version:
                return module
        return Version("")

    def _digest(self, name: str) -> str:
        if name not in self._digests:
            self._digests[name] = hashlib.sha256(self._present[name].read_bytes()).hexdigest()
        return self._digests[name]


def _with_renames(
    findings: list[Finding], digests: Mapping[str, str], expected: Mapping[str, _Copy]
) -> list[Finding]:
    """A missing file and a new one of the same bytes are one file with another name."""
    lost = {
        (found.module, expected[found.file].digest()): found
        for found in findings
        if found.trouble is Trouble.MISSING
    }
    if not lost:
        return findings
    result, gone = [], set()
    for found in findings:
        old = lost.get((found.module, digests.get(found.file, "")))
        if old is not None and found.trouble in (Trouble.EXTRA, Trouble.UNLISTED):
            gone.add(old)
            found = Finding(Trouble.RENAMED, found.file, found.module, old.file)
        result.append(found)
    return [found for found in result if found not in gone]


def embedded(tree: Tree, folder: str, patterns: Iterable[str]) -> Iterator[str]:
    """The files that `//go:embed` patterns in a package name (go/build, load.ResolveEmbed)."""
    patterns = list(patterns)
    if not patterns:
        return
    prefix = f"{folder}/" if folder else ""
    files = [name[len(prefix) :] for name in tree.below(folder)]
    for pattern in patterns:
        hidden = pattern.startswith("all:")
        wanted = pattern.removeprefix("all:")
        for name in files:
            if _is_embedded(wanted, name, hidden=hidden):
                yield prefix + name


def _is_embedded(pattern: str, name: str, *, hidden: bool) -> bool:
    elements = name.split("/")
    depth = pattern.count("/") + 1 if pattern != "." else 0
    if len(elements) < depth or any(element in _NEVER_EMBEDDED for element in elements):
        return False
    if depth and not path_match(pattern, "/".join(elements[:depth])):
        return False
    # Below a folder that was named, what begins with a dot or an underscore is left out.
    return hidden or not any(element[0] in "._" for element in elements[depth:])
