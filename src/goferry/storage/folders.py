"""Which folder a store's setting means. Apart from opening.py, so that who only reads files need not load a backend."""

from pathlib import Path

from goferry.errors import ConfigError


def folder_of(store: str) -> Path:
    """The folder that a local store is in. Raises ConfigError for a URL that is no folder of this machine."""
    if "://" not in store:
        return Path(store)
    from urllib.parse import urlsplit
    from urllib.request import url2pathname  # brings a whole HTTP client with it

    parts = urlsplit(store)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ConfigError("there is no kind of store for {scheme}://", scheme=parts.scheme)
    return Path(url2pathname(parts.path))
