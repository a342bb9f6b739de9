"""Whether a client would trust a chain of certificates at a moment, and if not, why: the rules of Go's crypto/x509.

OpenSSL and the profile of the web's authorities say no to chains that Go takes (an authority without key usage, a leaf
without extended key usage) and name other reasons where several apply. A doctor that speaks about `go` has to judge
as `go` does, so this follows crypto/x509/verify.go of Go 1.26: first the leaf's own validity, then its names, then
the search for a way to a root, and for each way found the extended key usage and the name constraints.
"""

import datetime
import ipaddress
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from goferry.net.httpproxy import ip_of


class Wrong(StrEnum):
    """Why a chain is refused: the values of `HandshakeSeen.wrong`."""

    NOTHING = ""
    UNKNOWN_AUTHORITY = "unknown_authority"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    WRONG_HOST = "wrong_host"
    INCOMPLETE = "incomplete"
    NOT_ALLOWED = "not_allowed"
    """It breaks a rule of its own: its use, a name constraint, an unknown critical extension, too many steps."""


_E = TypeVar("_E", bound=x509.ExtensionType)

_MOST_STEPS: Final = 100
"""Go checks at most so many signatures for one chain."""

_WEAK_HASHES: Final = (hashes.MD5, hashes.SHA1)

_KNOWN_CRITICAL: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.POLICY_MAPPINGS,
    }
)


def read(ders: Iterable[bytes]) -> Iterator[x509.Certificate]:
    """The certificates that can be read at all; others are left out, as Go leaves them out of a store."""
    for der in ders:
        with suppress(ValueError, UnsupportedAlgorithm), warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", CryptographyDeprecationWarning
            )  # old roots have odd serial numbers
            certificate = x509.load_der_x509_certificate(der)
            _ = certificate.extensions, certificate.subject, certificate.issuer  # these are parsed late
            if certificate.serial_number >= 0:
                yield certificate


def read_chain(ders: Sequence[bytes]) -> tuple[x509.Certificate, ...]:
    """What a server presented, leaf first; nothing when the leaf itself cannot be read."""
    leaf = tuple(read(ders[:1]))
    return leaf + tuple(read(ders[1:])) if leaf else ()


class Store:
    """Certificates that are trusted as they stand. Any of them ends a chain, also one that is not self-signed."""

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        self._by_subject: dict[bytes, list[x509.Certificate]] = {}
        self._all: set[x509.Certificate] = set()
        for certificate in certificates:
            if certificate not in self._all:
                self._all.add(certificate)
                self._by_subject.setdefault(certificate.subject.public_bytes(), []).append(certificate)

    @classmethod
    def of(cls, ders: Iterable[bytes]) -> "Store":
        """From DER certificates; unreadable ones are left out."""
        return cls(read(dict.fromkeys(ders)))

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, certificate: x509.Certificate) -> bool:
        return certificate in self._all

    def parents(self, child: x509.Certificate) -> Sequence[x509.Certificate]:
        """Those whose subject is the child's issuer."""
        return self._by_subject.get(child.issuer.public_bytes(), ())

    def has_organization(self, name: str) -> bool:
        """Whether an organization of this name has a certificate here."""
        return any(name == organization(found.subject) for found in self._all)


def verify(chain: Sequence[x509.Certificate], host: str, store: Store, at: datetime.datetime) -> Wrong:
    """What Go would find wrong with a server's chain, leaf first, at a moment (with time zone). Never INCOMPLETE.

    host: a name or an IP address. An empty chain, of which nothing could be read, is not allowed.
    """
    if not chain:
        return Wrong.NOT_ALLOWED
    leaf = chain[0]
    fault = _invalid(leaf, at) or (Wrong.NOTHING if is_valid_for(leaf, host) else Wrong.WRONG_HOST)
    if fault:
        return fault
    search = _Search(Store(chain[1:]), store, at)
    found = [(leaf,)] if leaf in store else search.ways((leaf,))
    if not found:
        return search.fault or Wrong.UNKNOWN_AUTHORITY
    return Wrong.NOTHING if any(_is_allowed(way) for way in found) else Wrong.NOT_ALLOWED


class _Search:
    """Looks for ways from a leaf to a root. `fault`: what the last candidate was refused for."""

    def __init__(self, presented: Store, roots: Store, at: datetime.datetime) -> None:
        self._presented = presented
        self._roots = roots
        self._at = at
        self._steps = 0
        self.fault = Wrong.NOTHING

    def ways(self, way: tuple[x509.Certificate, ...]) -> list[tuple[x509.Certificate, ...]]:
        """Every continuation of this way that ends in the store."""
        child = way[-1]
        roots = self._roots.parents(child)
        found = [(*way, root) for root in roots if self._may_follow(way, root, is_root=True)]
        for parent in self._presented.parents(child):
            if self._may_follow(way, parent, is_root=False):
                found += self.ways((*way, parent))
        return found

    def _may_follow(
        self, way: tuple[x509.Certificate, ...], parent: x509.Certificate, *, is_root: bool
    ) -> bool:
        self._steps += 1
        if self._steps > _MOST_STEPS or _is_on(way, parent) or not _has_signed(parent, way[-1]):
            return False
        self.fault = _invalid(parent, self._at) or _unfit(parent, len(way) - 1, is_root=is_root)
        return not self.fault


def _is_on(way: Sequence[x509.Certificate], candidate: x509.Certificate) -> bool:
    """Two certificates of one subject and key are one authority: going through both would be a circle."""
    return any(
        candidate.subject == seen.subject
        and _key(candidate) == _key(seen)
        and _names(candidate) == _names(seen)
        for seen in way
    )


def _has_signed(parent: x509.Certificate, child: x509.Certificate) -> bool:
    basic = _extension(parent, x509.BasicConstraints)
    usage = _extension(parent, x509.KeyUsage)
    if parent.version is x509.Version.v3 and (basic is None or not basic.ca):
        return False
    if usage is not None and not usage.key_cert_sign:
        return False
    try:
        if isinstance(child.signature_hash_algorithm, _WEAK_HASHES):
            return False
        child.verify_directly_issued_by(parent)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _invalid(certificate: x509.Certificate, at: datetime.datetime) -> Wrong:
    if any(part.critical and part.oid not in _KNOWN_CRITICAL for part in certificate.extensions):
        return Wrong.NOT_ALLOWED
    if at < certificate.not_valid_before_utc:
        return Wrong.NOT_YET_VALID
    return Wrong.EXPIRED if at > certificate.not_valid_after_utc else Wrong.NOTHING


def _unfit(authority: x509.Certificate, below: int, *, is_root: bool) -> Wrong:
    """Whether it may stand above so many intermediate certificates."""
    basic = _extension(authority, x509.BasicConstraints)
    if basic is None:
        return Wrong.NOTHING if is_root else Wrong.NOT_ALLOWED
    too_deep = basic.path_length is not None and below > basic.path_length
    return Wrong.NOT_ALLOWED if too_deep else Wrong.NOTHING


def _is_allowed(way: Sequence[x509.Certificate]) -> bool:
    return all(_serves(certificate) for certificate in way) and all(
        _permits(authority, below) for place, authority in enumerate(way) for below in way[:place]
    )


def _serves(certificate: x509.Certificate) -> bool:
    """Without extended key usage everything is allowed, also on an authority."""
    usage = _extension(certificate, x509.ExtendedKeyUsage)
    allowed = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    return usage is None or any(use in allowed for use in usage)


def _permits(authority: x509.Certificate, below: x509.Certificate) -> bool:
    constraints = _extension(authority, x509.NameConstraints)
    names = _extension(below, x509.SubjectAlternativeName)
    if constraints is None or names is None:
        return True
    return all(
        not any(_is_within(name, limit) for limit in constraints.excluded_subtrees or ())
        and _is_permitted(
            name, [limit for limit in constraints.permitted_subtrees or () if type(limit) is type(name)]
        )
        for name in names
    )


def _is_permitted(name: x509.GeneralName, limits: Sequence[x509.GeneralName]) -> bool:
    """A kind of name that no permitted subtree speaks of is not limited."""
    return not limits or any(_is_within(name, limit) for limit in limits)


def _is_within(name: x509.GeneralName, limit: x509.GeneralName) -> bool:
    if isinstance(name, x509.DNSName) and isinstance(limit, x509.DNSName):
        inner, outer = name.value.lower(), limit.value.lower()
        return not outer or inner == outer or inner.endswith(outer if outer.startswith(".") else f".{outer}")
    if isinstance(name, x509.IPAddress) and isinstance(limit, x509.IPAddress):
        network = limit.value
        return (
            isinstance(network, ipaddress.IPv4Network | ipaddress.IPv6Network)
            and isinstance(name.value, ipaddress.IPv4Address | ipaddress.IPv6Address)
            and name.value.version == network.version
            and name.value in network
        )
    return False


def _extension(certificate: x509.Certificate, kind: type[_E]) -> _E | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key(certificate: x509.Certificate) -> bytes:
    try:
        return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):  # a key of an unknown kind is equal to itself only
        return certificate.fingerprint(hashes.SHA256())


# ---- names -------------------------------------------------------------------------------------------------


def names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The DNS names and IP addresses that it is for. The common name does not count, as in Go since 1.15."""
    found = _names(certificate)
    return tuple(str(name.value) for name in found if isinstance(name, x509.DNSName | x509.IPAddress))


def _names(certificate: x509.Certificate) -> tuple[x509.GeneralName, ...]:
    return tuple(_extension(certificate, x509.SubjectAlternativeName) or ())


def is_valid_for(certificate: x509.Certificate, host: str) -> bool:
    """Whether one of its names is this host, as Certificate.VerifyHostname of Go decides.

    A `*` stands for exactly one whole label, the first; an IP address is found among the IP addresses only.
    """
    address = ip_of(host.removeprefix("[").removesuffix("]"))
    if address is not None:
        return any(isinstance(name, x509.IPAddress) and name.value == address for name in _names(certificate))
    dns = (name.value.lower() for name in _names(certificate) if isinstance(name, x509.DNSName))
    return any(_matches(pattern, host.lower()) for pattern in dns)


def _matches(pattern: str, host: str) -> bool:
    """Names that are no host names (Go allows them) have to be equal."""
    plain = host.removesuffix(".")
    if not (_is_host_name(plain) and _is_host_name(pattern, is_pattern=True)):
        return bool(host) and host != "." and pattern == host
    labels, wanted = plain.split("."), pattern.split(".")
    same_tail = labels[1:] == wanted[1:]
    return len(labels) == len(wanted) and same_tail and wanted[0] in ("*", labels[0])


_LABEL: Final = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_")


def _is_host_name(name: str, *, is_pattern: bool = False) -> bool:
    labels = name.split(".")
    if is_pattern and labels[0] == "*" and len(labels) > 1:
        labels = labels[1:]
    return all(label and label[0] != "-" and _LABEL.issuperset(label) for label in labels)


# ---- what is missing ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """Where a presented chain ends: the last certificate, and whether the public knows of it."""

    top: x509.Certificate
    is_logged: bool


def gap(chain: Sequence[x509.Certificate]) -> Gap | None:
    """Where the way upwards breaks off; None when it ends in a self-signed certificate or there is no chain."""
    if not chain:
        return None
    presented, top = Store(chain), chain[0]
    for _step in chain:
        parents = [parent for parent in presented.parents(top) if parent != top and _has_signed(parent, top)]
        if not parents:
            break
        top = parents[0]
    return None if top.subject == top.issuer else Gap(top, _is_logged(chain[0]))


def is_incomplete(chain: Sequence[x509.Certificate], stores: Sequence[Store]) -> bool:
    """Whether a refused chain only lacks a link that its server should have sent.

    Fetching the link from where the certificate names it would settle it, but asks a host that is not under test (and
    Go does not fetch it either). So: the chain breaks off below a certificate that is not self-signed, and the leaf
    is in the public logs, which no made-up authority can enter, or the missing issuer's organization has a root in a
    store.
    """
    found = gap(chain)
    if found is None:
        return False
    issuer = organization(found.top.issuer)
    return found.is_logged or (bool(issuer) and any(store.has_organization(issuer) for store in stores))


def _is_logged(certificate: x509.Certificate) -> bool:
    return _extension(certificate, x509.PrecertificateSignedCertificateTimestamps) is not None


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether it says of itself that it may sign others."""
    basic = _extension(certificate, x509.BasicConstraints)
    return basic is not None and basic.ca


def organization(name: x509.Name) -> str:
    """The O of a name; "" without one."""
    return next((str(part.value) for part in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)), "")
