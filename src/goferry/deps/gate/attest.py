"""A signed statement of what a gate has proven: in-toto statement v1 in a DSSE envelope.

    https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md
    https://github.com/secure-systems-lab/dsse/blob/master/protocol.md

Subjects are the commit, where there is one, and the files that say what is built, by SHA-256. The predicate is the
JSON form of the gate's outcome. Keys are Ed25519 or ECDSA (P-256, P-384, P-521) in PEM.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from goferry.errors import InvalidInput, VerifyError
from goferry.i18n import N_

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.hashes import HashAlgorithm

    PrivateKey: TypeAlias = Ed25519PrivateKey | EllipticCurvePrivateKey
    PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey

STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "urn:goferry:gate:1"
PAYLOAD: Final = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True)
class Commit:
    """What the version control system says of the tree that was gated."""

    id: str
    dirty: bool
    """It has changes that are in no commit: then the statement is about the files, not about the commit."""


def statement(
    outcome: Mapping[str, Any], digests: Mapping[str, str], commit: Commit | None
) -> dict[str, Any]:
    """The statement about an outcome in its JSON form."""
    subjects: list[dict[str, Any]] = [
        {"name": name, "digest": {"sha256": digest}} for name, digest in sorted(digests.items())
    ]
    if commit is not None and not commit.dirty:
        subjects.insert(0, {"name": "commit", "digest": {"gitCommit": commit.id}})
    source = None if commit is None else {"gitCommit": commit.id, "dirty": commit.dirty}
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {"source": source, "outcome": dict(outcome)},
    }


def sign(body: Mapping[str, Any], key: "PrivateKey") -> str:
    """The envelope, as JSON text."""
    payload = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    signature = _signature(key, _encoded(payload))
    envelope = {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": key_id(key.public_key()), "sig": base64.b64encode(signature).decode()}],
    }
    return json.dumps(envelope, indent=2) + "\n"


def verify(text: bytes, key: "PublicKey") -> dict[str, Any]:
    """The statement in an envelope that the key has signed.

    Raises InvalidInput for what is no envelope of ours, VerifyError when no signature is by this key.
    """
    payload, signatures = _opened(text)
    if not any(_is_signed(key, _encoded(payload), signature) for signature in signatures):
        raise VerifyError("no signature of this statement is by the key that was given")
    try:
        body = json.loads(payload)
        known = body["_type"] == STATEMENT and body["predicateType"] == PREDICATE
        outcome = body["predicate"]["outcome"]["verdict"]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput("the signed statement is none of a gate: {why}", why=repr(error)) from error
    if not known or not isinstance(outcome, str):
        raise InvalidInput("the signed statement is none of a gate: {why}", why=body.get("predicateType", ""))
    result: dict[str, Any] = body
    return result


def _opened(text: bytes) -> tuple[bytes, list[bytes]]:
    try:
        envelope = json.loads(text)
        if envelope["payloadType"] != PAYLOAD:
            raise ValueError(envelope["payloadType"])
        payload = base64.b64decode(envelope["payload"], validate=True)
        signatures = [base64.b64decode(one["sig"], validate=True) for one in envelope["signatures"]]
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise InvalidInput(
            "this is no DSSE envelope of an in-toto statement: {why}", why=repr(error)
        ) from error
    return payload, signatures


def _encoded(payload: bytes) -> bytes:
    """What is signed: DSSE's pre-authentication encoding."""
    kind = PAYLOAD.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


# ---- keys ----------------------------------------------------------------------------------------------


def private_key(pem: bytes, password: bytes | None = None) -> "PrivateKey":
    """Raises InvalidInput, which never says anything of the key itself."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(pem, password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InvalidInput(
            "the signing key cannot be read",
            hint=N_(
                "a private key in PEM is wanted, Ed25519 or ECDSA; for an encrypted one also its password"
            ),
        ) from None
    if isinstance(key, Ed25519PrivateKey | EllipticCurvePrivateKey):
        return key
    raise InvalidInput("the signing key is neither Ed25519 nor ECDSA")


def public_key(pem: bytes) -> "PublicKey":
    """Of a public key in PEM, or of a certificate's. Raises InvalidInput."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInput(
            "the public key cannot be read: {why}",
            hint=N_("a public key in PEM is wanted, Ed25519 or ECDSA"),
            why=str(error).partition("\n")[0],
        ) from error
    if isinstance(key, Ed25519PublicKey | EllipticCurvePublicKey):
        return key
    raise InvalidInput("the public key is neither Ed25519 nor ECDSA")


def key_id(key: "PublicKey") -> str:
    """The SHA-256 of the public key (SubjectPublicKeyInfo)."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _hash(key: "EllipticCurvePrivateKey | EllipticCurvePublicKey") -> "HashAlgorithm":
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

    if key.curve.key_size <= 256:
        return SHA256()
    return SHA384() if key.curve.key_size <= 384 else SHA512()


def _signature(key: "PrivateKey", data: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    if isinstance(key, Ed25519PrivateKey):
        return key.sign(data)
    return key.sign(data, ECDSA(_hash(key)))


def _is_signed(key: "PublicKey", data: bytes, signature: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, data)
        else:
            key.verify(signature, data, ECDSA(_hash(key)))
    except InvalidSignature:
        return False
    return True
