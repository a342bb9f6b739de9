"""Starts and steers bench.upstream, the upstream that misbehaves on purpose."""

import json
import sys
import urllib.parse
import urllib.request
from contextlib import AbstractContextManager
from pathlib import Path

from bench import servers, tools
from bench.servers import Server


def upstream(folder: Path, root: Path, port: int | None = None) -> AbstractContextManager[Server]:
    """The program on the client's core."""
    port = port or servers.free_port()
    command = [sys.executable, "-m", "bench.upstream", "--root", str(root), "--port", str(port)]
    env = tools.go_environment(folder) | {"PYTHONPATH": str(tools.ROOT)}
    return servers.running(
        "upstream", command, port, folder, ready="/-/counts", env=env, core=tools.CLIENT_CORE
    )


def tell(server: Server, **behaviour: float) -> None:
    """Sets its behaviour and forgets its counts."""
    _ask(server, "/-/set?" + urllib.parse.urlencode(behaviour))


def counts(server: Server) -> dict[str, int]:
    """Path → requests since it was last told something."""
    answer: dict[str, int] = json.loads(_ask(server, "/-/counts"))
    return answer


def _ask(server: Server, path: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(server.url + path, timeout=10) as response:
        body: bytes = response.read()
    return body
