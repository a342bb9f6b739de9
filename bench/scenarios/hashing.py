"""h1 of a module zip beside SHA-256 of the same content: how much the zip around it costs."""

import hashlib
import time
from collections.abc import Callable

from bench import tools, trees
from bench.plan import Bench
from bench.stats import paired_ratio, typical
from goferry.gomod.dirhash import hash_zip

MODULE = trees.Module("bench.example/hash")
SIZE = 50 * trees.MB
ROUNDS = 11


def h1(bench: Bench) -> None:
    """Alternating in one process; the file is in the page cache."""
    target = bench.folder / "hash.zip"
    contents = trees.zip_of_sources(target, MODULE, tools.go_sources(), SIZE)

    def bare() -> object:
        return [hashlib.sha256(content).digest() for content in contents]

    rounds = [
        {"h1": _seconds(lambda: hash_zip(target)), "bare": _seconds(bare)}
        for _ in range(bench.rounds(ROUNDS))
    ]
    total = sum(map(len, contents))
    bench.note("hash", "zip", target.stat().st_size / 1e6, "MB")
    bench.note("hash", "files in it", len(contents))
    bench.note("hash", "content", total / 1e6, "MB")
    bench.note("hash", "h1", total / 1e6 / typical(rounds, "h1"), "MB/s of content")
    bench.note("hash", "bare SHA-256", total / 1e6 / typical(rounds, "bare"), "MB/s")
    bench.record("hash.h1", paired_ratio(rounds, "h1", "bare"), rounds)


def _seconds(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started
