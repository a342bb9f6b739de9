"""What a store of module files can do. Every backend passes tests/contracts/blob_store.py.

A key is the URL path below the proxy's root, decoded once, with the Go escapes kept:
`github.com/!burnt!sushi/toml/@v/v1.0.0.zip`, `golang.org/x/mod/@v/list`,
`sumdb/sum.golang.org/tile/8/0/x001/234`. So a local store is also a `GOPROXY=file://` tree and works behind
nginx `try_files`. Keys below `.goferry/` are the store's own and are never served. A key that no URL of ours
can have (empty, `..`, an empty element, a backslash, a control character) is InvalidInput, whatever is asked.

Writes are all or nothing: a key is absent, or holds complete bytes. What `put`/`commit` acknowledged survives
a crash.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Blob:
    """What is known of a stored object without reading it. `mtime` is seconds since the epoch (with fraction)."""

    key: str
    size: int
    mtime: float


@dataclass(frozen=True, slots=True)
class Put:
    """One small object to be kept, as BlobStore.put takes it."""

    key: str
    data: bytes
    replace: bool = False
    durable: bool = True
    lazy: bool = False
    """Whether nobody needs it soon: it may be kept a moment later, together with others."""


class Upload(Protocol):
    """Bytes on their way in. They become visible at `commit`, all at once, or never."""

    @property
    def path(self) -> Path:
        """A private local file that holds what was written so far; readable before commit (to verify it)."""

    @property
    def size(self) -> int:
        """Bytes written so far."""

    async def write(self, chunk: bytes) -> None: ...

    async def truncate(self, size: int = 0) -> None:
        """Forget what was written beyond `size` (a restart of a broken body)."""

    async def commit(self, key: str, *, replace: bool = False, lazy: bool = False) -> Blob:
        """Make it durable and visible under `key`. Without `replace` an existing object wins and is returned.

        `lazy`: nobody needs it soon, as with Put.
        """

    async def quarantine(self, key: str, reason: str) -> str:
        """Move it aside for inspection with the reason beside it; returns the key below `.goferry/quarantine/`."""

    async def abort(self) -> None:
        """Drop it. Safe to call twice and after commit."""


class BlobStore(Protocol):
    """Where module files are kept. All methods raise StorageError for faults of the store itself."""

    url: str
    """How a person named it: a folder or a URL without secrets."""

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written (for people, translated), or None for a store in full working order."""

    async def stat(self, key: str) -> Blob | None:
        """None when there is no such object."""

    async def read(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        """The bytes [start, end) of an object; None when there is no such object."""

    async def put(self, key: str, data: bytes, *, replace: bool = False, durable: bool = True) -> Blob:
        """Store small bytes whole. Without `replace` an existing object wins and is returned.

        With `durable` false nobody waits for the disk: after a crash of the machine the object may be short or gone.
        """

    async def put_all(self, puts: Sequence[Put]) -> list[Blob]:
        """Store several small objects, each as `put` does, one after the other: none is there before those ahead of it.

        Cheaper than as many calls. Raises the first error when all have been tried.
        """

    def hurry(self) -> None:
        """Somebody waits for an object that is being kept lazily: keep all such objects now."""

    async def touch(self, key: str) -> None:
        """Set mtime to now (a refresh found the same bytes). No error when the object is absent."""

    async def upload(self) -> Upload: ...

    async def delete(self, key: str) -> bool:
        """True when there was something to delete."""

    async def quarantine(self, key: str, reason: str) -> str | None:
        """Move a stored object aside as Upload.quarantine does; None when there is no such object."""

    def keys(self, prefix: str = "") -> AsyncIterator[Blob]:
        """All objects whose key starts with `prefix` (folders are walked), without `.goferry/` unless asked
        for.

        In the order of the keys. What is written or deleted meanwhile may or may not be among them.
        """

    def lock(self, name: str) -> AbstractAsyncContextManager[None]:
        """Exclusive over all processes that use this store, freed when its holder dies. Waiters do not block
        the loop.

        Not reentrant. A store that cannot be written grants it within the process only: nothing can be kept
        there anyway.
        """

    def local_path(self, key: str) -> Path | None:
        """The file behind a key (for sendfile and mmap), whether or not it exists yet; None for remote stores."""

    async def close(self) -> None: ...
