"""`goferry deps gate`: proving go.sum against a log that is 50 ms away, proving it again offline, and a vendor folder.

Upstream and log are on loopback, in this process; each answer waits 50 ms. The log holds 20,000 records, so that the
records of 250 modules are spread over its tiles. The gate is the whole command in a process of its own, with the lines
of 250 modules and their packages, go.mod, and whether any was retracted: not only the proofs.
"""

import asyncio
import io
import json
import os
import subprocess
import threading
import time
import zipfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from bench import tools
from bench.load import LoadError
from bench.plan import Bench
from bench.stats import median
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import MemLog
from goferry.lab import goproxy, sumdb
from goferry.lab.sumdb import LabSumdb, sums_of_tree

LATENCY = 0.05
MODULES = 250
VENDORED = 150
FILES = 24
FILE_SIZE = 6_000
RECORDS = 20_000
ROUNDS = 3
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_TIME = "2024-05-06T07:08:09Z"


def proven(bench: Bench) -> None:
    """Cold, then warm without a network."""
    modules = _modules(MODULES, files=1)
    project = bench.made("gate-sums", lambda folder: _write_project(folder, modules))
    with _upstream(modules) as (url, key):
        cold = []
        for _ in range(bench.rounds(ROUNDS)):
            store = bench.fresh("gate-store")
            cold.append(_gate(project, store, url, key).seconds)
        bench.record("gate.cold", median(cold), cold)
        warm = [_gate(project, store, url, key, "--offline") for _ in range(bench.rounds(ROUNDS))]
    found = warm[0].found["proven"]
    bench.note("gate", "lines of go.sum, all proven by the log", found["equal"]["log"])
    bench.record("gate.warm", median([one.seconds for one in warm]), [one.seconds for one in warm])


def vendored(bench: Bench) -> None:
    """A vendor folder of 150 modules, every file of it compared; the store is warm and offline."""
    modules = _modules(VENDORED, files=FILES)

    def make(folder: Path) -> None:
        _write_project(folder, modules)
        _vendor(folder, modules)

    project = bench.made("gate-vendor", make)
    with _upstream(modules, latency=0.0) as (url, key):
        store = bench.fresh("gate-vendor-store")
        _gate(project, store, url, key)
        rounds = [_gate(project, store, url, key, "--offline") for _ in range(bench.rounds(ROUNDS))]
    found = rounds[0].found["proven"]
    bench.note("vendor", "vendored files compared", found["vendored_files"])
    bench.record("gate.vendor", median([one.seconds for one in rounds]), [one.seconds for one in rounds])


@dataclass(frozen=True, slots=True)
class _Run:
    seconds: float
    found: dict[str, Any]


def _gate(project: Path, store: Path, url: str, key: str, *words: str) -> _Run:
    """The command from start to end. Raises LoadError unless it passes: a gate that fails is no figure."""
    command = [
        *tools.goferry(), "deps", "gate", str(project), "--json", "--store", str(store), "--goproxy", url,
        "--sumdb", key, *words,
    ]  # fmt: skip
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, env=environ)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise LoadError(f"the gate did not pass: {tools.first_line(done.stderr or done.stdout)}")
    return _Run(seconds, json.loads(done.stdout))


# ---- the world -----------------------------------------------------------------------------------------


def _modules(count: int, *, files: int) -> dict[Version, dict[str, bytes]]:
    """Small modules that do not need each other."""
    body = b"// " + b"x" * 77 + b"\n"
    made = {}
    for number in range(count):
        version = Version(f"example.org/bench/m{number:03d}", "v1.0.0")
        name = f"m{number:03d}"
        sources = {
            f"f{at:02d}.go": b"package %b\n" % name.encode() + body * (FILE_SIZE // 81 if files > 1 else 1)
            for at in range(files)
        }
        made[version] = {"go.mod": f"module {version.path}\n\ngo 1.21\n".encode(), **sources}
    return made


def _write_project(folder: Path, modules: Mapping[Version, Mapping[str, bytes]]) -> None:
    requires = "".join(f"\t{version.path} {version.version}\n" for version in modules)
    imports = "".join(f'import _ "{version.path}"\n' for version in modules)
    (folder / "go.mod").write_text(f"module example.net/m\n\ngo 1.22\n\nrequire (\n{requires})\n")
    (folder / "m.go").write_text(f"package m\n\n{imports}")
    sums = sums_of_tree(_tree(modules))
    lines = (line for version in modules for line in sums(version))
    (folder / "go.sum").write_text("".join(f"{line}\n" for line in lines))


def _vendor(folder: Path, modules: Mapping[Version, Mapping[str, bytes]]) -> None:
    text = []
    for version, files in modules.items():
        text.append(f"# {version.path} {version.version}\n## explicit; go 1.21\n{version.path}\n")
        place = folder / "vendor" / version.path
        place.mkdir(parents=True)
        for name, body in files.items():
            if name != "go.mod":
                (place / name).write_bytes(body)
    (folder / "vendor" / "modules.txt").write_text("".join(text))


def _tree(modules: Mapping[Version, Mapping[str, bytes]]) -> dict[str, bytes]:
    tree: dict[str, bytes] = {}
    for version, files in modules.items():
        info = json.dumps({"Version": version.version, "Time": _TIME}).encode()
        tree[request_path(Kind.LIST, version.path)] = f"{version.version}\n".encode()
        tree[request_path(Kind.LATEST, version.path)] = info
        tree[request_path(Kind.INFO, version.path, version.version)] = info
        tree[request_path(Kind.MOD, version.path, version.version)] = files["go.mod"]
        tree[request_path(Kind.ZIP, version.path, version.version)] = _zip(version, files)
    return tree


def _zip(version: Version, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(f"{version}/{name}"), body, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


@contextmanager
def _upstream(
    modules: Mapping[Version, Mapping[str, bytes]], *, latency: float = LATENCY
) -> Iterator[tuple[str, str]]:
    """Upstream and log in a thread of their own: the URL, and the log's key."""
    tree = _tree(modules)
    log = MemLog(sums=sums_of_tree(tree))
    every = RECORDS // len(modules)
    for version in modules:
        log.find(version)
        for number in range(every):
            log.add(Version(f"{version.path}/other{number}", "v1.0.0"), [f"{version.path} {number} h1:x"])
    started, stop = threading.Event(), asyncio.Event()
    urls: list[str] = []
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        @web.middleware
        async def late(request: web.Request, handler: Handler) -> web.StreamResponse:
            await asyncio.sleep(latency)
            return await handler(request)

        app = web.Application(middlewares=[late])
        app.add_routes(sumdb.routes(LabSumdb(log), log.name))
        async with goproxy.running(tree, app=app) as lab:
            urls.append(lab.url)
            started.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    started.wait(30)
    try:
        yield urls[0], log.verifier_key
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
