"""go.work files: which modules a workspace uses. Built on the same syntax as go.mod files, see modfile.

The reference is https://go.dev/ref/mod#go-work-file; names and rules are golang.org/x/mod/modfile's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import ClassVar

from goferry.errors import InvalidInput
from goferry.gomod.moddirectives import Go, Toolchain, check_go_version, check_toolchain
from goferry.gomod.modreader import Fault, Reader, VersionFixer
from goferry.gomod.modstatements import Statements, drop
from goferry.gomod.modsyntax import Line, LineBlock, auto_quote
from goferry.gomod.modsyntax import parse as parse_syntax


@dataclass(frozen=True, slots=True)
class Use:
    """`use FOLDER`. `module_path` is for the caller to fill in; the file does not tell it."""

    path: str
    module_path: str = ""
    syntax: Line = field(default_factory=Line, compare=False, repr=False)


@dataclass(slots=True, eq=False)
class WorkFile(Statements):
    """A go.work file."""

    use: list[Use] = field(default_factory=list)

    def add_go(self, version: str) -> None:
        """Set the go line; a new one goes to the head of the file. Raises InvalidInput."""
        check_go_version(version)
        if self.go is None:
            self.go = Go(version, Line(tokens=["go", version]))
            self.syntax.insert_after_comments(self.go.syntax)
        else:
            self.go.syntax.update("go", version)
            self.go = replace(self.go, version=version)

    def add_toolchain(self, name: str) -> None:
        """Set the toolchain line; a new one goes behind the go line, or to the head of the file. Raises
        InvalidInput."""
        check_toolchain(name)
        if self.toolchain is not None:
            self.toolchain.syntax.update("toolchain", name)
            self.toolchain = replace(self.toolchain, name=name)
            return
        self.toolchain = Toolchain(name, Line(tokens=["toolchain", name]))
        for at, statement in enumerate(self.syntax.statements):
            if isinstance(statement, Line) and statement.tokens[:1] == ["go"]:
                self.syntax.statements.insert(at + 1, self.toolchain.syntax)
                return
        self.syntax.insert_after_comments(self.toolchain.syntax)

    def add_use(self, path: str, module_path: str = "") -> None:
        """Use a folder, keeping its first line if it is used already and removing others."""
        first = next((i for i, u in enumerate(self.use) if u.path == path), None)
        if first is None:
            self.add_new_use(path, module_path)
            return
        line = self.use[first].syntax
        line.update("use", auto_quote(path))
        self.use[first] = Use(path, module_path, line)
        drop(self.use, lambda u: u.path == path and u.syntax is not line)

    def add_new_use(self, path: str, module_path: str = "") -> None:
        """Add a folder to the last block, whatever is there already."""
        self.use.append(Use(path, module_path, self.syntax.add_line("use", auto_quote(path))))

    def set_use(self, wanted: Iterable[Use]) -> None:
        """Make these the folders; new ones go to the last block."""
        need = {use.path: use.module_path for use in wanted}
        drop(self.use, lambda u: u.path not in need)
        self.use = [replace(u, module_path=need[u.path]) for u in self.use]
        for path in need.keys() - {u.path for u in self.use}:
            self.add_new_use(path, need[path])
        self.sort_blocks()

    def drop_use(self, path: str) -> None:
        """Remove a folder."""
        drop(self.use, lambda u: u.path == path)


class _WorkReader(Reader):
    BLOCKS = frozenset(("godebug", "use", "replace"))
    file: WorkFile

    def use(self, verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 1:
            raise Fault(InvalidInput("usage: {verb} local/dir", verb=verb))
        self.file.use.append(Use(self.string(line, 0), "", line))

    HANDLERS: ClassVar[dict[str, Callable[..., None]]] = {
        "go": Reader.go,
        "toolchain": Reader.toolchain,
        "godebug": Reader.godebug,
        "use": use,
        "replace": Reader.replace,
    }


def parse_work(name: str, data: bytes, fix: VersionFixer | None = None) -> WorkFile:
    """A go.work file. `name` is for messages; without `fix`, versions must be semantic versions. Raises ModFileError
    with everything that is wrong."""
    file = WorkFile(syntax=parse_syntax(name, data))
    _WorkReader(file, fix).read()
    return file
