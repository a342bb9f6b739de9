"""The shapes of the network stack that everything above it uses. Times are seconds, sizes are bytes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Split time limits of one request, in seconds; None means no limit."""

    resolve: float | None = 5.0
    connect: float | None = 10.0
    tls: float | None = 10.0
    first_byte: float | None = 60.0
    idle: float | None = 30.0
    whole: float | None = 900.0


class Response(Protocol):
    """An answer whose head has arrived and whose body may still be on its way."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Case-insensitive."""

    @property
    def url(self) -> str:
        """The last URL, after redirects, without credentials."""

    def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises NetError (kind `body_truncated`, `idle_timeout`, …) if it ends early."""

    async def read(self, limit: int) -> bytes:
        """The whole body; NetError kind `body_too_large` beyond `limit` bytes."""


class HttpClient(Protocol):
    """One traced way to the network. Raises goferry.net.failure.NetError for anything that goes wrong below HTTP."""

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> AbstractAsyncContextManager[Response]:
        """GET with at most 10 redirects, never from https to http. Any status is an answer, not an error."""

    async def close(self) -> None: ...


class HttpSender(Protocol):
    """The same way to the network, for requests that change something at the other end."""

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
    ) -> AbstractAsyncContextManager[Response]:
        """Sends exactly once: it is never repeated here, and redirects are not followed. Any status is an answer."""
