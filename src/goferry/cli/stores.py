"""Opens the store that a command works on, for commands that need no network."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from goferry.config import Settings
from goferry.errors import ConfigError, StorageError
from goferry.i18n import N_
from goferry.storage.index_sqlite import Index
from goferry.storage.local import LocalStore


@dataclass(frozen=True, slots=True)
class Opened:
    """A store and what is known about the use of it."""

    store: LocalStore
    index: Index


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """The store that the settings name. Raises as `folder_of` does."""
    folder = folder_of(settings)
    store = LocalStore(folder, fsync=settings.fsync)
    index = Index(folder / ".goferry" / "index.sqlite")
    try:
        yield Opened(store, index)
    finally:
        index.close()
        await store.close()


def folder_of(settings: Settings) -> Path:
    """The store's folder. StorageError when it is not there: looking must not make an empty one."""
    if "://" in settings.store and not settings.store.startswith("file://"):
        raise ConfigError(
            "setting {name}: there is no kind of store for {store}",
            hint=N_("name a folder"),
            name="store",
            store=settings.store,
        )
    folder = Path(settings.store.removeprefix("file://"))
    if not folder.is_dir():
        raise StorageError(
            "there is no store at {folder}",
            hint=N_("give --store DIR or set GOFERRY_STORE; `goferry serve` makes a store"),
            folder=folder,
        )
    return folder
