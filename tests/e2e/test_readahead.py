"""What `go` asks for decides what is fetched ahead: the zips of a graph that is loaded, and none of an upgrade."""

from pathlib import Path

from e2e.ferry import NEEDS_GO, Client, serving, upstream
from modtree import module
from proxyworld import Tree

pytestmark = NEEDS_GO

NAMES = [f"example.com/m{number:02}" for number in range(12)]
MAIN = (
    "module example.org/app\n\ngo 1.21\n\nrequire (\n"
    + "".join(f"\t{name} v1.0.0\n" for name in NAMES)
    + ")\n"
)


def tree() -> Tree:
    return Tree({path: body for name in NAMES for path, body in module(name, "v1.0.0", "v1.1.0").items()})


def test_zips_come_while_the_graph_is_loaded_and_an_upgrade_is_looked_at_without_them(tmp_path: Path) -> None:
    files = tree()
    with upstream(files) as lab:
        flags = ["--upstream", lab.url, "--sumdb", files.log.verifier_key]
        with serving(tmp_path / "ferry", "--store", str(tmp_path / "kept"), *flags) as ferry:
            client = Client(tmp_path / "client", ferry.url, files.log.verifier_key, go_mod=MAIN)
            graph = client.go("mod", "graph")
            assert graph.returncode == 0, graph.stderr
            for name in NAMES:
                lab.wait_for(f"{name}/@v/v1.0.0.zip")

            newer = client.go("list", "-m", "-u", "all")
            assert newer.returncode == 0, newer.stderr
            assert newer.stdout.count("v1.0.0 [v1.1.0]") == len(NAMES)
            assert lab.asked("v1.1.0.info", "v1.1.0.mod") >= len(NAMES)

            client.download()
    assert lab.asked("v1.0.0.zip") == len(NAMES)
    assert lab.asked("v1.1.0.zip") == 0
