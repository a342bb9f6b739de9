"""Which store a setting means: the one place that knows a backend for each kind in config.STORE_SCHEMES."""

from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from goferry.errors import ConfigError
from goferry.storage.base import BlobStore
from goferry.storage.local import LocalStore


def open_store(store: str, *, fsync: bool = True) -> BlobStore:
    """The store at a folder or `file://` URL. Raises ConfigError for a kind of URL that has no backend."""
    return LocalStore(folder_of(store), fsync=fsync)


def folder_of(store: str) -> Path:
    """The folder that a local store is in. Raises ConfigError for a URL that is no folder of this machine."""
    if "://" not in store:
        return Path(store)
    parts = urlsplit(store)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ConfigError("there is no kind of store for {scheme}://", scheme=parts.scheme)
    return Path(url2pathname(parts.path))
