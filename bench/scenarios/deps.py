"""`goferry deps` beside the real go: the build list of a big graph, both with everything at hand.

goferry is measured twice: for a go.mod that it has never seen, of modules that its store has, and for a project that is
what it was the last time, of which it remembers the answer.
"""

import itertools
import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

from bench import load, tools, trees
from bench.plan import GOFERRY, Bench
from bench.stats import alternate, paired_ratio, typical
from bench.trees import Module

MODULES = 1000
ROUNDS = 15
NEW = "goferry, new go.mod"
WIDTHS = (2, 5, 8, 12, 20, 35, 60)
"""How many others a module requires."""
GO_LINES = ("1.17", "1.18", "1.20", "1.21", "1.22.0")


def build_list(bench: Bench) -> None:
    """Whole commands, alternating: what a person or a pipeline waits for."""
    command = Path(sys.executable).with_name("goferry")
    if not command.exists():
        raise tools.Missing("goferry is not installed in this environment (make venv)")
    folder = bench.made("deps-list", _world)
    proxy = (folder / "proxy").as_uri()
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    go = {
        "go": tools.go_environment(folder / "gopath", GOPROXY=proxy, GOSUMDB="off"),
        GOFERRY: {**own, "GOFERRY_STORE": str(folder / "store"), "GOPROXY": proxy, "GOSUMDB": "off"},
    }
    commands = {
        "go": [tools.need("go"), "list", "-m", "all"],
        GOFERRY: [str(command), "deps", "list"],
    }
    project = folder / "project"
    _run([tools.need("go"), "mod", "download"], project, go["go"])
    started = time.perf_counter()
    cold = _run(commands[GOFERRY], project, go[GOFERRY])
    bench.note("deps_list", "goferry, empty store", time.perf_counter() - started, "s")
    if cold != _run(commands["go"], project, go["go"]):
        raise load.LoadError("goferry lists other modules than go")
    bench.note("deps_list", "modules listed", len(cold.splitlines()))

    new = tools.ensure(folder / "new")
    mod = (project / "go.mod").read_bytes()
    go[NEW], commands[NEW] = go[GOFERRY], commands[GOFERRY]
    never = itertools.count()

    def seconds(name: str) -> float:
        if name == NEW:
            (new / "go.mod").write_bytes(mod + f"// {os.getpid()}.{next(never)}\n".encode())
        started = time.perf_counter()
        _run(commands[name], new if name == NEW else project, go[name])
        return time.perf_counter() - started

    rounds = [
        {name: seconds(name) for name in alternate(list(commands), number)}
        for number in range(bench.rounds(ROUNDS))
    ]
    bench.note("deps_list", "go list -m all, warm", typical(rounds, "go"), "s")
    bench.note("deps_list", "goferry, warm, new go.mod", typical(rounds, NEW), "s")
    bench.note("deps_list", "goferry, warm, project unchanged", typical(rounds, GOFERRY), "s")
    bench.record("deps_list.new", paired_ratio(rounds, NEW, "go"), rounds)
    bench.record("deps_list.warm", paired_ratio(rounds, GOFERRY, "go"), rounds)


def _run(words: list[str], folder: Path, env: dict[str, str]) -> str:
    done = subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)
    if done.returncode != 0:
        raise load.LoadError(f"{' '.join(words[1:])}: {tools.first_line(done.stderr)}")
    return done.stdout


def _world(folder: Path) -> None:
    """A made-up graph: every module in up to four versions, each of which requires some of those behind it."""
    dice = random.Random(1)
    paths = [f"bench.example/team{number % 37}/module{number:04d}" for number in range(MODULES)]
    versions = {
        path: [f"v1.{minor}.{dice.randint(0, 9)}" for minor in range(dice.randint(1, 4))] for path in paths
    }
    for number, path in enumerate(paths):
        behind = paths[number + 1 :]
        for version in versions[path]:
            some = sorted(dice.sample(behind, min(len(behind), dice.choice(WIDTHS))))
            require = [(other, dice.choice(versions[other])) for other in some]
            _publish(
                folder / "proxy", Module(path, version), _go_mod(path, dice.choice(GO_LINES), require, dice)
            )
    newest = [(path, versions[path][-1]) for path in paths]
    trees.write(folder / "project", "go.mod", _go_mod("bench.example/main", "1.22.0", newest, dice))


def _go_mod(path: str, go: str, require: list[tuple[str, str]], dice: random.Random) -> bytes:
    """As `go mod tidy` lays it out, more or less."""
    lines = [f"\t{other} {version}{dice.choice(('', ' // indirect'))}\n" for other, version in require]
    block = f"\nrequire (\n{''.join(lines)})\n" if lines else ""
    return f"module {path}\n\ngo {go}\n{block}".encode()


def _publish(root: Path, module: Module, mod: bytes) -> None:
    trees.write(
        root, module.url("info"), json.dumps({"Version": module.version, "Time": trees.TIME}).encode()
    )
    trees.write(root, module.url("mod"), mod)
    trees.write(root, module.url("zip"), trees.zip_of(module, [("go.mod", mod)]))
