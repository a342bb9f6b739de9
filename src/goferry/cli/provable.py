"""Makes a store able to prove its modules to clients that have nothing but an empty cache and no network.

A client with the checksum database on asks for more than a module's record: for the tiles that lead from the record
to the newest tree head. Which ones, only the client's algorithm knows. So a client with an empty memory is run here
against the proxy, and whatever it asks for is in the store afterwards.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from goferry.errors import GoferryError, NotFound, StorageError
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Ask, Database, Fetch, ReadHead, lookup_path
from goferry.proxy.base import Answer

_PASSES: Final = 5


class SumProxy(Protocol):
    """The part of the module proxy that is needed here."""

    async def sumdb(self, name: str, rest: str) -> Answer: ...


async def make_provable(
    proxy: SumProxy, forget: Callable[[], Database], modules: Iterable[Version], jobs: int
) -> dict[str, GoferryError]:
    """Looks all modules up as a new client would; returns what failed, by storage key.

    `forget` makes a client with an empty memory. The tree may grow on the way, and offline every record is shown
    under the newest head; so it is done again until the head has stayed the same for a whole pass.
    """
    wanted = list(modules)
    head = None
    failed: dict[str, GoferryError] = {}
    for _pass in range(_PASSES):
        database = forget()
        failed = await _look_up_all(proxy, database, wanted, jobs)
        if database.latest.note == head:
            break
        head = database.latest.note
    return failed


async def _look_up_all(
    proxy: SumProxy, database: Database, modules: list[Version], jobs: int
) -> dict[str, GoferryError]:
    slots = asyncio.Semaphore(jobs)
    failed: dict[str, GoferryError] = {}

    async def look_up(module: Version) -> None:
        async with slots:
            try:
                await _look_up(proxy, database, module)
            except StorageError:
                raise
            except GoferryError as error:
                failed[f"sumdb/{database.name}/{lookup_path(module)}"] = error

    async with asyncio.TaskGroup() as group:
        for module in modules:
            group.create_task(look_up(module))
    return failed


async def _look_up(proxy: SumProxy, database: Database, module: Version) -> None:
    exchange = database.lookup(module)
    while asks := exchange.need():
        for ask in asks:
            exchange.feed(ask, await _answer(proxy, database.name, ask))
    exchange.result()


async def _answer(proxy: SumProxy, name: str, ask: Ask) -> Any:
    if isinstance(ask, ReadHead):
        return b""
    if not isinstance(ask, Fetch):
        return True  # the head of a memory that nobody else has
    try:
        answer = await proxy.sumdb(name, ask.path)
    except NotFound:
        return None
    if answer.body is not None:
        return answer.body
    assert answer.file is not None
    return await asyncio.to_thread(answer.file.read_bytes)
