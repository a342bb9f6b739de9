"""The HTTP client: one pool, split limits, redirects walked here, every byte of a body accounted for.

aiohttp gives the pool and the HTTP parser. What it decides by itself elsewhere is decided here instead: dialling
(dial.py), proxies (httpproxy.py), roots (trust.py), requests, repeats and limits (exchange.py), redirects. Bodies are
asked for uncoded, so that lengths and sums mean the file itself. Cookies are neither kept nor sent.
"""

import os
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field

from yarl import URL

from goferry import __version__
from goferry.config import Settings
from goferry.errors import InvalidInput
from goferry.net import urls
from goferry.net.base import Timeouts
from goferry.net.dial import Dialer
from goferry.net.exchange import Answer, Flight, Origin, Pool, Request
from goferry.net.failure import Failure, NetError, failed, translated
from goferry.net.httpproxy import ProxyConfig, ProxyUrl, basic_credentials
from goferry.net.resolver import Names, Resolver, SystemResolver, UdpResolver, host_overrides
from goferry.net.trace import Observer, State, Step, Trace
from goferry.net.trust import Trust

MAX_REDIRECTS = 10

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BODILESS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "www-authenticate"})


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How the client behaves. Times are seconds.

    nameservers: `IP` or `IP:PORT`, asked in order; none means the system resolver. hosts: `NAME=IP` entries, which are
    never looked up. environ: where the proxy variables, SSL_CERT_FILE and SSL_CERT_DIR are read. ca_file: PEM,
    trusted in addition to the system's roots.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)
    nameservers: Sequence[str] = ()
    nameserver_timeout: float = 2.0
    nameserver_tries: int = 2
    hosts: Sequence[str] = ()
    connections: int = 256
    connections_per_host: int = 64
    keepalive: float = 60.0
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ), repr=False)
    ca_file: str | None = None
    user_agent: str = f"goferry/{__version__}"

    @classmethod
    def of(cls, settings: Settings, environ: Mapping[str, str]) -> "ClientOptions":
        """What the settings say."""
        return cls(
            timeouts=Timeouts(
                resolve=settings.resolve_timeout,
                connect=settings.connect_timeout,
                tls=settings.tls_timeout,
                first_byte=settings.first_byte_timeout,
                idle=settings.idle_timeout,
                whole=settings.download_timeout,
            ),
            nameservers=settings.nameservers,
            hosts=tuple(str(host) for host in settings.hosts),
            connections_per_host=settings.per_host,
            environ=dict(environ),
            ca_file=str(settings.ca_file) if settings.ca_file else None,
        )


class Client:
    """A traced HTTP client; goferry.net.base.HttpClient. One per event loop; `close` it at the end."""

    def __init__(
        self,
        options: ClientOptions | None = None,
        *,
        resolver: Resolver | None = None,
        tls: Callable[[], ssl.SSLContext] | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.options = options or ClientOptions()
        self._observers = tuple(observers)
        self._proxies = ProxyConfig.from_env(self.options.environ)
        names = Names(resolver or _resolver(self.options), host_overrides(self.options.hosts))
        trust = Trust(self.options.environ, self.options.ca_file)
        self._names = names
        self._dialer = Dialer(names, tls or trust.context)
        self._pool: Pool | None = None
        self._usual = (
            ("accept", "Accept: */*"),
            ("accept-encoding", "Accept-Encoding: identity"),
            ("user-agent", f"User-Agent: {self.options.user_agent}"),
        )
        self._untraced = Trace(self._observers, keep=False)
        self._live: set[ClientResponse] = set()
        self._closed = False

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        trace: Trace | None = None,
        follow: bool = True,
    ) -> "_Exchange":
        """GET, as HttpClient says. trace: receives the events of this request, beside the client's observers.

        follow: whether redirects are followed; without it they are answers like any other.
        A user and password in the URL become basic authorization, over https only.
        Raises NetError; InvalidInput for something that is no http or https URL.
        """
        go = self._walk if follow else self._send
        return _Exchange(self, url, timeouts, trace, lambda target, flight: go(target, headers or {}, flight))

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeouts: Timeouts | None = None,
        trace: Trace | None = None,
    ) -> "_Exchange":
        """Any other method, as goferry.net.base.HttpSender says: sent once, and redirects are answers."""
        return _Exchange(
            self,
            url,
            timeouts,
            trace,
            lambda target, flight: self._send(target, headers or {}, flight, method, body),
        )

    def _depart(self, target: URL, timeouts: Timeouts | None, trace: Trace | None) -> Flight:
        if self._closed:
            raise failed(Failure.CANCELLED, **urls.where(target))
        return Flight(timeouts or self.options.timeouts, self._trace(trace))

    def _trace(self, wanted: Trace | None) -> Trace:
        if wanted is None:
            return self._untraced
        if not self._observers:
            return wanted
        return Trace((*self._observers, wanted.record), keep=False)

    async def _walk(self, target: URL, headers: Mapping[str, str], flight: Flight) -> "ClientResponse":
        """Sends, and follows redirects."""
        for _hop in range(MAX_REDIRECTS + 1):
            response = await self._send(target, headers, flight)
            try:
                following = _redirect(response, target)
            except NetError:
                response.close()
                raise
            if following is None:
                return response
            response.close()
            flight.trace.emit(
                Step.REDIRECT, State.COMPLETE, status=response.status, url=urls.public(following)
            )
            headers = _carried(headers, target, following)
            target = following
        raise failed(Failure.TOO_MANY_REDIRECTS, **urls.where(target))

    async def _send(
        self,
        target: URL,
        headers: Mapping[str, str],
        flight: Flight,
        method: str = "GET",
        body: bytes | None = None,
    ) -> "ClientResponse":
        proxy = self._proxies.proxy_for(str(target)).proxy if self._proxies else None
        sent = _request_headers(headers, target, proxy)
        request = Request(method, target, self._written(method, target, sent, proxy, body))
        try:
            answer = await self._open().exchange(request, _origin(target, proxy), proxy, flight)
        except Exception as exc:
            if self._closed:  # whatever it looked like, it was us
                raise failed(Failure.CANCELLED, **urls.where(target)) from exc
            if isinstance(exc, NetError):
                exc.at(urls.public(target))
            raise
        return ClientResponse(answer, target, flight)

    def _written(
        self, method: str, target: URL, headers: Mapping[str, str], proxy: ProxyUrl | None, body: bytes | None
    ) -> bytes:
        """The request as it is sent (RFC 9112 section 3). Raises InvalidInput for a header that would be two."""
        # What goes to a proxy in plain text tells it the whole address (RFC 9112 section 3.2.2).
        path = target.raw_path_qs if proxy is None or target.scheme == "https" else urls.public(target)
        given = {name.lower() for name in headers}
        lines = [f"{method} {path} HTTP/1.1", f"Host: {target.host_port_subcomponent}"]
        lines += [line for name, line in self._usual if name not in given]
        if body is not None or method not in _BODILESS:
            lines.append(f"Content-Length: {len(body or b'')}")
            if body and "content-type" not in given:
                lines.append("Content-Type: application/octet-stream")
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if _LINE_END.search("".join(lines)):
            raise InvalidInput("a header of a request to {host} holds a line break", host=urls.host(target))
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")

    def _open(self) -> Pool:
        """The pool, made on first use because it belongs to the running loop."""
        if self._pool is None:
            options = self.options
            self._pool = Pool(
                self._dialer,
                connections=options.connections,
                per_host=options.connections_per_host,
                keepalive=options.keepalive,
            )
        return self._pool

    def prepare(self) -> None:
        """Reads the root certificates, which the first connection would wait for. Raises ConfigError as that would."""
        self._dialer.prepare()

    async def close(self) -> None:
        """Closes the pool and the resolver. Requests that still run, or come later, fail as cancelled."""
        self._closed = True
        for response in self._live:  # closing the pool does not wake who waits for a body
            response.close()
        pool, self._pool = self._pool, None
        if pool is not None:
            await pool.close()
        await self._names.close()


def _resolver(options: ClientOptions) -> Resolver:
    if not options.nameservers:
        return SystemResolver()
    return UdpResolver(
        options.nameservers, timeout=options.nameserver_timeout, tries=options.nameserver_tries
    )


class _Exchange(AbstractAsyncContextManager["ClientResponse"]):
    """One request as a context: sent on entering it, its connection given back on leaving it.

    A class, as a generator with `asynccontextmanager` costs a tenth of a small request.
    """

    __slots__ = ("_client", "_response", "_send", "_timeouts", "_trace", "_url")

    def __init__(
        self,
        client: Client,
        url: str,
        timeouts: Timeouts | None,
        trace: Trace | None,
        send: Callable[[URL, Flight], Awaitable["ClientResponse"]],
    ) -> None:
        self._client = client
        self._url = url
        self._timeouts = timeouts
        self._trace = trace
        self._send = send

    async def __aenter__(self) -> "ClientResponse":
        target = urls.parse(self._url)
        flight = self._client._depart(target, self._timeouts, self._trace)
        response = self._response = await self._send(target, flight)
        self._client._live.add(response)
        return response

    async def __aexit__(self, *_raised: object) -> None:
        self._client._live.discard(self._response)
        self._response.close()


class ClientResponse:
    """An answer whose head has arrived; goferry.net.base.Response."""

    __slots__ = ("_answer", "_flight", "_target", "headers", "status")

    def __init__(self, answer: Answer, target: URL, flight: Flight) -> None:
        self.status: int = answer.status
        self.headers: Mapping[str, str] = answer.headers
        self._target = target
        self._answer = answer
        self._flight = flight

    @property
    def url(self) -> str:
        """The URL that answered, without user and password."""
        return urls.public(self._target)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises NetError: body_truncated, idle_timeout, whole_timeout, http_protocol."""
        self._begin_body()
        size = 0
        try:
            while chunk := await self._answer.next():
                size += len(chunk)
                yield chunk
            self._end_body(size)
        except BaseException as exc:
            self._fail_body(exc, size)
            raise

    async def read(self, limit: int) -> bytes:
        """The whole body; NetError body_too_large beyond `limit` bytes. Raises as chunks does."""
        declared = self.headers.get("Content-Length", "")
        if declared.isdigit() and int(declared) > limit:
            raise self._too_large(limit)
        self._begin_body()
        parts, size = [], 0
        try:
            while chunk := await self._answer.next():
                size += len(chunk)
                if size > limit:
                    raise self._too_large(limit)
                parts.append(chunk)
            self._end_body(size)
        except BaseException as exc:
            self._fail_body(exc, size)
            raise
        return b"".join(parts)

    def close(self) -> None:
        """Gives the connection back to the pool if the body was read to its end, else drops it."""
        self._answer.close()

    def _begin_body(self) -> None:
        """Uncoded bytes were asked for. Passing on others would break every length and sum above."""
        coding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise failed(
                Failure.HTTP_PROTOCOL, **urls.where(self._target), detail=f"Content-Encoding: {coding}"
            )
        if self._flight.trace.is_heard:
            self._flight.trace.emit(Step.BODY, State.STARTED, url=self.url)

    def _end_body(self, size: int) -> None:
        """A body without length or chunks ends with the connection. aiohttp takes a reset for such an end too."""
        framed = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if not framed and (reason := self._answer.broken_off()) is not None:
            raise failed(Failure.BODY_TRUNCATED, **urls.where(self._target), detail=str(reason)) from reason
        if self._flight.trace.is_heard:
            self._flight.trace.emit(Step.BODY, State.COMPLETE, url=self.url, size=size)

    def _fail_body(self, exc: BaseException, size: int) -> None:
        """Says so, and raises what a foreign error means."""
        self._flight.trace.failed(Step.BODY, exc, url=self.url, size=size)
        if isinstance(exc, Exception) and not isinstance(exc, NetError):
            raise translated(exc, **urls.where(self._target)) from exc

    def _too_large(self, limit: int) -> Exception:
        return failed(Failure.BODY_TOO_LARGE, **urls.where(self._target), detail=f"> {limit} B")


# --- redirects and headers --------------------------------------------------------------------------------------------

_LINE_END = re.compile(r"[\r\n\x00]")


def _origin(url: URL, proxy: ProxyUrl | None) -> Origin:
    assert url.raw_host is not None
    assert url.port is not None
    return Origin(url.raw_host, url.port, url.scheme == "https", "" if proxy is None else str(proxy))


def _redirect(response: "ClientResponse", asked: URL) -> URL | None:
    """Where the answer sends us; None if nowhere, also for a redirect that names no place, which is then the answer."""
    location = response.headers.get("Location", "")
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        following = urls.joined(asked, location)
    except InvalidInput as exc:
        raise failed(Failure.BAD_REDIRECT, **urls.where(asked), detail=urls.redacted(location)[:200]) from exc
    if asked.scheme == "https" and following.scheme == "http":
        raise failed(Failure.INSECURE_REDIRECT, **urls.where(asked), detail=urls.public(following))
    return following


def _carried(headers: Mapping[str, str], asked: URL, following: URL) -> dict[str, str]:
    """The headers for the next hop: all of them at home, without secrets abroad."""
    if asked.origin() == following.origin():
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() not in _SECRETS}


def _request_headers(headers: Mapping[str, str], target: URL, proxy: ProxyUrl | None) -> dict[str, str]:
    """With basic authorization from the URL, and from the proxy's where a plain request goes to the proxy itself."""
    sent = dict(headers)
    if target.raw_user is not None or target.raw_password is not None:
        if target.scheme != "https":
            raise failed(Failure.INSECURE_CREDENTIALS, **urls.where(target))
        if not any(name.lower() == "authorization" for name in sent):
            sent["Authorization"] = basic_credentials(target.user or "", target.password)
    if proxy is not None and proxy.user is not None and target.scheme == "http":
        sent["Proxy-Authorization"] = basic_credentials(proxy.user, proxy.password)
    return sent
