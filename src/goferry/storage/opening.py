"""Opens the store that a setting means: the one place that knows a backend for each kind in places.STORE_SCHEMES."""

from typing import Final

from goferry.storage.base import BlobStore
from goferry.storage.folders import folder_of
from goferry.storage.index_sqlite import Index
from goferry.storage.keys import OWN
from goferry.storage.local import LocalStore

_INDEX: Final = OWN + "index.sqlite"


def open_store(store: str, *, fsync: bool = True, shared: bool = True) -> BlobStore:
    """The store at a folder or `file://` URL; `shared` with other processes that write to it at the same time.

    Raises ConfigError for a kind of URL that has no backend.
    """
    return LocalStore(folder_of(store), fsync=fsync, shared=shared)


def open_index(store: BlobStore) -> Index | None:
    """What is known of the use of a store, kept in it where it is on a disk. It is the caller's to close."""
    place = store.local_path(_INDEX)
    return None if place is None else Index(place)
