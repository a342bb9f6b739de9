"""`goferry env`: the right variables for each profile."""

import pytest

from goferry.cli import clients
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
