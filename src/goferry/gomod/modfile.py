"""go.mod files: what they say, and edits that keep what people wrote around it.

`parse` is strict and for the main module; `parse_lax` is for dependencies: it skips what only the main module may say
and what a newer Go may have added. Values are frozen and point to their line in the syntax tree; edits change values
and tree together. Names and rules are golang.org/x/mod/modfile's; the reference is https://go.dev/ref/mod#go-mod-file.

The parts: moddirectives (the values), modstatements (what go.work files share), modrequire (edits of requirements),
modreader (reading). Their public names can be had from here.

>>> file = parse("go.mod", b"module example.com/m\\n\\nrequire golang.org/x/net v0.1.0 // indirect\\n")
>>> file.require[0].mod, file.require[0].indirect
(Version(path='golang.org/x/net', version='v0.1.0'), True)
"""

import functools
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from goferry.errors import InvalidInput
from goferry.gomod import module, semver
from goferry.gomod.goliteral import quote, unquote
from goferry.gomod.moddirectives import (
    GO_VERSION,
    TOOLCHAIN,
    Exclude,
    Go,
    Godebug,
    Ignore,
    Module,
    Replace,
    Require,
    Retract,
    Tool,
    Toolchain,
    VersionInterval,
    check_go_version,
    check_toolchain,
    invalid_version,
    is_directory_path,
)
from goferry.gomod.modreader import Fault, Reader, VersionFixer, check_major, path_major
from goferry.gomod.modrequire import RequireBlocks, by_path, comment_text, is_indirect, set_indirect, updated
from goferry.gomod.modstatements import HasLine, Statements, add_beside, by_words, drop, later_ones, without
from goferry.gomod.modsyntax import (
    GO_SPACE,
    Comment,
    CommentBlock,
    Line,
    LineBlock,
    ModFileError,
    Node,
    auto_quote,
    must_quote,
)
from goferry.gomod.modsyntax import parse as parse_syntax
from goferry.gomod.module import Version

__all__ = [
    "GO_VERSION",
    "TOOLCHAIN",
    "Exclude",
    "File",
    "Go",
    "Godebug",
    "Ignore",
    "ModFileError",
    "Module",
    "Reader",
    "Replace",
    "Require",
    "Retract",
    "Statements",
    "Tool",
    "Toolchain",
    "VersionFixer",
    "VersionInterval",
    "auto_quote",
    "check_go_version",
    "check_toolchain",
    "is_directory_path",
    "module_path",
    "must_quote",
    "parse",
    "parse_lax",
]

_DEPRECATED = re.compile(r"(?:\A|\n\n)Deprecated: *(.*?)(?:\Z|\n\n)", re.DOTALL)


_SEMANTIC_EXCLUDES_SINCE = "v1.21"


@dataclass(slots=True, eq=False)
class File(Statements):
    """A go.mod file."""

    module: Module | None = None
    require: list[Require] = field(default_factory=list)
    exclude: list[Exclude] = field(default_factory=list)
    retract: list[Retract] = field(default_factory=list)
    tool: list[Tool] = field(default_factory=list)
    ignore: list[Ignore] = field(default_factory=list)

    def add_module(self, path: str) -> None:
        """Set the module path."""
        if self.module is None:
            self.module = Module(path, "", self.syntax.add_line("module", auto_quote(path)))
        else:
            self.module.syntax.update("module", auto_quote(path))
            self.module = replace(self.module, path=path)

    def add_comment(self, text: str) -> None:
        """Add a comment that stands alone, at the end; `text` brings its slashes."""
        self.syntax.statements.append(CommentBlock(before=[Comment(text)]))

    def add_go(self, version: str) -> None:
        """Set the go line; a new one goes behind the module line. Raises InvalidInput."""
        check_go_version(version)
        if self.go is None:
            hint = self.module.syntax if self.module else None
            self.go = Go(version, self.syntax.add_line("go", version, hint=hint))
        else:
            self.go.syntax.update("go", version)
            self.go = replace(self.go, version=version)

    def add_toolchain(self, name: str) -> None:
        """Set the toolchain line; a new one goes behind the go line or the module line. Raises InvalidInput."""
        check_toolchain(name)
        if self.toolchain is None:
            near = self.go or self.module
            line = self.syntax.add_line("toolchain", name, hint=near.syntax if near else None)
            self.toolchain = Toolchain(name, line)
        else:
            self.toolchain.syntax.update("toolchain", name)
            self.toolchain = replace(self.toolchain, name=name)

    def add_require(self, path: str, version: str) -> None:
        """Set the version of the first requirement of a path, removing others; add one without any."""
        first = next((i for i, r in enumerate(self.require) if r.mod.path == path), None)
        if first is None:
            self.add_new_require(Version(path, version))
            return
        line = self.require[first].syntax
        line.update("require", auto_quote(path), version)
        self.require[first] = replace(self.require[first], mod=Version(path, version))
        drop(self.require, lambda r: r.mod.path == path and r.syntax is not line)

    def add_new_require(self, mod: Version, *, indirect: bool = False) -> None:
        """Add a requirement to the last block, whatever is there already."""
        line = self.syntax.add_line("require", auto_quote(mod.path), mod.version)
        set_indirect(line, indirect=indirect)
        self.require.append(Require(mod, indirect, line))

    def drop_require(self, path: str) -> None:
        """Remove all requirements of a path."""
        drop(self.require, lambda r: r.mod.path == path)

    def set_require(self, wanted: Iterable[Require]) -> None:
        """Make these the requirements, keeping blocks and comments; new ones go to the last block.

        Raises InvalidInput when two versions of one path are wanted.
        """
        need = by_path(wanted)
        kept: list[Require] = []
        for old in self.require:
            new = need.pop(old.mod.path, None)
            if new is None:
                old.syntax.remove()
            else:
                kept.append(updated(old, new))
        self.require = kept
        for new in need.values():
            self.add_new_require(new.mod, indirect=new.indirect)
        self.sort_blocks()

    def set_require_separate_indirect(self, wanted: Iterable[Require]) -> None:
        """As set_require, with direct and indirect requirements in blocks of their own. Requirements in blocks with
        comments stay where they are. Raises InvalidInput when two versions of one path are wanted.
        """
        need = by_path(wanted)
        blocks = RequireBlocks(self.syntax)
        kept: list[Require] = []
        for old in self.require:
            new = need.pop(old.mod.path, None)
            if new is None:
                old.syntax.remove()
            else:
                kept.append(blocks.placed(updated(old, new)))
        self.require = kept + [blocks.added(new) for new in need.values()]
        self.sort_blocks()

    def add_exclude(self, mod: Version) -> None:
        """Exclude a version, beside others of its path. Raises InvalidInput unless the version is canonical."""
        _check_canonical(mod.path, mod.version)
        if any(x.mod == mod for x in self.exclude):
            return
        words = ["exclude", auto_quote(mod.path), mod.version]
        line = add_beside(self.syntax, [x.syntax for x in self.exclude if x.mod.path == mod.path], words)
        self.exclude.append(Exclude(mod, line))

    def drop_exclude(self, mod: Version) -> None:
        """Remove the exclusions of a version."""
        drop(self.exclude, lambda x: x.mod == mod)

    def add_retract(self, interval: VersionInterval, rationale: str = "") -> None:
        """Retract versions of this module; the rationale becomes a comment. Raises InvalidInput."""
        path = self.module.path if self.module else ""
        _check_canonical(path, interval.high)
        _check_canonical(path, interval.low)
        words = [auto_quote(interval.low)]
        if interval.low != interval.high:
            words = ["[", *words, ",", auto_quote(interval.high), "]"]
        line = self.syntax.add_line("retract", *words)
        line.before += [Comment(f"// {text}") for text in rationale.split("\n") if rationale]
        self.retract.append(Retract(interval, rationale, line))

    def drop_retract(self, interval: VersionInterval) -> None:
        """Remove the retractions of exactly this interval."""
        drop(self.retract, lambda r: r.interval == interval)

    def add_tool(self, path: str) -> None:
        """Add a tool, unless it is there."""
        if all(t.path != path for t in self.tool):
            self.tool.append(Tool(path, self.syntax.add_line("tool", path)))
            self.sort_blocks()

    def drop_tool(self, path: str) -> None:
        """Remove a tool."""
        drop(self.tool, lambda t: t.path == path)

    def add_ignore(self, path: str) -> None:
        """Ignore a folder, unless it is ignored."""
        if all(i.path != path for i in self.ignore):
            self.ignore.append(Ignore(path, self.syntax.add_line("ignore", path)))
            self.sort_blocks()

    def drop_ignore(self, path: str) -> None:
        """Do not ignore a folder any more."""
        drop(self.ignore, lambda i: i.path == path)

    def _remove_duplicates(self) -> list[HasLine]:
        extra = Statements._remove_duplicates(self)
        excludes = later_ones(self.exclude, lambda x: x.mod)
        tools = later_ones(self.tool, lambda t: t.path)
        ignores = later_ones(self.ignore, lambda i: i.path)
        self.exclude = without(self.exclude, excludes)
        self.tool = without(self.tool, tools)
        self.ignore = without(self.ignore, ignores)
        return [*extra, *excludes, *tools, *ignores]

    def _sort_key(self, verb: str) -> Callable[[Line], Any]:
        if verb == "retract":
            return functools.cmp_to_key(_compare_retracts)
        semantic = (
            self.go is not None and semver.compare("v" + self.go.version, _SEMANTIC_EXCLUDES_SINCE) >= 0
        )
        if verb == "exclude" and semantic:
            return functools.cmp_to_key(_compare_excludes)
        return by_words


def _check_canonical(path: str, version: str) -> None:
    _, major, ok = module.split_path_version(path)
    if not version or version != module.canonical_version(version):
        prefix = module.path_major_prefix(major)
        raise invalid_version(
            version, InvalidInput("must be of the form {form}", form=f"{prefix}.2.3" if major else "v1.2.3")
        )
    if ok and not module.match_path_major(version, major) and not major:
        why = InvalidInput(
            "should be {version}+incompatible (or module {path}/{major})",
            version=version,
            path=path,
            major=semver.major(version),
        )
        raise invalid_version(version, why)
    if ok:
        module.check_path_major(version, major)


# --- order of lines


def _compare_excludes(a: Line, b: Line) -> int:
    if len(a.tokens) == len(b.tokens) == 2 and a.tokens[0] == b.tokens[0]:
        return semver.compare(a.tokens[1], b.tokens[1])
    return (a.tokens > b.tokens) - (a.tokens < b.tokens)


def _compare_retracts(a: Line, b: Line) -> int:
    (low_a, high_a), (low_b, high_b) = _bounds(a), _bounds(b)
    return semver.compare(low_b, low_a) or semver.compare(high_b, high_a)


def _bounds(line: Line) -> tuple[str, str]:
    match line.tokens:
        case [version]:
            return version, version
        case ["[", low, ",", high, "]"]:
            return low, high
    return "", ""


# --- reading


class _ModReader(Reader):
    LAX = frozenset(("go", "module", "retract", "require", "ignore"))
    BLOCKS = frozenset(("module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"))
    file: File

    def wants(self, verb: str) -> bool:
        return self.strict or verb in self.LAX

    def module(self, _verb: str, line: Line, block: LineBlock | None) -> None:
        if self.file.module is not None:
            raise Fault(InvalidInput("repeated module statement"))
        found = _DEPRECATED.search(_directive_comment(line, block))
        deprecated = found[1] if found else ""
        self.file.module = Module("", deprecated, line)
        if len(line.args) != 1:
            raise Fault(InvalidInput("usage: module module/path"))
        self.file.module = Module(self.string(line, 0), deprecated, line)

    def require_or_exclude(self, verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 2:
            raise Fault(InvalidInput("usage: {verb} module/path v1.2.3", verb=verb))
        path = self.string(line, 0)
        version = self.version(line, 1, verb, path)
        check_major(version, path_major(path), verb, path)
        mod = Version(path, version)
        if verb == "require":
            self.file.require.append(Require(mod, is_indirect(line), line))
        else:
            self.file.exclude.append(Exclude(mod, line))

    def retract(self, verb: str, line: Line, block: LineBlock | None) -> None:
        rationale = _directive_comment(line, block)
        try:
            # The path is needed to fix versions, and may come at the end of the file: see finish.
            interval, end = self._interval(verb, "", line, _as_is)
        except Fault:
            # Dependencies may use forms that a later Go has added.
            if self.strict:
                raise
            return
        if end < len(line.args) and self.strict:
            raise Fault(InvalidInput("unexpected token after version: {word}", word=quote(line.args[end])))
        self.file.retract.append(Retract(interval, rationale, line))

    def finish(self) -> None:
        if self.fix is None:
            return
        path = self.file.module.path if self.file.module else ""
        for at, retract in enumerate(self.file.retract):
            try:
                if not path:
                    raise Fault(InvalidInput("no module directive found, so retract cannot be used"))
                interval, _ = self._interval("retract", path, retract.syntax, self.fix)
                self.file.retract[at] = replace(retract, interval=interval)
            except Fault as fault:
                self.problem(retract.syntax, fault)
                if not path:
                    return

    def _interval(self, verb: str, path: str, line: Line, fix: VersionFixer) -> tuple[VersionInterval, int]:
        """`v1.2.3` or `[v1.2.3, v1.2.4]`, and how many arguments that took."""
        words: Sequence[str] = line.args
        if not words or words[0] == "(":
            raise Fault(InvalidInput("expected '[' or version"))
        if words[0] != "[":
            version = self.version(line, 0, verb, path, fix)
            return VersionInterval(version, version), 1
        low = self._bound(verb, path, line, 1, fix, after="[")
        if words[2:3] != [","]:
            raise Fault(InvalidInput("expected ',' after version"))
        high = self._bound(verb, path, line, 3, fix, after=",")
        if words[4:5] != ["]"]:
            raise Fault(InvalidInput("expected ']' after version"))
        return VersionInterval(low, high), 5

    def _bound(self, verb: str, path: str, line: Line, at: int, fix: VersionFixer, *, after: str) -> str:
        if len(line.args) <= at:
            raise Fault(InvalidInput("expected version after '{mark}'", mark=after))
        return self.version(line, at, verb, path, fix)

    def tool(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 1:
            raise Fault(InvalidInput("tool directive expects exactly one argument"))
        self.file.tool.append(Tool(self.string(line, 0), line))

    def ignore(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 1:
            raise Fault(InvalidInput("ignore directive expects exactly one argument"))
        self.file.ignore.append(Ignore(self.string(line, 0), line))

    HANDLERS: ClassVar[dict[str, Callable[..., None]]] = {
        "module": module,
        "go": Reader.go,
        "toolchain": Reader.toolchain,
        "godebug": Reader.godebug,
        "require": require_or_exclude,
        "exclude": require_or_exclude,
        "replace": Reader.replace,
        "retract": retract,
        "tool": tool,
        "ignore": ignore,
    }


def _as_is(_path: str, version: str) -> str:
    return version


def _directive_comment(line: Line, block: LineBlock | None) -> str:
    """The comments on a line, or those of its block when it has none, without slashes and blank lines."""
    node: Node = line
    if block is not None and not line.before and not line.suffix:
        node = block
    return "\n".join(comment_text(c) for c in node.before + node.suffix if c.text.startswith("//"))


def parse(name: str, data: bytes, fix: VersionFixer | None = None) -> File:
    """The go.mod file of a main module. `name` is for messages; without `fix`, versions must be semantic versions.

    Raises ModFileError with everything that is wrong.
    """
    return _parse(name, data, fix, strict=True)


def parse_lax(name: str, data: bytes, fix: VersionFixer | None = None) -> File:
    """The go.mod file of a dependency: unknown statements and those for main modules only are skipped.

    Raises ModFileError.
    """
    return _parse(name, data, fix, strict=False)


def _parse(name: str, data: bytes, fix: VersionFixer | None, *, strict: bool) -> File:
    file = File(syntax=parse_syntax(name, data))
    _ModReader(file, fix, strict=strict).read()
    return file


_MODULE_LINE = re.compile(rb"[^\n]*module[^\n]*")


def module_path(data: bytes) -> str:
    """The module path a go.mod file declares, found without understanding the rest; empty without one."""
    for match in _MODULE_LINE.finditer(data):
        line = match[0].decode("utf-8", "surrogateescape").partition("//")[0].strip(GO_SPACE)
        rest = line.removeprefix("module")
        path = rest.strip(GO_SPACE)
        if not path or len(path) == len(rest) or len(rest) == len(line):
            continue
        return _unquoted_path(path)
    return ""


def _unquoted_path(path: str) -> str:
    if path[0] == '"':
        try:
            return unquote(path)
        except InvalidInput:
            return ""
    if path[0] == "`":
        inner = path[1:-1]
        return inner.replace("\r", "") if len(path) > 1 and path[-1] == "`" and "`" not in inner else ""
    return path
