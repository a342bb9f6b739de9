"""One HTTP question and every answer on its way: redirects, repetitions, and how the body ended.

A mirror's redirect leads to a storage host that can be blocked alone, so each hop is a record. A question that failed
for a reason that may pass is asked once more: a fault that lasts and one that passed need different words.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urljoin, urlunsplit

from goferry.doctor.base import World
from goferry.doctor.evidence import AnswerSeen
from goferry.doctor.probes.reach import timeouts_of
from goferry.doctor.urls import split_url
from goferry.errors import GoferryError
from goferry.net import Client, Failure, NetError
from goferry.net.client import MAX_REDIRECTS, ClientResponse
from goferry.net.httpproxy import ProxyConfig, basic_credentials

KEPT_BODY: Final = 4 * 1024
SOME: Final = 64 * 1024
"""Bytes of a body that are read when nobody needs it whole."""

WHOLE_ZIP: Final = 20 * 1024 * 1024
"""A larger zip is not read to its end."""

_REDIRECTS: Final = (301, 302, 303, 307, 308)
_HEADERS: Final = (
    "age",
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "date",
    "proxy-authenticate",
    "retry-after",
    "server",
    "via",
    "www-authenticate",
    "x-cache",
    "x-cache-status",
)
_PLAIN_QUERIES: Final = ("go-get=1", "service=git-upload-pack")
_PAUSE: Final = 5.0
"""Seconds between two pieces of a body that still flows."""
_LEAST_TIME: Final = 0.2
"""Seconds without which asking is no use."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to ask. url: with credentials, if it has any; headers: those of GOAUTH; most: bytes to read."""

    url: str
    purpose: str
    entry: int = -1
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    most: int = SOME


@dataclass(frozen=True, slots=True)
class Reply:
    """All that came of a question. body: of the last answer, as far as it was read; whole: it was read to its end."""

    seen: tuple[AnswerSeen, ...]
    body: bytes = b""
    whole: bool = False

    @property
    def last(self) -> AnswerSeen:
        """The answer at the end of the way."""
        return self.seen[-1]

    @property
    def ok(self) -> bool:
        """Status 200 with a body that came as it should."""
        return self.last.status == 200 and not self.last.failure

    @property
    def lacks(self) -> bool:
        """404 or 410: who was asked does not have it, and said so."""
        return self.last.status in (404, 410)


class Asker:
    """Asks for one world. All its questions together end within `seconds`."""

    def __init__(
        self,
        world: World,
        client: Client,
        clean: Callable[[str], str],
        seconds: float,
        again: Callable[[str, AnswerSeen], Awaitable[Mapping[str, str]]] | None = None,
    ) -> None:
        """again: credentials to ask once more with after a refusal, as go does."""
        self._client = client
        self._again = again
        self._clean = clean
        self._timeouts = timeouts_of(world)
        self._body_seconds = world.limits.body
        self._proxies = ProxyConfig.from_env(world.environ)
        self._until = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left."""
        return max(0.0, self._until - time.monotonic())

    def has_time(self) -> bool:
        """Whether there is enough left for another question."""
        return self.left() >= _LEAST_TIME

    async def ask(self, question: Question) -> Reply:
        """The answers, in order; at least one."""
        if split_url(question.url).scheme == "file":
            return await asyncio.to_thread(_read_file, question)
        reply = await self._with_credentials(question, await self._walk(question, 1))
        # The second time must have the chance that the first one had.
        if not _may_pass(reply.last) or self.left() < max(_LEAST_TIME, reply.last.seconds):
            return reply
        again = await self._walk(question, 2)
        return replace(again, seen=reply.seen + again.seen)

    async def _with_credentials(self, question: Question, reply: Reply) -> Reply:
        """The answer to the same question with what GOAUTH tells after a refusal: that one is go's answer."""
        if self._again is None or len(reply.seen) > 1 or not self.has_time():
            return reply
        headers = await self._again(question.url, reply.last)
        return await self._walk(replace(question, headers=headers), 1) if headers else reply

    async def _walk(self, question: Question, attempt: int) -> Reply:
        seen: list[AnswerSeen] = []
        url, headers = question.url, question.headers
        while True:
            exchange = await self._once(replace(question, url=url, headers=headers), attempt)
            seen.append(exchange.seen)
            if not exchange.following:
                return Reply(tuple(seen), bytes(exchange.body), exchange.whole)
            if len(seen) > MAX_REDIRECTS:
                seen[-1] = replace(seen[-1], failure=Failure.TOO_MANY_REDIRECTS)
                return Reply(tuple(seen))
            # Who redirects gets no say in where a password goes.
            headers = headers if _origin(url) == _origin(exchange.following) else {}
            url = exchange.following

    async def _once(self, question: Question, attempt: int) -> "_Exchange":
        exchange = _Exchange()
        started = time.monotonic()
        failure, text = "", ""
        try:
            timeouts = replace(self._timeouts, whole=max(self.left(), 0.01))
            headers = authorization(question)
            async with self._client.get(
                question.url, headers=headers, timeouts=timeouts, follow=False
            ) as response:
                exchange.note(response, question.url)
                await self._read(response, question.most, exchange)
        except NetError as exc:
            still_flows = exc.kind is Failure.WHOLE_TIMEOUT and exchange.still_flows()
            if not still_flows and not exchange.is_only_coded(exc):
                failure, text = exc.kind, said(exc)
        except GoferryError as exc:  # a URL or a setting that nothing can be asked with
            failure, text = Failure.UNKNOWN, said(exc)
        if exchange.leaves_tls(question.url):
            failure, exchange.following = Failure.INSECURE_REDIRECT, ""
        exchange.seen = AnswerSeen(
            url=shown_url(question.url, self._clean),
            purpose=question.purpose,
            entry=question.entry,
            status=exchange.status,
            headers={name: self._clean(value) for name, value in exchange.headers.items()},
            body=self._clean(bytes(exchange.body[:KEPT_BODY]).decode("utf-8", "replace")),
            size=len(exchange.body),
            declared=exchange.declared,
            redirect=shown_url(exchange.location, self._clean) if exchange.location else "",
            protocol="HTTP/1.1" if exchange.status else "",
            seconds=time.monotonic() - started,
            failure=failure,
            text=self._clean(text),
            via=self._via(question.url),
            attempt=attempt,
        )
        return exchange

    async def _read(self, response: ClientResponse, most: int, exchange: "_Exchange") -> None:
        """The body up to `most` bytes, and less of one that is known to be larger.

        A slow one that still flows when its time is over is left, and did not fail.
        """
        if exchange.declared > most:
            most = min(most, SOME)
        try:
            async with asyncio.timeout(self._body_seconds):
                async for chunk in response.chunks():
                    exchange.body += chunk[: most - len(exchange.body)]
                    exchange.latest = time.monotonic()
                    if len(exchange.body) >= most:
                        exchange.whole = exchange.declared == most
                        return
                exchange.whole = True
        except TimeoutError:
            return

    def _via(self, url: str) -> str:
        try:
            return self._proxies.proxy_for(url).url or ""
        except GoferryError:
            return ""


def said(exc: GoferryError) -> str:
    """What the system or the peer said, in no language but its own. Of a forward proxy's fault the cause says it."""
    if isinstance(exc, NetError):
        cause = exc.__cause__
        return f"{cause.kind}: {said(cause)}" if isinstance(cause, NetError) else exc.detail
    return exc.message.format(**exc.parts)


@dataclass(slots=True)
class _Exchange:
    """One request and its answer while it comes. location: where it redirects to, following: and where to ask next."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    declared: int = -1
    location: str = ""
    following: str = ""
    body: bytearray = field(default_factory=bytearray)
    whole: bool = False
    latest: float = 0.0
    """When the last piece of the body came."""
    seen: AnswerSeen = field(default_factory=lambda: AnswerSeen("", ""))

    def note(self, response: ClientResponse, url: str) -> None:
        """Takes in the head of the answer."""
        given = {name.lower(): value for name, value in response.headers.items()}
        self.status = response.status
        self.headers = {name: given[name] for name in _HEADERS if name in given}
        length = given.get("content-length", "")
        self.declared = int(length) if length.isdecimal() else -1
        if self.status in _REDIRECTS and given.get("location"):
            self.location = self.following = urljoin(_without_user(url), given["location"])

    def still_flows(self) -> bool:
        """Whether more of the body came just now: one that is slow is no failure."""
        return time.monotonic() - self.latest < _PAUSE

    def is_only_coded(self, failure: NetError) -> bool:
        """Whether all that is wrong is a body that came compressed, which go asks for and this client does not."""
        is_gzip = self.headers.get("content-encoding", "").lower() == "gzip"
        return failure.kind is Failure.HTTP_PROTOCOL and is_gzip

    def leaves_tls(self, url: str) -> bool:
        """Whether it redirects from https to http, which go refuses."""
        return split_url(url).scheme == "https" and split_url(self.following).scheme == "http"


def _may_pass(answer: AnswerSeen) -> bool:
    """Whether asking again could tell a fault that lasts from one that passed. Who says 429 is not asked again."""
    if answer.status >= 500:
        return True
    return (
        answer.failure in set(Failure)
        and Failure(answer.failure).is_transient
        and not answer.failure.startswith("dns_")
    )


def authorization(question: Question) -> Mapping[str, str]:
    """The headers that GOAUTH told, or the login in the URL."""
    parts = split_url(question.url)
    if parts.username is None:
        return question.headers
    return {"Authorization": basic_credentials(unquote(parts.username), unquote(parts.password or ""))}


def _origin(url: str) -> tuple[str, str]:
    parts = split_url(url)
    return parts.scheme, parts.netloc.rpartition("@")[2].lower()


def _without_user(url: str) -> str:
    parts = split_url(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def shown_url(url: str, clean: Callable[[str], str]) -> str:
    """The URL as it may be kept: without user, and without a query unless it is one of go's own."""
    parts = split_url(_without_user(url))
    if not parts.scheme:
        return clean(url)
    query = parts.query if parts.query in _PLAIN_QUERIES else ""
    return clean(urlunsplit(parts._replace(query=query, fragment="")))


# ---- file trees --------------------------------------------------------------------------------------------


def _read_file(question: Question) -> Reply:
    """The file behind a file:// entry, in the words of HTTP, for that is how go takes it: no file is 404."""
    path = Path(unquote(split_url(question.url).path))
    seen = AnswerSeen(question.url, question.purpose, question.entry)
    started = time.monotonic()
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            body = file.read(question.most)
    except (FileNotFoundError, NotADirectoryError):
        return Reply((replace(seen, status=404),))
    except OSError as exc:
        return Reply((replace(seen, failure=Failure.UNKNOWN, text=exc.strerror or str(exc)),))
    text = body[:KEPT_BODY].decode("utf-8", "replace")
    seconds = time.monotonic() - started
    seen = replace(seen, status=200, body=text, size=len(body), declared=size, seconds=seconds)
    return Reply((seen,), body, len(body) == size)
