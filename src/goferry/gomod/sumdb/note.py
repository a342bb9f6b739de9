"""Signed notes: a text, a blank line, and one signature line per key.

A checksum database signs the size and hash of its log, so that no mirror or cache on the way can bend
a copy. The note is the wrapping of that signature, made to be read by people:

    go.sum database tree
    34551743
    hkxzX4bzhOPJ9cGHPAF2UbEJMMvcQp9mYVtJnTN3CL0=

    — sum.golang.org Az3grq3mGjL6…

A key has a name (the database's `host[/path]`) and a 32-bit hash, which only says which key to try: trust
comes from the whole public key, written `name+hash+base64`. A text counts for nothing until a known
key has signed it.
Rules: golang.org/x/mod/sumdb/note. The one algorithm is Ed25519 (number 1).
"""

import hashlib
import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from goferry.errors import InvalidInput, VerifyError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

__all__ = [
    "InvalidSignature",
    "MalformedNote",
    "Note",
    "Signature",
    "Signer",
    "UnverifiedNote",
    "Verifier",
    "format_signer",
    "format_verifier",
    "new_signer",
    "open_note",
    "parse_signer",
    "parse_verifier",
    "sign_note",
]

_ED25519 = 1
_KEY_SIZE = 32
_MAX_SIGNATURES = 100
_SIGNATURE_PREFIX = "— "
_PRIVATE = "PRIVATE+KEY+"
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NAME = re.compile(r"[^\s+\ud800-\udfff]+")
_HASH = re.compile(r"[0-9a-fA-F]{8}")


class MalformedNote(VerifyError):
    """The bytes are not a signed note at all."""

    code = "malformed_note"


class UnverifiedNote(VerifyError):
    """A well-formed note that no known key has signed; `note` holds it, unproven."""

    code = "unverified_note"

    @property
    def note(self) -> "Note":
        note: Note = self.parts["note"]
        return note


class InvalidSignature(VerifyError):
    """A known key is named, but the signature is not its own."""

    code = "invalid_signature"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key with the name it goes by. `public_key` is 32 raw bytes."""

    name: str
    key_hash: int
    public_key: bytes

    def prepare(self) -> None:
        """Load what `verify` needs: the first one would wait for it."""
        _public_key(self.public_key)

    def verify(self, text: bytes, signature: bytes) -> bool:
        """Whether this key made that signature of the text."""
        from cryptography.exceptions import InvalidSignature as Rejected

        try:
            _public_key(self.public_key).verify(signature, text)
        except Rejected:
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key with the name it goes by. `seed` is 32 raw bytes and stays out of the repr."""

    name: str
    key_hash: int
    seed: bytes = field(repr=False)

    def sign(self, text: bytes) -> bytes:
        """The 64-byte signature of the text."""
        return _private_key(self.seed).sign(text)

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self.key_hash, _private_key(self.seed).public_key().public_bytes_raw())


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line. `base64` encodes the key hash (four bytes, big-endian) and then the signature."""

    name: str
    key_hash: int
    base64: str

    def __str__(self) -> str:
        return f"{_SIGNATURE_PREFIX}{self.name} {self.base64}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text (ending in a newline) with the signatures of known keys, and those nobody here can judge."""

    text: str
    signatures: tuple[Signature, ...] = ()
    unverified: tuple[Signature, ...] = ()


# Loading the library costs more than all the rest of this package, so it waits for the first signature.
@lru_cache(maxsize=64)
def _public_key(raw: bytes) -> "Ed25519PublicKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(raw)


@lru_cache(maxsize=64)
def _private_key(seed: bytes) -> "Ed25519PrivateKey":
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def _key_hash(name: str, public_key: bytes) -> int:
    """What names a key in a signature line: 32 bits of SHA-256 over name, newline, algorithm and key."""
    digest = hashlib.sha256(name.encode() + b"\n" + bytes([_ED25519]) + public_key).digest()
    return int.from_bytes(digest[:4])


def _decode(text: str) -> bytes | None:
    """Standard base64, or None when the text is something else."""
    try:
        return a2b_base64(text, strict_mode=True)
    except ValueError:
        return None


def _is_name(name: str) -> bool:
    """No white space and no plus: these part the fields of keys and signature lines."""
    return _NAME.fullmatch(name) is not None


def _parse_key(name: str, hash16: str, key64: str) -> tuple[int, bytes]:
    """The hash and the 32 key bytes of an encoded key, cut at its plus signs."""
    encoded = _decode(key64)
    if not (_is_name(name) and _HASH.fullmatch(hash16) and encoded):
        raise InvalidInput("malformed key: it must read name+hash+base64")
    if encoded[0] != _ED25519:
        raise InvalidInput("key {name} has the unknown algorithm {number}", name=name, number=encoded[0])
    if len(encoded) != 1 + _KEY_SIZE:
        raise InvalidInput("key {name} has the wrong length", name=name)
    return int(hash16, 16), encoded[1:]


def _check_key_hash(name: str, key_hash: int, public_key: bytes) -> None:
    if key_hash != _key_hash(name, public_key):
        raise InvalidInput("key {name} is damaged: its hash belongs to another name or key", name=name)


def parse_verifier(encoded: str) -> Verifier:
    """The public key `name+hash+base64`. Raises InvalidInput when it is malformed or damaged."""
    name, _, rest = encoded.partition("+")
    hash16, _, key64 = rest.partition("+")
    key_hash, public_key = _parse_key(name, hash16, key64)
    _check_key_hash(name, key_hash, public_key)
    return Verifier(name, key_hash, public_key)


def format_verifier(verifier: Verifier) -> str:
    """The twin of parse_verifier."""
    return _format_key(verifier.name, verifier.key_hash, verifier.public_key)


def parse_signer(encoded: str) -> Signer:
    """The private key `PRIVATE+KEY+name+hash+base64`. Raises InvalidInput as parse_verifier does."""
    if not encoded.startswith(_PRIVATE):
        raise InvalidInput("malformed private key: it must read PRIVATE+KEY+name+hash+base64")
    name, _, rest = encoded.removeprefix(_PRIVATE).partition("+")
    hash16, _, key64 = rest.partition("+")
    key_hash, seed = _parse_key(name, hash16, key64)
    signer = Signer(name, key_hash, seed)
    # The hash is of the public key, so it can be checked only once that is derived.
    _check_key_hash(name, key_hash, signer.verifier.public_key)
    return signer


def format_signer(signer: Signer) -> str:
    """The twin of parse_signer: a secret."""
    return _PRIVATE + _format_key(signer.name, signer.key_hash, signer.seed)


def _format_key(name: str, key_hash: int, key: bytes) -> str:
    return f"{name}+{key_hash:08x}+{b64encode(bytes([_ED25519]) + key).decode()}"


def new_signer(name: str, seed: bytes) -> Signer:
    """The key that grows from these 32 secret, random bytes."""
    if not _is_name(name):
        raise InvalidInput("invalid key name {name}: it must have no spaces and no plus signs", name=name)
    if len(seed) != _KEY_SIZE:
        raise InvalidInput("key {name} has the wrong length", name=name)
    public_key = _private_key(seed).public_key().public_bytes_raw()
    return Signer(name, _key_hash(name, public_key), seed)


def open_note(message: bytes, verifiers: Iterable[Verifier]) -> Note:
    """The note in these bytes, every signature by a known key checked.

    Signatures by other keys are kept as unverified: a database may sign with a new key beside the old
    one. Raises MalformedNote, InvalidSignature (a known key is named in vain) or UnverifiedNote (no
    known key).
    """
    text, lines = _split(message)
    known = _by_name_and_hash(verifiers)
    signed = text.encode()
    verified: dict[Verifier, Signature] = {}
    unverified: dict[Signature, None] = {}
    for signature in map(_parse_signature, lines):
        verifier = known.get((signature.name, signature.key_hash))
        if verifier is None:
            unverified[signature] = None
        elif verifier not in verified:  # one key signs once; repeats say nothing new and cost time
            _check_signature(verifier, signed, signature)
            verified[verifier] = signature
    note = Note(text, tuple(verified.values()), tuple(unverified))
    if not verified:
        raise UnverifiedNote("no known key has signed this note", note=note)
    return note


def _split(message: bytes) -> tuple[str, list[str]]:
    """The text and the signature lines of a note whose form is right."""
    try:
        whole = message.decode()
    except UnicodeDecodeError as error:
        raise MalformedNote("malformed note: it is not UTF-8") from error
    if _CONTROL.search(whole):
        raise MalformedNote("malformed note: it holds control characters")
    text, blank, signatures = whole.rpartition("\n\n")
    if not blank or not signatures.endswith("\n"):
        raise MalformedNote("malformed note: it has no signature lines")
    lines = signatures[:-1].split("\n")
    if len(lines) > _MAX_SIGNATURES:
        raise MalformedNote("malformed note: it has too many signatures")
    return text + "\n", lines


def _parse_signature(line: str) -> Signature:
    name, _, base64 = line.removeprefix(_SIGNATURE_PREFIX).partition(" ")
    raw = _decode(base64)
    if not line.startswith(_SIGNATURE_PREFIX) or not _is_name(name) or raw is None or len(raw) < 5:
        raise MalformedNote("malformed note: a signature line is broken")
    return Signature(name, int.from_bytes(raw[:4]), base64)


def _by_name_and_hash(verifiers: Iterable[Verifier]) -> dict[tuple[str, int], Verifier]:
    known: dict[tuple[str, int], Verifier] = {}
    for verifier in verifiers:
        # Two keys with one 32-bit hash are no accident; their maker must not choose between them.
        if known.setdefault((verifier.name, verifier.key_hash), verifier) != verifier:
            raise InvalidInput(
                "two different keys are called {name}+{key_hash:08x}",
                name=verifier.name,
                key_hash=verifier.key_hash,
            )
    return known


def _check_signature(verifier: Verifier, text: bytes, signature: Signature) -> None:
    raw = a2b_base64(signature.base64)
    if not verifier.verify(text, raw[4:]):
        raise InvalidSignature(
            "the signature by key {name}+{key_hash:08x} is invalid",
            name=verifier.name,
            key_hash=verifier.key_hash,
        )


def sign_note(note: Note, signers: Iterable[Signer]) -> bytes:
    """The encoded note: its present signatures, then the new ones. A signer's older signature is replaced.

    Raises MalformedNote when the text does not end in a newline or a present signature is broken.
    """
    if not note.text.endswith("\n"):
        raise MalformedNote("malformed note: its text must end in a newline")
    text = note.text.encode()
    made = [_sign(signer, text) for signer in signers]
    replaced = {(signature.name, signature.key_hash) for signature in made}
    kept = [
        signature
        for signature in (*note.signatures, *note.unverified)
        if (signature.name, signature.key_hash) not in replaced
    ]
    for signature in kept:
        if _parse_signature(str(signature).rstrip("\n")) != signature:
            raise MalformedNote("malformed note: a signature line is broken")
    return text + b"\n" + "".join(map(str, [*kept, *made])).encode()


def _sign(signer: Signer, text: bytes) -> Signature:
    raw = signer.key_hash.to_bytes(4) + signer.sign(text)
    return Signature(signer.name, signer.key_hash, b64encode(raw).decode())
