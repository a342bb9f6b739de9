"""Cached files: goferry beside nginx static and goproxy/goproxy, plain and over TLS."""

from contextlib import ExitStack
from pathlib import Path

from bench import load, servers, tools, trees
from bench.load import Slice
from bench.plan import GOFERRY, Bench, column
from bench.servers import Server
from bench.stats import Round, paired_ratio, typical

SMALL = {"200B": 200, "5KB": 5000}
SMALL_COUNT = 1000
BIG = {"1MB": (trees.MB, 20), "20MB": (20 * trees.MB, 4)}
SMALL_CONNECTIONS, BIG_CONNECTIONS = 64, 16
ROUNDS = 4


def tree(bench: Bench) -> Path:
    """1000 go.mod files of 200 B, 1000 of 5 KB, 20 zips of 1 MB, 4 of 20 MB, and their modules' other files."""

    def make(root: Path) -> None:
        for label, size in SMALL.items():
            trees.add_many(root, label.lower(), SMALL_COUNT, mod_size=size)
        for label, (size, count) in BIG.items():
            trees.add_many(root, label.lower(), count, zip_size=size)

    return bench.made("serve-tree", make)


def paths(label: str) -> list[str]:
    """What is asked: go.mod files for the small sizes, zips for the big ones."""
    kind, count = ("mod", SMALL_COUNT) if label in SMALL else ("zip", BIG[label][1])
    names = (trees.Module(f"bench.example/{label.lower()}/m{number:05d}") for number in range(count))
    return [module.url(kind) for module in names]


def filled_store(bench: Bench) -> Path:
    """A goferry store that has fetched the tree through itself, each answer compared with the tree. Raises Missing."""

    def make(store: Path) -> None:
        root = tree(bench)
        with servers.goferry(
            bench.folder / "fill", store=store, upstream=f"file://{root}", name="fill"
        ) as server:
            for label in (*SMALL, *BIG):
                load.fill(server, root, paths(label))
            load.settle(server)

    return bench.made("serve-store", make)


def plain(bench: Bench) -> None:
    """Small files by requests per second and p99, big ones by MB/s."""
    root, folder = tree(bench), bench.folder / "serve"
    with ExitStack() as stack:
        up = bench.start(
            stack,
            "serve",
            {
                "nginx": lambda: servers.nginx(folder, root),
                GOFERRY: lambda: servers.goferry(
                    folder, store=filled_store(bench), upstream=f"file://{root}"
                ),
                "goproxy": lambda: servers.goproxy(folder, store=root),
            },
        )
        for server in up.values():
            for label in (*SMALL, *BIG):
                load.fill(server, root, paths(label))
            load.settle(server)
        for label in SMALL:
            _small(bench, up, label)
        for label in BIG:
            _big(bench, up, label)


def _small(bench: Bench, up: dict[str, Server], label: str) -> None:
    listed = load.write_paths(bench.folder / f"{label}.paths", paths(label))

    def one(server: Server, number: int) -> Round:
        return _figures(load.wrk(server, listed, connections=SMALL_CONNECTIONS, seconds=2, seed=number))

    figures = bench.measure(up, bench.rounds(ROUNDS), one)
    rates, tails = column(figures, "rate"), column(figures, "p99")
    for name in up:
        bench.note("serve", f"{label} {name}", typical(rates, name), "req/s")
        bench.note("serve", f"{label} {name} p99", typical(tails, name), "ms")
    if GOFERRY in up:
        for base in ("nginx", "goproxy"):
            if base in up:
                bench.record(f"serve.{label}.{base}", paired_ratio(rates, GOFERRY, base), rates)
        if "nginx" in up:
            bench.record(f"serve.{label}.p99", paired_ratio(tails, GOFERRY, "nginx"), tails)
    _note_peers(bench, "serve", label, rates)


def _big(bench: Bench, up: dict[str, Server], label: str) -> None:
    listed = load.write_paths(bench.folder / f"{label}.paths", paths(label))

    def one(server: Server, number: int) -> Round:
        return _figures(load.wrk(server, listed, connections=BIG_CONNECTIONS, seconds=2, seed=number))

    rates = column(bench.measure(up, bench.rounds(ROUNDS), one), "mb_s")
    for name in up:
        bench.note("serve", f"{label} {name}", typical(rates, name), "MB/s")
    if GOFERRY in up and "nginx" in up:
        bench.record(f"serve.{label}.nginx", paired_ratio(rates, GOFERRY, "nginx"), rates)
    _note_peers(bench, "serve", label, rates)


def tls(bench: Bench) -> None:
    """Big files over TLS, HTTP/1.1 and HTTP/2, by MB/s."""
    tools.need("h2load")
    root, folder, certificate = tree(bench), bench.folder / "tls", bench.certificate()
    with ExitStack() as stack:
        up = bench.start(
            stack,
            "tls",
            {
                "nginx": lambda: servers.nginx(folder, root, tls=certificate),
                GOFERRY: lambda: servers.goferry(
                    folder, store=filled_store(bench), upstream=f"file://{root}", tls=certificate
                ),
            },
        )
        for label in BIG:
            listed = load.write_paths(bench.folder / f"{label}.paths", paths(label))
            for protocol, (connections, streams) in {"h1": (16, 1), "h2": (4, 2)}.items():

                def one(
                    server: Server, _: int, files: Path = listed, c: int = connections, m: int = streams
                ) -> Round:
                    return _figures(
                        load.h2load(server, files, connections=c, streams=m, seconds=2, h1=m == 1)
                    )

                rates = column(bench.measure(up, bench.rounds(ROUNDS), one), "mb_s")
                for name in up:
                    bench.note("tls", f"{label} {protocol} {name}", typical(rates, name), "MB/s")
                if GOFERRY in up and "nginx" in up:
                    bench.record(f"tls.{protocol}.{label}", paired_ratio(rates, GOFERRY, "nginx"), rates)


def _figures(one: Slice) -> Round:
    return {"rate": one.rate, "mb_s": one.mb_s, "p50": one.p50, "p99": one.p99}


def _note_peers(bench: Bench, group: str, label: str, rates: list[dict[str, float]]) -> None:
    if {"goproxy", "nginx"} <= rates[0].keys():
        bench.note(group, f"{label} goproxy ÷ nginx", paired_ratio(rates, "goproxy", "nginx"), "x")
