"""Cold misses over TLS: what one core can fetch, prove, keep and answer. The upstream has the client's core."""

import asyncio
import time
from contextlib import AbstractContextManager
from pathlib import Path

from bench import load, servers, tools, trees
from bench.plan import Bench
from bench.servers import Server
from bench.stats import median

CONNECTIONS = 64
SECONDS = 2
PER_ROUND = 12_000
ZIPS = 8_000
BIG_PER_ROUND = 6
BIG_AT_ONCE = 4
ROUNDS = 7
"""The pace of small machines changes within seconds."""


def misses(bench: Bench) -> None:
    """Small go.mod files (one fetch each), small zips, and big zips."""
    rounds = bench.rounds(ROUNDS)

    def make(root: Path) -> None:
        trees.add_mods(root, "mods", PER_ROUND * rounds, 5 * trees.KB)
        trees.add_many(root, "zips", ZIPS, zip_size=5 * trees.KB)
        trees.add_many(root, "big", BIG_PER_ROUND * rounds, zip_size=20 * trees.MB)

    root, folder, certificate = bench.made("cold-tree", make), bench.folder / "cold", bench.certificate()
    with servers.nginx(
        folder, root, name="nginx-upstream", tls=certificate, core=tools.CLIENT_CORE
    ) as upstream:

        def goferry(**settings: str) -> AbstractContextManager[Server]:
            return servers.goferry(
                folder,
                store=bench.fresh("cold-store"),
                upstream=upstream.url,
                trust=certificate,
                # The tree has no zips beside these go.mod files; a miss is one request here.
                settings={"read_ahead": "false"} | settings,
            )

        with goferry() as server:
            rates = [_small(bench, server, rounds, number) for number in range(rounds)]
            bench.record("cold.small", median(rates), rates)
            big = _paths("big", "zip", BIG_PER_ROUND * rounds)
            speeds = [_big(server, big[n * BIG_PER_ROUND : (n + 1) * BIG_PER_ROUND]) for n in range(rounds)]
            bench.record("cold.big", median(speeds), speeds)
            listed = load.write_paths(bench.folder / "cold-zips.paths", _paths("zips", "zip", ZIPS))
            zips = load.wrk(server, listed, connections=CONNECTIONS, seconds=SECONDS, once=(0, ZIPS))
            bench.note("cold", "cold 5 KB zips with hashing", zips.rate, "/s")
        with goferry(fsync="false") as server:
            bench.note(
                "cold",
                "cold 5 KB misses without waiting for the disk",
                _small(bench, server, rounds, 0),
                "/s",
            )


def _small(bench: Bench, server: Server, rounds: int, number: int) -> float:
    """Requests per second of one round; each asks for go.mod files that nobody asked for before."""
    listed = load.write_paths(bench.folder / "cold.paths", _paths("mods", "mod", PER_ROUND * rounds))
    once = (number * PER_ROUND, PER_ROUND)
    return load.wrk(server, listed, connections=CONNECTIONS, seconds=SECONDS, once=once).rate


def _big(server: Server, paths: list[str]) -> float:
    with load.client_core():
        started = time.perf_counter()
        replies = asyncio.run(load.get_all(server.port, paths, at_once=BIG_AT_ONCE, hashed=False))
        took = time.perf_counter() - started
    load.check_all(server, replies)
    return sum(reply.size for reply in replies) / took / 1e6


def _paths(name: str, kind: str, count: int) -> list[str]:
    return [trees.Module(f"bench.example/{name}/m{number:05d}").url(kind) for number in range(count)]
