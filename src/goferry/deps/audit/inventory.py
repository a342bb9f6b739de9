"""What a project is made of, for an SBOM: each module with the hashes of the very bytes that are built.

`h1:` sums are no hashes of a file, so no SBOM format knows them. What can be given is SHA-256: of the module's zip, or
of each file of a vendored tree.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import AuditedProject
from goferry.deps.base import BuildList, Module
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class FileHash:
    """A file of a vendored module; `name` is below the vendor folder, with slashes."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Component:
    """One module of a build list."""

    module: Module
    sha256: str = ""
    """Of the module zip; empty when it was not at hand, and for a folder."""
    files: tuple[FileHash, ...] = ()
    """Of the vendored module, where there is one."""
    licence: Licence | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """All of one project."""

    project: AuditedProject
    mains: tuple[Module, ...]
    components: tuple[Component, ...]
    requires: Mapping[Version, tuple[Version, ...]] = field(default_factory=dict)
    """Of main modules and components: the selected modules that each one requires."""


def requirements(found: BuildList) -> dict[Version, tuple[Version, ...]]:
    """Who requires whom among the modules that are built, each at the version that was selected."""
    selected = {module.path: module.module for module in found.modules}
    return {
        module.module: tuple(
            dict.fromkeys(
                selected[target.path]
                for target in found.graph.required.get(module.module, ())
                if target.path in selected
            )
        )
        for module in found.modules
    }


def sha256(file: Path) -> str:
    """The hash of a file, in hex."""
    with file.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def vendored(vendor: Path, path: str, others: frozenset[str]) -> tuple[FileHash, ...]:
    """The files of one vendored module. What stands below it and is another module (`others`) is not its."""
    root = vendor / path
    nested = {vendor / other for other in others if other.startswith(path + "/")}
    return tuple(FileHash(file.relative_to(vendor).as_posix(), sha256(file)) for file in _files(root, nested))


def _files(folder: Path, nested: set[Path]) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            if entry not in nested:
                yield from _files(entry, nested)
        elif entry.is_file():
            yield entry
