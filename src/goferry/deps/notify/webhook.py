"""A webhook of your own: the news as JSON (`goferry.notice/1`), signed.

`X-Goferry-Signature` is `v1=` and the hex HMAC-SHA256 of `TIMESTAMP.BODY`; `X-Goferry-Timestamp` is in seconds, and
within the signature, so that a recorded request is recognised as old. `Idempotency-Key` is the same for each try.
"""

import hashlib
import hmac
from collections.abc import Mapping
from typing import Any, Final

from goferry.deps.audit.records import to_json
from goferry.deps.notify.base import (
    JSON_HEADERS,
    Dialogue,
    Field,
    Notice,
    Request,
    Sealed,
    Service,
    Target,
)
from goferry.deps.notify.telling import headline

SCHEMA: Final = "goferry.notice/1"
MOST_FINDINGS: Final = 1000
"""The worst ones; some 700 KB."""


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    secret = target.secret("secret")

    def seal(request: Request, now: float) -> Sealed:
        timestamp, body = str(int(now)), request.encoded()
        sign = signature(secret, timestamp, body)
        headers = {
            **request.headers,
            "X-Goferry-Timestamp": timestamp,
            "X-Goferry-Signature": sign,
        }
        return Sealed(request.url, body, headers, hidden=(sign,))

    yield Request(
        "message",
        target.secret("url"),
        _body(notice, target),
        headers={**JSON_HEADERS, "Idempotency-Key": notice.delivery},
        seal=seal,
    )


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """The value of X-Goferry-Signature."""
    return "v1=" + hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _body(notice: Notice, target: Target) -> Mapping[str, Any]:
    whole = to_json(notice.audit)
    found = {finding["key"]: finding for finding in whole["findings"]}
    return {
        "schema": SCHEMA,
        "receiver": target.receiver.name,
        "delivery": notice.delivery,
        "generated": whole["generated"],
        "database": whole["database"],
        "headline": headline(notice),
        "open": len(notice.standing),
        "unproven": len(notice.audit.unproven),
        "news": [found[finding.key] for finding in notice.news[:MOST_FINDINGS]],
        "left_out": max(0, len(notice.news) - MOST_FINDINGS),
        "closed": list(notice.closed),
        "link": target.receiver.link,
    }


SERVICE: Final = Service(
    "webhook",
    (Field("url", str, required=True, secret=True), Field("secret", str, required=True, secret=True)),
    talk,
)
