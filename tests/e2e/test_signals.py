"""Signals while a real go waits for a zip that the upstream holds back: go never notices."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.ferry import EMPTY, NEEDS_GO, Client, Ferry, Lab, end, graph, serving, upstream
from goferry.lab.goproxy import Fault, Trouble
from proxyworld import Tree
from server.serving import until

pytestmark = NEEDS_GO

MODULE = "example.com/web@v1.2.0"
ZIP = "example.com/web/@v/v1.2.0.zip"


@pytest.fixture
def stalling() -> Iterator[tuple[Tree, Lab]]:
    tree = Tree(graph())
    with upstream(tree, lambda path, count: Fault(Trouble.STALL) if path == ZIP else None) as lab:
        yield tree, lab


def is_closed(ferry: Ferry) -> bool:
    """Nobody new is let in."""
    try:
        ferry.ask("/healthz")
    except OSError:
        return True
    return False


def test_a_waiting_go_is_answered_before_the_server_leaves(
    tmp_path: Path, stalling: tuple[Tree, Lab]
) -> None:
    tree, lab = stalling
    with serving(tmp_path, "--upstream", lab.url, "--sumdb", tree.log.verifier_key) as ferry:
        waiting = Client(tmp_path / "client", ferry.url, tree.log.verifier_key, go_mod=EMPTY).start(
            "mod", "download", MODULE
        )
        lab.wait_for(ZIP)
        ferry.signal(signal.SIGTERM)
        until(lambda: is_closed(ferry))
        assert waiting.poll() is None
        lab.release()
        assert end(waiting) == (0, "")
        assert ferry.process.wait(30) == 0
    assert (tmp_path / "store" / ZIP).read_bytes() == tree[ZIP]


def test_a_waiting_go_is_answered_although_the_settings_are_read_again(
    tmp_path: Path, stalling: tuple[Tree, Lab]
) -> None:
    tree, lab = stalling
    settings = tmp_path / "goferry.toml"
    settings.write_text(f'upstream = "{lab.url}"\nsumdb = "{tree.log.verifier_key}"\n')
    with serving(tmp_path) as ferry:
        waiting = Client(tmp_path / "client", ferry.url, tree.log.verifier_key, go_mod=EMPTY).start(
            "mod", "download", MODULE
        )
        lab.wait_for(ZIP)
        settings.write_text(settings.read_text() + "offline = true\n")
        ferry.signal(signal.SIGHUP)
        until(lambda: ferry.metric('goferry_reloads_total{result="ok"}') == 1)
        assert waiting.poll() is None
        lab.release()
        assert end(waiting) == (0, "")
        until(lambda: ferry.ask("/example.com/log/@v/list")[0] == 404)
        offline = Client(tmp_path / "offline", ferry.url, tree.log.verifier_key, go_mod=EMPTY)
        assert offline.go("mod", "download", MODULE).returncode == 0
        assert (
            "offline: nothing of example.com/log"
            in offline.go("mod", "download", "example.com/log@v1.0.0").stderr
        )
