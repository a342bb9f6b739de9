"""Evidence as JSON and back: what was saved on one machine is judged on another.

msgspec reads and writes the frozen records as they are, and says where in a file something is wrong
(docs/adr/0009-evidence-as-json.md).
"""

from typing import Any

import msgspec

from goferry.doctor.evidence import SCHEMA, Evidence
from goferry.errors import InvalidInput
from goferry.findings import Text, decode_text, encode_text


def to_bytes(evidence: Evidence) -> bytes:
    """UTF-8 JSON with a final newline, keys in the order of the fields."""
    return msgspec.json.format(msgspec.json.encode(evidence, enc_hook=encode_text), indent=1) + b"\n"


def from_bytes(data: bytes, *, place: str) -> Evidence:
    """The inverse. InvalidInput when it is no evidence of this schema; `place` names where the bytes came from."""
    try:
        found = msgspec.json.decode(data, type=Evidence, dec_hook=_decode)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InvalidInput("{place} is no saved evidence: {why}", place=place, why=error) from error
    if found.schema != SCHEMA:
        raise InvalidInput(
            "{place}: its schema is {found}, and this goferry reads {wanted}",
            place=place,
            found=found.schema,
            wanted=SCHEMA,
        )
    return found


def _decode(kind: type, data: Any) -> Any:
    """A sentence from its JSON, or from the bare English that earlier files hold."""
    if kind is Text and isinstance(data, str):
        return Text("{said}", said=data)
    return decode_text(kind, data)
