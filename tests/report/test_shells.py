"""Variables in the syntax of each place: quoting that the place undoes, and how a variable is taken away there."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.report import shells

# values that each syntax must carry unchanged
ODD = [
    "",
    "a b",
    "it's",
    'a"b',
    "$HOME",
    "`id`",
    "a\\b",
    "*.example.org,x/?",
    "密",
    "a\\'b",
    "#x",
    "-mod=mod -v",
]


@pytest.mark.parametrize("value", ODD)
@pytest.mark.parametrize("shell", ["sh", "bash", "dash", "zsh"])
def test_a_real_shell_reads_the_value_back(shell: str, value: str) -> None:
    if shutil.which(shell) is None:
        shell = "sh"
    line = shells.render("sh", {"GOX": value})[0]
    read = subprocess.run(
        [shell, "-c", f'{line}\nprintf %s "$GOX"'], capture_output=True, text=True, check=True
    )
    assert read.stdout == value


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_yaml_values_are_json_strings(value: str) -> None:
    heading, line = shells.render("github", {"GOX": value})
    assert heading == "env:"
    assert json.loads(line.removeprefix("  GOX: ")) == value


# shell, value, line (facts: documentation of fish, PowerShell, Dockerfile, GitLab, compose and systemd.exec)
QUOTED = [
    ("fish", "it's \\n", r"set -gx GOX 'it\'s \\n'"),
    ("powershell", "it's $x", "$env:GOX = 'it''s $x'"),
    ("docker", 'a "$x" \\', r'ENV GOX="a \"\$x\" \\"'),
    ("gitlab", "$x", '  GOX: "$$x"'),
    ("compose", "$x", '  GOX: "$$x"'),
    ("systemd", 'a "%h" \\', r'Environment="GOX=a \"%%h\" \\"'),
    ("go", "a|b", "go env -w 'GOX=a|b'"),
]


@pytest.mark.parametrize(("shell", "value", "line"), QUOTED)
def test_other_syntaxes_escape_what_is_special_there(shell: str, value: str, line: str) -> None:
    assert shells.render(shell, {"GOX": value})[-1] == line


@pytest.mark.parametrize(
    ("environ", "platform", "shell"),
    [
        ({"SHELL": "/usr/bin/fish"}, "linux", "fish"),
        ({"SHELL": "/bin/bash"}, "linux", "sh"),
        ({}, "linux", "sh"),
        ({}, "win32", "powershell"),
        ({"SHELL": "/usr/bin/bash"}, "win32", "sh"),
    ],
)
def test_the_shell_is_guessed_from_its_surroundings(environ: dict, platform: str, shell: str) -> None:
    assert shells.detect(environ, platform) == shell


# shell, line that takes the variable away, or sets it to nothing where that is all that can be done
REMOVED = [
    ("sh", "unset GOX"),
    ("fish", "set -e GOX"),
    ("powershell", "Remove-Item Env:GOX"),
    ("docker", 'ENV GOX=""'),
    ("compose", '  GOX: ""'),
    ("github", '  GOX: ""'),
    ("gitlab", '  GOX: ""'),
    ("systemd", "UnsetEnvironment=GOX"),
    ("sudo", "sudo env -u GOX go mod download"),
    ("go", "go env -u GOX"),
]


@pytest.mark.parametrize(("shell", "line"), REMOVED)
def test_a_variable_can_be_taken_away_in_every_place(shell: str, line: str) -> None:
    assert shells.render(shell, {"GOX": None})[-1] == line


def test_every_place_has_a_way_to_take_a_variable_away() -> None:
    assert [shell for shell, _line in REMOVED] == list(shells.SHELLS)


def test_a_real_shell_takes_the_variable_away() -> None:
    script = "\n".join([*shells.render("sh", {"GOX": None}), 'printf %s "${GOX-gone}"'])
    read = subprocess.run(
        ["sh", "-c", script], capture_output=True, text=True, check=True, env={**os.environ, "GOX": "x"}
    )
    assert read.stdout == "gone"


@pytest.mark.parametrize("value", [value for value in ODD if "\n" not in value])
def test_the_real_go_reads_back_what_it_was_told_to_keep(tmp_path: Path, value: str) -> None:
    environ = {**os.environ, "GOENV": str(tmp_path / "env"), "GOTOOLCHAIN": "local"}
    environ.pop("GOPRIVATE", None)
    (line,) = shells.render("go", {"GOPRIVATE": value})
    subprocess.run(["sh", "-c", line], check=True, env=environ)
    read = subprocess.run(
        ["go", "env", "GOPRIVATE"], capture_output=True, text=True, check=True, env=environ
    ).stdout
    assert read.removesuffix("\n") == value


def test_sudo_gets_one_command_and_the_line_that_keeps_it_for_good() -> None:
    assert shells.render("sudo", {"GOX": "a b", "GOY": None}) == [
        "sudo env -u GOY 'GOX=a b' go mod download",
        '# or for good, as a line in visudo: Defaults env_keep += "GOX"',
    ]
