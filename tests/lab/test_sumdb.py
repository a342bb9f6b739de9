"""The lab's database, by HTTP and by the real go: what go accepts and refuses is what our client does."""

import asyncio
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from goferry.errors import GoferryError
from goferry.gomod import gover
from goferry.gomod.goenv import KNOWN_KEYS
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Database, Fetch, lookup_path
from goferry.gomod.sumdb.memlog import Lie, LyingLog, MemLog
from goferry.gomod.sumdb.note import parse_verifier
from goferry.lab import goproxy, sumdb
from goferry.lab.sumdb import LabSumdb, sums_of_tree
from modtree import module
from oracle import go_command, go_env
from sumdb_driver import World, modules

LEFT, RIGHT, OTHER = (Version(f"example.org/{name}", "v1.0.0") for name in ("left", "Right", "other"))
TREE: Mapping[str, bytes] = {
    path: body
    for wanted in (LEFT, RIGHT, OTHER)
    for path, body in module(wanted.path, wanted.version).items()
}
EARLIER = 300
"""Records before ours, so that tiles of two levels are read."""


def tree_log() -> MemLog:
    """A log of the tree's modules behind many others."""
    log = MemLog("sum.example.org", sums=sums_of_tree(TREE))
    for earlier in modules(EARLIER):
        log.add(earlier, [f"{earlier.path} {earlier.version} h1:made-up="])
    return log


async def get(url: str) -> tuple[int, str, bytes]:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, response.headers["Content-Type"], await response.read()


TEXT, BYTES = "text/plain; charset=UTF-8", "application/octet-stream"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("latest", TEXT),
        ("lookup/example.org/m1@v1.0.0", TEXT),
        ("tile/8/0/000", BYTES),
        ("tile/8/0/001.p/44", BYTES),
        ("tile/8/1/000.p/1", BYTES),
        ("tile/8/data/000", TEXT),
    ],
)
async def test_paths_are_answered_as_a_database_does(path: str, content_type: str) -> None:
    log = tree_log()
    async with sumdb.running(log) as lab:
        assert await get(f"{lab.url}/{path}") == (200, content_type, log.get(path))
        assert lab.asked == {path: 1}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("", 404),
        ("nothing", 404),
        ("lookup/example.org/unknown@v1.0.0", 404),
        ("lookup/example.org/Right@v1.0.0", 400),
        ("lookup/example.org/left", 400),
        ("tile/8/0/002", 404),
        ("tile/8/0/2", 400),
    ],
)
async def test_what_it_has_not_is_told_apart_from_what_nobody_can_have(path: str, status: int) -> None:
    async with sumdb.running(tree_log()) as lab:
        assert (await get(f"{lab.url}/{path}"))[0] == status


async def test_single_paths_can_be_refused_delayed_and_held() -> None:
    async with sumdb.running(tree_log()) as lab:
        lab.statuses["latest"] = 503
        lab.delays["tile/8/0/000"] = 0.001
        lab.held["tile/8/1/000.p/1"] = asyncio.Event()
        held = asyncio.create_task(get(f"{lab.url}/tile/8/1/000.p/1"))
        assert (await get(f"{lab.url}/latest"))[0] == 503
        assert (await get(f"{lab.url}/tile/8/0/000"))[0] == 200
        assert not held.done()
        lab.held["tile/8/1/000.p/1"].set()
        assert (await held)[0] == 200


async def test_leaving_answers_whoever_is_held() -> None:
    log = tree_log()
    async with sumdb.running(log) as lab:
        lab.held["latest"] = asyncio.Event()
        waiting = asyncio.create_task(get(f"{lab.url}/latest"))
        await lab.wait_for("latest")
    assert await waiting == (200, TEXT, log.head())


async def test_it_stands_below_a_proxy_under_a_name_with_a_path() -> None:
    log = MemLog("localhost.localdev/sumdb", sums=sums_of_tree(TREE))
    app = web.Application()
    app.add_routes(sumdb.routes(LabSumdb(log), log.name))
    async with goproxy.running(TREE, app=app) as proxy:
        assert (await get(f"{proxy.url}/sumdb/{log.name}/supported"))[0] == 200
        answer = await get(f"{proxy.url}/sumdb/{log.name}/{lookup_path(RIGHT)}")
        assert answer == (200, TEXT, log.get(lookup_path(RIGHT)))
        assert (await get(f"{proxy.url}/example.org/left/@v/list"))[0] == 200
        assert (await get(f"{proxy.url}/sumdb/sum.example.org/supported"))[0] == 404


# The real go as the judge


class Go:
    """A go command whose caches are its own."""

    def __init__(self, home: Path, proxy: str, database: LabSumdb, key: str) -> None:
        self.home = home
        self.work = home / "work"
        self.work.mkdir(exist_ok=True)
        (self.work / "go.mod").write_text("module example.org/work\n\ngo 1.21\n")
        self.env = go_env(
            GOPROXY=proxy,
            GOSUMDB=f"{key} {database.url}",
            GOPATH=str(home),
            GOMODCACHE=str(home / "mod"),
            GOCACHE=str(home / "cache"),
            GOFLAGS="-mod=mod -modcacherw",
            GONOSUMDB="",
            GOPRIVATE="",
        )

    async def download(self, wanted: Version) -> str | None:
        """What `go mod download` has to say against it; None when it is content."""
        process = await asyncio.create_subprocess_exec(
            go_command() or "go",
            *("mod", "download", str(wanted)),
            cwd=self.work,
            env=self.env,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        return said.decode() if process.returncode else None


INCONSISTENT = "downloaded inconsistent tile"
MISSING = "checksum missing from sumdb response"
VERDICTS: dict[Lie | None, str | None] = {
    None: None,
    Lie.STALE: None,
    Lie.NO_PARTIAL_TILE: None,
    Lie.FORK: INCONSISTENT,
    Lie.SHRINK: "is beyond the end of this log",
    Lie.WRONG_RECORD: "cannot authenticate record data",
    Lie.FORGED_RECORD: INCONSISTENT,
    Lie.MISSING_LINE: MISSING,
    Lie.EXTRA_LINES: MISSING,
    Lie.WRONG_TILE: INCONSISTENT,
    Lie.SHORT_TILE: "TileReader returned bad result slice",
    Lie.NO_TILE: "is gone",
    Lie.WRONG_KEY: "note has no verifiable signatures",
    Lie.BAD_SIGNATURE: "invalid signature for key",
}
"""What go says against each lie; None where it is content."""

FIXED_IN_2026 = {Lie.FORGED_RECORD, Lie.MISSING_LINE, Lie.EXTRA_LINES}
FIRST_FIXED = {"1.25": "1.25.13", "1.26": "1.26.6"}


def has_2026_fixes() -> bool:
    """Whether this go sees through the three lies that its older releases believed."""
    said = subprocess.run(
        ["go", "env", "GOVERSION"], capture_output=True, check=True, text=True, env=go_env()
    )
    version = gover.from_toolchain(said.stdout.strip())
    return gover.compare(version, FIRST_FIXED.get(gover.lang(version), "1.27rc3")) >= 0


@pytest.mark.parametrize("lie", VERDICTS, ids=lambda lie: lie.value if lie else "truth")
@pytest.mark.go
async def test_go_and_we_judge_a_database_alike(lie: Lie | None, tmp_path: Path) -> None:
    """A first module is looked up in truth, so that a head is remembered; then the lie begins."""
    if go_command() is None:
        pytest.skip("needs the go command")
    if lie not in FIXED_IN_2026 or has_2026_fixes():
        said = await judged_by_go(lie, tmp_path)
        expected = VERDICTS[lie]
        assert said is None if expected is None else said is not None and expected in said, said
    error = judged_by_us(lie)
    assert (error is not None) is (VERDICTS[lie] is not None)


async def judged_by_go(lie: Lie | None, home: Path) -> str | None:
    log = LyingLog(tree_log(), keep=EARLIER // 2)
    async with sumdb.running(log) as database, goproxy.running(TREE) as proxy:
        go = Go(home, proxy.url, database, log.log.verifier_key)
        assert await go.download(LEFT) is None
        log.lie = lie
        return await go.download(RIGHT)


def judged_by_us(lie: Lie | None) -> GoferryError | None:
    log = LyingLog(tree_log(), keep=EARLIER // 2)
    world = World(log, height=8)
    world.lookup(LEFT)
    log.lie = lie
    try:
        world.lookup(RIGHT)
    except GoferryError as error:
        return error
    return None


def test_every_lie_has_a_verdict() -> None:
    assert VERDICTS.keys() == {None, *Lie}


# The database of the world


async def first_proxy() -> str:
    """The first entry of what go itself uses. Skips where there is none."""
    if go_command() is None:
        pytest.skip("needs the go command")
    process = await asyncio.create_subprocess_exec(
        go_command() or "go", "env", "GOPROXY", stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    entry = re.split("[,|]", said.decode().strip())[0]
    if not entry.startswith("http"):
        pytest.skip("go is not set up to use a proxy")
    return entry.rstrip("/")


async def fetch(session: aiohttp.ClientSession, url: str) -> bytes | None:
    """The body, or None for 404 and 410. Skips when nobody answers."""
    try:
        async with session.get(url) as response:
            if response.status in (404, 410):
                return None
            response.raise_for_status()
            return await response.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        pytest.skip(f"the upstream can't be reached: {type(error).__name__}")


@pytest.mark.online
async def test_a_real_lookup_is_proven_through_the_upstream() -> None:
    root = f"{await first_proxy()}/sumdb/sum.golang.org"
    world = World(MemLog(), height=8)
    world.database = Database(parse_verifier(KNOWN_KEYS["sum.golang.org"]))
    exchange = world.database.lookup(Version("golang.org/x/mod", "v0.14.0"))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60), trust_env=True) as session:
        while asks := exchange.need():
            for ask in asks:
                is_remote = isinstance(ask, Fetch)
                exchange.feed(
                    ask, await fetch(session, f"{root}/{ask.path}") if is_remote else world.answer(ask)
                )
    # Facts: the sums that everybody's go.sum has for this version.
    exchange.result().check_zip("h1:dGoOF9QVLYng8IHTm7BAyWqCqSheQ5pYWGhzW00YJr0=")
    exchange.result().check_mod("h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=")
    assert world.remembered() == world.database.latest.tree.size
