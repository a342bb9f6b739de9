"""`goferry config`: values with their origins, for people and programs."""

import tomllib
from pathlib import Path

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
