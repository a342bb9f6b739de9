"""What a user means by `MODULE[@V] | URL | HOST`."""

import re
from typing import Final

from goferry.doctor.evidence import Subject
from goferry.doctor.settings.hiding import hide
from goferry.errors import InvalidInput
from goferry.gomod import gourl
from goferry.net.httpproxy import ip_of, split_host_port

_SCP: Final = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?!\d+$).+")
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?\.?")
_STRANGE: Final = re.compile(r"[\s\x00-\x1f\x7f\\]")


def parse_subject(text: str) -> Subject:
    """The subject that a text names; secrets are not kept. InvalidInput when it can be none of the three.

    In this order: `SCHEME://…` and git's `USER@HOST:PATH` are URLs; with `@` or `/` it is a module, with the version
    after the first `@`; anything else is a host, perhaps with a port. So a module whose path is a bare name
    (`example.org`) is written with a version: `example.org@latest`.
    """
    text = text.strip()
    if not text:
        return Subject()
    if _STRANGE.search(text):
        raise InvalidInput("{text!r} is neither a module nor a URL nor a host", text=hide(text))
    if "://" in text or _SCP.fullmatch(text):
        return _url(text)
    if text.startswith((".", "/", "~")):
        raise InvalidInput("{text!r} is a path on this machine; name a module, a URL or a host", text=text)
    if ip_of(text) is None and ("@" in text or "/" in text):
        return _module(text)
    return _host(text)


def _url(text: str) -> Subject:
    scp = None if "://" in text else _SCP.fullmatch(text)
    if scp is not None:
        return Subject(text=hide(text), url=hide(text), host=scp["host"])
    try:
        parsed = gourl.parse(text)
    except gourl.InvalidURL as why:
        raise InvalidInput("{text!r} is no URL: {why}", text=hide(text), why=why) from why
    host = host_of(parsed.host)
    if not host and parsed.scheme != "file":
        raise InvalidInput("{text!r} is a URL without a host", text=hide(text))
    return Subject(text=hide(text), url=hide(text), host=host)


def _module(text: str) -> Subject:
    path, _at, version = text.partition("@")
    path = path.removesuffix("/...").rstrip("/")
    if not path:
        raise InvalidInput("{text!r} names no module", text=text)
    return Subject(text=text, module=path, version=version)


def _host(text: str) -> Subject:
    split = split_host_port(text)
    host, port = split if split is not None else (text.strip("[]"), "")
    if (port and not port.isdecimal()) or (ip_of(host) is None and not _HOST.fullmatch(host)):
        raise InvalidInput("{text!r} is neither a module nor a URL nor a host", text=text)
    return Subject(text=text, url=f"https://{text}/" if port else "", host=host)


def host_of(authority: str) -> str:
    """The host of `host[:port]` without brackets."""
    split = split_host_port(authority)
    return split[0] if split is not None else authority.strip("[]")
