"""What went wrong, in goferry's own words: codes of failures as short phrases that are translated when they are shown.

Records keep the code, and beside it the words of the system or of the library (`[Errno 111] Connect call failed`),
which mean little to people and are English at best. What the other side said (a status line, the name of an alert)
is kept, as it tells more than the code.
"""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Final

from goferry.doctor.evidence import HandshakeSeen, Raw
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

PHRASES: Final[Mapping[str, str]] = {
    Failure.DNS_NOT_FOUND: N_("no such name"),
    Failure.DNS_TIMEOUT: N_("no name server answered in time"),
    Failure.DNS_REFUSED: N_("the name server refused to answer"),
    Failure.DNS_SERVER_FAILURE: N_("the name server could not find the answer"),
    Failure.DNS_BAD_ANSWER: N_("the name server's answer makes no sense"),
    Failure.CONNECT_REFUSED: N_("connection refused"),
    Failure.CONNECT_TIMEOUT: N_("no connection in time"),
    Failure.CONNECT_RESET: N_("the connection was reset"),
    Failure.NETWORK_UNREACHABLE: N_("no route to its network"),
    Failure.TLS_TIMEOUT: N_("the TLS handshake did not finish in time"),
    Failure.TLS_UNKNOWN_AUTHORITY: N_("its certificate is signed by an unknown authority"),
    Failure.TLS_EXPIRED: N_("its certificate has expired or is not valid yet"),
    Failure.TLS_WRONG_HOST: N_("its certificate is for another name"),
    Failure.TLS_HANDSHAKE: N_("the TLS handshake failed"),
    Failure.PROXY_UNREACHABLE: N_("the forward proxy cannot be reached"),
    Failure.PROXY_TIMEOUT: N_("the forward proxy opened no tunnel in time"),
    Failure.PROXY_AUTH_REQUIRED: N_("the forward proxy asks for a user and password"),
    Failure.PROXY_DENIED: N_("the forward proxy refused the tunnel"),
    Failure.PROXY_BAD_GATEWAY: N_("the forward proxy could not reach it"),
    Failure.PROXY_BAD_ANSWER: N_("the forward proxy's answer is not HTTP"),
    Failure.PROXY_UNSUPPORTED: N_("this kind of forward proxy is not supported"),
    Failure.FIRST_BYTE_TIMEOUT: N_("no answer in time"),
    Failure.NO_ANSWER: N_("the connection was closed without an answer"),
    Failure.IDLE_TIMEOUT: N_("the answer stalled"),
    Failure.WHOLE_TIMEOUT: N_("it took too long as a whole"),
    Failure.BODY_TRUNCATED: N_("the answer ended early"),
    Failure.BODY_TOO_LARGE: N_("the answer is larger than allowed"),
    Failure.TOO_MANY_REDIRECTS: N_("too many redirects"),
    Failure.INSECURE_REDIRECT: N_("redirected from https to http"),
    Failure.BAD_REDIRECT: N_("redirected to something that is no web address"),
    Failure.INSECURE_CREDENTIALS: N_("a password would have gone over http"),
    Failure.HTTP_PROTOCOL: N_("the answer breaks the rules of HTTP"),
    Failure.CANCELLED: N_("given up"),
    Failure.UNKNOWN: N_("an unexpected error"),
    Raw.RESET: N_("the connection was reset"),
    Raw.CLOSED: N_("the connection was closed without a word"),
    Raw.STALLED: N_("nothing came any more"),
    Raw.NOT_TLS: N_("the answer is not TLS"),
    Raw.ALERT: N_("the server refused the handshake"),
    Raw.NOT_PERMITTED: N_("this system does not permit it"),
    Raw.GARBAGE: N_("the answer makes no sense"),
    # Folders
    "read_only": N_("its file system is read-only"),
    "no_space": N_("no space is left there"),
    "not_a_folder": N_("a file stands in its way"),
    "io": N_("the file system fails"),
    # Certificates, as HandshakeSeen.wrong
    "unknown_authority": N_("a certificate of an unknown authority"),
    "expired": N_("an expired certificate"),
    "not_yet_valid": N_("a certificate that is not valid yet"),
    "wrong_host": N_("a certificate for another name"),
    "incomplete": N_("an incomplete chain of certificates"),
}
TELLING: Final[frozenset[str]] = frozenset({
    Failure.PROXY_DENIED, Failure.PROXY_BAD_GATEWAY, Failure.PROXY_UNSUPPORTED, Failure.TLS_HANDSHAKE,
    Failure.HTTP_PROTOCOL, Failure.BAD_REDIRECT, Failure.INSECURE_REDIRECT, Failure.UNKNOWN, Raw.ALERT,
})  # fmt: skip
"""Failures of which the kept text says more than the name: it came from the other side, or nobody knows it."""
_NESTED: Final = {Failure.PROXY_UNREACHABLE}
"""Failures with one of the connection below, whose name stands first in the text."""


def failed(failure: str, text: str = "") -> Text | str:
    """A failure in our words. What has no name keeps the words that it came with."""
    key = PHRASES.get(failure)
    if key is None:
        return text or failure
    phrase = Text(key)
    below = text.partition(":")[0]
    if failure in _NESTED and below in PHRASES:
        return Text(N_("{what} ({why})"), what=phrase, why=failed(below))
    if failure in TELLING and text:
        return Text(N_("{what} ({why})"), what=phrase, why=text)
    return phrase


def listed(failures: Iterable[str]) -> Text | str:
    """Several failures in our words, each once; "" for none."""
    words = [failed(failure) for failure in sorted(set(failures))]
    return reduce(lambda one, other: Text(N_("{one}, {other}"), one=one, other=other), words) if words else ""


def ended(status: int, failure: str, text: str = "") -> Text | str:
    """How a question over HTTP ended: its status, else what went wrong."""
    return str(status) if status else failed(failure, text)


def how_answered(shake: HandshakeSeen) -> Text | str:
    """What a server answered to a first message: an alert by name, a version of TLS."""
    return shake.text or shake.version or Text(N_("answered"))
