"""Upstreams with quirks: through goferry go does as well as without it, and where it can, better."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.ferry import DEEP, EMPTY, NEEDS_GO, PSEUDO, Client, Ferry, Lab, end, graph, serving, upstream
from goferry.lab.goproxy import Fault, Trouble
from modtree import go_mod, info, module, module_zip, package
from proxyworld import Tree

pytestmark = NEEDS_GO

HIDDEN, SHORT, OLD = (f"example.com/{name}" for name in ("hidden", "short", "old"))
BRANCH, FIRM, SLOW = (f"example.com/{name}" for name in ("branch", "firm", "slow"))
USES = EMPTY + f"\nrequire (\n\t{OLD} v1.0.0\n\texample.com/text v0.1.0\n\texample.com/log v1.0.0\n)\n"
REFUSAL = "example.com/refused is not carried here; ask the build team"
RETRACTION = "Published by mistake."
DEPRECATION = "use example.com/new instead."


def quirky() -> dict[str, bytes]:
    """No @latest at all, a list that lacks versions, a branch, an Origin, words of a maintainer."""
    files = {
        **graph(),
        **module(HIDDEN, "v1.0.0", "v1.1.0", "v1.2.0"),
        **module(SHORT, "v1.0.0", "v1.1.0", "v1.2.0"),
        **module(OLD, "v1.0.0", "v1.1.0"),
        **module(BRANCH, PSEUDO),
        **module(FIRM, "v1.0.0"),
        **module(SLOW, "v1.0.0"),
    }
    files[f"{HIDDEN}/@v/list"] = files[f"{SHORT}/@v/list"] = b"v1.1.0\n"
    files[f"{BRANCH}/@v/list"] = b""
    files[f"{BRANCH}/@v/main.info"] = info(PSEUDO)
    words = (
        f"// Deprecated: {DEPRECATION}\n".encode()
        + go_mod(OLD)
        + f"retract v1.0.0 // {RETRACTION}\n".encode()
    )
    files[f"{OLD}/@v/v1.1.0.mod"] = words
    files[f"{OLD}/@v/v1.1.0.zip"] = module_zip(OLD, "v1.1.0", {"go.mod": words, "m.go": package(OLD)})
    origin = {"VCS": "git", "URL": "https://git.example.com/firm", "Hash": "0" * 40}
    row = {"Version": "v1.0.0", "Time": "2024-05-06T07:08:09Z", "Origin": origin}
    files[f"{FIRM}/@v/v1.0.0.info"] = json.dumps(row).encode()
    return {path: body for path, body in files.items() if not path.endswith("/@latest")}


def faults(path: str, count: int) -> Fault | None:
    if path.startswith("example.com/refused/"):
        return Fault(Trouble.STATUS, 403, REFUSAL)
    if path == f"{SLOW}/@v/list" and count == 0:
        return Fault(Trouble.STALL)
    return None


@dataclass
class Odd:
    lab: Lab
    ferry: Ferry
    key: str

    def client(self, folder: Path, go_mod: str = EMPTY) -> Client:
        return Client(folder, self.ferry.url, self.key, go_mod=go_mod)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    tree = Tree(quirky())
    with (
        upstream(tree, faults) as lab,
        serving(
            tmp_path_factory.mktemp("odd"), "--upstream", lab.url, "--sumdb", tree.log.verifier_key
        ) as ferry,
    ):
        yield Odd(lab, ferry, tree.log.verifier_key)


QUESTIONS = {
    "latest": (EMPTY, ["get", "example.com/log@latest"]),
    "upgrade": (USES, ["get", "example.com/log@upgrade"]),
    "patch": (USES, ["get", "example.com/text@patch"]),
    "prefix query": (EMPTY, ["get", "example.com/log@v1"]),
    "comparison": (EMPTY, ["get", "example.com/log@<v1.1.0"]),
    "all upgrades": (USES, ["list", "-m", "-u", "all"]),
    "versions": (EMPTY, ["list", "-m", "-versions", "example.com/text", SHORT, "example.com/BigCase"]),
    "a version that the list lacks": (EMPTY, ["get", f"{HIDDEN}@v1.2.0"]),
    "latest of a short list": (EMPTY, ["get", f"{SHORT}@latest"]),
    "a package deep inside": (EMPTY, ["get", DEEP]),
    "a branch": (EMPTY, ["get", f"{BRANCH}@main"]),
    "retractions and deprecations": (
        USES,
        ["list", "-m", "-u", "-f", "{{.Path}} {{.Version}} {{.Retracted}} {{.Deprecated}}", OLD],
    ),
    "a tidy graph": (EMPTY, ["mod", "tidy"]),
    "no Origin, and an Origin": (EMPTY, ["mod", "download", "-json", "example.com/text@v0.1.0", f"{FIRM}@v1.0.0"]),
}  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS)
def test_go_learns_the_same_as_without_goferry(tmp_path: Path, odd: Odd, question: str) -> None:
    main, words = QUESTIONS[question]
    seen = []
    for name, url in (("without", odd.lab.url), ("with", odd.ferry.url)):
        client = Client(tmp_path / name, url, odd.key, go_mod=main)
        (client.folder / "app.go").write_text(f'package app\n\nimport _ "{DEEP}"\n')
        done = client.go(*words)
        assert done.returncode == 0, done.stderr
        written = [client.folder / "go.mod", client.folder / "go.sum"]
        texts = [file.read_text() for file in written if file.exists()]
        seen.append((done.stdout.replace(str(client.folder), "HERE"), texts))
    assert seen[0] == seen[1]


def test_the_words_of_a_maintainer_reach_the_user(tmp_path: Path, odd: Odd) -> None:
    said = odd.client(tmp_path / "client", USES).go("get", f"{OLD}@v1.0.0").stderr
    assert f"retracted by module author: {RETRACTION}" in said
    assert f"module {OLD} is deprecated: {DEPRECATION}" in said


@pytest.mark.parametrize(
    "words", [["get", "example.com/refused@latest"], ["mod", "download", "example.com/refused@v1.0.0"]]
)
def test_a_refusal_and_its_text_reach_the_user(tmp_path: Path, odd: Odd, words: list[str]) -> None:
    client = odd.client(tmp_path / "client")
    # A list that goes on after "not found" must not go around a refusal.
    client.proxy += ",direct"
    done = client.go(*words)
    assert done.returncode != 0
    assert "403 Forbidden" in done.stderr
    assert REFUSAL in done.stderr


@pytest.mark.parametrize("name", ["log", "short", "old"])
def test_latest_is_made_of_the_list_where_the_upstream_has_none(odd: Odd, name: str) -> None:
    assert odd.lab.proxy.tree.get(f"example.com/{name}/@latest") is None
    status, _, body = odd.ferry.ask(f"/example.com/{name}/@latest")
    assert (status, json.loads(body)["Version"]) == (200, "v1.1.0")


def test_a_slow_first_answer_is_waited_for_and_the_next_one_is_quick(tmp_path: Path, odd: Odd) -> None:
    waiting = odd.client(tmp_path / "first").start("get", f"{SLOW}@latest")
    odd.lab.wait_for(f"{SLOW}/@v/list")
    assert waiting.poll() is None
    odd.lab.release()
    status, said = end(waiting)
    assert status == 0, said
    assert odd.client(tmp_path / "second").go("get", f"{SLOW}@latest").returncode == 0
    assert odd.lab.asked(f"{SLOW}/@v/list") == 1


def failing(path: str, count: int) -> Fault | None:
    """The first body of every zip is cut, and of every other file the first answer is 502."""
    if count:
        return None
    return Fault(Trouble.CUT) if path.endswith(".zip") else Fault(Trouble.STATUS, 502)


def test_clients_at_once_behind_a_failing_upstream_all_succeed(tmp_path: Path) -> None:
    tree = Tree(graph())
    key = tree.log.verifier_key
    with (
        upstream(tree, failing) as lab,
        serving(
            tmp_path, "--upstream", lab.url, "--sumdb", key, "--workers", "2", "--retry-wait-max", "10ms"
        ) as ferry,
    ):
        clients = [Client(tmp_path / str(number), ferry.url, key) for number in range(4)]
        started = [client.start("mod", "download", "all") for client in clients]
        assert [end(process) for process in started] == [(0, "")] * len(clients)
        assert len({client.sums() for client in clients}) == 1
        # Once cut, once continued: all clients and both workers share one fetch.
        asked = {count for path, count in lab.proxy.asked.items() if path.endswith(".zip")}
        assert asked == {2}
