"""Drives exchanges against an in-memory log, with a store that keeps only what was proven."""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import TypeVar

from goferry.errors import NotFound
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Answer, Ask, Database, Exchange, Fetch, ReadHead, SwapHead
from goferry.gomod.sumdb.memlog import LyingLog, MemLog

T = TypeVar("T")


def sums_of(module: Version) -> list[str]:
    """Two made-up go.sum lines for any module."""
    return [
        f"{module.path} {module.version} h1:zip-of-{module.path}@{module.version}=",
        f"{module.path} {module.version}/go.mod h1:mod-of-{module.path}@{module.version}=",
    ]


def modules(count: int, start: int = 0) -> list[Version]:
    return [Version(f"example.org/m{n}", "v1.0.0") for n in range(start, start + count)]


def grown_log(count: int) -> MemLog:
    """A log that already has the records of modules(count), and makes others when asked."""
    log = MemLog(sums=sums_of)
    for module in modules(count):
        log.find(module)
    return log


class World:
    """One process's view: a database, a source of answers, a store of proven bodies, a remembered head."""

    def __init__(
        self, log: MemLog | LyingLog, *, height: int = 2, store: dict[str, bytes] | None = None
    ) -> None:
        signer = log.log.signer if isinstance(log, LyingLog) else log.signer
        self.log = log
        self.database = Database(signer.verifier, height=height)
        self.store = {} if store is None else store
        self.head: list[bytes] = [b""]
        self.fetched: Counter[str] = Counter()
        self.before_swap: Callable[[], None] = lambda: None

    def restart(self) -> None:
        """A new process with the same store and remembered head."""
        self.database = Database(self.database.verifier, height=self.database.height)
        self.fetched.clear()

    def sibling(self) -> "World":
        """Another process on the same store and remembered head."""
        other = World(self.log, height=self.database.height, store=self.store)
        other.head = self.head
        return other

    def answer(self, ask: Ask) -> Answer:
        match ask:
            case Fetch(path, fresh):
                return self.store[path] if path in self.store and not fresh else self.fetch(path)
            case ReadHead():
                return self.head[0]
            case SwapHead(old, new):
                self.before_swap()
                if self.head[0] != old:
                    return False
                self.head[0] = new
                return True

    def fetch(self, path: str) -> bytes | None:
        self.fetched[path] += 1
        try:
            return self.log.get(path)
        except NotFound:
            return None

    def drive(self, exchange: Exchange[T]) -> T:
        while asks := exchange.need():
            for ask in asks:
                exchange.feed(ask, self.answer(ask))
        self.store.update(exchange.proven)
        return exchange.result()

    def drive_together(self, exchanges: Iterable[Exchange[T]]) -> list[T]:
        """All at once: each round, every exchange is fed before any other goes on."""
        running = list(exchanges)
        while any(rounds := [(exchange, exchange.need()) for exchange in running]):
            if not any(asks for _, asks in rounds):
                break
            for exchange, asks in rounds:
                for ask in asks:
                    exchange.feed(ask, self.answer(ask))
        for exchange in running:
            self.store.update(exchange.proven)
        return [exchange.result() for exchange in running]

    def lookup(self, module: Version) -> tuple[str, ...]:
        sums = self.drive(self.database.lookup(module))
        return (*sums.zip, *sums.mod)

    def remembered(self) -> int:
        """The size in the stored note, 0 when there is none."""
        return int(self.head[0].split(b"\n")[1]) if self.head[0] else 0
