"""Which store a setting means."""

import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from goferry.errors import ConfigError
from goferry.storage.base import BlobStore
from goferry.storage.local import LocalStore

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def open_store(store: str, *, fsync: bool = True) -> BlobStore:
    """The store at a folder or `file://` URL. Raises ConfigError for a kind of URL that has no backend."""
    if not _SCHEME.match(store):
        return LocalStore(Path(store), fsync=fsync)
    parts = urlsplit(store)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return LocalStore(Path(url2pathname(parts.path)), fsync=fsync)
    raise ConfigError(
        "setting store: {scheme}:// is not a kind of store that is built in",
        hint="use a folder or file:///folder",
        scheme=parts.scheme,
    )
