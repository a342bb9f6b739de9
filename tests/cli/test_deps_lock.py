"""`goferry deps lock`: each step, what breaks it, and the real go that builds from the store alone."""

import json
import socket
from contextlib import closing
from pathlib import Path

import pytest
import yaml

import oracle
from fixworlds import FixWorld, small_world
from terminal import Said, goferry

pytestmark = pytest.mark.go


def lock(world: FixWorld, *words: str, upstream: str = "") -> Said:
    environ = oracle.go_env()
    return goferry(
        "deps", "lock", *words, "--goproxy", upstream or world.proxy.as_uri(), "--sumdb", "off",
        "--private", "example.org", "--store", str(world.folder / "store"), cwd=world.start, environ=environ,
    )  # fmt: skip


def states(said: Said) -> dict[str, str]:
    return {step["step"]: step["state"] for step in said.json["steps"]}


GOOD = {"tidy": "passed", "download": "passed", "sums": "passed", "vendor": "skipped", "offline": "skipped"}


def test_every_step_says_how_it_went(tmp_path: Path) -> None:
    said = lock(small_world(tmp_path))
    assert said.out == (
        "passed      go.mod is tidy\n"
        "passed      everything is in the store\n"
        "            1 module\n"
        "passed      go.sum is complete and proven\n"
        "skipped     vendor is what its modules are\n"
        "skipped     go builds from the store alone\n"
    )
    assert said.code == 0


def test_the_real_go_builds_from_the_store_alone(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = lock(world, "--prove-offline", "--json")
    assert (said.code, said.json["verdict"], states(said)) == (0, "passed", GOOD | {"offline": "passed"})


def test_without_go_the_offline_build_is_not_proven(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = goferry(
        "deps", "lock", "--prove-offline", "--json", "--goproxy", world.proxy.as_uri(), "--sumdb", "off",
        "--private", "example.org", "--store", str(tmp_path / "store"), cwd=world.start, environ={"PATH": ""},
    )  # fmt: skip
    assert (said.code, said.json["verdict"], states(said)["offline"]) == (3, "unproven", "unproven")


def spoil_mod(world: FixWorld) -> None:
    file = world.start / "go.mod"
    file.write_text(file.read_text() + "\nrequire example.org/y v1.0.0\n")


def spoil_sum(world: FixWorld) -> None:
    file = world.start / "go.sum"
    file.write_text(file.read_text().replace("h1:", "h1:A", 1))


def empty_sum(world: FixWorld) -> None:
    (world.start / "go.sum").unlink()


def spoil_vendor(world: FixWorld) -> None:
    world.must("mod", "vendor", cwd=world.start)
    file = next((world.start / "vendor").rglob("p.go"))
    file.write_text(file.read_text() + "\nfunc init() {}\n")


def lose_a_zip(world: FixWorld) -> None:
    next(world.proxy.rglob("*x/@v/v1.0.0.zip")).unlink()


BROKEN = {
    "an unused requirement": (spoil_mod, "tidy", "failed"),
    "a falsified hash": (spoil_sum, "sums", "failed"),
    "no go.sum": (empty_sum, "sums", "failed"),
    "an edited vendored file": (spoil_vendor, "vendor", "failed"),
    "a zip that is not to be had": (lose_a_zip, "download", "failed"),
}


def test_one_run_tells_people_and_writes_the_json(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = lock(world, "-o", "lock.json")
    assert (said.code, said.out.splitlines()[0]) == (0, "passed      go.mod is tidy")
    assert (world.start / "lock.json").read_text() == lock(world, "--json").out


@pytest.mark.parametrize("command", ["list", "graph", "audit", "fix", "gate", "lock"])
def test_a_store_that_cannot_be_used_proves_nothing(command: str, tmp_path: Path) -> None:
    """1 would say that something is wrong with the project."""
    world = small_world(tmp_path)
    (tmp_path / "file").touch()
    said = goferry(
        "deps", command, "--goproxy", world.proxy.as_uri(), "--sumdb", "off", "--private", "example.org",
        "--store", str(tmp_path / "file/store"), cwd=world.start,
    )  # fmt: skip
    assert (said.code, said.out) == (3, "")
    assert said.err.splitlines()[-2].startswith(f"goferry: the store failed at {tmp_path / 'file/store'}")


@pytest.mark.parametrize(("spoil", "step", "state"), BROKEN.values(), ids=BROKEN)
def test_what_is_broken_is_found_in_its_step(spoil: object, step: str, state: str, tmp_path: Path) -> None:
    world = small_world(tmp_path)
    spoil(world)  # type: ignore[operator]
    said = lock(world, "--json")
    assert (said.code, states(said)[step]) == (1, state)
    (found,) = [one for one in said.json["steps"] if one["step"] == step]
    assert found["details"]


def test_an_upstream_that_does_not_answer_proves_nothing(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    with closing(socket.socket()) as taken:  # bound and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        said = lock(world, "--json", upstream=f"http://127.0.0.1:{taken.getsockname()[1]}")
    assert (said.code, states(said)["download"]) == (3, "unproven")
    said = lock(world, "--json", "--offline")
    assert (said.code, states(said)["download"]) == (1, "failed")


def test_code_that_does_not_build_is_shown_with_what_go_says(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    (world.start / "broken.go").write_text("package m\n\nfunc f() int { return true }\n")
    said = lock(world, "--prove-offline")
    assert said.code == 1
    assert "failed      go builds from the store alone\n            go build" in said.out
    assert "broken.go:3" in said.out


@pytest.mark.parametrize("ci", ["github", "gitlab"])
def test_the_snippets_are_yaml_and_run_the_command(ci: str) -> None:
    said = goferry("deps", "lock", "--ci", ci)
    assert said.code == 0
    assert "goferry deps lock --prove-offline" in json.dumps(yaml.safe_load(said.out))


def test_jenkins_gets_its_own_form() -> None:
    assert "goferry deps lock --prove-offline" in goferry("deps", "lock", "--ci", "jenkins").out
