"""Opens the store that a command works on, for commands that need no network."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from goferry.cli.console import Console
from goferry.cli.flags import load_settings
from goferry.config import Settings
from goferry.errors import StorageError
from goferry.i18n import N_
from goferry.storage.base import BlobStore
from goferry.storage.folders import folder_of
from goferry.storage.index_sqlite import Index
from goferry.storage.opening import open_index, open_store

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Opened:
    """A store, and what is known about the use of it where that is kept."""

    store: BlobStore
    index: Index | None


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Opened]:
    """The store that the settings name. ConfigError for a kind of store that there is not, StorageError for a
    folder that does not exist: looking into a store must not make an empty one.
    """
    _check_folder(folder_of(settings.store))
    store = open_store(settings.store, fsync=settings.fsync)
    index = open_index(store)
    try:
        yield Opened(store, index)
    finally:
        if index is not None:
            index.close()
        await store.close()


def on_store(
    console: Console,
    given: Mapping[str, Any],
    as_json: bool,
    work: Callable[[Opened, Settings], Awaitable[_T]],
) -> _T:
    """What comes of some work on the store that the flags and settings name."""
    settings = load_settings(console, given, as_json=as_json).settings

    async def run() -> _T:
        async with opened(settings) as found:
            return await work(found, settings)

    return asyncio.run(run())


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise StorageError(
            "there is no store at {folder}",
            hint=N_("give --store DIR or set GOFERRY_STORE; `goferry serve` makes a store"),
            folder=folder,
        )
