"""Flaws of Go itself, by the Go that really builds, with how sure that is."""

import os
from pathlib import Path

import pytest

from goferry.deps.advisories.building import ask_go, gather, repository
from goferry.deps.advisories.database import shipped
from goferry.deps.advisories.exposure import (
    Certainty,
    Evidence,
    GoVersion,
    Origin,
    deciding,
    exposure,
    from_binary,
    from_go_version,
    from_gotoolchain,
    from_lines,
)
from goferry.deps.advisories.pipelines import from_pipelines
from goferry.deps.sources import load


@pytest.mark.parametrize(
    ("version", "stdlib", "toolchain"),
    [("1.25.0", 46, 11), ("1.21.0", 75, 15), ("1.26.8", 0, 0), ("1.27.0", 0, 0)],
)
def test_the_shipped_database_knows_so_many_flaws_of_a_go(version: str, stdlib: int, toolchain: int) -> None:
    (evidence,) = from_binary(f"go{version}", "bin/x")
    go = deciding([evidence])
    assert go is not None
    found = exposure(shipped(), go)
    assert (len(found.stdlib), len(found.toolchain)) == (stdlib, toolchain)
    assert {one.path for one in found.stdlib} <= {"stdlib"}
    assert {one.path for one in found.toolchain} <= {"toolchain"}
    assert all(one.fixed.version.startswith("go1.") for one in found.stdlib if one.fixed.version)


def test_a_release_candidate_is_judged_as_one() -> None:
    def count(version: str) -> int:
        go = deciding(from_binary(version, "x"))
        assert go is not None
        return len(exposure(shipped(), go).stdlib)

    assert count("go1.27rc2") > count("go1.27rc3") >= count("go1.27.0") == 0


def ev(origin: Origin, version: str) -> Evidence:
    return Evidence(origin, version, origin.value)


B, P, E, C, T, G = Origin
EXACT, PINNED, AT_LEAST = Certainty


@pytest.mark.parametrize(
    ("evidence", "version", "certainty", "decided"),
    [
        ([ev(G, "1.21")], "1.21", AT_LEAST, G),
        ([ev(G, "1.21.0"), ev(T, "1.23.4")], "1.23.4", AT_LEAST, T),
        ([ev(G, "1.24.0"), ev(G, "1.22.0")], "1.24.0", AT_LEAST, G),  # the modules of a workspace
        ([ev(G, "1.21.0"), ev(C, "1.26.8")], "1.26.8", EXACT, C),
        ([ev(T, "1.27.1"), ev(C, "1.26.8")], "1.27.1", EXACT, T),  # that go switches to it
        ([ev(T, "1.27.1"), ev(E, "1.26.8")], "1.26.8", EXACT, E),  # GOTOOLCHAIN names it: no switch
        ([ev(C, "1.26.8"), ev(P, "1.25.0")], "1.25.0", PINNED, P),  # what ships is built there
        ([ev(P, "1.26.1"), ev(P, "1.25.3")], "1.25.3", PINNED, P),
        ([ev(P, "1.25.0"), ev(G, "1.26.0")], "1.26.0", PINNED, G),
        ([ev(P, "1.25")], "1.25", AT_LEAST, P),  # any release of it
        ([ev(P, "1.25"), ev(G, "1.25.3")], "1.25.3", AT_LEAST, G),  # the newest of them, from that one on
        ([ev(B, "1.24.0"), ev(P, "1.26.0"), ev(G, "1.27.0")], "1.24.0", EXACT, B),
        ([ev(C, "1.27rc1")], "1.27rc1", EXACT, C),
        ([ev(C, "devel"), ev(G, "1.21.0")], "1.21.0", AT_LEAST, G),
    ],
)
def test_the_most_telling_place_decides(
    evidence: list[Evidence], version: str, certainty: Certainty, decided: Origin
) -> None:
    for order in (evidence, evidence[::-1]):
        found = deciding(order)
        assert isinstance(found, GoVersion)
        assert (found.version, found.certainty, found.decided.origin) == (version, certainty, decided)
        usable = [one for one in evidence if one.version != "devel"]
        assert {found.decided, *found.others} == set(usable)


def test_without_a_usable_place_nothing_is_decided() -> None:
    assert deciding([]) is None
    assert deciding([ev(C, "devel")]) is None


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        (from_gotoolchain("go1.26.3"), [(E, "1.26.3")]),
        (from_gotoolchain("go1.26.3+auto"), [(C, "1.26.3")]),
        (from_gotoolchain("local"), []),
        (from_gotoolchain("auto"), []),
        (from_gotoolchain(""), []),
        (from_go_version("go version go1.26.8 linux/amd64\n"), [(C, "1.26.8")]),
        (from_go_version("go version go1.26.8-custom X:loopvar linux/amd64"), [(C, "1.26.8")]),
        (from_go_version("go version devel go1.28-3adf linux/amd64"), []),
        (from_go_version("bash: go: not found"), []),
        (from_binary("go1.24.1 X:boringcrypto", "x"), [(B, "1.24.1")]),
        (from_binary("devel +abc", "x"), []),
    ],
)
def test_places_that_name_a_go(found: tuple[Evidence, ...], wanted: list[tuple[Origin, str]]) -> None:
    assert [(one.origin, one.version) for one in found] == wanted


def test_the_lines_of_go_mod_and_go_work(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/go.mod").write_text("module a\ngo 1.23.0\ntoolchain go1.24.2\n")
    (tmp_path / "go.work").write_text("go 1.24.0\nuse ./a\n")
    assert [(one.origin, one.version, Path(one.where).name) for one in from_lines(load(tmp_path))] == [
        (G, "1.23.0", "go.mod"),
        (T, "1.24.2", "go.mod"),
        (G, "1.24.0", "go.work"),
    ]


def fake_go(folder: Path, script: str) -> dict[str, str]:
    """An environment whose go is that shell script."""
    go = folder / "bin" / "go"
    go.parent.mkdir()
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    return {"PATH": str(go.parent)}


@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
def test_everything_on_the_machine_is_gathered_and_nothing_downloaded(tmp_path: Path) -> None:
    project = tmp_path / "repository" / "deep"
    project.mkdir(parents=True)
    (tmp_path / "repository/.git").mkdir()
    (tmp_path / "repository/Dockerfile").write_text("FROM golang:1.25.3\n")
    (project / "go.mod").write_text("module m\ngo 1.23.0\n")
    environ = fake_go(tmp_path, 'echo "go version go1.26.8-$GOTOOLCHAIN linux/amd64"')
    (tmp_path / "env").write_text("GOTOOLCHAIN=go1.24.0\n")
    environ |= {"GOENV": str(tmp_path / "env")}
    found = gather(environ)(load(project))
    assert [(one.origin, one.version) for one in found] == [
        (G, "1.23.0"),
        (P, "1.25.3"),
        (E, "1.24.0"),
        (C, "1.26.8"),
    ]
    named = gather({**environ, "GOTOOLCHAIN": "go1.24.9"})(load(project))
    assert (E, "1.24.9") in [(one.origin, one.version) for one in named]


@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
def test_a_go_that_does_not_answer_is_no_evidence(tmp_path: Path) -> None:
    assert ask_go(fake_go(tmp_path, "exit 1")) == ()
    assert ask_go({"PATH": str(tmp_path)}) == ()
    assert repository(tmp_path) == tmp_path.resolve()


@pytest.mark.parametrize(
    ("file", "text", "wanted"),
    [
        ("Dockerfile", "FROM golang:1.25.3-alpine AS build\n", ["1.25.3"]),
        (
            "Dockerfile",
            "FROM --platform=linux/amd64 registry.example.org/library/golang:1.25@sha256:ab\n",
            ["1.25"],
        ),
        (
            "Dockerfile",
            "FROM golang:latest\n# FROM golang:1.20.1\nFROM golangci:1.2\nFROM golang:1.25.3.4\n",
            [],
        ),
        ("build.Dockerfile", "FROM golang:1.27rc1\n", ["1.27rc1"]),
        (
            ".github/workflows/ci.yml",
            "  - uses: actions/setup-go@v5\n    with:\n      go-version: '1.24.x'\n",
            ["1.24"],
        ),
        (
            ".github/workflows/ci.yml",
            "      go-version: ${{ matrix.go }}\n    container: golang:1.26.2\n",
            ["1.26.2"],
        ),
        (".github/workflows/ci.yaml", "      go-version: 1.24.1 # pinned\n", ["1.24.1"]),
        (
            ".gitlab-ci.yml",
            'image: "golang:1.23.4"\nvariables:\n  GO_VERSION: 1.22.1\n',
            ["1.23.4", "1.22.1"],
        ),
        (".circleci/config.yml", "      - image: cimg/go:1.25.1\n", ["1.25.1"]),
        ("azure-pipelines.yml", "- task: GoTool@0\n  inputs:\n    version: '1.24.0'\n", ["1.24.0"]),
        ("Jenkinsfile", "agent { docker { image 'golang:1.25.0' } }\n", ["1.25.0"]),
        (".tool-versions", "nodejs 20.1.0\ngolang 1.25.2\n", ["1.25.2"]),
        ("mise.toml", '[tools]\ngo = "1.26.1"\n', ["1.26.1"]),
        (".go-version", "1.24.5\n", ["1.24.5"]),
        ("docs/Dockerfile", "FROM golang:1.25.3\n", []),
        ("Dockerfile", "\xff\x00\nFROM golang:1.25.3\n", ["1.25.3"]),
    ],
)
def test_pipelines_say_what_they_build_with(tmp_path: Path, file: str, text: str, wanted: list[str]) -> None:
    place = tmp_path / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text, "latin-1")
    found = from_pipelines(tmp_path)
    assert [one.version for one in found] == wanted
    assert all(one.origin is P and one.where.startswith(f"{file}:") for one in found)
