"""The checksum database's client: it asks for bytes, judges them, and never fetches.

A `Database` is one per process and database. It remembers the largest tree head that was ever proven, and some
tiles. Each question to it is an `Exchange`: a dialogue that names what it needs, is fed what was found, and ends in
a result or a GoferryError. Whoever drives it does the reading and writing, in any way and order:

    async def drive(exchange):
        while asks := exchange.need():
            answers = await asyncio.gather(*map(answer, asks))
            for ask, found in zip(asks, answers):
                exchange.feed(ask, found)
        for path, body in exchange.proven.items():     # keep what came from the network, now that it is proven
            await keep(path, body)
        return exchange.result()

    async def answer(ask):
        match ask:
            case Fetch(path, fresh):      # from the store unless fresh; else from the database; None for 404 or 410
                return await fetch(path, fresh)
            case ReadHead():              # the remembered note; b"" when there is none yet
                return await read_head()
            case SwapHead(old, new):      # atomically: True, or False when the stored note is no longer `old`
                return await swap_head(old, new)

    sums = await drive(database.lookup(Version("golang.org/x/mod", "v0.14.0")))
    sums.check_zip("h1:…")

Any other failure to fetch is the driver's to raise; it then drops the exchange, and nothing is lost.

`fresh` is asked after a first answer was refused: what the store held may have rotted, or be the lie. Then the bytes
must come from the database, and what is proven replaces what was stored.

Any number of exchanges may be open at once on one Database, in one thread. They share its state only at two kinds of
moments, both inside `need()`: when tiles proven earlier are taken up, and when an exchange whose tree head is larger
than the latest puts it in its place. If another one did that first, the exchange proves its head again, against the
new one. Processes share the stored note in the same manner, by SwapHead. So heads only ever move forward, and every
head seen is on one timeline, or ForkDetected carries the proof that it is not.

Nothing unproven is used or offered for keeping: `proven` fills once the tree head is on the timeline. Sums are taken
from the one record that was hashed and from nowhere else in the answer (GO-2026-6180), and a record without a sum of
the module is an error (GO-2026-4984). Rules: golang.org/x/mod/sumdb/client.go.

Whether a module is to be asked about at all is not decided here: see goferry.gomod.goenv.use_sumdb.
"""

from collections import OrderedDict
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Generic, TypeVar

from goferry.errors import InvalidInput, UpstreamError, VerifyError
from goferry.gomod.module import (
    Version,
    escape_path,
    escape_version,
    unescape_path,
    unescape_version,
)
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.note import UnverifiedNote, Verifier, open_note
from goferry.gomod.sumdb.tile import (
    DATA_LEVEL,
    HEIGHT,
    BadTile,
    Tile,
    TilePlan,
    parse_tile_path,
    plan_tiles,
    widest_tile,
)
from goferry.gomod.sumdb.tlog import EMPTY_TREE, Record, Tree

__all__ = [
    "Age",
    "Answer",
    "Ask",
    "Database",
    "Exchange",
    "Fetch",
    "ForkDetected",
    "Head",
    "MissingSum",
    "NotInDatabase",
    "ReadHead",
    "Sums",
    "SwapHead",
    "lookup_path",
    "parse_lookup_path",
    "sums_of",
]

LATEST = "latest"
_LOOKUP = "lookup/"
_KEEP_TILES = 512  # 4 MiB of full tiles
_KEEP_HEADS = 256

T = TypeVar("T")


# Errors


class NotInDatabase(VerifyError):
    """The database answers that it has no such module.

    No NotFound: bytes that the database does not know must not pass, nor make a GOPROXY list go on past a proxy that
    checks.
    """

    code = "not_in_sumdb"


class MissingSum(VerifyError):
    """The database's record is true and holds no such sum."""

    code = "missing_sum"


class ForkDetected(VerifyError):
    """The database has signed two histories. The error holds both notes and the proof: evidence to be kept.

    Parts: `old_note` and `new_note` as text, and `proof`, which leads with the hash that the new tree has where the
    old one's head should be, then proves that hash in the new tree (base64).
    """

    code = "sumdb_fork"

    @property
    def evidence(self) -> str:
        """All that is needed to show the fork to somebody else, whatever the database answers from now on."""
        blocks = {
            "old tree": self.parts["old_note"],
            "new tree": self.parts["new_note"],
            f"proof that the new tree's first {self.parts['old_size']} records are others": "\n".join(
                self.parts["proof"]
            ),
        }
        return "\n".join(f"{title}:\n{_indent(text)}" for title, text in blocks.items())


def _indent(text: str) -> str:
    return "".join(f"\t{line}\n" for line in text.rstrip("\n").split("\n"))


# What is asked and what comes out


@dataclass(frozen=True, slots=True)
class Fetch:
    """The body at a path below the database's root; None when the database says it is not there.

    `fresh`: from the database itself, as what was kept has been refused.
    """

    path: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ReadHead:
    """The note that the last SwapHead stored; b"" when there was none."""


@dataclass(frozen=True, slots=True)
class SwapHead:
    """Store `new` if `old` is what is stored; whether that was so."""

    old: bytes
    new: bytes


Ask = Fetch | ReadHead | SwapHead
Answer = bytes | bool | None
Answers = Mapping[Ask, Answer]
Steps = Generator[tuple[Ask, ...], Answers, T]

_READ_HEAD = ReadHead()


class Age(Enum):
    """A tree head's place on the timeline when it was seen."""

    PAST = "past"
    NOW = "now"
    FUTURE = "future"


@dataclass(frozen=True, slots=True)
class Head:
    """A tree and the signed note that says so; the empty tree needs no note."""

    tree: Tree
    note: bytes


_NO_HEAD = Head(EMPTY_TREE, b"")


@dataclass(frozen=True, slots=True)
class Sums:
    """The proven sums of one module version, such as `h1:…`; others than h1 are kept as they stand."""

    database: str
    module: Version
    record: Record
    zip: tuple[str, ...]
    mod: tuple[str, ...]

    def check_zip(self, h1: str) -> None:
        """Raise VerifyError unless the database has this sum for the zip; MissingSum when it has none."""
        self._check("zip", self.zip, h1)

    def check_mod(self, h1: str) -> None:
        """Raise VerifyError unless the database has this sum for the go.mod file; MissingSum when it has none."""
        self._check("go.mod", self.mod, h1)

    def _check(self, file: str, sums: tuple[str, ...], h1: str) -> None:
        known = {entry for entry in sums if entry.startswith("h1:")}
        if not known:
            raise _missing(self.database, self.module, file)
        if known != {h1}:
            raise VerifyError(
                "checksum mismatch: the {file} of {module} has the sum {got}, but {database} says {want}",
                file=file,
                module=str(self.module),
                got=h1,
                database=self.database,
                want=" ".join(sorted(known)),
                hint="These are not the bytes that everybody else got. Don't use them; find out who changed them.",
            )


def _missing(database: str, module: Version, file: str) -> MissingSum:
    return MissingSum(
        "{database} has no sum for the {file} of {module}", database=database, file=file, module=str(module)
    )


class Exchange(Generic[T]):
    """One dialogue. See the head of this file for how it is driven."""

    def __init__(self, steps: Steps[T], proven: dict[str, bytes]) -> None:
        self.proven: Mapping[str, bytes] = proven
        """Bodies by path that are proven and were not so before; safe to keep. Fills while the exchange goes on."""
        self._steps = steps
        self._asked: tuple[Ask, ...] = ()
        self._answers: dict[Ask, Answer] = {}
        self._started = False
        self._result: list[T] = []
        self._error: Exception | None = None

    def need(self) -> tuple[Ask, ...]:
        """What is still to be fed; empty once there is a result. Raises the error that the bytes deserve."""
        if self._error is not None:
            raise self._error
        while not self._result:
            if open_asks := tuple(ask for ask in self._asked if ask not in self._answers):
                return open_asks
            self._advance()
        return ()

    def _advance(self) -> None:
        answers, self._answers = self._answers, {}
        try:
            self._asked = self._steps.send(answers) if self._started else next(self._steps)
            self._started = True
        except StopIteration as stop:
            self._result.append(stop.value)
        except Exception as error:
            self._error = error
            raise

    def feed(self, ask: Ask, answer: Answer) -> None:
        """The answer to one ask of need(). Judged at the next need(). Raises ValueError for what was not asked."""
        if ask not in self._asked or ask in self._answers:
            raise ValueError(f"not asked: {ask!r}")
        self._answers[ask] = answer

    def result(self) -> T:
        """What came out. Raises ValueError while something is still needed."""
        if not self._result:
            raise ValueError("the exchange has not come to its end")
        return self._result[0]


# The shared state


class Database:
    """What this process knows of one checksum database: its key, the latest proven head, some proven tiles."""

    def __init__(self, verifier: Verifier, *, height: int = HEIGHT, keep_tiles: int = _KEEP_TILES) -> None:
        self.verifier = verifier
        self.height = height
        self.latest = _NO_HEAD
        """The largest head on the timeline. Moved by exchanges alone."""
        self._loaded = False
        self._keep_tiles = keep_tiles
        self._tiles: OrderedDict[tuple[int, int], bytes] = OrderedDict()
        self._heads: OrderedDict[bytes, Head] = OrderedDict()

    @property
    def name(self) -> str:
        """`host` or `host/path`, as its key says."""
        return self.verifier.name

    def lookup(self, module: Version) -> Exchange[Sums]:
        """The proven sums of a module version. Raises InvalidInput at once for what can't be looked up.

        Ends in NotInDatabase, MissingSum, ForkDetected or another VerifyError, or in UpstreamError when the database
        lacks a tile that it must have.
        """
        judge = _Judge(self)
        return Exchange(judge.lookup(module, lookup_path(module)), judge.proven)

    def merge(self, note: bytes) -> Exchange[Age]:
        """Whether a signed tree head is on the timeline; the latest head moves to it when it is newer."""
        judge = _Judge(self)
        return Exchange(judge.merge(note), judge.proven)

    def verify_response(self, path: str, body: bytes) -> Exchange[None]:
        """That a body is the true answer to `latest`, `lookup/…` or `tile/…`: fetched already, not yet served.

        Ends as lookup does, and in InvalidInput for any other path.
        """
        judge = _Judge(self)
        return Exchange(judge.response(path, body), judge.proven)

    def start(self, note: bytes) -> None:
        """Take up the head that an earlier process remembered, unless that was done.

        A driver may call it first; else the first exchange asks for the head.
        """
        if not self._loaded:
            if note:
                self.latest = self.open(note)
                self.remember(self.latest)
            self._loaded = True

    @property
    def is_loaded(self) -> bool:
        """Whether the remembered head was taken up."""
        return self._loaded

    # For exchanges only

    def open(self, note: bytes) -> Head:
        """The head in a signed note. Raises VerifyError."""
        if note in self._heads:
            self._heads.move_to_end(note)
            return self._heads[note]
        try:
            opened = open_note(note, [self.verifier])
        except UnverifiedNote as error:
            raise UnverifiedNote(
                "the tree head of {name} is not signed by its known key",
                hint="somebody on the way to the checksum database answers in its place, or its key was changed",
                name=self.verifier.name,
                note=error.note,
            ) from error
        return Head(tlog.parse_tree(opened.text), note)

    def has_proven(self, head: Head) -> bool:
        """Whether the head is known to be on the timeline."""
        return head.note in self._heads

    def remember(self, head: Head) -> None:
        """The head is on the timeline."""
        _put(self._heads, head.note, head, _KEEP_HEADS)

    def tiles(self, wanted: Iterable[Tile]) -> dict[Tile, bytes]:
        """Those of the tiles whose hashes are known to be in every tree of the timeline that has them."""
        found = {}
        for tile in wanted:
            data = self._tiles.get((tile.level, tile.index), b"")
            if len(data) >= tile.size:
                self._tiles.move_to_end((tile.level, tile.index))
                found[tile] = data[: tile.size]
        return found

    def keep(self, tile: Tile, data: bytes) -> None:
        """The tile is in every tree of the timeline that has it."""
        place = (tile.level, tile.index)
        if len(self._tiles.get(place, b"")) < len(data):
            _put(self._tiles, place, data, self._keep_tiles)


K = TypeVar("K")
V = TypeVar("V")


def _put(kept: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    kept[key] = value
    kept.move_to_end(key)
    while len(kept) > limit:
        kept.popitem(last=False)


# The dialogues


class _Judge:
    """The steps of one exchange: each method yields what it needs and goes on with the answers."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._local: dict[Tile, bytes] = {}  # fetched here, proven or not
        self.proven: dict[str, bytes] = {}

    def lookup(self, module: Version, path: str) -> Steps[Sums]:
        body = yield from self._fetch_lookup(module, path, fresh=False)
        try:
            return (yield from self._keep_lookup(module, path, body))
        except (ForkDetected, BadTile):
            raise
        except VerifyError:
            again = yield from self._fetch_lookup(module, path, fresh=True)
            if again == body:
                raise
        return (yield from self._keep_lookup(module, path, again))

    def merge(self, note: bytes) -> Steps[Age]:
        yield from self._load()
        head = self._db.open(note)
        before = self._db.latest.tree.size
        yield from self._prove(head, ())
        if head.tree.size == before:
            return Age.NOW
        return Age.FUTURE if head.tree.size > before else Age.PAST

    def response(self, path: str, body: bytes) -> Steps[None]:
        yield from self._load()
        if path == LATEST:
            yield from self.merge(body)
        elif path.startswith(_LOOKUP):
            yield from self._keep_lookup(parse_lookup_path(path), path, body)
        else:
            yield from self._check_tile(parse_tile_path(path), body)
        self.proven[path] = body

    # Records

    def _fetch_lookup(self, module: Version, path: str, *, fresh: bool) -> Steps[bytes]:
        fetch = Fetch(path, fresh)
        # The remembered head is read beside the first fetch, which saves one wait.
        answers = yield (fetch,) if self._db.is_loaded else (fetch, _READ_HEAD)
        self._take_head(answers)
        body = _body(answers, fetch)
        if body is None:
            raise NotInDatabase("{module} is not in {database}", module=str(module), database=self._db.name)
        return body

    def _keep_lookup(self, module: Version, path: str, body: bytes) -> Steps[Sums]:
        record, note = tlog.parse_record(body)
        head = self._db.open(note)
        (leaf,) = yield from self._prove(head, (tlog.stored_hash_index(0, record.id),))
        if leaf != tlog.record_hash(record.text):
            raise VerifyError(
                "the record of {module} is not the one that {database} has signed",
                module=str(module),
                database=self._db.name,
            )
        sums = sums_of(self._db.name, module, record)
        self.proven[path] = body
        return sums

    # Tree heads

    def _load(self) -> Steps[None]:
        if not self._db.is_loaded:
            self._take_head((yield (_READ_HEAD,)))

    def _take_head(self, answers: Answers) -> None:
        if _READ_HEAD in answers:
            self._db.start(_body(answers, _READ_HEAD) or b"")

    def _prove(self, head: Head, indexes: tuple[int, ...]) -> Steps[list[bytes]]:
        """Put the head on the timeline, for all processes, and return the hashes with these stored indexes, proven."""
        hashes, has_moved = yield from self._place(head, indexes)
        if has_moved:
            yield from self._store_latest()
        return hashes

    def _place(self, head: Head, indexes: tuple[int, ...]) -> Steps[tuple[list[bytes], bool]]:
        """The same for this process, and whether the latest head has moved."""
        while True:
            latest = self._db.latest
            is_newer = head.tree.size > latest.tree.size
            old, new = (latest, head) if is_newer else (head, latest)
            if old.tree.size == new.tree.size and old.tree != new.tree:
                raise self._fork(
                    old, new, new.tree.hash
                )  # no tiles needed, and nobody could give those of both
            is_known = old.tree == new.tree or (not is_newer and self._db.has_proven(head))
            needs = () if is_known else tlog.tree_hash_indexes(old.tree.size)
            plan, data = yield from self._read(new.tree, (*needs, *indexes), on_timeline=not is_newer)
            if not is_known:
                self._check_history(old, new, plan, data)
            if is_newer and self._db.latest is not latest:
                continue  # another exchange moved it meanwhile, so the proof is about the wrong head
            if is_newer:
                self._db.latest = head
            self._adopt(head, plan, data)
            return plan.hashes(indexes, data), is_newer

    def _adopt(self, head: Head, plan: TilePlan, data: Mapping[Tile, bytes]) -> None:
        self._db.remember(head)
        for tile in plan.tiles:
            self._db.keep(tile, data[tile])
            if tile in self._local:
                self.proven[tile.path] = data[tile]

    def _check_history(self, old: Head, new: Head, plan: TilePlan, data: Mapping[Tile, bytes]) -> None:
        """Raise ForkDetected unless the new tree begins with the old one."""
        size = old.tree.size
        begins_with = tlog.tree_hash(plan.hashes(tlog.tree_hash_indexes(size), data))
        if begins_with != old.tree.hash:
            # The hashes of the proof lie in the tiles already at hand, so the evidence needs nobody's help.
            indexes = tlog.prove_tree_indexes(new.tree.size, size) if size else ()
            proof = tlog.prove_tree(new.tree.size, size, plan.hashes(indexes, data)) if size else ()
            raise self._fork(old, new, begins_with, *proof)

    def _fork(self, old: Head, new: Head, *proof: bytes) -> ForkDetected:
        return ForkDetected(
            "{database} has signed two histories: its trees of {old_size} and {new_size} records contradict",
            hint="Trust nothing new from this database, keep the evidence, and report it to its operators.",
            database=self._db.name,
            old_size=old.tree.size,
            new_size=new.tree.size,
            old_note=old.note.decode(),
            new_note=new.note.decode(),
            proof=tuple(map(tlog.format_hash, proof)),
        )

    def _store_latest(self) -> Steps[None]:
        """Bring the stored note up to the latest head, or learn that it is ahead."""
        while True:
            stored = _body((yield (_READ_HEAD,)), _READ_HEAD) or b""
            if stored:
                # Another process may have been shown another history: its head must be on our timeline too.
                yield from self._place(self._db.open(stored), ())
            latest = self._db.latest.note
            if stored == latest:
                return
            swap = SwapHead(stored, latest)
            if (yield (swap,))[swap]:
                return

    # Tiles

    def _read(
        self, tree: Tree, indexes: tuple[int, ...], *, on_timeline: bool
    ) -> Steps[tuple[TilePlan, dict[Tile, bytes]]]:
        """The tiles for these hashes of a signed tree, every one of them proven to be in it."""
        plan = self._plan(tree, indexes)
        trusted = self._db.tiles(plan.tiles)
        at_hand = {tile: self._local[tile] for tile in plan.tiles if tile in self._local} | trusted
        data = yield from self._complete(plan, at_hand, fresh=False)
        try:
            # What is proven on the timeline need not be hashed again for a tree on it; for another tree it must.
            plan.check(tree, data, trusted if on_timeline else ())
        except BadTile:
            data = yield from self._complete(plan, {}, fresh=True)
            plan.check(tree, data)
        return plan, data

    def _plan(self, tree: Tree, indexes: tuple[int, ...]) -> TilePlan:
        try:
            return plan_tiles(tree.size, indexes, self._db.height)
        except InvalidInput as error:
            raise VerifyError(
                "{database} speaks of records beyond its signed tree of {size}",
                database=self._db.name,
                size=tree.size,
            ) from error

    def _complete(
        self, plan: TilePlan, at_hand: Mapping[Tile, bytes], *, fresh: bool
    ) -> Steps[dict[Tile, bytes]]:
        data = dict(at_hand)
        wanted = [tile for tile in plan.tiles if tile not in data]
        if wanted:
            fetched = yield from self._fetch_tiles(wanted, fresh=fresh)
            self._local |= fetched
            data |= fetched
        return data

    def _fetch_tiles(self, wanted: list[Tile], *, fresh: bool) -> Steps[dict[Tile, bytes]]:
        asks = {tile: Fetch(tile.path, fresh) for tile in wanted}
        answers = yield tuple(asks.values())
        found = {tile: _body(answers, ask) for tile, ask in asks.items()}
        # A partial tile may be gone because the full one has taken its place.
        instead = {
            tile: Fetch(tile.full.path, fresh)
            for tile, body in found.items()
            if body is None and not tile.is_full
        }
        if instead:
            answers = yield tuple(instead.values())
            for tile, ask in instead.items():
                found[tile] = self._cut(tile, _body(answers, ask))
        return {tile: self._present(tile, body) for tile, body in found.items()}

    def _cut(self, tile: Tile, full: bytes | None) -> bytes | None:
        if full is not None and len(full) != tile.full.size:
            raise BadTile(
                "{path} has {got} bytes, not {want}", path=tile.full.path, got=len(full), want=tile.full.size
            )
        return full and full[: tile.size]

    def _present(self, tile: Tile, body: bytes | None) -> bytes:
        if body is None:
            raise UpstreamError("{database} lacks its own {path}", database=self._db.name, path=tile.path)
        return body

    def _check_tile(self, tile: Tile, body: bytes) -> Steps[None]:
        """Raise BadTile unless the body is that tile of the log, as hashes or as texts."""
        if tile.height != self._db.height:
            raise InvalidInput(
                "{path}: only tiles of height {height} are known", path=tile.path, height=self._db.height
            )
        leaves = tile if tile.level != DATA_LEVEL else replace(tile, level=0)
        hashes = body if tile.level != DATA_LEVEL else _text_hashes(body)
        if len(hashes) != leaves.size:
            raise BadTile(
                "{path} has {got} bytes, not {want}", path=tile.path, got=len(hashes), want=leaves.size
            )
        yield from self._reach(leaves)
        wide = widest_tile(leaves, self._db.latest.tree.size)
        assert wide is not None, "the tree was just seen to reach the tile"
        if wide == leaves:
            self._local[wide] = hashes
        last = tlog.stored_hash_index(wide.height * wide.level, wide.start + wide.width - 1)
        plan, data = yield from self._read(self._db.latest.tree, (last,), on_timeline=True)
        self._adopt(self._db.latest, plan, data)
        if not data[wide].startswith(hashes):
            raise BadTile("{database} does not vouch for {path}", database=self._db.name, path=tile.path)

    def _reach(self, tile: Tile) -> Steps[None]:
        """Move the latest head forward if the tile lies beyond it."""
        if not self._reaches(tile):
            fetch = Fetch(LATEST, fresh=True)
            note = _body((yield (fetch,)), fetch)
            if note is None:
                raise UpstreamError("{database} lacks its own {path}", database=self._db.name, path=LATEST)
            yield from self.merge(note)
        if not self._reaches(tile):
            raise BadTile(
                "{path} lies beyond the signed tree of {size} records",
                path=tile.path,
                size=self._db.latest.tree.size,
            )

    def _reaches(self, tile: Tile) -> bool:
        wide = widest_tile(tile, self._db.latest.tree.size)
        return wide is not None and wide.width >= tile.width


def _body(answers: Answers, ask: Ask) -> bytes | None:
    answer = answers[ask]
    if answer is None or isinstance(answer, bytes):
        return answer
    raise ValueError(f"{ask!r} is answered by bytes or None")


def _text_hashes(body: bytes) -> bytes:
    """The leaf hashes of the texts in a data tile, which end in a blank line each."""
    texts = body.split(b"\n\n")
    if texts.pop():
        raise BadTile("malformed data tile")
    return b"".join(tlog.record_hash(text + b"\n") for text in texts)


def sums_of(database: str, module: Version, record: Record) -> Sums:
    """The module's sums in the record that was proven. Raises MissingSum when there are none."""
    lines = record.text.decode().splitlines()
    zip_sums = _with_prefix(lines, f"{module.path} {module.version} ")
    mod_sums = _with_prefix(lines, f"{module.path} {module.version}/go.mod ")
    if not zip_sums and not mod_sums:
        raise MissingSum(
            "the record in {database} has no sum of {module}", database=database, module=str(module)
        )
    return Sums(database, module, record, zip_sums, mod_sums)


def _with_prefix(lines: list[str], prefix: str) -> tuple[str, ...]:
    return tuple(line.removeprefix(prefix) for line in lines if line.startswith(prefix))


# Paths


def lookup_path(module: Version) -> str:
    """The path that looks a module up. Raises InvalidInput for what can't be written in a URL."""
    return f"{_LOOKUP}{escape_path(module.path)}@{escape_version(module.version)}"


def parse_lookup_path(path: str) -> Version:
    """The twin of lookup_path. Raises InvalidInput."""
    module, at, version = path.removeprefix(_LOOKUP).partition("@")
    if not path.startswith(_LOOKUP) or not at:
        raise InvalidInput("malformed lookup path {path}", path=path)
    return Version(unescape_path(module), unescape_version(version))
