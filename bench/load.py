"""Load from wrk and h2load, and small clients of our own where answers are counted or checked one by one."""

import asyncio
import hashlib
import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from bench import proc, tools
from bench.servers import Server


class LoadError(Exception):
    """The load met errors: figures of failed answers are worth nothing."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One slice of load: answers per second, MB/s, and latency in milliseconds (0 where the tool gives none)."""

    rate: float
    mb_s: float
    p50: float
    p99: float
    count: int


_LUA = """
local paths, once, at = {}, %(once)s, 0
function init(args)
  math.randomseed(%(seed)d)
  local n = 0
  for line in io.lines("%(paths)s") do
    n = n + 1
    if n > %(first)d and n <= %(first)d + %(count)d then paths[#paths + 1] = wrk.format("GET", line) end
  end
end
function request()
  if not once then return paths[math.random(#paths)] end
  at = at + 1
  if at > #paths then at = 1 end
  return paths[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '{"count": %%d, "bytes": %%d, "us": %%d, "p50": %%d, "p99": %%d, "bad": %%d}',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def write_paths(target: Path, paths: Sequence[str]) -> Path:
    """One path per line, for both tools."""
    target.write_text("\n".join(paths) + "\n")
    return target


def wrk(
    server: Server,
    paths: Path,
    *,
    connections: int,
    seconds: int,
    seed: int = 1,
    once: tuple[int, int] | None = None,
) -> Slice:
    """Random paths for some seconds; with `once` (start, count), each of those paths once, in order.

    Raises LoadError on any bad answer, or when the paths of `once` ran out; Missing without wrk.
    """
    start, count = once or (0, 1 << 30)
    script = paths.with_suffix(f".{server.name}.lua")
    values = {
        "paths": paths,
        "first": start,
        "count": count,
        "seed": seed,
        "once": "true" if once else "false",
    }
    script.write_text(_LUA % values)
    command = [*tools.pinned(tools.CLIENT_CORE), tools.need("wrk"), "-t1", f"-c{connections}"]
    command += [f"-d{seconds}s", "--timeout", "20s", "--latency", "-s", str(script), server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 60)
    found = re.search(r"\{.*\}", done.stdout)
    if done.returncode != 0 or found is None:
        raise LoadError(f"wrk: {tools.first_line(done.stderr + done.stdout)}")
    figures = json.loads(found[0])
    if figures["bad"] or not figures["count"]:
        raise LoadError(f"{server.name}: {figures['bad']} bad answers of {figures['count']}")
    if once and figures["count"] + connections > count:
        raise LoadError(f"{server.name}: {count} paths were too few for {seconds} s")
    took = figures["us"] / 1e6
    return Slice(
        rate=figures["count"] / took,
        mb_s=figures["bytes"] / took / 1e6,
        p50=figures["p50"] / 1000,
        p99=figures["p99"] / 1000,
        count=figures["count"],
    )


_DATA = re.compile(r"headers \(space savings [^)]*\), \S+ \((\d+)\) data|\((\d+)\) data")
_STATUS = re.compile(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx")
_DONE = re.compile(r"finished in ([0-9.]+)(us|ms|s), ([0-9.]+) req/s")
_REQUESTS = re.compile(
    r"requests: \d+ total, \d+ started, \d+ done, \d+ succeeded, (\d+) failed, (\d+) errored"
)


def h2load(server: Server, paths: Path, *, connections: int, streams: int, seconds: int, h1: bool) -> Slice:
    """The paths in turn over HTTP/2, or over HTTP/1.1 with `h1`. Latencies are not read. Raises as wrk."""
    uris = paths.with_suffix(f".{server.name}.uris")
    uris.write_text("".join(f"{server.url}{path}\n" for path in paths.read_text().split()))
    command = [
        *tools.pinned(tools.CLIENT_CORE),
        tools.need("h2load"),
        "-t1",
        f"-c{connections}",
        f"-m{streams}",
    ]
    command += [f"-D{seconds}", "--warm-up-time=1s", "-w24", "-W27", "-i", str(uris)]
    command += ["--h1"] if h1 else []
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 90)
    data, status, finished = _DATA.search(done.stdout), _STATUS.search(done.stdout), _DONE.search(done.stdout)
    requests = _REQUESTS.search(done.stdout)
    if done.returncode != 0 or not (data and status and finished and requests):
        raise LoadError(f"h2load: {tools.first_line(done.stderr + done.stdout)}")
    bad = sum(int(number) for number in status.groups()[1:])
    if bad or int(data[1] or data[2]) == 0:
        raise LoadError(f"{server.name}: {bad} bad answers, {data[0]}")
    return Slice(
        rate=float(finished[3]),
        mb_s=int(data[1] or data[2]) / seconds / 1e6,
        p50=0,
        p99=0,
        count=int(status[1]),
    )


@dataclass(frozen=True, slots=True)
class Reply:
    """One whole answer. `status` 0: the connection broke or the body was short; `why` says how."""

    status: int
    size: int
    sha256: str
    seconds: float
    why: str = ""


async def get(port: int, path: str, *, limit: float = 120, hashed: bool = True) -> Reply:
    """GET over an own connection on loopback, the body checked against its length, its hash taken if wanted."""
    started = time.perf_counter()
    digest = hashlib.sha256()

    def reply(status: int, size: int, why: str = "") -> Reply:
        return Reply(status, size, digest.hexdigest(), time.perf_counter() - started, why)

    try:
        async with asyncio.timeout(limit):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 18)
            try:
                request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                size = await _body(reader, head, digest.update if hashed else len)
                return reply(int(head.split(" ", 2)[1]), size)
            finally:
                writer.close()
    except (OSError, EOFError, ValueError, TimeoutError) as error:
        return reply(0, 0, f"{type(error).__name__}: {error}")


async def _body(reader: asyncio.StreamReader, head: str, see: Callable[[bytes], object]) -> int:
    """Reads a body of known length or in chunks; returns its size. EOFError when it is cut."""
    declared = re.search(r"\r\ncontent-length: (\d+)", head)
    if declared:
        return await _exactly(reader, int(declared[1]), see)
    if "transfer-encoding: chunked" not in head:
        raise ValueError("neither a length nor chunks")
    total = 0
    while size := int((await reader.readline()).split(b";")[0], 16):
        total += await _exactly(reader, size, see)
        await reader.readexactly(2)
    return total


async def _exactly(reader: asyncio.StreamReader, size: int, see: Callable[[bytes], object]) -> int:
    left = size
    while left:
        chunk = await reader.read(min(left, 1 << 18))
        if not chunk:
            raise EOFError(f"{left} of {size} bytes are missing")
        see(chunk)
        left -= len(chunk)
    return size


async def get_all(port: int, paths: Sequence[str], *, at_once: int, hashed: bool = True) -> list[Reply]:
    """Each path once, `at_once` in flight, answers in the order of the paths."""
    gate = asyncio.Semaphore(at_once)

    async def one(path: str) -> Reply:
        async with gate:
            return await get(port, path, hashed=hashed)

    return list(await asyncio.gather(*(one(path) for path in paths)))


async def paced(port: int, paths: Sequence[str], *, rate: float) -> list[Reply]:
    """Each path once at a constant rate, whatever the answers take; `seconds` counts from the scheduled time.

    A closed loop would hide a stall: it stops asking while it waits.
    """
    loop = asyncio.get_running_loop()
    start = loop.time()

    async def one(number: int, path: str) -> Reply:
        due = start + number / rate
        await asyncio.sleep(due - loop.time())
        late = max(0.0, loop.time() - due)
        reply = await get(port, path)
        return replace(reply, seconds=reply.seconds + late)

    return list(await asyncio.gather(*(one(number, path) for number, path in enumerate(paths))))


def fill(server: Server, root: Path, paths: Sequence[str], *, at_once: int = 16) -> None:
    """Asks every path once over plain HTTP and compares with the tree. Raises LoadError when a byte differs."""
    replies = asyncio.run(get_all(server.port, paths, at_once=at_once))
    for path, reply in zip(paths, replies, strict=True):
        why = fault_of(reply, (root / path.lstrip("/")).read_bytes())
        if why:
            raise LoadError(f"{server.name} answers {path} wrongly: {why}")


def fault_of(reply: Reply, wanted: bytes) -> str:
    """What is wrong with an answer; empty when it is whole and right."""
    if reply.status != 200:
        return reply.why or f"status {reply.status}"
    return "" if reply.sha256 == hashlib.sha256(wanted).hexdigest() else f"{reply.size} other bytes"


def check_all(server: Server, replies: Sequence[Reply]) -> None:
    """Raises LoadError when an answer is not 200 and whole."""
    bad = [reply.why or f"status {reply.status}" for reply in replies if reply.status != 200]
    if bad:
        raise LoadError(f"{server.name}: {len(bad)} of {len(replies)} answers failed: {bad[0]}")


def settle(server: Server, seconds: float = 20) -> None:
    """Waits until a server does nothing any more: what it fetched ahead must not run into a measurement."""
    deadline = time.monotonic() + seconds
    before = proc.cpu_seconds(server.pid)
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = proc.cpu_seconds(server.pid)
        if now - before <= 0.02:
            return
        before = now


@contextmanager
def client_core() -> Iterator[None]:
    """Keeps this process on the client's core meanwhile, so that its own work is not the server's loss."""
    if not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) <= tools.CLIENT_CORE:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {tools.CLIENT_CORE})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
