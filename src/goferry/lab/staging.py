"""Makes a scenario's servers real: certificates, name servers and sites, where the ground says that they listen.

There are two grounds. In a private network namespace every site has its own addresses and ports, so names, ports and
certificates are as in the world outside. On loopback each site gets a free port, and its URLs are rewritten.
"""

import base64
import datetime
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from goferry.gomod.sumdb.memlog import LyingLog, MemLog
from goferry.lab import codehost, goproxy, modules, sumdb
from goferry.lab.dns import Behaviour, DnsServer
from goferry.lab.forward import ForwardProxy
from goferry.lab.http2 import Http2Front
from goferry.lab.internet import DEFAULT_PROXY, PUBLIC_DNS, RESOLVERS, SITES, SUMDB, default_proxy
from goferry.lab.scenario import (
    ForwardProxying,
    Http2Broken,
    ImportPages,
    Issuer,
    Mirrored,
    Modules,
    Nobody,
    Page,
    Raw,
    Repositories,
    Resolver,
    Scenario,
    Service,
    Site,
    SshServer,
    SumDatabase,
    Tls,
)
from goferry.lab.ssh import RefusingSsh
from goferry.lab.tcp import HEALTHY, LOOPBACK, Listener, Peer, Relay
from goferry.lab.tls import Authority, Refuser

_DAY: Final = 86400
_SUMDB_TROUBLE: Final = {
    Mirrored.BROKEN: (502, "text/plain", "upstream connect error\n"),
    Mirrored.HTML: (200, "text/html", "<html>welcome</html>\n"),
}


@dataclass(slots=True)
class Stage:
    """What is running. urls: `https://HOST` (or http) to where it really is, different only on loopback."""

    scenario: Scenario
    root: Path
    namespace: bool
    log: MemLog
    authorities: Mapping[Issuer, Authority]
    stack: AsyncExitStack
    sockets: Mapping[tuple[str, int], socket.socket] = field(default_factory=dict)
    """Listening sockets that were made on the client's own machine."""
    urls: dict[str, str] = field(default_factory=dict)

    @property
    def sites(self) -> list[Site]:
        return sites_of(self.scenario)

    def localised(self, text: str) -> str:
        """The text with the URLs at which sites really listen."""
        for known, real in self.urls.items():
            text = re.sub(re.escape(known) + r"(?![\w.:-])", real, text)
        return text


def sites_of(scenario: Scenario) -> list[Site]:
    """The sites of the well world with those of the scenario in their place or beside them."""
    name = default_proxy()
    usual = (*SITES, Site((name,), Modules(), DEFAULT_PROXY)) if name else SITES
    return list({site.key: site for site in (*usual, *scenario.sites)}.values())


def resolvers_of(scenario: Scenario) -> tuple[Resolver, ...]:
    """The name servers that the client is given."""
    chosen = scenario.network.resolvers
    return RESOLVERS if chosen is None else chosen


@asynccontextmanager
async def staged(
    scenario: Scenario,
    root: Path,
    *,
    namespace: bool,
    sockets: Mapping[tuple[str, int], socket.socket] | None = None,
) -> AsyncIterator[Stage]:
    """Starts everything. `root` gets `pki/*.pem` and repositories. sockets: for sites on the client's loopback.

    Raises Unavailable for what this machine lacks.
    """
    async with AsyncExitStack() as stack:
        log = MemLog(SUMDB, sums=modules.sums)
        stage = Stage(scenario, root, namespace, log, _authorities(scenario, root), stack, sockets or {})
        if namespace:
            for resolver in (*PUBLIC_DNS, *resolvers_of(scenario)):
                await stack.enter_async_context(_name_server(stage, resolver))
        for site in stage.sites:
            await _BACKENDS[type(site.service)](stage, site)
        yield stage


# ---- certificates ------------------------------------------------------------------------------------------


def _authorities(scenario: Scenario, root: Path) -> dict[Issuer, Authority]:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=scenario.network.clock)
    trusted = Authority("Example Trust Root R1", organization="Example Trust", now=now)
    company = Authority("Example Firewall CA", organization="Example Firewall", now=now)
    found = {
        Issuer.PUBLIC: Authority("Example Trust CA 7", organization="Example Trust", now=now, parent=trusted),
        Issuer.COMPANY: company,
        Issuer.UNKNOWN: Authority("backend-17 self-made", now=now),
    }
    folder = root / "pki"
    folder.mkdir()
    (folder / "public.pem").write_bytes(trusted.pem)
    (folder / "company.pem").write_bytes(company.pem)
    (folder / "stale.pem").write_bytes(Authority("Example Trust Root of 2009", now=now).pem)
    return found


def _context(stage: Stage, site: Site, tls: Tls) -> ssl.SSLContext:
    hosts = tls.hosts or (site.hosts if stage.namespace else (*site.hosts, "localhost", LOOPBACK))
    return stage.authorities[tls.issuer].server_context(hosts, tls.leaf, tls.manners)


# ---- names -------------------------------------------------------------------------------------------------


def _name_server(stage: Stage, resolver: Resolver) -> DnsServer:
    records = {
        host: site.addresses
        for site in stage.sites
        if resolver.inside or not site.inside
        for host in site.hosts
    }
    server = _Anything if resolver.anything else DnsServer
    return server(
        {**records, **resolver.lies, "": resolver.anything},
        resolver.behaviour,
        delay=resolver.delay,
        ttl=resolver.ttl,
        by_name=dict.fromkeys(resolver.denies, resolver.denial),
        injected=resolver.injects,
        tcp=resolver.tcp and resolver.behaviour is not Behaviour.SILENCE,
        listen=(resolver.address, 53),
    )


class _Anything(DnsServer):
    """A name server that has an address for every name, the one of the empty name."""

    def __init__(self, records: Mapping[str, Any], *args: Any, **options: Any) -> None:
        super().__init__(records, *args, **options)
        self.records = _Default(self.records)


class _Default(dict[str, tuple[str, ...]]):
    def __contains__(self, _name: object) -> bool:
        return True

    def __missing__(self, _name: str) -> tuple[str, ...]:
        return self[""]


# ---- sites -------------------------------------------------------------------------------------------------


async def _listen(
    stage: Stage, site: Site, peer: Callable[[tuple[str, int], ssl.SSLContext | None], Peer]
) -> None:
    """The site's front at all its places, with its TLS, behind its spoiled wire."""
    tls = None if site.tls is None else _context(stage, site, site.tls)
    if tls is not None and site.tls is not None and site.tls.manners.refuses:
        peer = _refuser(tls)
    places = [(address, site.port) for address in site.addresses] if stage.namespace else [(LOOPBACK, 0)]
    for place in places:
        if site.wire is HEALTHY:
            front = peer(place, tls)
            front.socket = stage.sockets.get(place)
            await stage.stack.enter_async_context(front)
        else:
            behind = await stage.stack.enter_async_context(peer((LOOPBACK, 0), tls))
            front = await stage.stack.enter_async_context(Relay(behind.port, site.wire, listen=place))
        _note_url(stage, site, front.port)


def _refuser(context: ssl.SSLContext) -> Callable[[tuple[str, int], ssl.SSLContext | None], Peer]:
    return lambda place, _tls: Refuser(context, listen=place)


def _note_url(stage: Stage, site: Site, port: int) -> None:
    if stage.namespace:
        return
    usual = {"https": 443, "http": 80}[site.scheme]
    suffix = "" if site.port == usual else f":{site.port}"
    for host in site.hosts:
        stage.urls[f"{site.scheme}://{host}{suffix}"] = f"{site.scheme}://localhost:{port}"


async def _web(stage: Stage, site: Site, app: web.Application) -> None:
    """A web site: its application on loopback, its front where it is known."""
    port = await _application(stage, app)
    await _listen(stage, site, lambda place, tls: Relay(port, tls=tls, listen=place))


async def _application(stage: Stage, app: web.Application) -> int:
    if stage.scenario.network.clock:
        app.on_response_prepare.append(_other_date(stage.scenario.network.clock * _DAY))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stage.stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, LOOPBACK, 0).start()
    port: int = runner.addresses[0][1]
    return port


def _other_date(seconds: int) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def prepare(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(datetime.datetime.now().timestamp() + seconds, usegmt=True)

    return prepare


def _module_app(stage: Stage, service: Modules) -> web.Application:
    def faults(path: str, count: int) -> goproxy.Fault | None:
        for when in service.faults:
            if fnmatchcase(path, when.pattern) and (when.times is None or count < when.times):
                return replace(when.fault, text=stage.localised(when.fault.text.replace("{path}", path)))
        return None

    kept = {
        path: body
        for path, body in modules.tree().items()
        if not any(fnmatchcase(path, pattern) for pattern in service.lacks)
    }
    lab = goproxy.LabProxy(kept, faults)
    stage.stack.callback(lab.released.set)
    app = web.Application(middlewares=[_wanting(service.user)] if service.user else [])
    app.add_routes(_mirrored_routes(stage, service.sumdb))
    app.router.add_get("/{path:.*}", lab.handle)
    return app


def _wanting(login: str) -> Any:
    """A middleware that lets only those pass who log in so."""
    wanted = f"Basic {base64.b64encode(login.encode()).decode()}"

    @web.middleware
    async def check(request: web.Request, handler: Any) -> web.StreamResponse:
        if request.headers.get("Authorization") != wanted:
            return web.Response(
                status=401, headers={"WWW-Authenticate": 'Basic realm="modules"'}, text="log in\n"
            )
        response: web.StreamResponse = await handler(request)
        return response

    return check


def _mirrored_routes(stage: Stage, mirrored: Mirrored) -> list[web.RouteDef]:
    if mirrored is Mirrored.NO:
        return []
    if mirrored is Mirrored.YES:
        return sumdb.routes(sumdb.LabSumdb(stage.log), stage.log.name)

    async def handle(request: web.Request) -> web.Response:
        if mirrored is Mirrored.FORBIDDEN:
            return web.Response(status=403, text="forbidden\n")
        if request.path.endswith("/supported"):
            return web.Response(text="")
        status, kind, text = _SUMDB_TROUBLE[mirrored]
        return web.Response(status=status, content_type=kind, text=text)

    return [web.get(f"/sumdb/{stage.log.name}/{{path:.*}}", handle)]


async def _modules(stage: Stage, site: Site) -> None:
    assert isinstance(site.service, Modules)
    await _web(stage, site, _module_app(stage, site.service))


async def _sum_database(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, SumDatabase)
    lab = sumdb.LabSumdb(LyingLog(stage.log, service.lie))
    app = web.Application()

    async def handle(request: web.Request) -> web.Response:
        if service.status:
            return web.Response(status=service.status, text="the database is not well\n")
        return await lab.handle(request)

    app.router.add_get("/{path:.*}", handle)
    await _web(stage, site, app)


async def _repositories(stage: Stage, site: Site) -> None:
    assert isinstance(site.service, Repositories)
    if stage.namespace:
        codehost.require_git()
    app = codehost.application(codehost.Shelf(stage.root / "repositories"), site.hosts[0], site.service)
    await _web(stage, site, app)


async def _import_pages(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, ImportPages)

    async def handle(request: web.Request) -> web.Response:
        page = codehost.import_page(f"{site.hosts[0]}{request.path}".strip("/"), service.pages)
        if service.status != 200 or not page:
            status = service.status if service.status != 200 else 404
            return web.Response(status=status, text="no such page\n")
        return web.Response(text=stage.localised(page), content_type="text/html")

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    await _web(stage, site, app)


async def _page(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, Page)

    async def handle(_request: web.Request) -> web.Response:
        return web.Response(
            status=service.status,
            text=service.body,
            content_type=service.content_type,
            headers=dict(service.headers),
        )

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    await _web(stage, site, app)


async def _forward(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, ForwardProxying)

    def find(host: str, port: int) -> tuple[str, int] | None:
        for other in stage.sites:
            if host in other.hosts and port == other.port and (service.knows_inside or not other.inside):
                return other.addresses[0], port
        return None

    await _listen(
        stage,
        site,
        lambda place, tls: ForwardProxy(
            auth=service.auth,
            deny=service.deny,
            find=find,
            conduct=service.conduct,
            refusal=service.refusal,
            challenge=service.challenge,
            delay=service.delay,
            tls=tls,
            listen=place,
        ),
    )


async def _raw(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, Raw)
    await _listen(
        stage,
        site,
        lambda place, tls: Listener(fault=service.fault, greeting=service.greeting, tls=tls, listen=place),
    )


async def _http2(stage: Stage, site: Site) -> None:
    service = site.service
    assert isinstance(service, Http2Broken)
    port = await _application(stage, _module_app(stage, service.modules))

    def front(place: tuple[str, int], tls: ssl.SSLContext | None) -> Peer:
        assert tls is not None
        return Http2Front(port, service.trouble, tls=tls, listen=place)

    await _listen(stage, site, front)


async def _ssh(stage: Stage, site: Site) -> None:
    await _listen(stage, site, lambda place, _tls: RefusingSsh(listen=place))


async def _nobody(stage: Stage, site: Site) -> None:
    """In a namespace a port where nobody listens refuses by itself; on loopback a port is held that refuses."""
    if not stage.namespace:
        from goferry.lab.tcp import refused_port

        _note_url(stage, site, stage.stack.enter_context(refused_port()))


_BACKENDS: Final[Mapping[type[Service], Callable[[Stage, Site], Awaitable[None]]]] = {
    Modules: _modules,
    SumDatabase: _sum_database,
    Repositories: _repositories,
    ImportPages: _import_pages,
    Page: _page,
    ForwardProxying: _forward,
    Raw: _raw,
    Http2Broken: _http2,
    SshServer: _ssh,
    Nobody: _nobody,
}
