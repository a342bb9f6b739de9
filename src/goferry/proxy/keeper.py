"""Fetch once, verify, keep. Only what has passed every check gets its name in the store.

One object at a time over all processes: the store's lock decides who fetches, the others find it there.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from goferry.errors import GoferryError, Refused, VerifyError
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, Request
from goferry.gomod.module import Version
from goferry.gomod.modzip import ZipReport
from goferry.gomod.sumdb.lookup import NotInDatabase, Sums
from goferry.proxy import judge
from goferry.proxy.base import Answer
from goferry.proxy.coalesce import Deliver
from goferry.proxy.intake import Intake
from goferry.proxy.verifier import Verify
from goferry.storage.base import Blob, BlobStore, Put, Upload
from goferry.storage.index_sqlite import Index, Provenance
from goferry.upstream.base import Fetcher, Source

A = TypeVar("A")
B = TypeVar("B")

Prove = Callable[[Version], Awaitable[Sums]]
"""The proven sums of a module version."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How a file is fetched that nobody has asked for yet.

    `proven` is told when only its keeping is left, and answers whether somebody waits for it by now; `wanted` is set as
    soon as somebody does.
    """

    proven: Callable[[], bool]
    wanted: asyncio.Event


_ZIP_TRIES = 2
"""A mismatch may come from a broken body that had the right length: one more look before it is called an attack."""


@dataclass(frozen=True, slots=True)
class Proofs:
    """How downloads are proven. `needed` says for which module paths; `by` names the checksum database."""

    by: str
    needed: Callable[[str], bool]
    prove: Prove


class Keeper:
    """Brings module files into the store."""

    def __init__(
        self,
        store: BlobStore,
        chain: Fetcher,
        proofs: Proofs | None,
        *,
        index: Index | None = None,
        max_zip: int,
        verify: Verify,
    ) -> None:
        self._store = store
        self._chain = chain
        self._proofs = proofs
        self._index = index
        self._max_zip = max_zip
        self._verify = verify
        self._intakes: dict[str, Intake] = {}

    async def keep(
        self, request: Request, deliver: Deliver[Answer | Blob], ahead: Ahead | None = None
    ) -> Answer | Blob:
        """The stored object for an exact request, fetched if it is not there yet.

        Small files are delivered as soon as they are proven, and kept afterwards.
        """
        async with self._store.lock(request.key):
            blob = await self._store.stat(request.key)
            return blob or await self._fetch(request, deliver, ahead)

    def nearly_done(self, key: str) -> bool:
        """Whether a fetch under way should go on although nobody waits for it any more."""
        intake = self._intakes.get(key)
        return intake is None or intake.nearly_done()

    async def _fetch(self, request: Request, deliver: Deliver[Answer | Blob], ahead: Ahead | None) -> Blob:
        match request.kind:
            case Kind.MOD:
                return await self._keep_mod(request, deliver)
            case Kind.ZIP:
                return await self._keep_zip(request, ahead)
            case _:
                return await self._keep_info(request, deliver)

    async def _keep_info(self, request: Request, deliver: Deliver[Answer | Blob]) -> Blob:
        fetched = await self._chain.info(request.path, request.version)
        judge.check_info(fetched.body, request.path, exact=request.version)
        deliver(_answer(request.key, fetched.body))
        # Whoever asked has it, so nobody waits for the disk.
        (blob,) = await self._store.put_all([Put(request.key, fetched.body, replace=True, lazy=True)])
        self._note(blob, fetched.source)
        return blob

    async def _keep_mod(self, request: Request, deliver: Deliver[Answer | Blob]) -> Blob:
        mod = request.module
        fetched, sums = await self._with_sums(mod, self._chain.mod(mod))
        h1 = dirhash.hash_go_mod(fetched.body)
        try:
            if sums is None:
                judge.check_go_mod(fetched.body, mod.path, mod.version)
            else:
                sums.check_mod(h1)
        except GoferryError as error:
            await self._quarantine(request.key, fetched.body, error)
            raise
        deliver(_answer(request.key, fetched.body))
        # We hold the lock of this file, so nothing of anybody else is replaced; a rename is cheaper than a new name.
        puts = [Put(request.key, fetched.body, replace=True, lazy=True)]
        if sums is None:
            # Lost in a crash it is missed by the next scrub alone, so nobody waits for the disk.
            puts.insert(
                0, Put(_sidecar(request.key, "modhash"), h1.encode(), replace=True, durable=False, lazy=True)
            )
        blob = (await self._store.put_all(puts))[-1]
        self._note(blob, fetched.source, h1, sums)
        return blob

    async def _keep_zip(self, request: Request, ahead: Ahead | None) -> Blob:
        for tries_left in reversed(range(_ZIP_TRIES)):
            if blob := await self._try_zip(request, ahead, is_last=not tries_left):
                return blob
        raise AssertionError("the last try returns or raises")

    async def _try_zip(self, request: Request, ahead: Ahead | None, *, is_last: bool) -> Blob | None:
        """The zip as it is kept; None when it is not what it should be, and this is not the last try."""
        # A file for each try: of two processes that verify, one may still read it when the other has refused it, and
        # would be ended by the system if it were cut meanwhile.
        upload = await self._store.upload()
        self._intakes[request.key] = intake = Intake(upload, self._max_zip)
        try:
            source, sums = await self._with_sums(request.module, self._chain.zip(request.module, intake))
            try:
                report = await self._judge_zip(request.module, upload, sums, ahead)
                lazy = ahead is not None and not ahead.proven()
                return await self._commit_zip(request, upload, source, report.h1, sums, lazy=lazy)
            except VerifyError as error:
                if not is_last:
                    return None
                await upload.quarantine(request.key, str(error))
                raise
        finally:
            del self._intakes[request.key]
            await upload.abort()

    async def _judge_zip(
        self, mod: Version, upload: Upload, sums: Sums | None, ahead: Ahead | None
    ) -> ZipReport:
        report = await self._verify(mod, upload.path, None if ahead is None else ahead.wanted)
        if sums is not None:
            sums.check_zip(report.h1)
        return report

    async def _commit_zip(
        self, request: Request, upload: Upload, source: Source, h1: str, sums: Sums | None, *, lazy: bool
    ) -> Blob:
        # Where a database has the sum, one that a crash of the machine takes is no loss. It waits for company, and gets
        # that of the zip.
        durable = sums is None
        hashed = Put(_sidecar(request.key, "ziphash"), h1.encode(), durable=durable, lazy=True)
        _, blob = await _both(self._store.put_all([hashed]), upload.commit(request.key, lazy=lazy))
        self._note(blob, source, h1, sums)
        return blob

    async def _with_sums(self, mod: Version, fetch: Coroutine[Any, Any, A]) -> tuple[A, Sums | None]:
        """What is fetched, and the proven sums, or None where no proof is asked for."""
        if self._proofs is None or not self._proofs.needed(mod.path):
            return await fetch, None
        return await _both(fetch, _prove(self._proofs, mod))

    async def _quarantine(self, key: str, body: bytes, error: GoferryError) -> None:
        upload = await self._store.upload()
        try:
            await upload.write(body)
            await upload.quarantine(key, str(error))
        finally:
            await upload.abort()

    def _note(self, blob: Blob, source: Source, h1: str = "", sums: Sums | None = None) -> None:
        if self._index is not None:
            self._index.stored(blob, Provenance(source.name, h1, sums.database if sums else ""))


def _answer(key: str, body: bytes) -> Answer:
    return Answer(key, len(body), time.time(), immutable=True, body=body)


async def _prove(proofs: Proofs, mod: Version) -> Sums:
    try:
        return await proofs.prove(mod)
    except NotInDatabase as error:
        raise Refused(
            "{module} is not in the checksum database {database}, so it cannot be proven",
            hint="a private module belongs into the setting `private` (as in GOPRIVATE)",
            module=mod,
            database=proofs.by,
        ) from error


def _sidecar(key: str, suffix: str) -> str:
    """The key of a hash beside a module file, as Go's own cache has `.ziphash`."""
    return f"{key.rpartition('.')[0]}.{suffix}"


async def _both(first: Coroutine[Any, Any, A], second: Coroutine[Any, Any, B]) -> tuple[A, B]:
    """Both results; when the first fails its error is the one that counts, and the second is dropped."""
    other = asyncio.create_task(second)
    try:
        return await first, await other
    finally:
        if not other.done():
            other.cancel()
            await asyncio.wait((other,))
        if not other.cancelled():
            other.exception()  # seen: it is not one that was forgotten
