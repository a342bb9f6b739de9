"""Every kind of store that the setting takes can be opened, and no other."""

from pathlib import Path

import pytest

from goferry.config import parse_value
from goferry.errors import ConfigError
from goferry.places import STORE_SCHEMES
from goferry.storage.opening import folder_of, open_store

# what the setting holds → the folder
FOLDERS = [
    ("/var/lib/goferry", "/var/lib/goferry"),
    ("cache/store", "cache/store"),
    ("file:///var/lib/goferry", "/var/lib/goferry"),
    ("file://localhost/var/lib/goferry", "/var/lib/goferry"),
    ("file:///var/lib/go%20ferry", "/var/lib/go ferry"),
]


@pytest.mark.parametrize(("store", "folder"), FOLDERS)
def test_folders_and_file_urls_are_folders(store: str, folder: str) -> None:
    assert parse_value("store", store) == store
    assert folder_of(store) == Path(folder)


@pytest.mark.parametrize("scheme", STORE_SCHEMES)
async def test_there_is_a_backend_for_every_scheme_of_the_setting(scheme: str, tmp_path: Path) -> None:
    store = open_store(parse_value("store", f"{scheme}://{tmp_path.as_posix()}"))
    try:
        await store.put("example.org/m/@v/v1.0.0.mod", b"module example.org/m\n")
        assert await store.read("example.org/m/@v/v1.0.0.mod") == b"module example.org/m\n"
    finally:
        await store.close()


@pytest.mark.parametrize("store", ["gs://bucket", "s3://bucket/prefix", "file://elsewhere/store"])
def test_no_folder_is_made_up_for_other_urls(store: str) -> None:
    with pytest.raises(ConfigError):
        folder_of(store)
