"""A real graph through the real upstream: what a build waits for. The only rows that leave the machine.

Beside them the same graph from an upstream that is far away: all of it on loopback, every answer a round trip later.

Bounded: one unmeasured pass (so that a caching upstream is equally warm for everybody), then a few rounds, more of the
cold ones: these take anything between 8 and 14 seconds on one machine on one day.
Nothing is pinned here: client and server share the machine, as they do for the person who tries it.
"""

import os
import re
import subprocess
import time
import urllib.request
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bench import load, servers, tools
from bench.plan import GOFERRY, Bench
from bench.servers import Server
from bench.stats import Round, alternate, paired_ratio, typical

GRAPH = tools.ATHENS
DATABASE = "sum.golang.org"
LEAST_MODULES = 150
ROUNDS = 3
COLD_ROUNDS = 7
COMMAND_SECONDS = 1200

AWAY_SECONDS = 0.025
"""One way; the round trip to a server in another country is about twice that."""


@dataclass(frozen=True, slots=True)
class Command:
    """A go command that ended well: how long it took and what it wrote."""

    seconds: float
    output: str


@dataclass(frozen=True, slots=True)
class Download(Command):
    """`sums` is the go.sum it made, `cache` a folder that works as GOPROXY=file://."""

    sums: str
    cache: Path


def download(bench: Bench) -> None:
    """`go mod download`: cold, warm, offline; with an empty module cache and no go.sum, so every sum is looked up."""
    graph, straight = _graph(), tools.default_proxy()
    floor = _download(bench, graph, "floor", GOPROXY=straight)
    count = len(list(floor.cache.rglob("*.zip")))
    if count < LEAST_MODULES:
        raise load.LoadError(f"the graph has only {count} modules")
    bench.note("graph", "modules of the graph", count)
    stores = _cold(bench, graph, straight, floor.sums)
    _warm(bench, graph, straight, floor, stores)
    if GOFERRY in stores:
        _offline(bench, graph, stores[GOFERRY], floor.sums)
        _far(bench, graph, stores[GOFERRY], floor.sums)


def _cold(bench: Bench, graph: Path, straight: str, sums: str) -> dict[str, Path]:
    """Empty stores every time; returns each proxy's last one. Peers are slow here and get one pass at the end."""
    stores: dict[str, Path] = {}

    def seconds(name: str) -> float:
        return _cold_once(bench, graph, name, straight, sums, stores)

    ways = ["straight", *_able(bench)]
    rounds: list[Round] = [
        {name: seconds(name) for name in alternate(ways, number)}
        for number in range(bench.rounds(COLD_ROUNDS))
    ]
    for name in ways:
        bench.note("graph", f"cold, {name}", typical(rounds, name), "s")
    if GOFERRY in ways:
        bench.record("graph.cold", paired_ratio(rounds, GOFERRY, "straight"), rounds)
    for name in _peers(bench):
        try:
            took = seconds(name)
        except (tools.Missing, load.LoadError) as reason:
            bench.results.absent[f"graph: {name}"] = str(reason)
            stores.pop(name, None)
            continue
        bench.note("graph", f"cold, {name}, one pass", took, "s")
        bench.note("graph", f"cold, {name} ÷ straight", took / typical(rounds, "straight"), "x")
    return stores


def _able(bench: Bench) -> list[str]:
    """goferry, where it starts."""
    try:
        tools.goferry()
    except tools.Missing as reason:
        bench.results.absent["graph: goferry"] = str(reason)
        return []
    return [GOFERRY]


def _cold_once(
    bench: Bench, graph: Path, name: str, upstream: str, sums: str, stores: dict[str, Path]
) -> float:
    """Seconds. Raises LoadError for another go.sum than the expected one."""
    # In folders that stay: whoever comes behind the deletion of a module cache pays for it, the first one would not.
    client = bench.fresh("cold").name
    tools.forget_files()
    if name == "straight":
        one = _download(bench, graph, client, GOPROXY=upstream)
    else:
        store = bench.fresh(f"graph-store-{name}")
        with _server(bench, name, store, upstream) as server:
            stores[name] = store
            one = _download(bench, graph, client, GOPROXY=server.url)
    if one.sums != sums:
        raise load.LoadError(f"{name} gives another go.sum than the upstream")
    return one.seconds


def _warm(bench: Bench, graph: Path, straight: str, floor: Download, stores: dict[str, Path]) -> None:
    """The stores of the last cold round, beside the same files without any server."""
    with ExitStack() as stack:
        up = bench.start(
            stack,
            "graph",
            {name: partial(_server, bench, name, store, straight) for name, store in stores.items()},
        )
        ways = {"floor": {"GOPROXY": f"file://{floor.cache}", "GOSUMDB": "off"}}
        for name, server in up.items():
            ways[name] = {"GOPROXY": server.url, "GOSUMDB": "off"}
            ways[f"{name}, database on"] = {"GOPROXY": server.url}
        rounds = []
        for number in range(bench.rounds(ROUNDS)):
            order = alternate(list(ways), number)
            rounds.append({way: _download(bench, graph, "client", **ways[way]).seconds for way in order})
    for way in ways:
        bench.note("graph", f"warm, {way}", typical(rounds, way), "s")
        if way not in ("floor", GOFERRY):
            bench.note("graph", f"warm, {way} ÷ floor", paired_ratio(rounds, way, "floor"), "x")
    if GOFERRY in up:
        bench.record("graph.warm", paired_ratio(rounds, GOFERRY, "floor"), rounds)


def _offline(bench: Bench, graph: Path, store: Path, sums: str) -> None:
    """The store alone: a start with --offline, and everybody's ways out lead to a port where nobody listens."""
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    with _store_alone(bench, store, nowhere) as up:
        # A client that is refused something here would ask the database itself: through a proxy that is not there.
        one = _download(bench, graph, "client", GOPROXY=up.url, HTTPS_PROXY=nowhere)
    bench.note("graph", "offline, goferry, database on", one.seconds, "s")
    differing = set(one.sums.splitlines()) ^ set(sums.splitlines())
    bench.record("graph.offline", len(differing), sorted(differing))


def _store_alone(bench: Bench, store: Path, nowhere: str) -> AbstractContextManager[Server]:
    return servers.goferry(
        bench.folder / "graph-offline",
        store=store,
        upstream=nowhere,
        sumdb=None,
        settings={"offline": "true"},
        core=None,
    )


def _far(bench: Bench, graph: Path, store: Path, sums: str) -> None:
    """Cold passes, one each, from the warm store behind a relay: how much of the waiting is the distance alone."""
    nowhere = f"http://127.0.0.1:{servers.free_port()}"
    label = f"upstream {round(2000 * AWAY_SECONDS)} ms away, cold"
    with _store_alone(bench, store, nowhere) as near, servers.relay(bench.folder, near, AWAY_SECONDS) as far:
        took: dict[str, float] = {}
        for name in ("straight", GOFERRY, *_peers(bench)):
            try:
                took[name] = _cold_once(bench, graph, name, far.url, sums, {})
            except (tools.Missing, load.LoadError) as reason:
                bench.results.absent[f"graph, far away: {name}"] = str(reason)
                continue
            bench.note("graph", f"{label}, {name}", took[name], "s")
        if GOFERRY in took and "straight" in took:
            bench.note("graph", f"{label}, {GOFERRY} ÷ straight", took[GOFERRY] / took["straight"], "x")


def list_updates(bench: Bench) -> None:
    """`go list -m -u all` with a full module cache: hundreds of list requests and hardly anything else."""
    graph, straight = _graph(), tools.default_proxy()
    client = _download(bench, graph, "list-client", GOPROXY=straight)
    flags = _flags(bench, straight)
    expected = _list(bench, flags, straight).output
    bench.note("list", "modules listed", len(expected.splitlines()))
    with ExitStack() as stack:
        up = bench.start(
            stack,
            "list",
            {
                name: partial(_server, bench, name, bench.fresh(f"list-store-{name}"), straight)
                for name in (GOFERRY, *_peers(bench))
            },
        )
        ways = {name: server.url for name, server in up.items()}
        for name, url in ways.items():
            first = _list(bench, flags, url)
            bench.note("list", f"first, {name}", first.seconds, "s")
            _compare(bench, name, set(expected.splitlines()), set(first.output.splitlines()))
        ways["floor"] = f"file://{client.cache}"
        ways["straight"] = straight
        rounds = []
        for number in range(bench.rounds(ROUNDS)):
            order = alternate(list(ways), number)
            rounds.append({way: _list(bench, flags, ways[way]).seconds for way in order})
    for way in ways:
        bench.note("list", f"again, {way}", typical(rounds, way), "s")
    if GOFERRY in up:
        bench.record("graph.list", paired_ratio(rounds, GOFERRY, "straight"), rounds)
        bench.record("graph.list_seconds", typical(rounds, GOFERRY), rounds)


def _compare(bench: Bench, name: str, straight: set[str], through: set[str]) -> None:
    """Says which modules are listed otherwise than straight: an upstream may know more a moment later, too."""
    bench.note("list", f"modules listed otherwise than straight, {name}", len(straight - through))
    for line in sorted(straight - through)[:5]:
        path = line.split(" ")[0]
        bench.say(f"    straight: {line}")
        bench.say(
            f"    through:  {next((other for other in through if other.split(' ')[0] == path), 'nothing')}"
        )


def _flags(bench: Bench, straight: str) -> list[str]:
    """`-e` where the upstream refuses lists of modules that it carries: the command fails without, for everybody."""
    try:
        _list(bench, [], straight)
    except load.LoadError as error:
        bench.results.absent["list: go list without -e"] = str(error)
        return ["-e"]
    return []


def _peers(bench: Bench) -> list[str]:
    return ["goproxy", "athens"] if bench.athens else ["goproxy"]


def _server(bench: Bench, name: str, store: Path, upstream: str) -> AbstractContextManager[Server]:
    folder = bench.folder / f"graph-{name}"
    if name == GOFERRY:
        return servers.goferry(folder, store=store, upstream=upstream, sumdb=None, core=None)
    if name == "goproxy":
        return servers.goproxy(folder, store=store, upstream=upstream, sumdb=_database(upstream), core=None)
    return servers.athens(folder, store=store, upstream=upstream, core=None)


def _database(upstream: str) -> str:
    """The checksum database for goproxy: through the upstream where that passes it on, as the go command does."""
    entry = re.split("[,|]", upstream)[0].rstrip("/")
    mirror = f"{entry}/sumdb/{DATABASE}"
    try:
        with urllib.request.urlopen(f"{mirror}/supported", timeout=30):
            return f"{DATABASE} {mirror}"
    except (OSError, ValueError):
        return DATABASE


def _graph() -> Path:
    """The folder with the go.mod of the graph. Raises Missing without go or upstream."""
    return tools.download(GRAPH.module, GRAPH.version, tools.CACHE / "gopath")


def _download(bench: Bench, graph: Path, name: str, **env: str) -> Download:
    """`go mod download` in an empty folder with an empty module cache."""
    folder, gopath = bench.emptied(name), bench.emptied(f"{name}-gopath")
    # Copied by content: module caches are read-only, and this go.mod will be rewritten.
    (folder / "go.mod").write_bytes((graph / "go.mod").read_bytes())
    done = _go(["mod", "download"], folder, gopath, env)
    return Download(
        done.seconds, done.output, (folder / "go.sum").read_text(), gopath / "mod" / "cache" / "download"
    )


def _list(bench: Bench, flags: list[str], proxy: str) -> Command:
    """`go list -m -u all` in the module that `list-client` downloaded."""
    env = {"GOPROXY": proxy}
    return _go(
        ["list", *flags, "-m", "-u", "all"],
        bench.folder / "list-client",
        bench.folder / "list-client-gopath",
        env,
    )


def _go(words: list[str], folder: Path, gopath: Path, env: dict[str, str]) -> Command:
    """Runs go and takes the time. Raises LoadError when it fails: a failed build is no figure."""
    if hasattr(os, "sync"):
        os.sync()  # what an earlier command wrote must not be paid by this one
    started = time.perf_counter()
    done = subprocess.run(
        [tools.need("go"), *words],
        cwd=folder,
        env=tools.go_environment(gopath, **env),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
    )
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise load.LoadError(
            f"go {' '.join(words)} through {env['GOPROXY']}: {tools.first_line(done.stderr)}"
        )
    return Command(seconds, done.stdout)
