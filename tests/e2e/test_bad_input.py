"""Requests that no go command sends: one line in answer, nothing asked of the upstream, nothing kept."""

import contextlib
import http.client
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.ferry import Ferry, Lab, serving, upstream
from proxyworld import Tree

LONG = "a" * 5000
PATHS = [
    "/favicon.ico",
    "/.goferry/format",
    "/.goferry/index.sqlite",
    "/../../etc/passwd",
    "/%2e%2e/%2e%2e/etc/passwd",
    "/example.com/log/@v/../../../../etc/passwd",
    "/example.com/log/@v/..%2f..%2fv1.0.0.info",
    "/example.com/log/@v/v1.0.0.exe",
    "/example.com/log/@v/v1.0.0.zip.exe",
    "/example.com/log/@v/",
    "/example.com/log/@v",
    "/example.com/log/@v/.info",
    "/example.com/log/@v/v1.0.0%00.info",
    "/example.com/l%00g/@v/list",
    "/example.com/l%ffg/@v/list",
    "/example.com/l%g/@v/list",
    "/example.com/l%c3%b6g/@v/list",
    "/example.com/Log/@v/list",
    "/example.com/!Log/@v/list",
    "/example.com/!/@v/list",
    "/example.com/log!/@v/list",
    "/example.com//log/@v/list",
    "//example.com/log/@v/list",
    "/example.com/log./@v/list",
    "/example.com/.log/@v/list",
    "/example.com/log~1/@v/list",
    "/example.com/con/@v/list",
    "/example.com/log/v1/@v/list",
    "/-example.com/log/@v/list",
    "/example/log/@v/list",
    "/log/@latest",
    "/example.com/log/@v/1.0.0.mod",
    "/example.com/log/@v/v1.0.mod",
    "/example.com/log/@v/v1.0.0+meta.mod",
    "/example.com/log/@v/v2.0.0.zip",
    "/example.com/log/@v/main.zip",
    "/example.com/log/@latest/",
    "/example.com/log/@latest.info",
    f"/example.com/{LONG}/@v/list",
    f"/example.com/log/@v/v1.0.0-{LONG}.info",
    "/sumdb/sum.other.org/latest",
    "/sumdb/sum.example.org/lookup/../../latest",
    "/sumdb/sum.example.org/tile/8/0/x001/000.p/300",
    "/sumdb/sum.example.org/tile/99/0/000",
    "/sumdb/sum.example.org/lookup/Example.com/log@v1.0.0",
    "/sumdb/sum.example.org/lookup/example.com/log",
    "/sumdb/sum.example.org/",
]


@pytest.fixture(scope="module")
def served(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ferry, Lab, Path]]:
    folder = tmp_path_factory.mktemp("bad-input")
    with (
        upstream(tree) as lab,
        serving(folder, "--upstream", lab.url, "--sumdb", tree.log.verifier_key) as ferry,
    ):
        yield ferry, lab, folder / "store"


def ask(ferry: Ferry, path: str, method: str = "GET") -> tuple[int, bytes]:
    """As it stands on the wire: http.client would refuse or mend some of these."""
    with contextlib.closing(ferry.connect()) as connection:
        connection.connect()
        assert connection.sock is not None
        connection.sock.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1")
        )
        answer = http.client.HTTPResponse(connection.sock, method=method)
        answer.begin()
        return answer.status, answer.read()


def kept(store: Path) -> set[Path]:
    """Everything but the index, which may take notes at any time."""
    return {path for path in store.rglob("*") if not path.name.startswith("index.sqlite")}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path[:60])
def test_what_cannot_be_a_module_is_refused_in_one_line_without_asking(
    served: tuple[Ferry, Lab, Path], path: str
) -> None:
    ferry, lab, store = served
    before = kept(store)
    status, body = ask(ferry, path)
    assert status in (400, 404, 414), body
    assert body.strip()
    assert body.strip().count(b"\n") == 0, body
    assert len(body) < 700
    assert lab.asked() == 0, dict(lab.proxy.asked)
    assert kept(store) == before


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "BREW"])
def test_methods_that_change_things_are_refused(served: tuple[Ferry, Lab, Path], method: str) -> None:
    ferry, lab, store = served
    before = kept(store)
    assert ask(ferry, "/example.com/log/@v/v1.0.0.zip", method)[0] == 405
    assert (lab.asked(), kept(store)) == (0, before)
