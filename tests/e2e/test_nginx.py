"""The example front: nginx answers what the store holds, goferry the rest; neither shows what is the store's own."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from e2e.ferry import NEEDS_GO, PATIENCE, Client, Ferry, Lab, free_port, serving
from proxyworld import Tree
from server.serving import Server

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "nginx.conf"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = [*NEEDS_GO, pytest.mark.skipif(NGINX is None, reason="needs nginx")]


@contextmanager
def front(folder: Path, store: Path, behind: str) -> Iterator[Server]:
    """nginx with the example's rules before a goferry at `behind`."""
    folder.mkdir()
    port = free_port()
    changes = {
        "/tmp/": f"{folder}/",
        "/var/lib/goferry/store": str(store),
        "127.0.0.1:8080": behind.removeprefix("http://"),
        "127.0.0.1:8081": f"127.0.0.1:{port}",
    }
    text = re.sub("|".join(map(re.escape, changes)), lambda found: changes[found[0]], EXAMPLE.read_text())
    # Started by root, nginx's workers are somebody else, who cannot read a test's folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(user + text)
    words = [NGINX, "-p", folder, "-c", folder / "nginx.conf", "-g", "daemon off;"]
    process = subprocess.Popen(words, stderr=subprocess.DEVNULL, text=True)
    try:
        wait_until_open(port, process)
        yield Server(process, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def wait_until_open(port: int, process: "subprocess.Popen[str]") -> None:
    """Until it accepts. The listening socket of nginx is there before its workers are."""
    while process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
    raise AssertionError("nginx ended")


def files_asked(ferry: Ferry) -> int:
    """How many requests for module files goferry itself has answered.

    Not of zips alone: goferry may have stored each before the client came for it, and then nginx has it.
    """
    page = ferry.ask("/metrics")[2].decode()
    return sum(map(int, re.findall(r'goferry_requests_total\{kind="(?:info|mod|zip)",.*\} (\d+)', page)))


def test_what_the_store_holds_is_answered_without_goferry(
    tmp_path: Path, tree: Tree, good: Lab, wanted: str
) -> None:
    store = tmp_path / "ferry" / "store"
    flags = ("--upstream", good.url, "--sumdb", tree.log.verifier_key)
    with (
        serving(tmp_path / "ferry", *flags) as ferry,
        front(tmp_path / "nginx", store, ferry.url) as nginx,
    ):
        assert Client(tmp_path / "cold", nginx.url, tree.log.verifier_key).download() == wanted
        asked = files_asked(ferry)
        assert Client(tmp_path / "warm", nginx.url, tree.log.verifier_key).download() == wanted
        assert files_asked(ferry) == asked > 0


def test_the_stores_own_files_stay_hidden_and_the_rest_goes_to_goferry(
    tmp_path: Path, tree: Tree, good: Lab
) -> None:
    store = tmp_path / "ferry" / "store"
    flags = ("--upstream", good.url, "--sumdb", tree.log.verifier_key)
    with (
        serving(tmp_path / "ferry", *flags) as ferry,
        front(tmp_path / "nginx", store, ferry.url) as nginx,
    ):
        assert (store / ".goferry" / "format").is_file()
        assert nginx.ask("/.goferry/format")[0] == 404
        assert nginx.ask("/example.com/text/@v/list")[2].split() == [b"v0.1.0", b"v0.2.0"]
        assert nginx.ask("/healthz")[2] == b"ok\n"
