"""One request over HTTP/2, frame by frame (RFC 9113, RFC 7541).

go speaks HTTP/2 to every mirror that offers it, and some intermediaries break it: they reset streams or say goodbye too
early. The client elsewhere here speaks HTTP/1.1, so a question that fails in this way alone names the culprit.
"""

import asyncio
import ssl
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from goferry import __version__
from goferry.doctor.base import World
from goferry.doctor.evidence import AnswerSeen
from goferry.doctor.probes.answers import Question, authorization, shown_url
from goferry.doctor.probes.reach import timeouts_of
from goferry.doctor.urls import split_url
from goferry.errors import GoferryError
from goferry.net import Failure, Trace
from goferry.net.dial import Dialer, Endpoint
from goferry.net.httpproxy import ProxyConfig, ProxyUrl
from goferry.net.trust import Trust

PROTOCOL: Final = "HTTP/2"

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8
_ACK, _END_STREAM, _END_HEADERS, _PADDED, _PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
_ENABLE_PUSH, _INITIAL_WINDOW = 2, 4
_WINDOW: Final = 1 << 24
_STREAM: Final = 1
_MOST_FRAME: Final = 1 << 14

_CODES: Final = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


class _Broken(Exception):
    """The server broke the exchange off; the text is what go would say of it."""


class _Stalled(Exception):
    """Nothing came for as long as one may wait."""


def h2_context(world: World) -> ssl.SSLContext:
    """The TLS settings of a client that go's would be: HTTP/2 if the server likes, else HTTP/1.1."""
    context = Trust(dict(world.environ)).context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def ask_http2(
    world: World, dials: Dialer, question: Question, seconds: float, clean: Callable[[str], str]
) -> AnswerSeen | None:
    """The answer over HTTP/2 to an https question; None where the server does not offer it, or cannot be reached.

    dials: connections with `h2_context`; seconds: for all of it. What breaks once HTTP/2 is agreed on is a failure of
    this record. None also if the time is over before the server had its own.
    """
    started = time.monotonic()
    failure, text = "", ""
    answer = _Answer()
    try:
        proxy = ProxyConfig.from_env(world.environ).proxy_for(question.url).proxy
        async with asyncio.timeout(seconds):
            connection = await _Connection.open(world, dials, question.url, proxy)
            if connection is None:
                return None
            failure, text = await _told(connection, question, answer, world.limits.first_byte)
    except (GoferryError, OSError, ValueError):
        if not answer.status:
            return None  # those who speak HTTP/1.1 meet the same and tell of it
    return AnswerSeen(
        url=shown_url(question.url, clean),
        purpose=question.purpose,
        entry=question.entry,
        status=answer.status,
        size=answer.size,
        protocol=PROTOCOL,
        seconds=time.monotonic() - started,
        failure=failure,
        text=clean(text),
        via="" if proxy is None else str(proxy),
    )


async def _told(
    connection: "_Connection", question: Question, answer: "_Answer", patience: float
) -> tuple[str, str]:
    """Failure and text of the exchange; both "" when it went well."""
    try:
        await connection.get(question, answer, patience)
    except _Stalled:
        return Failure.IDLE_TIMEOUT if answer.status else Failure.FIRST_BYTE_TIMEOUT, ""
    except EOFError:
        return Failure.HTTP_PROTOCOL, "the connection was closed"
    except (_Broken, ConnectionError) as exc:
        return Failure.HTTP_PROTOCOL, str(exc)
    finally:
        connection.close()
    return "", ""


@dataclass(slots=True)
class _Answer:
    status: int = 0
    size: int = 0


@dataclass(slots=True)
class _Connection:
    """A connection on which both sides have agreed on HTTP/2."""

    reader: asyncio.StreamReader
    transport: asyncio.Transport

    @classmethod
    async def open(
        cls, world: World, dials: Dialer, url: str, proxy: ProxyUrl | None
    ) -> "_Connection | None":
        parts = split_url(url)
        if parts.scheme != "https" or not parts.hostname:
            return None
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        target = Endpoint(parts.hostname, parts.port or 443, tls=True)
        transport, _protocol = await dials.dial(lambda: protocol, target, timeouts_of(world), Trace(), proxy)
        session: ssl.SSLObject = transport.get_extra_info("ssl_object")
        if session.selected_alpn_protocol() != "h2":
            transport.abort()
            return None
        return cls(reader, transport)

    def close(self) -> None:
        self.transport.abort()

    async def get(self, question: Question, answer: _Answer, patience: float) -> None:
        """One GET, up to the end of its body or as many bytes as are wanted.

        patience: seconds for each frame. Raises _Broken, _Stalled, ConnectionError, EOFError.
        """
        settings = struct.pack(">HIHI", _ENABLE_PUSH, 0, _INITIAL_WINDOW, _WINDOW)
        self.transport.write(
            _PREFACE
            + _frame(_SETTINGS, 0, 0, settings)
            + _frame(_WINDOW_UPDATE, 0, 0, struct.pack(">I", _WINDOW))
            + _frame(_HEADERS, _END_STREAM | _END_HEADERS, _STREAM, _request(question))
        )
        while answer.size < question.most:
            kind, flags, stream, body = await self._next(patience)
            if self._housekeeping(kind, flags, body) or stream != _STREAM:
                continue
            if kind == _RST_STREAM:
                _check_reset(body)
                return
            if kind == _HEADERS:
                answer.status = _status(_unpadded(body, flags)) or answer.status
            elif kind == _DATA:
                answer.size += len(_unpadded(body, flags & _PADDED))
            if kind in (_HEADERS, _DATA) and flags & _END_STREAM:
                return

    async def _next(self, patience: float) -> tuple[int, int, int, bytes]:
        try:
            async with asyncio.timeout(patience):
                return await self._frame()
        except TimeoutError as exc:
            raise _Stalled from exc

    async def _frame(self) -> tuple[int, int, int, bytes]:
        head = await self.reader.readexactly(9)
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        if length > _MOST_FRAME:
            raise _Broken(f"a frame of {length} bytes: not HTTP/2")
        stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        return kind, flags, stream, await self.reader.readexactly(length)

    def _housekeeping(self, kind: int, flags: int, body: bytes) -> bool:
        """Does what a frame about the connection asks for; says whether it was one. Raises _Broken."""
        if kind in (_SETTINGS, _PING) and not flags & _ACK:
            self.transport.write(_frame(kind, _ACK, 0, body if kind == _PING else b""))
        elif kind == _GOAWAY:
            _check_goodbye(body)
        return kind in (_SETTINGS, _PING, _GOAWAY, _WINDOW_UPDATE)


def _check_reset(body: bytes) -> None:
    code = int.from_bytes(body[:4], "big")
    if code:
        raise _Broken(f"stream error: stream ID {_STREAM}; {_name(code)}")


def _check_goodbye(body: bytes) -> None:
    """A goodbye that still answers our stream is a good one."""
    last, code = int.from_bytes(body[:4], "big") & 0x7FFFFFFF, int.from_bytes(body[4:8], "big")
    if code or last < _STREAM:
        raise _Broken(
            f"http2: server sent GOAWAY and closed the connection; LastStreamID={last}, ErrCode={_name(code)}"
        )


def _name(code: int) -> str:
    return _CODES[code] if code < len(_CODES) else f"unknown error code {code:#x}"


def _frame(kind: int, flags: int, stream: int, body: bytes) -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def _unpadded(body: bytes, flags: int) -> bytes:
    """The content of a DATA or HEADERS frame."""
    start, end = 0, len(body)
    if flags & _PADDED and body:
        start, end = 1, len(body) - body[0]
    if flags & _PRIORITY:
        start += 5
    return body[start:end]


# ---- headers -----------------------------------------------------------------------------------------------

# Places in the static table of RFC 7541.
_AUTHORITY, _GET, _PATH, _HTTPS, _ACCEPT_ENCODING, _AUTHORIZATION, _USER_AGENT = 1, 2, 4, 7, 16, 23, 58
_STATUSES: Final = {8: 200, 9: 204, 10: 206, 11: 304, 12: 400, 13: 404, 14: 500}
_STATUS_NAMES: Final = frozenset(_STATUSES)
# The codes of the ten digits in the table of RFC 7541, appendix B: the only text that a status can be.
_DIGITS: Final = {
    "00000": "0",
    "00001": "1",
    "00010": "2",
    "011001": "3",
    "011010": "4",
    "011011": "5",
    "011100": "6",
    "011101": "7",
    "011110": "8",
    "011111": "9",
}


def _request(question: Question) -> bytes:
    """The header block, all of it in literals that the other side does not have to keep."""
    parts = split_url(question.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    fields: Mapping[int, str] = {
        _PATH: path,
        _AUTHORITY: parts.netloc.rpartition("@")[2],
        _ACCEPT_ENCODING: "identity",
        _USER_AGENT: f"goferry/{__version__}",
    }
    block = bytes([0x80 | _GET, 0x80 | _HTTPS]) + b"".join(_literal(0x00, *each) for each in fields.items())
    secret = authorization(question).get("Authorization")
    return block if secret is None else block + _literal(0x10, _AUTHORIZATION, secret)


def _literal(kind: int, name: int, value: str) -> bytes:
    """kind: 0x00 for a field that is not to be kept, 0x10 for one that nobody may ever keep."""
    text = value.encode("latin-1", "replace")
    return _integer(kind, 4, name) + _integer(0x00, 7, len(text)) + text


def _integer(first: int, bits: int, number: int) -> bytes:
    most = (1 << bits) - 1
    if number < most:
        return bytes([first | number])
    number -= most
    out = [first | most]
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _integer_size(block: bytes, bits: int) -> int:
    """How many bytes the number takes that a block begins with."""
    most, size = (1 << bits) - 1, 1
    if block[0] & most == most:
        while size < len(block) and block[size] & 0x80:
            size += 1
        size += 1
    return size


def _status(block: bytes) -> int:
    """The status that a header block begins with; 0 for an interim answer, for a trailer, and for what cannot be read.

    Servers put it first, and nothing after it is needed.
    """
    while block and block[0] & 0xE0 == 0x20:  # a new size of the table may come before
        block = block[_integer_size(block, 5) :]
    if not block:
        return 0
    first = block[0]
    if first & 0x80:
        return _STATUSES.get(first & 0x7F, 0)
    name = first & (0x3F if first & 0x40 else 0x0F)
    if name not in _STATUS_NAMES or len(block) < 2:
        return 0
    length = block[1] & 0x7F
    value = block[2 : 2 + length]
    text = _unpacked(value) if block[1] & 0x80 else value.decode("latin-1")
    status = int(text) if len(text) == 3 and text.isdecimal() else 0
    return status if status >= 200 else 0


def _unpacked(value: bytes) -> str:
    """Digits from their Huffman code; the filling at the end is less than a byte of ones."""
    bits = "".join(f"{byte:08b}" for byte in value)
    text, code = "", ""
    for bit in bits:
        code += bit
        if code in _DIGITS:
            text += _DIGITS[code]
            code = ""
    return text
