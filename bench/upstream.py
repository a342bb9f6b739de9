"""An upstream that can be slow, cut bodies and refuse, and counts what it is asked: `python -m bench.upstream`.

Serves a tree laid out as the URLs, with ETag and single Ranges. It is told what to do over HTTP:
`/-/set?delay=5&cut=0.3&refuse=0.1` and answers what it saw under `/-/counts` (path → requests).
Which answer is cut or refused depends on the path and on how often it was asked, so every run is the same.
"""

import argparse
import asyncio
import hashlib
import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

RANGE = re.compile(r"\r\nrange: bytes=(\d+)-(\d*)\r\n", re.IGNORECASE)
IF_RANGE = re.compile(r"\r\nif-range: (.+?)\r\n", re.IGNORECASE)


@dataclass(slots=True)
class Behaviour:
    """`delay` in seconds before each answer; `cut` and `refuse` are shares (0 to 1) of all answers."""

    delay: float = 0.0
    cut: float = 0.0
    refuse: float = 0.0


@dataclass(slots=True)
class Upstream:
    """The tree, what to do with it, and what was asked."""

    root: Path
    behaviour: Behaviour = field(default_factory=Behaviour)
    counts: Counter[str] = field(default_factory=Counter)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers requests on one connection until it ends or an answer is cut."""
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError, ValueError, asyncio.LimitOverrunError):
            pass  # the client went away or spoke nonsense
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _ = head.split(" ", 2)
        url = urlsplit(target)
        path = unquote(url.path)
        if path.startswith("/-/"):
            return await _reply(writer, "200 OK", self._control(path, dict(parse_qsl(url.query))))
        self.counts[path] += 1
        luck = _luck(path, self.counts[path])
        if self.behaviour.delay:
            await asyncio.sleep(self.behaviour.delay)
        if luck < self.behaviour.refuse:
            return await _reply(writer, "502 Bad Gateway", b"no luck\n")
        file = self.root / path.lstrip("/")
        if ".." in file.parts or not file.is_file():
            return await _reply(writer, "404 Not Found", b"not found\n")
        cut = luck > 1 - self.behaviour.cut
        return await _send_file(writer, file.read_bytes(), head, whole=not cut, body=method != "HEAD")

    def _control(self, path: str, values: dict[str, str]) -> bytes:
        if path == "/-/set":
            self.behaviour = Behaviour(**{name: float(value) for name, value in values.items()})
            self.counts.clear()
        return json.dumps(self.counts).encode()


def _luck(path: str, number: int) -> float:
    """A number from 0 to 1 that depends on nothing but the request."""
    return int.from_bytes(hashlib.sha256(f"{path} {number}".encode()).digest()[:4]) / 2**32


async def _send_file(
    writer: asyncio.StreamWriter, data: bytes, head: str, *, whole: bool, body: bool
) -> bool:
    tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
    status, extra, part = "200 OK", "", data
    wanted, condition = RANGE.search(head), IF_RANGE.search(head)
    if wanted and int(wanted[1]) < len(data) and (condition is None or condition[1] == tag):
        start, end = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        part = data[start : end + 1]
        status, extra = "206 Partial Content", f"Content-Range: bytes {start}-{end}/{len(data)}\r\n"
    extra += f"ETag: {tag}\r\nAccept-Ranges: bytes\r\n"
    if whole or not body:
        return await _reply(writer, status, part, extra, body=body)
    await _reply(writer, status, part, extra, sent=len(part) // 2)
    return False


async def _reply(
    writer: asyncio.StreamWriter,
    status: str,
    data: bytes,
    extra: str = "",
    *,
    body: bool = True,
    sent: int | None = None,
) -> bool:
    head = f"HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {len(data)}\r\n{extra}\r\n"
    writer.write(head.encode() + (data[:sent] if body else b""))
    await writer.drain()
    return True


async def _main(root: Path, port: int) -> None:
    server = await asyncio.start_server(Upstream(root).serve, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    asyncio.run(_main(options.root, options.port))
