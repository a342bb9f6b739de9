"""`goferry warm` with a proxy of its own making: everything is asked for once, and what fails is said."""

import json
from pathlib import Path

import pytest

from goferry.cli.progress import Lines, Silent
from goferry.cli.warm import warm
from goferry.deps.sources import Exact
from goferry.errors import GoferryError, NotFound, StorageError, UpstreamError
from goferry.gomod.goproxy import Kind, Request
from goferry.gomod.modgraph import Local, Main, Mains, Replacements, Requirements
from goferry.gomod.module import Version
from goferry.proxy.base import Answer
from modtree import module as tree_of
from terminal import goferry

A, B, C = (Version(f"example.org/{name}", "v1.0.0") for name in "abc")


class FakeProxy:
    """Answers from a tree, counts what it is asked, and fails where it is told to."""

    def __init__(self, fails: dict[str, GoferryError] | None = None) -> None:
        # a → b → c; a and b name all that they need, so c is in the whole graph only.
        self.tree = (
            tree_of(A.path, "v1.0.0", requires=[(B.path, B.version)])
            | tree_of(B.path, "v1.0.0", requires=[(C.path, C.version)])
            | tree_of(C.path, "v1.0.0")
        )
        self.asked: list[str] = []
        self.fails = fails or {}

    async def answer(self, request: Request) -> Answer:
        self.asked.append(request.key)
        if request.key in self.fails:
            raise self.fails[request.key]
        body = self.tree[request.key]
        return Answer(request.key, len(body), 0.0, True, body=body)


def mains(replace: Replacements | None = None) -> Mains:
    return Mains((Main("example.org/main", Requirements("1.21", (A,)), replace=replace or {}),))


MAINS = mains()


async def test_a_graph_is_warmed_with_every_go_mod_and_the_zips_that_are_built() -> None:
    proxy = FakeProxy()
    outcome = await warm(proxy, [MAINS], 4, Silent())
    mods = [f"example.org/{name}/@v/v1.0.0.mod" for name in "abc"]
    rest = [f"example.org/{name}/@v/v1.0.0.{kind}" for name in "ab" for kind in ("info", "zip")]
    assert sorted(proxy.asked) == sorted(mods + rest)
    assert outcome.files == {Kind.MOD: 3, Kind.INFO: 2, Kind.ZIP: 2}
    assert outcome.size == sum(len(proxy.tree[key]) for key in proxy.asked)
    assert outcome.failed == []


async def test_two_graphs_with_a_common_part_ask_for_it_once() -> None:
    proxy = FakeProxy()
    await warm(proxy, [MAINS, MAINS, Exact((A,), (B,))], 2, Silent())
    assert len(proxy.asked) == len(set(proxy.asked))


async def test_a_go_sum_is_warmed_to_the_line() -> None:
    proxy = FakeProxy()
    await warm(proxy, [Exact((A,), (B,))], 4, Silent())
    assert sorted(proxy.asked) == [
        "example.org/a/@v/v1.0.0.info", "example.org/a/@v/v1.0.0.zip", "example.org/b/@v/v1.0.0.mod",
    ]  # fmt: skip


async def test_a_go_mod_that_go_does_not_read_may_be_missing() -> None:
    key = "example.org/c/@v/v1.0.0.mod"
    outcome = await warm(FakeProxy({key: NotFound("gone")}), [MAINS], 4, Silent())
    assert ([f.key for f in outcome.unneeded], outcome.failed) == ([key], [])


@pytest.mark.parametrize("name", ["b/@v/v1.0.0.mod", "b/@v/v1.0.0.zip", "a/@v/v1.0.0.info"])
async def test_what_go_needs_and_is_missing_is_a_failure_and_the_rest_goes_on(name: str) -> None:
    key = f"example.org/{name}"
    proxy = FakeProxy({key: UpstreamError("broken {x}", x="pipe")})
    outcome = await warm(proxy, [MAINS], 4, Silent())
    assert [f.to_json() for f in outcome.failed] == [
        {"key": key, "code": "upstream_error", "error": "broken pipe"}
    ]
    assert outcome.files[Kind.ZIP] >= 1


async def test_a_go_mod_that_cannot_be_read_is_a_failure() -> None:
    proxy = FakeProxy()
    proxy.tree["example.org/b/@v/v1.0.0.mod"] = b"require ("
    outcome = await warm(proxy, [MAINS], 4, Silent())
    assert [f.key for f in outcome.failed] == ["example.org/b/@v/v1.0.0.mod"]


async def test_a_full_disk_ends_it_at_once() -> None:
    proxy = FakeProxy({"example.org/a/@v/v1.0.0.mod": StorageError("full")})
    with pytest.raises(ExceptionGroup) as caught:
        await warm(proxy, [MAINS], 4, Silent())
    assert caught.group_contains(StorageError)


async def test_replacements_are_warmed_instead_of_what_they_replace(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(f"module x.example.org\nrequire {C.path} {C.version}\n")
    proxy = FakeProxy()
    await warm(proxy, [mains({A: Local(str(tmp_path))})], 4, Silent())
    assert sorted(proxy.asked) == [f"example.org/c/@v/v1.0.0.{kind}" for kind in ("info", "mod", "zip")]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_log_gets_a_line_every_few_seconds_and_none_for_a_short_run() -> None:
    said: list[str] = []

    class Listener:
        note = staticmethod(said.append)

    clock = Clock()
    lines = Lines(Listener(), clock)  # type: ignore[arg-type]
    for second in range(12):
        clock.now = float(second)
        lines.update(second, 100, "zips" if second > 7 else "")
    assert said == ["5 of 100 done", "10 of 100 done  zips"]


# ---- the whole command, from a file:// upstream -------------------------------------------------------


def world(folder: Path) -> tuple[str, Path]:
    for key, body in FakeProxy().tree.items():
        file = folder / "upstream" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    (folder / "go.mod").write_text(f"module example.org/main\n\ngo 1.21\n\nrequire {A.path} {A.version}\n")
    return f"file://{folder}/upstream", folder / "store"


def test_the_command_fills_a_store_and_says_so(tmp_path: Path) -> None:
    upstream, store = world(tmp_path)
    arguments = ("--upstream", upstream, "--sumdb", "off", "--store", str(store))
    said = goferry("warm", *arguments, cwd=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("2 zips, 3 go.mod and 2 .info files in the store, ")
    again = goferry("warm", "--json", "-j", "1", "go.mod", *arguments, cwd=tmp_path)
    assert again.json["files"] == {"mod": 3, "info": 2, "zip": 2}
    assert goferry("warm", *arguments, cwd=tmp_path, tty=True).out == said.out


def test_exit_status_and_standard_error_tell_of_what_is_missing(tmp_path: Path) -> None:
    upstream, store = world(tmp_path)
    (tmp_path / "upstream/example.org/b/@v/v1.0.0.zip").unlink()
    said = goferry("warm", "--upstream", upstream, "--sumdb", "off", "--store", str(store), cwd=tmp_path)
    assert said.code == 1
    assert said.err.startswith("goferry: example.org/b/@v/v1.0.0.zip: ")
    assert "1 failed" in said.out
    in_json = goferry(
        "warm", "--json", "--upstream", upstream, "--sumdb", "off", "--store", str(store), cwd=tmp_path
    )
    assert [failure["code"] for failure in json.loads(in_json.out)["failed"]] == ["not_found"]
