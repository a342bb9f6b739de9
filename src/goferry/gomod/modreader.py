"""Reads statements from a syntax tree, line by line, and collects everything that is wrong with them.

`Reader` knows the directives that go.mod and go.work files share; each file has a reader of its own with a table of
all its directives. Messages are golang.org/x/mod/modfile's, so people find them where they look.
"""

import os
import re
from collections.abc import Callable
from typing import ClassVar

from goferry.errors import InvalidInput
from goferry.gomod import module
from goferry.gomod.goliteral import quote, unquote
from goferry.gomod.moddirectives import (
    GO_VERSION,
    TOOLCHAIN,
    Go,
    Godebug,
    Replace,
    Toolchain,
    invalid_version,
    is_directory_path,
)
from goferry.gomod.modstatements import Statements
from goferry.gomod.modsyntax import (
    Line,
    LineBlock,
    ModFileError,
    Node,
    Problem,
    Problems,
    auto_quote,
)
from goferry.gomod.module import Version

VersionFixer = Callable[[str, str], str]
"""Given a path and a version, the canonical version. Raises InvalidInput when there is none."""

_LAX_GO_VERSION = re.compile(r"v?(([1-9][0-9]*)\.(0|[1-9][0-9]*))([^0-9].*)")


class Fault(Exception):
    """A statement that can't be understood, on its way to the list of problems."""

    def __init__(self, why: InvalidInput, verb: str = "", path: str = "") -> None:
        super().__init__(why)
        self.why, self.verb, self.path = why, verb, path


class Reader:
    """Understands lines one by one and collects what is wrong with them. go.work files have a reader like it."""

    BLOCKS: ClassVar[frozenset[str]]
    HANDLERS: ClassVar[dict[str, Callable[..., None]]]

    def __init__(self, file: Statements, fix: VersionFixer | None, *, strict: bool = True) -> None:
        self.file = file
        self.fix = fix
        self.strict = strict
        self.problems: list[Problem] = []

    def read(self) -> None:
        """All statements. Raises ModFileError with everything that is wrong."""
        for statement in self.file.syntax.statements:
            if isinstance(statement, Line):
                self._statement(statement.tokens[0], statement, None)
            elif isinstance(statement, LineBlock):
                self._block(statement)
        self.finish()
        if self.problems:
            raise ModFileError(problems=Problems(tuple(self.problems)))

    def finish(self) -> None:
        """What can be judged only when the whole file is known."""

    def wants(self, verb: str) -> bool:  # noqa: ARG002 - the lax reader of go.mod files wants less
        """Whether statements with this verb count."""
        return True

    def _block(self, block: LineBlock) -> None:
        if len(block.tokens) == 1 and block.tokens[0] in self.BLOCKS:
            for line in block.lines:
                self._statement(block.tokens[0], line, block)
        elif self.strict:
            self.problem(
                block, Fault(InvalidInput("unknown block type: {words}", words=" ".join(block.tokens)))
            )

    def _statement(self, verb: str, line: Line, block: LineBlock | None) -> None:
        if not self.wants(verb):
            return
        handler = self.HANDLERS.get(verb)
        try:
            if handler is None:
                raise Fault(InvalidInput("unknown directive: {verb}", verb=verb))
            handler(self, verb, line, block)
        except Fault as fault:
            self.problem(line, fault)

    def problem(self, node: Node, fault: Fault) -> None:
        """Note what is wrong with a statement."""
        name = self.file.syntax.name
        self.problems.append(Problem(name, node.start, fault.why, fault.verb, fault.path))

    def go(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`go 1.23`"""
        if self.file.go is not None:
            raise Fault(InvalidInput("repeated go statement"))
        if len(line.args) != 1:
            raise Fault(InvalidInput("go directive expects exactly one argument"))
        version = line.args[0]
        if not GO_VERSION.fullmatch(version):
            lax = None if self.strict else _LAX_GO_VERSION.fullmatch(version)
            if lax is None:
                raise Fault(
                    InvalidInput("invalid go version '{version}': must match format 1.23.0", version=version)
                )
            version = lax[1]
            line.update("go", version)
        self.file.go = Go(version, line)

    def toolchain(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`toolchain go1.23.4`"""
        if self.file.toolchain is not None:
            raise Fault(InvalidInput("repeated toolchain statement"))
        if len(line.args) != 1:
            raise Fault(InvalidInput("toolchain directive expects exactly one argument"))
        name = line.args[0]
        if not TOOLCHAIN.fullmatch(name):
            raise Fault(
                InvalidInput(
                    "invalid toolchain version '{name}': must match format go1.23.0 or default", name=name
                )
            )
        self.file.toolchain = Toolchain(name, line)

    def godebug(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`godebug key=value`"""
        args = line.args
        if len(args) != 1 or "=" not in args[0] or not set(args[0]).isdisjoint("\"`',"):
            raise Fault(InvalidInput("usage: godebug key=value"))
        key, _, value = args[0].partition("=")
        self.file.godebug.append(Godebug(key, value, line))

    def replace(self, verb: str, line: Line, _block: LineBlock | None) -> None:
        """`replace old v1.0.0 => new v1.1.0`, `replace old => ../folder`"""
        args = line.args
        arrow = 1 if args[1:2] == ["=>"] else 2
        if not arrow + 2 <= len(args) <= arrow + 3 or args[arrow] != "=>":
            raise Fault(
                InvalidInput(
                    "usage: {verb} module/path [v1.2.3] => other/module v1.4\n"
                    "\t or {verb} module/path [v1.2.3] => ../local/directory",
                    verb=verb,
                )
            )
        path = self.string(line, 0)
        major = path_major(path, verb, path)
        version = ""
        if arrow == 2:
            version = self.version(line, 1, verb, path)
            check_major(version, major, verb, path)
        new = self.string(line, arrow + 1)
        new_version = ""
        if len(args) == arrow + 2:
            _check_folder(new)
        else:
            new_version = self.version(line, arrow + 2, verb, new)
            if is_directory_path(new):
                raise Fault(
                    InvalidInput(
                        "replacement module directory path {path} cannot have version", path=quote(new)
                    )
                )
        self.file.replace.append(Replace(Version(path, version), Version(new, new_version), line))

    def string(self, line: Line, at: int) -> str:
        """The meaning of an argument; the line gets its plainest spelling."""
        try:
            return _string(line, at)
        except InvalidInput as why:
            raise Fault(InvalidInput("invalid quoted string: {why}", why=why)) from why

    def version(self, line: Line, at: int, verb: str, path: str, fix: VersionFixer | None = None) -> str:
        """The canonical form of the version at an argument; the line gets it too."""
        try:
            version = _string(line, at)
        except InvalidInput as why:
            raise Fault(invalid_version(line.args[at], why), verb, path) from why
        fix = fix or self.fix
        if fix is None:
            fixed = module.canonical_version(version)
            if not fixed:
                form = InvalidInput("must be of the form v1.2.3")
                raise Fault(invalid_version(version, form), verb, path)
        else:
            try:
                fixed = fix(path, version)
            except InvalidInput as why:
                raise Fault(why) from why
        _set_arg(line, at, fixed)
        return fixed


def _set_arg(line: Line, at: int, word: str) -> None:
    line.tokens[at if line.in_block else at + 1] = word


def _string(line: Line, at: int) -> str:
    word = line.args[at]
    if word.startswith('"'):
        word = unquote(word)
    elif not set(word).isdisjoint("\"'`"):
        raise InvalidInput("unquoted string cannot contain quote")
    _set_arg(line, at, auto_quote(word))
    return word


def path_major(path: str, verb: str = "", about: str = "") -> str:
    """The ending of a module path that says its major version. Raises Fault for no module path."""
    _, major, ok = module.split_path_version(path)
    if not ok:
        raise Fault(InvalidInput("invalid module path"), verb if about else "", about)
    return major


def check_major(version: str, major: str, verb: str, path: str) -> None:
    """Raise Fault unless version and path agree on the major version."""
    try:
        module.check_path_major(version, major)
    except InvalidInput as why:
        raise Fault(why, verb, path) from why


def _check_folder(path: str) -> None:
    if not is_directory_path(path):
        if "@" in path:
            raise Fault(
                InvalidInput("replacement module must match format 'path version', not 'path@version'")
            )
        raise Fault(
            InvalidInput(
                "replacement module without version must be directory path (rooted or starting with . or ..)"
            )
        )
    if os.sep == "/" and "\\" in path:
        raise Fault(
            InvalidInput("replacement directory appears to be Windows path (on a non-windows system)")
        )
