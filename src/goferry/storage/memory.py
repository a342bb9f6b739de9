"""A store in memory that keeps the whole contract and can misbehave: for tests, and for a server without a
disk.

A write can fail *before* it took hold or *after* it (the answer was lost, the object is there). Both happen
with real stores, and a caller that survives only the first will sooner or later keep something twice or lose
something.
"""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from json import dumps
from pathlib import Path
from typing import Literal, NamedTuple

from goferry.errors import StorageError
from goferry.storage.base import Blob, Put
from goferry.storage.keys import OWN, check_key, check_prefix, quarantine_key

Act = Literal[
    "stat", "read", "put", "touch", "upload", "write", "commit", "delete", "quarantine", "keys", "lock"
]
When = Literal["before", "after"]


class _Object(NamedTuple):
    data: bytes
    mtime: float


@dataclass(slots=True)
class _Fault:
    act: Act
    when: When
    times: int
    key: str | None

    def hits(self, act: Act, when: When, key: str) -> bool:
        return self.times > 0 and (act, when) == (self.act, self.when) and self.key in (None, key)


class MemoryStore:
    """Keeps objects in a dict. `objects` and `asked` may be read by tests; all copies of one store share them."""

    def __init__(self, url: str = "memory:", *, read_only: str | None = None) -> None:
        self.url = url
        self.read_only = read_only
        self.objects: dict[str, _Object] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        """How often each (act, key) was asked for."""
        self._faults: list[_Fault] = []
        self._locks: dict[str, asyncio.Lock] = {}
        self._users: Counter[str] = Counter()

    def fail(self, act: Act, when: When = "before", *, times: int = 1, key: str | None = None) -> None:
        """The next `times` such acts (on `key`, or any) raise StorageError, before or after they took hold."""
        self._faults.append(_Fault(act, when, times, key))

    def _point(self, act: Act, when: When, key: str) -> None:
        if when == "before":
            self.asked[act, key] += 1
        for fault in self._faults:
            if fault.hits(act, when, key):
                fault.times -= 1
                raise StorageError("the store failed at {key}: {why}", key=key, why=f"{when} {act}")

    def _check_writable(self) -> None:
        if self.read_only is not None:
            raise StorageError("the store {root} cannot be written: {why}", root=self.url, why=self.read_only)

    async def stat(self, key: str) -> Blob | None:
        """What is known of an object; None when there is none."""
        self._point("stat", "before", check_key(key))
        found = self.objects.get(key)
        return None if found is None else Blob(key, len(found.data), found.mtime)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        """The bytes [start, end) of an object; None when there is none."""
        self._point("read", "before", check_key(key))
        found = self.objects.get(key)
        return None if found is None else found.data[start:end]

    async def put(self, key: str, data: bytes, *, replace: bool = False, durable: bool = True) -> Blob:  # noqa: ARG002  memory is as durable as it gets
        """Keeps small bytes whole."""
        return self._keep("put", key, data, replace=replace)

    async def put_all(self, puts: Sequence[Put]) -> list[Blob]:
        """Keeps several."""
        kept: list[Blob] = []
        errors: list[StorageError] = []
        for put in puts:
            try:
                kept.append(self._keep("put", put.key, put.data, replace=put.replace))
            except StorageError as error:
                errors.append(error)
        if errors:
            raise errors[0]
        return kept

    def _keep(self, act: Act, key: str, data: bytes, *, replace: bool) -> Blob:
        self._check_writable()
        self._point(act, "before", check_key(key))
        if replace or key not in self.objects:
            self.objects[key] = _Object(bytes(data), time.time())
        kept = self.objects[key]
        self._point(act, "after", key)
        return Blob(key, len(kept.data), kept.mtime)

    def hurry(self) -> None:
        """Nothing waits here."""

    async def touch(self, key: str) -> None:
        """Sets mtime to now."""
        self._check_writable()
        self._point("touch", "before", check_key(key))
        if (found := self.objects.get(key)) is not None:
            self.objects[key] = found._replace(mtime=time.time())

    async def upload(self) -> "MemoryUpload":
        """Room for bytes on their way in."""
        self._check_writable()
        self._point("upload", "before", "")
        return MemoryUpload(self)

    async def delete(self, key: str) -> bool:
        """True when there was something to delete."""
        self._check_writable()
        self._point("delete", "before", check_key(key))
        found = self.objects.pop(key, None)
        self._point("delete", "after", key)
        return found is not None

    async def quarantine(self, key: str, reason: str) -> str | None:
        """Moves an object aside; None when there is none."""
        self._check_writable()
        self._point("quarantine", "before", check_key(key))
        found = self.objects.pop(key, None)
        return None if found is None else self._set_aside(key, found.data, reason)

    def _set_aside(self, key: str, data: bytes, reason: str) -> str:
        now = datetime.now(UTC)
        aside = quarantine_key(key, now)
        note = {"key": key, "reason": reason, "time": now.isoformat(timespec="seconds")}
        self.objects[aside + ".json"] = _Object(dumps(note).encode(), now.timestamp())
        self.objects[aside] = _Object(data, now.timestamp())
        return aside

    async def keys(self, prefix: str = "") -> AsyncIterator[Blob]:
        """All objects whose key starts with `prefix`, in order."""
        self._point("keys", "before", check_prefix(prefix))
        for key, found in sorted(self.objects.items()):
            if key.startswith(prefix) and (prefix or not key.startswith(OWN)):
                yield Blob(key, len(found.data), found.mtime)

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        """Exclusive among all users of this object."""
        self._point("lock", "before", name)
        lock = self._locks.setdefault(name, asyncio.Lock())
        self._users[name] += 1
        try:
            async with lock:
                yield
        finally:
            self._users[name] -= 1
            if not self._users[name]:
                del self._users[name], self._locks[name]

    def local_path(self, key: str) -> None:
        """There is no file."""
        check_key(key)

    async def close(self) -> None:
        """Nothing to close; the objects stay readable."""


class MemoryUpload:
    """Bytes on their way into a MemoryStore, in a temporary file: verifiers read files."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        with tempfile.NamedTemporaryFile(prefix="goferry-", delete=False) as file:
            self._path = Path(file.name)
        self._data = bytearray()
        self._open = True

    @property
    def path(self) -> Path:
        """The temporary file, holding all that was written so far."""
        self._check_open()
        self._path.write_bytes(self._data)
        return self._path

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return len(self._data)

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError("the upload is over: it was committed, quarantined or aborted")

    async def write(self, chunk: bytes) -> None:
        """Adds to the end."""
        self._check_open()
        self._store._point("write", "before", "")
        self._data += chunk
        self._store._point("write", "after", "")

    async def truncate(self, size: int = 0) -> None:
        """Forgets what lies beyond `size`; ValueError when there is less than that."""
        self._check_open()
        if not 0 <= size <= self.size:
            raise ValueError(f"cannot truncate {self.size} bytes to {size}")
        del self._data[size:]

    async def commit(self, key: str, *, replace: bool = False, lazy: bool = False) -> Blob:  # noqa: ARG002  nothing waits here
        """Makes it visible."""
        check_key(key)
        self._check_open()
        try:
            return self._store._keep("commit", key, bytes(self._data), replace=replace)
        finally:
            await self.abort()

    async def quarantine(self, key: str, reason: str) -> str:
        """Keeps it for inspection."""
        check_key(key)
        self._check_open()
        self._store._point("quarantine", "before", key)
        aside = self._store._set_aside(key, bytes(self._data), reason)
        await self.abort()
        return aside

    async def abort(self) -> None:
        """Drops it; safe at any time."""
        self._open = False
        with suppress(FileNotFoundError):
            self._path.unlink()
