"""Where things are when nobody says otherwise, and that the short way to the store leads where the settings do."""

from pathlib import Path

import pytest

from goferry.config import load
from goferry.errors import ConfigError
from goferry.places import default_store, store_alone

STORES = [
    ("linux", {"HOME": "/home/g"}, "/home/g/.local/share/goferry/store"),
    ("linux", {"HOME": "/home/g", "XDG_DATA_HOME": "/data"}, "/data/goferry/store"),
    ("linux", {"HOME": "/home/g", "XDG_DATA_HOME": "relative"}, "/home/g/.local/share/goferry/store"),
    ("darwin", {"HOME": "/Users/g"}, "/Users/g/Library/Application Support/goferry/store"),
    ("win32", {"LOCALAPPDATA": "C:/Users/g/AppData/Local"}, "C:/Users/g/AppData/Local/goferry/store"),
    ("win32", {"USERPROFILE": "C:/Users/g"}, "C:/Users/g/AppData/Local/goferry/store"),
]


@pytest.mark.parametrize(("platform", "environ", "folder"), STORES)
def test_the_default_store_is_in_the_users_data_folder(platform: str, environ: dict, folder: str) -> None:
    assert default_store(environ, platform) == Path(folder)


@pytest.mark.parametrize(("platform", "environ", "folder"), STORES)
@pytest.mark.parametrize(
    "named", ["", "  ", "here", "~/there", "/srv/store", "file:///srv/store", " /blank "]
)
def test_the_store_alone_is_the_one_that_all_settings_say(
    tmp_path: Path, platform: str, environ: dict[str, str], folder: str, named: str
) -> None:
    environ = {**environ, "GOFERRY_STORE": named}
    found = store_alone(environ, tmp_path, platform)
    assert found == load(environ=environ, cwd=tmp_path, platform=platform).settings.store
    assert named.strip() or found == str(Path(folder))


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"GOFERRY_STORE": "s3://bucket"},
        {"GOFERRY_STORE": "file://elsewhere/srv"},
        {"GOFERRY_STORE": "/s", "GOFERRY_UPSTREAM": "off"},
        {"GOFERRY_STORE": "/s", "GOFERRY_CONFIG": "other.toml"},
        {"GOFERRY_STORE": "/s", "GOFERRY_STROE": ""},
        {"GOFERRY_STORE": "~nobody-of-that-name/s"},
    ],
)
def test_where_there_is_more_to_read_or_to_say_the_settings_are_asked(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    assert store_alone(environ, tmp_path, "linux") is None


def test_a_settings_file_may_name_another_store(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text('store = "/srv/store"\n')
    assert store_alone({"GOFERRY_STORE": "/s"}, tmp_path) is None


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_a_home_there_is_no_default_store(platform: str) -> None:
    with pytest.raises(ConfigError):
        default_store({}, platform)
