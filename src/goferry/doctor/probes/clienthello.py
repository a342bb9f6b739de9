"""The first message of TLS as the `go` command writes it, and the server's answer to it, as far as it can be read.

Since Go 1.24 that message carries a post-quantum key share and fills two TCP segments; before, it fitted into one.
Devices on the path that look at a single segment drop or reset the large one, which Go reports as "TLS handshake
timeout". No library lets a caller choose, so the bytes are made here: the extensions, their order and their lengths
are those that Go 1.26 sends (seen on the wire, with and without GODEBUG=tlsmlkem=0).

Nothing here touches the network. Message formats: RFC 8446 sections 4 and 5, RFC 5246 section 7.4, RFC 7301.
"""

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from goferry.net.httpproxy import ip_of

Random = Callable[[int], bytes]

NEUTRAL_NAME: Final = "example.com"
"""A server name that no filter has anything against."""


class Hello(StrEnum):
    """How a first message is shaped: the values of `HandshakeSeen.hello`."""

    GO = "go"
    SMALL = "small"
    LARGE = "large"
    PIECES = "pieces"
    PLAIN = "plain"


# ---- writing -----------------------------------------------------------------------------------------------

_SUITES: Final = bytes.fromhex("c02bc02fc02cc030cca9cca8c009c013c00ac014130113021303")
_SIGNATURES: Final = bytes.fromhex("0804040308070805080604010501060105030603")
_OLD_SIGNATURES: Final = bytes.fromhex("02010203")  # with SHA-1: for certificates only
_ML_KEM_GROUPS: Final = (0x11EC, 0x11EB, 0x11ED)  # X25519MLKEM768, SecP256r1MLKEM768, SecP384r1MLKEM1024
_PLAIN_GROUPS: Final = (0x001D, 0x0017, 0x0018, 0x0019)  # X25519, P-256, P-384, P-521
_ML_KEM_MODULUS: Final = 3329
_ML_KEM_768_COEFFICIENTS: Final = 3 * 256
_PROTOCOLS: Final = (b"h2", b"http/1.1")


def client_hello(sni: str, *, large: bool, random: Random = os.urandom) -> bytes:
    """One TLS record with a ClientHello for this server name.

    The name "" and IP addresses are not sent, as in Go. large: about 1.5 kB, with the key share of X25519MLKEM768;
    else about 260 bytes plus the name, under 300 for any name of up to 40 characters: without that share and without
    signature_algorithms_cert, which a Go of that time did not send.
    Nobody holds the private keys, so the answer can be measured but not decrypted.
    """
    extensions = b"".join(_extension(kind, data) for kind, data in _extensions(sni, large, random))
    body = b"\x03\x03" + random(32) + _vector(1, random(32)) + _vector(2, _SUITES) + b"\x01\x00"
    body += _vector(2, extensions)
    return b"\x16\x03\x01" + _vector(2, b"\x01" + _vector(3, body))


def in_pieces(message: bytes) -> tuple[bytes, bytes]:
    """The message in two halves, each of which fits into a packet of any path."""
    middle = len(message) // 2
    return message[:middle], message[middle:]


def _extensions(sni: str, large: bool, random: Random) -> Iterator[tuple[int, bytes]]:
    """Number and content, in Go's order."""
    groups = (*_ML_KEM_GROUPS, *_PLAIN_GROUPS) if large else _PLAIN_GROUPS
    name = sni.rstrip(".")
    if name and ip_of(name) is None:
        yield 0, _vector(2, b"\x00" + _vector(2, name.encode("idna" if not name.isascii() else "ascii")))
    yield 11, b"\x01\x00"
    yield 0xFF01, b"\x00"
    yield 23, b""
    yield 18, b""
    yield 5, b"\x01\x00\x00\x00\x00"
    yield 10, _vector(2, b"".join(group.to_bytes(2) for group in groups))
    yield 13, _vector(2, _SIGNATURES)
    if large:
        yield 50, _vector(2, _SIGNATURES + _OLD_SIGNATURES)
    yield 16, _vector(2, b"".join(_vector(1, protocol) for protocol in _PROTOCOLS))
    yield 43, _vector(1, b"\x03\x04\x03\x03")
    yield 51, _vector(2, b"".join(_share(group, key) for group, key in _key_shares(large, random)))


def _key_shares(large: bool, random: Random) -> Iterator[tuple[int, bytes]]:
    """Every 32 bytes are an X25519 key; Go sends the same one in both shares."""
    elliptic = random(32)
    if large:
        yield 0x11EC, _ml_kem_key(random) + elliptic
    yield 0x001D, elliptic


def _ml_kem_key(random: Random) -> bytes:
    """An encapsulation key of ML-KEM-768 that passes the modulus check of FIPS 203, which servers make."""
    draws = random(2 * _ML_KEM_768_COEFFICIENTS)
    packed = 0
    for place in range(_ML_KEM_768_COEFFICIENTS):
        coefficient = int.from_bytes(draws[2 * place : 2 * place + 2]) % _ML_KEM_MODULUS
        packed |= coefficient << (12 * place)
    return packed.to_bytes(_ML_KEM_768_COEFFICIENTS * 12 // 8, "little") + random(32)


def _share(group: int, key: bytes) -> bytes:
    return group.to_bytes(2) + _vector(2, key)


def _extension(kind: int, data: bytes) -> bytes:
    return kind.to_bytes(2) + _vector(2, data)


def _vector(width: int, data: bytes) -> bytes:
    """Data behind its length of `width` bytes."""
    return len(data).to_bytes(width) + data


_GO_VERSION = re.compile(r"go1\.(\d+)")
_FIRST_LARGE: Final = 24


def go_sends_large(go_version: str, godebug: str = "") -> bool:
    """Whether this `go` sends the large message. go_version: as `go1.26.1`, "" for one of today.

    godebug: the effective GODEBUG; of several settings of one name the last counts.
    """
    match = _GO_VERSION.match(go_version)
    recent = match is None or int(match[1]) >= _FIRST_LARGE
    settings = dict(item.split("=", 1) for item in godebug.split(",") if "=" in item)
    return recent and settings.get("tlsmlkem") != "0"


# ---- reading -----------------------------------------------------------------------------------------------

_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _DATA = 20, 21, 22, 23
_SERVER_HELLO, _CERTIFICATE, _CERTIFICATE_REQUEST, _SERVER_HELLO_DONE = 2, 11, 13, 14
_FATAL = 2
_LONGEST_RECORD: Final = 16384 + 2048
_RETRY: Final = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""The random of a ServerHello that is a HelloRetryRequest: SHA-256 of that word (RFC 8446, 4.1.3)."""

_VERSIONS: Final = {0x0301: "TLSv1", 0x0302: "TLSv1.1", 0x0303: "TLSv1.2", 0x0304: "TLSv1.3"}
_FINISHED_RECORDS: Final = (53, 69)
"""Lengths of an encrypted record that holds a Finished of SHA-256 or SHA-384 alone: the end of the server's flight."""

_LEAST_FLIGHT: Final = 400
"""Fewer encrypted bytes cannot hold a certificate and its signature."""

_MOST_TEXT: Final = 64


@dataclass(slots=True)
class FirstFlight:
    """What a server sent after a ClientHello, read as it comes in.

    alert: number of a fatal alert, or -1; first_bytes: at most 64 bytes as text when it is no TLS; version: that of
    the ServerHello, "" before it; chain: DER certificates, readable up to TLS 1.2 only; complete: nothing more will
    come before the client speaks again, which the encrypted flight of TLS 1.3 shows only by the size of its records.
    """

    received: int = 0
    alert: int = -1
    first_bytes: str = ""
    version: str = ""
    alpn: str = ""
    is_retry: bool = False
    is_garbage: bool = False
    wants_client_certificate: bool = False
    chain: tuple[bytes, ...] = ()
    complete: bool = False
    _rest: bytes = field(default=b"", repr=False)
    _handshake: bytes = field(default=b"", repr=False)
    _encrypted: int = field(default=0, repr=False)

    def feed(self, data: bytes) -> None:
        """Takes the next bytes, in whatever portions they arrive. Never raises."""
        self.received += len(data)
        self._rest += data
        while not self.is_over and self._take_record():
            pass

    @property
    def is_over(self) -> bool:
        """Nothing that may still come would say more."""
        return self.complete or self.alert >= 0 or bool(self.first_bytes) or self.is_garbage

    @property
    def is_plausibly_complete(self) -> bool:
        """It stands at the end of a record and has had room for a certificate: if silence follows, that was all."""
        return self.complete or (not self._rest and self._encrypted >= _LEAST_FLIGHT)

    def _take_record(self) -> bool:
        """Reads one record; False when more bytes are needed."""
        if self._rest and not self._looks_like_tls():
            return False
        if len(self._rest) < 5:
            return False
        kind, length = self._rest[0], int.from_bytes(self._rest[3:5])
        if length > _LONGEST_RECORD:
            self.is_garbage = True
            return False
        if len(self._rest) < 5 + length:
            return False
        body, self._rest = self._rest[5 : 5 + length], self._rest[5 + length :]
        _READERS[kind](self, body)
        return True

    def _looks_like_tls(self) -> bool:
        if self._rest[0] in _READERS and self._rest[1:2] in (b"", b"\x03"):
            return True
        if self.received == len(self._rest):
            self.first_bytes = self._rest[:_MOST_TEXT].decode("latin-1")
        else:
            self.is_garbage = True
        return False

    def _on_alert(self, body: bytes) -> None:
        """A warning, such as 112 before a ServerHello, ends nothing."""
        if len(body) >= 2 and (body[0] == _FATAL or body[1] == 0):
            self.alert = body[1]

    def _on_data(self, body: bytes) -> None:
        self._encrypted += len(body)
        self.complete = self.complete or len(body) in _FINISHED_RECORDS

    def _on_change_cipher(self, _body: bytes) -> None:
        """Means nothing in TLS 1.3."""

    def _on_handshake(self, body: bytes) -> None:
        """Messages may span records, and a record may hold several."""
        self._handshake += body
        while len(self._handshake) >= 4:
            end = 4 + int.from_bytes(self._handshake[1:4])
            if len(self._handshake) < end:
                return
            kind, message = self._handshake[0], self._handshake[4:end]
            self._handshake = self._handshake[end:]
            try:
                self._on_message(kind, _Reader(message))
            except _TooShort:
                self.is_garbage = True
                return

    def _on_message(self, kind: int, message: "_Reader") -> None:
        if kind == _SERVER_HELLO:
            self._on_server_hello(message)
        elif kind == _CERTIFICATE:
            self.chain = tuple(message.inner(3).vectors(3))
        elif kind == _CERTIFICATE_REQUEST:
            self.wants_client_certificate = True
        elif kind == _SERVER_HELLO_DONE:
            self.complete = True

    def _on_server_hello(self, message: "_Reader") -> None:
        version = int.from_bytes(message.take(2))
        self.is_retry = message.take(32) == _RETRY
        message.inner(1)
        message.take(3)  # cipher suite, compression
        extensions = message.inner(2) if message.left else _Reader(b"")
        while extensions.left:
            kind, data = int.from_bytes(extensions.take(2)), extensions.inner(2)
            if kind == 43:
                version = int.from_bytes(data.take(2))
            elif kind == 16:
                self.alpn = data.inner(2).inner(1).rest().decode("latin-1")
        self.version = _VERSIONS.get(version, f"0x{version:04x}")
        self.complete = self.complete or self.is_retry


_READERS: Final[dict[int, Callable[[FirstFlight, bytes], None]]] = {
    _CHANGE_CIPHER: FirstFlight._on_change_cipher,
    _ALERT: FirstFlight._on_alert,
    _HANDSHAKE: FirstFlight._on_handshake,
    _DATA: FirstFlight._on_data,
}


class _TooShort(Exception):
    """A length inside a message points past its end."""


class _Reader:
    """Walks through the fields of a message."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, count: int) -> bytes:
        if count > self.left:
            raise _TooShort
        self._at += count
        return self._data[self._at - count : self._at]

    def rest(self) -> bytes:
        return self.take(self.left)

    def inner(self, width: int) -> "_Reader":
        """The content behind a length of `width` bytes."""
        return _Reader(self.take(int.from_bytes(self.take(width))))

    def vectors(self, width: int) -> Iterator[bytes]:
        """All contents behind lengths of `width` bytes, to the end."""
        while self.left:
            yield self.inner(width).rest()


# ---- alerts ------------------------------------------------------------------------------------------------

ALERTS: Final = {
    0: "close_notify",
    10: "unexpected_message",
    20: "bad_record_mac",
    21: "decryption_failed",
    22: "record_overflow",
    30: "decompression_failure",
    40: "handshake_failure",
    41: "no_certificate",
    42: "bad_certificate",
    43: "unsupported_certificate",
    44: "certificate_revoked",
    45: "certificate_expired",
    46: "certificate_unknown",
    47: "illegal_parameter",
    48: "unknown_ca",
    49: "access_denied",
    50: "decode_error",
    51: "decrypt_error",
    60: "export_restriction",
    70: "protocol_version",
    71: "insufficient_security",
    80: "internal_error",
    86: "inappropriate_fallback",
    90: "user_cancelled",
    100: "no_renegotiation",
    109: "missing_extension",
    110: "unsupported_extension",
    111: "certificate_unobtainable",
    112: "unrecognized_name",
    113: "bad_certificate_status_response",
    114: "bad_certificate_hash_value",
    115: "unknown_psk_identity",
    116: "certificate_required",
    120: "no_application_protocol",
    121: "ech_required",
}
"""TLS alert descriptions of the IANA registry."""

_NUMBERS: Final = {name: number for number, name in ALERTS.items()}
_REASON = re.compile(r"(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?(.+)")


def alert_of(reason: str | None) -> int:
    """The alert that OpenSSL names in the reason of an error, such as TLSV1_ALERT_UNKNOWN_CA; -1 when it names none."""
    match = _REASON.fullmatch(reason or "")
    return _NUMBERS.get(match[1].lower(), -1) if match else -1
