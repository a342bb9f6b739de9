"""go.mod files: what they say, and edits that keep what people wrote around it.

`parse` is strict and for the main module; `parse_lax` is for dependencies: it skips what only the main module may say
and what a newer Go may have added. Values are frozen and point to their line in the syntax tree; edits change values
and tree together. Names and rules are golang.org/x/mod/modfile's; the reference is https://go.dev/ref/mod#go-mod-file.

>>> file = parse("go.mod", b"module example.com/m\\n\\nrequire golang.org/x/net v0.1.0 // indirect\\n")
>>> file.require[0].mod, file.require[0].indirect
(Version(path='golang.org/x/net', version='v0.1.0'), True)
"""

import functools
import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from goferry.errors import InvalidInput
from goferry.gomod import module, semver
from goferry.gomod.modsyntax import (
    GO_SPACE,
    Comment,
    CommentBlock,
    FileSyntax,
    Line,
    LineBlock,
    ModFileError,
    Node,
    Problem,
    Problems,
    auto_quote,
    format_syntax,
    must_quote,
    quote,
    unquote,
)
from goferry.gomod.modsyntax import parse as parse_syntax
from goferry.gomod.module import InvalidVersion, Version

__all__ = [
    "Exclude",
    "File",
    "Go",
    "Godebug",
    "Ignore",
    "ModFileError",
    "Module",
    "Replace",
    "Require",
    "Retract",
    "Tool",
    "Toolchain",
    "VersionInterval",
    "auto_quote",
    "is_directory_path",
    "module_path",
    "must_quote",
    "parse",
    "parse_lax",
]

VersionFixer = Callable[[str, str], str]
"""Given a path and a version, the canonical version. Raises InvalidInput when there is none."""

GO_VERSION = re.compile(r"([1-9][0-9]*)\.(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))?([a-z]+[0-9]+)?")
_LAX_GO_VERSION = re.compile(r"v?(([1-9][0-9]*)\.(0|[1-9][0-9]*))([^0-9].*)")
TOOLCHAIN = re.compile(r"default|go1(\..*)?", re.DOTALL)
_DEPRECATED = re.compile(r"(?:\A|\n\n)Deprecated: *(.*?)(?:\Z|\n\n)", re.DOTALL)


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


# --- edits


class _HasSyntax(Protocol):
    @property
    def syntax(self) -> Line: ...


_S = TypeVar("_S", bound=_HasSyntax)


def _drop(items: list[_S], unwanted: Callable[[_S], bool]) -> None:
    """Remove values from a list and their lines from the tree (until cleanup, the lines are only marked)."""
    for item in items:
        if unwanted(item):
            item.syntax.remove()
    items[:] = [item for item in items if item.syntax.tokens]


def _without(items: list[_S], unwanted: list[_S]) -> list[_S]:
    lines = {id(item.syntax) for item in unwanted}
    return [item for item in items if id(item.syntax) not in lines]


def _add_beside(syntax: FileSyntax, near: list[Line], words: list[str]) -> Line:
    """A new line behind the last of its kin. Without any it stands alone at the end of the file, not in the last block
    of its verb: so does `go mod edit`."""
    return syntax.add_line(*words, hint=near[-1]) if near else syntax.append_line(*words)


def _later_ones(items: Iterable[_S], key: Callable[[_S], object]) -> list[_S]:
    """The values that come after another one with the same key."""
    seen, later = set(), []
    for item in items:
        if key(item) in seen:
            later.append(item)
        seen.add(key(item))
    return later


@dataclass(slots=True, eq=False)
class Statements:
    """What go.mod and go.work files have in common, and its edits.

    Edits leave empty places in the tree; call `cleanup` when all are made, before `format`.
    """

    syntax: FileSyntax = field(default_factory=FileSyntax)
    go: Go | None = None
    toolchain: Toolchain | None = None
    godebug: list[Godebug] = field(default_factory=list)
    replace: list[Replace] = field(default_factory=list)

    def format(self) -> bytes:
        """The file as `go mod edit -fmt` writes it."""
        return format_syntax(self.syntax)

    def cleanup(self) -> None:
        """Take removed lines and empty blocks out of the tree."""
        self.syntax.cleanup()

    def drop_go(self) -> None:
        """Remove the go line."""
        if self.go is not None:
            self.go.syntax.remove()
            self.go = None

    def drop_toolchain(self) -> None:
        """Remove the toolchain line."""
        if self.toolchain is not None:
            self.toolchain.syntax.remove()
            self.toolchain = None

    def add_godebug(self, key: str, value: str) -> None:
        """Set the first godebug line of a key, removing others; add one without any."""
        words = ("godebug", f"{key}={value}")
        first = next((i for i, g in enumerate(self.godebug) if g.key == key), None)
        if first is None:
            self.godebug.append(Godebug(key, value, self.syntax.add_line(*words)))
            return
        line = self.godebug[first].syntax
        line.update(*words)
        self.godebug[first] = Godebug(key, value, line)
        _drop(self.godebug, lambda g: g.key == key and g.syntax is not line)

    def drop_godebug(self, key: str) -> None:
        """Remove all godebug lines of a key."""
        _drop(self.godebug, lambda g: g.key == key)

    def add_replace(self, old: Version, new: Version) -> None:
        """Set the replacement of `old`, removing others of it; an `old` without a version takes those of every version
        with it. A new line goes beside the others of the same path."""
        words = ["replace", auto_quote(old.path), old.version, "=>", auto_quote(new.path), new.version]
        words = [word for word in words if word]
        hits = [r for r in self.replace if r.old.path == old.path and old.version in ("", r.old.version)]
        if not hits:
            line = _add_beside(self.syntax, [r.syntax for r in self.replace if r.old.path == old.path], words)
            self.replace.append(Replace(old, new, line))
            return
        line = hits[0].syntax
        line.update(*words)
        at = self.replace.index(hits[0])
        self.replace[at] = Replace(hits[0].old, new, line)
        lines = {id(hit.syntax) for hit in hits[1:]}
        _drop(self.replace, lambda r: id(r.syntax) in lines)

    def drop_replace(self, old: Version) -> None:
        """Remove the replacements of exactly this path and version."""
        _drop(self.replace, lambda r: r.old == old)

    def sort_blocks(self) -> None:
        """Remove duplicates and sort the lines of every block."""
        self.syntax.take_out({id(extra.syntax) for extra in self._remove_duplicates()})
        for statement in self.syntax.statements:
            if isinstance(statement, LineBlock):
                statement.lines.sort(key=self._sort_key(statement.tokens[0]))

    def _remove_duplicates(self) -> list[_HasSyntax]:
        """Drop values said twice, and return what was dropped. The last replacement counts."""
        extra = _later_ones(reversed(self.replace), lambda r: r.old)
        self.replace = _without(self.replace, extra)
        return list(extra)

    def _sort_key(self, verb: str) -> Callable[[Line], Any]:  # noqa: ARG002 - go.mod files have several orders
        return _by_words


def _by_words(line: Line) -> list[str]:
    return line.tokens


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
        _drop(self.require, lambda r: r.mod.path == path and r.syntax is not line)

    def add_new_require(self, mod: Version, *, indirect: bool = False) -> None:
        """Add a requirement to the last block, whatever is there already."""
        line = self.syntax.add_line("require", auto_quote(mod.path), mod.version)
        _set_indirect(line, indirect=indirect)
        self.require.append(Require(mod, indirect, line))

    def drop_require(self, path: str) -> None:
        """Remove all requirements of a path."""
        _drop(self.require, lambda r: r.mod.path == path)

    def set_require(self, wanted: Iterable[Require]) -> None:
        """Make these the requirements, keeping blocks and comments; new ones go to the last block.

        Raises InvalidInput when two versions of one path are wanted.
        """
        need = _by_path(wanted)
        kept: list[Require] = []
        for old in self.require:
            new = need.pop(old.mod.path, None)
            if new is None:
                old.syntax.remove()
            else:
                kept.append(_updated(old, new))
        self.require = kept
        for new in need.values():
            self.add_new_require(new.mod, indirect=new.indirect)
        self.sort_blocks()

    def set_require_separate_indirect(self, wanted: Iterable[Require]) -> None:
        """As set_require, with direct and indirect requirements in blocks of their own. Requirements in blocks with
        comments stay where they are. Raises InvalidInput when two versions of one path are wanted.
        """
        need = _by_path(wanted)
        blocks = _RequireBlocks(self.syntax)
        kept: list[Require] = []
        for old in self.require:
            new = need.pop(old.mod.path, None)
            if new is None:
                old.syntax.remove()
            else:
                kept.append(blocks.placed(_updated(old, new)))
        self.require = kept + [blocks.added(new) for new in need.values()]
        self.sort_blocks()

    def add_exclude(self, mod: Version) -> None:
        """Exclude a version, beside others of its path. Raises InvalidInput unless the version is canonical."""
        _check_canonical(mod.path, mod.version)
        if any(x.mod == mod for x in self.exclude):
            return
        words = ["exclude", auto_quote(mod.path), mod.version]
        line = _add_beside(self.syntax, [x.syntax for x in self.exclude if x.mod.path == mod.path], words)
        self.exclude.append(Exclude(mod, line))

    def drop_exclude(self, mod: Version) -> None:
        """Remove the exclusions of a version."""
        _drop(self.exclude, lambda x: x.mod == mod)

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
        _drop(self.retract, lambda r: r.interval == interval)

    def add_tool(self, path: str) -> None:
        """Add a tool, unless it is there."""
        if all(t.path != path for t in self.tool):
            self.tool.append(Tool(path, self.syntax.add_line("tool", path)))
            self.sort_blocks()

    def drop_tool(self, path: str) -> None:
        """Remove a tool."""
        _drop(self.tool, lambda t: t.path == path)

    def add_ignore(self, path: str) -> None:
        """Ignore a folder, unless it is ignored."""
        if all(i.path != path for i in self.ignore):
            self.ignore.append(Ignore(path, self.syntax.add_line("ignore", path)))
            self.sort_blocks()

    def drop_ignore(self, path: str) -> None:
        """Do not ignore a folder any more."""
        _drop(self.ignore, lambda i: i.path == path)

    def _remove_duplicates(self) -> list[_HasSyntax]:
        extra = Statements._remove_duplicates(self)
        excludes = _later_ones(self.exclude, lambda x: x.mod)
        tools = _later_ones(self.tool, lambda t: t.path)
        ignores = _later_ones(self.ignore, lambda i: i.path)
        self.exclude = _without(self.exclude, excludes)
        self.tool = _without(self.tool, tools)
        self.ignore = _without(self.ignore, ignores)
        return [*extra, *excludes, *tools, *ignores]

    def _sort_key(self, verb: str) -> Callable[[Line], Any]:
        if verb == "retract":
            return functools.cmp_to_key(_compare_retracts)
        semantic = (
            self.go is not None and semver.compare("v" + self.go.version, _SEMANTIC_EXCLUDES_SINCE) >= 0
        )
        if verb == "exclude" and semantic:
            return functools.cmp_to_key(_compare_excludes)
        return _by_words


def _by_path(wanted: Iterable[Require]) -> dict[str, Require]:
    need: dict[str, Require] = {}
    for new in wanted:
        old = need.setdefault(new.mod.path, new)
        if old.mod.version != new.mod.version:
            raise InvalidInput(
                "two versions of {path} are required: {one} and {other}",
                path=new.mod.path,
                one=old.mod.version,
                other=new.mod.version,
            )
        need[new.mod.path] = new
    return need


def _updated(old: Require, new: Require) -> Require:
    """The old requirement with the version and mark of the new one, in the tree too."""
    line = old.syntax
    # A blank line above parts it from lines it no longer belongs to (go.dev/issue/33779).
    if line.in_block and [comment.text for comment in line.before] == [""]:
        line.before = []
    version_at = 1 if line.in_block else 2
    if len(line.tokens) > version_at:
        line.tokens[version_at] = new.mod.version
    _set_indirect(line, indirect=new.indirect)
    return Require(Version(old.mod.path, new.mod.version), new.indirect, line)


def _comment_text(comment: Comment) -> str:
    return comment.text.removeprefix("//").strip(GO_SPACE)


def _is_indirect(line: Line) -> bool:
    words = _comment_text(line.suffix[0]).split() if line.suffix else []
    return words == ["indirect"] or (len(words) > 1 and words[0] == "indirect;")


def _set_indirect(line: Line, *, indirect: bool) -> None:
    if _is_indirect(line) == indirect:
        return
    first = line.suffix[0] if line.suffix else Comment("")
    text = _comment_text(first)
    if indirect:
        said = f"// indirect; {text}" if text else "// indirect"
    elif text == "indirect":
        line.suffix = []
        return
    else:
        said = "//" + first.text.partition("indirect;")[2]
    line.suffix[:1] = [replace(first, text=said)]


class _RequireBlocks:
    """Where direct and indirect requirements go: the last blocks without comments that hold only one kind of them,
    made where missing."""

    def __init__(self, syntax: FileSyntax) -> None:
        places = [at for at, s in enumerate(syntax.statements) if _verb(s) == "require"]
        pure = {at: kind for at in places if (kind := _kind_of_requires(syntax.statements[at])) is not None}
        direct = max((at for at, kind in pure.items() if kind == "direct"), default=None)
        indirect = max((at for at, kind in pure.items() if kind == "indirect"), default=None)
        # The only block of a file is split, if no comment says what it is for.
        self._split_all = len(places) == 1 and not _has_comments(syntax.statements[places[0]])
        self._block_of = {
            id(line): block
            for block, line in syntax.lines()
            if block is not None and block.tokens[0] == "require"
        }
        if direct is None:
            if indirect is not None:
                direct, indirect = indirect, indirect + 1
            else:
                direct = places[-1] + 1 if places else len(syntax.statements)
            self.direct = _insert_block(syntax, direct)
        else:
            self.direct = _ensure_block(syntax, direct)
        if indirect is None:
            self.indirect = _insert_block(syntax, direct + 1)
        else:
            self.indirect = _ensure_block(syntax, indirect)

    def placed(self, requirement: Require) -> Require:
        """The requirement, moved if it stands in the block of the other kind."""
        wanted, other = (self.indirect, self.direct) if requirement.indirect else (self.direct, self.indirect)
        if not self._split_all and self._block_of.get(id(requirement.syntax)) is not other:
            return requirement
        old = requirement.syntax
        tokens = old.tokens if old.in_block else old.tokens[1:]
        line = Line(
            start=old.start,
            before=old.before,
            suffix=old.suffix,
            after=old.after,
            tokens=tokens,
            in_block=True,
            end=old.end,
        )
        old.tokens = []
        wanted.lines.append(line)
        return replace(requirement, syntax=line)

    def added(self, requirement: Require) -> Require:
        """The requirement, in a new line of its block."""
        line = Line(tokens=[auto_quote(requirement.mod.path), requirement.mod.version], in_block=True)
        _set_indirect(line, indirect=requirement.indirect)
        (self.indirect if requirement.indirect else self.direct).lines.append(line)
        return replace(requirement, syntax=line)


def _verb(node: Node) -> str:
    return node.tokens[0] if isinstance(node, Line | LineBlock) and node.tokens else ""


def _has_comments(node: Node) -> bool:
    """Whether it has comments other than `// indirect`."""
    if node.before or node.after or len(node.suffix) > 1:
        return True
    return bool(node.suffix) and _comment_text(node.suffix[0]) != "indirect"


def _kind_of_requires(node: Node) -> str | None:
    """direct, indirect, or None for a mixture, an empty block, or one with comments."""
    lines = node.lines if isinstance(node, LineBlock) else [node] if isinstance(node, Line) else []
    if not lines or _has_comments(node) or any(map(_has_comments, lines)):
        return None
    kinds = {"indirect" if _is_indirect(line) else "direct" for line in lines}
    return kinds.pop() if len(kinds) == 1 else None


def _insert_block(syntax: FileSyntax, at: int) -> LineBlock:
    block = LineBlock(tokens=["require"])
    syntax.statements.insert(at, block)
    return block


def _ensure_block(syntax: FileSyntax, at: int) -> LineBlock:
    statement = syntax.statements[at]
    if isinstance(statement, Line):
        statement.tokens, statement.in_block = statement.tokens[1:], True
        statement = syntax.statements[at] = LineBlock(tokens=["require"], lines=[statement])
    assert isinstance(statement, LineBlock), "only requirements are asked for"
    return statement


def _check_canonical(path: str, version: str) -> None:
    _, major, ok = module.split_path_version(path)
    if not version or version != module.canonical_version(version):
        prefix = module.path_major_prefix(major)
        raise _invalid_version(
            version, InvalidInput("must be of the form {form}", form=f"{prefix}.2.3" if major else "v1.2.3")
        )
    if ok and not module.match_path_major(version, major) and not major:
        why = InvalidInput(
            "should be {version}+incompatible (or module {path}/{major})",
            version=version,
            path=path,
            major=semver.major(version),
        )
        raise _invalid_version(version, why)
    if ok:
        module.check_path_major(version, major)


def _invalid_version(version: str, why: InvalidInput) -> InvalidVersion:
    return InvalidVersion("version {version} invalid: {why}", version=quote(version), why=why)


def check_go_version(version: str) -> None:
    """Raise InvalidInput unless it can stand in a go line."""
    if not GO_VERSION.fullmatch(version):
        raise InvalidInput("invalid language version {version}", version=quote(version))


def check_toolchain(name: str) -> None:
    """Raise InvalidInput unless it can stand in a toolchain line."""
    if not TOOLCHAIN.fullmatch(name):
        raise InvalidInput("invalid toolchain name {name}", name=quote(name))


# --- reading


class _Fault(Exception):
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
            self._problem(
                block, _Fault(InvalidInput("unknown block type: {words}", words=" ".join(block.tokens)))
            )

    def _statement(self, verb: str, line: Line, block: LineBlock | None) -> None:
        if not self.wants(verb):
            return
        handler = self.HANDLERS.get(verb)
        try:
            if handler is None:
                raise _Fault(InvalidInput("unknown directive: {verb}", verb=verb))
            handler(self, verb, line, block)
        except _Fault as fault:
            self._problem(line, fault)

    def _problem(self, node: Node, fault: _Fault) -> None:
        name = self.file.syntax.name
        self.problems.append(Problem(name, node.start, fault.why, fault.verb, fault.path))

    def go(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`go 1.23`"""
        if self.file.go is not None:
            raise _Fault(InvalidInput("repeated go statement"))
        if len(line.args) != 1:
            raise _Fault(InvalidInput("go directive expects exactly one argument"))
        version = line.args[0]
        if not GO_VERSION.fullmatch(version):
            lax = None if self.strict else _LAX_GO_VERSION.fullmatch(version)
            if lax is None:
                raise _Fault(
                    InvalidInput("invalid go version '{version}': must match format 1.23.0", version=version)
                )
            version = lax[1]
            line.update("go", version)
        self.file.go = Go(version, line)

    def toolchain(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`toolchain go1.23.4`"""
        if self.file.toolchain is not None:
            raise _Fault(InvalidInput("repeated toolchain statement"))
        if len(line.args) != 1:
            raise _Fault(InvalidInput("toolchain directive expects exactly one argument"))
        name = line.args[0]
        if not TOOLCHAIN.fullmatch(name):
            raise _Fault(
                InvalidInput(
                    "invalid toolchain version '{name}': must match format go1.23.0 or default", name=name
                )
            )
        self.file.toolchain = Toolchain(name, line)

    def godebug(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        """`godebug key=value`"""
        args = line.args
        if len(args) != 1 or "=" not in args[0] or not set(args[0]).isdisjoint("\"`',"):
            raise _Fault(InvalidInput("usage: godebug key=value"))
        key, _, value = args[0].partition("=")
        self.file.godebug.append(Godebug(key, value, line))

    def replace(self, verb: str, line: Line, _block: LineBlock | None) -> None:
        """`replace old v1.0.0 => new v1.1.0`, `replace old => ../folder`"""
        args = line.args
        arrow = 1 if args[1:2] == ["=>"] else 2
        if not arrow + 2 <= len(args) <= arrow + 3 or args[arrow] != "=>":
            raise _Fault(
                InvalidInput(
                    "usage: {verb} module/path [v1.2.3] => other/module v1.4\n"
                    "\t or {verb} module/path [v1.2.3] => ../local/directory",
                    verb=verb,
                )
            )
        path = self.string(line, 0)
        major = _path_major(path, verb, path)
        version = ""
        if arrow == 2:
            version = self.version(line, 1, verb, path)
            _check_major(version, major, verb, path)
        new = self.string(line, arrow + 1)
        new_version = ""
        if len(args) == arrow + 2:
            _check_folder(new)
        else:
            new_version = self.version(line, arrow + 2, verb, new)
            if is_directory_path(new):
                raise _Fault(
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
            raise _Fault(InvalidInput("invalid quoted string: {why}", why=why)) from why

    def version(self, line: Line, at: int, verb: str, path: str, fix: VersionFixer | None = None) -> str:
        """The canonical form of the version at an argument; the line gets it too."""
        try:
            version = _string(line, at)
        except InvalidInput as why:
            raise _Fault(_invalid_version(line.args[at], why), verb, path) from why
        fix = fix or self.fix
        if fix is None:
            fixed = module.canonical_version(version)
            if not fixed:
                form = InvalidInput("must be of the form v1.2.3")
                raise _Fault(_invalid_version(version, form), verb, path)
        else:
            try:
                fixed = fix(path, version)
            except InvalidInput as why:
                raise _Fault(why) from why
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


def _path_major(path: str, verb: str = "", about: str = "") -> str:
    _, major, ok = module.split_path_version(path)
    if not ok:
        raise _Fault(InvalidInput("invalid module path"), verb if about else "", about)
    return major


def _check_major(version: str, major: str, verb: str, path: str) -> None:
    try:
        module.check_path_major(version, major)
    except InvalidInput as why:
        raise _Fault(why, verb, path) from why


def _check_folder(path: str) -> None:
    if not is_directory_path(path):
        if "@" in path:
            raise _Fault(
                InvalidInput("replacement module must match format 'path version', not 'path@version'")
            )
        raise _Fault(
            InvalidInput(
                "replacement module without version must be directory path (rooted or starting with . or ..)"
            )
        )
    if os.sep == "/" and "\\" in path:
        raise _Fault(
            InvalidInput("replacement directory appears to be Windows path (on a non-windows system)")
        )


class _ModReader(Reader):
    LAX = frozenset(("go", "module", "retract", "require", "ignore"))
    BLOCKS = frozenset(("module", "godebug", "require", "exclude", "replace", "retract", "tool", "ignore"))
    file: File

    def wants(self, verb: str) -> bool:
        return self.strict or verb in self.LAX

    def module(self, _verb: str, line: Line, block: LineBlock | None) -> None:
        if self.file.module is not None:
            raise _Fault(InvalidInput("repeated module statement"))
        found = _DEPRECATED.search(_directive_comment(line, block))
        deprecated = found[1] if found else ""
        self.file.module = Module("", deprecated, line)
        if len(line.args) != 1:
            raise _Fault(InvalidInput("usage: module module/path"))
        self.file.module = Module(self.string(line, 0), deprecated, line)

    def require_or_exclude(self, verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 2:
            raise _Fault(InvalidInput("usage: {verb} module/path v1.2.3", verb=verb))
        path = self.string(line, 0)
        version = self.version(line, 1, verb, path)
        _check_major(version, _path_major(path), verb, path)
        mod = Version(path, version)
        if verb == "require":
            self.file.require.append(Require(mod, _is_indirect(line), line))
        else:
            self.file.exclude.append(Exclude(mod, line))

    def retract(self, verb: str, line: Line, block: LineBlock | None) -> None:
        rationale = _directive_comment(line, block)
        try:
            # The path is needed to fix versions, and may come at the end of the file: see finish.
            interval, end = self._interval(verb, "", line, _as_is)
        except _Fault:
            # Dependencies may use forms that a later Go has added.
            if self.strict:
                raise
            return
        if end < len(line.args) and self.strict:
            raise _Fault(InvalidInput("unexpected token after version: {word}", word=quote(line.args[end])))
        self.file.retract.append(Retract(interval, rationale, line))

    def finish(self) -> None:
        if self.fix is None:
            return
        path = self.file.module.path if self.file.module else ""
        for at, retract in enumerate(self.file.retract):
            try:
                if not path:
                    raise _Fault(InvalidInput("no module directive found, so retract cannot be used"))
                interval, _ = self._interval("retract", path, retract.syntax, self.fix)
                self.file.retract[at] = replace(retract, interval=interval)
            except _Fault as fault:
                self._problem(retract.syntax, fault)
                if not path:
                    return

    def _interval(self, verb: str, path: str, line: Line, fix: VersionFixer) -> tuple[VersionInterval, int]:
        """`v1.2.3` or `[v1.2.3, v1.2.4]`, and how many arguments that took."""
        words: Sequence[str] = line.args
        if not words or words[0] == "(":
            raise _Fault(InvalidInput("expected '[' or version"))
        if words[0] != "[":
            version = self.version(line, 0, verb, path, fix)
            return VersionInterval(version, version), 1
        low = self._bound(verb, path, line, 1, fix, after="[")
        if words[2:3] != [","]:
            raise _Fault(InvalidInput("expected ',' after version"))
        high = self._bound(verb, path, line, 3, fix, after=",")
        if words[4:5] != ["]"]:
            raise _Fault(InvalidInput("expected ']' after version"))
        return VersionInterval(low, high), 5

    def _bound(self, verb: str, path: str, line: Line, at: int, fix: VersionFixer, *, after: str) -> str:
        if len(line.args) <= at:
            raise _Fault(InvalidInput("expected version after '{mark}'", mark=after))
        return self.version(line, at, verb, path, fix)

    def tool(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 1:
            raise _Fault(InvalidInput("tool directive expects exactly one argument"))
        self.file.tool.append(Tool(self.string(line, 0), line))

    def ignore(self, _verb: str, line: Line, _block: LineBlock | None) -> None:
        if len(line.args) != 1:
            raise _Fault(InvalidInput("ignore directive expects exactly one argument"))
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
    return "\n".join(_comment_text(c) for c in node.before + node.suffix if c.text.startswith("//"))


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


def is_directory_path(path: str) -> bool:
    """Whether the right side of a replacement is a folder, on any system: rooted, or starting with . or .."""
    return bool(_FOLDER.match(path))


_FOLDER = re.compile(r"\.\.?\Z|\.\.?[/\\]|[/\\]|[A-Za-z]:")
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
