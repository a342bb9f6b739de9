"""`goferry env`: the right variables for each profile, and quoting that each shell undoes."""

import json
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.cli import clients, shells
from goferry.config import Address, Settings
from goferry.errors import InvalidInput
from terminal import goferry

NAMES = ["GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOFLAGS"]

# profile, arguments, variables
PROFILES = [
    ("dev", {}, ["http://g:8080,direct", "none", "none", "none", "sum.golang.org", ""]),
    ("ci", {}, ["http://g:8080", "none", "none", "none", "sum.golang.org", "-modcacherw"]),
    ("prod", {}, ["http://g:8080", "none", "none", "none", "sum.golang.org", "-modcacherw -trimpath"]),
    (
        "ci",
        {"private": "git.example.org/*", "direct": "git.example.org/x", "sumdb": "db.example.org+1+AAA https://u"},
        ["http://g:8080", "git.example.org/*", "git.example.org/x", "git.example.org/*", "db.example.org+1+AAA",
         "-modcacherw"],
    ),
    # go knows one database at a time: of several it is told the one that goferry proves with.
    ("ci", {"sumdb": "db.example.org+1+AAA https://u, sum.golang.org"},
     ["http://g:8080", "none", "none", "none", "db.example.org+1+AAA", "-modcacherw"]),
    ("dev", {"sumdb": "off"}, ["http://g:8080,direct", "none", "none", "none", "off", ""]),
]  # fmt: skip


@pytest.mark.parametrize(("profile", "given_", "values"), PROFILES)
def test_each_profile_sets_all_six_variables(profile: str, given_: dict, values: list[str]) -> None:
    arguments = {"sumdb": "sum.golang.org", "private": "", **given_}
    assert clients.variables(profile, url="http://g:8080/", **arguments) == dict(
        zip(NAMES, values, strict=True)
    )


@pytest.mark.parametrize("profile", clients.PROFILES)
def test_only_developers_ever_go_direct(profile: str) -> None:
    proxy = clients.variables(profile, url="http://g", sumdb="off", private="")["GOPROXY"]
    assert ("direct" in proxy) is (profile == "dev")


def test_prod_refuses_patterns_that_go_around_the_proxy() -> None:
    with pytest.raises(InvalidInput, match="never direct"):
        clients.variables("prod", url="http://g", sumdb="off", private="", direct="x.example.org")


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


# shell, value, line (facts: fish, PowerShell, Dockerfile and GitLab documentation)
QUOTED = [
    ("fish", "it's \\n", r"set -gx GOX 'it\'s \\n'"),
    ("powershell", "it's $x", "$env:GOX = 'it''s $x'"),
    ("docker", 'a "$x" \\', r'ENV GOX="a \"\$x\" \\"'),
    ("gitlab", "$x", '  GOX: "$$x"'),
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


@pytest.mark.parametrize(
    ("addr", "tls", "url"),
    [
        (Address("127.0.0.1", 8080), None, "http://127.0.0.1:8080"),
        (Address("0.0.0.0", 80), None, "http://127.0.0.1:80"),
        (Address("::", 80), None, "http://[::1]:80"),
        (Address("goproxy.example.org", 443), "c", "https://goproxy.example.org:443"),
    ],
)
def test_the_url_is_one_that_a_client_here_can_use(addr: Address, tls: str | None, url: str) -> None:
    assert clients.base_url(Settings(addr=addr, tls_cert=tls)) == url


def test_the_command_prints_lines_to_paste() -> None:
    said = goferry("env", "--profile", "ci", "--shell", "sh", "--private", "git.example.org/*")
    assert said.out.splitlines() == [
        "export GOPROXY=http://127.0.0.1:8080",
        "export GOPRIVATE='git.example.org/*'",
        "export GONOPROXY=none",
        "export GONOSUMDB='git.example.org/*'",
        "export GOSUMDB=sum.golang.org",
        "export GOFLAGS=-modcacherw",
    ]


def test_json_and_settings_from_the_environment() -> None:
    said = goferry(
        "env", "--json", "--url", "https://goproxy.example.org",
        environ={"GOFERRY_SUMDB": "off", "GONOSUMDB": "git.example.org"},
    )  # fmt: skip
    assert said.json == dict(
        zip(
            NAMES,
            [
                "https://goproxy.example.org,direct",
                *["git.example.org", "none", "git.example.org"],
                "off",
                "",
            ],
            strict=True,
        )
    )
