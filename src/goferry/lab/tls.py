"""Throw-away certificates: an authority, good leaves, and leaves with one thing wrong.

Needs the `cryptography` package, which is loaded on first use and is no run-time dependency of the server.
"""

import asyncio
import datetime
import ipaddress
import ssl
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from goferry.errors import Unavailable
from goferry.lab.tcp import LOOPBACK, Peer

_USES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip
_DAY: Final = datetime.timedelta(days=1)


class Leaf(StrEnum):
    """What is wrong with a server's certificate."""

    GOOD = "good"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_HOST = "wrong_host"


@dataclass(frozen=True, slots=True)
class Manners:
    """How a server behaves in the handshake. An ordinary one by default.

    alert: the handshake ends with this alert (70, 40, 112 ...) as soon as the client has said whom it wants;
    client_certificate: one is wanted, and none that a client could have will do; incomplete: the certificate is sent
    without those that lead to the root; newest: the newest version that is spoken; protocols: for ALPN, best first.
    """

    alert: int | None = None
    client_certificate: bool = False
    incomplete: bool = False
    newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED
    protocols: tuple[str, ...] = ("http/1.1",)

    @property
    def refuses(self) -> bool:
        """Whether no handshake can succeed."""
        return self.alert is not None or self.client_certificate


ORDINARY = Manners()


class Authority:
    """A certificate authority made up on the spot. Clients that load `pem` trust its leaves; all others do not.

    organization: the company in its name; now: the moment that validity is counted from (UTC); parent: who signs this
    authority; by default it signs itself.
    """

    def __init__(
        self,
        name: str = "goferry lab",
        *,
        organization: str = "",
        now: datetime.datetime | None = None,
        parent: "Authority | None" = None,
    ) -> None:
        x509, ec, _ = _cryptography()
        self._now = now or datetime.datetime.now(datetime.UTC)
        self._key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]
        if organization:
            attributes.insert(0, x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, organization))
        self._subject = x509.Name(attributes)
        self._parent = parent
        validity = (self._now - 30 * _DAY, self._now + 3650 * _DAY)
        self._certificate = (parent or self)._certified(
            self._subject, self._key.public_key(), validity, authority=True
        )

    @property
    def pem(self) -> bytes:
        """The authority's own certificate."""
        return _pem(self._certificate)

    @property
    def chain(self) -> bytes:
        """This authority's certificate and those above it, the root last."""
        return self.pem + (b"" if self._parent is None else self._parent.chain)

    def server_context(
        self,
        hosts: Sequence[str] = ("127.0.0.1", "localhost"),
        leaf: Leaf = Leaf.GOOD,
        manners: Manners = ORDINARY,
    ) -> ssl.SSLContext:
        """The TLS settings of a server for these names and addresses, with a leaf of this kind."""
        certificate, key = self.issue(hosts, leaf)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(list(manners.protocols))
        context.maximum_version = manners.newest
        # ssl reads certificates from files only.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "server.pem")
            path.touch(mode=0o600)
            path.write_bytes(key + certificate + (b"" if manners.incomplete else self.chain))
            context.load_cert_chain(path)
        if manners.alert is not None:
            context.sni_callback = _refusing(manners.alert)
        if manners.client_certificate:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=Authority("nobody's clients").pem.decode("ascii"))
        return context

    def client_context(self) -> ssl.SSLContext:
        """The TLS settings of a client that trusts this authority and no other."""
        return ssl.create_default_context(cadata=self.pem.decode("ascii"))

    def issue(self, hosts: Sequence[str], leaf: Leaf = Leaf.GOOD) -> tuple[bytes, bytes]:
        """Certificate and private key, both as PEM."""
        x509, ec, serialization = _cryptography()
        key = ec.generate_private_key(ec.SECP256R1())
        names = ("wrong.example.net",) if leaf is Leaf.WRONG_HOST else tuple(hosts)
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        certificate = self._certified(subject, key.public_key(), self._validity(leaf), names=names)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return _pem(certificate), private

    def _validity(self, leaf: Leaf) -> tuple[datetime.datetime, datetime.datetime]:
        return {
            Leaf.EXPIRED: (self._now - 29 * _DAY, self._now - _DAY),
            Leaf.NOT_YET_VALID: (self._now + _DAY, self._now + 30 * _DAY),
        }.get(leaf, (self._now - _DAY, self._now + 30 * _DAY))

    def _certified(
        self,
        subject: Any,
        public_key: Any,
        validity: tuple[datetime.datetime, datetime.datetime],
        *,
        names: Sequence[str] = (),
        authority: bool = False,
    ) -> Any:
        x509, _, _ = _cryptography()
        from cryptography.hazmat.primitives import hashes

        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._subject)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(validity[0])
            .not_valid_after(validity[1])
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(_usage(authority), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(_san(names)), critical=False)
        return builder.sign(self._key, hashes.SHA256())


class Refuser(Peer):
    """A server whose handshake never succeeds, and which says why by an alert.

    asyncio's own TLS drops the connection before the alert is out, so the handshake is driven here.
    """

    def __init__(self, context: ssl.SSLContext, *, listen: tuple[str, int] = (LOOPBACK, 0)) -> None:
        super().__init__(listen=listen)
        self._context = context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
        connection = self._context.wrap_bio(received, sent, server_side=True)
        refused = False
        while not refused:
            refused = _one_step(connection)
            writer.write(sent.read())
            await writer.drain()
            if not refused:
                received.write(await reader.read(1 << 16) or _nothing_more())


def _one_step(connection: ssl.SSLObject) -> bool:
    """Whether the handshake has failed by now."""
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        return True
    return True


def _nothing_more() -> bytes:
    raise EOFError


def _refusing(alert: int) -> Callable[[ssl.SSLObject, str | None, ssl.SSLContext], int]:
    def refuse(_connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> int:
        return alert

    return refuse


def _usage(authority: bool) -> Any:
    """What the key is for (RFC 5280, 4.2.1.3): strict clients, such as Python's own from 3.13 on, want it of an
    authority."""
    x509, _, _ = _cryptography()
    wanted = {"key_cert_sign", "crl_sign"} if authority else {"digital_signature"}
    return x509.KeyUsage(**{use: use in wanted for use in _USES})


def _san(names: Sequence[str]) -> list[Any]:
    x509, _, _ = _cryptography()
    entries: list[Any] = []
    for name in names:
        try:
            entries.append(x509.IPAddress(ipaddress.ip_address(name)))
        except ValueError:
            entries.append(x509.DNSName(name))
    return entries


def _pem(certificate: Any) -> bytes:
    _, _, serialization = _cryptography()
    encoded: bytes = certificate.public_bytes(serialization.Encoding.PEM)
    return encoded


def _cryptography() -> tuple[Any, Any, Any]:
    """The package's x509, ec and serialization modules. Raises Unavailable when it is not installed."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as exc:
        raise Unavailable(
            "the lab makes certificates with the cryptography package, which is not installed"
        ) from exc
    return x509, ec, serialization
