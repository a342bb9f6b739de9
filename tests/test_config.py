"""Settings: every kind both ways, the order of the sources, and errors that say what to do."""

import tomllib
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry import config
from goferry.cli.config import sample, toml_value
from goferry.config import (
    BY_NAME,
    SECTIONS,
    SETTINGS,
    Address,
    HostOverride,
    Origin,
    Setting,
    format_duration,
    format_size,
    load,
    parse_address,
    parse_duration,
    parse_size,
)
from goferry.errors import ConfigError

HOME = {"HOME": "/home/gopher"}


# text → value; None: not allowed
DURATIONS = [
    ("30s", 30.0), ("5m", 300.0), ("1h", 3600.0), ("7d", 604800.0), ("2w", 1209600.0), ("250ms", 0.25),
    ("1h30m", 5400.0), ("1.5h", 5400.0), ("0", 0.0), ("0s", 0.0), (" 30s ", 30.0),
    ("30", None), ("", None), ("s", None), ("-5s", None), ("5 s", None), ("5S", None), ("5min", None), ("1e3s", None),
    ("5s!", None), ("five", None),
]  # fmt: skip

SIZES = [
    ("10GB", 10**10), ("500MiB", 500 * 2**20), ("64KiB", 65536), ("1kB", 1000), ("1.5GiB", 3 * 2**29), ("7", 7),
    ("7B", 7), ("2 TB", 2 * 10**12), ("0", 0), ("1tib", 2**40),
    ("", None), ("GB", None), ("-1GB", None), ("10XB", None), ("10 G B", None), ("1e9", None), ("10G", None),
]  # fmt: skip

ADDRESSES = [
    ("127.0.0.1:8080", Address("127.0.0.1", 8080)),
    (":8080", Address("0.0.0.0", 8080)),
    ("[::1]:8080", Address("::1", 8080)),
    ("goproxy.example.org:443", Address("goproxy.example.org", 443)),
    ("127.0.0.1:0", Address("127.0.0.1", 0)),
    ("8080", None), ("127.0.0.1", None), ("127.0.0.1:", None), ("127.0.0.1:65536", None), ("::1:8080", None),
    ("[::1]", None), ("http://127.0.0.1:8080", None), ("a b:80", None), ("127.0.0.1:8o80", None), ("[x]:80", None),
]  # fmt: skip


STORE_VALUES = [
    ("/var/lib/goferry", "/var/lib/goferry"), (" cache ", "cache"), ("", ""),
    ("file:///var/lib/goferry", "file:///var/lib/goferry"), ("FILE:///s", "FILE:///s"),
    ("file://localhost/s", "file://localhost/s"),
    ("gs://bucket", None), ("s3://bucket/prefix", None), ("https://store.example.org/", None),
    ("file://elsewhere/s", None), ("file://", None), ("://s", None),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), DURATIONS)
def test_durations_are_read_with_their_unit_or_refused(text: str, value: float | None) -> None:
    assert_parses(parse_duration, text, value)


@pytest.mark.parametrize(("text", "value"), SIZES)
def test_sizes_tell_powers_of_1000_from_powers_of_1024(text: str, value: int | None) -> None:
    assert_parses(parse_size, text, value)


@pytest.mark.parametrize(("text", "value"), ADDRESSES)
def test_addresses_have_a_port_and_ipv6_stands_in_brackets(text: str, value: Address | None) -> None:
    assert_parses(parse_address, text, value)


@pytest.mark.parametrize(("text", "value"), STORE_VALUES)
def test_a_store_is_a_folder_or_a_url_of_a_kind_that_is_built_in(text: str, value: str | None) -> None:
    assert_parses(BY_NAME["store"].kind.parse, text, value)


def test_a_store_that_is_not_built_in_is_refused_with_value_origin_and_what_is_allowed() -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={**HOME, "GOFERRY_STORE": "gs://bucket"}, cwd=Path("/nowhere"))
    assert str(caught.value) == (
        "setting store: 'gs://bucket' (from GOFERRY_STORE) is not allowed; "
        "allowed is a folder, or a URL such as file:///var/lib/goferry"
    )


def assert_parses(parse, text, value):
    if value is None:
        with pytest.raises(ValueError):
            parse(text)
    else:
        assert parse(text) == value


@given(st.integers(0, 10**12))
def test_durations_read_back_to_the_millisecond(milliseconds: int) -> None:
    assert parse_duration(format_duration(milliseconds / 1000)) == pytest.approx(milliseconds / 1000)


@given(st.integers(0, 2**50))
def test_sizes_read_back_exactly(size: int) -> None:
    assert parse_size(format_size(size)) == size


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_every_default_reads_back_from_its_text_form(setting: Setting) -> None:
    assert setting.kind.parse(setting.kind.show(setting.default)) == setting.default


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_every_row_is_complete(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert setting.section in SECTIONS
    assert setting.kind.allowed
    if "duration" in setting.kind.name:
        assert setting.unit == "seconds"
    if "size" in setting.kind.name:
        assert setting.unit == "bytes"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        load(environ=HOME, cwd=Path("/nowhere")).settings.workers = 2  # type: ignore[misc]


def write(folder: Path, text: str, name: str = "goferry.toml") -> Path:
    file = folder / name
    file.write_text(text, "utf-8")
    return file


def test_a_flag_wins_over_the_variable_over_the_file_over_the_default(tmp_path: Path) -> None:
    write(tmp_path, 'workers = 2\nattempts = 3\nper_host = 4\naddr = ":1"\n')
    loaded = load(
        environ={**HOME, "GOFERRY_WORKERS": "5", "GOFERRY_ATTEMPTS": "6"},
        flags={"workers": "7"},
        cwd=tmp_path,
    )
    seen = {
        name: (getattr(loaded.settings, name), loaded.origins[name])
        for name in ("workers", "attempts", "per_host", "fsync")
    }
    assert seen == {
        "workers": (7, Origin("flag", "--workers")),
        "attempts": (6, Origin("env", "GOFERRY_ATTEMPTS")),
        "per_host": (4, Origin("file", f"{tmp_path}/goferry.toml:3")),
        "fsync": (True, Origin("default")),
    }


def test_the_file_is_the_flag_then_the_variable_then_the_working_folder(tmp_path: Path) -> None:
    here = write(tmp_path, "workers = 2\n")
    by_env = write(tmp_path, "workers = 3\n", "env.toml")
    by_flag = write(tmp_path, "workers = 4\n", "flag.toml")
    environ = {**HOME, "GOFERRY_CONFIG": str(by_env)}
    assert load(environ=HOME, cwd=tmp_path).file == here
    assert load(environ=environ, cwd=tmp_path).settings.workers == 3
    assert load(environ=environ, config=by_flag, cwd=tmp_path).settings.workers == 4
    assert load(environ=HOME, cwd=tmp_path / "elsewhere").file is None


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    loaded = load(environ={**HOME, "GOFERRY_WORKERS": ""}, cwd=tmp_path)
    assert (loaded.settings.workers, loaded.origins["workers"].kind) == (1, "default")


def test_every_kind_is_read_from_toml(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
addr = "[::1]:9000"
offline = true
workers = 4
list_fresh = "90s"
max_zip = 1000
max_size = "10GB"
max_age = "7d"
nameservers = ["10.0.0.1", "10.0.0.2:5353"]
hosts = ["GoProxy.cn=10.0.0.7"]
ca_file = "/etc/ca.pem"
access_log = "json"
lang = "zh_CN"
""",
    )
    s = load(environ=HOME, cwd=tmp_path).settings
    assert s.addr == Address("::1", 9000)
    assert (s.offline, s.workers, s.list_fresh, s.max_zip, s.max_size, s.max_age) == (
        True, 4, 90.0, 1000, 10**10, 604800.0,
    )  # fmt: skip
    assert s.nameservers == ("10.0.0.1", "10.0.0.2:5353")
    assert s.hosts == (HostOverride("goproxy.cn", "10.0.0.7"),)
    assert (s.ca_file, s.access_log, s.lang) == (Path("/etc/ca.pem"), "json", "zh_CN")


# what is wrong, what the message must name
WRONG = [
    ({"environ": {"GOFERRY_WORKERS": "many"}}, ["workers", "'many'", "GOFERRY_WORKERS", "a whole number, 1 or more"]),
    ({"environ": {"GOFERRY_WORKERS": "0"}}, ["workers", "'0'"]),
    ({"environ": {"GOFERRY_OFFLINE": "maybe"}}, ["offline", "'maybe'", "true or false"]),
    ({"environ": {"GOFERRY_HOSTS": "x"}}, ["hosts", "'x'", "NAME=IP"]),
    ({"environ": {"GOFERRY_HOSTS": "x=y"}}, ["hosts", "NAME=IP"]),
    ({"environ": {"GOFERRY_NAMESERVERS": "dns.example.org"}}, ["nameservers", "IP addresses"]),
    ({"environ": {"GOFERRY_LANG": "klingon"}}, ["lang", "zh_CN"]),
    ({"flags": {"list_fresh": "60"}}, ["list_fresh", "'60'", "--list-fresh", "30s"]),
    ({"flags": {"access_log": "xml"}}, ["access_log", "text, json or off"]),
    ({"flags": {"addr": "here"}}, ["addr", "'here'", "--addr", "HOST:PORT"]),
    ({"flags": {"tls_cert": "c.pem"}}, ["tls_cert", "--tls-cert", "tls_key"]),
    ({"toml": "workers = 'two'"}, ["workers", "'two'", "goferry.toml:1"]),
    ({"toml": "# a\n\nworkers = true"}, ["workers", "True", "goferry.toml:3"]),
    ({"toml": "list_fresh = 60"}, ["list_fresh", "60", "30s"]),
    ({"toml": "nameservers = [53]"}, ["nameservers", "[53]"]),
    ({"toml": "offline = 1"}, ["offline", "true or false"]),
    ({"toml": "addr = 'x'\nworkrs = 2"}, ["workrs", "goferry.toml:2"]),
    ({"toml": "[server]\naddr = ':1'"}, ["server", "goferry.toml:1"]),
    ({"toml": "workers = "}, ["goferry.toml", "not valid TOML"]),
]  # fmt: skip


@pytest.mark.parametrize(("given_", "named"), WRONG, ids=lambda v: "-".join(map(str, v))[:40] if v else "")
def test_a_wrong_setting_names_itself_its_value_its_origin_and_what_is_allowed(
    tmp_path: Path, given_: dict, named: list[str]
) -> None:
    if "toml" in given_:
        write(tmp_path, given_["toml"])
    with pytest.raises(ConfigError) as caught:
        load(environ={**HOME, **given_.get("environ", {})}, flags=given_.get("flags"), cwd=tmp_path)
    assert [word for word in named if word not in str(caught.value)] == []
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("wrong", "near"), [("workrs", "workers"), ("up_stream", "upstream"), ("xyzzy", None)]
)
def test_an_unknown_name_in_the_file_suggests_the_nearest(
    tmp_path: Path, wrong: str, near: str | None
) -> None:
    write(tmp_path, f"{wrong} = 1\n")
    with pytest.raises(ConfigError) as caught:
        load(environ=HOME, cwd=tmp_path)
    assert caught.value.hint == (f"did you mean {near}?" if near else "`goferry config` lists every setting")


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the settings file"):
        load(environ=HOME, config=tmp_path / "none.toml", cwd=tmp_path)


def test_a_misspelled_variable_is_warned_of_and_a_foreign_one_is_not(tmp_path: Path) -> None:
    environ = {
        **HOME,
        "GOFERRY_WORKRS": "2",
        "GOFERRY_SERVICE_HOST": "10.0.0.1",
        "GOFERRY_PORT": "tcp://10.0.0.1:80",
    }
    assert load(environ=environ, cwd=tmp_path).warnings == (
        "GOFERRY_WORKRS is not a setting; did you mean GOFERRY_WORKERS?",
    )


# platform, environment, folder (facts: XDG base directory specification; Apple and Microsoft folder conventions)
@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_home_the_store_must_be_named(platform: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(environ={}, platform=platform, cwd=Path("/nowhere"))
    assert "GOFERRY_STORE" in (caught.value.hint or "")
    assert (
        load(environ={"GOFERRY_STORE": "/s"}, platform=platform, cwd=Path("/nowhere")).settings.store == "/s"
    )


def test_the_sample_file_holds_every_default(tmp_path: Path) -> None:
    """Taking away every comment sign gives a file that changes nothing."""
    lines = [line.removeprefix("# ") for line in sample() if " = " in line and line.startswith("# ")]
    active = "\n".join(line for line in lines if line.split(" = ")[0] in BY_NAME)
    assert set(tomllib.loads(active)) == set(BY_NAME)
    write(tmp_path, active)
    assert load(environ=HOME, cwd=tmp_path).settings == load(environ=HOME, cwd=tmp_path / "x").settings


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"])))
def test_any_text_survives_its_way_through_toml(text: str) -> None:
    written = toml_value(BY_NAME["upstream"], text)
    assert tomllib.loads(f"x = {written}")["x"] == text


def test_nearest_is_quiet_when_nothing_is_near() -> None:
    assert config.nearest("zzz", ["workers"]) is None
