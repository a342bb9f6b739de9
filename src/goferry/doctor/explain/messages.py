"""Lines, put together to messages: what one program said at once.

Go prints an error as one line with its causes chained by colons; git's own lines follow, indented by a tab, and what a
module proxy answered follows behind `server response:`. That last part is the proxy's view: a time-out in it happened
on the proxy's machine. Pastes lose the indentation, so a message also goes on where it was left open.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from goferry.doctor.explain.clean import Line
from goferry.doctor.explain.languages import in_english

LONGEST: Final = 40
"""Lines of one message."""


@dataclass(frozen=True, slots=True)
class Message:
    """own: what was seen from here; said: what a module proxy or checksum database reports of its own way."""

    lines: tuple[Line, ...]
    own: str
    said: str = ""

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)


def messages_of(lines: Sequence[Line]) -> list[Message]:
    """All messages, in order. Lines that belong to no error are messages too: one line each."""
    return [_message(group) for group in _groups(lines)]


def unwrapped(lines: Sequence[Line], glue: str = "") -> Message:
    """All lines as one text, as if a terminal had cut them at its edge, or a mail program at a blank."""
    own, said = _views(in_english(glue.join(line.text for line in lines)))
    return Message(tuple(lines), own, said)


_HEAD: Final = re.compile(
    r"go: |go get|go build|go install|go mod|package \S+: |verifying |(?:build|warning|get) \S+: |\S+@v\d\S*: "
    r"|(?:Get|Post|Head) \W?https?:|\S+\.go:\d+|Step \d|make(?:\[\d+\])?: |\$ |# |(?:RUN|FROM|COPY|ENV) |ERROR"
    r"|The command|Fetching |--> |PS [A-Z]:|exit status \d+$"
)
_GIT: Final = re.compile(
    r"\s*(?:fatal: |remote: |error: |ssh: |git@|Host key|Permission denied|Connection (?:closed|reset)|kex_exchange"
    r"|Please make sure|and the repository|Confirm the import path|If this is a private|server response:"
    r"|ERROR: |Cloning into|If you know what|warning: |@@@|hg: |abort: |svn: )"
)
_OPEN: Final = re.compile(
    r"(?::|; (?:git|hg|svn|bzr) (?:clone|pull|fetch|ls-remote)\b.*|: git .* in|server response:.*|requires|imports"
    r"|updating to|tested by|upgrading|exit status \d+:?)$"
)

_CHAIN: Final = re.compile(r"\S+@\S+ (?:requires|updating to|imports)$|\b(?:imports|tested by)$")
"""A line of a chain of modules or packages, that goes on with the next one."""


_TRACED: Final = re.compile(r"\s*# get \S+: (?:200|404|410) .*\(\d+\.\d+s\)$")


def only_traced(text: str) -> bool:
    """Whether `go -x` tells of a question that was answered, with no as well: it asks for more than there is."""
    return text.endswith("s)") and bool(_TRACED.match(text))


_COMMAND: Final = re.compile(r"\s*go (?:list|mod download|get) -[^:]*:$")
"""How a module proxy puts the command that it ran before what that one said."""


def begins(text: str) -> bool:
    """Whether a text is the start of what go, git or a shell says."""
    return bool(_HEAD.match(text.lstrip()) or _GIT.match(text))


def speaks(text: str) -> bool:
    """Whether go or git says it: no other line can have been cut in two that matter."""
    return begins(text) or bool(_OPEN.search(text))


def _groups(lines: Iterable[Line]) -> Iterator[tuple[Line, ...]]:
    group: list[Line] = []
    for line in lines:
        if group and (len(group) >= LONGEST or not _continues(group[-1], line)):
            yield tuple(group)
            group = []
        group.append(line)
    if group:
        yield tuple(group)


def _continues(before: Line, line: Line) -> bool:
    text = line.text
    if text.lstrip().startswith("server response:"):
        return True
    if _GIT.match(text) and (_GIT.match(before.text) or _OPEN.search(before.text)):
        return True
    if _CHAIN.search(before.text) and not text.startswith(("go: ", "go get", "$ ")):
        return True
    if before.text.endswith(":") and _COMMAND.match(before.text):
        return True
    if text[0] in " \t":
        return not text.lstrip().startswith(("go: ", "verifying ", "$ "))
    return bool(_OPEN.search(before.text)) and not _HEAD.match(text)


def _message(group: tuple[Line, ...]) -> Message:
    own, said = _views("\n".join(line.text for line in group))
    return Message(group, own, said)


_RESPONSE: Final = re.compile(r"server response:")
_REPORT: Final = re.compile(
    r"(?:^|: )(?=not found: (?!<nil>)|bad request: |internal server error: )", re.MULTILINE
)


def _views(text: str) -> tuple[str, str]:
    """Splits at the first mark behind which somebody else speaks."""
    for mark in (_RESPONSE, _REPORT):
        parts = mark.split(text, maxsplit=1)
        if len(parts) == 2:
            return parts[0], parts[1]
    return text, ""
