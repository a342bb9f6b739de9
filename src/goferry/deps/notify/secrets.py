"""Keeps secrets out of what people read: every text of a notice goes through here before it is shown."""

import base64
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote, urlsplit

from goferry.deps.notify.base import Target
from goferry.deps.notify.settings import MASK

_LONG_ENOUGH: Final = 8
"""Characters from which on a piece of a secret URL is taken to be a secret of its own."""


class Mask:
    """Replaces the secrets of one target, in every form in which they travel."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        forms = {form for secret in self._secrets for form in _forms(secret)}
        # The longest first: a piece must not break up the whole.
        longest_first = sorted(filter(None, forms), key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text)

    def also(self, more: Iterable[str]) -> "Mask":
        """With further secrets."""
        return Mask((*self._secrets, *more))

    def url(self, url: str) -> str:
        """A URL of which only the host may be seen if any of it is secret."""
        if self(url) == url:
            return url
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{host}{port}/{MASK}"


def mask_of(target: Target) -> Mask:
    """The mask for everything that this receiver is told and says."""
    return Mask(target.secrets.values())


def _forms(secret: str) -> Iterable[str]:
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()
    if "://" in secret:
        parts = urlsplit(secret)
        yield f"{parts.path}?{parts.query}" if parts.query else parts.path.rstrip("/")
        for piece in re.split(r"[/?&=]", f"{parts.path}?{parts.query}"):
            if len(piece) >= _LONG_ENOUGH:
                yield piece
        if parts.password:
            yield parts.password
