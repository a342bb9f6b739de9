"""`goferry serve` in each way that it can be set up: cold, warm and offline give the same go.sum as no goferry."""

import json
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.ferry import NEEDS_GO, Client, Lab, free_port, goferry, graph, serving, upstream, write_tree
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.tls import Authority
from proxyworld import Tree

pytestmark = NEEDS_GO

FILES = (".info", ".mod", ".zip")


@dataclass
class Place:
    """What a way of setting up may draw on."""

    folder: Path
    tree: Tree
    good: Lab
    stack: ExitStack

    @property
    def key(self) -> str:
        return self.tree.log.verifier_key

    def other(self, files: dict[str, bytes], fault: Fault | None = None) -> str:
        return self.stack.enter_context(upstream(files, lambda path, count: fault)).url


SETUPS: dict[str, Callable[[Place], list[str]]] = {
    "http": lambda p: ["--upstream", p.good.url, "--sumdb", p.key],
    "comma, the first has nothing": lambda p: ["--upstream", f"{p.other({})},{p.good.url}", "--sumdb", p.key],
    "pipe, nobody is at the first": lambda p: [
        "--upstream", f"http://127.0.0.1:{free_port()}|{p.good.url}", "--sumdb", p.key,
        "--retry-wait-max", "10ms",
    ],
    "pipe, the first is broken": lambda p: [
        "--upstream", f"{p.other({}, Fault(Trouble.STATUS, 500))}|{p.good.url}", "--sumdb", p.key,
        "--retry-wait-max", "10ms",
    ],
    "file, database elsewhere": lambda p: [
        "--upstream", write_tree(p.folder / "tree", p.tree),
        "--sumdb", f"{p.key} {p.good.url}/sumdb/{p.tree.log.name}",
    ],
    "no database": lambda p: ["--upstream", p.good.url, "--sumdb", "off"],
    "two workers": lambda p: ["--upstream", p.good.url, "--sumdb", p.key, "--workers", "2"],
}  # fmt: skip


@pytest.mark.parametrize("setup", SETUPS)
def test_cold_and_warm_downloads_are_what_they_are_without_goferry(
    tmp_path: Path, tree: Tree, good: Lab, wanted: str, setup: str
) -> None:
    with ExitStack() as stack:
        flags = SETUPS[setup](Place(tmp_path, tree, good, stack))
        ferry = stack.enter_context(serving(tmp_path / "ferry", "--store", str(tmp_path / "kept"), *flags))
        sumdb = "off" if setup == "no database" else tree.log.verifier_key
        assert Client(tmp_path / "cold", ferry.url, sumdb).download() == wanted
        asked = good.asked(*FILES)
        assert Client(tmp_path / "warm", ferry.url, sumdb).download() == wanted
        assert good.asked(*FILES) == asked
        for path, body in stored(tmp_path / "kept").items():
            assert body == tree[path], path


def stored(store: Path) -> dict[str, bytes]:
    """The module files of a store by their URL path."""
    found = (path for path in store.rglob("@v/*") if path.suffix in FILES and ".goferry" not in path.parts)
    return {path.relative_to(store).as_posix(): path.read_bytes() for path in found if path.is_file()}


def test_cold_then_warm_then_offline_without_any_upstream(tmp_path: Path, tree: Tree, wanted: str) -> None:
    with upstream(tree) as lab:
        flags = ("--upstream", lab.url, "--sumdb", tree.log.verifier_key, "--workers", "2")
        with serving(tmp_path, *flags) as ferry:
            assert Client(tmp_path / "cold", ferry.url, tree.log.verifier_key).download() == wanted
            assert Client(tmp_path / "warm", ferry.url, tree.log.verifier_key).download() == wanted
            # Each zip came once, and each was fetched once although two workers were asked.
            assert max(count for path, count in lab.proxy.asked.items() if path.endswith(".zip")) == 1
    with serving(tmp_path, *flags, "--offline") as ferry:
        client = Client(tmp_path / "offline", ferry.url, tree.log.verifier_key)
        assert client.download() == wanted
        built = client.go("build", "./...")
        assert built.returncode == 0, built.stderr
        missing = client.go("mod", "download", "example.com/text@v0.9.0")
        assert "503 Service Unavailable" in missing.stderr
        assert "offline: example.com/text@v0.9.0 is not in the store" in missing.stderr


def test_variables_serve_every_command_and_warm_is_enough_for_offline(
    tmp_path: Path, tree: Tree, good: Lab, wanted: str
) -> None:
    environ = {
        "GOFERRY_STORE": str(tmp_path / "kept"),
        "GOFERRY_UPSTREAM": good.url,
        "GOFERRY_SUMDB": tree.log.verifier_key,
    }
    client = Client(tmp_path / "client", "off", tree.log.verifier_key)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        done = goferry(tmp_path / "commands", *words, environ=environ)
        assert done.returncode == 0, done.stderr
        return done

    warmed = json.loads(run("warm", "--json", str(client.folder / "go.mod")).stdout)
    assert (warmed["files"]["zip"], warmed["failed"]) == (8, [])
    listed = json.loads(run("cache", "list", "--json").stdout)
    assert {row["path"] for row in listed["modules"]} >= {"example.com/BigCase", "example.com/api/v2"}
    info = json.loads(run("cache", "info", "--json", "example.com/web@v1.2.0").stdout)
    assert {row["verified_by"] for row in info["files"]} >= {tree.log.name}
    assert {row["source"] for row in info["files"]} >= {good.url}
    checked = json.loads(run("cache", "verify", "--json").stdout)
    assert (checked["facts"]["damaged"], checked["findings"]) == (0, [])
    with serving(tmp_path / "ferry", environ={**environ, "GOFERRY_OFFLINE": "1"}) as ferry:
        assert "answers come from the store alone" in ferry.greeting
        client.proxy = ferry.url
        assert client.download() == wanted
        built = client.go("build", "./...")
        assert built.returncode == 0, built.stderr


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Signs `cert.pem` with its `key.pem`; `ca.pem` is its own."""
    authority = Authority()
    certificate, key = authority.issue(["127.0.0.1"])
    for name, pem in (("cert.pem", certificate), ("key.pem", key), ("ca.pem", authority.pem)):
        (tmp_path / name).write_bytes(pem)
    return authority


def test_go_and_another_goferry_download_over_tls_and_trust_the_named_authority_alone(
    tmp_path: Path, tree: Tree, good: Lab, wanted: str, authority: Authority
) -> None:
    sumdb = ["--sumdb", tree.log.verifier_key]
    tls = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    trust = {"SSL_CERT_FILE": str(tmp_path / "ca.pem"), "SSL_CERT_DIR": str(tmp_path / "none")}
    with serving(tmp_path / "ferry", "--upstream", good.url, *sumdb, *tls) as ferry:
        assert ferry.url.startswith("https://")
        assert Client(tmp_path / "direct", ferry.url, tree.log.verifier_key, extra=trust).download() == wanted
        stranger = Client(tmp_path / "stranger", ferry.url, tree.log.verifier_key)
        assert "certificate signed by unknown authority" in stranger.go("mod", "download").stderr
        chained = ["--upstream", ferry.url, *sumdb]
        with serving(tmp_path / "second", *chained, environ=trust) as second:
            assert Client(tmp_path / "two", second.url, tree.log.verifier_key).download() == wanted
        with serving(tmp_path / "third", *chained) as third:
            client = Client(tmp_path / "none", third.url, tree.log.verifier_key)
            # Also when the host is left alone by then, the reason is said.
            for _ in range(3):
                done = client.go("mod", "download")
                assert done.returncode != 0
                assert (
                    f"{ferry.host}:{ferry.port}: its certificate is signed by an unknown authority"
                    in done.stderr
                )


def test_what_go_itself_would_use_is_the_default(tmp_path: Path, tree: Tree, good: Lab, wanted: str) -> None:
    port = free_port()
    # As in a shell where the lines that goferry prints were pasted before.
    proxies = f"http://127.0.0.1:{port},{good.url}"
    environ = {"GOPROXY": proxies, "GOSUMDB": tree.log.verifier_key, "GOENV": "off"}
    with serving(tmp_path, environ=environ, addr=f"127.0.0.1:{port}") as ferry:
        assert f"upstream:  {good.url}  (GOPROXY in the environment)" in ferry.greeting
        assert f"checksums: {tree.log.verifier_key}" in ferry.greeting
        assert Client(tmp_path / "client", ferry.url, tree.log.verifier_key).download() == wanted


def test_private_modules_come_through_without_the_database_hearing_of_them(
    tmp_path: Path, wanted: str
) -> None:
    tree = Tree(graph())
    for path in [path for path in tree.truth if path.startswith("example.com/tool/")]:
        del tree.truth[path]
    with (
        upstream(tree) as lab,
        serving(
            tmp_path, "--upstream", lab.url, "--sumdb", tree.log.verifier_key, "--private", "example.com/tool"
        ) as ferry,
    ):
        assert "export GONOSUMDB=example.com/tool" in ferry.greeting
        extra = {"GONOSUMDB": "example.com/tool"}
        assert Client(tmp_path / "client", ferry.url, tree.log.verifier_key, extra=extra).download() == wanted
        assert not [path for path in lab.proxy.asked if "/lookup/example.com/tool" in path]
        careless = Client(tmp_path / "careless", ferry.url, tree.log.verifier_key)
        assert "example.com/tool" in careless.go("mod", "download", "all").stderr
        assert not [path for path in lab.proxy.asked if "/lookup/example.com/tool" in path]


# ---- what a start refuses ------------------------------------------------------------------------------------


WRONG = {
    "flag": (["--workers", "many"], {}, ["workers", "'many'", "--workers", "whole number"]),
    "variable": ([], {"GOFERRY_LIST_FRESH": "soon"}, ["list_fresh", "'soon'", "GOFERRY_LIST_FRESH", "30s"]),
    "upstream": (["--upstream", "ftp://a.example.org"], {}, ["upstream", "ftp://a.example.org", "--upstream"]),
    "sumdb": (["--sumdb", "sum.example.org+bad"], {}, ["sumdb", "sum.example.org+bad", "--sumdb"]),
    "store": (["--store", "gs://bucket"], {}, ["store", "gs://"]),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_setting_is_named_with_value_origin_and_what_is_allowed(tmp_path: Path, case: str) -> None:
    flags, environ, parts = WRONG[case]
    environ = {"GOFERRY_STORE": str(tmp_path / "store"), "GOFERRY_UPSTREAM": "off", **environ}
    done = goferry(tmp_path, "serve", "--addr", "127.0.0.1:0", *flags, environ=environ)
    first = done.stderr.splitlines()[0]
    assert done.returncode == 2, done.stderr
    assert [part for part in parts if part not in first] == []
    assert "Traceback" not in done.stderr


def test_a_wrong_line_of_the_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text('upstream = "off"\n\nworkers = 0\n')
    done = goferry(tmp_path, "serve", "--store", str(tmp_path / "store"))
    assert done.returncode == 2
    assert "workers" in done.stderr
    assert "goferry.toml:3" in done.stderr


def test_a_port_in_use_is_one_clear_line(tmp_path: Path, good: Lab) -> None:
    port = good.url.rpartition(":")[2]
    flags = ("--addr", f"127.0.0.1:{port}", "--upstream", "off", "--store", str(tmp_path / "store"))
    done = goferry(tmp_path, "serve", *flags)
    assert done.returncode == 2
    assert f"127.0.0.1:{port}" in done.stderr.splitlines()[0]
    assert "Traceback" not in done.stderr
