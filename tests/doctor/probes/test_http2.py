import asyncio
import ssl
import struct
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry.doctor.evidence import AnswerSeen, SettingsSeen
from goferry.doctor.probes.answers import Question
from goferry.doctor.probes.http2 import ask_http2, h2_context
from goferry.doctor.probes.reach import dialer
from goferry.lab.forward import ForwardProxy
from goferry.lab.tcp import Peer
from goferry.lab.tls import Authority
from goferry.net import Failure

DATA, HEADERS, RST, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, END_HEADERS, PADDED = 1, 4, 8
INTERNAL_ERROR = 2
OK = b"\x88"


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body


def headers(block: bytes = OK, flags: int = END_HEADERS) -> bytes:
    return frame(HEADERS, flags, 1, block)


def data(body: bytes, flags: int = END_STREAM) -> bytes:
    return frame(DATA, flags, 1, body)


def reset(code: int) -> bytes:
    return frame(RST, 0, 1, struct.pack(">I", code))


def goaway(last: int, code: int) -> bytes:
    return frame(GOAWAY, 0, 0, struct.pack(">II", last, code))


class Http2Peer(Peer):
    """Answers a request with these bytes and then does nothing, or closes. `blocks` holds the header blocks that it
    was sent. acks: its own settings and pings that have to be acknowledged before it answers."""

    def __init__(
        self, tls: ssl.SSLContext, answer: bytes, *, closes: bool = False, alpn: str = "h2", acks: int = 0
    ) -> None:
        tls.set_alpn_protocols([alpn])
        super().__init__(tls=tls)
        self._answer = answer
        self._closes = closes
        self._acks = acks
        self.blocks: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readexactly(24) == b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        writer.write(frame(SETTINGS, 0, 0) + frame(PING, 0, 0, b"12345678"))
        acks = 0
        while not self.blocks or acks < self._acks:
            head = await reader.readexactly(9)
            body = await reader.readexactly(int.from_bytes(head[:3], "big"))
            acks += head[4] == 1 and (head[3] == SETTINGS or (head[3] == PING and body == b"12345678"))
            if head[3] == HEADERS:
                self.blocks.append(body)
        writer.write(self._answer)
        await writer.drain()
        if not self._closes:
            await reader.read()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def ask(
    home: Path,
    authority: Authority,
    peer: Http2Peer,
    path: str = "/x",
    *,
    user: str = "",
    seconds: float = 20.0,
    patience: float = 20.0,
) -> AnswerSeen | None:
    (home / "ca.pem").write_bytes(authority.pem)
    here = world(home, {"first_byte": patience}, SSL_CERT_FILE=str(home / "ca.pem"))
    async with peer, dialer(here, SettingsSeen(), lambda: h2_context(here)) as dials:
        question = Question(f"https://{user}127.0.0.1:{peer.port}{path}", "http2", 0, most=1000)
        return await ask_http2(here, dials, question, seconds, lambda text: text.replace(PASSWORD, "…"))


# Vectors: RFC 7541, appendix A (static table), C.5.1 and C.6.1 (literal and Huffman forms of a status).
GOOD = [
    (headers() + data(b"hello"), 200, 5),
    (headers(b"\x8d") + data(b""), 404, 0),
    (headers(b"\x48\x03302", END_HEADERS | END_STREAM), 302, 0),
    (headers(b"\x48\x82\x64\x02", END_HEADERS | END_STREAM), 302, 0),
    (headers(b"\x08\x03502", END_HEADERS | END_STREAM), 502, 0),
    (headers(b"\x3f\xe1\x1f" + OK, END_HEADERS | END_STREAM), 200, 0),
    (headers(b"\x20" + OK, END_HEADERS | END_STREAM), 200, 0),
    (headers(b"\x48\x03103") + headers() + data(b"x"), 200, 1),
    (headers(b"\x02" + OK + b"\0\0", END_HEADERS | PADDED) + data(b"\x03abc\0\0\0", END_STREAM | PADDED), 200, 3),
    (headers() + data(b"x" * 600, 0) + data(b"x" * 600, 0), 200, 1200),
    (headers() + data(b"x", 0) + goaway(1, 0) + data(b"x"), 200, 2),
    (headers() + data(b"all", 0) + reset(0), 200, 3),
    (headers() + frame(0x42, 0, 1, b"unknown") + data(b"x"), 200, 1),
]  # fmt: skip


@pytest.mark.parametrize(("answer", "status", "size"), GOOD)
async def test_a_good_answer_is_read_to_its_end(
    answer: bytes, status: int, size: int, tmp_path: Path, authority: Authority
) -> None:
    peer = Http2Peer(authority.server_context(), answer)
    seen = await ask(tmp_path, authority, peer)
    assert seen is not None
    assert (seen.status, seen.size, seen.failure, seen.protocol) == (status, size, "", "HTTP/2")


BROKEN = [
    (reset(INTERNAL_ERROR), 0, "stream error: stream ID 1; INTERNAL_ERROR"),
    (headers() + data(b"x", 0) + reset(7), 200, "stream error: stream ID 1; REFUSED_STREAM"),
    (
        goaway(0, 0),
        0,
        "http2: server sent GOAWAY and closed the connection; LastStreamID=0, ErrCode=NO_ERROR",
    ),
    (goaway(1, 11), 0, "LastStreamID=1, ErrCode=ENHANCE_YOUR_CALM"),
    (reset(99), 0, "unknown error code 0x63"),
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", 0, "not HTTP/2"),
]


@pytest.mark.parametrize(("answer", "status", "text"), BROKEN)
async def test_what_breaks_is_said_in_the_words_of_go(
    answer: bytes, status: int, text: str, tmp_path: Path, authority: Authority
) -> None:
    seen = await ask(tmp_path, authority, Http2Peer(authority.server_context(), answer))
    assert seen is not None
    assert (seen.status, seen.failure) == (status, Failure.HTTP_PROTOCOL)
    assert text in seen.text


async def test_a_server_that_hangs_up_is_told_from_one_that_stalls(
    tmp_path: Path, authority: Authority
) -> None:
    closing = await ask(tmp_path, authority, Http2Peer(authority.server_context(), headers(), closes=True))
    silent = await ask(tmp_path, authority, Http2Peer(authority.server_context(), b""), patience=0.3)
    stalling = await ask(
        tmp_path, authority, Http2Peer(authority.server_context(), headers() + data(b"x", 0)), patience=0.3
    )
    assert closing is not None
    assert silent is not None
    assert stalling is not None
    assert (closing.failure, closing.text) == (Failure.HTTP_PROTOCOL, "the connection was closed")
    assert silent.failure == Failure.FIRST_BYTE_TIMEOUT
    assert stalling.failure == Failure.IDLE_TIMEOUT


async def test_when_the_time_is_over_a_slow_server_is_not_blamed(
    tmp_path: Path, authority: Authority
) -> None:
    silent, slow = await asyncio.gather(
        *(
            ask(tmp_path, authority, Http2Peer(authority.server_context(), answer), seconds=1.0)
            for answer in (b"", headers())
        )
    )
    assert silent is None
    assert slow is not None
    assert (slow.status, slow.failure) == (200, "")


async def test_a_server_without_http2_and_one_that_cannot_be_reached_give_no_record(
    tmp_path: Path, authority: Authority
) -> None:
    assert await ask(tmp_path, authority, Http2Peer(authority.server_context(), b"", alpn="http/1.1")) is None
    assert (
        await ask(tmp_path, authority, Http2Peer(Authority("other").server_context(), headers() + data(b"")))
        is None
    )


async def test_the_servers_own_settings_and_pings_are_acknowledged(
    tmp_path: Path, authority: Authority
) -> None:
    peer = Http2Peer(authority.server_context(), headers() + data(b""), acks=2)
    seen = await ask(tmp_path, authority, peer)
    assert seen is not None
    assert (seen.status, seen.failure) == (200, "")


async def test_the_request_says_what_is_asked_and_who_asks(tmp_path: Path, authority: Authority) -> None:
    peer = Http2Peer(authority.server_context(), headers() + data(b""))
    path = "/" + "a" * 200 + "/@v/v1.0.0.zip"
    seen = await ask(tmp_path, authority, peer, path, user=f"me:{PASSWORD.replace('$', '%24')}@")
    (block,) = peer.blocks
    assert block.startswith(b"\x82\x87\x04\x7f\x58" + path.encode() + b"\x01")
    assert block.endswith(b"\x1f\x08\x22Basic bWU6aHVudGVyMi1QYSRzdzByZA==")
    assert has_no_secret([seen], "bWU6", "hunter2")


async def test_the_forward_proxy_is_used_as_for_everything_else(tmp_path: Path, authority: Authority) -> None:
    peer = Http2Peer(authority.server_context(("mirror.example.org",)), headers() + data(b"ok"))
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    async with peer, ForwardProxy(routes={"mirror.example.org:443": ("127.0.0.1", peer.port)}) as proxy:
        here = world(tmp_path, SSL_CERT_FILE=str(tmp_path / "ca.pem"), HTTPS_PROXY=proxy.url)
        async with dialer(here, SettingsSeen(), lambda: h2_context(here)) as dials:
            seen = await ask_http2(here, dials, Question("https://mirror.example.org/x", "http2"), 5.0, str)
    assert seen is not None
    assert (seen.status, seen.via, seen.url) == (200, proxy.url, "https://mirror.example.org/x")
