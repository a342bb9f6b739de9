"""`goferry deps audit --with-govulncheck`: the real tool's word beside ours."""

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import oracle
from advisories import block, file
from auditworld import World
from goferry.deps import govulncheck
from modtree import module as tree_of

FLAWED = "example.org/flawed"
CALL = [
    {"module": FLAWED, "version": "v1.0.0", "package": FLAWED, "function": "Name"},
    {"module": "example.org/app", "package": "example.org/app", "function": "main"},
]
script = pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    advise(found, "GO-2024-0001", FLAWED, "0 -1.1.0", "Name")
    return found


def advise(world: World, id: str, module: str, versions: str, symbol: str = "") -> None:
    imports = [{"path": module, "symbols": [symbol]}] if symbol else []
    name, data = file(id, block(module, versions, imports=imports))
    world.put(f"db/{name}", data)


def says(world: World, *findings: Any, go: str = "go1.99.0", level: str = "symbol", status: int = 0) -> str:
    """A govulncheck that says this; the folder that it is in."""
    config = {"protocol_version": "v1.0.0", "scanner_name": "govulncheck", "scanner_version": "v1.9.0",
              "go_version": go, "scan_level": level}  # fmt: skip
    said = [{"config": config}, *({"finding": one} for one in findings)]
    world.put("tools/said", "\n".join(map(json.dumps, said)))
    program = world.put(
        f"tools/{govulncheck.PROGRAM}",
        f"#!{sys.executable}\nimport pathlib, sys\n"
        "print(pathlib.Path(__file__).with_name('said').read_text())\n"
        f"print('main.go:3: no such thing', file=sys.stderr)\nsys.exit({status})\n",
    )
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return str(program.parent)


def flaw(world: World, path: str, *words: str, code: int = 1, kind: str = "vulnerability") -> Any:
    said = world.audit("app", "--json", "--with-govulncheck", "--go", "1.99.0", *words, PATH=path)
    assert said.code == code, said.err + said.out
    (found,) = [one for one in said.json["findings"] if one["kind"] == kind]
    return found


@script
def test_a_chain_of_calls_is_its_word_and_an_error(world: World) -> None:
    world.project()
    tools = says(world, {"osv": "GO-2024-0001", "trace": CALL})
    found = flaw(world, tools)
    assert found["severity"] == "error"
    assert found["details"]["govulncheck"] == {
        "seen": "called",
        "scanner": "govulncheck v1.9.0",
        "go": "go1.99.0",
        "calls": [["example.org/app.main", f"{FLAWED}.Name"]],
    }
    text = world.audit("app", "--with-govulncheck", "--go", "1.99.0", PATH=tools).out
    assert "govulncheck: called]" in text
    assert "example.org/app.main → example.org/flawed.Name" in text
    for form in ("markdown", "html", "sarif"):
        text = world.audit("app", "--with-govulncheck", "--go", "1.99.0", "--format", form, PATH=tools).out
        assert "example.org/app.main → example.org/flawed.Name" in text


@script
@pytest.mark.parametrize(
    ("frames", "level", "severity", "seen"),
    [
        (CALL[:1], "symbol", "error", "called"),
        ([{k: v for k, v in CALL[0].items() if k != "function"}], "symbol", "warning", "imported"),
        ([{"module": FLAWED, "version": "v1.0.0"}], "symbol", "warning", "required"),
        ([{"module": FLAWED, "version": "v1.0.0"}], "module", "error", "required"),
        (None, "symbol", "error", "nothing"),
    ],
)
def test_without_a_call_it_is_a_warning_and_never_less(
    world: World, frames: Any, level: str, severity: str, seen: str
) -> None:
    world.project()
    findings = [{"osv": "GO-2024-0001", "trace": frames}] if frames else []
    found = flaw(world, says(world, *findings, level=level), code=1 if severity == "error" else 0)
    assert (found["severity"], found["details"]["govulncheck"]["seen"]) == (severity, seen)


@script
def test_what_it_says_of_another_go_is_not_said_of_the_one_that_builds(world: World) -> None:
    world.project()
    advise(world, "GO-2024-0009", "stdlib", "0 -1.100.0-0")
    frame = {"module": "stdlib", "version": "v1.99.0", "package": "net/http"}
    for go, seen, severity in (("go1.99.0", "imported", "warning"), ("go1.98.0", "other_go", "error")):
        tools = says(world, {"osv": "GO-2024-0009", "trace": [frame]}, go=go)
        found = flaw(world, tools, kind="stdlib")
        assert (found["details"]["govulncheck"]["seen"], found["severity"]) == (seen, severity)


@script
@pytest.mark.parametrize(("status", "words"), [(1, "no such thing"), (None, "go install golang.org/x/vuln")])
def test_without_a_result_of_it_that_is_said_and_the_rest_stands(
    world: World, status: int | None, words: str
) -> None:
    world.project()
    path = "/nonexistent" if status is None else says(world, status=status)
    said = world.audit(
        "app", "--json", "--with-govulncheck", "--go", "1.99.0", "--fail-on", "none", PATH=path
    )
    assert said.code == 3
    (blind,) = said.json["unproven"]
    assert (blind["id"], words in blind["message"]["text"]) == ("govulncheck", True)
    assert "GO-2024-0001" in [one["id"] for one in said.json["findings"]]


@script
def test_a_flaw_that_only_it_knows_is_not_swallowed(world: World) -> None:
    world.project()
    trace = [{"module": "example.org/middle", "version": "v1.0.0"}]
    tools = says(world, {"osv": "GO-2024-0077", "trace": trace})
    said = world.audit(
        "app", "--json", "--with-govulncheck", "--go", "1.99.0", "--fail-on", "none", PATH=tools
    )
    assert said.code == 3
    assert "GO-2024-0077 example.org/middle" in said.json["unproven"][0]["message"]["text"]


def test_it_is_not_run_where_there_is_nothing_to_ask_about(world: World) -> None:
    world.project("app", "example.org/old v1.0.0")
    assert world.audit("app", "--with-govulncheck", "--go", "1.99.0", PATH="/nonexistent").code == 0


@pytest.mark.govulncheck
def test_the_real_one_follows_the_calls(world: World) -> None:
    program, go = govulncheck.find(dict(os.environ)), oracle.go_command()
    if program is None or go is None:
        pytest.skip(f"no govulncheck here: {govulncheck.INSTALL}")
    broken = {"f.go": b"package flawed\n\nfunc Broken() {}\n"}
    world.publish(tree_of(FLAWED, "v1.0.0", "v1.1.0", extra=broken))
    advise(world, "GO-2024-0001", FLAWED, "0 -1.1.0", "Broken")
    world.put("app/go.mod", f"module example.org/app\n\ngo 1.21\n\nrequire {FLAWED} v1.0.0\n")
    world.put("app/main.go", f'package main\n\nimport "{FLAWED}"\n\nfunc main() {{ flawed.Broken() }}\n')
    cache = subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    environ = {
        "PATH": os.pathsep.join((str(Path(program).parent), str(Path(go).parent))),
        "HOME": str(world.folder),
        "GOCACHE": cache,
        "GOFLAGS": "-mod=mod -modcacherw",
    }
    for more in ((), ("--offline",)):  # go finds the modules where goferry does
        said = world.audit("app", "--json", "--with-govulncheck", *more, **environ)
        (found,) = [one for one in said.json["findings"] if one["kind"] == "vulnerability"]
        word = found["details"]["govulncheck"]
        assert (word["seen"], word["calls"]) == ("called", [["example.org/app.main", f"{FLAWED}.Broken"]])
        shutil.rmtree(world.folder / "go")
