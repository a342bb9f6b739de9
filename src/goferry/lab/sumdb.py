"""A checksum database on loopback, honest or lying: the trust root of tests and of `goferry lab`.

It puts HTTP before goferry.gomod.sumdb.memlog. Go's own client takes it as any other database, with
`GOSUMDB="KEY URL"`, or below a proxy at `/sumdb/NAME/`, where `routes` mounts it:

    async with sumdb.running(MemLog(sums=sums_of_tree(tree))) as lab: ...       # lab.url, lab.log.verifier_key

    app.add_routes(sumdb.routes(LabSumdb(log), log.name))                       # in another application
"""

import asyncio
import io
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256

from aiohttp import web

from goferry.errors import InvalidInput, NotFound
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import LyingLog, MemLog
from goferry.gomod.sumdb.tile import DATA_LEVEL, parse_tile_path

__all__ = ["LabSumdb", "routes", "running", "sums_of_tree"]


@dataclass(slots=True, eq=False)
class LabSumdb:
    """A running database. What it answers may be changed while it runs, path by path (`lookup/…`, no leading slash)."""

    log: MemLog | LyingLog
    url: str = ""
    asked: Counter[str] = field(default_factory=Counter)
    """How often each path was asked for."""
    statuses: dict[str, int] = field(default_factory=dict)
    """Paths answered with a bare status, such as 404 or 503."""
    delays: dict[str, float] = field(default_factory=dict)
    """Paths answered after so many seconds."""
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    """Paths answered once the event is set."""

    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, path: str, times: int = 1) -> None:
        """Until the path was asked for so many times."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: self.asked[path] >= times)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a request whose match holds the path below the database's root."""
        path = request.match_info["path"]
        async with self.arrived:
            self.asked[path] += 1
            self.arrived.notify_all()
        if path in self.held:
            await self.held[path].wait()
        await asyncio.sleep(self.delays.get(path, 0))
        if path in self.statuses:
            return web.Response(status=self.statuses[path], text="the lab says so\n")
        return self._answer(path)

    def _answer(self, path: str) -> web.Response:
        if path == "supported":
            return web.Response(text="")
        try:
            body = self.log.get(path)
        except NotFound as error:
            return web.Response(status=404, text=f"not found: {error}\n")
        except InvalidInput as error:
            return web.Response(status=400, text=f"bad request: {error}\n")
        return web.Response(body=body, headers={"Content-Type": _content_type(path)})


def _content_type(path: str) -> str:
    is_hashes = path.startswith("tile/") and parse_tile_path(path).level != DATA_LEVEL
    return "application/octet-stream" if is_hashes else "text/plain; charset=UTF-8"


def routes(lab: LabSumdb, name: str) -> list[web.RouteDef]:
    """The database as a proxy shows it, at `/sumdb/NAME/`. Add them before a catch-all route."""
    return [web.get(f"/sumdb/{name}/{{path:.*}}", lab.handle)]


@asynccontextmanager
async def running(log: MemLog | LyingLog) -> AsyncIterator[LabSumdb]:
    """Serves the log on a free loopback port, at the root of `url`."""
    lab = LabSumdb(log)
    app = web.Application()
    app.add_routes([web.get("/{path:.*}", lab.handle)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        lab.url = f"http://{host}:{port}"
        yield lab
    finally:
        for event in lab.held.values():
            event.set()
        await runner.cleanup()


def sums_of_tree(tree: Mapping[str, bytes]) -> Callable[[Version], Iterable[str]]:
    """The go.sum lines of whatever a proxy tree (URL paths to bytes) holds, for MemLog's `sums`."""

    def sums(module: Version) -> list[str]:
        try:
            archive = tree[request_path(Kind.ZIP, module.path, module.version)]
            go_mod = tree[request_path(Kind.MOD, module.path, module.version)]
        except KeyError as error:
            raise NotFound("{module} is not in the tree", module=str(module)) from error
        return [
            f"{module.path} {module.version} {_hash_zip(archive)}",
            f"{module.path} {module.version}/go.mod {dirhash.hash_go_mod(go_mod)}",
        ]

    return sums


def _hash_zip(archive: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        digests = [(name.encode(), sha256(files.read(name)).hexdigest()) for name in files.namelist()]
    return dirhash.summary_hash(digests)
