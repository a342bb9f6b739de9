"""New go.mod texts: requirements set higher and added, with comments, blocks and order kept.

A line that is there keeps its place and its comment. New lines go where `go get` puts them: from go 1.17 on, indirect
ones into a block of their own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from goferry.deps.base import Part, Project
from goferry.deps.sources import main_of
from goferry.gomod import gover, modfile, workfile
from goferry.gomod.modgraph import GO_PRUNING
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Change:
    """A file and what it shall be. `before` is None for one that is not there yet."""

    file: Path
    before: bytes | None
    after: bytes

    def diff(self, root: Path) -> str:
        """As `diff -u` shows it, with names relative to a folder."""
        name = self.file.relative_to(root).as_posix() if self.file.is_relative_to(root) else str(self.file)
        old, new = _lines(self.before or b""), _lines(self.after)
        source = f"a/{name}" if self.before is not None else "/dev/null"
        return "".join(unified_diff(old, new, source, f"b/{name}"))


def _lines(text: bytes) -> list[str]:
    return text.decode("utf-8", "replace").splitlines(keepends=True)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What shall be required of a path in one go.mod."""

    version: str
    indirect: bool = True
    """For a line that is not there yet."""


def with_requirements(
    name: str, data: bytes, wanted: Mapping[str, Wanted], go: str = "", dropped: Iterable[str] = ()
) -> bytes:
    """The go.mod with these requirements, without those of dropped paths, and with a higher go line if `go` is one."""
    file = modfile.parse(name, data)
    for path in dropped:
        file.drop_require(path)
    named = {line.mod.path for line in file.require}
    for path, found in wanted.items():
        if path in named:
            file.add_require(path, found.version)
    new = [
        modfile.Require(Version(path, found.version), found.indirect)
        for path, found in wanted.items()
        if path not in named
    ]
    if new:
        _add(file, new)
    _raise_go(file, go, gover.DEFAULT_GO_MOD_VERSION)
    file.cleanup()
    return file.format()


def with_go(name: str, data: bytes, go: str) -> bytes:
    """The go.work with a go line that is at least this high."""
    file = workfile.parse_work(name, data)
    _raise_go(file, go, gover.DEFAULT_GO_WORK_VERSION)
    file.cleanup()
    return file.format()


def _add(file: modfile.File, new: Iterable[modfile.Require]) -> None:
    everything = [*file.require, *new]
    go = file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION
    if gover.compare(go, GO_PRUNING) >= 0:
        file.set_require_separate_indirect(everything)
    else:
        file.set_require(everything)


def _raise_go(file: modfile.File | workfile.WorkFile, go: str, default: str) -> None:
    """A toolchain line that is not above the go line says nothing any more."""
    if not go or gover.compare(go, file.go.version if file.go else default) <= 0:
        return
    file.add_go(go)
    if file.toolchain and gover.compare(gover.from_toolchain(file.toolchain.name), go) <= 0:
        file.drop_toolchain()


def edited(project: Project, texts: Mapping[Path, bytes]) -> Project:
    """The project as it is with other go.mod and go.work texts, by file."""
    parts = tuple(_part(part, texts.get(part.folder / "go.mod")) for part in project.parts)
    mains = project.mains._replace(modules=tuple(map(main_of, parts)))
    work = project.work
    if work is not None and mains.workspace is not None and project.start in texts:
        work = workfile.parse_work(str(project.start), texts[project.start])
        go = work.go.version if work.go else gover.DEFAULT_GO_WORK_VERSION
        toolchain = work.toolchain.name if work.toolchain else ""
        mains = mains._replace(workspace=mains.workspace._replace(go=go, toolchain=toolchain))
    return project._replace(parts=parts, mains=mains, work=work)


def _part(part: Part, text: bytes | None) -> Part:
    if text is None:
        return part
    file = modfile.parse(str(part.folder / "go.mod"), text)
    return part._replace(read=lambda: file)
