"""A file:// proxy as a supply, without a store in between."""

from pathlib import Path

from goferry.errors import NotFound
from goferry.gomod import semver
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Sums


class FolderSupply:
    """Reads the tree of a proxy at once; proves nothing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def mod(self, version: Version) -> bytes:
        return self._file(Kind.MOD, version.path, version.version).read_bytes()

    async def info(self, version: Version) -> bytes:
        return self._file(Kind.INFO, version.path, version.version).read_bytes()

    async def zip(self, version: Version) -> Path:
        return self._file(Kind.ZIP, version.path, version.version)

    async def versions(self, path: str) -> tuple[str, ...]:
        return tuple(semver.sort(self._file(Kind.LIST, path).read_text().split()))

    async def latest(self, path: str) -> bytes:
        return self._file(Kind.LATEST, path).read_bytes()

    async def prove(self, version: Version) -> Sums:
        raise NotFound("{module} is in no database", module=version)

    def _file(self, kind: Kind, path: str, version: str = "") -> Path:
        file = self._folder / request_path(kind, path, version)
        if not file.is_file():
            raise NotFound("{file} is not there", file=file)
        return file
