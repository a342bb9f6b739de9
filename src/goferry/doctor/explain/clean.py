"""Bytes of any paste or log, as plain lines of text with their numbers.

What people paste is never clean: colours, carriage returns of progress bars, the prefixes of a dozen build tools,
Go's JSON with the error inside a string, UTF-16 from PowerShell, GBK from a Chinese console. All that goes here, so
that everything behind this file sees the lines as `go` and `git` wrote them. The input is read as a stream: of a huge
log only the lines that can matter are kept, and no more than a fixed number of them.
"""

import codecs
import html
import json
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from goferry.doctor.explain.languages import as_meant, matters_in_other_languages

CHUNK: Final = 1 << 17
"""Bytes read at once."""
SMALL: Final = 1 << 18
"""Up to this many characters every line is kept; behind it only those that can matter."""
LINE: Final = 8192
"""Characters of one line that are looked at; the rest of a longer one is dropped."""
KEPT: Final = 3000
"""Lines kept of an input from its start and, again, from its end."""
REPEATS: Final = 3
"""Times that a line of a huge input is kept."""
KINDS: Final = 100_000
"""Different lines of a huge input that are told apart."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line as the program wrote it, in English.

    number: counted over the input from 1; width: with what stood before it; said: in the language of its user, "" where
    that is English.
    """

    number: int
    text: str
    width: int = 0
    said: str = ""

    @property
    def shown(self) -> str:
        """What the user has seen."""
        return self.said or self.text


@dataclass(frozen=True, slots=True)
class Paste:
    """The lines of an input, cleaned. marks: what the prefixes that were taken off tell of the place."""

    lines: tuple[Line, ...]
    marks: frozenset[str] = frozenset()


def paste_of(chunks: Iterable[bytes]) -> Paste:
    """An input, cleaned. Never fails: bytes that mean nothing become replacement characters."""
    marks: set[str] = set()
    lines = tuple(
        Line(number, text, width)
        for number, raw in _kept(_numbered(_text(chunks)))
        for text, width in _clean(raw, marks)
    )
    return Paste(_unnumbered(lines), frozenset(marks))


_NUMBERED: Final = re.compile(r"^ {0,5}(\d{1,5})(?:[:.|)]? |\t|(?=[a-zA-Z$#]))")


def _unnumbered(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Without the numbers of the lines, which some pages copy along: every line has one, each the next."""
    found = [_NUMBERED.match(line.text) for line in lines]
    numbers = [int(m[1]) for m in found if m]
    if (
        len(lines) < 2
        or len(numbers) < len(lines)
        or numbers != list(range(numbers[0], numbers[0] + len(lines)))
    ):
        return lines
    return tuple(
        Line(line.number, line.text[m.end() :], line.width) for line, m in zip(lines, found, strict=True) if m
    )


# --- bytes to text -------------------------------------------------------------------------------------------------

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


_CONTROLS: Final = bytes(sorted({*range(32)} - {*b"\t\n\f\r\x1b\b\x07"}))


def _text(chunks: Iterable[bytes]) -> Iterator[str]:
    source = iter(chunks)
    head = b""
    while len(head) < 1024 and (more := next(source, b"")):
        head += more
    decoder = codecs.getincrementaldecoder(encoding_of(head))(errors="replace")
    for chunk in chain((head,), source):
        yield decoder.decode(chunk)
    yield decoder.decode(b"", final=True)


def encoding_of(head: bytes) -> str:
    """What the first bytes speak for: a mark, zeros at every other place, valid UTF-8; else GB18030.

    Latin-1 stands for no text at all: what can be read of it is ASCII.
    """
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and max(even, odd) > 8 * min(even, odd):
        return "utf-16-be" if even > odd else "utf-16-le"
    if len(head.translate(None, _CONTROLS)) < 0.95 * len(head):
        return "latin-1"
    for name in ("utf-8", "gb18030"):
        try:
            codecs.getincrementaldecoder(name)().decode(head)
        except UnicodeDecodeError:
            continue
        return name
    return "utf-8"


# --- text to lines -------------------------------------------------------------------------------------------------

# Plain texts, one of which stands in every line that a signature could need. Looked for one by one: that is many
# times faster than one expression with all of them.
_MATTERS: Final = (
    "dial ", "lookup ", "x509", "imeout", "timed out", "efused", " reset", "fatal: ", "exit status", "mismatch",
    "unrecognized", "andshake", "orbidden", "wsarecv", "connectex", "stream error", "GOAWAY", "enied", "o space",
    "unable to", "ot found", "toolchain", "unknown revision", "server response", "EOF", "certificate", "disabled",
    "malformed", "missing", "invalid", " 429 ", " 50", " 40", " 41", "GOPROXY", "declares its path", "go: could not",
)  # fmt: skip
_NO_DIGITS: Final = {ord(digit): None for digit in "0123456789"}


# What stands in a line that a program or the system wrote in another language, whatever that language is.
_HINTS: Final = ("://", " tcp ", "git", "curl", "/pkg/mod", "\\pkg\\mod")


def _may_matter(text: str) -> bool:
    """Whether a part of a huge log deserves a look at its lines."""
    return any(word in text for word in _MATTERS) or _hints(text)


def _matters(line: str) -> bool:
    return any(word in line for word in _MATTERS) or (_hints(line) and matters_in_other_languages(line))


def _hints(text: str) -> bool:
    return not text.isascii() and any(hint in text for hint in _HINTS)


def _numbered(texts: Iterable[str]) -> Iterator[tuple[int, str, bool]]:
    """Numbered lines; True with those behind the first SMALL characters, of which many are left out."""
    number, seen, rest = 1, 0, ""
    for text in texts:
        seen += len(text)
        huge = seen > SMALL
        text = rest + text
        if huge and not _may_matter(text):
            number += text.count("\n")
            rest = text[text.rfind("\n") + 1 :][:LINE]
            continue
        *whole, rest = text.split("\n")
        for line in whole:
            yield number, line[:LINE], huge
            number += 1
        if len(rest) > 2 * LINE:
            rest = rest[:LINE]  # a line without end: its start is enough
    yield number, rest[:LINE], seen > SMALL


def _kept(numbered: Iterable[tuple[int, str, bool]]) -> Iterator[tuple[int, str]]:
    """All lines of a small input; of a huge one those that can matter, the first and the last of them."""
    matter = _mattering(numbered)
    yield from islice(matter, KEPT)
    yield from deque(matter, maxlen=KEPT)


def _mattering(numbered: Iterable[tuple[int, str, bool]]) -> Iterator[tuple[int, str]]:
    """A huge log says the same again and again: of lines that differ in digits alone the first few are enough."""
    seen: Counter[int] = Counter()
    follows = False
    for number, line, huge in numbered:
        if not huge:
            yield number, line
        elif _matters(line) or (follows and line[:1] in ("\t", " ")):
            kind = hash(line.translate(_NO_DIGITS))
            if follows := seen[kind] < REPEATS and len(seen) < KINDS:
                seen[kind] += 1
                yield number, line
        else:
            follows = False


# --- one line ------------------------------------------------------------------------------------------------------

_ANSI: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[]_][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)
# Blanks that do not look like others, marks that nobody sees, and quotes as word processors and blogs set them.
_ODD: Final = str.maketrans(
    dict.fromkeys("\xa0\u2002\u2003\u2007\u2009\u202f\u3000", " ")
    | dict.fromkeys("\ufeff\u200b\u200e\u200f\u2060")
    | dict.fromkeys("“”„", '"')
    | dict.fromkeys("‘’‚", "'")
)
_LINK: Final = re.compile(r"\[([^][\n]{3,300})\]\(https?://[^()\s]*\)")
# Blanks that nobody wrote: what reads text out of a picture puts them into URLs.
_SPACED: Final = re.compile(r"\bhttp(s?) ?: ?/ ?/ ?(?=\w)")
_SPACED_HOST: Final = re.compile(r"(?<=[ /])([\w-]+(?:\.[\w-]+)*\.) (?=(?:cn|com|io|org|net|dev)(?:[:/]|$))")
# What some sites show in place of all that looks like a mail address, modules with their versions too.
_HIDDEN_ADDRESS: Final = re.compile(r"\[email\s*protected\]")
_ENTITY: Final = re.compile(r"&(?:#\d{2,6}|#x[0-9a-fA-F]{2,5}|quot|apos|lt|gt|amp|nbsp);")
_MARKUP: Final = re.compile(r"</?(?:pre|code|br|p|div|span|tt|samp|font|b|td|tr|li)\b[^<>]{0,200}/?>")
_STAMP: Final = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"
# What build tools put before each line, with the tag of the place that it gives away.
_PREFIXES: Final = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("", rf"^\W{{0,2}}{_STAMP}\W{{0,2}}\s"),  # GitHub, GitLab, Kubernetes and plain log stamps
        (
            "on_runner",
            r"^[^\t\n]{1,60}\t[^\t\n]{1,80}\t(?=\d{4}-\d\d-\d\dT\d\d:)",
        ),  # the log of a job, by `gh`
        ("on_runner", r"^[0-9a-f]{2}[OE][ +]"),  # GitLab, behind its stamp
        ("", r"^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [\w./-]+(?:\[\d+\])?:\s"),  # syslog
        ("", r"^[IWEF]\d{4} \d\d:\d\d:\d\d\.\d+ +\d+ [\w.-]+:\d+\] "),  # klog
        ("", r"^\[\d\d:\d\d:\d\d\] ?[WEi]?\s*:(?:\s+(?=\[)|[ \t]{1,2})"),  # TeamCity
        ("", r"^\(\d\d:\d\d:\d\d\) (?:(?:ERROR|INFO|WARNING|DEBUG): )?"),  # Bazel
        ("", r"^\[?\d\d:\d\d:\d\d(?:[.,]\d+)?\]?:?\s"),  # Jenkins
        ("", r"^\[[A-Za-z][\w .:/-]{0,60}\]\s"),  # Maven, Jenkins in parallel, kubectl, TeamCity's steps
        ("in_container", r"^#\d+ \d+\.\d+ "),  # BuildKit: step and seconds
        ("in_container", r"^#\d+ "),
        ("in_container", r"^\d+\.\d{2,3} "),  # BuildKit's summary of the failing step
        ("in_container", r"^ ?(?:=> )+# "),  # BuildKit in a terminal
        ("", r"^ {0,8}(?:=> ){0,2}(?:> ?)+"),  # quoted output: BuildKit, Nix, mail
        ("", r"^[a-z][\w.-]{1,40}> "),  # Nix, several builds at once
        ("", r"^\s*[│┃║╎▏] ?|^ {0,3}\| ?"),  # boxes, and tables of which somebody copied a column
        ("", r"^[-*•] "),  # items of a list
        ("", r"^Error: "),
        ("", r"^go(?:\.exe)? : "),  # what PowerShell puts before a native command's standard error
        ("", r"^ {0,4}remote:(?: {5,}| +-----> )(?=\s*\S)"),  # what a build on the server says to `git push`
        ("", r"^npm (?:ERR!|error) (?=\s*\S)"),
        ("", r"^(?:module\.)?[\w.\[\]\"-]+ \((?:local|remote)-exec\): "),  # Terraform
        ("on_runner", r"^##\[\w+\]"),  # GitHub
        ("on_runner", r"^::(?:error|warning|debug)(?: [^:]*)?::"),
        ("", r"^section_(?:start|end):\d+:\S*\s*"),  # GitLab
        ("in_container", r"^(?:INFO|ERRO|ERROR|WARN|DEBU|FATA)\[\d+\]\s"),  # logrus: kaniko, compose
        ("in_container", r"^[\w.-]{1,40}\s+\| "),  # docker compose: service | line
        ("", r"^(?:stdout|stderr)(?:: | [FP] )"),
    )
)
_JSON_TEXT: Final = re.compile(
    r'(?:"(?:Error|Err|Output|error|msg|message|log|stderr|stdout|err|output)"\s*:\s*'  # JSON
    r"|(?:^|(?<=\s))(?:msg|err|error|output|stderr)="  # logfmt
    r'|^\s*(?="(?:[^"\\]|\\.)*",?$))'  # a line of a list
    r'("(?:[^"\\]|\\.)*")'
)
_PROGRESS: Final = re.compile(r"^\W*\d[\d.,]* ?%?\W*$")
_ESCAPED: Final = re.compile(r"\\[nt]|\\\"")


def _clean(raw: str, marks: set[str]) -> Iterator[tuple[str, int]]:
    """The lines that one raw line holds, with their width: more than one behind carriage returns and inside JSON."""
    for part in as_meant(_ANSI.sub("", raw)).translate(_ODD).split("\r"):
        plain = _without_markup(part)
        for text in _unpacked(plain):
            stripped = without_prefixes(text.rstrip(), marks)
            if stripped.strip() and not _PROGRESS.match(stripped):
                yield stripped, width_of(plain) if text is plain else 0


def width_of(text: str) -> int:
    """The columns that a text takes in a terminal."""
    if text.isascii():
        return len(text)
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _without_markup(text: str) -> str:
    """Without what HTML and Markdown put around a line; escaped twice where a page quotes another one."""
    for _depth in range(2):
        if "&" in text and _ENTITY.search(text):
            text = _ENTITY.sub(lambda m: html.unescape(m[0]), text)
    if "<" in text:
        text = _MARKUP.sub("", text)
    if "](http" in text:
        text = _LINK.sub(r"\1", text)
    if ": /" in text or " :/" in text or "/ " in text or ". " in text:
        text = _SPACED_HOST.sub(r"\1", _SPACED.sub(r"http\1://", text))
    if "[email" in text:
        text = _HIDDEN_ADDRESS.sub("module@v0.0.0", text)
    if text.startswith("**") and text.rstrip().endswith("**"):
        text = text.strip().removeprefix("**").removesuffix("**")
    return text


def _unpacked(text: str) -> list[str]:
    found = [json.loads(m, strict=False) for m in _JSON_TEXT.findall(text) if _is_json(m)]
    if found:
        return [line for value in found for line in str(value).splitlines()]
    if text.count("\\n") and _ESCAPED.search(text):
        return text.replace("\\n", "\n").replace("\\t", "\t").replace('\\"', '"').split("\n")
    return [text.replace('\\"', '"')]


def _is_json(text: str) -> bool:
    try:
        json.loads(text, strict=False)
    except ValueError:
        return False
    return True


def without_prefixes(text: str, marks: set[str]) -> str:
    """Without what build tools put before each line; they nest, so it is done until nothing more comes off."""
    for _depth in range(4):
        before = text
        for mark, prefix in _PREFIXES:
            text, taken = prefix.subn("", text, count=1)
            if taken and mark:
                marks.add(mark)
        if text == before:
            break
    return text
