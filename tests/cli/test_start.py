"""Where the process begins: the plain `goferry deps list` says what the command line says, or leaves it to that."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from goferry.cli.atonce import at_once
from goferry.errors import GoferryError
from terminal import Said, goferry

MODS = {"a": "go 1.17\nrequire example.org/b v1.1.0", "b": ""}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """With everything in its store."""
    for name, text in MODS.items():
        place = tmp_path / f"store/example.org/{name}/@v/v1.{'ab'.index(name)}.0.mod"
        place.parent.mkdir(parents=True)
        place.write_text(f"module example.org/{name}\n{text}\n")
    (tmp_path / "d").mkdir()
    (tmp_path / "d/go.mod").write_text("module example.org/d\n")
    (tmp_path / "go.mod").write_text(
        "module example.org/m\n\nrequire example.org/a v1.0.0\n"
        "require example.org/d v1.0.0\nreplace example.org/d => ./d\n"
    )
    return tmp_path


def environ(project: Path, **more: str) -> dict[str, str]:
    return {"HOME": "/nonexistent", "GOFERRY_STORE": str(project / "store"), "GOPROXY": "off", **more}


def both(project: Path, *words: str, **more: str) -> tuple[str | None, Said]:
    """Here, and by the command line proper."""
    here = environ(project, **more)
    return at_once(["deps", "list", *words], here, project), goferry(
        "deps", "list", *words, environ=here, cwd=project
    )


@pytest.mark.parametrize(
    "words", [[], ["."], ["go.mod"], ["--json"], ["d", "--json"], ["--json", "d"]], ids=" ".join
)
def test_it_says_what_the_command_line_says(project: Path, words: list[str]) -> None:
    for _ in range(2):  # read, and remembered
        text, said = both(project, *words)
        assert (said.code, said.err) == (0, "")
        assert text == said.out
        assert "example.org/" in text


def test_each_knows_what_the_other_remembers(project: Path) -> None:
    first = at_once(["deps", "list"], environ(project), project)
    for file in (project / "store/example.org").rglob("*.mod"):
        file.unlink()
    assert first
    assert both(project) == (first, Said(0, first, ""))


def test_it_takes_the_workspace_that_go_takes(project: Path) -> None:
    (project / "go.work").write_text("go 1.21\nuse .\nuse ./d\n")
    whole, said = both(project)
    assert whole == said.out
    assert whole
    assert whole.startswith("example.org/d\nexample.org/m\n")
    alone, said = both(project, GOWORK="off")
    assert alone == said.out != whole


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["deps"],
        ["deps", "graph"],
        ["--lang", "zh", "deps", "list"],
        ["deps", "list", "--help"],
        ["deps", "list", "--offline"],
        ["deps", "list", ".", "d"],
        ["deps", "list", "./..."],
        ["deps", "list", "go.sum"],
        ["deps", "list", "--", "d"],
    ],
    ids=" ".join,
)
def test_everything_else_is_left_to_the_command_line(project: Path, arguments: list[str]) -> None:
    (project / "go.sum").write_text("")
    assert at_once(arguments, environ(project), project) is None


def test_a_setting_that_looks_like_a_mistake_is_left_to_it(project: Path) -> None:
    text, said = both(project, GOFERRY_STROE="x")
    assert text is None
    assert "GOFERRY_STROE" in said.err


@pytest.mark.parametrize("lost", ["a/@v/v1.0.0.mod", "b/@v/v1.1.0.mod"])
def test_what_the_store_lacks_is_left_to_it(project: Path, lost: str) -> None:
    (project / "store/example.org" / lost).unlink()
    text, said = both(project)
    assert text is None
    assert said.code == 3


def test_a_go_mod_of_another_module_is_left_to_it(project: Path) -> None:
    (project / "store/example.org/b/@v/v1.1.0.mod").write_text("module example.org/other\n")
    text, said = both(project)
    assert text is None
    assert said.code == 3


@pytest.mark.parametrize("name", ["go.mod", "goferry.toml"])
def test_what_is_wrong_is_said_once_by_the_command_line(project: Path, name: str) -> None:
    (project / name).write_text("<<<<<<< ours\n")
    with pytest.raises(GoferryError):
        at_once(["deps", "list"], environ(project), project)
    done = process(project)
    assert done.returncode == 2
    assert done.stderr == goferry("deps", "list", environ=environ(project), cwd=project).err
    assert done.stdout == ""


def process(project: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    outside = {name: value for name, value in os.environ.items() if not name.startswith("GOFERRY_")}
    return subprocess.run(
        [sys.executable, *words, "-m", "goferry", "deps", "list"],
        cwd=project,
        env={**outside, **environ(project), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
    )


def loaded(done: "subprocess.CompletedProcess[str]") -> set[str]:
    """The modules that goferry brought in, by `-X importtime`; the interpreter has its own before."""
    assert done.returncode == 0
    names = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    return set(names[names.index("goferry") :])


SLOW = {
    "asyncio",
    "click",
    "dataclasses",
    "goferry.config",
    "goferry.gomod.goproxy",
    "goferry.gomod.modfile",
    "inspect",
    "ipaddress",
    "logging",
    "pathlib",
    "urllib.parse",
}
"""What takes so long to import that a list must do without."""

OF_A_GRAPH = {"goferry.gomod.modgraph", "goferry.deps.stored", "sqlite3"}


def test_a_process_loads_nothing_slow(project: Path) -> None:
    """For a go.mod that nobody has seen, of modules that the store knows; and for one that is what it was."""
    mod = project / "go.mod"
    mod.write_text("module example.org/m\n\nrequire example.org/a v1.0.0\n")
    assert process(project).stdout == "example.org/m\nexample.org/a v1.0.0\nexample.org/b v1.1.0\n"
    mod.write_text("module example.org/n\n\nrequire example.org/a v1.0.0\n")
    for needed in (OF_A_GRAPH, set()):
        done = process(project, "-X", "importtime")
        assert done.stdout == "example.org/n\nexample.org/a v1.0.0\nexample.org/b v1.1.0\n"
        assert loaded(done) & (SLOW | OF_A_GRAPH) == needed


def test_a_reader_that_has_gone_is_no_error(project: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "goferry", "deps", "list"],
        cwd=project,
        env={**os.environ, **environ(project)},
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (1, "")
