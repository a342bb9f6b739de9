"""URLs as the network stack takes and names them: escapes exactly as given, and never a password in a text."""

import re

from yarl import URL

from goferry.errors import InvalidInput

_UNSENDABLE = re.compile(r"[\x00-\x20\x7f]")
_USERINFO = re.compile(r"//[^/]*@")


def parse(text: str) -> URL:
    """The http or https URL, its escapes exactly as given. Raises InvalidInput."""
    try:
        target = _url(text)
        if target.scheme not in ("http", "https") or not target.raw_host or not target.port:
            raise ValueError(text)
    except ValueError as exc:
        raise _invalid(text) from exc
    return target


def joined(asked: URL, location: str) -> URL:
    """Where a redirect leads, relative to what was asked, without its fragment. Raises InvalidInput."""
    try:
        following = asked.join(_url(location)).with_fragment(None)
        parse(str(following))
    except ValueError as exc:
        raise _invalid(location) from exc
    return following


def public(url: URL) -> str:
    """The URL without user and password."""
    return str(url if url.raw_user is None and url.raw_password is None else url.with_user(None))


def host(url: URL) -> str:
    """The server as people know it: the port only if it is unusual."""
    name = url.host_subcomponent or ""
    return name if url.is_default_port() else f"{name}:{url.port}"


def where(url: URL) -> dict[str, str]:
    """What an error says of the place."""
    return {"host": host(url), "url": public(url)}


def redacted(text: str) -> str:
    """A text that should have been a URL, without what may be a password."""
    return _USERINFO.sub("//…@", text)


def _invalid(text: str) -> InvalidInput:
    return InvalidInput("invalid URL {url}: an http or https URL is needed", url=redacted(text))


def _url(text: str) -> URL:
    if _UNSENDABLE.search(text):
        raise ValueError(text)
    return URL(text, encoded=text.isascii())
