"""Replies as bytes: what is a reply to the question is read, and nothing that anybody sends breaks the reader."""

import dns.flags
import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.doctor.dns import question
from goferry.doctor.dns.question import endpoint, failure_of, query, read
from goferry.errors import ConfigError
from scriptedns import says

ASKED = query("module.example.org.", 4)
REPLY = says(ASKED, "192.0.2.7", "192.0.2.8", ttl=17)


def test_a_question_is_shaped_as_go_shapes_it() -> None:
    asked = query("Module.Example.Org", 6)
    assert (asked.edns, asked.payload) == (0, question.PAYLOAD)
    assert "RD" in dns.flags.to_text(asked.flags)
    assert asked.question[0].to_text() == "Module.Example.Org. IN AAAA"


def test_ids_cannot_be_guessed_from_one_another() -> None:
    assert len({query("a.example.", 4).id for _ in range(64)}) > 32


def test_a_reply_is_read() -> None:
    reply = read(REPLY, ASKED)
    assert reply is not None
    assert (set(reply.addresses), reply.rcode, reply.ttl, reply.failure) == (
        {"192.0.2.7", "192.0.2.8"},
        "NOERROR",
        17,
        "",
    )


@pytest.mark.parametrize(
    "data",
    [
        REPLY[:11],
        ASKED.to_wire(),
        says(query("other.example.", 4), "192.0.2.7"),
        says(query("module.example.org.", 6), "2001:db8::7"),
        bytes([REPLY[0] ^ 1]) + REPLY[1:],
        b"",
    ],
    ids=["cut", "no reply", "other name", "other type", "other id", "nothing"],
)
def test_what_is_no_reply_to_the_question_is_none(data: bytes) -> None:
    assert read(data, ASKED) is None


@given(data=st.binary(max_size=600))
def test_random_bytes_do_no_harm(data: bytes) -> None:
    read(REPLY[:2] + data, ASKED)


@given(at=st.integers(0, len(REPLY) - 1), put=st.binary(max_size=4), cut=st.integers(0, 8))
def test_a_spoilt_reply_does_no_harm(at: int, put: bytes, cut: int) -> None:
    read(REPLY[:at] + put + REPLY[at + cut :], ASKED)


@pytest.mark.parametrize(
    ("server", "host", "port"),
    [
        ("192.0.2.53:53", "192.0.2.53", 53),
        ("[2001:db8::53]:5353", "2001:db8::53", 5353),
        ("192.0.2.53", "192.0.2.53", 53),
    ],
)
def test_a_server_is_an_address_with_a_port(server: str, host: str, port: int) -> None:
    assert endpoint(server)[1][:2] == (host, port)


@pytest.mark.parametrize("server", ["", "name:53", "192.0.2.53:0", "192.0.2.53:x"])
def test_what_is_no_server_is_refused(server: str) -> None:
    with pytest.raises(ConfigError):
        endpoint(server)


@pytest.mark.parametrize(
    ("error", "want"),
    [
        (PermissionError(1, "Operation not permitted"), "not_permitted"),
        (OSError(101, "Network is unreachable"), "network_unreachable"),
        (ConnectionRefusedError(111, "Connection refused"), "connect_refused"),
    ],
)
def test_failures_of_sockets_have_names(error: OSError, want: str) -> None:
    assert failure_of(error) == want
