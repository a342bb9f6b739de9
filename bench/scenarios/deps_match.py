"""Matching real requirement lists with the shipped vulnerability database. Each round is a process of its own.

The lists are those of the tests (55 go.mod files); bench/matcher.py is the process.
"""

import json
import subprocess
import sys
import time

from bench import tools
from bench.plan import Bench
from bench.stats import typical

LISTS = tools.ROOT / "tests/deps/data/requirements.jsonl"
REPOSITORIES = 1000
ROUNDS = 7


def shipped(bench: Bench) -> None:
    """Medians over fresh processes; the files are in the page cache."""
    commands = {
        "cold": [sys.executable, "-m", "bench.matcher", str(LISTS), "1", "0"],
        "all": [sys.executable, "-m", "bench.matcher", str(LISTS), "55", str(REPOSITORIES)],
    }
    for words in commands.values():
        _run(words)  # once, so that byte code and page cache are there
    rounds = []
    for _ in range(bench.rounds(ROUNDS)):
        started = time.perf_counter()
        cold = _run(commands["cold"])
        whole = time.perf_counter() - started
        rounds.append({**_run(commands["all"]), "whole": whole, "cpu": cold["cpu"]})
    bench.note("match", "requirements", typical(rounds, "requirements"))
    bench.note("match", "opening the database", typical(rounds, "open") * 1000, "ms")
    bench.note("match", "processor time of a cold start", typical(rounds, "cpu"), "s")
    bench.note("match", "the same lists again", typical(rounds, "again") * 1000, "ms")
    bench.note("match", "requirements of 1,000 repositories", typical(rounds, "many"))
    bench.record("match.findings", typical(rounds, "findings"), rounds)
    bench.record("match.time", typical(rounds, "first") * 1000, rounds)
    bench.record("match.cold", typical(rounds, "whole"), rounds)
    bench.record("match.repositories", typical(rounds, "repositories"), rounds)
    bench.record("match.memory", max(one["memory"] for one in rounds), rounds)


def _run(words: list[str]) -> dict[str, float]:
    done = subprocess.run(words, cwd=tools.ROOT, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found
