"""Settings of the go command: which place wins, what is inherited, and the GOSUMDB grammar."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.gomod import goenv
from goferry.gomod.goenv import InvalidSumDB, Origin, Setting, SumDB
from oracle import go_env, go_root
from sizes import size

GOROOT_FILE = (
    "# defaults\nGOPROXY=https://proxy.example.org,direct\nGOSUMDB=sum.golang.org\nGOTOOLCHAIN=auto\n"
)


def test_without_any_file_the_built_in_values_hold() -> None:
    settings = goenv.resolve({})
    assert settings["GOAUTH"] == Setting("GOAUTH", "netrc", Origin.DEFAULT)
    assert settings["GOPROXY"] == Setting("GOPROXY", "", Origin.DEFAULT)


def test_the_environment_beats_the_user_file_beats_goroot() -> None:
    user = "GOPROXY=https://user.example.org\nGOSUMDB=off\n"
    settings = goenv.resolve({"GOPROXY": "direct"}, user, GOROOT_FILE)
    assert settings["GOPROXY"] == Setting("GOPROXY", "direct", Origin.ENVIRONMENT)
    assert settings["GOSUMDB"] == Setting("GOSUMDB", "off", Origin.USER_FILE)
    assert settings["GOTOOLCHAIN"] == Setting("GOTOOLCHAIN", "auto", Origin.GOROOT_FILE)


def test_an_empty_variable_in_the_environment_counts_as_not_there() -> None:
    assert goenv.resolve({"GOPROXY": ""}, "", GOROOT_FILE)["GOPROXY"].origin is Origin.GOROOT_FILE


def test_an_empty_line_in_the_user_file_hides_goroot() -> None:
    assert goenv.resolve({}, "GOPROXY=\n", GOROOT_FILE)["GOPROXY"] == Setting("GOPROXY", "", Origin.DEFAULT)


def test_private_patterns_are_inherited_until_replaced() -> None:
    settings = goenv.resolve({"GOPRIVATE": "*.corp.example", "GONOSUMDB": "none"})
    assert settings["GONOPROXY"] == Setting("GONOPROXY", "*.corp.example", Origin.INHERITED)
    assert settings["GONOSUMDB"] == Setting("GONOSUMDB", "none", Origin.ENVIRONMENT)


def test_file_lines_are_taken_as_they_stand() -> None:
    text = 'GOPROXY= "x" \n# GOSUMDB=off\ngoflags=-v\nnonsense\n=x\nGOFLAGS=-mod=mod\r\nGOFLAGS=-v'
    assert goenv.parse_env_file(text) == (
        ("GOPROXY", ' "x" '),
        ("GOFLAGS", "-mod=mod\r"),
        ("GOFLAGS", "-v"),
    )
    assert goenv.resolve({}, text)["GOFLAGS"].value == "-v"


@pytest.mark.parametrize(
    ("env", "platform", "want"),
    [
        ({"HOME": "/home/me"}, "linux", "/home/me/.config/go/env"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "/cfg"}, "linux", "/cfg/go/env"),
        ({"HOME": "/home/me", "XDG_CONFIG_HOME": "cfg"}, "linux", None),
        ({}, "linux", None),
        ({"HOME": "/home/me", "GOENV": "/etc/go-env"}, "linux", "/etc/go-env"),
        ({"HOME": "/home/me", "GOENV": "off"}, "linux", None),
        (
            {"HOME": "/Users/me", "XDG_CONFIG_HOME": "/cfg"},
            "darwin",
            "/Users/me/Library/Application Support/go/env",
        ),
        ({"APPDATA": r"C:\Users\me\AppData\Roaming"}, "win32", r"C:\Users\me\AppData\Roaming\go\env"),
        ({"HOME": "/home/me"}, "win32", None),
    ],
)
def test_where_the_user_file_is(env: dict[str, str], platform: str, want: str | None) -> None:
    assert goenv.user_file(env, platform) == want


def test_where_the_goroot_file_is() -> None:
    assert goenv.goroot_file("/opt/go", "linux") == "/opt/go/go.env"
    assert goenv.goroot_file(r"C:\Go", "win32") == r"C:\Go\go.env"


# The key of cmd/go's own test database, whose name has a path.
KEY = "localhost.localdev/sumdb+00000c67+AcTrnkbUA+TU4heY3hkjiSES/DSQniBqIeQ/YppAUtK6"
PUBLIC_KEY = goenv.KNOWN_KEYS["sum.golang.org"]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("off", None),
        ("sum.golang.org", SumDB("sum.golang.org", PUBLIC_KEY)),
        (PUBLIC_KEY, SumDB("sum.golang.org", PUBLIC_KEY)),
        ("sum.golang.google.cn", SumDB("sum.golang.org", PUBLIC_KEY, "https://sum.golang.google.cn")),
        (
            " sum.golang.org  https://mirror.example.org/sumdb ",
            SumDB("sum.golang.org", PUBLIC_KEY, "https://mirror.example.org/sumdb"),
        ),
        (KEY, SumDB("localhost.localdev/sumdb", KEY)),
        (f"{KEY} http://127.0.0.1:8080", SumDB("localhost.localdev/sumdb", KEY, "http://127.0.0.1:8080")),
    ],
)
def test_gosumdb_names_a_database(text: str, want: SumDB | None) -> None:
    assert goenv.parse_sumdb(text) == want


def test_a_database_is_reached_at_its_name_unless_told_otherwise() -> None:
    assert SumDB("localhost.localdev/sumdb", KEY).base_url == "https://localhost.localdev/sumdb"
    assert SumDB("localhost.localdev/sumdb", KEY, "http://127.0.0.1:1").base_url == "http://127.0.0.1:1"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "missing GOSUMDB"),
        ("a b c", "invalid GOSUMDB: too many fields"),
        ("sum.example.org", "invalid GOSUMDB: "),
        (PUBLIC_KEY[:-2] + "xx", "invalid GOSUMDB: "),
        ("Off", "invalid GOSUMDB: "),
        ("sum.golang.org http://[", "invalid GOSUMDB URL: "),
    ],
)
def test_gosumdb_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidSumDB, match=why):
        goenv.parse_sumdb(text)


@pytest.mark.parametrize(
    "sumdb",
    [None, SumDB("sum.golang.org", PUBLIC_KEY), SumDB("localhost.localdev/sumdb", KEY, "http://127.0.0.1:1")],
)
def test_parse_and_format_of_gosumdb_are_twins(sumdb: SumDB | None) -> None:
    assert goenv.parse_sumdb(goenv.format_sumdb(sumdb)) == sumdb


TOOLCHAIN = "golang.org/toolchain"


@pytest.mark.parametrize(
    ("path", "gosumdb", "gonosumdb", "goproxy", "want"),
    [
        ("x.y/z", "sum.golang.org", "", "direct", True),
        ("x.y/z", "off", "", "direct", False),
        ("x.y/z", "sum.golang.org", "x.y", "direct", False),
        ("x.y/z", "sum.golang.org", "none", "direct", True),
        (TOOLCHAIN, "off", "", "https://proxy.example.org", True),
        (TOOLCHAIN, "sum.golang.org", "golang.org", "https://proxy.example.org", True),
        (TOOLCHAIN, "off", "", "file:///srv/go,direct", True),
        (TOOLCHAIN, "off", "", "file:///srv/go", False),
        (TOOLCHAIN, "sum.golang.org", "", "file:///srv/go", True),
    ],
)
def test_when_sums_are_checked(path: str, gosumdb: str, gonosumdb: str, goproxy: str, want: bool) -> None:
    assert goenv.use_sumdb(path, gosumdb=gosumdb, gonosumdb=gonosumdb, goproxy=goproxy) is want


NAMES = ["GOPROXY", "GOSUMDB", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOAUTH", "GOVCS", "GOINSECURE"]
_values = st.sampled_from(["", "x.y", " a ", "none", "off", '"q"'])
_lines = st.builds("{}={}".format, st.sampled_from(NAMES), _values) | st.sampled_from(
    ["# GOPROXY=x", "", "x=y", "GOVCS"]
)
_files = st.lists(_lines, max_size=6).map("\n".join)


@pytest.mark.go
@settings(max_examples=size(20, 200))
@given(st.dictionaries(st.sampled_from(NAMES), _values, max_size=4), _files, _files)
def test_go_env_shows_the_same_values(
    tmp_path_factory: pytest.TempPathFactory, env: dict[str, str], user: str, goroot: str
) -> None:
    if go_root() is None:
        pytest.skip("needs the go command")
    fake = tmp_path_factory.getbasetemp() / "fake-goroot"
    fake.mkdir(exist_ok=True)
    (fake / "go.env").write_text(goroot + "\nGOTOOLCHAIN=local\n")
    (fake / "user-env").write_text(user)
    base = {name: value for name, value in go_env().items() if not name.startswith("GO")}
    run = subprocess.run(
        ["go", "env", "-json", *NAMES],
        env={**base, "GOROOT": str(fake), "GOENV": str(fake / "user-env"), "GOTOOLCHAIN": "local", **env},
        cwd=Path(fake),
        capture_output=True,
        text=True,
        check=True,
    )
    ours = goenv.resolve(env, user, goroot)
    assert {name: ours[name].value for name in NAMES} == json.loads(run.stdout)
