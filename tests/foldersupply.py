"""A Supply from a file:// proxy tree, read at once: the tests of `deps` need neither a store nor a network."""

from pathlib import Path

from goferry.errors import NotFound
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.query import latest_in_list, versions_in_list
from goferry.gomod.sumdb.lookup import Sums


class FolderSupply:
    """`asked` names what was read, in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[str] = []

    async def mod(self, version: Version) -> bytes:
        return self._read(Kind.MOD, version.path, version.version)

    async def info(self, version: Version) -> bytes:
        return self._read(Kind.INFO, version.path, version.version)

    async def zip(self, version: Version) -> Path:
        return self._folder / request_path(Kind.ZIP, version.path, version.version)

    async def versions(self, path: str) -> tuple[str, ...]:
        return tuple(versions_in_list(self._read(Kind.LIST, path).decode()))

    async def latest(self, path: str) -> bytes:
        """As go does without the file: of the list, if that holds commits."""
        try:
            return self._read(Kind.LATEST, path)
        except NotFound:
            version = latest_in_list(self._read(Kind.LIST, path).decode())
            return self._read(Kind.INFO, path, version)

    async def prove(self, version: Version) -> Sums:
        raise NotFound("{module} is in no database", module=version)

    def _read(self, kind: Kind, path: str, version: str = "") -> bytes:
        key = request_path(kind, path, version)
        self.asked.append(key)
        file = self._folder / key
        if not file.is_file():
            raise NotFound("{file} is not there", file=file)
        return file.read_bytes()
