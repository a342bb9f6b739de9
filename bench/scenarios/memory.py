"""Resident memory: idle, after many big downloads, and while readers stall on a big cold body."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from bench import load, proc, servers, tools, trees
from bench.plan import Bench
from bench.scenarios import serve
from bench.servers import Server

DOWNLOADS = 64
READERS = 8
HUGE = trees.Module("bench.example/huge")
HUGE_SIZE = 400 * trees.MB
FIRST_BYTE_SECONDS = 120
STALL_SECONDS = 3


class Peak:
    """The highest resident memory of a tree while it runs, sampled."""

    def __init__(self, pid: int) -> None:
        self.rss = self.anon = 0.0
        self._pid, self._stop = pid, threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> "Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._stop.wait(0.05):
            now = proc.memory(self._pid)
            self.rss, self.anon = max(self.rss, now.rss), max(self.anon, now.anon)


def resident(bench: Bench) -> None:
    """The three rows; goproxy's figures beside them."""
    if not proc.available():
        raise tools.Missing("process trees can only be read on Linux")
    _downloads(bench)
    _stalled(bench)


def _downloads(bench: Bench) -> None:
    root, folder = serve.tree(bench), bench.folder / "memory"
    wanted = [path for _ in range(DOWNLOADS // 4) for path in serve.paths("20MB")]

    def goproxy() -> AbstractContextManager[Server]:
        return servers.goproxy(folder, store=root)

    def goferry() -> AbstractContextManager[Server]:
        return servers.goferry(folder, store=serve.filled_store(bench), upstream=f"file://{root}")

    for name, make in {"goproxy": goproxy, "goferry": goferry}.items():
        try:
            with make() as server:
                load.settle(server)
                idle = proc.memory(server.pid)
                with Peak(server.pid) as peak:
                    replies = asyncio.run(load.get_all(server.port, wanted, at_once=DOWNLOADS, hashed=False))
                load.check_all(server, replies)
                load.settle(server)
                after = proc.memory(server.pid)
        except tools.Missing as reason:
            bench.results.absent[f"memory: {name}"] = str(reason)
            continue
        bench.note("memory", f"{name} idle, shared pages once", idle.pss, "MB")
        bench.note("memory", f"{name} peak during 64 x 20 MB", peak.rss, "MB")
        if name == "goferry":
            bench.record("memory.idle", idle.rss, [idle.rss, idle.pss, idle.anon])
            bench.record("memory.after", after.rss, [after.rss, after.pss, after.anon, peak.rss])
        else:
            bench.note("memory", f"{name} idle", idle.rss, "MB")
            bench.note("memory", f"{name} after 64 x 20 MB", after.rss, "MB")


def _stalled(bench: Bench) -> None:
    def make(root: Path) -> None:
        trees.add_huge(root, HUGE, HUGE_SIZE)

    root, folder = bench.made("huge-tree", make), bench.folder / "stalled"

    def goproxy(url: str) -> AbstractContextManager[Server]:
        return servers.goproxy(folder, store=bench.fresh("stalled-goproxy"), upstream=url)

    def goferry(url: str) -> AbstractContextManager[Server]:
        return servers.goferry(folder, store=bench.fresh("stalled-store"), upstream=url)

    with servers.nginx(folder, root, name="nginx-upstream", core=tools.CLIENT_CORE) as upstream:
        for name, start in {"goproxy": goproxy, "goferry": goferry}.items():
            try:
                with start(upstream.url) as server:
                    load.settle(server)
                    before = proc.memory(server.pid)
                    with Peak(server.pid) as peak:
                        took = _stall(server)
            except (tools.Missing, TimeoutError) as reason:  # a peer that is too slow must not end the group
                bench.results.absent[f"memory: {name} stalled"] = str(reason)
                continue
            bench.note("memory", f"{name} first byte of a 400 MB cold body for 8 readers", took, "s")
            bench.note("memory", f"{name} stalled, growth without file pages", peak.anon - before.anon, "MB")
            if name == "goferry":
                bench.record(
                    "memory.stalled", peak.rss - before.rss, [before.rss, peak.rss, before.anon, peak.anon]
                )
            else:
                bench.note("memory", f"{name} stalled, growth", peak.rss - before.rss, "MB")


def _stall(server: Server) -> float:
    """Eight readers ask, take the first bytes and then nothing more; returns seconds until all have theirs."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        readers = [stack.enter_context(_reader(server.port)) for _ in range(READERS)]
        for reader in readers:
            head = b""
            while len(head) < 1000:
                chunk = reader.recv(1000)
                if not chunk:
                    raise load.LoadError(f"{server.name} ended after {head[:200]!r}")
                head += chunk
            if not head.startswith(b"HTTP/1.1 200"):
                raise load.LoadError(f"{server.name} answers {head[:200]!r}")
        took = time.monotonic() - started
        time.sleep(STALL_SECONDS)
    return took


@contextlib.contextmanager
def _reader(port: int) -> Iterator[socket.socket]:
    with socket.socket() as sock:
        # Small, so that the kernel does not take the body in place of the reader.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.settimeout(FIRST_BYTE_SECONDS)
        sock.connect(("127.0.0.1", port))
        sock.sendall(f"GET {HUGE.url('zip')} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        yield sock
