"""What goes over HTTP: status, headers and text of every answer and every error. Plain functions on plain values.

What the go command makes of it decides the form (cmd/go internal/web):
- only 200 is success; 404 and 410 let it go on to the next proxy, everything else stops it;
- the body of an error is shown if it is text/plain in UTF-8: at most 8 lines or 648 bytes, up to the first blank line.

Validators. The bytes of an immutable file never change on one server, but two servers may hold different bytes under
the same name (an .info with another Origin, a zip that was compressed differently), and a client may come back to
another of them for the rest of a file. So the ETag is made from the bytes: the size and a hash of the last 64 KiB,
which is all of a small file and the central directory of a zip, that is the names, sums and sizes of its members.
Servers with equal bytes agree on it, whenever and from wherever they got them; times and inodes would not.
"""

import email.utils
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

from goferry.errors import GoferryError, InvalidInput, NotFound, Unavailable, UpstreamError

Headers = list[tuple[bytes, bytes]]

TAIL: Final = 64 * 1024
"""How many bytes at the end of a file its ETag is made from."""

_TEXT: Final = b"text/plain; charset=utf-8"
_JSON: Final = b"application/json"

CONTENT_TYPES: Final = {
    "list": _TEXT,
    "latest": _JSON,
    "info": _JSON,
    "mod": _TEXT,
    "zip": b"application/zip",
}
_HASH_TILE_TYPE: Final = b"application/octet-stream"

FOREVER: Final = b"public, max-age=31536000, immutable"
ASK_AGAIN: Final = b"no-cache"
NEVER_KEEP: Final = b"no-store"

_NOT_FOUND_SECONDS: Final = 10
"""How long others may remember a 404. Short: a tag that was just pushed is asked for again at once."""

_RETRY_SECONDS: Final = 5
_MAX_ERROR_BYTES: Final = 600
_MAX_ERROR_LINES: Final = 7


@dataclass(frozen=True, slots=True)
class Content:
    """A complete answer before HTTP: what it is and where its bytes are. `mtime` is seconds since the epoch."""

    content_type: bytes
    cache_control: bytes
    size: int
    mtime: float
    etag: bytes
    body: bytes | None = None
    file: Path | str | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer. Its bytes are `body`, or the bytes [start, end) of `file`."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    file: Path | str | None = None
    start: int = 0
    end: int = 0


def content_type(kind: str, rest: str = "") -> bytes:
    """The content type of a kind of answer; `rest` is the path below a checksum database."""
    if kind == "sumdb":
        return _HASH_TILE_TYPE if rest.startswith("tile/") and "/data/" not in rest else _TEXT
    return CONTENT_TYPES[kind]


def cache_control(*, immutable: bool, stale: bool, fresh: float) -> bytes:
    """How long others may keep an answer. `fresh` is how long it counts as fresh here, in seconds."""
    if immutable:
        return FOREVER
    return ASK_AGAIN if stale else b"public, max-age=%d" % fresh


def etag_of(size: int, tail: bytes) -> bytes:
    """The strong validator of a file from its size and its last TAIL bytes (all of it when it is smaller)."""
    return b'"%x-%s"' % (size, hashlib.blake2b(tail, digest_size=12).hexdigest().encode())


def http_date(seconds: float) -> bytes:
    """The date form of HTTP headers."""
    return _http_date(int(seconds))


@lru_cache(maxsize=1024)  # files that were fetched together have few dates between them
def _http_date(seconds: int) -> bytes:
    return email.utils.formatdate(seconds, usegmt=True).encode()


# ---- success: whole, part, unchanged -----------------------------------------------------------------------


def whole(content: Content) -> Reply:
    """200 with everything."""
    return Reply(200, _headers(content, content.size), content.body or b"", content.file, 0, content.size)


def conditional(content: Content, asked: Mapping[bytes, bytes]) -> Reply:
    """200, 206, 304 or 416, as the request's conditions and range say (RFC 9110 sections 13.2.2 and 14.2).

    `asked` holds the request's headers, names in lower case. A range that is malformed, has several parts, or has
    an If-Range for other bytes is ignored: the whole answer is always right.
    """
    if _unchanged(content, asked):
        return Reply(304, _validators(content))
    wanted = asked.get(b"range")
    if wanted is None or not _same(content, asked.get(b"if-range")):
        return whole(content)
    span = parse_range(wanted, content.size)
    if span is None:
        return whole(content)
    if span == NOT_THERE:
        return _error_reply(
            416, ["range not satisfiable"], [(b"content-range", b"bytes */%d" % content.size)]
        )
    return _part(content, *span)


def _part(content: Content, start: int, end: int) -> Reply:
    headers = _headers(content, end - start)
    headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, content.size)))
    body = b"" if content.body is None else content.body[start:end]
    return Reply(206, headers, body, content.file, start, end)


NOT_THERE: Final = (0, 0)


def parse_range(value: bytes, size: int) -> tuple[int, int] | None:
    """The bytes [start, end) of a Range header; None when it is to be ignored, NOT_THERE when it lies outside.

    >>> parse_range(b"bytes=2-3", 10), parse_range(b"bytes=-4", 10), parse_range(b"bytes=10-", 10)
    ((2, 4), (6, 10), (0, 0))
    """
    unit, _, spec = value.partition(b"=")
    first, dash, last = spec.strip().partition(b"-")
    if unit.strip().lower() != b"bytes" or not dash or not _is_number(first) or not _is_number(last):
        return None
    if not first:
        if not last:
            return None
        return (max(0, size - int(last)), size) if int(last) and size else NOT_THERE
    start, end = int(first), int(last) + 1 if last else size
    if end <= start and last:
        return None
    return (start, min(end, size)) if start < size else NOT_THERE


def _is_number(text: bytes) -> bool:
    # isdigit of bytes knows ASCII digits only. Nineteen digits are more than any file has bytes.
    return not text or (text.isdigit() and len(text) < 20)


def _unchanged(content: Content, asked: Mapping[bytes, bytes]) -> bool:
    if (tags := asked.get(b"if-none-match")) is not None:
        return tags.strip() == b"*" or content.etag in (
            tag.strip().removeprefix(b"W/") for tag in tags.split(b",")
        )
    since = asked.get(b"if-modified-since")
    return since is not None and (date := _parse_date(since)) is not None and int(content.mtime) <= date


def _same(content: Content, if_range: bytes | None) -> bool:
    """Whether the bytes that the client has the first part of are these."""
    if if_range is None:
        return True
    # A date says too little: two files can be written within one second.
    return if_range.strip() == content.etag


def _parse_date(value: bytes) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value.decode("latin-1")).timestamp()
    except (ValueError, OverflowError):
        return None


def _validators(content: Content) -> Headers:
    return [
        (b"cache-control", content.cache_control),
        (b"etag", content.etag),
        (b"last-modified", http_date(content.mtime)),
    ]


def _headers(content: Content, length: int) -> Headers:
    headers = [
        (b"content-type", content.content_type),
        (b"content-length", b"%d" % length),
        *_validators(content),
    ]
    if content.size > TAIL:
        # Ranges of small files work too, but nobody asks for them, and each header costs 2 % of a small answer.
        headers.append((b"accept-ranges", b"bytes"))
    return headers


# ---- errors ------------------------------------------------------------------------------------------------


def error(failure: GoferryError, *, may_change: bool = False) -> Reply:
    """The answer for an error: the family gives the status, the first line says what happened, the next what to do.

    `may_change` is for a 404 that must not be remembered anywhere, such as "not in the store" of a cached-only
    request.
    """
    lines = _lines(str(failure)) + _lines(failure.hint or "")
    return _error_reply(failure.status, lines, _error_headers(failure, may_change=may_change))


def _error_headers(failure: GoferryError, *, may_change: bool) -> Headers:
    headers: Headers = []
    if isinstance(failure, NotFound | InvalidInput) and not may_change:
        headers.append((b"cache-control", b"public, max-age=%d" % _NOT_FOUND_SECONDS))
    else:
        headers.append((b"cache-control", NEVER_KEEP))
    if isinstance(failure, Unavailable) or failure.status == 503:
        headers.append((b"retry-after", b"%d" % _RETRY_SECONDS))
    return headers


def method_not_allowed() -> Reply:
    """405 with what is allowed."""
    return _error_reply(
        405,
        ["only GET and HEAD are answered here"],
        [(b"allow", b"GET, HEAD"), (b"cache-control", NEVER_KEEP)],
    )


def too_long() -> Reply:
    """414."""
    return _error_reply(414, ["the URL path is too long"], [(b"cache-control", NEVER_KEEP)])


def text(status: int, body: str, content_type: bytes = _TEXT, *extra: tuple[bytes, bytes]) -> Reply:
    """A small page made for this request."""
    data = body.encode()
    headers = [
        (b"content-type", content_type),
        (b"content-length", b"%d" % len(data)),
        (b"cache-control", NEVER_KEEP),
        *extra,
    ]
    return Reply(status, headers, data)


def _error_reply(status: int, lines: list[str], headers: Headers) -> Reply:
    body = _fitting(lines)
    head: Headers = [(b"content-type", _TEXT), (b"content-length", b"%d" % len(body)), *headers]
    # An error text never is HTML, whatever an upstream wrote into it.
    head.append((b"x-content-type-options", b"nosniff"))
    return Reply(status, head, body)


def _lines(text: str) -> list[str]:
    """Non-empty lines without control characters: go stops at the first blank line."""
    cleaned = (
        " ".join("".join(c if c.isprintable() else " " for c in line).split()) for line in text.splitlines()
    )
    return [line for line in cleaned if line]


def _fitting(lines: list[str]) -> bytes:
    """As many lines as go shows; the last one is cut between two characters if need be."""
    body = "\n".join(lines[:_MAX_ERROR_LINES]).encode()
    if len(body) > _MAX_ERROR_BYTES:
        body = body[:_MAX_ERROR_BYTES].decode("utf-8", "ignore").encode() + "…".encode()
    return body + b"\n"


def unexpected() -> GoferryError:
    """What the client hears about a fault of goferry itself; the log has the details."""
    return UpstreamError("internal error in goferry; its log says more")
