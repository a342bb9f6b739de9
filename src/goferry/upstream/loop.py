"""Requests that come back: each goferry names itself in a `Via` header and forwards the names it was given.

A ring of proxies would otherwise wait for itself until every time limit has run out (RFC 9110 section 7.6.3 has the
header; 508 is from RFC 5842 section 7.2).
"""

from contextvars import ContextVar

VIA: ContextVar[tuple[str, ...]] = ContextVar("goferry_via", default=())
"""The hops that the request being answered has come through, first hop first. Set by the server, read by fetchers."""

_PREFIX = "1.1 goferry-"


def parse_via(header: str) -> tuple[str, ...]:
    """The ids of the goferries in a Via header; other proxies in it are skipped.

    >>> parse_via("1.1 varnish, 1.1 goferry-ab12")
    ('ab12',)
    """
    hops = (hop.strip() for hop in header.split(","))
    return tuple(hop.removeprefix(_PREFIX) for hop in hops if hop.startswith(_PREFIX))


def format_via(ids: tuple[str, ...]) -> str:
    """The twin of parse_via."""
    return ", ".join(_PREFIX + name for name in ids)
