"""An upstream that speaks the GOPROXY protocol over http(s).

`go` itself neither retries nor resumes; this is where both happen. Small answers are asked for again, a zip goes on
where it broke off. Status codes become families once, in `_refusal`: 404 and 410 are NotFound, 403 is Refused with
the upstream's own words, everything else is the upstream's fault (https://go.dev/ref/mod#goproxy-protocol).
"""

import asyncio
import datetime
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlsplit

from goferry.errors import (
    GoferryError,
    LoopDetected,
    NotFound,
    Refused,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from goferry.gomod.goproxy import Kind, redact, request_path, url_path
from goferry.gomod.module import Version
from goferry.net.backoff import Backoff, retry_after
from goferry.net.base import HttpClient, Response
from goferry.net.failure import Failure, NetError
from goferry.upstream.base import MAX_GO_MOD, MAX_METADATA, Fetched, Sink, Source
from goferry.upstream.hosts import HostGates, Visit
from goferry.upstream.loop import VIA, format_via

T = TypeVar("T")

_RETRY_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
_MAX_REASON = 600
"""Characters of an upstream's error text that are passed on; `go` shows at most 648 bytes."""

_HOST_LIVES = frozenset(
    {Failure.BODY_TRUNCATED, Failure.IDLE_TIMEOUT, Failure.CONNECT_RESET, Failure.NO_ANSWER}
)
"""Faults of one connection, not of the host: they are retried and never held against it."""


@dataclass(frozen=True, slots=True)
class Retries:
    """How often and how patiently a request is repeated. `patience` is seconds for all attempts of one request."""

    attempts: int = 10
    backoff: Backoff = field(default_factory=Backoff)
    patience: float = 60.0


class _Again(Exception):
    """This attempt failed in a way that another one may mend."""

    def __init__(self, cause: GoferryError, *, wait: float | None = None, progress: bool = False) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.wait = wait
        self.progress = progress


class ProxyFetcher:
    """Fetches from one entry of the GOPROXY list."""

    def __init__(
        self,
        url: str,
        client: HttpClient,
        *,
        gates: HostGates,
        retries: Retries | None = None,
        identity: str = "",
        random_source: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = redact(url)
        self._base = url.rstrip("/")
        self._client = client
        self._gate = gates.of(urlsplit(url).netloc.rpartition("@")[2])
        self._retries = retries or Retries()
        self._identity = identity
        self._random = random_source
        self._clock = clock
        self._sleep = sleep

    async def list(self, path: str) -> Fetched:
        return await self.get(request_path(Kind.LIST, path, ""))

    async def latest(self, path: str) -> Fetched:
        return await self.get(request_path(Kind.LATEST, path, ""))

    async def info(self, path: str, query: str) -> Fetched:
        return await self.get(request_path(Kind.INFO, path, query))

    async def mod(self, module: Version) -> Fetched:
        return await self.get(request_path(Kind.MOD, module.path, module.version), limit=MAX_GO_MOD)

    async def sumdb(self, name: str, path: str) -> Fetched:
        return await self.get(f"sumdb/{name}/{path}")

    async def zip(self, module: Version, sink: Sink) -> Source:
        path = request_path(Kind.ZIP, module.path, module.version)
        body = _ResumableBody(sink)

        async def attempt(visit: Visit) -> Source:
            async with self._client.get(
                self._url(path), headers=self._headers() | body.headers()
            ) as response:
                visit.answered(response.status)
                if response.status == 416:
                    await body.restart()
                    raise _Again(_bad_range(self.name), progress=False)
                if response.status != 206:
                    await self._check(response, binary=True)
                await body.take(response)
                return Source(self.name, response.url)

        return await self._retrying(attempt)

    async def get(self, path: str, *, limit: int = MAX_METADATA) -> Fetched:
        """Any small answer below the entry, whole. `path` is an escaped URL path without percent signs."""

        async def attempt(visit: Visit) -> Fetched:
            async with self._client.get(self._url(path), headers=self._headers()) as response:
                visit.answered(response.status)
                await self._check(response)
                return Fetched(await response.read(limit), Source(self.name, response.url))

        return await self._retrying(attempt)

    def _url(self, path: str) -> str:
        return f"{self._base}/{url_path(path)}"

    def _headers(self) -> dict[str, str]:
        hops = (*VIA.get(), self._identity) if self._identity else VIA.get()
        return {"Via": format_via(hops)} if hops else {}

    async def _retrying(self, attempt: Callable[[Visit], Awaitable[T]]) -> T:
        deadline = self._clock() + self._retries.patience
        failures = 0
        while True:
            try:
                async with self._gate.visit() as visit:
                    return await _once(attempt, visit)
            except _Again as again:
                failures = 1 if again.progress else failures + 1
                wait = max(self._retries.backoff.delay(failures - 1, self._random), again.wait or 0.0)
                if again.progress:
                    deadline = self._clock() + self._retries.patience
                if failures >= self._retries.attempts or self._clock() + wait > deadline:
                    raise again.cause from again.cause.__cause__
                await self._sleep(wait)

    async def _check(self, response: Response, *, binary: bool = False) -> None:
        if response.status == 200:
            kind = response.headers.get("content-type", "")
            if kind.startswith("text/html"):
                raise UpstreamError(
                    "{upstream} answered with a web page instead of {what}",
                    hint="a login page or a company filter may be in the way",
                    upstream=self.name,
                    what="application/zip" if binary else "text",
                )
            return
        error = await _refusal(self.name, response)
        if response.status in _RETRY_STATUS:
            now = datetime.datetime.now(datetime.UTC)
            raise _Again(error, wait=retry_after(response.headers.get("retry-after", ""), now))
        raise error


async def _once(attempt: Callable[[Visit], Awaitable[T]], visit: Visit) -> T:
    """One attempt; raises _Again for what another one may mend."""
    try:
        return await attempt(visit)
    except NetError as error:
        if error.kind in _HOST_LIVES:
            raise _Again(error) from error
        visit.failed(error)
        if error.kind.is_timeout or not error.kind.is_transient:
            raise
        raise _Again(error) from error


class _ResumableBody:
    """A zip that may arrive in several answers.

    Parts are joined only when the upstream says that they belong together: the same validator (If-Range, RFC 9110
    section 13.1.5), or for want of one the same total length; the zip's own checksums have the last word.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._total: int | None = None
        self._validator = ""
        self._resumable = False

    def headers(self) -> dict[str, str]:
        if not (self._sink.size and self._resumable):
            return {}
        headers = {"Range": f"bytes={self._sink.size}-"}
        if self._validator:
            headers["If-Range"] = self._validator
        return headers

    async def restart(self) -> None:
        await self._sink.truncate(0)
        self._total, self._validator, self._resumable = None, "", False

    async def take(self, response: Response) -> None:
        if response.status == 206:
            await self._continue(response.headers)
        else:
            await self.restart()
            self._begin(response.headers)
        self._sink.expect(self._total)
        before = self._sink.size
        try:
            async for chunk in response.chunks():
                await self._sink.write(chunk)
        except NetError as error:
            if error.kind not in _HOST_LIVES:
                raise
            raise _Again(error, progress=self._resumable and self._sink.size > before) from error
        if self._total is not None and self._sink.size != self._total:
            await self.restart()
            raise _Again(
                UpstreamError(
                    "the body is {size} bytes, {total} were announced", size=before, total=self._total
                )
            )

    def _begin(self, headers: Mapping[str, str]) -> None:
        length = headers.get("content-length", "")
        self._total = int(length) if length.isdecimal() else None
        etag = headers.get("etag", "")
        self._validator = headers.get("last-modified", "") if etag.startswith("W/") or not etag else etag
        self._resumable = self._total is not None and headers.get("accept-ranges", "bytes") == "bytes"

    async def _continue(self, headers: Mapping[str, str]) -> None:
        start, total = _content_range(headers.get("content-range", ""))
        if start != self._sink.size or total != self._total:
            await self.restart()
            raise _Again(UpstreamError("the upstream continued a body at the wrong place"))


def _content_range(value: str) -> tuple[int, int]:
    """(start, total) of `bytes START-END/TOTAL`; (-1, -1) for anything else."""
    unit, _, rest = value.partition(" ")
    span, _, total = rest.partition("/")
    start, _, _ = span.partition("-")
    if unit == "bytes" and start.isdecimal() and total.isdecimal():
        return int(start), int(total)
    return -1, -1


def _bad_range(name: str) -> UpstreamError:
    return UpstreamError("{upstream} refused to continue a body that it had begun", upstream=name)


async def _refusal(name: str, response: Response) -> GoferryError:
    """The error that a status means, with the upstream's own first words."""
    reason = await _reason(response)
    status = response.status
    if status in (404, 410):
        # Its own words and nothing else: people and scripts know them, and `go` prints them as they come.
        return NotFound("{reason}", upstream=name, reason=reason or f"{name}: {status}")
    if status in (401, 403, 407, 451):
        return Refused("{reason}", hint="answered by {upstream}", upstream=name, reason=reason or f"{status}")
    family = {503: Unavailable, 504: UpstreamTimeout, 508: LoopDetected}.get(status, UpstreamError)
    return family(
        "{upstream} answered {status}: {reason}", upstream=name, status=status, reason=reason or "-"
    )


async def _reason(response: Response) -> str:
    """The text of an error answer as one line, if it is text for people (`go` shows only such, cmd/go/internal/web)."""
    if not response.headers.get("content-type", "").startswith("text/plain"):
        return ""
    try:
        body = await response.read(1 << 16)
    except NetError:
        return ""
    lines = (" ".join(line.split()) for line in body.decode("utf-8", "replace").splitlines())
    text = "; ".join(filter(None, lines))
    return "".join(c for c in text if c.isprintable())[:_MAX_REASON]
