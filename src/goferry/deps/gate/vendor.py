"""Whether vendor/modules.txt agrees with go.mod and go.work: what go checks before it builds with a vendor folder.

Every requirement must be marked explicit, everything explicit that has packages must be required, and both sides must
say the same of each replacement, used or not. Before go 1.14 the file did not tell enough for that, and only versions
are compared. Rules: cmd/go internal/modload/vendor.go, checkVendorConsistency; V1-V3.
The files themselves: see vendored.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from goferry.deps.base import Part, Project
from goferry.gomod import gover
from goferry.gomod.moddirectives import Replace
from goferry.gomod.module import Version
from goferry.gomod.modulestxt import Entry, Modules

STRICT: Final = "1.14"
"""The go line from which on modules.txt marks what go.mod requires."""

_NONE: Final = Version("")


class Inconsistent(StrEnum):
    """What go.mod and modules.txt do not agree on."""

    NOT_EXPLICIT = "not_explicit"
    OTHER_VERSION = "other_version"
    NOT_MARKED_REPLACED = "not_marked_replaced"
    OTHER_REPLACEMENT = "other_replacement"
    NOT_REQUIRED = "not_required"
    NOT_REPLACED = "not_replaced"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One module that both sides do not see alike; `marked` is what modules.txt has, `wanted` what go.mod has."""

    kind: Inconsistent
    module: Version
    marked: str = ""
    wanted: str = ""
    line: int = 0
    """Where in modules.txt, if it is there."""


def disagreements(project: Project, modules: Modules) -> list[Disagreement]:
    """What go would refuse to build with, in its order."""
    return list(_Comparison(project, modules).run())


class _Comparison:
    def __init__(self, project: Project, modules: Modules) -> None:
        self._project = project
        self._modules = modules
        self._entries = {entry.module: entry for entry in modules}
        self._versions = modules.versions()
        self._lenient = project.work is None and _is_older(project.parts[0])

    def run(self) -> Iterator[Disagreement]:
        yield from self._requirements()
        yield from self._replacements()
        for entry in self._selected():
            if entry.explicit and not self._is_required(entry.module):
                yield Disagreement(Inconsistent.NOT_REQUIRED, entry.module, line=entry.number)
        for entry in self._modules:
            if entry.replacement is not None and self._replaced(entry.module) == _NONE:
                yield Disagreement(
                    Inconsistent.NOT_REPLACED, entry.module, str(entry.replacement), line=entry.number
                )

    def _requirements(self) -> Iterator[Disagreement]:
        for part in self._project.parts:
            for line in part.file.require:
                entry = self._entries.get(line.mod)
                if entry is not None and entry.explicit:
                    continue
                if not self._lenient:
                    number = entry.number if entry else 0
                    yield Disagreement(Inconsistent.NOT_EXPLICIT, line.mod, line=number)
                elif self._versions.get(line.mod.path, line.mod.version) != line.mod.version:
                    marked = self._versions[line.mod.path]
                    yield Disagreement(Inconsistent.OTHER_VERSION, line.mod, marked)

    def _replacements(self) -> Iterator[Disagreement]:
        seen: set[Version] = set()
        for line in self._replace_lines():
            old = line.old
            if old in seen:
                continue
            seen.add(old)
            wanted = self._replaced(old)
            entry = self._entries.get(old)
            marked = entry.replacement if entry and entry.replacement else _NONE
            number = entry.number if entry else 0
            if marked == wanted:
                continue
            if marked != _NONE:
                yield Disagreement(Inconsistent.OTHER_REPLACEMENT, old, str(marked), str(wanted), number)
            elif not (self._lenient and (not old.version or self._versions.get(old.path) != old.version)):
                yield Disagreement(Inconsistent.NOT_MARKED_REPLACED, old, wanted=str(wanted), line=number)

    def _replace_lines(self) -> Iterable[Replace]:
        for part in self._project.parts:
            yield from part.file.replace
        if self._project.work is not None:
            yield from self._project.work.replace

    def _selected(self) -> Iterator[Entry]:
        """Entries with packages, as far as they do not come after a higher version of the same module."""
        highest: dict[str, str] = {}
        for entry in self._modules.providing():
            path, version = entry.module.path, entry.module.version
            if path not in highest or gover.mod_compare(path, highest[path], version) < 0:
                highest[path] = version
                yield entry

    def _is_required(self, module: Version) -> bool:
        return any(line.mod == module for part in self._project.parts for line in part.file.require)

    def _replaced(self, old: Version) -> Version:
        """What a module is replaced by, as modules.txt would write it; an empty path for nothing."""
        project = self._project
        if not old.version and old.path in project.mains.paths:
            return _NONE
        if project.work is not None and (found := _lookup(old, project.work.replace)):
            return found
        result = _NONE
        for part in project.parts:
            if found := _lookup(old, part.file.replace):
                result = self._rebased(found, part)
        return result

    def _rebased(self, new: Version, part: Part) -> Version:
        """In a workspace folders are written as seen from go.work."""
        if self._project.work is None or new.version or Path(new.path).is_absolute():
            return new
        inner = os.path.relpath(Path(part.folder, new.path), self._project.root).replace(os.sep, "/")
        return Version(inner if inner in (".", "..") or inner.startswith("../") else f"./{inner}")


def _is_older(part: Part) -> bool:
    """Here, other than everywhere else, a go.mod without a go line is older than any that has one."""
    return part.file.go is None or gover.compare(part.file.go.version, STRICT) < 0


def _lookup(old: Version, lines: Iterable[Replace]) -> Version | None:
    by_old = {line.old: line.new for line in lines}
    return by_old.get(old) or by_old.get(Version(old.path))
