"""The syntax of go.mod and go.work files: text to a tree that keeps every comment, and back.

People write these files and tools rewrite them, so nothing a person wrote may get lost on the way: comments stay with
the line they explain, blank lines stay between the groups they part, and only spacing is made uniform. `parse` and
`format_syntax` do what golang.org/x/mod/modfile does, to the byte. What the lines mean is in modfile and workfile.

A file is lines of words; lines that start with the same words may be factored into a block:

    require golang.org/x/net v0.1.0 // indirect
    require (
        golang.org/x/mod v0.2.0
    )
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import quote, quote_rune

GO_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's unicode.IsSpace holds; str.strip() alone takes four control characters more."""


class Position(NamedTuple):
    """A place in a file: line and column from 1 (columns count characters), and characters from the start."""

    line: int = 0
    column: int = 0
    offset: int = 0


NOWHERE = Position()


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file. As text: `go.mod:3:7: require example.com/m: why`.

    The column is left out where it is 1, and `verb` and `path` where they are empty, as Go does.
    """

    file: str
    position: Position
    why: InvalidInput
    verb: str = ""
    path: str = ""

    def __str__(self) -> str:
        place = self.file
        if self.position.column > 1:
            place += f":{self.position.line}:{self.position.column}"
        elif self.position.line > 0:
            place += f":{self.position.line}"
        about = " ".join(filter(None, (self.verb, self.path)))
        return ": ".join([*filter(None, (place, about)), str(self.why)])


@dataclass(frozen=True, slots=True)
class Problems:
    """All that is wrong in a file, one per line."""

    items: tuple[Problem, ...]

    def __str__(self) -> str:
        return "\n".join(map(str, self.items))


class ModFileError(InvalidInput):
    """A go.mod or go.work file that can't be understood; `problems` tells where and why."""

    code = "bad_mod_file"

    def __init__(self, message: str = "{problems}", *, hint: str | None = None, problems: Problems) -> None:
        super().__init__(message, hint=hint, problems=problems)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order of the file."""
        problems: Problems = self.parts["problems"]
        return problems.items


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment with its slashes, without its newline. Empty text stands for a blank line inside a block."""

    text: str
    start: Position = NOWHERE


@dataclass(slots=True, eq=False)
class Node:
    """A part of the file and the comments that belong to it: whole lines before, the end of its own line, and (in
    trees made by programs) whole lines after."""

    start: Position = NOWHERE
    before: list[Comment] = field(default_factory=list)
    suffix: list[Comment] = field(default_factory=list)
    after: list[Comment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class CommentBlock(Node):
    """Comments that stand alone."""


@dataclass(slots=True, eq=False)
class Line(Node):
    """A line of words. Inside a block the words of the block's head are not repeated.

    A removed line has no words, until `cleanup` takes it out of the tree.
    """

    tokens: list[str] = field(default_factory=list)
    in_block: bool = False
    end: Position = NOWHERE

    @property
    def args(self) -> list[str]:
        """The words without the verb."""
        return self.tokens if self.in_block else self.tokens[1:]

    def remove(self) -> None:
        """Mark for `cleanup`. Comments at its end go with it."""
        self.tokens = []
        self.suffix = []

    def update(self, *tokens: str) -> None:
        """Set the words; the first is the verb, also inside a block."""
        self.tokens = list(tokens[1:] if self.in_block else tokens)


@dataclass(slots=True, eq=False)
class Paren(Node):
    """One parenthesis of a block; a place for comments."""


@dataclass(slots=True, eq=False)
class LineBlock(Node):
    """Lines that share their first words."""

    tokens: list[str] = field(default_factory=list)
    lparen: Paren = field(default_factory=Paren)
    lines: list[Line] = field(default_factory=list)
    rparen: Paren = field(default_factory=Paren)


Statement = CommentBlock | Line | LineBlock


@dataclass(slots=True, eq=False)
class FileSyntax(Node):
    """A whole file."""

    name: str = ""
    statements: list[Statement] = field(default_factory=list)

    def lines(self) -> Iterator[tuple[LineBlock | None, Line]]:
        """All lines with the block they are in."""
        for statement in self.statements:
            if isinstance(statement, Line):
                yield None, statement
            elif isinstance(statement, LineBlock):
                for line in statement.lines:
                    yield statement, line

    def add_line(self, *tokens: str, hint: Line | None = None) -> Line:
        """A new line, near `hint`: behind it in the same block if it has the same verb (a single line becomes a block
        for that), else behind its whole block. Without a hint: at the end of the last block or line with the same
        verb, else at the end of the file.
        """
        at = self._index_of(hint) if hint is not None else self._last_with(tokens[0])
        if at is None:
            return self._insert(len(self.statements), tokens)
        neighbour = self.statements[at]
        if isinstance(neighbour, CommentBlock) or not neighbour.tokens or neighbour.tokens[0] != tokens[0]:
            return self._insert(at + 1, tokens)
        if isinstance(neighbour, Line):
            neighbour = self.statements[at] = as_block(neighbour)
        new = Line(tokens=list(tokens[1:]), in_block=True)
        place = len(neighbour.lines)
        if hint is not None:
            place = next(i for i, line in enumerate(neighbour.lines) if line is hint) + 1
        neighbour.lines.insert(place, new)
        return new

    def append_line(self, *tokens: str) -> Line:
        """A new line at the end of the file."""
        return self._insert(len(self.statements), tokens)

    def _insert(self, at: int, tokens: tuple[str, ...]) -> Line:
        new = Line(tokens=list(tokens))
        self.statements.insert(at, new)
        return new

    def _last_with(self, verb: str) -> int | None:
        for at in range(len(self.statements) - 1, -1, -1):
            statement = self.statements[at]
            if not isinstance(statement, CommentBlock) and statement.tokens[:1] == [verb]:
                return at
        return None

    def _index_of(self, wanted: Line) -> int | None:
        for at, statement in enumerate(self.statements):
            if statement is wanted:
                return at
            if isinstance(statement, LineBlock) and any(line is wanted for line in statement.lines):
                return at
        return None

    def insert_after_comments(self, line: Line) -> None:
        """Put a line before everything but the comments that stand alone at the head of the file."""
        at = 0
        while at < len(self.statements) and isinstance(self.statements[at], CommentBlock):
            at += 1
        self.statements.insert(at, line)

    def take_out(self, lines: set[int]) -> None:
        """Take out the lines with these ids at once, and all blocks without lines."""
        for statement in self.statements:
            if isinstance(statement, LineBlock):
                statement.lines = [line for line in statement.lines if id(line) not in lines]
        self.statements = [
            statement
            for statement in self.statements
            if (statement.lines if isinstance(statement, LineBlock) else id(statement) not in lines)
        ]

    def cleanup(self) -> None:
        """Take out the lines marked as removed, and the blocks left empty; a block of one line becomes a line."""
        kept: list[Statement] = []
        for statement in self.statements:
            if isinstance(statement, LineBlock):
                statement.lines = [line for line in statement.lines if line.tokens]
                if len(statement.lines) == 1 and not statement.rparen.before:
                    kept.append(_unfactored(statement))
                elif statement.lines:
                    kept.append(statement)
            elif isinstance(statement, CommentBlock) or statement.tokens:
                kept.append(statement)
        self.statements = kept


def as_block(line: Line) -> LineBlock:
    """A block around a single line; its comments stay with the line."""
    block = LineBlock(start=line.start, tokens=line.tokens[:1], lines=[line])
    line.tokens, line.in_block = line.tokens[1:], True
    return block


def _unfactored(block: LineBlock) -> Line:
    """The only line of a block, on its own. It stays the same object: directives point to it."""
    line = block.lines[0]
    line.tokens, line.in_block = block.tokens + line.tokens, False
    line.before = block.before + line.before
    line.suffix = line.suffix + block.suffix
    line.after = line.after + block.after
    return line


# --- text to tree


_EOF, _NEWLINE, _END_COMMENT, _COMMENT, _WORD = "end of file", "newline", "end comment", "comment", "word"
_ENDS_LINE = frozenset((_EOF, _NEWLINE, _END_COMMENT))
_BLANKS = re.compile(r"[ \t\r]*")
_COMMENT_TEXT = re.compile(r"[^\n]*\n?")
_IDENT = re.compile(r"(?:[^ \t\r\n()\[\]{},/]+|/(?![/*]))+")
_QUOTED = {
    '"': re.compile(r'"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*("?)'),
    "`": re.compile(r"`[^`\n]*(`?)"),
}
_SURROGATES = re.compile("[\udc80-\udcff]")


class _Token(NamedTuple):
    kind: str
    text: str
    start: Position
    end: Position


class _Lexer:
    """Cuts the text into tokens, one ahead of the parser: so errors come in the order of Go's."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.suffixes: list[Comment] = []
        self._text = text
        self._at = Position(1, 1, 0)
        self._line_has_text = False
        self.next = self._read()

    def take(self) -> _Token:
        token = self.next
        # Nothing comes after the end of the file, however often it is taken.
        if token.kind != _EOF:
            self.next = self._read()
        return token

    def fail(self, why: InvalidInput) -> ModFileError:
        return ModFileError(problems=Problems((Problem(self.file, self._at, why),)))

    def _advance(self, offset: int) -> None:
        line, column, old = self._at
        newlines = self._text.count("\n", old, offset)
        if newlines:
            line += newlines
            column = offset - self._text.rindex("\n", old, offset)
        else:
            column += offset - old
        self._at = Position(line, column, offset)

    def _token(self, kind: str, end: int) -> _Token:
        start = self._at
        self._advance(end)
        return _Token(kind, self._text[start.offset : end], start, self._at)

    def _read(self) -> _Token:
        self._advance(_end(_BLANKS, self._text, self._at.offset))
        text, at = self._text, self._at.offset
        if text.startswith("//", at):
            return self._comment()
        if text.startswith("/*", at):
            raise self.fail(_no_block_comments())
        if at == len(text):
            return self._token(_EOF, at)
        char = text[at]
        if char == "\n":
            self._line_has_text = False
            return self._token(_NEWLINE, at + 1)
        self._line_has_text = True
        if char in "()[]{},":
            return self._token(char, at + 1)
        if char in _QUOTED:
            return self._string(_QUOTED[char])
        return self._ident()

    def _comment(self) -> _Token:
        kind = _END_COMMENT if self._line_has_text else _COMMENT
        token = self._token(kind, _end(_COMMENT_TEXT, self._text, self._at.offset))
        text = token.text.removesuffix("\n")
        if len(text) < len(token.text):
            text = text.removesuffix("\r")
        token = token._replace(text=text)
        if self._line_has_text:
            self.suffixes.append(Comment(text, token.start))
        self._line_has_text = False
        return token

    def _string(self, pattern: re.Pattern[str]) -> _Token:
        match = pattern.match(self._text, self._at.offset)
        assert match is not None, "it starts with a quote"
        if not match[1]:
            if match.end() < len(self._text) and self._text[match.end()] == "\n":
                self._advance(match.end())
                raise self.fail(InvalidInput("unexpected newline in string"))
            raise self.fail(InvalidInput("unexpected EOF in string"))
        return self._token(_WORD, match.end())

    def _ident(self) -> _Token:
        end = _end(_IDENT, self._text, self._at.offset)
        word = self._text[self._at.offset : end]
        printable = word if word.isprintable() else _printable_start(word)
        if not printable:
            raise self.fail(
                InvalidInput(
                    "unexpected input character {char}", char=quote_rune(self._text[self._at.offset])
                )
            )
        if len(printable) == len(word) and self._text.startswith("/*", end):
            self._advance(end)
            raise self.fail(_no_block_comments())
        return self._token(_WORD, self._at.offset + len(printable))


def _no_block_comments() -> InvalidInput:
    return InvalidInput("mod files must use // comments (not /* */ comments)")


def _end(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return start if match is None else match.end()


def _printable_start(word: str) -> str:
    """Up to the first character that no word may have. A broken byte counts as U+FFFD, which is printable."""
    shown = _SURROGATES.sub("\ufffd", word)
    if shown.isprintable():
        return word
    return word[: next(i for i, char in enumerate(shown) if not char.isprintable())]


def parse(file: str, data: bytes) -> FileSyntax:
    """The tree of a go.mod or go.work file. `file` is the name for messages. Raises ModFileError.

    Bytes that are not UTF-8 are kept (as surrogate escapes) and written back as they were.
    """
    lexer = _Lexer(file, data.decode("utf-8", "surrogateescape"))
    syntax = FileSyntax(name=file)
    comments: CommentBlock | None = None
    while True:
        kind = lexer.next.kind
        if kind in (_NEWLINE, _EOF):
            if comments is not None:
                syntax.statements.append(comments)
                comments = None
            if kind == _EOF:
                break
            lexer.take()
        elif kind == _COMMENT:
            token = lexer.take()
            comments = comments or CommentBlock(start=token.start)
            comments.before.append(Comment(token.text, token.start))
        else:
            statement = _parse_statement(lexer)
            if comments is not None:
                statement.before, comments = comments.before, None
            syntax.statements.append(statement)
    _assign_suffixes(syntax, lexer.suffixes)
    return syntax


def _parse_statement(lexer: _Lexer) -> Line | LineBlock:
    first = lexer.take()
    tokens, end = [first.text], first.end
    while True:
        token = lexer.take()
        if token.kind in _ENDS_LINE:
            return Line(start=first.start, tokens=tokens, end=end)
        tokens.append(token.text)
        if token.kind != "(":
            end = token.end
        elif lexer.next.kind in _ENDS_LINE:
            return _parse_block(
                lexer, LineBlock(start=first.start, tokens=tokens[:-1], lparen=Paren(token.start))
            )
        elif lexer.next.kind == ")":
            rparen = lexer.take()
            if lexer.next.kind in _ENDS_LINE:
                lexer.take()
                return LineBlock(
                    start=first.start,
                    tokens=tokens[:-1],
                    lparen=Paren(token.start),
                    rparen=Paren(rparen.start),
                )
            tokens.append(rparen.text)


def _parse_block(lexer: _Lexer, block: LineBlock) -> LineBlock:
    comments: list[Comment] = []
    while True:
        kind = lexer.next.kind
        if kind == _EOF:
            raise lexer.fail(
                InvalidInput(
                    "syntax error (unterminated block started at {file}:{line}:{column})",
                    file=lexer.file,
                    line=block.start.line,
                    column=block.start.column,
                )
            )
        if kind == ")":
            break
        if kind == _END_COMMENT:
            lexer.take()
        elif kind == _NEWLINE:
            lexer.take()
            # One blank line is kept between lines and comments, none at the head of the block.
            if comments[-1].text if comments else block.lines:
                comments.append(Comment(""))
        elif kind == _COMMENT:
            token = lexer.take()
            comments.append(Comment(token.text, token.start))
        else:
            line = _parse_line(lexer)
            line.before, comments = comments, []
            block.lines.append(line)
    rparen = lexer.take()
    if [comment.text for comment in comments] != [""]:
        block.rparen.before = comments
    block.rparen.start = rparen.start
    if lexer.next.kind not in _ENDS_LINE:
        raise lexer.fail(InvalidInput("syntax error (expected newline after closing paren)"))
    lexer.take()
    return block


def _parse_line(lexer: _Lexer) -> Line:
    first = lexer.take()
    tokens, end = [first.text], first.end
    while (token := lexer.take()).kind not in _ENDS_LINE:
        tokens.append(token.text)
        end = token.end
    return Line(start=first.start, tokens=tokens, in_block=True, end=end)


def _assign_suffixes(syntax: FileSyntax, suffixes: list[Comment]) -> None:
    """Give every end-of-line comment to the last thing that ends before it (on one line: so not to whole blocks)."""
    for node, end in reversed(list(_in_order_of_end(syntax))):
        while suffixes and end <= suffixes[-1].start.offset:
            node.suffix.append(suffixes.pop())
        node.suffix.reverse()


def _in_order_of_end(syntax: FileSyntax) -> Iterator[tuple[Node, int]]:
    for statement in syntax.statements:
        if isinstance(statement, Line):
            yield statement, statement.end.offset
        elif isinstance(statement, CommentBlock):
            yield statement, statement.start.offset
        else:
            yield statement.lparen, statement.lparen.start.offset + 1
            for line in statement.lines:
                yield line, line.end.offset
            yield statement.rparen, statement.rparen.start.offset + 1
            if statement.start.line == statement.rparen.start.line:
                yield statement, statement.rparen.start.offset + 1


# --- tree to text


class _Printer:
    """Writes a tree. End-of-line comments wait until their line ends; no two blank lines follow each other."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._line = ""
        self._margin = ""
        self._pending: list[Comment] = []

    def file(self, syntax: FileSyntax) -> None:
        self._comments(syntax.before)
        for at, statement in enumerate(syntax.statements):
            if at:
                self._newline()
            self._node(statement)
            if not isinstance(statement, CommentBlock):
                self._newline()
            self._comments(statement.after)

    def _comments(self, comments: list[Comment]) -> None:
        for comment in comments:
            self._line += comment.text.strip(GO_SPACE)
            self._newline()

    def _newline(self) -> None:
        if self._pending:
            first, *others = [comment.text.strip(GO_SPACE) for comment in self._pending]
            self._pending = []
            self._line += " " + first
            for other in others:
                self._break()
                self._line = self._margin + other
        self._line = self._line.rstrip(" \t")
        if self._line or (self.lines and self.lines[-1]):
            self._break()
        self._line = self._margin

    def _break(self) -> None:
        self.lines.append(self._line.rstrip(" \t"))
        self._line = ""

    def _node(self, node: Statement | Paren, text: str = "") -> None:
        if node.before:
            if self._line.rstrip(" \t"):
                self._break()
            self._line = self._margin
            self._comments(node.before)
        if isinstance(node, LineBlock):
            self._block(node)
        elif isinstance(node, Line):
            self._line += _joined(node.tokens)
        else:
            self._line += text
        self._pending += node.suffix

    def _block(self, block: LineBlock) -> None:
        self._line += _joined(block.tokens) + " "
        self._node(block.lparen, "(")
        outer, self._margin = self._margin, self._margin + "\t"
        for line in block.lines:
            self._newline()
            self._node(line)
        self._margin = outer
        self._newline()
        self._node(block.rparen, ")")


_NO_SPACE_BEFORE = frozenset(",)]}")
_NO_SPACE_AFTER = frozenset("([{")


def _joined(tokens: list[str]) -> str:
    out, space = "", ""
    for token in tokens:
        out += token if token in _NO_SPACE_BEFORE else space + token
        space = "" if token in _NO_SPACE_AFTER else " "
    return out


def format_syntax(syntax: FileSyntax) -> bytes:
    """The file as `go mod edit -fmt` writes it."""
    printer = _Printer()
    printer.file(syntax)
    text = "\n".join(printer.lines).rstrip("\n")
    return (text + "\n" if text else "").encode("utf-8", "surrogateescape")


# --- words


_MUST_QUOTE = re.compile(r"""[ "'`]|//|/\*""")
_BRACKETS = re.compile(r"[()\[\]{},]")


def must_quote(word: str) -> bool:
    """Whether a word can stand in a file only in quotes."""
    if not word or _MUST_QUOTE.search(word) or (len(word) > 1 and _BRACKETS.search(word)):
        return True
    return not word.isprintable() and _printable_start(word) != word


def auto_quote(word: str) -> str:
    """The word, in quotes where it must be."""
    return quote(word) if must_quote(word) else word
