"""What the go command here would use; goferry in its own list; the start without any go."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from goferry.cli.environment import (
    FALLBACK_PROXY,
    Complete,
    GoEnvironment,
    complete,
    go_environment,
    leads_to,
)
from goferry.config import Address, load
from goferry.errors import ConfigError
from terminal import goferry  # noqa: F401 - fails early when the command line cannot be imported

SELF = "http://127.0.0.1:8080"


def completed(go: GoEnvironment, **flags: object) -> Complete:
    return complete(load(environ={"HOME": "/h"}, flags=flags, cwd=Path("/nonexistent")), go)


# environment, user file, go.env; upstream, the word that tells where it came from
SOURCES = [
    ("https://a.example.org", "GOPROXY=https://b.example.org", "GOPROXY=https://c.example.org",
     "https://a.example.org", "GOPROXY in the environment"),
    ("", "GOPROXY=https://b.example.org|direct", "GOPROXY=https://c.example.org",
     "https://b.example.org|direct", "GOPROXY in /u/env"),
    ("", "", "GOPROXY=https://c.example.org,direct", "https://c.example.org,direct", "GOPROXY in /g/go.env"),
    ("", "", "", FALLBACK_PROXY, "built in, because no go command is set up here"),
    ("direct", "", "", "direct", "GOPROXY in the environment"),
    ("off", "", "", "off", "GOPROXY in the environment"),
    # the line that goferry printed, in the shell that starts it again
    (SELF, "GOPROXY=https://b.example.org", "", "https://b.example.org", "GOPROXY in /u/env"),
    (SELF + ",direct", "", "GOPROXY=https://c.example.org", "https://c.example.org", "GOPROXY in /g/go.env"),
    (SELF, f"GOPROXY={SELF}", "", FALLBACK_PROXY, "built in, because no go command is set up here"),
    (f"{SELF}|https://a.example.org", "", "", "https://a.example.org", "GOPROXY in the environment"),
]  # fmt: skip


@pytest.mark.parametrize(("env", "user", "goroot", "upstream", "where"), SOURCES)
def test_the_upstream_is_what_go_would_use_without_goferry(
    env: str, user: str, goroot: str, upstream: str, where: str
) -> None:
    ready = completed(GoEnvironment({"GOPROXY": env}, "/u/env", user, "/g/go.env", goroot))
    assert (ready.settings.upstream, str(ready.origins["upstream"])) == (upstream, where)
    assert bool(ready.warnings) is (SELF in env)


def test_a_dropped_entry_is_warned_of_once() -> None:
    ready = completed(GoEnvironment({"GOPROXY": SELF}, "/u", f"GOPROXY={SELF}"))
    assert ready.warnings == (f"upstream entry {SELF} is goferry itself and was dropped",)


def test_an_upstream_that_was_set_wins_and_says_where() -> None:
    go = GoEnvironment({"GOPROXY": "https://a.example.org"})
    ready = completed(go, upstream="https://x.example.org")
    assert (ready.settings.upstream, str(ready.origins["upstream"])) == (
        "https://x.example.org",
        "--upstream",
    )


def test_an_upstream_set_to_goferry_itself_is_a_wrong_setting() -> None:
    with pytest.raises(ConfigError, match="leads back to goferry itself"):
        completed(GoEnvironment({}), upstream=f"{SELF},direct")


SUMS = [
    ({}, {}, ("sum.golang.org", "")),
    ({"GOSUMDB": "off", "GOPRIVATE": "a/*"}, {}, ("off", "a/*")),
    ({"GONOSUMDB": "b", "GOPRIVATE": "a/*"}, {}, ("sum.golang.org", "b")),
    (
        {"GOSUMDB": "off", "GONOSUMDB": "b"},
        {"sumdb": "sum.golang.google.cn", "private": "c"},
        ("sum.golang.google.cn", "c"),
    ),
]


@pytest.mark.parametrize(("environ", "flags", "seen"), SUMS)
def test_database_and_private_patterns_come_from_go_unless_they_are_set(
    environ: dict, flags: dict, seen: tuple[str, str]
) -> None:
    settings = completed(GoEnvironment(environ), **flags).settings
    assert (settings.sumdb, settings.private) == seen


# environment, user file, go.env; where sumdb and private are said to come from
PROVENANCE = [
    ({"GOSUMDB": "off"}, "GOPRIVATE=a/*", "GOSUMDB=sum.golang.org",
     "GOSUMDB in the environment", "GOPRIVATE in /u/env"),
    ({"GONOSUMDB": "b"}, "GOPRIVATE=a/*", "GOSUMDB=sum.golang.org",
     "GOSUMDB in /g/go.env", "GONOSUMDB in the environment"),
    ({}, "", "", "default", "default"),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "user", "goroot", "sumdb", "private"), PROVENANCE)
def test_each_value_of_go_says_under_which_name_and_where_it_stands(
    environ: dict, user: str, goroot: str, sumdb: str, private: str
) -> None:
    origins = completed(GoEnvironment(environ, "/u/env", user, "/g/go.env", goroot)).origins
    assert (str(origins["sumdb"]), str(origins["private"])) == (sumdb, private)
    assert {origins[name].kind for name in ("sumdb", "private")} == {"go" if environ else "default"}


def test_what_was_set_for_goferry_keeps_its_origin() -> None:
    go = GoEnvironment({"GOSUMDB": "off", "GOPRIVATE": "a/*"})
    origins = completed(go, sumdb="sum.golang.org", private="c", workers="2").origins
    assert [origins[name].detail for name in ("sumdb", "private", "workers")] == [
        "--sumdb", "--private", "--workers",
    ]  # fmt: skip


# settings of go that cannot be used; the part of the message that names the value, without its password
UNUSABLE = [
    ({"GOPROXY": "https://u:secret@a.example.org,ftp://u:secret@b.example.org"},
     "https://xxxxx@a.example.org,ftp://xxxxx@b.example.org' (from GOPROXY in the environment)"),
    ({"GOSUMDB": "sum.golang.org https://u:secret@s.example.org more"},
     "sum.golang.org https://xxxxx@s.example.org more' (from GOSUMDB in the environment)"),
]  # fmt: skip


@pytest.mark.parametrize(("environ", "named"), UNUSABLE)
def test_a_wrong_value_of_go_is_named_with_its_place_and_without_its_password(
    environ: dict, named: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        completed(GoEnvironment(environ))
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)


# URL, listening address, whether it is the same place
PLACES = [
    ("http://127.0.0.1:8080", Address("127.0.0.1", 8080), True),
    ("http://localhost:8080/", Address("127.0.0.1", 8080), True),
    ("http://[::1]:8080", Address("0.0.0.0", 8080), True),
    ("https://LOCALHOST:8080", Address("::1", 8080), True),
    ("http://goproxy.example.org", Address("goproxy.example.org", 80), True),
    ("https://goproxy.example.org", Address("goproxy.example.org", 443), True),
    ("http://127.0.0.1:8081", Address("127.0.0.1", 8080), False),
    ("http://goproxy.example.org:8080", Address("127.0.0.1", 8080), False),
    ("http://127.0.0.1:8080", Address("10.0.0.1", 8080), False),
    ("file:///srv/modules", Address("127.0.0.1", 8080), False),
    ("direct", Address("127.0.0.1", 8080), False),
]


@pytest.mark.parametrize(("url", "addr", "same"), PLACES)
def test_an_entry_is_goferry_itself_when_host_and_port_are(url: str, addr: Address, same: bool) -> None:
    assert leads_to(url, addr) is same


@pytest.mark.go
def test_the_files_found_are_those_that_the_real_go_names(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    real = subprocess.run(
        ["go", "env", "GOENV", "GOROOT"],
        env={**environ, "GOTOOLCHAIN": "local"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    found = go_environment(environ)
    assert found.user_file == real[0]
    assert Path(found.goroot_file).resolve() == Path(real[1], "go.env").resolve()


@pytest.mark.go
def test_values_are_those_that_the_real_go_reports(tmp_path: Path) -> None:
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    subprocess.run(
        ["go", "env", "-w", "GOPROXY=https://b.example.org,direct", "GOPRIVATE=x.example.org"],
        env=environ,
        check=True,
    )
    names = ["GOPROXY", "GOSUMDB", "GONOSUMDB"]
    real = subprocess.run(
        ["go", "env", *names], env=environ, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    settings = go_environment(environ).effective()
    assert [settings[name].value for name in names] == real


@pytest.mark.go
def test_a_wrapper_on_path_is_asked_where_its_go_is(tmp_path: Path) -> None:
    wrapper = tmp_path / "go"
    wrapper.write_text(f'#!/bin/sh\nexec "{shutil.which("go")}" "$@"\n')
    wrapper.chmod(0o755)
    found = go_environment({"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert Path(found.goroot_file).is_file()
    assert "GOPROXY=" in found.goroot_text


def test_without_go_on_path_there_is_no_goroot(tmp_path: Path) -> None:
    assert go_environment({"PATH": str(tmp_path)}).goroot_file == ""


def test_a_broken_wrapper_counts_as_no_go(tmp_path: Path) -> None:
    wrapper = tmp_path / "go"
    wrapper.write_text("#!/bin/sh\nexit 1\n")
    wrapper.chmod(0o755)
    assert go_environment({"PATH": str(tmp_path)}).goroot_file == ""
