"""A warmed store proves its modules to a client with an empty memory and no network."""

from goferry.cli.provable import make_provable
from goferry.errors import UpstreamError
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Database, NotInDatabase
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.note import parse_verifier
from goferry.proxy.base import Answer

MODULES = [Version(f"example.org/m{n}", "v1.0.0") for n in range(600)]


class FakeProxy:
    """Answers from a log and remembers what was asked; offline, from what it remembers alone."""

    def __init__(self, log: MemLog) -> None:
        self.log = log
        self.kept: dict[str, bytes] = {}
        self.offline = False
        self.grows = 0

    async def sumdb(self, name: str, rest: str) -> Answer:
        assert name == self.log.name
        if self.offline and rest not in self.kept:
            raise UpstreamError("offline: {rest}", rest=rest)
        if not self.offline:
            if rest.startswith("lookup/") and self.grows:
                self.grows -= 1
                grow(self.log, Version(f"example.org/new{self.log.size}", "v1.0.0"))
            self.kept[rest] = self.log.get(rest)
        return Answer(rest, len(self.kept[rest]), 0.0, False, body=self.kept[rest])


def grow(log: MemLog, module: Version) -> None:
    h1 = f"h1:{'A' * 43}="
    log.add(module, [f"{module.path} {module.version} {h1}", f"{module.path} {module.version}/go.mod {h1}"])


def world() -> tuple[FakeProxy, MemLog]:
    log = MemLog()
    for module in MODULES:
        grow(log, module)
    return FakeProxy(log), log


async def test_a_new_client_finds_all_that_it_asks_for() -> None:
    proxy, log = world()

    def client() -> Database:
        return Database(parse_verifier(log.verifier_key))

    chosen = MODULES[::37]
    assert await make_provable(proxy, client, chosen, 4) == {}
    proxy.offline = True
    assert await make_provable(proxy, client, chosen, 1) == {}
    assert await make_provable(proxy, client, reversed(chosen), 8) == {}


async def test_it_is_done_again_while_the_tree_grows() -> None:
    """Otherwise an early record would stand under a head whose tiles nobody asked for."""
    proxy, log = world()
    proxy.grows = 3

    def client() -> Database:
        return Database(parse_verifier(log.verifier_key))

    assert await make_provable(proxy, client, MODULES[:2], 1) == {}
    proxy.offline = True
    assert await make_provable(proxy, client, MODULES[:2], 1) == {}


async def test_a_module_that_cannot_be_proven_is_named_with_its_key() -> None:
    proxy, log = world()
    failed = await make_provable(
        proxy,
        lambda: Database(parse_verifier(log.verifier_key)),
        [MODULES[0], Version("example.org/x", "v1.0.0")],
        2,
    )
    assert list(failed) == [f"sumdb/{log.name}/lookup/example.org/x@v1.0.0"]
    assert isinstance(next(iter(failed.values())), NotInDatabase)
