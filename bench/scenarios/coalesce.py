"""Many identical misses at once: how often is the upstream asked for the same object?"""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

from bench import load, servers, tools, trees
from bench.plan import Bench
from bench.scenarios import faulty
from bench.servers import Server

AT_ONCE = 20
DELAY = 0.3
"""Seconds before each answer of the upstream: all misses are in flight before the first can be answered."""
OBJECTS = 5
KINDS = ("zip", "mod", "info")


def identical_misses(bench: Bench) -> None:
    """20 clients ask for one object at the same moment; the worst object counts."""

    def make(root: Path) -> None:
        for kind in KINDS:
            trees.add_many(root, kind, OBJECTS, zip_size=50 * trees.KB)

    root, folder = bench.made("coalesce-tree", make), bench.folder / "coalesce"

    def goferry(url: str, workers: int) -> AbstractContextManager[Server]:
        # Unpinned: with two workers on one core, no two misses would ever meet.
        store = bench.fresh(f"coalesce-store-{workers}")
        return servers.goferry(folder, store=store, upstream=url, workers=workers, core=None)

    with faulty.upstream(folder, root) as upstream:
        faulty.tell(upstream, delay=DELAY)
        for workers in (1, 2):
            try:
                with goferry(upstream.url, workers) as server:
                    worst = _worst(server, upstream)
            except tools.Missing as reason:
                bench.results.absent["coalesce: goferry"] = str(reason)
                break
            bench.record(f"coalesce.{workers}", max(worst.values()), worst)
        try:
            with servers.goproxy(
                folder, store=bench.fresh("coalesce-goproxy"), upstream=upstream.url
            ) as server:
                for kind, count in _worst(server, upstream).items():
                    bench.note("coalesce", f"goproxy, upstream fetches of one .{kind}", count)
        except tools.Missing as reason:
            bench.results.absent["coalesce: goproxy"] = str(reason)


def _worst(server: Server, upstream: Server) -> dict[str, int]:
    """Kind → the most fetches that one object of it caused."""
    worst = dict.fromkeys(KINDS, 0)
    for kind in KINDS:
        for number in range(OBJECTS):
            path = trees.Module(f"bench.example/{kind}/m{number:05d}").url(kind)
            faulty.tell(upstream, delay=DELAY)
            replies = asyncio.run(load.get_all(server.port, [path] * AT_ONCE, at_once=AT_ONCE))
            load.check_all(server, replies)
            worst[kind] = max(worst[kind], faulty.counts(upstream).get(path, 0))
    return worst
