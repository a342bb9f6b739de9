"""From the bytes of a request line to the path that is meant: percent-decoded exactly once, by our rules.

granian hands over a path that it has decoded itself, with a slash for `%2F` and a replacement character for what is
not UTF-8. Both would let one stored file have many names, so its path is used only where there is nothing to decode.
"""

import re
from urllib.parse import unquote_to_bytes

from goferry.errors import GoferryError, InvalidInput

MAX_RAW_PATH = 8192
"""Bytes of a path as sent. Every byte of the longest path that can be a module's may come as three."""

_MALFORMED = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_ENCODED_SLASH = re.compile(rb"%(?:2[Ff]|5[Cc])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class PathTooLong(GoferryError):
    """A path longer than any that could mean something."""

    code = "path_too_long"
    status = 414


def decode_path(raw: bytes) -> str:
    """The path without its leading slash. InvalidInput (or PathTooLong) when it is not the plain path of anything."""
    if len(raw) > MAX_RAW_PATH:
        raise PathTooLong("the URL path is too long: at most {limit} bytes", limit=MAX_RAW_PATH)
    if _MALFORMED.search(raw) or _ENCODED_SLASH.search(raw):
        raise InvalidInput("malformed percent-encoding in the URL path")
    try:
        path = unquote_to_bytes(raw).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidInput("the URL path is not UTF-8") from error
    if _CONTROL.search(path):
        raise InvalidInput("control character in the URL path")
    return path.removeprefix("/")
