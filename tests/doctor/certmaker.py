"""Certificates with any one thing odd about them, for tests of who trusts what."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.datetime(2027, 6, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH
ANY = ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE


@dataclass(frozen=True)
class Recipe:
    """What a certificate says. ca None: without basic constraints; key_usage: whether it may sign, None: unsaid."""

    name: str
    organization: str = ""
    names: Sequence[str] = ()
    ca: bool | None = None
    path_length: int | None = None
    key_usage: bool | None = None
    uses: Sequence[x509.ObjectIdentifier] = ()
    starts: int = -1
    """Days from NOW."""
    ends: int = 30
    permitted: Sequence[str] = ()
    excluded: Sequence[str] = ()
    critical: bool = False
    """Has a critical extension that nobody knows."""
    is_logged: bool = False


@dataclass(frozen=True)
class Made:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def der(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        from cryptography.hazmat.primitives.serialization import Encoding

        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        from cryptography.hazmat.primitives import serialization as how

        return self.key.private_bytes(how.Encoding.PEM, how.PrivateFormat.PKCS8, how.NoEncryption())


def make(recipe: Recipe, issuer: Made | None = None, key: ec.EllipticCurvePrivateKey | None = None) -> Made:
    """Signed by the issuer, or by itself; with the key of another certificate when one is given."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else own
    subject = _name(recipe)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + recipe.starts * DAY)
        .not_valid_after(NOW + recipe.ends * DAY)
    )
    for extension, critical in _extensions(recipe):
        builder = builder.add_extension(extension, critical=critical)
    return Made(builder.sign(signer, hashes.SHA256()), own)


def authority(name: str = "Root", **more: Any) -> Recipe:
    """The recipe of a certificate that may sign."""
    return Recipe(name, **{"ca": True, "key_usage": True, **more})


def _name(recipe: Recipe) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, recipe.name)]
    if recipe.organization:
        parts.append(x509.NameAttribute(NameOID.ORGANIZATION_NAME, recipe.organization))
    return x509.Name(parts)


def _extensions(recipe: Recipe) -> list[tuple[x509.ExtensionType, bool]]:
    found: list[tuple[x509.ExtensionType, bool]] = []
    if recipe.names:
        found.append((x509.SubjectAlternativeName([general(name) for name in recipe.names]), False))
    if recipe.ca is not None:
        found.append((x509.BasicConstraints(recipe.ca, recipe.path_length if recipe.ca else None), True))
    if recipe.key_usage is not None:
        off = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"),
            False,
        )
        sign = recipe.key_usage
        found.append(
            (
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=sign,
                    encipher_only=False,
                    decipher_only=False,
                    **off,
                ),
                True,
            )
        )
    if recipe.uses:
        found.append((x509.ExtendedKeyUsage(recipe.uses), False))
    if recipe.permitted or recipe.excluded:
        permitted = [limit(name) for name in recipe.permitted] or None
        excluded = [limit(name) for name in recipe.excluded] or None
        found.append((x509.NameConstraints(permitted, excluded), True))
    if recipe.critical:
        found.append((x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), True))
    if recipe.is_logged:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
        found.append((x509.UnrecognizedExtension(oid, bytes.fromhex("04020000")), False))
    return found


def general(name: str) -> x509.GeneralName:
    """A DNS name or an IP address."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def limit(name: str) -> x509.GeneralName:
    """A domain or a network."""
    try:
        return x509.IPAddress(ipaddress.ip_network(name))
    except ValueError:
        return x509.DNSName(name)
