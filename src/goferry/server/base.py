"""What the server needs from the module proxy in front of which it stands. goferry.proxy.assemble opens one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from goferry.config import Settings
from goferry.gomod.goproxy import Request
from goferry.proxy.base import Answer, Observer
from goferry.storage.base import BlobStore


class ModuleProxy(Protocol):
    """Answers module requests. All methods raise only subclasses of GoferryError."""

    @property
    def store(self) -> BlobStore:
        """Where answers are kept; its local files are sent without asking the proxy."""

    @property
    def sumdb_names(self) -> tuple[str, ...]:
        """The checksum databases that can be asked for."""

    @property
    def instance(self) -> str:
        """The id by which this server recognises its own requests when they come back."""

    async def answer(self, request: Request, *, cached_only: bool = False) -> Answer:
        """The answer to a module request; with `cached_only`, from the store alone."""

    def known(self, key: str) -> Answer | None:
        """The answer to the request for a list or @latest of this key, if it is in memory. From any thread, and at
        once; whoever gives one that is stale is to `refresh` it."""

    def refresh(self, key: str) -> None:
        """Ask anew for a list or @latest that was given although it is old."""

    async def sumdb(self, name: str, rest: str, *, cached_only: bool = False) -> Answer:
        """The answer to a request below `sumdb/NAME/`."""

    def breakers(self) -> Mapping[str, str]:
        """The circuit breaker of each upstream host: closed, open or half_open."""

    async def ready(self) -> list[str]:
        """What keeps it from working, for people; empty when nothing does."""

    def touch(self, key: str) -> None:
        """Note that a stored object was asked for."""


Opener = Callable[..., AbstractAsyncContextManager[ModuleProxy]]
"""Opens a module proxy: called with the settings, and the observer by name."""


def load_opener(target: str) -> Opener:
    """The function behind `package.module:name`."""
    module, _, name = target.partition(":")
    found: Any = __import__(module, fromlist=[name])
    opener: Opener = getattr(found, name)
    return opener


__all__ = ["ModuleProxy", "Observer", "Opener", "Settings", "load_opener"]
