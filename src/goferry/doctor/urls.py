"""URLs as people type them: go takes what Python's library refuses (`https：//host` with a fullwidth colon)."""

from urllib.parse import SplitResult, urlsplit

_NOTHING = SplitResult("", "", "", "", "")


def split_url(url: str) -> SplitResult:
    """The parts of a URL; all of them empty for what this system cannot ask for, a port that is none among it."""
    try:
        parts = urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return _NOTHING
    return parts
