"""`goferry config`: values with their origins, for people and programs."""

import tomllib
from pathlib import Path

import pytest

from goferry.cli.environment import FALLBACK_PROXY
from goferry.config import BY_NAME, SETTINGS
from terminal import goferry


def test_every_setting_is_shown_with_value_and_origin(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text("attempts = 9\n")
    said = goferry("config", environ={"GOFERRY_WORKERS": "3"}, cwd=tmp_path)
    rows = {line.split()[0]: line.split()[1:] for line in said.out.splitlines()}
    assert list(rows) == [setting.name for setting in SETTINGS]
    assert rows["workers"] == ["3", "GOFERRY_WORKERS"]
    assert rows["attempts"] == ["9", f"{tmp_path}/goferry.toml:1"]
    assert rows["list_fresh"] == ["1m", "default"]


def test_json_has_the_value_in_its_text_form_and_where_it_is_from(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text('max_size = "10GB"\n')
    said = goferry("config", "--json", "--config", "x.toml", environ={"GOFERRY_OFFLINE": "1"}, cwd=tmp_path)
    assert said.json["file"] == str(tmp_path / "x.toml")
    settings = said.json["settings"]
    assert set(settings) == set(BY_NAME)
    assert settings["max_size"] == {"value": "10GB", "origin": "file", "from": f"{tmp_path}/x.toml:1"}
    assert settings["offline"] == {"value": "true", "origin": "env", "from": "GOFERRY_OFFLINE"}
    assert settings["fsync"] == {"value": "true", "origin": "default", "from": ""}


GO = {
    "GOPROXY": "https://user:secret@a.example.org/go,https://token@b.example.org|direct",
    "GOSUMDB": "sum.golang.org https://user:secret@s.example.org",
    "GOPRIVATE": "*.corp.example.org",
}
WITHOUT_SECRETS = {
    "upstream": "https://xxxxx@a.example.org/go,https://xxxxx@b.example.org|direct",
    "sumdb": "sum.golang.org https://xxxxx@s.example.org",
    "private": "*.corp.example.org",
}
VARIABLES = {"upstream": "GOPROXY", "sumdb": "GOSUMDB", "private": "GOPRIVATE"}


def test_what_go_decides_is_shown_with_gos_variable_and_without_credentials() -> None:
    rows = {line.split()[0]: line for line in goferry("config", environ=GO).out.splitlines()}
    for name, value in WITHOUT_SECRETS.items():
        assert rows[name].split(maxsplit=1)[1].startswith(value)
        assert rows[name].endswith(f"  {VARIABLES[name]} in the environment")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_json_names_gos_variable_in_the_same_words_in_every_language(language: str) -> None:
    settings = goferry("config", "--json", "--lang", language, environ=GO).json["settings"]
    assert {name: settings[name] for name in WITHOUT_SECRETS} == {
        name: {"value": value, "origin": "go", "from": f"{VARIABLES[name]} in the environment"}
        for name, value in WITHOUT_SECRETS.items()
    }


def test_credentials_of_goferrys_own_settings_are_hidden_as_well() -> None:
    environ = {"GOFERRY_UPSTREAM": "https://user:secret@a.example.org"}
    for arguments in (["config"], ["config", "--json"]):
        said = goferry(*arguments, environ=environ).out
        assert "https://xxxxx@a.example.org" in said
        assert "secret" not in said


@pytest.mark.parametrize("value", ["GOPROXY=https://c.example.org,direct", "# nothing"])
def test_the_file_beside_gos_own_is_named_and_a_path_without_go_has_defaults(
    tmp_path: Path, value: str
) -> None:
    (tmp_path / "go.env").write_text(value + "\n")
    here, nowhere = (
        goferry("config", "--json", environ=environ).json["settings"]["upstream"]
        for environ in ({"GOROOT": str(tmp_path)}, {"PATH": str(tmp_path)})
    )
    built_in = {
        "value": FALLBACK_PROXY,
        "origin": "default",
        "from": "built in, because no go command is set up here",
    }
    named = {
        "value": "https://c.example.org,direct",
        "origin": "go",
        "from": f"GOPROXY in {tmp_path}/go.env",
    }
    assert here == (named if "=" in value else built_in)
    assert nowhere == built_in


def test_an_entry_that_is_goferry_itself_is_not_shown_and_warned_of() -> None:
    said = goferry("config", environ={"GOPROXY": "http://127.0.0.1:8080,https://a.example.org"})
    assert "http://127.0.0.1:8080" not in said.out
    assert said.err == "goferry: upstream entry http://127.0.0.1:8080 is goferry itself and was dropped\n"


def test_the_sample_does_not_ask_what_go_would_use() -> None:
    assert goferry("config", "--toml", environ={"GOPROXY": "ftp://a.example.org"}).code == 0
    assert goferry("config", environ={"GOPROXY": "ftp://a.example.org"}).code == 2


def test_the_printed_sample_is_toml_that_changes_nothing(tmp_path: Path) -> None:
    sample = goferry("config", "--toml", cwd=tmp_path).out
    assert tomllib.loads(sample) == {}
    (tmp_path / "goferry.toml").write_text(sample)
    assert goferry("config", cwd=tmp_path).out == goferry("config", cwd=tmp_path / "none").out


def test_the_language_of_the_settings_file_is_used(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text('lang = "zh_CN"\n')
    assert "默认值" in goferry("config", cwd=tmp_path).out
    assert "default" in goferry("config", "--lang", "en", cwd=tmp_path).out


def test_a_misspelled_variable_is_warned_of_on_standard_error(tmp_path: Path) -> None:
    said = goferry("config", environ={"GOFERRY_WORKRS": "3"}, cwd=tmp_path)
    assert said.code == 0
    assert said.err == "goferry: GOFERRY_WORKRS is not a setting; did you mean GOFERRY_WORKERS?\n"
