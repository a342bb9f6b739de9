"""Any error of the network, as one name from a closed list.

Every library below us has its own exceptions, and several for one fault. Here each becomes a `Failure`: a stable
name for data, metrics and rules, with one sentence for people. The foreign exception stays as the cause. Exceptions
are recognised by the names of their classes, so nothing is imported here that the caller did not already load.
"""

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from goferry.errors import UpstreamError, UpstreamTimeout
from goferry.i18n import N_


class Failure(StrEnum):
    """What went wrong, by the layer that noticed it. The values are stable and never translated."""

    DNS_NOT_FOUND = "dns_not_found"
    DNS_TIMEOUT = "dns_timeout"
    DNS_REFUSED = "dns_refused"
    DNS_SERVER_FAILURE = "dns_server_failure"
    DNS_BAD_ANSWER = "dns_bad_answer"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_RESET = "connect_reset"
    NETWORK_UNREACHABLE = "network_unreachable"
    TLS_TIMEOUT = "tls_timeout"
    TLS_UNKNOWN_AUTHORITY = "tls_unknown_authority"
    TLS_EXPIRED = "tls_expired"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_HANDSHAKE = "tls_handshake"
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_TIMEOUT = "proxy_timeout"
    PROXY_AUTH_REQUIRED = "proxy_auth_required"
    PROXY_DENIED = "proxy_denied"
    PROXY_BAD_GATEWAY = "proxy_bad_gateway"
    PROXY_BAD_ANSWER = "proxy_bad_answer"
    PROXY_UNSUPPORTED = "proxy_unsupported"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    NO_ANSWER = "no_answer"
    IDLE_TIMEOUT = "idle_timeout"
    WHOLE_TIMEOUT = "whole_timeout"
    BODY_TRUNCATED = "body_truncated"
    BODY_TOO_LARGE = "body_too_large"
    TOO_MANY_REDIRECTS = "too_many_redirects"
    INSECURE_REDIRECT = "insecure_redirect"
    BAD_REDIRECT = "bad_redirect"
    INSECURE_CREDENTIALS = "insecure_credentials"
    HTTP_PROTOCOL = "http_protocol"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def sentence(self) -> str:
        """The English key of the sentence for people; its named parts are host, url and detail."""
        return _FACTS[self].sentence

    @property
    def is_timeout(self) -> bool:
        """A limit ran out: the error is a NetTimeout with status 504."""
        return _FACTS[self].timeout

    @property
    def is_transient(self) -> bool:
        """The same request may well succeed later, with nothing changed on either side."""
        return _FACTS[self].transient


@dataclass(frozen=True, slots=True)
class _Fact:
    sentence: str
    timeout: bool = False
    transient: bool = False


def _late(sentence: str) -> _Fact:
    return _Fact(sentence, timeout=True, transient=True)


def _passing(sentence: str) -> _Fact:
    return _Fact(sentence, transient=True)


_FACTS: Mapping[Failure, _Fact] = {
    Failure.DNS_NOT_FOUND: _Fact(N_("{host}: no such host name")),
    Failure.DNS_TIMEOUT: _late(N_("{host}: no name server answered in time")),
    Failure.DNS_REFUSED: _passing(N_("{host}: the name server refused to answer")),
    Failure.DNS_SERVER_FAILURE: _passing(N_("{host}: the name server could not find the answer")),
    Failure.DNS_BAD_ANSWER: _passing(N_("{host}: the name server's answer makes no sense")),
    Failure.CONNECT_REFUSED: _passing(N_("{host}: connection refused")),
    Failure.CONNECT_TIMEOUT: _late(N_("{host}: no connection in time")),
    Failure.CONNECT_RESET: _passing(N_("{host}: the connection was reset")),
    Failure.NETWORK_UNREACHABLE: _passing(N_("{host}: no route to its network")),
    Failure.TLS_TIMEOUT: _late(N_("{host}: the TLS handshake did not finish in time")),
    Failure.TLS_UNKNOWN_AUTHORITY: _Fact(N_("{host}: its certificate is signed by an unknown authority")),
    Failure.TLS_EXPIRED: _Fact(N_("{host}: its certificate has expired or is not valid yet")),
    Failure.TLS_WRONG_HOST: _Fact(N_("{host}: its certificate is for another name")),
    Failure.TLS_HANDSHAKE: _Fact(N_("{host}: the TLS handshake failed: {detail}")),
    Failure.PROXY_UNREACHABLE: _passing(N_("{host}: its forward proxy cannot be reached: {detail}")),
    Failure.PROXY_TIMEOUT: _late(N_("{host}: the forward proxy opened no tunnel in time")),
    Failure.PROXY_AUTH_REQUIRED: _Fact(N_("{host}: the forward proxy asks for a user and password")),
    Failure.PROXY_DENIED: _Fact(N_("{host}: the forward proxy refused the tunnel: {detail}")),
    Failure.PROXY_BAD_GATEWAY: _passing(N_("{host}: the forward proxy could not reach it: {detail}")),
    Failure.PROXY_BAD_ANSWER: _Fact(N_("{host}: the forward proxy's answer is not HTTP: {detail}")),
    Failure.PROXY_UNSUPPORTED: _Fact(N_("{host}: this kind of forward proxy is not supported: {detail}")),
    Failure.FIRST_BYTE_TIMEOUT: _late(N_("{host}: no answer in time")),
    Failure.NO_ANSWER: _passing(N_("{host}: the connection was closed without an answer")),
    Failure.IDLE_TIMEOUT: _late(N_("{host}: the answer stalled")),
    Failure.WHOLE_TIMEOUT: _late(N_("{host}: the request took too long as a whole")),
    Failure.BODY_TRUNCATED: _passing(N_("{host}: the answer ended early: {detail}")),
    Failure.BODY_TOO_LARGE: _Fact(N_("{host}: the answer is larger than allowed: {detail}")),
    Failure.TOO_MANY_REDIRECTS: _Fact(N_("{host}: too many redirects")),
    Failure.INSECURE_REDIRECT: _Fact(N_("{host}: redirected from https to http, which is refused: {detail}")),
    Failure.BAD_REDIRECT: _Fact(N_("{host}: redirected to something that is no web address: {detail}")),
    Failure.INSECURE_CREDENTIALS: _Fact(N_("{host}: refusing to send a password over http")),
    Failure.HTTP_PROTOCOL: _Fact(N_("{host}: the answer breaks the rules of HTTP: {detail}")),
    Failure.CANCELLED: _Fact(N_("{host}: the request was cancelled")),
    Failure.UNKNOWN: _Fact(N_("{host}: an unexpected error: {detail}")),
}


class NetError(UpstreamError):
    """Something went wrong below HTTP. `kind` is the name; the foreign error, if any, is `__cause__`.

    host: the server as `name` or `name:port`; url: what was asked, without credentials; detail: what the library said.
    """

    def __init__(self, kind: Failure, *, host: str = "", url: str = "", detail: str = "") -> None:
        super().__init__(kind.sentence, host=host, url=url, detail=detail)
        self.kind = kind
        self.host = host
        self.url = url
        self.detail = detail

    def at(self, url: str) -> "NetError":
        """Itself, with the URL filled in if it was raised by a part that knows only the host."""
        self.url = self.parts["url"] = self.url or url
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.kind, self.host, self.url, self.detail)


class NetTimeout(NetError, UpstreamTimeout):
    """One of the time limits ran out."""

    code = UpstreamTimeout.code
    status = UpstreamTimeout.status


def _rebuild(cls: type[NetError], kind: Failure, host: str, url: str, detail: str) -> NetError:
    return cls(kind, host=host, url=url, detail=detail)


def failed(kind: Failure, *, host: str = "", url: str = "", detail: str = "") -> NetError:
    """The error for this kind: a NetTimeout for the timeouts, else a NetError."""
    cls = NetTimeout if kind.is_timeout else NetError
    return cls(kind, host=host, url=url, detail=detail)


def translated(exc: BaseException, *, host: str = "", url: str = "") -> NetError:
    """The foreign exception as ours; raise it `from exc`. An error that is ours already stays as it is."""
    if isinstance(exc, NetError):
        return exc
    return failed(classify(exc), host=host, url=url, detail=_said(exc))


def _said(exc: BaseException) -> str:
    """What the library said, shortened to one line; for TLS the reason without OpenSSL's source line."""
    if isinstance(exc, ssl.SSLCertVerificationError):
        return exc.verify_message
    if isinstance(exc, ssl.SSLError) and exc.reason:
        return exc.reason.replace("_", " ").lower()
    return " ".join(str(exc).split()) or type(exc).__name__


@asynccontextmanager
async def limit(seconds: float | None, kind: Failure, *, host: str = "") -> AsyncIterator[None]:
    """Cuts what is inside after so many seconds (None: never) and raises the error of this kind."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as exc:
        raise failed(kind, host=host) from exc


def classify(exc: BaseException) -> Failure:
    """The name for any exception; UNKNOWN for one that no row knows. Never raises."""
    for cls in type(exc).__mro__:
        rule = _RULES.get(f"{cls.__module__}.{cls.__qualname__}")
        if rule is not None:
            return rule if isinstance(rule, Failure) else rule(exc)
    return Failure.UNKNOWN


_VERIFY_CODES: Mapping[int, Failure] = {  # X509_V_ERR_*, from OpenSSL's x509_vfy.h
    9: Failure.TLS_EXPIRED,  # not yet valid: almost always a wrong clock, like expiry
    10: Failure.TLS_EXPIRED,
    2: Failure.TLS_UNKNOWN_AUTHORITY,  # issuer certificate not found
    18: Failure.TLS_UNKNOWN_AUTHORITY,  # self-signed leaf
    19: Failure.TLS_UNKNOWN_AUTHORITY,  # self-signed certificate in the chain
    20: Failure.TLS_UNKNOWN_AUTHORITY,  # local issuer not found
    21: Failure.TLS_UNKNOWN_AUTHORITY,  # leaf signature cannot be checked
    62: Failure.TLS_WRONG_HOST,
    64: Failure.TLS_WRONG_HOST,  # the IP address differs
}

_ARES_CODES: Mapping[int, Failure] = {  # ARES_*, from c-ares' ares.h
    1: Failure.DNS_NOT_FOUND,  # the name exists, with no address
    2: Failure.DNS_BAD_ANSWER,  # the server could not parse the query
    3: Failure.DNS_SERVER_FAILURE,
    4: Failure.DNS_NOT_FOUND,
    5: Failure.DNS_REFUSED,  # not implemented
    6: Failure.DNS_REFUSED,
    8: Failure.DNS_NOT_FOUND,  # the name itself is malformed
    10: Failure.DNS_BAD_ANSWER,
    11: Failure.DNS_REFUSED,  # nothing listens at the server's port
    12: Failure.DNS_TIMEOUT,
    19: Failure.DNS_NOT_FOUND,
}

_NAME_CODES: Mapping[int, Failure] = {
    getattr(socket, name): Failure.DNS_NOT_FOUND
    for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY")
    if hasattr(socket, name)
}

_ERRNOS: Mapping[int, Failure] = {
    errno.ECONNREFUSED: Failure.CONNECT_REFUSED,
    errno.ETIMEDOUT: Failure.CONNECT_TIMEOUT,
    errno.ECONNRESET: Failure.CONNECT_RESET,
    errno.ECONNABORTED: Failure.CONNECT_RESET,
    errno.EPIPE: Failure.CONNECT_RESET,
    errno.ENETUNREACH: Failure.NETWORK_UNREACHABLE,
    errno.EHOSTUNREACH: Failure.NETWORK_UNREACHABLE,
    errno.ENETDOWN: Failure.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: Failure.NETWORK_UNREACHABLE,
    errno.EAFNOSUPPORT: Failure.NETWORK_UNREACHABLE,
    errno.EACCES: Failure.NETWORK_UNREACHABLE,  # a local firewall rule
    errno.EPERM: Failure.NETWORK_UNREACHABLE,
    errno.EINVAL: Failure.NETWORK_UNREACHABLE,  # a link-local address without its interface
}

# Several addresses can fail in several ways. The first of these that occurs tells most about the host.
_MOST_TELLING = (
    Failure.CONNECT_REFUSED,
    Failure.CONNECT_RESET,
    Failure.CONNECT_TIMEOUT,
    Failure.NETWORK_UNREACHABLE,
)
_ERRNO_IN_TEXT = re.compile(r"\[(?:Errno|WinError) (\d+)\]")


def _of_certificate(exc: BaseException) -> Failure:
    return _VERIFY_CODES.get(getattr(exc, "verify_code", 0), Failure.TLS_HANDSHAKE)


def _of_ares(exc: BaseException) -> Failure:
    return _ARES_CODES.get(exc.args[0] if exc.args else 0, Failure.DNS_SERVER_FAILURE)


def _of_name(exc: BaseException) -> Failure:
    return _NAME_CODES.get(exc.args[0] if exc.args else 0, Failure.DNS_SERVER_FAILURE)


def _of_os(exc: BaseException) -> Failure:
    seen = {_ERRNOS.get(number) for number in _errnos(exc)}
    return next((kind for kind in _MOST_TELLING if kind in seen), Failure.UNKNOWN)


def _of_lost(exc: BaseException) -> Failure:
    """A connection that was there and went away; some loops say so without a number."""
    kind = _of_os(exc)
    return Failure.CONNECT_RESET if kind is Failure.UNKNOWN else kind


def _of_timeout(exc: BaseException) -> Failure:
    """The kernel's ETIMEDOUT is a TimeoutError too; one without a number is our own deadline."""
    return Failure.WHOLE_TIMEOUT if getattr(exc, "errno", None) is None else _of_os(exc)


def _errnos(exc: BaseException) -> Iterator[int]:
    """The error's number; or all numbers in the text, where happy eyeballs joined several errors into one."""
    number = getattr(exc, "errno", None)
    if number is not None:
        yield number
    else:
        yield from map(int, _ERRNO_IN_TEXT.findall(str(exc)))


def _of_net(exc: BaseException) -> Failure:
    assert isinstance(exc, NetError)
    return exc.kind


_RULES: Mapping[str, Failure | Callable[[BaseException], Failure]] = {
    "goferry.net.failure.NetError": _of_net,
    "asyncio.exceptions.CancelledError": Failure.CANCELLED,
    "builtins.GeneratorExit": Failure.CANCELLED,
    "ssl.SSLCertVerificationError": _of_certificate,
    "ssl.SSLError": Failure.TLS_HANDSHAKE,
    "builtins.UnicodeError": Failure.DNS_NOT_FOUND,  # getaddrinfo refuses a label that IDNA cannot encode
    "aiodns.error.DNSError": _of_ares,
    "pycares.AresError": _of_ares,
    "socket.gaierror": _of_name,
    "aiohttp.client_exceptions.SocketTimeoutError": Failure.IDLE_TIMEOUT,
    "aiohttp.client_exceptions.ServerDisconnectedError": Failure.NO_ANSWER,
    "aiohttp.client_exceptions.ClientPayloadError": Failure.BODY_TRUNCATED,
    # Only our own close() leaves nothing more telling than this.
    "aiohttp.client_exceptions.ClientConnectionError": Failure.CANCELLED,
    "aiohttp.client_exceptions.ClientOSError": _of_lost,
    "aiohttp.client_exceptions.ClientConnectionResetError": Failure.CONNECT_RESET,
    "aiohttp.client_exceptions.ClientResponseError": Failure.HTTP_PROTOCOL,
    "aiohttp.http_exceptions.HttpProcessingError": Failure.HTTP_PROTOCOL,
    "builtins.ConnectionRefusedError": Failure.CONNECT_REFUSED,
    "builtins.ConnectionResetError": Failure.CONNECT_RESET,
    "builtins.ConnectionAbortedError": Failure.CONNECT_RESET,
    "builtins.BrokenPipeError": Failure.CONNECT_RESET,
    "builtins.TimeoutError": _of_timeout,
    "builtins.OSError": _of_os,
}
