"""The lab's name server, asked with plain sockets: what it sends is what a resolver would see."""

import asyncio
import errno
import struct
from typing import Any

import pytest

from goferry.lab.dns import Behaviour, DnsServer

A, AAAA, MX = 1, 28, 15


def query(name: str, qtype: int, number: int = 0x1234) -> bytes:
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack(">HHHHHH", number, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", qtype, 1)


class Asker(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answers: asyncio.Queue[bytes] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.answers.put_nowait(data)


async def ask(server: DnsServer, *datagrams: bytes) -> bytes:
    """The first answer to these datagrams."""
    loop = asyncio.get_running_loop()
    transport, asker = await loop.create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", server.port))
    try:
        for datagram in datagrams:
            transport.sendto(datagram)
        return await asyncio.wait_for(asker.answers.get(), 10)
    finally:
        transport.close()


def head(answer: bytes) -> tuple[int, int, int]:
    """Id, code and number of records."""
    number, flags, _questions, records = struct.unpack_from(">HHHH", answer)
    assert flags & 0x8000, "not an answer"
    return number, flags & 0xF, records


async def test_records_of_the_type_asked_for_are_answered() -> None:
    records = {"Module.example": ["192.0.2.7", "192.0.2.8", "2001:db8::7"]}
    async with DnsServer(records, ttl=17) as server:
        four = await ask(server, query("module.EXAMPLE", A))
        six = await ask(server, query("module.example", AAAA))
        none = await ask(server, query("module.example", MX))
    assert head(four) == (0x1234, 0, 2)
    assert four.endswith(struct.pack(">HHHIH", 0xC00C, A, 1, 17, 4) + bytes([192, 0, 2, 8]))
    assert head(six) == (0x1234, 0, 1)
    assert six.endswith(bytes.fromhex("20010db8000000000000000000000007"))
    assert head(none) == (0x1234, 0, 0)
    assert server.queries == [("module.example", "A"), ("module.example", "AAAA"), ("module.example", "15")]


@pytest.mark.parametrize(
    ("behaviour", "want"),
    [
        (Behaviour.SERVFAIL, (0x1234, 2, 0)),
        (Behaviour.NXDOMAIN, (0x1234, 3, 0)),
        (Behaviour.REFUSED, (0x1234, 5, 0)),
        (Behaviour.WRONG_ID, (0x1235, 0, 1)),
        (Behaviour.GARBAGE, (0x1234, 0, 9)),
    ],
)
async def test_each_behaviour_answers_in_its_way(behaviour: Behaviour, want: tuple[int, int, int]) -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}, behaviour) as server:
        assert head(await ask(server, query("module.example", A))) == want


async def test_an_unknown_name_does_not_exist() -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}) as server:
        assert head(await ask(server, query("other.example", A))) == (0x1234, 3, 0)


async def test_silence_notes_the_question_and_says_nothing() -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}, Behaviour.SILENCE) as server:
        asking = asyncio.ensure_future(ask(server, query("module.example", A, 1)))
        while not server.queries:  # noqa: ASYNC110  the question travels through the kernel
            await asyncio.sleep(0)
        server.behaviour = Behaviour.ANSWER
        answered = await ask(server, query("module.example", A, 2))
        assert head(answered)[0] == 2
        assert not asking.done()
        asking.cancel()


async def test_a_delay_holds_the_answer_back_and_closing_drops_it() -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}, delay=0.05) as server:
        assert head(await ask(server, query("module.example", A))) == (0x1234, 0, 1)
        server.delay = 3600
        asking = asyncio.ensure_future(ask(server, query("module.example", A)))
        while len(server.queries) < 2:  # noqa: ASYNC110  the question travels through the kernel
            await asyncio.sleep(0)
        asking.cancel()


@pytest.mark.parametrize(
    "datagram", [b"", b"x", bytes(12), query("module.example", A)[:-5], query("a" * 63, A)[:30]]
)
async def test_what_is_no_question_is_not_answered(datagram: bytes) -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}) as server:
        answer = await ask(server, datagram, query("module.example", A, 7))
    assert head(answer)[0] == 7
    assert len(server.queries) == 1


async def test_one_name_can_be_treated_otherwise() -> None:
    records = {"module.example": ["192.0.2.7"], "other.example": ["192.0.2.8"]}
    async with DnsServer(records, by_name={"Module.example": Behaviour.REFUSED}) as server:
        assert head(await ask(server, query("module.example", A))) == (0x1234, 5, 0)
        assert head(await ask(server, query("other.example", A))) == (0x1234, 0, 1)


async def test_an_injected_answer_comes_before_the_true_one() -> None:
    async with DnsServer(
        {"module.example": ["192.0.2.7"]}, injected={"module.example": ["192.0.2.66"]}
    ) as server:
        loop = asyncio.get_running_loop()
        transport, asker = await loop.create_datagram_endpoint(Asker, remote_addr=("127.0.0.1", server.port))
        try:
            transport.sendto(query("module.example", A))
            answers = [await asyncio.wait_for(asker.answers.get(), 10) for _ in range(2)]
        finally:
            transport.close()
    assert [answer[-4:] for answer in answers] == [bytes([192, 0, 2, 66]), bytes([192, 0, 2, 7])]


async def test_a_truncated_answer_is_whole_over_tcp() -> None:
    async with DnsServer({"module.example": ["192.0.2.7"]}, Behaviour.TRUNCATED, tcp=True) as server:
        short = await ask(server, query("module.example", A))
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        message = query("module.example", A)
        writer.write(struct.pack(">H", len(message)) + message)
        (length,) = struct.unpack(">H", await reader.readexactly(2))
        whole = await reader.readexactly(length)
        writer.close()
    assert struct.unpack_from(">H", short, 2)[0] & 0x0200
    assert head(short) == (0x1234, 0, 0)
    assert whole.endswith(bytes([192, 0, 2, 7]))


async def test_a_port_that_is_taken_for_streams_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken = asyncio.start_server, []

    async def once_taken(*args: Any, **more: Any) -> Any:
        if not taken:
            taken.append(args[2])
            raise OSError(errno.EADDRINUSE, "Address already in use")
        return await real(*args, **more)

    monkeypatch.setattr(asyncio, "start_server", once_taken)
    async with DnsServer({"a.example": ["192.0.2.1"]}, tcp=True) as server:
        assert server.port
    assert len(taken) == 1


async def test_a_port_that_was_asked_for_is_not_changed_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    async def taken(*_args: Any, **_more: Any) -> Any:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    async with DnsServer() as other:
        port = other.port
    monkeypatch.setattr(asyncio, "start_server", taken)
    with pytest.raises(OSError, match="already in use"):
        async with DnsServer(tcp=True, listen=("127.0.0.1", port)):
            pass
