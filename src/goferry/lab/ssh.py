"""An ssh server that is really reached and really refuses: it proves its host key and then accepts no user's key.

Just enough of RFC 4253 and 4252 for that: one key exchange (curve25519-sha256, RFC 8731), one cipher (aes128-ctr), one
MAC (hmac-sha2-256), and "failure" to every attempt to log in.
"""

import asyncio
import os
import struct
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from goferry.lab.tcp import LOOPBACK, Peer

_BANNER: Final = b"SSH-2.0-goferry_lab"
_SERVICE_REQUEST, _SERVICE_ACCEPT, _KEXINIT, _NEWKEYS, _ECDH_INIT, _ECDH_REPLY = 5, 6, 20, 21, 30, 31
_USERAUTH_REQUEST, _USERAUTH_FAILURE = 50, 51
_ALGORITHMS: Final = (
    b"curve25519-sha256", b"ssh-ed25519", b"aes128-ctr", b"aes128-ctr", b"hmac-sha2-256", b"hmac-sha2-256",
    b"none", b"none", b"", b"",
)  # fmt: skip
"""Key exchange, host key, then ciphers, MACs, compressions and languages, each for both directions."""


@dataclass(slots=True)
class _Keys:
    """One direction after the key exchange."""

    cipher: Any
    mac: bytes


@dataclass(slots=True)
class _Line:
    """The binary packet protocol (RFC 4253, 6)."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    theirs: _Keys | None = None
    ours: _Keys | None = None
    received: int = 0
    sent: int = 0
    transcript: list[bytes] = field(default_factory=list)

    async def receive(self) -> bytes:
        """The next payload."""
        block = 4 if self.theirs is None else 16
        start = await self._read(block)
        (length,) = struct.unpack(">I", start[:4])
        body = start[4:] + await self._read(length + 4 - block)
        if self.theirs is not None:
            await self.reader.readexactly(32)  # a MAC that is not looked at: nothing is granted here anyway
        self.received += 1
        return body[1 : length - body[0]]

    async def _read(self, size: int) -> bytes:
        data = await self.reader.readexactly(size)
        return data if self.theirs is None else self.theirs.cipher.update(data)

    def send(self, payload: bytes) -> None:
        padding = 16 - (len(payload) + 5) % 16
        padding += 16 if padding < 4 else 0
        packet = struct.pack(">IB", len(payload) + 1 + padding, padding) + payload + os.urandom(padding)
        if self.ours is None:
            self.writer.write(packet)
        else:
            mac = hmac.HMAC(self.ours.mac, hashes.SHA256())
            mac.update(struct.pack(">I", self.sent) + packet)
            self.writer.write(self.ours.cipher.update(packet) + mac.finalize())
        self.sent += 1


class RefusingSsh(Peer):
    """The server, with a host key of its own."""

    def __init__(self, *, listen: tuple[str, int] = (LOOPBACK, 0)) -> None:
        super().__init__(listen=listen)
        self._host_key = Ed25519PrivateKey.generate()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_BANNER + b"\r\n")
        banner = (await reader.readline()).rstrip(b"\r\n")
        line = _Line(reader, writer)
        await self._exchange_keys(line, banner)
        while True:
            message = await line.receive()
            if message[0] == _SERVICE_REQUEST:
                line.send(bytes([_SERVICE_ACCEPT]) + message[1:])
            elif message[0] == _USERAUTH_REQUEST:
                line.send(bytes([_USERAUTH_FAILURE]) + _string(b"publickey") + b"\0")
            await writer.drain()

    async def _exchange_keys(self, line: _Line, banner: bytes) -> None:
        our_init = bytes([_KEXINIT]) + os.urandom(16) + b"".join(map(_string, _ALGORITHMS)) + b"\0" * 5
        line.send(our_init)
        their_init = await line.receive()
        message = await line.receive()
        while message[0] != _ECDH_INIT:
            message = await line.receive()
        their_share = message[5:37]
        key = X25519PrivateKey.generate()
        secret = _number(key.exchange(X25519PublicKey.from_public_bytes(their_share)))
        share = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        host_key = _string(b"ssh-ed25519") + _string(
            self._host_key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        )
        parts = (banner, _BANNER, their_init, our_init, host_key, their_share, share)
        digest = sha256(b"".join(map(_string, parts)) + secret).digest()
        signature = _string(b"ssh-ed25519") + _string(self._host_key.sign(digest))
        line.send(bytes([_ECDH_REPLY]) + _string(host_key) + _string(share) + _string(signature))
        line.send(bytes([_NEWKEYS]))
        line.ours = _keys(secret, digest, b"BDF")
        while (await line.receive())[0] != _NEWKEYS:
            pass
        line.theirs = _keys(secret, digest, b"ACE")


def _keys(secret: bytes, digest: bytes, letters: bytes) -> _Keys:
    """RFC 4253, 7.2: vector, cipher key and MAC key, each by its letter."""
    vector, key, mac = (sha256(secret + digest + bytes([letter]) + digest).digest() for letter in letters)
    cipher = Cipher(algorithms.AES(key[:16]), modes.CTR(vector[:16])).encryptor()
    return _Keys(cipher, mac)


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _number(data: bytes) -> bytes:
    """An mpint (RFC 4251): no leading zeros, and no leading one bit."""
    shorn = data.lstrip(b"\0")
    return _string(b"\0" + shorn if shorn and shorn[0] & 0x80 else shorn)
