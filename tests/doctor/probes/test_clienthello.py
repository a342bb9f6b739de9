"""First messages are what `go` sends, also to Go's own server, and answers are read in whatever portions they come."""

import contextlib
import itertools
import json
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import capture
import oracle
from goferry.doctor.probes.clienthello import (
    ALERTS,
    FirstFlight,
    Hello,
    alert_of,
    client_hello,
    go_sends_large,
    in_pieces,
)
from goferry.lab.middlebox import server_name
from goferry.lab.tls import Authority, Manners

NAME = "module.example"


def extensions(hello: bytes) -> list[tuple[int, bytes]]:
    """Numbers and contents, in order."""
    at = 5 + 4 + 2 + 32
    for width in (1, 2, 1):
        at += width + int.from_bytes(hello[at : at + width])
    at += 2
    found = []
    while at < len(hello):
        kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
        found.append((kind, hello[at + 4 : at + 4 + size]))
        at += 4 + size
    return found


# ---- writing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a.io", NAME, "x" * 40])
def test_the_small_message_fits_into_any_packet_and_the_large_one_into_none(name: str) -> None:
    small, large = client_hello(name, large=False), client_hello(name, large=True)
    assert len(small) < 300
    assert 1460 < len(large) < 1600
    assert max(map(len, in_pieces(large))) < 800
    assert b"".join(in_pieces(large)) == large
    assert server_name(small) == server_name(large) == name


@pytest.mark.parametrize("name", ["192.0.2.1", "2001:db8::1", ""])
def test_addresses_are_not_sent_as_names(name: str) -> None:
    assert 0 not in dict(extensions(client_hello(name, large=True)))


def test_a_final_dot_and_letters_beyond_ascii_are_sent_as_dns_writes_them() -> None:
    assert server_name(client_hello("module.example.", large=False)) == NAME
    assert server_name(client_hello("例子.example", large=False)) == "xn--fsqu00a.example"


def test_messages_differ_from_each_other() -> None:
    assert client_hello(NAME, large=True) != client_hello(NAME, large=True)


@pytest.mark.parametrize(
    ("version", "godebug", "expected"),
    [
        ("go1.21.13", "", False),
        ("go1.23.9", "", False),
        ("go1.24", "", True),
        ("go1.27.3", "", True),
        ("go1.27.3", "http2client=0,tlsmlkem=0", False),
        ("go1.27.3", "tlsmlkem=0,tlsmlkem=1", True),
        ("", "", True),
        ("devel go1.28-abc", "", True),
    ],
)
def test_go_sends_the_large_message_since_1_24_unless_told_otherwise(
    version: str, godebug: str, expected: bool
) -> None:
    assert go_sends_large(version, godebug) is expected


# ---- what Go sends, and what Go understands ----------------------------------------------------------------


def sent_by_go(**environ: str) -> bytes:
    """The first record that the real `go` writes to a server with a name."""
    with socket.socket() as listener, tempfile.TemporaryDirectory() as home:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(20)
        proxy = f"https://localhost:{listener.getsockname()[1]}"
        env = oracle.go_env(GOPROXY=proxy, GONOSUMDB="*", GOPATH=home, GOMODCACHE=home, **environ)
        argv = ["go", "list", "-m", "example.com/x@v1.0.0"]
        with subprocess.Popen(argv, env=env, cwd=home, stderr=subprocess.DEVNULL) as go:
            connection, _ = listener.accept()
            connection.settimeout(20)
            with connection, connection.makefile("rb") as stream:
                head = stream.read(5)
                record = head + stream.read(int.from_bytes(head[3:5]))
            go.wait()
    return record


_GROWING = {13, 50}
"""Signature schemes: newer versions of Go know more of them."""


def shape(hello: bytes) -> list[tuple[int, int]]:
    """The extensions with their lengths."""
    return [(kind, len(data)) for kind, data in extensions(hello) if kind not in _GROWING]


@pytest.mark.go
def test_the_large_message_has_the_shape_of_the_installed_go() -> None:
    theirs = sent_by_go(GODEBUG="tlsmlkem=1")
    ours = client_hello("localhost", large=True)
    assert shape(ours) == shape(theirs)
    assert [kind for kind, _ in extensions(ours)] == [kind for kind, _ in extensions(theirs)]
    assert abs(len(ours) - len(theirs)) <= 16


@pytest.mark.go
def test_the_small_message_has_the_shape_that_go_sends_on_demand() -> None:
    assert shape(client_hello("localhost", large=False)) == shape(sent_by_go(GODEBUG="tlsmlkem=0"))


SEEN_BY_TSHARK = (
    "tls.handshake.type",
    "tls.record.length",
    "tls.handshake.extensions_server_name",
    "tls.handshake.extensions_key_share_group",
    "tls.handshake.extensions_alpn_str",
    "tcp.segment.count",
    "_ws.malformed",
    "_ws.expert.message",
)


# whether it is large, the groups with a key share, in how many segments of 1460 bytes it travels
IN_THE_EYES_OF_TSHARK = [(True, ["4588", "29"], ["2"]), (False, ["29"], [])]


@pytest.mark.parametrize(("large", "shares", "segments"), IN_THE_EYES_OF_TSHARK)
def test_tshark_reads_the_message_whole_and_finds_nothing_odd(
    large: bool, shares: list[str], segments: list[str]
) -> None:
    hello = client_hello("proxy.example.org", large=large)
    kind, length, name, groups, protocols, count, malformed, experts = capture.fields(
        hello, *SEEN_BY_TSHARK
    ).values()
    assert (kind, length, name) == (["1"], [str(len(hello) - 5)], ["proxy.example.org"])
    assert (groups, protocols, count) == (shares, ["h2", "http/1.1"], segments)
    assert malformed == []
    assert [expert for expert in experts if "Connection establish request" not in expert] == []


def test_tshark_finds_a_damaged_message_odd() -> None:
    hello = bytearray(client_hello("proxy.example.org", large=False))
    hello[-34:-32] = b"\xff\xff"  # the length of the last key
    seen = capture.fields(bytes(hello), "_ws.expert.message")["_ws.expert.message"]
    assert [expert for expert in seen if "Connection establish request" not in expert] != []


@pytest.mark.go
@pytest.mark.parametrize("large", [True, False])
def test_tshark_takes_the_message_for_that_of_go(large: bool) -> None:
    """JA3: versions, cipher suites, extensions, groups and point formats, each in the order sent.

    A Go that sends the small message by itself knew no signature_algorithms_cert (50) yet.
    """
    capture.require_tshark()
    theirs = sent_by_go(GODEBUG=f"tlsmlkem={int(large)}")
    ours = client_hello("localhost", large=large)
    (of_go,) = capture.fields(theirs, "tls.handshake.ja3_full").values()
    (of_us,) = capture.fields(ours, "tls.handshake.ja3_full").values()
    assert of_us == [seen if large else seen.replace("-50", "") for seen in of_go] != []


@pytest.fixture(scope="module")
def go_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Any]]:
    """The port of a server of Go's crypto/tls, and the stream of what it understood."""
    if oracle.go_command() is None:
        pytest.skip("needs the go command")
    program = tmp_path_factory.mktemp("hello") / "helloserver"
    source = Path(__file__).parents[1] / "oracle/helloserver.go"
    subprocess.run(["go", "build", "-o", program, source], env=oracle.go_env(), check=True)
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield int(server.stdout.readline()), server.stdout
        server.kill()


@pytest.mark.go
@pytest.mark.parametrize("large", [False, True])
def test_go_understands_the_message_and_answers_it(go_server: tuple[int, Any], large: bool) -> None:
    port, said = go_server
    flight = FirstFlight()
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(client_hello(NAME, large=large))
        while not flight.is_over:
            data = connection.recv(4096)
            assert data
            flight.feed(data)
    understood = json.loads(said.readline())
    assert understood["name"] == NAME
    assert understood["protocols"] == ["h2", "http/1.1"]
    assert understood["versions"] == [0x0304, 0x0303]
    assert (0x11EC in understood["groups"]) is large
    assert understood["extensions"] == [kind for kind, _ in extensions(client_hello(NAME, large=large))]
    # A server that picks the post-quantum group has checked its key; it would have sent an alert otherwise.
    assert (flight.alert, flight.version, flight.complete) == (-1, "TLSv1.3", True)
    assert (flight.received > 1500) is large


# ---- reading -----------------------------------------------------------------------------------------------


def answered(hello: bytes, context: ssl.SSLContext) -> bytes:
    """What OpenSSL as a server answers to this message, its alert included."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = context.wrap_bio(incoming, outgoing, server_side=True)
    incoming.write(hello)
    with contextlib.suppress(ssl.SSLError):  # it wants the next flight, or has refused this one
        server.do_handshake()
    return outgoing.read()


def context_of(**manners: Any) -> ssl.SSLContext:
    return Authority().server_context([NAME], manners=Manners(**manners))


def read_in(portions: list[bytes]) -> FirstFlight:
    flight = FirstFlight()
    for portion in portions:
        flight.feed(portion)
    return flight


def in_bytes(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize("large", [False, True])
def test_a_flight_of_tls_1_3_is_seen_to_its_end(large: bool) -> None:
    flight = read_in([answered(client_hello(NAME, large=large), context_of())])
    assert (flight.version, flight.complete, flight.is_retry, flight.chain) == ("TLSv1.3", True, False, ())


def test_a_flight_of_tls_1_2_is_read_whole() -> None:
    context = context_of(newest=ssl.TLSVersion.TLSv1_2, client_certificate=True)
    flight = read_in([answered(client_hello(NAME, large=True), context)])
    assert (flight.version, flight.complete, flight.alpn) == ("TLSv1.2", True, "http/1.1")
    assert flight.wants_client_certificate
    assert len(flight.chain) == 2
    assert ssl.DER_cert_to_PEM_cert(flight.chain[0]).startswith("-----BEGIN CERTIFICATE")


def test_a_request_for_another_key_share_is_an_answer() -> None:
    context = context_of()
    context.set_ecdh_curve("secp521r1")
    flight = read_in([answered(client_hello(NAME, large=True), context)])
    assert (flight.is_retry, flight.complete, flight.version) == (True, True, "TLSv1.3")


@pytest.mark.parametrize("number", [40, 70, 112])
def test_an_alert_is_read_by_its_number(number: int) -> None:
    assert read_in([answered(client_hello(NAME, large=True), context_of(alert=number))]).alert == number


def test_a_warning_before_the_answer_ends_nothing() -> None:
    warning = b"\x15\x03\x03\x00\x02\x01\x70"
    flight = read_in([warning + answered(client_hello(NAME, large=False), context_of())])
    assert (flight.alert, flight.complete) == (-1, True)


def test_plain_http_is_shown_as_it_came() -> None:
    flight = read_in([b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100])
    assert flight.first_bytes.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert (len(flight.first_bytes), flight.is_garbage, flight.is_over) == (64, False, True)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x16\x03\x03\xff\xff" + bytes(10), id="a record that is too long"),
        pytest.param(b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03", id="a ServerHello that is too short"),
        pytest.param(b"\x14\x03\x03\x00\x01\x01" + b"HTTP/1.1", id="something else behind a record"),
        pytest.param(
            b"\x16\x03\x03\x00\x07\x0b\x00\x00\x03\x00\x00\x09", id="a certificate list past its end"
        ),
    ],
)
def test_broken_tls_is_garbage(data: bytes) -> None:
    assert read_in([data]).is_garbage


def test_silence_after_a_first_part_is_no_end() -> None:
    flight = answered(client_hello(NAME, large=True), context_of())
    part = read_in([flight[:200]])
    assert not part.is_over
    assert not part.is_plausibly_complete


_FLIGHTS = [
    answered(client_hello(NAME, large=True), context_of()),
    answered(client_hello(NAME, large=True), context_of(newest=ssl.TLSVersion.TLSv1_2)),
    b"\x15\x03\x03\x00\x02\x02\x28",
    b"\x15\x03\x03\x00\x02\x01\x70\x15\x03\x01\x00\x02\x02\x46",
]


@given(st.data())
def test_portions_do_not_matter(data: st.DataObject) -> None:
    flight = data.draw(st.sampled_from(_FLIGHTS))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(flight)), max_size=8)))
    ends = [0, *cuts, len(flight)]
    whole, cut = read_in([flight]), read_in([flight[a:b] for a, b in itertools.pairwise(ends)])
    assert cut == whole
    assert read_in(in_bytes(flight)) == whole


@given(
    st.one_of(
        st.binary(max_size=200), st.tuples(st.integers(0, 3), st.integers(0, 400), st.binary(max_size=9))
    )
)
def test_nothing_that_a_peer_sends_raises(odd: bytes | tuple[int, int, bytes]) -> None:
    if isinstance(odd, tuple):
        which, place, patch = odd
        flight = _FLIGHTS[which]
        odd = flight[:place] + patch + flight[place + len(patch) :]
    flight = read_in([odd])
    assert flight.received == len(odd)


# ---- alerts ------------------------------------------------------------------------------------------------


def reason_of(alert: int) -> str | None:
    """What OpenSSL calls it when a server ends the handshake with this alert."""
    authority = Authority()
    server_in, client_in = ssl.MemoryBIO(), ssl.MemoryBIO()
    refusing = authority.server_context(manners=Manners(alert=alert))
    server = refusing.wrap_bio(server_in, client_in, server_side=True)
    client = authority.client_context().wrap_bio(client_in, server_in, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    with pytest.raises(ssl.SSLError):
        server.do_handshake()
    with pytest.raises(ssl.SSLError) as refused:
        client.do_handshake()
    return refused.value.reason


def test_openssl_names_every_alert_as_we_do() -> None:
    reasons = {alert: reason_of(alert) for alert in ALERTS}
    named = {
        alert: reason for alert, reason in reasons.items() if reason
    }  # the newest and the oldest have no name
    assert len(named) > 25
    assert {alert: alert_of(reason) for alert, reason in named.items()} == {alert: alert for alert in named}


@pytest.mark.parametrize(
    "reason", [None, "", "WRONG_VERSION_NUMBER", "TLSV1_ALERT_OF_TOMORROW", "CERTIFICATE_VERIFY_FAILED"]
)
def test_other_reasons_are_no_alerts(reason: str | None) -> None:
    assert alert_of(reason) == -1


def test_the_shapes_have_the_names_of_the_records() -> None:
    assert [str(hello) for hello in Hello] == ["go", "small", "large", "pieces", "plain"]
