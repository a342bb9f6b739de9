"""The real supply: everything goes through goferry's own module proxy, so it is proven, and kept in the store."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from goferry.deps.gate.proving import FirstSeen
from goferry.errors import NotFound
from goferry.gomod.goproxy import Kind, parse_request, request_path
from goferry.gomod.module import Version
from goferry.gomod.query import versions_in_list
from goferry.gomod.sumdb.lookup import Sums
from goferry.proxy.base import Answer
from goferry.proxy.service import ModuleProxy


class ProxySupply:
    """A Supply from an open ModuleProxy."""

    def __init__(self, proxy: ModuleProxy) -> None:
        self._proxy = proxy

    async def mod(self, version: Version) -> bytes:
        return await self._body(Kind.MOD, version.path, version.version)

    async def info(self, version: Version) -> bytes:
        return await self._body(Kind.INFO, version.path, version.version)

    async def zip(self, version: Version) -> Path:
        key = request_path(Kind.ZIP, version.path, version.version)
        await self._answer(key)
        place = self._proxy.store.local_path(key)
        if place is None:
            raise NotFound("{key} is no file in this store", key=key)
        return place

    async def versions(self, path: str) -> tuple[str, ...]:
        text = (await self._body(Kind.LIST, path)).decode(errors="replace")
        return tuple(versions_in_list(text))

    async def latest(self, path: str) -> bytes:
        return await self._body(Kind.LATEST, path)

    async def prove(self, version: Version) -> Sums:
        return await self._proxy.prove(version)

    async def first_hashes(self, version: Version) -> FirstSeen:
        """The hashes that the store kept when it first fetched the files of a version."""
        key = request_path(Kind.ZIP, version.path, version.version).removesuffix("zip")
        found = [await self._proxy.store.read(f"{key}{name}") for name in ("ziphash", "modhash")]
        return FirstSeen(*(body.decode() if body else None for body in found))

    async def prove_own(self, version: Version) -> tuple[Sums, bool]:
        """What the log of one's own says of a version, proven, and whether it was recorded only now."""
        sums = await self._proxy.prove_own(version)
        log = self._proxy.own_log
        return sums, log is not None and log.is_new(sums)

    async def own_head(self) -> str:
        """The newest tree head of the log of one's own that was proven, as the signed note; empty for none."""
        log = self._proxy.own_log
        return "" if log is None else (await log.signed_head()).decode()

    async def log_head(self) -> str:
        """The newest tree head of the checksum database that the store has proven, as the signed note; empty for
        none."""
        name = next(iter(self._proxy.sumdb_names), "")
        body = await self._proxy.store.read(f".goferry/sumdb/{name}/latest") if name else None
        return (body or b"").decode()

    async def first_seen(self, version: Version) -> datetime | None:
        """When the store got the first file of a version; it was published then or before. None when it has none."""
        keys = [request_path(kind, version.path, version.version) for kind in (Kind.INFO, Kind.MOD, Kind.ZIP)]
        found = [blob.mtime for key in keys if (blob := await self._proxy.store.stat(key)) is not None]
        return datetime.fromtimestamp(min(found), UTC) if found else None

    async def _body(self, kind: Kind, path: str, version: str = "") -> bytes:
        answer = await self._answer(request_path(kind, path, version))
        if answer.body is not None:
            return answer.body
        assert answer.file is not None
        return await asyncio.to_thread(answer.file.read_bytes)

    async def _answer(self, key: str) -> Answer:
        return await self._proxy.answer(parse_request(key))
