"""Lists while the upstream is slow or gone, asked at a constant rate so that a stall can't hide."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from bench import load, servers, tools, trees
from bench.plan import Bench
from bench.scenarios import faulty
from bench.servers import Server
from bench.stats import Round, median, paired_ratio, percentile

COUNT = 200
VERSIONS = 20
SLOW_SECONDS = 5
FRESH_SECONDS = 1
RATE, SECONDS = 200, 4
ROUNDS = 3

Start = Callable[[str], AbstractContextManager[Server]]


def lists(bench: Bench) -> None:
    """Three phases per round on one server: upstream well, answering late, gone. Lists are stale in each of them."""

    def make(root: Path) -> None:
        trees.add_lists(root, "lists", COUNT, VERSIONS)

    root, folder = bench.made("list-tree", make), bench.folder / "outage"
    modules = [trees.Module(f"bench.example/lists/m{number:05d}") for number in range(COUNT)]
    paths = [f"/{module.path}/@v/list" for module in modules]

    def goferry(upstream: str) -> AbstractContextManager[Server]:
        fresh = {"list_fresh": f"{FRESH_SECONDS}s"}
        return servers.goferry(folder, store=bench.fresh("outage-store"), upstream=upstream, settings=fresh)

    def goproxy(upstream: str) -> AbstractContextManager[Server]:
        return servers.goproxy(folder, store=bench.fresh("outage-goproxy"), upstream=upstream)

    for name, start, rounds in (("goproxy", goproxy, 1), ("goferry", goferry, bench.rounds(ROUNDS))):
        try:
            figures = [_phases(start, root, folder, paths) for _ in range(rounds)]
        except tools.Missing as reason:
            bench.results.absent[f"outage: {name}"] = str(reason)
            continue
        for phase in ("hit", "slow", "down"):
            bench.note("outage", f"{name} list p99, {phase}", median([one[phase] for one in figures]), "ms")
        if name == "goferry":
            for phase in ("slow", "down"):
                bench.record(f"outage.{phase}", paired_ratio(figures, phase, "hit"), figures)


def _phases(start: Start, root: Path, folder: Path, paths: list[str]) -> Round:
    port = servers.free_port()
    with faulty.upstream(folder, root, port) as upstream, start(upstream.url) as server:
        # Not compared byte by byte: a proxy may sort a list.
        load.check_all(server, asyncio.run(load.get_all(server.port, paths, at_once=16)))
        figures = {"hit": _p99(server, paths)}
        faulty.tell(upstream, delay=SLOW_SECONDS)
        figures["slow"] = _p99(server, paths)
        servers.end(upstream)
        figures["down"] = _p99(server, paths)
    return figures


def _p99(server: Server, paths: list[str]) -> float:
    """p99 in milliseconds, once every list has gone stale."""
    time.sleep(FRESH_SECONDS + 0.2)
    asked = [paths[number % len(paths)] for number in range(RATE * SECONDS)]
    with load.client_core():
        replies = asyncio.run(load.paced(server.port, asked, rate=RATE))
    load.check_all(server, replies)
    return percentile([reply.seconds * 1000 for reply in replies], 99)
