"""`goferry deps list`, `graph` and `why`: what they print, and what they say when something is missing."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from goferry.deps.chains import Chains
from goferry.gomod import dirhash
from goferry.gomod.modgraph import Graph, Main, Mains, Requirements
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import MemLog
from terminal import Said, goferry


def publish(folder: Path, **mods: str) -> None:
    """Writes go.mod files into a proxy tree: a_v1_0_0="require …"."""
    for name, text in mods.items():
        path, _, version = name.partition("_")
        place = folder / f"proxy/example.org/{path}/@v/{version.replace('_', '.')}"
        place.parent.mkdir(parents=True, exist_ok=True)
        Path(f"{place}.mod").write_text(f"module example.org/{path}\n{text}\n")
        Path(f"{place}.info").write_text(json.dumps({"Version": version.replace("_", ".")}))


def deps(folder: Path, *words: str, **environ: str) -> Said:
    """A command in a folder, with the file proxy beside it."""
    offline = ["--goproxy", (folder / "proxy").as_uri(), "--sumdb", "off", "--store", str(folder / "store")]
    return goferry("deps", *words, *offline, cwd=folder, environ=environ)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    publish(
        tmp_path,
        a_v1_0_0="go 1.17\nrequire example.org/c v1.1.0",
        b_v1_0_0="require example.org/c v1.2.0",
        c_v1_1_0="",
        c_v1_2_0="",
        d_v1_0_0="",
    )
    (tmp_path / "d").mkdir()
    (tmp_path / "d/go.mod").write_text("module example.org/d\n")
    (tmp_path / "go.mod").write_text(
        "module example.org/m\n\ngo 1.21\n\nrequire (\n\texample.org/a v1.0.0\n\texample.org/b v1.0.0 // indirect\n"
        "\texample.org/d v1.0.0\n)\n\nreplace example.org/d => ./d\n"
    )
    return tmp_path


def test_list_is_what_go_prints(project: Path) -> None:
    said = deps(project, "list")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "example.org/m\nexample.org/a v1.0.0\nexample.org/b v1.0.0\nexample.org/c v1.2.0\n"
        "example.org/d v1.0.0 => ./d\n"
    )


def test_list_has_a_stable_form_for_programs(project: Path) -> None:
    modules = deps(project, "list", "--json", ".").json["modules"]
    assert modules[0] == {
        "path": "example.org/m",
        "version": "",
        "main": True,
        "indirect": False,
        "replace": None,
    }
    assert [module["indirect"] for module in modules] == [False, False, True, True, False]
    assert modules[4]["replace"] == {"path": "./d", "version": ""}


def test_graph_is_what_go_prints(project: Path) -> None:
    said = deps(project, "graph")
    assert said.code == 0
    assert "example.org/m example.org/a@v1.0.0\n" in said.out
    assert "example.org/b@v1.0.0 example.org/c@v1.2.0\n" in said.out
    assert "go@1.21 toolchain@go1.21\n" in said.out
    edges = deps(project, "graph", "--json").json["requirements"]
    assert {"from": "example.org/m", "to": "go@1.21"} in edges


def test_why_names_the_chain_to_the_version_that_is_built(project: Path) -> None:
    said = deps(project, "why", "example.org/c", "example.org/none")
    assert said.out == (
        "# example.org/c\nexample.org/m\nexample.org/b v1.0.0\nexample.org/c v1.2.0\n\n"
        "# example.org/none\n(not in the build list)\n"
    )
    answers = deps(project, "why", "--json", "--dir", ".", "example.org/c", "example.org/none").json[
        "modules"
    ]
    assert [len(answer["chain"]) for answer in answers] == [3, 0]
    assert answers[0]["chain"][1] == {"path": "example.org/b", "version": "v1.0.0"}


@pytest.mark.parametrize("command", [["list"], ["graph"], ["why", "example.org/a"]])
def test_a_missing_module_is_named_and_nothing_is_proven(project: Path, command: list[str]) -> None:
    (project / "proxy/example.org/b/@v/v1.0.0.mod").unlink()
    said = deps(project, *command)
    assert said.code == 3
    assert "example.org/b@v1.0.0: " in said.err


def test_an_unreachable_proxy_proves_nothing(project: Path) -> None:
    said = goferry(
        "deps", "list", "--goproxy", "http://127.0.0.1:1", "--sumdb", "off", "--attempts", "1",
        "--store", str(project / "store"), cwd=project,
    )  # fmt: skip
    assert said.code == 3
    assert "example.org/a@v1.0.0: " in said.err


def test_a_local_replacement_without_go_mod_is_named(project: Path) -> None:
    (project / "d/go.mod").unlink()
    said = deps(project, "list")
    assert said.code == 3
    assert "example.org/d@v1.0.0: the folder" in said.err


def test_a_renamed_module_is_not_taken_for_another(project: Path) -> None:
    (project / "proxy/example.org/b/@v/v1.0.0.mod").write_text("module example.org/other\n")
    said = deps(project, "list")
    assert said.code == 3
    assert "is that of example.org/other" in said.err


def test_a_cycle_ends(project: Path) -> None:
    publish(project, c_v1_2_0="require example.org/b v1.0.0")
    assert deps(project, "list").code == 0


BAD: dict[str, Any] = {
    "conflict markers": "module example.org/m\n<<<<<<< HEAD\nrequire example.org/a v1.0.0\n=======\n>>>>>>> b\n",
    "not text": b"\x00\x01\x02module",
    "no module line": "go 1.21\n",
    "reserved": "module toolchain\n",
    "bad path": "module example.org/a b\n",
    "two modules": "module example.org/a\nmodule example.org/b\n",
    "a branch": "module example.org/m\nrequire example.org/a main\n",
    "unknown line": "module example.org/m\nrequires example.org/a v1.0.0\n",
    "two replacements": (
        "module example.org/m\nreplace example.org/a => ./a\nreplace example.org/a => example.org/b v1.0.0\n"
    ),
    "much wrong": "module example.org/m\n" + "what\n" * 1000,
    "huge": b"module example.org/m\n" + b"// x\n" * 10_000_000,
    "a byte order mark": "\ufeffmodule example.org/m\n",
}


@pytest.mark.parametrize("name", BAD)
def test_a_go_mod_that_go_refuses_gives_one_clear_line(tmp_path: Path, name: str) -> None:
    text = BAD[name]
    (tmp_path / "go.mod").write_bytes(text if isinstance(text, bytes) else text.encode())
    said = deps(tmp_path, "list")
    assert said.code == 2
    assert str(tmp_path / "go.mod") in said.err
    assert len([line for line in said.err.splitlines() if line.startswith("goferry: ")]) == 1
    assert len(said.err.splitlines()) <= 2  # the second says what to do


def test_windows_line_ends_make_no_difference(project: Path) -> None:
    unix = deps(project, "list").out
    (project / "go.mod").write_bytes((project / "go.mod").read_bytes().replace(b"\n", b"\r\n"))
    assert deps(project, "list").out == unix


def test_no_go_mod_at_all_is_wrong_use(tmp_path: Path) -> None:
    said = deps(tmp_path, "list", "nowhere")
    assert said.code == 2


WORKSPACES = {
    "module twice": ("go 1.24\nuse ./a\nuse ./c\n", "more than once"),
    "folder twice": ("go 1.24\nuse ./a\nuse ../w/a\n", "used twice"),
    "replaced": ("go 1.24\nuse ./a\nreplace example.org/a => ../x\n", "replaced at all versions"),
    "too old": ("go 1.20\nuse ./b\n", "requires go >= 1.24"),
    "conflict": (
        "go 1.24\nuse ./a\nuse ./b\n",
        "conflicting replacements for example.org/z in the workspace",
    ),
    "own conflict": (
        "go 1.24\nreplace example.org/z => ./x\nreplace example.org/z => ./y\n",
        "conflicting replacements",
    ),
    "no such folder": ("go 1.24\nuse ./nowhere\n", "nowhere"),
    "bad line": ("go 1.24\nuses ./a\n", "go.work:2"),
}


@pytest.mark.parametrize("name", WORKSPACES)
def test_a_workspace_that_go_refuses_gives_one_clear_line(tmp_path: Path, name: str) -> None:
    for folder, path, target in (("a", "a", "x"), ("b", "b", "y"), ("c", "a", "x")):
        file = tmp_path / "w" / folder / "go.mod"
        file.parent.mkdir(parents=True)
        file.write_text(f"module example.org/{path}\ngo 1.24\nreplace example.org/z => ../{target}\n")
    text, why = WORKSPACES[name]
    (tmp_path / "w/go.work").write_text(text)
    said = deps(tmp_path, "list", "w")
    assert said.code == 2
    assert why in said.err
    assert len([line for line in said.err.splitlines() if line.startswith("goferry: ")]) == 1


def test_a_workspace_may_overrule_what_its_modules_replace(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / "w" / folder).mkdir(parents=True)
        (tmp_path / "w" / folder / "go.mod").write_text(
            f"module example.org/{folder}\ngo 1.24\nrequire example.org/z v1.0.0\n"
            f"replace example.org/z => ../{folder}z\n"
        )
    (tmp_path / "z").mkdir()
    (tmp_path / "z/go.mod").write_text("module example.org/z\n")
    (tmp_path / "w/go.work").write_text("go 1.24\nuse ./a\nuse ./b\nreplace example.org/z => ../z\n")
    said = deps(tmp_path, "list", "w")
    assert said.out.splitlines() == ["example.org/a", "example.org/b", "example.org/z v1.0.0 => ../z"]


@pytest.mark.parametrize("command", ["list", "graph"])
def test_gowork_says_which_workspace_as_for_go(tmp_path: Path, command: str) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "go.mod").write_text(f"module example.org/{folder}\ngo 1.24\n")
    (tmp_path / "go.work").write_text("go 1.24\nuse ./a\nuse ./b\n")
    (tmp_path / "other.work").write_text("go 1.24\nuse ./b\n")

    def modules(**environ: str) -> list[str]:
        words = deps(tmp_path, command, "a", **environ).out.split()
        return sorted({word for word in words if word.startswith("example.org/")})

    if command == "list":
        assert modules() == modules(GOWORK="auto") == ["example.org/a", "example.org/b"]
        assert modules(GOWORK="off") == ["example.org/a"]
        assert modules(GOWORK=str(tmp_path / "other.work")) == ["example.org/b"]
    else:
        assert deps(tmp_path, command, "a", GOWORK="off").out.startswith("example.org/a go@1.24")
        assert "example.org/b go@1.24" in deps(tmp_path, command, "a").out


def with_database(folder: Path) -> list[str]:
    """Puts a checksum database with true records of all modules into the proxy tree; the flags that use it."""
    log = MemLog("sum.example.org")
    mods = sorted((folder / "proxy").rglob("*.mod"))
    for file in mods:
        version = Version(file.parent.parent.relative_to(folder / "proxy").as_posix(), file.stem)
        mod = dirhash.hash_go_mod(file.read_bytes())
        log.add(
            version,
            [f"{version.path} {version.version} {mod}", f"{version.path} {version.version}/go.mod {mod}"],
        )
    place = folder / "proxy/sumdb/sum.example.org"
    answers = {"supported": b"", "latest": log.get("latest")}
    for file in mods:
        path = file.parent.parent.relative_to(folder / "proxy").as_posix()
        answers[f"lookup/{path}@{file.stem}"] = log.get(f"lookup/{path}@{file.stem}")
    for count in range(1, len(mods) + 1):
        answers[f"tile/8/0/000.p/{count}"] = log.get(f"tile/8/0/000.p/{count}")
    for name, body in answers.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(body)
    return [
        "--goproxy",
        (folder / "proxy").as_uri(),
        "--sumdb",
        log.verifier_key,
        "--store",
        str(folder / "store"),
    ]


def test_a_proxy_that_lies_is_named_and_nothing_is_proven(project: Path) -> None:
    flags = with_database(project)
    assert goferry("deps", "list", *flags, cwd=project).code == 0
    shutil.rmtree(project / "store")
    lie = project / "proxy/example.org/b/@v/v1.0.0.mod"
    lie.write_text(lie.read_text().replace("v1.2.0", "v1.1.0"))
    said = goferry("deps", "list", *flags, cwd=project)
    assert said.code == 3
    assert "example.org/b@v1.0.0: " in said.err
    assert "example.org/a@v1.0.0" not in said.err


def test_chains_are_shortest_and_those_of_unknown_modules_empty() -> None:
    c, d = Version("c", "v1.0.0"), Version("d", "v1.0.0")
    graph = Graph(Mains((Main("m", Requirements("1.17", (c, d))),)))
    graph.add(c, Requirements("1.16", (d,)))
    graph.add(d, Requirements("1.16"))
    chains = Chains(graph.module_graph())
    assert chains.to("d") == (Version("m", ""), d)
    assert chains.to("m") == (Version("m", ""),)
    assert chains.to("x") == ()


def test_every_project_below_a_folder_is_listed_and_a_bad_one_is_named(project: Path) -> None:
    for name in ("tools", "vendor/x", "testdata", "node_modules/y", ".hidden"):
        (project / name).mkdir(parents=True)
        (project / name / "go.mod").write_text(f"module example.org/{name.replace('/', '')}\n")
    (project / "w/a").mkdir(parents=True)
    (project / "w/go.work").write_text("go 1.24\nuse ./a\n")
    (project / "w/a/go.mod").write_text("module example.org/w\n")
    said = deps(project, "list", "./...", "--json")
    assert (said.code, said.err) == (0, "")
    assert [(p["name"], p["root"]) for p in said.json["projects"]] == [
        ("example.org/m", str(project)),
        ("example.org/d", str(project / "d")),
        ("example.org/tools", str(project / "tools")),
        ("w", str(project / "w")),
    ]
    (project / "tools/go.mod").write_text("modul\n")
    said = deps(project, "list", "./...")
    assert said.code == 2
    assert "tools/go.mod:1: unknown directive" in said.err
    assert f"# {project / 'w/go.work'}\nexample.org/w\n" in said.out


def test_graphs_and_chains_of_every_project_below_a_folder(project: Path) -> None:
    (project / "tools").mkdir()
    (project / "tools/go.mod").write_text("module example.org/tools\ngo 1.21\nrequire example.org/a v1.0.0\n")
    said = deps(project, "graph", "./...")
    assert (said.code, said.err) == (0, "")
    assert f"# {project / 'tools/go.mod'}\nexample.org/tools example.org/a@v1.0.0\n" in said.out
    graphs = deps(project, "graph", "./...", "--json").json["projects"]
    assert [one["name"] for one in graphs] == ["example.org/m", "example.org/d", "example.org/tools"]
    assert {"from": "example.org/a@v1.0.0", "to": "example.org/c@v1.1.0"} in graphs[2]["requirements"]
    said = deps(project, "why", "example.org/c", "--dir", "./...")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"## {project / 'go.mod'}\n# example.org/c\nexample.org/m\n")
    assert f"## {project / 'tools/go.mod'}\n# example.org/c\nexample.org/tools\n" in said.out
    assert str(project / "d/go.mod") not in said.out  # it does not have it
    chains = deps(project, "why", "example.org/c", "--dir", "./...", "--json").json["projects"]
    assert [(one["name"], len(one["modules"][0]["chain"])) for one in chains] == [
        ("example.org/m", 3),
        ("example.org/tools", 3),
    ]
    (project / "tools/go.mod").write_text("modul\n")
    for words in (["graph", "./..."], ["why", "example.org/c", "--dir", "./..."]):
        said = deps(project, *words)
        assert (said.code, "tools/go.mod:1: unknown directive" in said.err) == (2, True)


@pytest.mark.parametrize("words", [["graph"], ["why", "example.org/c", "--dir"]])
def test_what_has_no_graph_is_refused_by_its_name(project: Path, words: list[str]) -> None:
    (project / "go.sum").write_text("")
    said = deps(project, *words, "go.sum")
    assert (said.code, "go.sum: a go.mod or go.work file is wanted" in said.err) == (2, True)
    said = deps(project, *words, "nowhere")
    assert (said.code, "there is no file or folder" in said.err) == (2, True)


def test_no_project_below_a_folder_is_wrong_use(tmp_path: Path) -> None:
    assert deps(tmp_path, "list", "./...").code == 2


def test_a_go_sum_names_the_versions_that_were_used(tmp_path: Path) -> None:
    (tmp_path / "go.sum").write_text(
        "example.org/a v1.0.0 h1:x=\nexample.org/a v1.0.0/go.mod h1:y=\nexample.org/b v1.0.0/go.mod h1:z=\n"
    )
    assert deps(tmp_path, "list", "go.sum").out == "example.org/a v1.0.0\n"
    (tmp_path / "go.sum").write_text("example.org/a v1.0.0\n")
    said = deps(tmp_path, "list", "go.sum")
    assert (said.code, len(said.err.splitlines())) == (2, 1)


def test_a_vendor_list_names_its_modules(tmp_path: Path) -> None:
    (tmp_path / "modules.txt").write_text(
        "# example.org/a v1.0.0 => ../a\n## explicit\nexample.org/a\n# example.org/b v1.0.0\nexample.org/b\n"
        "# example.org/c => example.org/d v1.0.0\n"
    )
    said = deps(tmp_path, "list", "modules.txt")
    assert said.out == "example.org/a v1.0.0 => ../a\nexample.org/b v1.0.0\n"
    indirect = [m["indirect"] for m in deps(tmp_path, "list", "modules.txt", "--json").json["modules"]]
    assert indirect == [False, True]
    (tmp_path / "modules.txt").write_text("what is this\n")
    assert deps(tmp_path, "list", "modules.txt").code == 2


def test_what_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("text")
    said = deps(tmp_path, "list", "README")
    assert said.code == 2
    assert "README: it is not a Go program" in said.err


def test_an_answer_is_remembered_while_the_files_of_the_project_stay_the_same(project: Path) -> None:
    first = deps(project, "list")
    shutil.rmtree(project / "proxy")
    for file in (project / "store/example.org").rglob("*.mod"):
        file.unlink()
    assert deps(project, "list") == first
    (project / "go.mod").write_text((project / "go.mod").read_text() + "\n")
    assert deps(project, "list").code == 3


def test_what_was_fetched_need_not_be_read_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = deps(project, "list")
    assert first.code == 0
    (project / "go.mod").write_text((project / "go.mod").read_text() + "\n")

    def fail(name: str, _data: bytes) -> None:
        raise AssertionError(f"{name} is read")

    monkeypatch.setattr("goferry.deps.stored.summarize", fail)
    assert deps(project, "list") == first


def test_a_change_of_a_local_replacement_makes_a_new_answer(project: Path) -> None:
    before = deps(project, "list").out
    (project / "d/go.mod").write_text("module example.org/d\nrequire example.org/e v1.0.0\n")
    publish(project, e_v1_0_0="")
    assert deps(project, "list").out == before + "example.org/e v1.0.0\n"


def test_half_an_answer_is_not_remembered_and_a_broken_one_is_passed_over(project: Path) -> None:
    place = project / "proxy/example.org/b/@v/v1.0.0.mod"
    text = place.read_text()
    place.unlink()
    assert deps(project, "list").code == 3
    place.write_text(text)
    shutil.rmtree(project / "store")  # it remembers for a while what was not found
    whole = deps(project, "list")
    assert whole.code == 0
    (answer,) = (project / "store/.goferry/answers").iterdir()
    for broken in ("", "[]", "{}", '{"version": 1}', answer.read_text()[:-9]):
        answer.write_text(broken)
        assert deps(project, "list") == whole
