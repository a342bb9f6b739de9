"""How long `goferry --help` takes, beside an empty Python program."""

import subprocess
import sys
import time
from pathlib import Path

from bench import tools
from bench.plan import Bench
from bench.stats import alternate, typical

ROUNDS = 20


def help_text(bench: Bench) -> None:
    """Alternating starts; medians in milliseconds."""
    command = Path(sys.executable).with_name("goferry")
    if not command.exists():
        raise tools.Missing("goferry is not installed in this environment (make venv)")
    commands = {"python": [sys.executable, "-c", "pass"], "help": [str(command), "--help"]}
    for words in commands.values():
        _milliseconds(words)  # once, so that byte code and page cache are there
    rounds = [
        {name: _milliseconds(commands[name]) for name in alternate(list(commands), number)}
        for number in range(5 if bench.quick else ROUNDS)
    ]
    bench.note("help", "python -c pass", typical(rounds, "python"), "ms")
    bench.record("help.time", typical(rounds, "help"), rounds)


def _milliseconds(words: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True)
    return (time.perf_counter() - started) * 1000
