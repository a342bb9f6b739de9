"""Signed notes: what is accepted, what is refused, and that nothing signed can be changed."""

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput, VerifyError
from goferry.gomod.sumdb import note
from goferry.gomod.sumdb.note import Note, Signature

# Vectors: facts from golang/mod sumdb/note/note_test.go (BSD-3-Clause)
PETER_PUBLIC = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETER_PRIVATE = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
ENOCH_PUBLIC = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER = Signature(
    "PeterNeumann",
    0xC74F20A3,
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=",
)
ENOCH = Signature(
    "EnochRoot",
    0xAF0CFE78,
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=",
)
WRONG_LENGTH = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="
WRONG_ALGORITHM = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"

# Vectors: facts from cmd/go's list of known databases and from a signed tree that sum.golang.org published.
GO_PUBLIC = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"

peter = note.parse_verifier(PETER_PUBLIC)
enoch = note.parse_verifier(ENOCH_PUBLIC)


def message(*signatures: Signature | str, text: str = TEXT) -> bytes:
    return (text + "\n" + "".join(map(str, signatures))).encode()


def substrings(text: str) -> list[str]:
    whole = range(len(text) + 1)
    return [text[i:j] for i in whole for j in whole[i + 1 :] if text[i:j] != text]


def one_byte_off(text: str) -> list[str]:
    return [text[:i] + chr(ord(c) + 1) + text[i + 1 :] for i, c in enumerate(text)]


@pytest.mark.parametrize("encoded", [PETER_PUBLIC, ENOCH_PUBLIC, GO_PUBLIC])
def test_a_public_key_reads_back_as_it_was_written(encoded: str) -> None:
    assert note.format_verifier(note.parse_verifier(encoded)) == encoded


def test_a_private_key_reads_back_and_holds_its_public_half() -> None:
    signer = note.parse_signer(PETER_PRIVATE)
    assert note.format_signer(signer) == PETER_PRIVATE
    assert signer.verifier == peter


def test_a_mangled_public_key_is_refused() -> None:
    for mangled in [*substrings(PETER_PUBLIC), *one_byte_off(PETER_PUBLIC), WRONG_LENGTH, WRONG_ALGORITHM]:
        with pytest.raises(InvalidInput):
            note.parse_verifier(mangled)


def test_a_mangled_private_key_is_refused() -> None:
    for mangled in [*substrings(PETER_PRIVATE), *one_byte_off(PETER_PRIVATE)]:
        with pytest.raises(InvalidInput):
            note.parse_signer(mangled)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u00a0b", "a\nb", "a\udc80b"])
def test_a_key_name_has_no_spaces_and_no_plus(name: str) -> None:
    with pytest.raises(InvalidInput, match="invalid key name"):
        note.new_signer(name, bytes(32))


def test_a_seed_is_32_bytes_and_stays_out_of_what_is_printed() -> None:
    with pytest.raises(InvalidInput, match="wrong length"):
        note.new_signer("EnochRoot", bytes(31))
    assert "seed" not in repr(note.new_signer("EnochRoot", bytes(32)))


@given(st.binary(min_size=32, max_size=32), st.text(max_size=60))
def test_a_new_key_signs_what_its_public_half_accepts(seed: bytes, text: str) -> None:
    signer = note.new_signer("EnochRoot", seed)
    signed = text.encode()
    signature = bytearray(signer.sign(signed))
    verifier = note.parse_verifier(note.format_verifier(signer.verifier))
    assert verifier.verify(signed, bytes(signature))
    assert not verifier.verify(signed + b"!", bytes(signature))
    signature[0] ^= 1
    assert not verifier.verify(signed, bytes(signature))


def test_signing_gives_the_known_bytes() -> None:
    assert note.sign_note(Note(TEXT), [note.parse_signer(PETER_PRIVATE)]) == message(PETER)


def test_signing_again_replaces_the_old_signature_and_keeps_those_of_others() -> None:
    stale = Signature(PETER.name, PETER.key_hash, "x08go" + "A" * 27)
    signed = note.sign_note(Note(TEXT, (stale,), (ENOCH,)), [note.parse_signer(PETER_PRIVATE)])
    assert signed == message(ENOCH, PETER)


@pytest.mark.parametrize(
    "bad",
    [
        Note("no newline at the end"),
        Note(TEXT, (Signature("a+b", 0, "ABCD"),)),
        Note(TEXT, (Signature("PeterNeumann", 0xC74F20A3, "BADHASH="),)),
    ],
)
def test_signing_refuses_a_broken_note(bad: Note) -> None:
    with pytest.raises(note.MalformedNote):
        note.sign_note(bad, [])


def test_signatures_of_unknown_keys_are_kept_apart() -> None:
    opened = note.open_note(message(PETER, ENOCH), [peter])
    assert opened == Note(TEXT, (PETER,), (ENOCH,))


def test_every_known_key_is_checked() -> None:
    assert note.open_note(message(PETER, ENOCH), [peter, enoch]) == Note(TEXT, (PETER, ENOCH))


def test_a_note_without_a_known_key_is_unverified() -> None:
    with pytest.raises(note.UnverifiedNote) as caught:
        note.open_note(message(PETER, ENOCH), [])
    assert caught.value.note == Note(TEXT, (), (PETER, ENOCH))
    assert pickle.loads(pickle.dumps(caught.value)).note == caught.value.note


def test_two_different_keys_under_one_name_and_hash_are_refused() -> None:
    twin = note.Verifier(peter.name, peter.key_hash, enoch.public_key)
    with pytest.raises(InvalidInput, match=r"PeterNeumann\+c74f20a3"):
        note.open_note(message(PETER), [peter, twin])


def test_the_same_key_given_twice_is_one_key() -> None:
    assert note.open_note(message(PETER), [peter, copy.copy(peter)]).signatures == (PETER,)


def test_repeated_signatures_count_once() -> None:
    other = Signature(ENOCH.name, ENOCH.key_hash, ENOCH.base64[:44] + "ABCD" + ENOCH.base64[44:])
    opened = note.open_note(message(PETER, PETER, ENOCH, ENOCH, other), [peter])
    assert (opened.signatures, opened.unverified) == ((PETER,), (ENOCH, other))


def test_a_hundred_signatures_are_the_limit() -> None:
    assert note.open_note(message(*[PETER] * 100), [peter]).signatures == (PETER,)
    with pytest.raises(note.MalformedNote):
        note.open_note(message(*[PETER] * 101), [peter])


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        TEXT.encode(),
        message(),
        message(PETER)[:-1],
        b"\x01" + message(PETER),
        b"\xff" + message(PETER),
        message(PETER).replace(b"\n", b"\r\n"),
        message("— Bad Name " + PETER.base64 + "\n"),
        message("— PeterNeumann\n"),
        message("— PeterNeumann \n"),
        message("— PeterNeumann x08g\n"),
        message("— PeterNeumann x08go/Z\n"),
        message("- PeterNeumann " + PETER.base64 + "\n"),
        message(PETER, "Unexpected line.\n"),
    ],
)
def test_bytes_that_are_no_note_are_malformed(bad: bytes) -> None:
    with pytest.raises(note.MalformedNote):
        note.open_note(bad, [peter])


@given(st.integers(0, len(message(PETER)) - 1), st.integers(1, 255))
def test_no_byte_of_a_signed_note_can_change(position: int, flip: int) -> None:
    changed = bytearray(message(PETER))
    changed[position] ^= flip
    try:
        opened = note.open_note(bytes(changed), [peter])
    except VerifyError:
        return
    # The two bits behind the last base64 character carry nothing; Go's decoder ignores them too.
    assert opened.text == TEXT


def test_a_known_key_with_a_wrong_signature_is_refused() -> None:
    longer = Signature(PETER.name, PETER.key_hash, PETER.base64[:40] + "ABCD" + PETER.base64[40:])
    with pytest.raises(note.InvalidSignature, match=r"PeterNeumann\+c74f20a3"):
        note.open_note(message(longer), [peter])


@given(st.binary(max_size=200))
def test_any_bytes_are_judged_and_never_crash(junk: bytes) -> None:
    with pytest.raises(VerifyError):
        note.open_note(junk, [peter])
