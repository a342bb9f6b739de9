"""A module proxy that answers from its own tables: what the server is tested against.

`open_fake` is an opener as goferry.server.run.serve takes it; the store is the folder in the settings.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from goferry.config import Settings
from goferry.errors import (
    GoferryError,
    InvalidInput,
    LoopDetected,
    NotFound,
    Refused,
    StorageError,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VerifyError,
)
from goferry.gomod.goproxy import Kind, Request
from goferry.proxy.base import Answer, Observer, Outcome
from goferry.storage.base import Blob
from goferry.upstream.loop import VIA

INSTANCE = "fa4e"
MTIME = 1_700_000_000.0

FAILURES: Mapping[str, Callable[[], GoferryError]] = {
    "example.org/missing": lambda: NotFound("{module}: no such module", module="example.org/missing"),
    "example.org/refused": lambda: Refused("the upstream refuses: {text}", text="not allowed here"),
    "example.org/forged": lambda: VerifyError("checksum mismatch", hint="compare go.sum"),
    "example.org/broken": lambda: UpstreamError("the upstream cut the body"),
    "example.org/slow": lambda: UpstreamTimeout("no answer within {s} s", s=5),
    "example.org/away": lambda: Unavailable("offline", hint="switch offline off\n\nor warm the store first"),
    "example.org/ring": lambda: LoopDetected("it came back"),
    "example.org/full": lambda: StorageError("the store is full"),
    "example.org/bad": lambda: InvalidInput("malformed"),
    "example.org/long": lambda: UpstreamError("x" * 5000 + "\n" * 5 + "\x1b[31mred"),
}

KNOWN = {"example.org/known/@v/list": b"v1.0.9\n", "example.org/known/@latest": b'{"Version":"v1.0.9"}'}
"""What is in memory and fresh; `answer` says something else, so that it shows who answered."""


class FolderStore:
    """As much of a BlobStore as the server uses."""

    def __init__(self, root: Path) -> None:
        self.url = str(root)
        self._root = root

    def local_path(self, key: str) -> Path | None:
        return self._root / key

    async def keys(self, prefix: str = "") -> AsyncIterator[Blob]:
        for path in self._root.rglob("*"):
            if path.is_file():
                status = path.stat()
                yield Blob(str(path.relative_to(self._root)), status.st_size, status.st_mtime)


class FakeProxy:
    """Lists and @latest from tables, files from the folder, errors by module name."""

    instance = INSTANCE
    sumdb_names = ("sum.example.org", "sum.example.org/deep")

    def __init__(self, settings: Settings, observer: Observer) -> None:
        self.store = FolderStore(Path(settings.store))
        self._observer = observer
        self.touched: list[str] = []
        self.refreshed: list[str] = []

    async def answer(self, request: Request, *, cached_only: bool = False) -> Answer:
        if request.path in FAILURES:
            self._observer.answered(str(request.kind), Outcome.ERROR)
            raise FAILURES[request.path]()
        if request.path == "example.org/crash":
            raise RuntimeError("a fault of the program")
        if request.path == "example.org/wait":
            await asyncio.sleep(float(request.version.rpartition("-")[2]) / 1000 if request.version else 0)
        if cached_only and request.path == "example.org/uncached":
            raise NotFound("not in the store")
        if request.path == "example.org/via":
            return self._small(request, " ".join(VIA.get()).encode())
        self._observer.answered(str(request.kind), Outcome.MISS)
        return self._small(
            request, b"v1.0.0\nv1.1.0\n" if request.kind is Kind.LIST else b'{"Version":"v1.1.0"}'
        )

    def _small(self, request: Request, body: bytes) -> Answer:
        stale = request.path == "example.org/stale"
        return Answer(request.key, len(body), MTIME, immutable=request.exact, body=body, stale=stale)

    def known(self, key: str) -> Answer | None:
        body = KNOWN.get(key)
        return None if body is None else Answer(key, len(body), MTIME, immutable=False, body=body)

    def refresh(self, key: str) -> None:
        self.refreshed.append(key)

    async def sumdb(self, name: str, rest: str, *, cached_only: bool = False) -> Answer:
        body = f"{name} {rest}\n".encode()
        return Answer(f"sumdb/{name}/{rest}", len(body), MTIME, immutable=rest != "latest", body=body)

    def breakers(self) -> Mapping[str, str]:
        return {"proxy.example.org": "half_open"}

    async def ready(self) -> list[str]:
        return [line for line in self._flag("problems").splitlines() if line]

    def _flag(self, name: str) -> str:
        path = Path(self.store.url) / name
        return path.read_text() if path.exists() else ""

    def touch(self, key: str) -> None:
        self.touched.append(key)


@asynccontextmanager
async def open_fake(settings: Settings, *, observer: Observer) -> AsyncIterator[FakeProxy]:
    yield FakeProxy(settings, observer)


@asynccontextmanager
async def open_unless_down(settings: Settings, *, observer: Observer) -> AsyncIterator[FakeProxy]:
    """Works as long as there is no file `down` in the store."""
    if (Path(settings.store) / "down").exists():
        raise StorageError("the store is down")
    yield FakeProxy(settings, observer)


@asynccontextmanager
async def open_never(settings: Settings, *, observer: Observer) -> AsyncIterator[FakeProxy]:
    raise StorageError("the store {store} is no folder", store=settings.store, hint="give another --store")
    yield FakeProxy(settings, observer)
