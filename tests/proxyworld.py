"""A module proxy between a lab upstream and a store in a folder: the world of the service's tests."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goferry.config import Settings
from goferry.errors import NotFound
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, parse_request, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import LyingLog, MemLog
from goferry.lab import goproxy as lab
from goferry.lab.goproxy import LabProxy
from goferry.proxy.assemble import open_proxy
from goferry.proxy.base import Answer
from goferry.proxy.service import ModuleProxy


class Tree(Mapping[str, bytes]):
    """Module files, and behind them a checksum database that has a true record of each."""

    def __init__(self, files: Mapping[str, bytes], name: str = "sum.example.org") -> None:
        self.files = dict(files)
        self.truth = dict(files)
        self.log = MemLog(name, sums=self._sums)
        self.answers = LyingLog(self.log)
        self._prefix = f"sumdb/{name}/"

    def __getitem__(self, path: str) -> bytes:
        if not path.startswith(self._prefix):
            return self.files[path]
        rest = path.removeprefix(self._prefix)
        if rest == "supported":
            return b""
        try:
            return self.answers.get(rest)
        except NotFound as error:
            raise KeyError(path) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self.files)

    def __len__(self) -> int:
        return len(self.files)

    def _sums(self, module: Version) -> list[str]:
        mod = self.truth.get(request_path(Kind.MOD, module.path, module.version))
        body = self.truth.get(request_path(Kind.ZIP, module.path, module.version))
        if mod is None or body is None:
            raise NotFound("no such module")
        return [
            f"{module} {zip_hash(body)}".replace("@", " "),
            f"{module}/go.mod {dirhash.hash_go_mod(mod)}".replace("@", " "),
        ]


def zip_hash(body: bytes) -> str:
    """The h1 of a zip in memory."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        return dirhash.hash1(archive.namelist(), lambda name: archive.open(name))


@dataclass
class World:
    """What a test sees."""

    proxy: ModuleProxy
    upstream: LabProxy
    tree: Tree
    root: Path
    settings: Settings
    stack: AsyncExitStack = field(repr=False)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.proxy.answer(parse_request(path), **options)

    async def body(self, path: str) -> bytes:
        return content(await self.get(path))

    async def another(self, **changes: Any) -> ModuleProxy:
        """Another worker, or a later start, on the same store."""
        await self.proxy.idle()
        return await self.stack.enter_async_context(open_proxy(replace(self.settings, **changes), environ={}))

    def quarantined(self) -> list[str]:
        folder = self.root / ".goferry" / "quarantine"
        return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())

    async def stored(self) -> list[str]:
        """Keys of what a client could be served as a file of a version, once everything is kept."""
        await self.proxy.idle()
        found = (path.relative_to(self.root).as_posix() for path in self.root.rglob("@v/*") if path.is_file())
        return sorted(key for key in found if not key.startswith(".goferry"))


def content(answer: Answer) -> bytes:
    """The bytes of an answer, however they are handed over."""
    return answer.body if answer.body is not None else answer.file.read_bytes()  # type: ignore[union-attr]


@asynccontextmanager
async def world(
    root: Path, files: Mapping[str, bytes], faults: lab.Faults = lab.no_faults, **settings: Any
) -> AsyncIterator[World]:
    """A proxy on a store at `root` in front of a lab upstream with these files and faults."""
    tree = Tree(files)
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(lab.running(tree, faults))
        values: dict[str, Any] = {
            "upstream": upstream.url,
            "sumdb": tree.log.verifier_key,
            "store": str(root),
            "attempts": 10,
            "retry_wait_max": 0.01,
            "first_byte_timeout": 2.0,
            "idle_timeout": 2.0,
            "fsync": False,
        } | settings
        chosen = Settings(**values)
        proxy = await stack.enter_async_context(open_proxy(chosen, environ={}))
        yield World(proxy, upstream, tree, root, chosen, stack)
