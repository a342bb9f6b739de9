"""Which keys a store takes, and the keys it makes up itself."""

import re
import secrets
import sys
from datetime import datetime
from functools import lru_cache

from goferry.errors import InvalidInput

OWN = ".goferry/"
"""Where a store keeps its own things; never served."""

REMOVALS = OWN + "removals"
"""A file that gets another size with every removal, so that one look at it answers for all remembered files."""

# `.` and `..` and empty elements would name another key's file; the rest no URL of a module can contain.
_FORBIDDEN = r"(?:^|/)\.{0,2}(?:/|$)|[\x00-\x1f\x7f\\\ud800-\udfff]"
# Windows drops dots and spaces at the end of a name, and gives these characters meanings of its own.
_FORBIDDEN_ON_WINDOWS = _FORBIDDEN + r'|[:*?"<>|]|[. ](?:/|$)'
_forbidden = re.compile(_FORBIDDEN_ON_WINDOWS if sys.platform == "win32" else _FORBIDDEN)


@lru_cache(maxsize=4096)  # one miss asks half a dozen times about the same key
def check_key(key: str) -> str:
    """The key itself; InvalidInput when no object can have it."""
    if _forbidden.search(key):
        raise InvalidInput("invalid storage key {key}", key=ascii(key))
    return key


def is_key(key: str) -> bool:
    """Whether an object can have this key. A folder may hold files of others that no key names."""
    return not _forbidden.search(key)


def check_prefix(prefix: str) -> str:
    """The prefix itself, which may be empty or end in a slash; InvalidInput when no key can start with it."""
    if prefix:
        check_key(prefix.removesuffix("/"))
    return prefix


def quarantine_key(key: str, now: datetime) -> str:
    """A new key below `.goferry/quarantine/` that tells what was there and when; `.json` beside it says why."""
    return f"{OWN}quarantine/{key}.{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
