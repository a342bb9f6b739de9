"""Forward proxies: whether they are there, what they speak, and what they say to the tunnels that go and git need.

Each proxy is asked for every target that is sent through it, and for those that NO_PROXY keeps away from it: one
target that works beside one that fails tells a broken proxy from a refused target.
"""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from goferry import __version__
from goferry.doctor.base import World
from goferry.doctor.evidence import Raw, Role, SettingsSeen, Target, TunnelSeen
from goferry.doctor.probes.answers import said
from goferry.doctor.probes.gosettings import read_go_settings, secrets_of
from goferry.doctor.probes.programs import run_program
from goferry.doctor.probes.reach import dialer, timeouts_of
from goferry.doctor.probes.socks import SocksRefusal, open_socks_tunnel
from goferry.doctor.probes.streams import proxy_url, unverified
from goferry.doctor.probes.vcs import empty_folder, git_environment
from goferry.doctor.secrets import Secrets
from goferry.doctor.settings.proxies import LOOPBACK, decide
from goferry.doctor.settings.reading import find_program
from goferry.net import Failure, NetError, Step, Trace, classify
from goferry.net.dial import Dialer, Endpoint
from goferry.net.failure import failed, limit
from goferry.net.httpproxy import ProxyUrl, basic_credentials

_MOST_HEAD: Final = 64 * 1024
_BODY: Final = 4 * 1024
_TLS_ALERT: Final = b"\x15\x03"
_STATUS: Final = re.compile(r"HTTP/1\.[01] ([1-9][0-9]{2})(?: (.*))?")
_BODY_SECONDS: Final = 1.0
_SHARE: Final = 0.8
"""The part of the time for looking after which what was seen so far is all there is."""

_PROXY_NAMES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
_VARIABLES: Final = tuple(form for name in _PROXY_NAMES for form in (name, name.lower()))

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_REFUSALS: Final = {
    407: Failure.PROXY_AUTH_REQUIRED,
    502: Failure.PROXY_BAD_GATEWAY,
    503: Failure.PROXY_BAD_GATEWAY,
    504: Failure.PROXY_BAD_GATEWAY,
}


async def probe_tunnels(
    world: World, settings: SettingsSeen, targets: Sequence[Target]
) -> tuple[TunnelSeen, ...]:
    """One tunnel for each proxy and target, all at once; () when no proxy is set."""
    jobs = _jobs(settings, targets)
    if not jobs:
        return ()
    proxies = await _with_credentials(world, settings, dict.fromkeys(proxy for proxy, _target in jobs))
    secrets = secrets_of(world, read_go_settings(world, settings))
    async with dialer(world, settings) as believing, dialer(world, settings, unverified) as curious:
        prober = _Prober(world, believing, curious, secrets)
        return tuple(await asyncio.gather(*(prober.probe(proxies[proxy], target) for proxy, target in jobs)))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a proxy is wanted for. through: https needs a tunnel; plain http is asked of the proxy itself."""

    endpoint: Endpoint
    through: bool


def _jobs(settings: SettingsSeen, targets: Sequence[Target]) -> list[tuple[str, _Asked]]:
    """Pairs of proxy and target: those that go and git decide for, and those that only NO_PROXY decides against."""
    talkers = {(target.host, _stack(target)) for target in targets}
    decisions = [each for each in decide(settings, targets) if (each.host, each.stack) in talkers]
    proxies = dict.fromkeys(each.proxy for each in decisions if each.proxy)
    kept_away = {each.host for each in decisions if not each.proxy and _is_exception(each.rule)}
    if kept_away and not proxies:
        proxies = _set_proxies(settings)
    wanted = {(each.proxy, each.host) for each in decisions if each.proxy}
    wanted |= {(proxy, host) for proxy in proxies for host in kept_away}
    found = [
        (proxy, _Asked(Endpoint(target.host, target.port, tls=False), target.scheme == "https"))
        for target in targets
        if target.scheme in ("http", "https")
        for proxy in proxies
        if (proxy, target.host) in wanted
    ]
    return list(dict.fromkeys(found))


def _stack(target: Target) -> str:
    """Who talks to this host: git to repositories, go to all others."""
    return "git" if target.role is Role.CODE_HOST else "go"


def _set_proxies(settings: SettingsSeen) -> dict[str, None]:
    """The proxies in the variables, where NO_PROXY takes every target away from them."""
    named = [proxy_url(each.value) for each in settings.proxies if each.name.upper() in _PROXY_NAMES]
    return dict.fromkeys(str(proxy) for proxy in named if proxy is not None)


def _is_exception(rule: str) -> bool:
    """Whether this rule of a direct decision is an entry of NO_PROXY."""
    return rule not in ("", LOOPBACK, "REQUEST_METHOD")


# ---- one tunnel --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Talk:
    """What is known so far of one tunnel; becomes the record."""

    step: str = "dial"
    status: int = 0
    reason: str = ""
    headers: dict[str, list[str]] = field(default_factory=dict)
    body: str = ""
    failure: str = ""
    text: str = ""
    speaks: str = ""


class _Prober:
    """Opens tunnels in one world. believing: connections to proxies as go makes them; curious: whatever they show."""

    def __init__(self, world: World, believing: Dialer, curious: Dialer, secrets: Secrets) -> None:
        self._timeouts = timeouts_of(world)
        self._until = time.monotonic() + world.limits.look * _SHARE
        self._believing = believing
        self._curious = curious
        self._clean = secrets.clean

    async def probe(self, proxy: ProxyUrl, asked: _Asked) -> TunnelSeen:
        """The tunnel's record, whatever happens."""
        started = time.monotonic()
        talk = await self._talk(proxy, asked, self._believing)
        seconds = time.monotonic() - started
        if not talk.speaks and (other := _other_scheme(proxy.scheme, talk)):
            second = await self._talk(
                replace(proxy, scheme=other, port=proxy.effective_port), asked, self._curious
            )
            talk.speaks = other if second.status or _is_socks(other, second) else ""
        return self._record(proxy, asked, talk, seconds)

    def _record(self, proxy: ProxyUrl, asked: _Asked, talk: _Talk, seconds: float) -> TunnelSeen:
        who = [value for name in ("server", "via") for value in talk.headers.get(name, ())]
        return TunnelSeen(
            proxy=str(proxy),
            target=asked.endpoint.authority,
            step=talk.step,
            seconds=seconds,
            status=talk.status,
            reason=self._clean(talk.reason),
            server=self._clean(", ".join(who)),
            wants=tuple(value.partition(" ")[0] for value in talk.headers.get("proxy-authenticate", ())),
            body=self._clean(talk.body),
            failure=talk.failure,
            text=self._clean(" ".join(talk.text.split())),
            speaks=talk.speaks,
            with_credentials=proxy.user is not None,
        )

    async def _talk(self, proxy: ProxyUrl, asked: _Asked, dials: Dialer) -> _Talk:
        talk = _Talk()
        left = max(0.0, self._until - time.monotonic())
        try:
            async with limit(left, Failure.WHOLE_TIMEOUT, host=asked.endpoint.authority):
                await self._converse(proxy, asked, dials, talk)
        except NetError as exc:
            talk.failure, talk.text = exc.kind, said(exc)
        except (OSError, EOFError, ValueError) as exc:
            talk.failure, talk.text = _named(exc), str(exc)
        return talk

    async def _converse(self, proxy: ProxyUrl, asked: _Asked, dials: Dialer, talk: _Talk) -> None:
        speak = _SPEECHES.get(proxy.scheme)
        if speak is None:
            raise failed(Failure.PROXY_UNSUPPORTED, host=asked.endpoint.authority, detail=str(proxy))
        async with self._reached(proxy, dials, talk) as (reader, writer):
            talk.step = "connect" if asked.through or speak is _talk_socks else "request"
            async with limit(self._timeouts.first_byte, Failure.PROXY_TIMEOUT, host=asked.endpoint.authority):
                await speak(reader, writer, proxy, asked, talk)
            if talk.status and not (talk.status // 100 == 2 and asked.through):
                talk.body = await _body(reader, "".join(talk.headers.get("content-length", ())[:1]))

    @asynccontextmanager
    async def _reached(self, proxy: ProxyUrl, dials: Dialer, talk: _Talk) -> AsyncIterator[Stream]:
        """A connection to the proxy itself, with TLS when its URL says so. Raises NetError."""
        port = int(proxy.effective_port)
        if not proxy.host or not 0 < port < 65536:
            raise failed(Failure.PROXY_UNREACHABLE, host=str(proxy), detail=str(proxy))
        reader = asyncio.StreamReader(limit=_MOST_HEAD)
        protocol = asyncio.StreamReaderProtocol(reader)
        trace = Trace()
        try:
            transport, _protocol = await dials.dial(
                lambda: protocol, Endpoint(proxy.host, port, proxy.scheme == "https"), self._timeouts, trace
            )
        finally:
            talk.step = "tls" if any(event.step is Step.TLS for event in trace.events) else "dial"
        try:
            yield reader, asyncio.StreamWriter(transport, protocol, reader, asyncio.get_running_loop())
        finally:
            transport.abort()


_SOCKS_REPLY: Final = "\x05"
"""How a SOCKS proxy answers HTTP: with its version."""


def _is_socks(scheme: str, talk: _Talk) -> bool:
    """Whether it opened a tunnel as a SOCKS proxy, or refused one as such."""
    return scheme == "socks5" and (not talk.failure or talk.failure in _SOCKS_REFUSALS)


_SOCKS_REFUSALS: Final = (Failure.PROXY_AUTH_REQUIRED, Failure.PROXY_DENIED, Failure.PROXY_BAD_GATEWAY)


def _other_scheme(scheme: str, talk: _Talk) -> str:
    """The scheme to try when what happened could mean that the proxy speaks the other one; "" when it could not.

    A good HTTP answer settles it for plain HTTP; a certificate, also a bad one, does so for TLS.
    """
    if scheme not in _SPEECHES or talk.text.startswith(_SOCKS_REPLY):
        return "socks5"
    if scheme == "https" and talk.step == "tls" and talk.failure in (Failure.TLS_HANDSHAKE, *_CUT_OFF):
        return "http"
    hung_up = talk.failure in (Raw.CLOSED, Raw.GARBAGE, Failure.CONNECT_RESET)
    if scheme == "http" and talk.step != "dial" and (hung_up or talk.status == 400):
        return "https"
    return ""


_CUT_OFF: Final = (Failure.TLS_TIMEOUT, Failure.CONNECT_RESET, Failure.NO_ANSWER)


def _named(exc: BaseException) -> str:
    return Raw.CLOSED if isinstance(exc, EOFError) else classify(exc)


# ---- HTTP --------------------------------------------------------------------------------------------------


async def _talk_http(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ProxyUrl, asked: _Asked, talk: _Talk
) -> None:
    """Asks for the tunnel, or for the page when no tunnel is needed, and reads the head of the answer."""
    writer.write(_request(proxy, asked))
    head = await _head(reader)
    line, *fields = head.decode("latin-1").split("\r\n")
    match = _STATUS.fullmatch(line)
    if match is None:
        talk.failure = Raw.CLOSED if not head else Raw.GARBAGE
        talk.speaks = "https" if head.startswith(_TLS_ALERT) else ""
        talk.text = "" if talk.speaks else line[:80]
        return
    talk.status, talk.reason = int(match[1]), match[2] or ""
    for name, _, value in (each.partition(":") for each in fields):
        talk.headers.setdefault(name.strip().lower(), []).append(value.strip())
    if (asked.through and talk.status // 100 != 2) or talk.status == 407:
        talk.failure = _REFUSALS.get(talk.status, Failure.PROXY_DENIED)


async def _head(reader: asyncio.StreamReader) -> bytes:
    """The head of an answer; whatever came when that is no HTTP, b"" when nothing did."""
    start = await reader.read(len(_TLS_ALERT))
    if not start or start == _TLS_ALERT:
        return start
    try:
        return start + (await reader.readuntil(b"\r\n\r\n")).removesuffix(b"\r\n\r\n")
    except asyncio.IncompleteReadError as exc:
        return start + exc.partial
    except asyncio.LimitOverrunError:
        return start + await reader.read(_BODY)


async def _body(reader: asyncio.StreamReader, declared: str) -> str:
    """The first of the page that explains a refusal; who stalls here has refused all the same."""
    wanted = min(int(declared), _BODY) if declared.isdecimal() else _BODY
    data = b""
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while len(data) < wanted and (more := await reader.read(wanted - len(data))):
                data += more
    except (TimeoutError, OSError):
        pass
    return data.decode("utf-8", "replace")


def _request(proxy: ProxyUrl, asked: _Asked) -> bytes:
    """What go would send: CONNECT for https, the absolute form for plain http."""
    authority = asked.endpoint.authority
    what = f"CONNECT {authority}" if asked.through else f"GET http://{authority}/"
    lines = [f"{what} HTTP/1.1", f"Host: {authority}", f"User-Agent: goferry/{__version__}"]
    if proxy.user is not None:
        lines.append(f"Proxy-Authorization: {basic_credentials(proxy.user, proxy.password)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


# ---- SOCKS -------------------------------------------------------------------------------------------------


async def _talk_socks(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, proxy: ProxyUrl, asked: _Asked, talk: _Talk
) -> None:
    try:
        await open_socks_tunnel(reader, writer, proxy, asked.endpoint)
    except SocksRefusal as refusal:
        talk.failure, talk.reason, talk.text = refusal.failure, refusal.reason, refusal.reason
        if refusal.failure is Failure.PROXY_AUTH_REQUIRED:
            talk.headers["proxy-authenticate"] = ["username/password"]


_Speech = Callable[[asyncio.StreamReader, asyncio.StreamWriter, ProxyUrl, _Asked, _Talk], Awaitable[None]]
_SPEECHES: Final[Mapping[str, _Speech]] = {
    "http": _talk_http,
    "https": _talk_http,
    "socks5": _talk_socks,
    "socks5h": _talk_socks,
}


# ---- credentials -------------------------------------------------------------------------------------------


async def _with_credentials(
    world: World, settings: SettingsSeen, proxies: Iterable[str]
) -> dict[str, ProxyUrl]:
    """The proxies with the users and passwords that the settings hold for them."""
    values = [world.environ.get(name, "") for name in _VARIABLES]
    if any(setting.key.lower().endswith("proxy") for setting in settings.git):
        values += await _git_proxies(world)
    known = [url for url in map(proxy_url, values) if url is not None and url.user is not None]
    found: dict[str, ProxyUrl] = {}
    for text in proxies:
        # A value that is no URL for Go is a host for git; what comes of it is what there is to see.
        bare = proxy_url(text) or ProxyUrl("", text)
        same = (each for each in known if _place(each) == _place(bare))
        found[text] = next(same, bare)
    return found


def _place(proxy: ProxyUrl) -> tuple[str, str, str]:
    return proxy.scheme, proxy.host.lower(), proxy.effective_port


async def _git_proxies(world: World) -> list[str]:
    """The proxies in git's own settings, which SettingsSeen has without their passwords."""
    git = find_program(world, "git")
    if not git:
        return []
    with empty_folder(world) as folder:
        ran = await run_program(
            (git, "config", "--get-regexp", r"^(http|remote)\..*proxy$"),
            environ=git_environment(world.environ, folder),
            cwd=folder,
            limit=world.limits.program,
        )
    return [line.partition(" ")[2] for line in ran.output.splitlines()]
