"""Whether the stored files of a checksum database are what it signed: the scrub's half of goferry.proxy.sumdb.

A tile is vouched for by the tiles above it, so one rotten tile makes all below it look wrong. To name the one that is,
files are checked in the order of `rank`, from the tree head down: whatever contradicts parents that are proven is
damaged itself, and what hangs under a damaged or missing parent can't be proven, which is no damage.

Nothing is fetched, and the remembered head does not move: what lies beyond it can't be proven either.
"""

from typing import Any

from goferry.errors import InvalidInput, VerifyError
from goferry.gomod.sumdb import lookup, tlog
from goferry.gomod.sumdb.lookup import Ask, Database, Exchange, Fetch
from goferry.gomod.sumdb.note import Verifier
from goferry.gomod.sumdb.tile import DATA_LEVEL, BadTile, parse_tile_path, plan_tiles
from goferry.storage.base import BlobStore

_TILES_IN_MEMORY = 2048
"""Proven tiles kept at hand (16 MiB of full tiles)."""


class Unproven(Exception):
    """The store does not hold what would prove or refute the file."""


def head_key(name: str) -> str:
    """Where the newest proven tree head of a database is remembered."""
    return f".goferry/sumdb/{name}/latest"


def rank(path: str) -> tuple[int, int]:
    """Sorts paths so that each comes after all that can prove it: tiles from the top level down, then the rest.

    Of one place the widest tile comes first, since it proves the narrower ones.
    """
    try:
        tile = parse_tile_path(path)
    except InvalidInput:
        return (1, 0)
    return (-tile.level, -tile.width)


def _leaves(path: str) -> str:
    """Where the hashes of a data tile's texts stand. The texts are judged in the place of that tile."""
    return path.replace("/data/", "/0/", 1)


def check_form(path: str, body: bytes) -> None:
    """Raise VerifyError for a body that can't be the answer to `path`, whatever the database signed."""
    if path.startswith("lookup/"):
        module = lookup.parse_lookup_path(path)
        record, _note = tlog.parse_record(body)
        lookup.sums_of("", module, record)
        return
    tile = parse_tile_path(path)
    if tile.level == DATA_LEVEL:
        if body.count(b"\n\n") != tile.width or not body.endswith(b"\n\n"):
            raise BadTile("malformed data tile")
    elif len(body) != tile.size:
        raise BadTile(
            "a tile of {hashes} hashes has {want} bytes, this one {size}",
            hashes=tile.width,
            want=tile.size,
            size=len(body),
        )


class StoredLog:
    """The stored files of one database under its remembered head."""

    def __init__(self, store: BlobStore, verifier: Verifier) -> None:
        self.name = verifier.name
        self._store = store
        self._database = Database(verifier, keep_tiles=_TILES_IN_MEMORY)
        self._refuted: set[str] = set()

    async def open(self) -> None:
        """Take up the remembered head, if there is one. Raises VerifyError for one that the key has not signed."""
        self._database.start(await self._store.read(head_key(self.name)) or b"")
        size = self._database.latest.tree.size
        plan = plan_tiles(size, tlog.tree_hash_indexes(size), self._database.height)
        roots = plan.tiles[: plan.roots]
        data = {tile: await self._store.read(self._key(tile.path)) for tile in roots}
        whole = {tile: body for tile, body in data.items() if body is not None and len(body) == tile.size}
        self._refuted.update(tile.path for tile in data if data[tile] is not None and tile not in whole)
        if size and len(whole) == len(roots):
            try:
                plan.check(self._database.latest.tree, whole)
            except BadTile:
                # Together they don't give the head. There is no telling which, and none is of use without the others.
                self._refuted.update(tile.path for tile in roots)

    async def check(self, path: str, body: bytes) -> None:
        """Prove one file; in the order of `rank`. Raises VerifyError for a false one, and Unproven."""
        try:
            check_form(path, body)
            if path in self._refuted:
                raise self._refusal(path)
            await self._prove(path, body)
        except VerifyError:
            self._refuted.add(path)
            raise
        except InvalidInput as error:  # a name or a tile height that no client asks for
            raise Unproven from error

    async def _prove(self, path: str, body: bytes) -> None:
        head = self._database.latest
        if not head.note:
            raise Unproven
        if path.startswith("lookup/"):
            record, note = tlog.parse_record(body)
            self._database.open(note)  # its own head need not be on the timeline, but must be signed
            if record.id >= head.tree.size:
                raise Unproven
            body = tlog.format_record(record) + head.note
        await self._drive(path, self._database.verify_response(path, body))

    async def _drive(self, path: str, exchange: Exchange[Any]) -> None:
        while asks := exchange.need():
            fresh = {ask.path for ask in asks if isinstance(ask, Fetch) and ask.fresh}
            if not fresh.isdisjoint((path, _leaves(path))):
                raise self._refusal(path)
            if fresh:  # it lies beyond our head, or what proves it was changed a moment ago
                raise Unproven
            for ask in asks:
                exchange.feed(ask, await self._found(ask))

    async def _found(self, ask: Ask) -> bytes:
        # The head was taken up, and nothing here moves it: only tiles are asked for.
        assert isinstance(ask, Fetch)
        if ask.path in self._refuted:
            raise Unproven
        body = await self._store.read(self._key(ask.path))
        if body is None:
            raise Unproven
        return body

    def _refusal(self, path: str) -> BadTile:
        return BadTile("{database} does not vouch for {path}", database=self.name, path=path)

    def _key(self, path: str) -> str:
        return f"sumdb/{self.name}/{path}"
