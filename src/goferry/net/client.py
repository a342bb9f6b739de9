"""The HTTP client: one pool, split limits, redirects walked here, every byte of a body accounted for.

aiohttp gives the pool and the HTTP parser. What it decides by itself elsewhere is decided here instead: dialling
(dial.py), proxies (httpproxy.py), roots (trust.py), redirects, repeats and limits. Bodies are asked for uncoded, so
that lengths and sums mean the file itself. Cookies are neither kept nor sent.
"""

import asyncio
import io
import os
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from yarl import URL

from goferry import __version__
from goferry.config import Settings
from goferry.errors import InvalidInput
from goferry.net.base import Timeouts
from goferry.net.dial import Dialer, Endpoint
from goferry.net.failure import Failure, NetError, failed, translated
from goferry.net.httpproxy import ProxyConfig, ProxyUrl, basic_credentials
from goferry.net.resolver import Names, Resolver, SystemResolver, UdpResolver, host_overrides
from goferry.net.trace import Observer, State, Step, Trace
from goferry.net.trust import Trust

MAX_REDIRECTS = 10

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SECRETS = frozenset({"authorization", "cookie", "proxy-authorization", "www-authenticate"})

# Signed redirect targets of object stores exceed the usual 8 KB for a line.
_MAX_HEAD_LINE = 64 * 1024
_READ_BUFFER = 256 * 1024


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
        self._session: aiohttp.ClientSession | None = None
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

    def _depart(self, target: URL, timeouts: Timeouts | None, trace: Trace | None) -> "_Flight":
        if self._closed:
            raise failed(Failure.CANCELLED, **_where(target))
        return _Flight(timeouts or self.options.timeouts, self._trace(trace))

    def _trace(self, wanted: Trace | None) -> Trace:
        if wanted is None:
            return self._untraced
        if not self._observers:
            return wanted
        return Trace((*self._observers, wanted.record), keep=False)

    async def _walk(self, target: URL, headers: Mapping[str, str], flight: "_Flight") -> "ClientResponse":
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
            flight.trace.emit(Step.REDIRECT, State.COMPLETE, status=response.status, url=_public(following))
            headers = _carried(headers, target, following)
            target = following
        raise failed(Failure.TOO_MANY_REDIRECTS, **_where(target))

    async def _send(
        self,
        target: URL,
        headers: Mapping[str, str],
        flight: "_Flight",
        method: str = "GET",
        body: bytes | None = None,
    ) -> "ClientResponse":
        proxy = flight.proxy = self._proxies.proxy_for(str(target)).proxy if self._proxies else None
        token = _current.set(flight)
        try:
            raw = await self._open().request(
                method,
                target if target.raw_user is None else target.with_user(None),
                data=None if body is None else io.BytesIO(body),  # aiohttp warns of large plain bytes
                headers=_request_headers(headers, target, proxy),
                proxy=None if proxy is None else _proxy_key(proxy, target),
                timeout=flight.remaining(),
                allow_redirects=False,
            )
        except Exception as exc:
            if self._closed:  # whatever it looked like, it was us
                raise failed(Failure.CANCELLED, **_where(target)) from exc
            if isinstance(exc, NetError):
                exc.at(_public(target))
                raise
            raise translated(exc, **_where(target)) from exc
        finally:
            _current.reset(token)
        return ClientResponse(raw, target, flight)

    def _open(self) -> aiohttp.ClientSession:
        """The session, made on first use because it belongs to the running loop."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=_Pool(self._dialer, self.options),
                cookie_jar=aiohttp.DummyCookieJar(),
                headers={"User-Agent": self.options.user_agent, "Accept-Encoding": "identity"},
                request_class=_Request,
                middlewares=[_attempt],
                auto_decompress=False,
                trust_env=False,
                read_bufsize=_READ_BUFFER,
                max_line_size=_MAX_HEAD_LINE,
                max_field_size=_MAX_HEAD_LINE,
            )
        return self._session

    def prepare(self) -> None:
        """Reads the root certificates, which the first connection would wait for. Raises ConfigError as that would."""
        self._dialer.prepare()

    async def close(self) -> None:
        """Closes the pool and the resolver. Requests that still run, or come later, fail as cancelled."""
        self._closed = True
        for response in self._live:  # closing the pool does not wake who waits for a body
            response.close()
        session, self._session = self._session, None
        if session is not None:
            await session.close()
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
        send: Callable[[URL, "_Flight"], Awaitable["ClientResponse"]],
    ) -> None:
        self._client = client
        self._url = url
        self._timeouts = timeouts
        self._trace = trace
        self._send = send

    async def __aenter__(self) -> "ClientResponse":
        target = _parse(self._url)
        flight = self._client._depart(target, self._timeouts, self._trace)
        response = self._response = await self._send(target, flight)
        self._client._live.add(response)
        return response

    async def __aexit__(self, *_raised: object) -> None:
        self._client._live.discard(self._response)
        self._response.close()


class ClientResponse:
    """An answer whose head has arrived; goferry.net.base.Response."""

    __slots__ = ("_flight", "_raw", "_target", "headers", "status")

    def __init__(self, raw: aiohttp.ClientResponse, target: URL, flight: "_Flight") -> None:
        self.status: int = raw.status
        self.headers: Mapping[str, str] = raw.headers
        self._target = target
        self._raw = raw
        self._flight = flight

    @property
    def url(self) -> str:
        """The URL that answered, without user and password."""
        return _public(self._target)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises NetError: body_truncated, idle_timeout, whole_timeout, http_protocol."""
        self._begin_body()
        size = 0
        try:
            while chunk := await self._raw.content.readany():
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
            while chunk := await self._raw.content.readany():
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
        self._raw.close()

    def _begin_body(self) -> None:
        """Uncoded bytes were asked for. Passing on others would break every length and sum above."""
        coding = self.headers.get("Content-Encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            raise failed(Failure.HTTP_PROTOCOL, **_where(self._target), detail=f"Content-Encoding: {coding}")
        if self._flight.trace.is_heard:
            self._flight.trace.emit(Step.BODY, State.STARTED, url=self.url)

    def _end_body(self, size: int) -> None:
        """A body without length or chunks ends with the connection. aiohttp takes a reset for such an end too."""
        framed = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers
        if not framed and isinstance(reason := self._flight.protocol.exception(), OSError):
            raise failed(Failure.BODY_TRUNCATED, **_where(self._target), detail=str(reason)) from reason
        if self._flight.trace.is_heard:
            self._flight.trace.emit(Step.BODY, State.COMPLETE, url=self.url, size=size)

    def _fail_body(self, exc: BaseException, size: int) -> None:
        """Says so, and raises what a foreign error means."""
        self._flight.trace.failed(Step.BODY, exc, url=self.url, size=size)
        if isinstance(exc, Exception) and not isinstance(exc, NetError):
            raise translated(exc, **_where(self._target)) from exc

    def _too_large(self, limit: int) -> Exception:
        return failed(Failure.BODY_TOO_LARGE, **_where(self._target), detail=f"> {limit} B")


# --- one request in flight --------------------------------------------------------------------------------------------


class _Flight:
    """What the parts of one `get` share. It travels beside aiohttp's own arguments, in a context variable."""

    __slots__ = ("_deadline", "_waiting", "fresh", "head", "protocol", "proxy", "timeouts", "trace")

    def __init__(self, timeouts: Timeouts, trace: Trace) -> None:
        now = asyncio.get_running_loop().time()
        self.timeouts = timeouts
        self.trace = trace
        self.proxy: ProxyUrl | None = None
        self.protocol: Any = None  # aiohttp's end of the connection, once there is one
        self.fresh = False  # the connection was dialled for this request, not taken from the pool
        self.head: asyncio.Timeout | None = (
            None  # the limit on the wait for the head; idle until the request is out
        )
        self._waiting = False
        self._deadline = None if timeouts.whole is None else now + timeouts.whole

    def remaining(self) -> aiohttp.ClientTimeout:
        """aiohttp's part of the limits: what is left of the whole. For aiohttp zero would mean no limit."""
        total = None
        if self._deadline is not None:
            total = max(self._deadline - asyncio.get_running_loop().time(), 1e-6)
        return aiohttp.ClientTimeout(total=total, connect=None, sock_connect=None, sock_read=None)

    def await_head(self) -> None:
        """The request is out: the first-byte limit starts now."""
        seconds = self.timeouts.first_byte
        if self.head is not None and seconds is not None:
            self.head.reschedule(asyncio.get_running_loop().time() + seconds)
        self._waiting = True
        self.trace.emit(Step.FIRST_BYTE, State.STARTED)

    def head_came(self, status: int) -> None:
        """The answer's head is here."""
        self._waiting = False
        self.trace.emit(Step.FIRST_BYTE, State.COMPLETE, status=status)

    def head_failed(self, exc: BaseException) -> None:
        """The wait for the head ended badly; says nothing if it had not begun."""
        if self._waiting:
            self._waiting = False
            self.trace.failed(Step.FIRST_BYTE, exc)


_current: ContextVar[_Flight] = ContextVar("goferry_flight")


async def _attempt(
    req: aiohttp.ClientRequest, handler: Callable[[aiohttp.ClientRequest], Awaitable[aiohttp.ClientResponse]]
) -> aiohttp.ClientResponse:
    """Sends once, and a GET again only if a pooled connection turned out to be closed by the server meanwhile.

    Our errors leave aiohttp from here, so that its own repeat (once, also on a fresh connection) never happens: how
    often to ask again is for upstream/ to decide.
    """
    flight = _current.get()
    while True:
        flight.fresh = False
        try:
            async with asyncio.timeout(None) as flight.head:
                response = await handler(req)
        except BaseException as exc:
            ours = _ours(exc, flight.head, req.url)
            flight.head_failed(ours)
            stale = not flight.fresh and isinstance(
                exc, (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)
            )
            if stale and req.method == "GET":
                continue
            if ours is exc:
                raise
            raise ours from exc
        flight.head_came(response.status)
        return response


def _ours(exc: BaseException, head: asyncio.Timeout | None, url: URL) -> BaseException:
    if not isinstance(exc, Exception):
        return exc
    if type(exc) is TimeoutError and head is not None and head.expired():
        return failed(Failure.FIRST_BYTE_TIMEOUT, **_where(url))
    return translated(exc, **_where(url))


class _Request(aiohttp.ClientRequest):
    """Tells the flight when the request is out."""

    async def send(self, conn: Any) -> aiohttp.ClientResponse:
        flight = _current.get()
        if flight.trace.is_heard:
            detail = {"method": self.method, "url": str(self.url), "reused": not flight.fresh}
            with flight.trace.step(Step.REQUEST, **detail):
                response = await super().send(conn)
        else:
            response = await super().send(conn)
        # The idle limit counts from byte to byte, so it starts with the answer's first; until then the
        # first-byte limit rules alone.
        flight.protocol = conn.protocol
        flight.protocol.read_timeout = flight.timeouts.idle
        flight.await_head()
        return response


class _Pool(aiohttp.BaseConnector):
    """aiohttp's pool over our own dialling. Its one hook for that is `_create_connection`; a test guards it."""

    allowed_protocol_schema_set = frozenset({"http", "https"})

    def __init__(self, dialer: Dialer, options: ClientOptions) -> None:
        super().__init__(
            limit=options.connections,
            limit_per_host=options.connections_per_host,
            keepalive_timeout=options.keepalive,
        )
        self._dialer = dialer

    async def _create_connection(self, req: aiohttp.ClientRequest, *_aiohttp_limits: Any) -> Any:
        flight = _current.get()
        flight.fresh = True
        _, protocol = await self._dialer.dial(
            self._factory, _endpoint(req.url), flight.timeouts, flight.trace, flight.proxy
        )
        return protocol


# --- URLs and headers -------------------------------------------------------------------------------------------------

_UNSENDABLE = re.compile(r"[\x00-\x20\x7f]")
_USERINFO = re.compile(r"//[^/]*@")


def _redacted(text: str) -> str:
    """A text that should have been a URL, without what may be a password."""
    return _USERINFO.sub("//…@", text)


def _parse(url: str) -> URL:
    """The URL, its escapes exactly as given. Raises InvalidInput."""
    try:
        if _UNSENDABLE.search(url):
            raise ValueError(url)
        target = URL(url, encoded=url.isascii())
        if target.scheme not in ("http", "https") or not target.raw_host or not target.port:
            raise ValueError(url)
    except ValueError as exc:
        raise InvalidInput("invalid URL {url}: an http or https URL is needed", url=_redacted(url)) from exc
    return target


def _endpoint(url: URL) -> Endpoint:
    assert url.raw_host is not None
    assert url.port is not None
    return Endpoint(url.raw_host, url.port, url.scheme == "https")


def _public(url: URL) -> str:
    """The URL without user and password."""
    return str(url if url.raw_user is None and url.raw_password is None else url.with_user(None))


def _host(url: URL) -> str:
    """The server as people know it: the port only if it is unusual."""
    host = url.host_subcomponent or ""
    return host if url.is_default_port() else f"{host}:{url.port}"


def _where(url: URL) -> dict[str, str]:
    """What an error says of the place."""
    return {"host": _host(url), "url": _public(url)}


def _redirect(response: "ClientResponse", asked: URL) -> URL | None:
    """Where the answer sends us; None if nowhere, also for a redirect that names no place, which is then the answer."""
    location = response.headers.get("Location", "")
    if response.status not in _REDIRECTS or not location:
        return None
    try:
        if _UNSENDABLE.search(location):
            raise ValueError(location)
        following = asked.join(URL(location, encoded=location.isascii())).with_fragment(None)
        _parse(str(following))
    except (ValueError, InvalidInput) as exc:
        raise failed(Failure.BAD_REDIRECT, **_where(asked), detail=_redacted(location)[:200]) from exc
    if asked.scheme == "https" and following.scheme == "http":
        raise failed(Failure.INSECURE_REDIRECT, **_where(asked), detail=_public(following))
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
            raise failed(Failure.INSECURE_CREDENTIALS, **_where(target))
        if not any(name.lower() == "authorization" for name in sent):
            sent["Authorization"] = basic_credentials(target.user or "", target.password)
    if proxy is not None and proxy.user is not None and target.scheme == "http":
        sent["Proxy-Authorization"] = basic_credentials(proxy.user, proxy.password)
    return sent


def _proxy_key(proxy: ProxyUrl, target: URL) -> URL:
    """The proxy as aiohttp's pool knows it. Raises NetError for a host name that no URL can hold."""
    try:
        return URL(str(proxy))
    except ValueError as exc:
        raise failed(Failure.PROXY_UNREACHABLE, **_where(target), detail=str(proxy)) from exc
