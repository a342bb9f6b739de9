"""What is fetched is verified before it is kept."""

import asyncio
from pathlib import Path
from typing import cast

from goferry.errors import VerifyError
from goferry.gomod.goproxy import parse_request
from goferry.gomod.module import Version
from goferry.gomod.modzip import ZipReport
from goferry.proxy.keeper import Keeper
from goferry.storage.opening import open_store
from goferry.upstream.base import Fetcher, Sink, Source

ZIP = parse_request("example.com/m/@v/v1.0.0.zip")


class Upstream:
    """Has another body each time."""

    def __init__(self, *bodies: bytes) -> None:
        self._bodies = iter(bodies)

    async def zip(self, module: Version, sink: Sink) -> Source:
        await sink.write(next(self._bodies))
        return Source("upstream.example", f"https://upstream.example/{module}")


async def test_a_zip_that_was_refused_once_is_not_changed_under_who_still_reads_it(tmp_path: Path) -> None:
    readers = []

    async def verify(_module: Version, path: Path, _wanted: asyncio.Event | None = None) -> ZipReport:
        readers.append(path.open("rb"))
        if len(readers) == 1:
            raise VerifyError("broken")
        return ZipReport("h1:second", 1, 6, 6, None)

    store = open_store(str(tmp_path / "store"))
    upstream = cast(Fetcher, Upstream(b"the first", b"second"))
    keeper = Keeper(store, upstream, None, max_zip=100, verify=verify)
    await keeper.keep(ZIP, lambda _: None)
    assert [reader.read() for reader in readers] == [b"the first", b"second"]
    assert await store.read(ZIP.key) == b"second"
    for reader in readers:
        reader.close()
    await store.close()
