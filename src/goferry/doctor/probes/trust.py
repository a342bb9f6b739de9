"""Two looks that explain refused certificates from outside: what time the hosts think it is, and who answers on http.

A wrong clock makes good certificates look expired, so the Date headers of several hosts are compared with it, over
connections whose certificates are not believed: with a wrong clock they could not be. A captive portal or a proxy
that nobody configured shows itself in the answer to a plain request. Nobody but the hosts under test is asked.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from goferry.doctor.base import World
from goferry.doctor.evidence import AnswerSeen, DateSeen, Raw
from goferry.doctor.probes.streams import Stream, Unreached, proxy_url, reached, said, unverified
from goferry.doctor.urls import split_url
from goferry.net.failure import Failure, classify
from goferry.net.resolver import system_addresses

Addresses = Mapping[str, Sequence[str]]
"""Where hosts are, as other probes have found out; one that is missing is asked of the system."""

Routes = Mapping[str, str]
"""The forward proxy for each URL, with credentials if it needs them; "" or missing: direct."""

_PORTS: Final = {"http": 80, "https": 443}
_MOST_HEAD: Final = 64 * 1024
_MOST_BODY: Final = 4 * 1024
_BODY_SECONDS: Final = 1.0
_TOLD: Final = ("content-type", "server", "via", "date", "age", "www-authenticate", "proxy-authenticate")


async def probe_dates(
    world: World, urls: Sequence[str], via: Routes | None = None, *, addresses: Addresses | None = None
) -> tuple[DateSeen, ...]:
    """How far the local clock is from that of each host, for those that say a date; one question per host.

    urls: what is asked (HEAD), http or https. A cache's answer counts from its Age. Exact to a second or so.
    """
    asked = {split_url(url).netloc: url for url in reversed(urls)}
    looks = [_look(world, "HEAD", url, via or {}, addresses or {}) for url in reversed(asked.values())]
    found = await asyncio.gather(*looks)
    return tuple(seen for answer in found if (seen := _date(answer)) is not None)


async def probe_portal(
    world: World, urls: Sequence[str], via: Routes | None = None, *, addresses: Addresses | None = None
) -> tuple[AnswerSeen, ...]:
    """The answer of each URL to a plain GET, not followed anywhere; purpose `portal`.

    urls: http URLs of hosts under test, or of a connectivity check that the user has named. A host's own redirect to
    https shows its own name; a portal's shows another, and the same one for unrelated hosts.
    """
    looks = [_look(world, "GET", url, via or {}, addresses or {}) for url in dict.fromkeys(urls)]
    return tuple(_answer(answer) for answer in await asyncio.gather(*looks))


def portal_urls(hosts: Sequence[str]) -> tuple[str, ...]:
    """What to ask of hosts under test: a path that generates no content where somebody wants to know."""
    return tuple(
        f"http://{f'[{host}]' if ':' in host else host}/generate_204" for host in dict.fromkeys(hosts)
    )


@dataclass(slots=True)
class _Look:
    """One question and what came back. taken: the local clock when the answer began."""

    url: str
    via: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    taken: float = 0.0
    seconds: float = 0.0
    failure: str = ""
    text: str = ""


def _date(look: _Look) -> DateSeen | None:
    try:
        date = parsedate_to_datetime(look.headers["date"]).timestamp()
        age = float(look.headers.get("age", "0"))
    except (KeyError, ValueError, OverflowError):
        return None
    return DateSeen(split_url(look.url).hostname or "", look.taken - date - age)


def _answer(look: _Look) -> AnswerSeen:
    return AnswerSeen(
        url=look.url,
        purpose="portal",
        status=look.status,
        headers={name: value for name, value in look.headers.items() if name in _TOLD},
        body=look.body.decode("utf-8", "replace"),
        size=len(look.body),
        redirect=_without_query(look.headers.get("location", "")) if look.status // 100 == 3 else "",
        protocol="HTTP/1.1" if look.status else "",
        seconds=look.seconds,
        failure=look.failure,
        text=look.text,
        via=str(proxy_url(look.via) or ""),
    )


def _without_query(url: str) -> str:
    """Scheme, host and path: a portal's query holds the address of the user."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def _look(world: World, method: str, url: str, via: Routes, addresses: Addresses) -> _Look:
    look = _Look(url, via.get(url, ""))
    start = time.perf_counter()
    try:
        async with asyncio.timeout(world.limits.first_byte), _open(world, look, addresses) as stream:
            await _ask(method, look, stream)
    except Unreached as error:
        look.failure, look.text = error.failure, error.text
    except TimeoutError:
        look.failure = "" if look.status else Failure.FIRST_BYTE_TIMEOUT
    except (EOFError, asyncio.LimitOverrunError):
        look.failure = Failure.NO_ANSWER
    except ValueError as error:
        look.failure, look.text = Failure.HTTP_PROTOCOL, said(error)
    except OSError as error:
        kind = classify(error)
        look.failure, look.text = (Raw.RESET if kind is Failure.CONNECT_RESET else kind), said(error)
    look.seconds = time.perf_counter() - start
    return look


@asynccontextmanager
async def _open(world: World, look: _Look, addresses: Addresses) -> AsyncIterator[Stream]:
    """A connection on which to ask: TLS for https, and through the proxy if there is one."""
    parts = urlsplit(look.url)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    address = "" if look.via else await _first_address(host, addresses)
    async with reached(world, host, address, port, via=look.via) as (reader, writer):
        if parts.scheme == "https":
            await writer.start_tls(unverified(), server_hostname=host)
        yield reader, writer


async def _first_address(host: str, addresses: Addresses) -> str:
    if addresses.get(host):
        return addresses[host][0]
    return (await system_addresses(host))[0]


async def _ask(method: str, look: _Look, stream: Stream) -> None:
    reader, writer = stream
    parts = urlsplit(look.url)
    path = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    host = parts.netloc.rpartition("@")[2]
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", "User-Agent: goferry", "Connection: close", "", "")
    writer.write("\r\n".join(lines).encode("ascii", "replace"))
    head = await reader.readuntil(b"\r\n\r\n")
    look.taken = time.time()
    look.status, look.headers = _parsed(head)
    if method != "HEAD":
        await _begin_body(reader, look)


def _parsed(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers with lower-case names. ValueError when it is no HTTP."""
    first, *lines = head.decode("latin-1").split("\r\n")
    protocol, status, *_phrase = first.split(" ")
    if not protocol.startswith("HTTP/1."):
        raise ValueError(first[:64])
    pairs = (line.partition(":") for line in lines if ":" in line)
    return int(status), {name.strip().lower(): value.strip() for name, _colon, value in pairs}


async def _begin_body(reader: asyncio.StreamReader, look: _Look) -> None:
    """Up to 4 KiB, as much as comes soon: a server may promise nothing, keep the line open, or break it."""
    length = look.headers.get("content-length", "")
    wanted = min(int(length) if length.isdecimal() else _MOST_BODY, _MOST_BODY)
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            while len(look.body) < wanted and (portion := await reader.read(wanted - len(look.body))):
                look.body += portion
    except OSError:  # a timeout is one too
        pass
