"""What a go command asks for next, as go's own source has it."""

import pytest

from goferry.gomod.module import Version
from goferry.proxy.foresight import INFOS, ROOTS, Foresight


def go_mod(path: str, go: str, *requires: str) -> bytes:
    lines = "".join(f"\t{text.replace('@', ' ')}\n" for text in requires)
    line = f"go {go}\n" if go else ""
    return f"module {path}\n{line}require (\n{lines})\n".encode()


def version(text: str) -> Version:
    return Version(*text.split("@"))


OLD = version("example.com/old@v1.0.0")
NEW = version("example.com/new@v1.0.0")
BELOW = version("example.com/below@v1.2.0")


@pytest.mark.parametrize("go", ["", "1.9", "1.16", "1.17rc1"])
def test_below_go_117_the_whole_graph_is_wanted_in_the_order_of_the_file(go: str) -> None:
    body = go_mod(OLD.path, go, "example.com/below@v1.2.0", "example.com/a@v0.1.0")
    assert Foresight().after_mod(OLD, body) == [BELOW, version("example.com/a@v0.1.0")]


@pytest.mark.parametrize("go", ["1.17", "1.21.0", "1.26"])
def test_from_go_117_on_a_go_mod_is_complete(go: str) -> None:
    assert Foresight().after_mod(NEW, go_mod(NEW.path, go, "example.com/below@v1.2.0")) == []


def test_what_an_old_module_requires_is_wanted_with_its_graph_whatever_its_own_go_line() -> None:
    sight = Foresight()
    sight.after_mod(OLD, go_mod(OLD.path, "1.16", "example.com/below@v1.2.0"))
    deeper = go_mod(BELOW.path, "1.22", "example.com/deeper@v0.3.0")
    assert sight.after_mod(BELOW, deeper) == [version("example.com/deeper@v0.3.0")]


def test_a_module_is_told_once_and_again_when_that_was_long_ago() -> None:
    now = [100.0]
    sight = Foresight(clock=lambda: now[0])
    body = go_mod(OLD.path, "1.16", "example.com/below@v1.2.0")
    other = version("example.com/other@v1.0.0")
    assert sight.after_mod(OLD, body) == [BELOW]
    now[0] += 59
    assert sight.after_mod(other, body) == []
    now[0] += 1
    assert sight.after_mod(other, body) == [BELOW]


@pytest.mark.parametrize("body", [b"", b"<html>", b"module x\nrequire (\n", b"\xff\xfe"])
def test_a_broken_go_mod_says_nothing(body: bytes) -> None:
    assert Foresight().after_mod(OLD, body) == []


def test_the_infos_of_a_download_follow_in_the_order_of_the_go_mod_files() -> None:
    sight = Foresight()
    graph = [version(f"example.com/m{number}@v1.0.0") for number in range(INFOS + 5)]
    for module in (*graph, graph[0]):
        sight.mod_asked(module)
    assert sight.after_info(graph[1]) == graph[2 : 2 + INFOS]
    assert sight.after_info(graph[-2]) == graph[-1:]


def test_nothing_follows_an_info_without_its_go_mod() -> None:
    sight = Foresight()
    sight.mod_asked(OLD)
    assert sight.after_info(NEW) == []


def roots(count: int, name: str = "root") -> list[Version]:
    return [version(f"example.com/{name}{number}@v1.0.0") for number in range(count)]


def told(sight: Foresight, modules: list[Version]) -> list[Version]:
    return [module for asked in modules for module in sight.mod_asked(asked)]


def test_the_zips_of_a_graphs_roots_are_wanted_once_it_is_seen_to_be_loaded() -> None:
    sight, graph = Foresight(), roots(ROOTS + 3)
    assert told(sight, graph[: ROOTS - 1]) == []
    assert sight.mod_asked(graph[ROOTS - 1]) == graph[:ROOTS]
    assert told(sight, [*graph[ROOTS:], *graph]) == graph[ROOTS:]


def test_what_another_go_mod_stands_for_is_no_root() -> None:
    sight = Foresight()
    told(sight, roots(ROOTS))
    sight.after_mod(OLD, go_mod(OLD.path, "1.16", "example.com/below@v1.2.0"))
    assert sight.mod_asked(BELOW) == []
    assert sight.mod_asked(NEW) == [NEW]


def test_a_version_that_was_looked_up_is_no_root() -> None:
    """`go list -m -u` asks for the .info of the newest version, and then for its go.mod to see what it retracts."""
    sight = Foresight()
    told(sight, roots(ROOTS))
    sight.after_info(NEW)
    assert sight.mod_asked(NEW) == []


def test_modules_that_are_asked_for_now_and_then_are_no_graph() -> None:
    now = [0.0]
    sight = Foresight(clock=lambda: now[0])
    for module in roots(3 * ROOTS):
        assert sight.mod_asked(module) == []
        now[0] += 10.1


def test_after_a_pause_a_graph_has_to_be_seen_anew() -> None:
    now = [0.0]
    sight = Foresight(clock=lambda: now[0])
    told(sight, roots(2 * ROOTS))
    now[0] += 10.1
    other = roots(ROOTS, "other")
    assert told(sight, other[:-1]) == []
    assert sight.mod_asked(other[-1]) == other
