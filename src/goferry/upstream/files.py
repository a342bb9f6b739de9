"""A `file://` entry: a folder laid out as the URLs are, such as GOMODCACHE/cache/download or another store."""

import asyncio
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname

from goferry.errors import InvalidInput, NotFound, UpstreamError
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.upstream.base import MAX_GO_MOD, MAX_METADATA, Fetched, Sink, Source

_CHUNK = 1 << 20


class FileFetcher:
    """Reads from a local folder. A missing file is NotFound; any other trouble is the upstream's."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise InvalidInput("the file URL {url} names a host; write file:///path", url=url)
        self.name = url
        self._root = Path(url2pathname(parts.path))

    async def list(self, path: str) -> Fetched:
        return await self._read(request_path(Kind.LIST, path, ""))

    async def latest(self, path: str) -> Fetched:
        return await self._read(request_path(Kind.LATEST, path, ""))

    async def info(self, path: str, query: str) -> Fetched:
        return await self._read(request_path(Kind.INFO, path, query))

    async def mod(self, module: Version) -> Fetched:
        return await self._read(request_path(Kind.MOD, module.path, module.version), limit=MAX_GO_MOD)

    async def sumdb(self, name: str, path: str) -> Fetched:
        return await self._read(f"sumdb/{name}/{path}")

    async def zip(self, module: Version, sink: Sink) -> Source:
        key = request_path(Kind.ZIP, module.path, module.version)
        await sink.truncate(0)
        file = await asyncio.to_thread(self._open, key)
        with file:
            sink.expect(file.seek(0, 2))
            file.seek(0)
            while chunk := await asyncio.to_thread(file.read, _CHUNK):
                await sink.write(chunk)
        return self._source(key)

    async def _read(self, key: str, *, limit: int = MAX_METADATA) -> Fetched:
        def read() -> bytes:
            with self._open(key) as file:
                return file.read(limit + 1)

        body = await asyncio.to_thread(read)
        if len(body) > limit:
            raise UpstreamError(
                "{upstream}: {key} is over {limit} bytes", upstream=self.name, key=key, limit=limit
            )
        return Fetched(body, self._source(key))

    def _open(self, key: str) -> BinaryIO:
        try:
            return (self._root / key).open("rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound("{upstream}: no file {key}", upstream=self.name, key=key) from error
        except OSError as error:
            raise UpstreamError(
                "{upstream}: {key} cannot be read: {why}", upstream=self.name, key=key, why=error.strerror
            ) from error

    def _source(self, key: str) -> Source:
        return Source(self.name, f"{self.name.rstrip('/')}/{key}")
