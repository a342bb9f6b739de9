"""Go's variables: which value counts, where it stands, what it beats; the real `go env` has the last word."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from goferry.doctor.base import World
from goferry.doctor.evidence import Setting
from goferry.doctor.settings.govars import builtin, find_go, go_places, hidden
from goferry.gocommand import GoCommand
from oracle import go_command
from settingsworld import Machine


def setting(machine: Machine, name: str, environ: dict[str, str] | None = None) -> Setting:
    world = machine.world(environ)
    return next(item for item in go_places(world, find_go(world)).settings() if item.name == name)


def user_file(machine: Machine, text: str) -> str:
    return str(machine.write(machine.home / ".config/go/env", text))


def test_the_strongest_value_counts_and_the_others_are_kept_in_order(machine: Machine) -> None:
    machine.install_go()
    path = user_file(
        machine, "GOFLAGS=-v\nGOPROXY=https://first.example.org\nGOPROXY=https://second.example.org\n"
    )
    seen = setting(machine, "GOPROXY", {"GOPROXY": "off"})
    assert (seen.value, seen.origin, seen.place) == ("off", "environment", "")
    assert [(lost.value, lost.origin, lost.place) for lost in seen.shadowed] == [
        ("https://second.example.org", "go env file", f"{path}:3"),
        ("https://first.example.org", "go env file", f"{path}:2"),
        ("https://mirror.example.org,direct", "go.env", f"{machine.goroot}/go.env:1"),
    ]


def test_an_empty_variable_is_none(machine: Machine) -> None:
    machine.install_go()
    seen = setting(machine, "GOPROXY", {"GOPROXY": ""})
    assert (seen.origin, seen.shadowed) == ("go.env", ())


def test_a_line_without_value_takes_the_default_away_and_is_named(machine: Machine) -> None:
    machine.install_go()
    path = user_file(machine, "GOPROXY=\n")
    seen = setting(machine, "GOPROXY")
    assert (seen.value, seen.origin, seen.place) == ("", "default", f"{path}:1")


def test_private_patterns_are_inherited_and_say_from_where(machine: Machine) -> None:
    seen = setting(machine, "GONOSUMDB", {"GOPRIVATE": "*.corp.example"})
    assert (seen.value, seen.origin, seen.place) == ("*.corp.example", "inherited", "GOPRIVATE")
    own = setting(machine, "GONOSUMDB", {"GOPRIVATE": "*.corp.example", "GONOSUMDB": "none"})
    assert (own.value, own.origin) == ("none", "environment")


@pytest.mark.parametrize("name", ["GODEBUG", "GOENV"])
def test_some_variables_count_in_the_environment_alone(machine: Machine, name: str) -> None:
    user_file(machine, f"{name}=x\n")
    assert setting(machine, name).value != "x"
    assert setting(machine, name, {name: "x"}).value == "x"


def test_without_go_the_settings_are_still_read(machine: Machine) -> None:
    user_file(machine, "GOPROXY=https://mine.example.org\n")
    assert setting(machine, "GOPROXY").value == "https://mine.example.org"
    assert setting(machine, "GOMODCACHE").value == f"{machine.home}/go/pkg/mod"
    assert find_go(machine.world()) == GoCommand()


def test_a_wrapper_script_is_asked_where_its_goroot_is(machine: Machine) -> None:
    machine.install_go()
    script = machine.write(
        machine.home / "bin/go", f'#!/bin/sh\n[ "$2" = GOROOT ] && echo {machine.goroot}\n'
    )
    script.chmod(0o755)
    machine.programs["go"] = str(script)
    found = find_go(machine.world())
    assert (found.goroot, found.version) == (str(machine.goroot), "go1.99.1")


def test_a_go_without_go_env_is_asked_for_its_defaults(machine: Machine) -> None:
    machine.install_go()
    (machine.goroot / "go.env").unlink()
    script = machine.write(
        machine.goroot / "bin/go",
        '#!/bin/sh\n[ "$2" = GOPROXY ] && echo "https://old.example.org${GOPROXY}"\n',
    )
    script.chmod(0o755)
    seen = setting(machine, "GOPROXY")
    assert (seen.value, seen.origin) == ("https://old.example.org", "go.env")


def test_a_wrapper_that_fails_or_prints_rubbish_is_no_go(machine: Machine) -> None:
    script = machine.write(machine.home / "bin/go", "#!/bin/sh\nprintf '\\377\\376'; exit 1\n")
    script.chmod(0o755)
    machine.programs["go"] = str(script)
    assert find_go(machine.world()) == GoCommand(path=str(script))


def test_what_is_kept_has_no_secrets_in_any_of_the_values(machine: Machine) -> None:
    user_file(machine, "GOPROXY=https://me:hunter2@a.example.org\nGOAUTH=helper --password hunter2\n")
    world = machine.world(
        {"GOPROXY": "https://hunter2@b.example.org,https://u:hunter2@c.example.org/x|direct"}
    )
    kept = hidden(go_places(world, find_go(world)).settings())
    assert "hunter2" not in repr(kept)
    value = next(item.value for item in kept if item.name == "GOPROXY")
    assert value == "https://xxxxx@b.example.org,https://xxxxx@c.example.org/x|direct"


@pytest.mark.parametrize(
    ("platform", "environ", "want"),
    [
        ("darwin", {"HOME": "/Users/me"}, ("/Users/me/Library/Caches/go-build", "darwin")),
        (
            "win32",
            {"USERPROFILE": r"C:\me", "LocalAppData": r"C:\me\Local"},
            (r"C:\me\Local\go-build", "windows"),
        ),
        ("freebsd14", {"HOME": "/home/me"}, ("/home/me/.cache/go-build", "freebsd")),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "/c"}, ("/c/go-build", "linux")),
        ("linux", {"HOME": "/home/me", "XDG_CACHE_HOME": "c"}, ("off", "linux")),
        ("linux", {}, ("off", "linux")),
    ],
)
def test_folders_are_those_of_the_platform(
    platform: str, environ: dict[str, str], want: tuple[str, str]
) -> None:
    found = builtin(environ, GoCommand(), platform)
    assert (found["GOCACHE"], found["GOOS"]) == want


def test_a_workspace_where_go_itself_is_installed_is_none() -> None:
    assert builtin({"HOME": "/home/me"}, GoCommand(goroot="/home/me/go"), "linux")["GOPATH"] == ""


# ---- the real go -------------------------------------------------------------------------------------------

ASKED = (  # noqa: SIM905 - names read better in a row
    "GO111MODULE GOARCH GOAUTH GOCACHE GODEBUG GOENV GOFIPS140 GOFLAGS GOINSECURE GOMODCACHE GONOPROXY "
    "GONOSUMDB GOOS GOPATH GOPRIVATE GOPROXY GOROOT GOSUMDB GOTMPDIR GOTOOLCHAIN GOVCS"
).split()

# (variables, the user's file)
CASES: list[tuple[dict[str, str], str]] = [
    ({}, ""),
    ({"GOPROXY": "https://a.example.org", "GOSUMDB": "off"}, "GOPROXY=off\n"),
    ({"GOPRIVATE": "*.corp.example", "GONOPROXY": "none"}, ""),
    ({"GONOSUMDB": "x.example"}, "GOPRIVATE=*.corp.example\nGOSUMDB=sum.golang.google.cn\n"),
    ({"GOPROXY": ""}, "GOPROXY=\nGOTOOLCHAIN=\n"),
    ({"GOFLAGS": "-mod=mod"}, "GOFLAGS=-v\nGOFLAGS=-x\n# GOVCS=*:all\nGOVCS=*:git\n"),
    ({"GOPATH": "/w/one:/w/two"}, "GOMODCACHE=\n"),
    ({}, "GOPATH=/w/three\nGOCACHE=/c\nGOTMPDIR=/t\n"),
    ({"GO111MODULE": "on"}, "GOAUTH=off\n"),
    ({"GO111MODULE": "off", "GODEBUG": "netdns=go"}, "GODEBUG=netdns=cgo\n"),
    ({"GOSUMDB": "sum.golang.org", "GOTOOLCHAIN": "local"}, "GOINSECURE=*.corp.example\r\n"),
    ({"GOARCH": "arm64", "GOOS": "darwin"}, ""),
]


def _real(environ: dict[str, str], cwd: Path, *flags: str) -> Any:
    run = subprocess.run(
        ["go", "env", "-json", *flags, *ASKED],
        env=environ,
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.go
@pytest.mark.parametrize(("variables", "file"), CASES)
def test_values_and_changes_are_those_of_go_env(
    variables: dict[str, str], file: str, machine: Machine, tmp_path: Path
) -> None:
    assert go_command() is not None
    user_file(machine, file)
    environ = {"HOME": str(machine.home), "PATH": os.environ["PATH"], **variables}
    world = World(environ, machine.cwd, machine.home)
    places = go_places(world, find_go(world))
    assert {name: value for name, value in places.values().items() if name in ASKED} == _real(
        environ, machine.cwd
    )
    changed = {name: value for name, value in places.changed().items() if name in ASKED}
    assert changed == _real(environ, machine.cwd, "-changed")
