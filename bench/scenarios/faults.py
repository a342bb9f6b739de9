"""An upstream that cuts bodies and refuses: what reaches the client?"""

import asyncio
from contextlib import AbstractContextManager
from pathlib import Path

from bench import load, servers, tools, trees
from bench.plan import Bench
from bench.scenarios import faulty
from bench.servers import Server

MODULES = 500
CUT, REFUSE = 0.3, 0.1
AT_ONCE = 16
KINDS = ("info", "mod", "zip")


def cut_bodies(bench: Bench) -> None:
    """500 modules, each its .info, .mod and .zip, while 30 % of bodies are cut and 10 % of answers are 502."""

    def make(root: Path) -> None:
        trees.add_many(root, "faults", MODULES, zip_size=64 * trees.KB)

    root, folder = bench.made("faults-tree", make), bench.folder / "faults"

    def goferry(url: str) -> AbstractContextManager[Server]:
        return servers.goferry(folder, store=bench.fresh("faults-store"), upstream=url)

    def goproxy(url: str) -> AbstractContextManager[Server]:
        return servers.goproxy(folder, store=bench.fresh("faults-goproxy"), upstream=url)

    with faulty.upstream(folder, root) as upstream:
        for name, start in {"goproxy": goproxy, "goferry": goferry}.items():
            faulty.tell(upstream, cut=CUT, refuse=REFUSE)
            try:
                with start(upstream.url) as server:
                    failed = _failed(server, root)
            except tools.Missing as reason:
                bench.results.absent[f"faults: {name}"] = str(reason)
                continue
            bench.note("faults", f"{name}, upstream requests", sum(faulty.counts(upstream).values()))
            if name == "goferry":
                bench.record("faults.failed", len(failed), failed)
            else:
                bench.note("faults", f"{name}, failed of {MODULES * len(KINDS)}", len(failed))
                zips = sum(path.endswith(".zip") for path in failed)
                bench.note("faults", f"{name}, failed zips of {MODULES}", zips)


def _failed(server: Server, root: Path) -> dict[str, str]:
    """Path → what is wrong with its answer."""
    modules = [trees.Module(f"bench.example/faults/m{number:05d}") for number in range(MODULES)]
    paths = [module.url(kind) for module in modules for kind in KINDS]
    replies = asyncio.run(load.get_all(server.port, paths, at_once=AT_ONCE))
    faults = {
        path: load.fault_of(reply, (root / path.lstrip("/")).read_bytes())
        for path, reply in zip(paths, replies, strict=True)
    }
    return {path: why for path, why in faults.items() if why}
