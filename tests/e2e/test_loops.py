"""Proxies that lead back to themselves end at once, with a line that says so."""

from pathlib import Path

from e2e.ferry import EMPTY, NEEDS_GO, Client, Lab, free_port, goferry, serving
from proxyworld import Tree

pytestmark = NEEDS_GO

MODULE = "example.com/log@v1.1.0"


def test_two_proxies_that_name_each_other_answer_508(tmp_path: Path, tree: Tree) -> None:
    here, there = free_port(), free_port()
    flags = ("--sumdb", tree.log.verifier_key, "--upstream")
    with (
        serving(tmp_path / "a", *flags, f"http://127.0.0.1:{there}", addr=f"127.0.0.1:{here}") as ferry,
        serving(tmp_path / "b", *flags, f"http://127.0.0.1:{here}", addr=f"127.0.0.1:{there}"),
    ):
        client = Client(tmp_path / "client", ferry.url + ",direct", tree.log.verifier_key, go_mod=EMPTY)
        done = client.go("mod", "download", MODULE)
        assert done.returncode != 0
        assert "508 Loop Detected" in done.stderr
        assert "came back" in done.stderr
        for path in ("/example.com/log/@v/list", f"/sumdb/{tree.log.name}/lookup/{MODULE}"):
            status, _, body = ferry.ask(path)
            assert (status, b"came back" in body) == (508, True), (path, body)


def test_a_proxy_that_is_its_own_upstream_under_a_name_it_does_not_know_answers_508(tmp_path: Path) -> None:
    port = free_port()
    flags = (
        "--sumdb",
        "off",
        "--hosts",
        "me.example.org=127.0.0.1",
        "--upstream",
        f"http://me.example.org:{port}",
    )
    with serving(tmp_path, *flags, addr=f"127.0.0.1:{port}") as ferry:
        done = Client(tmp_path / "client", ferry.url, "off", go_mod=EMPTY).go("mod", "download", MODULE)
        assert "508 Loop Detected" in done.stderr


def test_an_entry_that_is_goferry_itself_is_dropped_with_a_warning(
    tmp_path: Path, tree: Tree, good: Lab
) -> None:
    port = free_port()
    flags = ("--sumdb", tree.log.verifier_key, "--upstream", f"http://localhost:{port},{good.url}")
    with serving(tmp_path, *flags, addr=f"127.0.0.1:{port}") as ferry:
        assert f"upstream entry http://localhost:{port} is goferry itself and was dropped" in ferry.said
        assert f"upstream:  {good.url} " in ferry.greeting
        client = Client(tmp_path / "client", ferry.url, tree.log.verifier_key, go_mod=EMPTY)
        assert client.go("mod", "download", MODULE).returncode == 0


def test_a_list_of_nothing_but_goferry_itself_is_a_wrong_setting(tmp_path: Path) -> None:
    port = free_port()
    flags = ("--addr", f"127.0.0.1:{port}", "--upstream", f"http://127.0.0.1:{port}")
    done = goferry(tmp_path, "serve", "--store", str(tmp_path / "store"), *flags)
    assert done.returncode == 2
    assert "leads back to goferry itself" in done.stderr
