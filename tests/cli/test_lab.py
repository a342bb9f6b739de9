"""`goferry lab`: the scenarios listed, explained, and run with a command."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from goferry.lab import cases
from labneeds import require_go, require_namespaces
from terminal import Said, goferry


def lab(*arguments: str) -> Said:
    return goferry("lab", *arguments, environ={"PATH": os.environ["PATH"]})


def test_list_names_every_scenario_with_what_it_needs_and_shows() -> None:
    rows = [line.split(maxsplit=3) for line in lab("list").out.splitlines()]
    assert [row[:3] for row in rows] == [
        [scenario.name, str(scenario.needs), scenario.expected or "-"] for scenario in cases.SCENARIOS
    ]
    assert [
        "dns-dead",
        "namespace",
        "dns_resolver_unreachable",
        "The only name server does not answer.",
    ] in rows


def test_list_speaks_json() -> None:
    found = {scenario["name"]: scenario for scenario in lab("list", "--json").json["scenarios"]}
    assert found["goproxy-off"] == {
        "name": "goproxy-off",
        "needs": "loopback",
        "cause": "goproxy_off",
        "cause_without_second_opinion": "goproxy_off",
        "summary": "GOPROXY=off forbids every download.",
        "mends": ["export GOPROXY=https://mirror.example.net"],
        "wants": "",
    }
    assert found["well"]["cause"] is None
    assert found["goproxy-misspelt-host"]["cause_without_second_opinion"] == "dns_negative_filter"


def test_show_explains_a_fault_and_what_mends_it() -> None:
    said = lab("show", "large-clienthello").out
    for words in ("Cause: tls_large_clienthello", "What is seen", "Why", "Its neighbours", "What mends it"):
        assert words in said
    assert said.splitlines()[-1] == "  $ export GODEBUG=tlsmlkem=0"


def test_show_says_what_it_cannot_be_told_from_without_second_opinions() -> None:
    said = lab("show", "goproxy-misspelt-host").out
    assert "it cannot be told from dns_negative_filter" in said
    assert "cannot be told" not in lab("show", "goproxy-misspelt-mirror").out


def test_show_says_of_a_healthy_world_that_it_is_one() -> None:
    assert lab("show", "well-cdn").out.splitlines()[1:] == ["A diagnosis must find nothing here."]


@pytest.mark.parametrize("words", [("run", "dns-deaf"), ("show", "dns-deaf"), ("shell", "dns-deaf")])
def test_an_unknown_scenario_is_one_line_with_the_nearest_name(words: tuple[str, ...]) -> None:
    said = lab(*words)
    assert said.code == 2
    assert said.err == "goferry: no such scenario: dns-deaf\n  did you mean dns-dead?\n"


@pytest.mark.go
def test_run_passes_on_what_go_says_and_its_status() -> None:
    require_go()
    said = lab("run", "goproxy-502")
    assert said.code == 1
    assert said.err.startswith("goproxy-502: The module proxy answers everything with 502.\n")
    assert "502 Bad Gateway" in said.err


@pytest.mark.go
def test_run_takes_any_command_and_reports_it_as_json() -> None:
    require_go()
    said = lab("run", "well", "--json", "--", "sh", "-c", "echo seen; exit 7")
    assert (said.code, said.json["exit"], said.json["command"][0]) == (7, 7, "sh")
    assert "seen\n" in said.err


@pytest.mark.go
def test_a_command_that_is_not_there_is_one_line() -> None:
    require_go()
    said = lab("run", "well", "--", "no-such-program")
    assert said.code == 1
    assert said.err.splitlines()[1:] == ["goferry: no such command in this scenario: no-such-program"]


def test_without_go_it_says_so() -> None:
    said = goferry("lab", "run", "well", environ={"PATH": "/nonexistent"})
    assert said.code == 1
    assert "goferry: no go command on PATH" in said.err


@pytest.mark.namespace
@pytest.mark.go
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_nothing_is_left_when_it_is_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    require_go()
    require_namespaces()
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "goferry",
            "lab",
            "run",
            "well",
            "--",
            "sh",
            "-c",
            "echo begun; exec sleep 600",
        ],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    process.send_signal(number)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints
    assert list(tmp_path.iterdir()) == []
    assert "Traceback" not in complaints


@pytest.mark.go
def test_a_shell_is_the_one_of_the_user(tmp_path: Path) -> None:
    require_go()
    shell = tmp_path / "shell"
    shell.write_text(f"#!{shutil.which('sh')}\npwd; exit 3\n")
    shell.chmod(0o755)
    said = goferry("lab", "shell", "well", environ={"PATH": os.environ["PATH"], "SHELL": str(shell)})
    assert said.code == 3
    assert said.out.strip().endswith("/work")
