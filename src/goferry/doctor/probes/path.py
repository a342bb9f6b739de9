"""The way to a host: does TCP get there, does TLS begin, does it end, and whose certificates come back.

Two engines make handshakes. The raw one writes a first message of a chosen shape and reads what comes back as far as
it can be read without keys: it tells a reset from silence and a large message from a small one. The platform's
library finishes a handshake without believing anything, and the chain it brings is judged here as `go` would.
Differentials change one thing: the name, the size, the packet size, the address (doctor.md of the reference, R08-R12
and R20).
"""

import asyncio
import datetime
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from goferry.doctor import pki
from goferry.doctor.base import World
from goferry.doctor.evidence import CertSeen, DialSeen, HandshakeSeen, Raw, Target
from goferry.doctor.pki import Wrong
from goferry.doctor.probes.clienthello import (
    ALERTS,
    NEUTRAL_NAME,
    FirstFlight,
    Hello,
    alert_of,
    client_hello,
    go_sends_large,
    in_pieces,
)
from goferry.doctor.probes.products import product_of
from goferry.doctor.probes.streams import (
    CAN_LIMIT_PACKETS,
    Stream,
    Unreached,
    connect,
    proxy_url,
    reached,
    said,
    unverified,
)
from goferry.doctor.roots import HostStores, Stores, read_stores
from goferry.net.failure import Failure, classify

AT_ONCE: Final = 32
"""Connections that one probe holds open at a time."""

GIT_PORTS: Final = (22, 443, 9418)
"""Where a host that serves git may listen: ssh, https and git's own protocol."""

_READ: Final = 64 * 1024
_GAP: Final = 0.03
"""Seconds between two halves of a message, so that no device sees them as one packet."""

_QUIET: Final = 0.2
"""Seconds of silence after which an encrypted flight that may be complete is taken as complete."""

_LAST_WORD: Final = 1.0
"""Seconds in which a server of TLS 1.3 that wants a certificate refuses a client without one."""

_J = TypeVar("_J")
_S = TypeVar("_S")


# ---- TCP ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DialJob:
    """An address to connect to. source: which asker's answer gave it (as in NameSeen)."""

    host: str
    address: str
    port: int
    source: str = "go"
    mss: int = 0


async def probe_dials(world: World, jobs: Sequence[DialJob]) -> tuple[DialSeen, ...]:
    """One TCP connection per job, closed at once; in the order of the jobs."""
    return await _all(jobs, lambda job: _dial(world, job))


def git_dials(host: str, addresses: Iterable[str], source: str = "go") -> tuple[DialJob, ...]:
    """The jobs that tell which of git's protocols are open to a host."""
    return tuple(DialJob(host, address, port, source) for address in addresses for port in GIT_PORTS)


async def _dial(world: World, job: DialJob) -> DialSeen:
    failure = text = ""
    start = time.perf_counter()
    try:
        (await connect(job.address, job.port, world.limits.connect, mss=job.mss)).close()
    except Unreached as error:
        failure, text = error.failure, error.text
    seconds = time.perf_counter() - start
    return DialSeen(job.host, job.address, job.port, seconds, failure, text, job.source, job.mss)


async def _all(jobs: Sequence[_J], work: Callable[[_J], Awaitable[_S]]) -> tuple[_S, ...]:
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(job: _J) -> _S:
        async with gate:
            return await work(job)

    return tuple(await asyncio.gather(*(one(job) for job in jobs)))


# ---- TLS ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HandshakeJob:
    """A handshake to try. sni: the name to ask for, "" for none; via: a proxy's URL, also with credentials.

    With `via` the proxy finds the address itself, and `address` should be "".
    """

    host: str
    address: str
    port: int
    sni: str
    hello: str = Hello.GO
    mss: int = 0
    via: str = ""
    source: str = "go"


async def probe_handshakes(
    world: World,
    jobs: Sequence[HandshakeJob],
    *,
    stores: Stores | HostStores | None = None,
    go_version: str = "",
    at: float | None = None,
) -> tuple[HandshakeSeen, ...]:
    """One record per job, in their order.

    A handshake went well (failure "") when TLS itself did, whatever is `wrong` with the chain. With the hello `go` a
    message as the installed Go sends it (go_version, "" for one of today) has to be answered first; the chain then
    comes over a second connection. small, large and pieces end with the server's first answer and bring no chain.
    stores: as read_stores or read_host_stores gives them; at: the moment to judge validity at, None for now.
    """
    trusting = _Trusting(world, stores, at)
    large = go_sends_large(go_version, world.environ.get("GODEBUG", ""))
    return await _all(jobs, lambda job: _handshake(world, job, trusting, large))


async def deepen(
    world: World,
    target: Target,
    address: str,
    *,
    others: Sequence[str] = (),
    stores: Stores | HostStores | None = None,
    go_version: str = "",
) -> tuple[HandshakeSeen, ...]:
    """The differentials for an address on which TLS fails: one changed thing each.

    With the target's name: small, large and in pieces; packets of 1200 and of 600 bytes at most. With Go's message:
    a neutral name and none. others: further addresses, of the other family or of another resolver, which get Go's
    message and the target's name. The platform's own message is not among them: its size is a third one, so that a
    success of it on one address would say nothing about another.
    """
    large = go_sends_large(go_version, world.environ.get("GODEBUG", ""))
    size = Hello.LARGE if large else Hello.SMALL
    host, port = target.host, target.port
    shapes = (Hello.SMALL, Hello.LARGE, Hello.PIECES)
    jobs = [HandshakeJob(host, address, port, host, shape) for shape in shapes]
    jobs += [HandshakeJob(host, address, port, sni, size) for sni in (NEUTRAL_NAME, "")]
    if CAN_LIMIT_PACKETS:
        sizes = ((size, 1200), (size, 600), (Hello.SMALL, 1200))
        jobs += [HandshakeJob(host, address, port, host, shape, mss) for shape, mss in dict.fromkeys(sizes)]
    jobs += [HandshakeJob(host, other, port, host, size) for other in others]
    return await probe_handshakes(world, jobs, stores=stores, go_version=go_version)


@dataclass(slots=True)
class _Attempt:
    """What one connection has brought so far."""

    flight: FirstFlight = field(default_factory=FirstFlight)
    failure: str = ""
    text: str = ""
    version: str = ""
    alpn: str = ""
    alert: int = -1
    wants_client_certificate: bool = False
    chain: tuple[bytes, ...] = ()

    def fail(self, failure: str, text: str = "") -> None:
        self.failure, self.text = failure, text

    def refused(self, alert: int) -> None:
        self.alert = alert
        self.fail(Raw.ALERT, ALERTS.get(alert, str(alert)))

    def read_plain(self) -> bool:
        """Takes over what the flight says in clear; whether that already ends it."""
        flight = self.flight
        self.version = self.version or flight.version
        self.alpn = self.alpn or flight.alpn
        self.wants_client_certificate |= flight.wants_client_certificate
        if flight.alert >= 0:
            self.refused(flight.alert)
        elif flight.first_bytes:
            self.fail(Raw.NOT_TLS)
        elif flight.is_garbage:
            self.fail(Raw.GARBAGE)
        return bool(self.failure)


_Engine = Callable[[Stream, HandshakeJob, _Attempt, bool], Awaitable[None]]


async def _handshake(world: World, job: HandshakeJob, trusting: "_Trusting", large: bool) -> HandshakeSeen:
    start = time.perf_counter()
    engines = _ENGINES[Hello(job.hello)]
    attempt = _Attempt()
    for engine in engines:
        attempt = await _attempt(world, job, engine, large)
        if attempt.failure:
            break
    return trusting.record(job, attempt, time.perf_counter() - start)


async def _attempt(world: World, job: HandshakeJob, engine: _Engine, large: bool) -> _Attempt:
    attempt = _Attempt()
    way = reached(world, job.host, job.address, job.port, mss=job.mss, via=job.via)
    try:
        async with way as stream:
            await _limited(world, engine(stream, job, attempt, large), attempt)
    except Unreached as error:
        attempt.fail(error.failure, error.text)
    return attempt


async def _limited(world: World, talk: Awaitable[None], attempt: _Attempt) -> None:
    """Runs the talk; what ends it early becomes part of the attempt. What the peer said in clear explains most."""
    try:
        async with asyncio.timeout(world.limits.handshake):
            await talk
    except TimeoutError:
        attempt.fail(Raw.STALLED)
    except EOFError:
        attempt.fail(Raw.CLOSED)
    except ssl.SSLError as error:
        _explain(error, attempt)
    except OSError as error:
        kind = classify(error)
        attempt.fail(Raw.RESET if kind is Failure.CONNECT_RESET else kind, said(error))
    except UnicodeError as error:  # a server name that cannot be written in a message
        attempt.fail(Failure.DNS_NOT_FOUND, said(error))
    if attempt.failure:
        attempt.read_plain()


def _explain(error: ssl.SSLError, attempt: _Attempt) -> None:
    alert = alert_of(error.reason)
    if alert >= 0:
        attempt.refused(alert)
    else:
        attempt.fail(Failure.TLS_HANDSHAKE, said(error))


async def _talk_raw(stream: Stream, job: HandshakeJob, attempt: _Attempt, large: bool) -> None:
    """Sends a made-up first message and reads the answer to its visible or plausible end."""
    reader, writer = stream
    hello = Hello(job.hello)
    is_large = large if hello is Hello.GO else hello is not Hello.SMALL
    message = client_hello(job.sni, large=is_large)
    for place, piece in enumerate(in_pieces(message) if hello is Hello.PIECES else (message,)):
        await asyncio.sleep(_GAP if place else 0)
        writer.write(piece)
        await writer.drain()
    flight = attempt.flight
    while not flight.is_over:
        data = await _next(reader, _QUIET if flight.is_plausibly_complete else None)
        if data is None:
            break
        if not data:
            raise EOFError
        flight.feed(data)
    attempt.read_plain()


async def _next(reader: asyncio.StreamReader, quiet: float | None) -> bytes | None:
    """The next bytes, b"" at the end; None after so many seconds of silence."""
    try:
        async with asyncio.timeout(quiet):
            return await reader.read(_READ)
    except TimeoutError:
        if quiet is None:
            raise
        return None


async def _talk_library(stream: Stream, job: HandshakeJob, attempt: _Attempt, _large: bool) -> None:
    """A whole handshake by the platform's library, with a look at every byte that comes."""
    session = _Session(job.sni, attempt)
    await session.run(stream, session.tls.do_handshake)
    attempt.version = session.tls.version() or ""
    attempt.alpn = session.tls.selected_alpn_protocol() or ""
    attempt.chain = _presented(session.tls)
    if attempt.wants_client_certificate and attempt.version == "TLSv1.3":
        await _hear_refusal(stream, session)


async def _hear_refusal(stream: Stream, session: "_Session") -> None:
    """In TLS 1.3 the client is done before the server has missed its certificate; a ticket or silence is a welcome."""
    try:
        async with asyncio.timeout(_LAST_WORD):
            await session.run(stream, lambda: session.tls.read(1))
    except (TimeoutError, EOFError, ssl.SSLZeroReturnError):
        pass


class _Session:
    """TLS of the platform over bytes that pass through our hands."""

    def __init__(self, sni: str, attempt: _Attempt) -> None:
        context = unverified()
        context.set_alpn_protocols(["h2", "http/1.1"])
        _watch(context, attempt)
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._flight = attempt.flight
        self.tls = context.wrap_bio(self._in, self._out, server_hostname=sni.rstrip(".") or None)

    async def run(self, stream: Stream, act: Callable[[], object]) -> None:
        """Carries bytes in both directions until the act is done. Raises EOFError, OSError."""
        reader, writer = stream
        while True:
            try:
                act()
                return
            except ssl.SSLWantReadError:
                pass
            finally:
                writer.write(self._out.read())
            await writer.drain()
            data = await reader.read(_READ)
            if not data:
                raise EOFError
            self._flight.feed(data)
            self._in.write(data)


_CERTIFICATE_REQUEST: Final = 13
_CAN_WATCH: Final = hasattr(ssl.SSLContext, "_msg_callback")


def _watch(context: ssl.SSLContext, attempt: _Attempt) -> None:
    """Notes a CertificateRequest, which TLS 1.3 encrypts. Where Python cannot show it, every server is heard out."""

    def on_message(_tls: Any, direction: str, _version: Any, kind: Any, message: Any, _data: bytes) -> None:
        if direction == "read" and kind == 22 and message == _CERTIFICATE_REQUEST:
            attempt.wants_client_certificate = True

    if _CAN_WATCH:
        context._msg_callback = on_message  # type: ignore[attr-defined]


def _presented(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """The chain as the server sent it, DER, leaf first. Python shows it officially since 3.13, and before on the
    object behind; failing that, the leaf alone."""
    ask = getattr(tls, "get_unverified_chain", None) or getattr(
        getattr(tls, "_sslobj", None), "get_unverified_chain", None
    )
    if ask is not None:
        return tuple(found if isinstance(found, bytes) else found.public_bytes(_DER) for found in ask() or ())
    leaf = tls.getpeercert(binary_form=True)
    return (leaf,) if leaf else ()


_DER: Final = 2  # _ssl.ENCODING_DER

_ENGINES: Final[dict[Hello, tuple[_Engine, ...]]] = {
    Hello.GO: (_talk_raw, _talk_library),
    Hello.SMALL: (_talk_raw,),
    Hello.LARGE: (_talk_raw,),
    Hello.PIECES: (_talk_raw,),
    Hello.PLAIN: (_talk_library,),
}


# ---- judging the chain -------------------------------------------------------------------------------------


class _Trusting:
    """Turns attempts into records: what each store says of the chain. Stores are read when a chain is there."""

    def __init__(self, world: World, stores: Stores | HostStores | None, at: float | None) -> None:
        self._world = world
        self._stores = stores
        self._at = at

    def _stores_at(self, job: HandshakeJob) -> Stores:
        if self._stores is None:
            self._stores = read_stores(self._world)
        return self._stores.at(job.host, job.port) if isinstance(self._stores, HostStores) else self._stores

    def record(self, job: HandshakeJob, attempt: _Attempt, seconds: float) -> HandshakeSeen:
        chain = pki.read_chain(attempt.chain)
        stores = self._stores_at(job) if attempt.chain else {}
        verdicts = self._verdicts(chain, job.sni or job.host, stores)
        proxy = proxy_url(job.via)
        return HandshakeSeen(
            host=job.host,
            address=job.address,
            port=job.port,
            sni=job.sni,
            hello=str(job.hello),
            seconds=seconds,
            failure=attempt.failure,
            text=attempt.text,
            version=attempt.version,
            alpn=attempt.alpn,
            alert=attempt.alert,
            wants_client_certificate=attempt.wants_client_certificate,
            chain=tuple(_seen(certificate) for certificate in chain),
            trusted=tuple(name for name, wrong in verdicts.items() if not wrong),
            tried=tuple(verdicts),
            wrong=self._wrong(chain, verdicts, stores),
            first_bytes=attempt.flight.first_bytes,
            received=attempt.flight.received,
            mss=job.mss,
            via=str(proxy) if proxy else "",
            source=job.source,
        )

    def _verdicts(self, chain: Sequence[x509.Certificate], host: str, stores: Stores) -> dict[str, Wrong]:
        now = time.time() if self._at is None else self._at
        moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
        return {name: pki.verify(chain, host, store, moment) for name, store in stores.items()}

    def _wrong(self, chain: Sequence[x509.Certificate], verdicts: dict[str, Wrong], stores: Stores) -> str:
        """What Go's store says; where that cannot be known, what the public one says."""
        wrong = verdicts.get("go", verdicts.get("public", Wrong.NOTHING))
        nobody = all(verdict is Wrong.UNKNOWN_AUTHORITY for verdict in verdicts.values())
        is_unsigned = wrong is Wrong.UNKNOWN_AUTHORITY and nobody and not _product(chain)
        if is_unsigned and pki.is_incomplete(chain, tuple(stores.values())):
            return Wrong.INCOMPLETE
        return wrong


def _product(chain: Sequence[x509.Certificate]) -> str:
    return product_of(*(certificate.issuer for certificate in chain))


def _seen(certificate: x509.Certificate) -> CertSeen:
    return CertSeen(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=pki.names(certificate),
        not_before=certificate.not_valid_before_utc.timestamp(),
        not_after=certificate.not_valid_after_utc.timestamp(),
        sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        is_ca=pki.is_authority(certificate),
        self_signed=certificate.subject == certificate.issuer,
        product=product_of(certificate.issuer),
        pem=_pem(certificate),
    )


def _pem(certificate: x509.Certificate) -> str:
    """Authorities only: a fix has to name them, and nobody needs the leaf."""
    if not pki.is_authority(certificate):
        return ""
    return certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")
