"""Requirements in go.mod files: the mark `// indirect`, new versions in old lines, and blocks for each kind.

`go mod tidy` keeps what is imported apart from what only dependencies need, in two blocks, without touching blocks
that people have commented. The rules are golang.org/x/mod/modfile's, SetRequireSeparateIndirect.
"""

from collections.abc import Iterable
from dataclasses import replace

from goferry.errors import InvalidInput
from goferry.gomod.moddirectives import Require
from goferry.gomod.modsyntax import GO_SPACE, Comment, FileSyntax, Line, LineBlock, Node, auto_quote
from goferry.gomod.module import Version


def by_path(wanted: Iterable[Require]) -> dict[str, Require]:
    """Requirements by path. Raises InvalidInput when two versions of one path are among them."""
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


def updated(old: Require, new: Require) -> Require:
    """The old requirement with the version and mark of the new one, in the tree too."""
    line = old.syntax
    # A blank line above parts it from lines it no longer belongs to (go.dev/issue/33779).
    if line.in_block and [comment.text for comment in line.before] == [""]:
        line.before = []
    version_at = 1 if line.in_block else 2
    if len(line.tokens) > version_at:
        line.tokens[version_at] = new.mod.version
    set_indirect(line, indirect=new.indirect)
    return Require(Version(old.mod.path, new.mod.version), new.indirect, line)


def comment_text(comment: Comment) -> str:
    """What a comment says, without slashes."""
    return comment.text.removeprefix("//").strip(GO_SPACE)


def is_indirect(line: Line) -> bool:
    """Whether the comment on a line marks it as needed by dependencies only."""
    words = comment_text(line.suffix[0]).split() if line.suffix else []
    return words == ["indirect"] or (len(words) > 1 and words[0] == "indirect;")


def set_indirect(line: Line, *, indirect: bool) -> None:
    """Set or clear the mark, keeping what else the comment says."""
    if is_indirect(line) == indirect:
        return
    first = line.suffix[0] if line.suffix else Comment("")
    text = comment_text(first)
    if indirect:
        said = f"// indirect; {text}" if text else "// indirect"
    elif text == "indirect":
        line.suffix = []
        return
    else:
        said = "//" + first.text.partition("indirect;")[2]
    line.suffix[:1] = [replace(first, text=said)]


class RequireBlocks:
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
        set_indirect(line, indirect=requirement.indirect)
        (self.indirect if requirement.indirect else self.direct).lines.append(line)
        return replace(requirement, syntax=line)


def _verb(node: Node) -> str:
    return node.tokens[0] if isinstance(node, Line | LineBlock) and node.tokens else ""


def _has_comments(node: Node) -> bool:
    """Whether it has comments other than `// indirect`."""
    if node.before or node.after or len(node.suffix) > 1:
        return True
    return bool(node.suffix) and comment_text(node.suffix[0]) != "indirect"


def _kind_of_requires(node: Node) -> str | None:
    """direct, indirect, or None for a mixture, an empty block, or one with comments."""
    lines = node.lines if isinstance(node, LineBlock) else [node] if isinstance(node, Line) else []
    if not lines or _has_comments(node) or any(map(_has_comments, lines)):
        return None
    kinds = {"indirect" if is_indirect(line) else "direct" for line in lines}
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
