"""Puts a ModuleProxy together from settings. The only place below the server and the command line that builds parts."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from goferry.config import Settings
from goferry.errors import ConfigError, GoferryError, InvalidInput
from goferry.gomod import goenv, goproxy, module
from goferry.gomod.goproxy import Entry
from goferry.gomod.sumdb.note import parse_verifier
from goferry.net.backoff import Backoff
from goferry.net.breaker import BreakerRules
from goferry.net.client import Client, ClientOptions
from goferry.proxy.base import Observer, Silent
from goferry.proxy.coalesce import Flights
from goferry.proxy.files import Files
from goferry.proxy.fresh import FreshCache
from goferry.proxy.keeper import Keeper, Proofs
from goferry.proxy.metadata import Metadata
from goferry.proxy.negative import Gate, Negatives
from goferry.proxy.observed import Observed
from goferry.proxy.service import ModuleProxy
from goferry.proxy.sumdb import ChecksumDatabase, Databases
from goferry.proxy.verifier import Verifier
from goferry.storage.base import BlobStore
from goferry.storage.opening import open_index, open_store
from goferry.upstream import direct
from goferry.upstream.base import Fetcher
from goferry.upstream.chain import Chain, Link
from goferry.upstream.files import FileFetcher
from goferry.upstream.goproxy import ProxyFetcher, Retries
from goferry.upstream.hosts import HostGates
from goferry.upstream.sumdb import SumdbSource

if TYPE_CHECKING:
    from goferry.proxy.recording import Own

_INSTANCE = ".goferry/instance"


@asynccontextmanager
async def open_proxy(
    settings: Settings, *, observer: Observer | None = None, environ: Mapping[str, str] | None = None
) -> AsyncIterator[ModuleProxy]:
    """A working ModuleProxy; what it opened is closed behind it. Raises ConfigError and StorageError.

    `settings` are complete: upstream and sumdb are set. `environ` holds the proxy variables and root certificates.
    """
    observer = observer or Silent()
    async with AsyncExitStack() as stack:
        store = open_store(settings.store, fsync=settings.fsync, shared=settings.workers > 1)
        stack.push_async_callback(store.close)
        index = open_index(store)
        if index is not None:
            stack.callback(index.close)
        client = Client(ClientOptions.of(settings, os.environ if environ is None else environ))
        stack.push_async_callback(client.close)
        verifier = Verifier()
        stack.push_async_callback(verifier.close)
        flights = Flights()
        stack.push_async_callback(flights.close)
        stack.callback(store.hurry)  # whoever closes waits for what is being kept

        instance = await _instance(store)
        gates = HostGates(slots=settings.per_host, rules=_breaker_rules(settings))
        edge = _Edge(client, gates, _retries(settings), instance, observer)
        chain = Chain([edge.link(entry) for entry in _entries(settings)])
        databases = [_database(spec, chain, edge, store, flights, settings) for spec in _specs(settings)]
        proofs = _proofs(databases, settings)
        own = await _own(settings, store, chain, edge, flights, stack) if settings.own_log else None
        keeper = (own.keeper if own else Keeper)(
            store, chain, proofs, index=index, max_zip=settings.max_zip, verify=verifier.verify
        )
        fresh = FreshCache(store, flights, fresh=settings.list_fresh, stale_for=settings.stale_for)
        negatives = Negatives(store, fresh=settings.negative_fresh, bypasses=settings.negative_bypass)
        flights.ahead("sweep negatives", lambda _: negatives.sweep())
        if not settings.offline:
            flights.ahead("prepare", lambda _: asyncio.to_thread(_prepare, client, settings))
        gate = Gate(negatives)

        def is_private(path: str) -> bool:
            return module.match_prefix_patterns(settings.private, path)

        ahead = is_private if settings.read_ahead and not settings.offline else None
        files = Files(store, keeper, flights, gate, fresh, index=index, is_private=ahead, observer=observer)
        public = Databases(databases, is_private=is_private)
        yield ModuleProxy(
            store,
            files,
            Metadata(store, chain, fresh, gate, info_of=files.answer),
            own.beside(public, files, proofs) if own else public,
            gates,
            flights,
            offline=settings.offline,
            instance=instance,
            observer=observer,
        )


@asynccontextmanager
async def open_site(
    url: str, settings: Settings, *, environ: Mapping[str, str] | None = None
) -> AsyncIterator[ProxyFetcher]:
    """A place on the web that is no module proxy, asked with the same network settings, retries and manners."""
    client = Client(ClientOptions.of(settings, os.environ if environ is None else environ))
    try:
        gates = HostGates(slots=settings.per_host, rules=_breaker_rules(settings))
        yield ProxyFetcher(url, client, gates=gates, retries=_retries(settings))
    finally:
        await client.close()


class _Edge:
    """Makes fetchers that share one client, one set of host gates and one identity."""

    def __init__(
        self, client: Client, gates: HostGates, retries: Retries, instance: str, observer: Observer
    ) -> None:
        self._client = client
        self._gates = gates
        self._retries = retries
        self._instance = instance
        self._observer = observer

    def link(self, entry: Entry) -> Link:
        return Link(Observed(self._fetcher(entry), self._observer), entry.falls_through_on_any)

    def proxy(self, url: str) -> ProxyFetcher:
        return ProxyFetcher(
            url, self._client, gates=self._gates, retries=self._retries, identity=self._instance
        )

    def _fetcher(self, entry: Entry) -> Fetcher:
        if entry.url == goproxy.DIRECT:
            return direct.direct()
        if entry.url == goproxy.OFF:
            return direct.off()
        if entry.url.startswith("file:"):
            return FileFetcher(entry.url)
        goproxy.check_credentials(entry)
        return self.proxy(entry.url)


def _entries(settings: Settings) -> tuple[Entry, ...]:
    try:
        return goproxy.parse_list(settings.upstream)
    except InvalidInput as error:
        raise _bad_setting("upstream", goproxy.redact(settings.upstream), error) from error


def _specs(settings: Settings) -> list[goenv.SumDB]:
    """The databases of the setting, which may hold several GOSUMDB values with commas between them."""
    try:
        specs = [goenv.parse_sumdb(text.strip()) for text in settings.sumdb.split(",")]
    except InvalidInput as error:
        raise _bad_setting("sumdb", settings.sumdb, error) from error
    return [spec for spec in specs if spec is not None]


def _bad_setting(name: str, value: str, why: GoferryError) -> ConfigError:
    return ConfigError("setting {name}: {value!r}: {why}", name=name, value=value, why=why)


def _database(
    spec: goenv.SumDB, chain: Chain, edge: _Edge, store: BlobStore, flights: Flights, settings: Settings
) -> ChecksumDatabase:
    source = SumdbSource(
        spec.name, chain, direct=edge.proxy(spec.base_url).get, direct_only=spec.url is not None
    )
    return ChecksumDatabase(parse_verifier(spec.key), source, store, flights, fresh=settings.list_fresh)


def _prepare(client: Client, settings: Settings) -> None:
    """What else the first request would wait for. If something is wrong with it, that request is told."""
    client.prepare()
    for spec in _specs(settings):
        parse_verifier(spec.key).prepare()


def _proofs(databases: list[ChecksumDatabase], settings: Settings) -> Proofs | None:
    """How downloads are proven: by the first database, for the modules that `go` would ask it about."""
    if not databases:
        return None
    first = databases[0]

    def needed(path: str) -> bool:
        return goenv.use_sumdb(
            path, gosumdb=first.name, gonosumdb=settings.private, goproxy=settings.upstream
        )

    return Proofs(first.name, needed, first.prove)


async def _own(
    settings: Settings, store: BlobStore, chain: Chain, edge: _Edge, flights: Flights, stack: AsyncExitStack
) -> "Own | None":
    """What the log of one's own changes. Only here is anything of it loaded."""
    from goferry.proxy.ownlog import open_log, parse_place
    from goferry.proxy.recording import Own

    place = parse_place(settings.own_log)
    if place is None:
        return None
    if place.name in (spec.name for spec in _specs(settings)):
        raise ConfigError(
            "setting {name}: {value!r} is the name of a database in the setting sumdb",
            name="own_log",
            value=settings.own_log,
        )
    if place.remote is not None:
        return Own(store, remote=_database(place.remote, chain, edge, store, flights, settings))
    log = await open_log(store, place.name, settings.own_log_key)
    stack.push_async_callback(log.close)
    return Own(store, local=log)


async def _instance(store: BlobStore) -> str:
    """A name that all workers and replicas on one store share, to recognise requests that come back."""
    try:
        await store.put(_INSTANCE, secrets.token_hex(8).encode())
        return (await store.read(_INSTANCE) or b"").decode()
    except GoferryError:
        stored = await store.read(_INSTANCE)
        return stored.decode() if stored else secrets.token_hex(8)


def _breaker_rules(settings: Settings) -> BreakerRules:
    return BreakerRules(failures=settings.breaker_failures, pause=settings.breaker_reset)


def _retries(settings: Settings) -> Retries:
    return Retries(attempts=settings.attempts, backoff=Backoff(cap=settings.retry_wait_max))
