"""Pinned addresses in a hosts file: marked blocks that can be put in and taken out without touching any other byte.

A hosts file belongs to its owner: odd encodings, tabs, CRLF and a missing last newline are theirs and stay. So all of
this works on bytes, a block is recognised only in exactly the form that is written here, and what looks broken is left
alone. Pinning and then removing gives the bytes from before.

    # goferry begin proxy.example.org expires 2026-11-30
    192.0.2.7<TAB>proxy.example.org
    # goferry end

A file whose last line has no newline gets one before the block; the block remembers, and takes it along when it goes.
"""

import datetime
import ipaddress
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from goferry.errors import InvalidInput

_GLUE: Final = " after a line without newline"
_BEGIN: Final = re.compile(
    rb"# goferry begin (?P<name>[a-z0-9.-]+) expires (?P<date>\d{4}-\d\d-\d\d)(?P<glue> after a line without newline)?"
)
_ENTRY: Final = re.compile(rb"(?P<address>[0-9A-Fa-f.:]+)[ \t]+(?P<name>[a-z0-9.-]+)")
_END: Final = b"# goferry end"
_MARK: Final = re.compile(rb"[ \t]*#[ \t]*goferry[ \t]+(begin|end)\b", re.IGNORECASE)
_LINES: Final = re.compile(rb"[^\n]*\n|[^\n]+")
_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")

_LABEL: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_MAX_NAME: Final = 253


@dataclass(frozen=True, slots=True)
class Block:
    """One pinned name as it stands in the file. start, end: byte offsets; line: of its first line, from 1."""

    name: str
    addresses: tuple[str, ...]
    expires: datetime.date
    start: int
    end: int
    line: int
    newline: bytes = b"\n"
    is_glued: bool = False

    def is_expired(self, today: datetime.date) -> bool:
        """Whether its last day has passed."""
        return today > self.expires


@dataclass(frozen=True, slots=True)
class Stray:
    """A line of ours that belongs to no whole block; it is never touched. `line` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A hosts file by what is ours in it."""

    blocks: tuple[Block, ...]
    strays: tuple[Stray, ...]


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    start: int
    raw: bytes

    @property
    def text(self) -> bytes:
        return self.raw.removesuffix(b"\n").removesuffix(b"\r")

    @property
    def newline(self) -> bytes:
        return self.raw[len(self.text) :]

    @property
    def end(self) -> int:
        return self.start + len(self.raw)


# ---- reading -----------------------------------------------------------------------------------------------


def parse(data: bytes) -> Parsed:
    """Our blocks, and lines that look like ours without being part of a whole block.

    Raises InvalidInput for UTF-16 and other files with NUL bytes, which no resolver reads as a hosts file.
    """
    if data.startswith(_UTF16) or b"\0" in data:
        raise InvalidInput(
            "the hosts file holds NUL bytes, as UTF-16 does: no program reads its names",
            hint="save it as UTF-8 first",
        )
    if b"goferry" not in data.lower():
        # Lists against advertisements have some hundred thousand lines, and most files have none of ours.
        return Parsed((), ())
    lines = list(_lines(data))
    blocks: list[Block] = []
    strays: list[Stray] = []
    at = 0
    while at < len(lines):
        block, used = _block(lines, at) if _MARK.match(lines[at].text) else (None, 1)
        if block is not None:
            blocks.append(block)
        elif _MARK.match(lines[at].text):
            strays.append(Stray(lines[at].number, lines[at].text.decode("latin-1").strip()))
        at += used
    return Parsed(tuple(blocks), tuple(strays))


def _lines(data: bytes) -> Iterator[_Line]:
    for number, match in enumerate(_LINES.finditer(data), 1):
        yield _Line(number, match.start(), match[0])


def _block(lines: Sequence[_Line], at: int) -> tuple[Block | None, int]:
    """The whole block that starts with this line, and how many lines it takes; else None and 1."""
    first = lines[at]
    begin = _BEGIN.fullmatch(first.text)
    if begin is None or not first.newline:
        return None, 1
    addresses: list[str] = []
    for place in range(at + 1, len(lines)):
        line, used = lines[place], place - at + 1
        entry = _ENTRY.fullmatch(line.text)
        if line.text == _END and addresses:
            block = _finished(begin, addresses, first, line)
            return (block, used) if block else (None, 1)
        if entry is None or entry["name"] != begin["name"] or not _is_address(entry["address"].decode()):
            break
        addresses.append(entry["address"].decode())
    return None, 1


def _finished(begin: "re.Match[bytes]", addresses: Sequence[str], first: _Line, last: _Line) -> Block | None:
    try:
        expires = datetime.date.fromisoformat(begin["date"].decode())
    except ValueError:
        return None
    return Block(
        begin["name"].decode(),
        tuple(addresses),
        expires,
        first.start,
        last.end,
        first.number,
        first.newline,
        begin["glue"] is not None,
    )


def others(data: bytes, name: str) -> tuple[tuple[int, str], ...]:
    """Lines outside of our blocks that name this host: number and address. To every resolver they count beside ours."""
    if name.encode() not in data.lower():
        return ()
    ours = {
        line.number
        for block in parse(data).blocks
        for line in _lines(data)
        if block.start <= line.start < block.end
    }
    found = []
    for line in _lines(data.removeprefix(_BOM)):
        words = line.text.partition(b"#")[0].decode("latin-1").lower().split()
        if line.number not in ours and name in (word.rstrip(".") for word in words[1:]):
            found.append((line.number, words[0]))
    return tuple(found)


# ---- editing -----------------------------------------------------------------------------------------------


def pin(data: bytes, name: str, addresses: Sequence[str], expires: datetime.date) -> bytes:
    """The file with this name pinned: its block replaced where it stands, or a new one at the end.

    name: as `host_name` gives it; addresses: IP literals without zone, at least one. Raises InvalidInput.
    """
    if not addresses:
        raise InvalidInput("{name}: no address to pin", name=name)
    plain = [plain_address(address) for address in addresses]
    blocks = parse(data).blocks
    mine = [block for block in blocks if block.name == name]
    if mine:
        first, *doubles = mine
        for double in reversed(doubles):
            data = _cut(data, double)
        new = _written(name, plain, expires, first.newline, glued=first.is_glued)
        return data[: first.start] + new + data[_end_of(data, first) :]
    newline = _newline(strip(data))
    if not data or data.endswith(b"\n"):
        return data + _written(name, plain, expires, newline, glued=False)
    # A newline that only ends a block of ours need not be taken back.
    glued = not (blocks and blocks[-1].end == len(data))
    return data + newline + _written(name, plain, expires, newline, glued=glued)


def _end_of(data: bytes, block: Block) -> int:
    """The end of a block whose later neighbours were cut; a neighbour's going may have changed nothing before it."""
    return next(found.end for found in parse(data).blocks if found.start == block.start)


def remove(data: bytes, names: Collection[str]) -> bytes:
    """The file without the blocks of these names."""
    for block in reversed(parse(data).blocks):
        if block.name in names:
            data = _cut(data, block)
    return data


def strip(data: bytes) -> bytes:
    """The file without any block of ours."""
    return remove(data, {block.name for block in parse(data).blocks})


def _cut(data: bytes, block: Block) -> bytes:
    before, after = data[: block.start], data[block.end :]
    if not block.is_glued or not before.endswith(block.newline):
        return before + after
    if not after:
        return before[: -len(block.newline)]
    follower = next((other for other in parse(data).blocks if other.start == block.end), None)
    if follower is not None and follower.newline == block.newline:
        # The next block now stands behind the line without newline, and has to remember it.
        heir = _written(follower.name, follower.addresses, follower.expires, follower.newline, glued=True)
        return before + heir + data[follower.end :]
    return before + after


def _written(
    name: str, addresses: Sequence[str], expires: datetime.date, newline: bytes, *, glued: bool
) -> bytes:
    lines = [
        f"# goferry begin {name} expires {expires.isoformat()}{_GLUE if glued else ''}",
        *(f"{address}\t{name}" for address in addresses),
        _END.decode(),
    ]
    return b"".join(line.encode("ascii") + newline for line in lines)


def _newline(data: bytes) -> bytes:
    """The file's own line ending, by its first line."""
    first = _LINES.match(data)
    return b"\r\n" if first and first[0].endswith(b"\r\n") else b"\n"


# ---- names and addresses -----------------------------------------------------------------------------------


def host_name(text: str) -> str:
    """The name in the form that is written: lower case, punycode, no final dot. Raises InvalidInput.

    >>> host_name("Proxy.Example.ORG."), host_name("示例.com")
    ('proxy.example.org', 'xn--fsq092h.com')
    """
    name = text.strip().lower().removesuffix(".")
    if not name.isascii():
        name = _punycode(name)
    labels = name.split(".")
    is_name = len(name) <= _MAX_NAME and all(_LABEL.fullmatch(label) for label in labels)
    if not is_name or labels[-1].isdigit():
        raise InvalidInput("{name!r} is no host name", name=text)
    if labels[-1] == "localhost":
        raise InvalidInput("{name} means this machine itself: nobody else is asked about it", name=name)
    return name


def _punycode(name: str) -> str:
    import idna  # its tables are slow to load, and few names need them

    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return name


def plain_address(text: str) -> str:
    """The address as it is written, without zone. Raises InvalidInput for what a hosts file cannot hold."""
    try:
        found = ipaddress.ip_address(text.strip())
    except ValueError as error:
        raise InvalidInput("{address!r} is no IP address", address=text) from error
    if isinstance(found, ipaddress.IPv6Address) and found.scope_id:
        raise InvalidInput(
            "{address}: an address with a zone means something on one machine only", address=text
        )
    return str(found)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
