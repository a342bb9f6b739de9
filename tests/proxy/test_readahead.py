"""What is fetched before a client asks for it, what never is, and when it stops."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest

import modtree
from goferry.errors import NotFound
from goferry.gomod.goproxy import Request, parse_request
from goferry.gomod.module import Version
from goferry.lab.goproxy import Fault, Trouble
from goferry.proxy import readahead
from goferry.proxy.base import Answer, Guess, Silent
from goferry.proxy.coalesce import Flights
from goferry.proxy.foresight import ROOTS
from goferry.proxy.readahead import (
    FEWEST_AHEAD,
    PATIENCE,
    SMALL_AHEAD,
    ZIPS_AHEAD,
    ZIPS_AT_ONCE,
    ReadAhead,
)
from goferry.storage import writer
from proxyworld import World, world


def path(name: str, suffix: str) -> str:
    return f"example.com/{name}/@v/v1.0.0.{suffix}"


def tree(graph: Mapping[str, Iterable[str]], go: str = "1.16") -> dict[str, bytes]:
    """Modules example.com/NAME v1.0.0 that require each other."""
    files: dict[str, bytes] = {}
    for name, requires in graph.items():
        files |= modtree.module(
            f"example.com/{name}",
            "v1.0.0",
            requires=[(f"example.com/{other}", "v1.0.0") for other in requires],
        )
        mod = files[path(name, "mod")].decode()
        lines = [line for line in mod.splitlines() if not line.startswith("go ")]
        mod = "\n".join([lines[0], f"go {go}", *lines[1:], ""])
        files[path(name, "mod")] = mod.encode()
        files[path(name, "zip")] = modtree.module_zip(
            f"example.com/{name}", "v1.0.0", {"go.mod": mod.encode()}
        )
    return files


DIAMOND = {"a": "bc", "b": "d", "c": "d", "d": "", "e": "a"}


def asked(w: World, suffix: str) -> list[str]:
    """The modules that the upstream was asked for, each as often as it was."""
    found = (key for key, count in w.upstream.asked.items() for _ in range(count))
    return sorted(key.split("/")[1] for key in found if key.endswith(f"@v/v1.0.0.{suffix}"))


async def test_the_go_mod_files_of_an_old_modules_graph_are_fetched_once_and_nothing_else(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tree(DIAMOND)) as w:
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert asked(w, "mod") == ["a", "b", "c", "d"]
        assert asked(w, "info") == asked(w, "zip") == []
        for name in "bcd":
            assert await w.body(path(name, "mod")) == w.tree.files[path(name, "mod")]
        assert asked(w, "mod") == ["a", "b", "c", "d"]


async def test_what_is_fetched_ahead_is_proven_like_anything_else(tmp_path: Path) -> None:
    async with world(tmp_path, tree(DIAMOND)) as w:
        w.tree.files[path("d", "mod")] = b"module example.com/d\n\ngo 1.16\n\n// not what was signed\n"
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert path("d", "mod") not in await w.stored()
        assert any("example.com/d/@v/v1.0.0.mod" in name for name in w.quarantined()), w.quarantined()


async def test_a_complete_go_mod_brings_nothing_along(tmp_path: Path) -> None:
    async with world(tmp_path, tree(DIAMOND, go="1.17")) as w:
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert asked(w, "mod") == ["a"]


async def test_private_modules_are_never_guessed(tmp_path: Path) -> None:
    async with world(tmp_path, tree(DIAMOND), private="example.com/b,example.com/d") as w:
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert asked(w, "mod") == ["a", "c"]


async def test_nothing_is_fetched_ahead_when_that_is_switched_off(tmp_path: Path) -> None:
    async with world(tmp_path, tree(DIAMOND), read_ahead=False) as w:
        await w.get(path("a", "mod"))
        await w.get(path("a", "info"))
        await w.proxy.idle()
        assert asked(w, "mod") == ["a"]
        assert asked(w, "zip") == []


async def test_a_download_gets_the_next_infos_early_and_its_zips_as_their_infos_are_asked_for(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, tree(DIAMOND, go="1.17")) as w:
        for name in "abcd":
            await w.get(path(name, "mod"))
        await w.get(path("a", "info"))
        await w.proxy.idle()
        assert asked(w, "info") == ["a", "b", "c", "d"]
        assert asked(w, "zip") == ["a"]
        w.proxy.touch(path("b", "info"))  # as the server does when it sends a stored file by itself
        await w.get(path("c", "info"))
        await w.proxy.idle()
        assert asked(w, "zip") == ["a", "b", "c"]


async def test_an_info_without_its_go_mod_brings_no_zip(tmp_path: Path) -> None:
    async with world(tmp_path, tree(DIAMOND)) as w:
        await w.get(path("a", "info"))
        await w.proxy.idle()
        assert asked(w, "zip") == asked(w, "mod") == []


async def test_while_a_graph_is_loaded_the_zips_that_it_needs_are_fetched_and_no_private_ones(
    tmp_path: Path,
) -> None:
    names = [f"r{number}" for number in range(ROOTS + 2)]
    async with world(tmp_path, tree(dict.fromkeys(names, "")), private="example.com/r3") as w:
        for name in names[: ROOTS - 1]:
            await w.get(path(name, "mod"))
        await w.proxy.idle()
        assert asked(w, "zip") == []
        for name in names[ROOTS - 1 :]:
            await w.get(path(name, "mod"))
        await w.proxy.idle()
        assert asked(w, "zip") == sorted(set(names) - {"r3"})
        assert asked(w, "info") == []


async def test_a_guess_that_fails_harms_nobody_and_is_asked_again_by_who_needs_it(tmp_path: Path) -> None:
    broken = {path("b", "mod"): [Fault(Trouble.STATUS, status=404)]}

    def faults(asked: str, count: int) -> Fault | None:
        return broken[asked].pop() if broken.get(asked) else None

    async with world(tmp_path, tree(DIAMOND), faults) as w:
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert path("c", "mod") in await w.stored()
        assert path("b", "mod") not in await w.stored()
        assert await w.body(path("b", "mod")) == w.tree.files[path("b", "mod")]


async def test_what_was_refused_is_not_guessed(tmp_path: Path) -> None:
    files = tree(DIAMOND)
    gone = files.pop(path("b", "mod"))
    async with world(tmp_path, files) as w:
        with pytest.raises(NotFound):
            await w.get(path("b", "mod"))
        w.tree.files[path("b", "mod")] = gone
        await w.get(path("a", "mod"))
        await w.proxy.idle()
        assert asked(w, "mod") == ["a", "b", "c", "d"]  # b by the client alone


async def test_guesses_stop_until_they_come_true(tmp_path: Path) -> None:
    count = SMALL_AHEAD + 40
    chain = {f"m{n:04}": [f"m{n + 1:04}"] if n + 1 < count else [] for n in range(count)}
    async with world(tmp_path, tree(chain)) as w:
        await w.get(path("m0000", "mod"))
        await w.proxy.idle()
        assert len(asked(w, "mod")) == 1 + SMALL_AHEAD
        await w.get(path("m0001", "mod"))
        w.proxy.touch(path("m0002", "mod"))
        await w.proxy.idle()
        assert len(asked(w, "mod")) == 3 + SMALL_AHEAD


class Upstream:
    """Knows every file, and what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def get(self, request: Request, proven: Callable[[], bool]) -> Answer | None:
        self.asked.append(request.key)
        return Answer(request.key, 0, 0.0, immutable=True, body=b"")


async def test_when_a_client_has_gone_its_guesses_are_dropped_and_take_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(readahead, "ZIPS_AHEAD", 2)
    now = [0.0]
    upstream, flights = Upstream(), Flights()
    ahead = ReadAhead(upstream.get, flights, is_private=lambda path: False, clock=lambda: now[0])
    for name in "abcd":
        ahead.download(Version(f"example.com/{name}", "v1.0.0"))
    await flights.idle()
    assert upstream.asked == [path("a", "zip"), path("b", "zip")]
    now[0] += PATIENCE + 1
    ahead.download(Version("example.com/e", "v1.0.0"))
    await flights.idle()
    assert upstream.asked[2:] == [path("e", "zip")]
    ahead.download(Version("example.com/c", "v1.0.0"))
    await flights.idle()
    assert upstream.asked[3:] == [path("c", "zip")]


async def test_where_nobody_comes_for_what_was_fetched_less_is_fetched_until_somebody_does() -> None:
    now = [0.0]
    upstream, flights = Upstream(), Flights()
    ahead = ReadAhead(upstream.get, flights, is_private=lambda path: False, clock=lambda: now[0])

    async def fetched(name: str) -> list[str]:
        before = len(upstream.asked)
        for number in range(2 * ZIPS_AHEAD):
            ahead.download(Version(f"example.com/{name}{number}", "v1.0.0"))
        await flights.idle()
        return upstream.asked[before:]

    assert len(await fetched("a")) == ZIPS_AHEAD
    now[0] += PATIENCE + 1
    for_nobody = await fetched("b")
    assert len(for_nobody) == FEWEST_AHEAD
    before = len(upstream.asked)
    for key in for_nobody:
        ahead.asked(parse_request(key))
    await flights.idle()
    assert len(upstream.asked) - before == 2 * FEWEST_AHEAD


async def test_what_a_client_asks_for_meanwhile_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readahead, "ZIPS_AHEAD", 1)
    upstream, flights = Upstream(), Flights()
    ahead = ReadAhead(upstream.get, flights, is_private=lambda path: False)
    for name in "abc":
        ahead.download(Version(f"example.com/{name}", "v1.0.0"))
    ahead.asked(parse_request(path("b", "zip")))
    ahead.asked(parse_request(path("a", "zip")))
    await flights.idle()
    assert upstream.asked == [path("c", "zip")]


class Counting(Silent):
    """Counts guesses."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []

    def guessed(self, kind: str, outcome: Guess) -> None:
        self.seen.append((str(kind), str(outcome)))


async def test_guesses_and_those_that_came_true_are_counted_once_each() -> None:
    upstream, flights, counting = Upstream(), Flights(), Counting()
    ahead = ReadAhead(upstream.get, flights, is_private=lambda path: False, observer=counting)
    for name in "abc":
        ahead.download(Version(f"example.com/{name}", "v1.0.0"))
    ahead.asked(
        parse_request(path("c", "zip"))
    )  # before anything was fetched: that is no guess that came true
    await flights.idle()
    assert counting.seen == [("zip", "made"), ("zip", "made")]
    ahead.served(path("a", "zip"))
    ahead.served(path("a", "zip"))
    ahead.asked(parse_request(path("other", "zip")))
    assert counting.seen[2:] == [("zip", "true")]


async def test_a_guess_that_a_client_asks_for_while_it_is_under_way_came_true() -> None:
    flights, counting, here = Flights(), Counting(), asyncio.Event()

    async def slow(request: Request, proven: Callable[[], bool]) -> Answer:
        await here.wait()
        return Answer(request.key, 0, 0.0, immutable=True, body=b"")

    ahead = ReadAhead(slow, flights, is_private=lambda path: False, observer=counting)
    ahead.download(Version("example.com/a", "v1.0.0"))
    await asyncio.sleep(0)
    ahead.asked(parse_request(path("a", "zip")))
    here.set()
    await flights.idle()
    assert counting.seen == [("zip", "made"), ("zip", "true")]


@pytest.mark.parametrize("tells", [True, False])
async def test_the_next_zips_are_begun_when_those_before_them_are_only_left_to_be_kept(tells: bool) -> None:
    flights, may_keep = Flights(), asyncio.Event()
    begun: list[str] = []

    async def fetch(request: Request, proven: Callable[[], bool]) -> Answer:
        begun.append(request.key)
        if tells:
            assert not proven()
        await may_keep.wait()
        return Answer(request.key, 0, 0.0, immutable=True, body=b"")

    ahead = ReadAhead(fetch, flights, is_private=lambda path: False)
    zips = [path(f"m{number:02}", "zip") for number in range(3 * ZIPS_AT_ONCE)]
    for key in zips:
        ahead.download(parse_request(key).module)
    for _ in range(10 * len(zips)):
        await asyncio.sleep(0)
    assert begun == (zips if tells else zips[:ZIPS_AT_ONCE])
    may_keep.set()
    await flights.idle()
    assert begun == zips


async def test_who_fetches_a_zip_ahead_learns_that_a_client_waits_for_it_by_now() -> None:
    flights, here = Flights(), asyncio.Event()
    awaited: dict[str, bool] = {}

    async def fetch(request: Request, proven: Callable[[], bool]) -> Answer:
        await here.wait()
        awaited[request.key] = proven()
        return Answer(request.key, 0, 0.0, immutable=True, body=b"")

    ahead = ReadAhead(fetch, flights, is_private=lambda path: False)
    for name in "ab":
        ahead.download(Version(f"example.com/{name}", "v1.0.0"))
    await asyncio.sleep(0)
    ahead.asked(parse_request(path("a", "zip")))
    here.set()
    await flights.idle()
    assert awaited == {path("a", "zip"): True, path("b", "zip"): False}


async def test_a_client_does_not_wait_for_company_for_its_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "LINGER", 3600.0)
    names = [f"r{number}" for number in range(ROOTS)]
    async with asyncio.timeout(60), world(tmp_path, tree(dict.fromkeys(names, ""))) as w:
        for name in names:
            await w.get(path(name, "mod"))
        for name in reversed(names):
            assert await w.body(path(name, "zip")) == w.tree.files[path(name, "zip")]
