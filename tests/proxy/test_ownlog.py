"""A log of one's own: what is recorded, what is refused because of it, and what clients make of its answers."""

import asyncio
import random
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import modtree
from goferry.config import Settings
from goferry.errors import (
    ConfigError,
    InvalidInput,
    NotFound,
    StorageError,
    Unavailable,
    UpstreamError,
    VerifyError,
)
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Request, parse_request
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, tlog
from goferry.gomod.sumdb.lookup import Database, ForkDetected, lookup_path
from goferry.gomod.sumdb.note import format_signer, format_verifier, new_signer, parse_verifier
from goferry.gomod.sumdb.tile import BadTile
from goferry.lab.goproxy import Fault, Trouble
from goferry.proxy.assemble import open_proxy
from goferry.proxy.ownlog import OwnLog, log_path, open_log, parse_place, record_text
from goferry.proxy.service import ModuleProxy
from goferry.storage.local import LocalStore
from goferry.storage.logfile import LogDamaged, LogFile, verifier_of
from proxyworld import World, content, world, zip_hash
from sizes import size
from storedlogs import FILLERS

LOG = "sums.example.org"
PRIVATE, PUBLIC = "corp.example/Secret", "example.com/m"
FILES = {
    **modtree.module(PRIVATE, "v1.0.0", "v1.1.0"),
    **modtree.module(PUBLIC, "v1.0.0", "v1.1.0"),
}
SECRET = Version(PRIVATE, "v1.0.0")
OPEN = Version(PUBLIC, "v1.0.0")
STEM = "corp.example/!secret/@v/v1.0.0"


def own(root: Path, **changes: Any) -> Any:
    return world(root, FILES, **{"private": "corp.example", "own_log": LOG, **changes})


def texts(w: World) -> list[bytes]:
    """The records, read past goferry."""
    with closing(sqlite3.connect(w.root / ".goferry" / "log" / LOG / "records.sqlite")) as file:
        return [row[0] for row in file.execute("SELECT text FROM records ORDER BY id")]


def record_of(version: Version, files: dict[str, bytes] | None = None) -> bytes:
    stem = lookup_path(version).removeprefix("lookup/").replace("@", "/@v/")
    zip_h1 = zip_hash((files or FILES)[f"{stem}.zip"])
    mod_h1 = dirhash.hash_go_mod((files or FILES)[f"{stem}.mod"])
    return f"{version.path} {version.version} {zip_h1}\n{version.path} {version.version}/go.mod {mod_h1}\n".encode()


async def look_up(proxy: ModuleProxy, version: Version, client: Database | None = None) -> lookup.Sums:
    """As the go command does it, with the memory of `client`."""
    log = proxy.own_log
    assert log is not None
    client = client or client_of(proxy)
    exchange = client.lookup(version)
    while asks := exchange.need():
        for ask in asks:
            match ask:
                case lookup.Fetch(path):
                    try:
                        exchange.feed(ask, content(await proxy.sumdb(LOG, path)))
                    except NotFound:
                        exchange.feed(ask, None)
                case lookup.ReadHead():
                    exchange.feed(ask, client.latest.note)
                case _:
                    exchange.feed(ask, True)
    return exchange.result()


def client_of(proxy: ModuleProxy) -> Database:
    return Database(parse_verifier(verifier_of(log_path(proxy.store, LOG))))


# ---- what is recorded ----------------------------------------------------------------------------------------


async def test_a_private_module_is_recorded_when_both_files_are_kept(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await w.get(f"{STEM}.mod")
        await w.proxy.idle()
        assert texts(w) == []
        await w.get(f"{STEM}.zip")
        await w.proxy.idle()
        assert texts(w) == [record_of(SECRET)]


@pytest.mark.parametrize("kinds", [("zip", "mod"), ("info", "mod", "zip")])
async def test_the_order_of_the_files_does_not_matter(tmp_path: Path, kinds: tuple[str, ...]) -> None:
    async with own(tmp_path) as w:
        for kind in kinds:
            await w.get(f"{STEM}.{kind}")
        await w.proxy.idle()
        assert texts(w) == [record_of(SECRET)]


async def test_a_public_module_is_recorded_when_it_is_looked_up(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await w.get(f"{PUBLIC}/@v/v1.0.0.mod")
        await w.get(f"{PUBLIC}/@v/v1.0.0.zip")
        await w.proxy.idle()
        assert texts(w) == []
        sums = await look_up(w.proxy, OPEN)
        assert (sums.database, sums.record.text) == (LOG, record_of(OPEN))


async def test_a_public_module_needs_no_files_but_the_public_proof(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, OPEN)
        assert texts(w) == [record_of(OPEN)]
        assert not [path for path in w.upstream.asked if path.endswith((".zip", ".mod"))]
        assert w.upstream.asked[f"sumdb/sum.example.org/{lookup_path(OPEN)}"] == 1


async def test_a_private_module_that_is_looked_up_is_fetched_and_not_asked_about(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        sums = await look_up(w.proxy, SECRET)
        assert sums.record.text == record_of(SECRET)
        assert not [path for path in w.upstream.asked if "sumdb" in path and "secret" in path.lower()]


async def test_without_a_public_database_every_module_is_recorded(tmp_path: Path) -> None:
    async with own(tmp_path, sumdb="off") as w:
        await w.get(f"{PUBLIC}/@v/v1.0.0.mod")
        await w.get(f"{PUBLIC}/@v/v1.0.0.zip")
        await w.proxy.idle()
        assert texts(w) == [record_of(OPEN)]


async def test_what_was_kept_before_the_log_was_there_is_recorded_when_it_is_looked_up(
    tmp_path: Path,
) -> None:
    async with own(tmp_path, own_log="") as w:
        await w.get(f"{STEM}.mod")
        await w.get(f"{STEM}.zip")
        later = await w.another(own_log=LOG, offline=True)
        assert (await look_up(later, SECRET)).record.text == record_of(SECRET)


@pytest.mark.parametrize("kept", ["", "garbage", f"h1:{'A' * 43}=\nexample.org/x v1.0.0 h1:{'B' * 43}="])
async def test_a_garbled_hash_beside_a_file_is_not_recorded(tmp_path: Path, kept: str) -> None:
    async with own(tmp_path, own_log="") as w:
        for kind in ("mod", "zip"):
            await w.get(f"{STEM}.{kind}")
        await w.proxy.idle()
        for suffix in ("ziphash", "modhash"):
            (tmp_path / f"{STEM}.{suffix}").write_text(kept)
        later = await w.another(own_log=LOG)
        assert (await look_up(later, SECRET)).record.text == record_of(SECRET)


async def test_records_answer_as_a_database_does(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        client = None
        for version in (SECRET, OPEN, Version(PRIVATE, "v1.1.0"), Version(PUBLIC, "v1.1.0")):
            await look_up(w.proxy, SECRET)
            client = client or client_of(w.proxy)
            assert (await look_up(w.proxy, version, client)).record.text == record_of(version)
        assert client is not None
        assert client.latest.tree.size == 4
        for path in ("tile/8/0/000.p/3", "tile/8/data/000.p/2", "latest"):
            exchange = client.verify_response(path, content(await w.proxy.sumdb(LOG, path)))
            while asks := exchange.need():
                for ask in asks:
                    assert isinstance(ask, lookup.Fetch)
                    exchange.feed(ask, content(await w.proxy.sumdb(LOG, ask.path)))
        assert (await w.proxy.sumdb(LOG, "tile/8/0/000.p/3")).immutable
        assert not (await w.proxy.sumdb(LOG, "latest")).immutable
        assert content(await w.proxy.sumdb(LOG, "supported")) == b""


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("lookup/corp.example/!secret@v9.9.9", NotFound),
        ("lookup/corp.example/!secret@v1.9.9", NotFound),
        ("lookup/corp.example/!secret@main", NotFound),
        ("lookup/corp.example/Secret@v1.0.0", NotFound),
        ("lookup/corp.example/!secret", NotFound),
        ("tile/8/0/000.p/200", NotFound),
        ("tile/8/data/001", NotFound),
        ("tile/8/7/000", NotFound),
        ("tile/30/0/000", NotFound),
        ("tile/8/0/1", InvalidInput),
        ("nothing", NotFound),
    ],
)
async def test_what_is_not_in_the_log(tmp_path: Path, path: str, error: type[Exception]) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        with pytest.raises(error):
            await w.proxy.sumdb(LOG, path)
        assert len(texts(w)) == 1


async def test_an_upstream_that_is_down_is_not_a_missing_module(tmp_path: Path) -> None:
    down: Callable[[str, int], Fault] = lambda _path, _count: Fault(Trouble.STATUS, status=500)  # noqa: E731
    async with world(tmp_path, FILES, down, private="corp.example", own_log=LOG, attempts=1) as w:
        with pytest.raises(UpstreamError):
            await w.proxy.sumdb(LOG, lookup_path(SECRET))
        assert texts(w) == []


async def test_offline_it_answers_what_it_can(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        await w.proxy.sumdb("sum.example.org", lookup_path(OPEN))  # the public proof is in the store
        offline = await w.another(offline=True)
        assert (await look_up(offline, SECRET)).record.text == record_of(SECRET)
        assert (await look_up(offline, OPEN)).record.text == record_of(OPEN)
        with pytest.raises(Unavailable):
            await look_up(offline, Version(PRIVATE, "v1.1.0"))
        with pytest.raises(Unavailable):
            await look_up(offline, Version(PUBLIC, "v1.1.0"))


async def test_workers_append_to_one_log(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        other = await w.another()
        versions = [SECRET, OPEN, Version(PRIVATE, "v1.1.0"), Version(PUBLIC, "v1.1.0")]
        await asyncio.gather(*(look_up(p, v) for p in (w.proxy, other, w.proxy) for v in versions))
        assert sorted(texts(w)) == sorted(map(record_of, versions))
        client = client_of(w.proxy)
        for proxy in (other, w.proxy) * 2:  # each goes on from the head that the other has shown
            for version in versions:
                await look_up(proxy, version, client)


@settings(max_examples=size(6, 60), deadline=None)
@given(steps=st.lists(st.integers(1, 260), min_size=1, max_size=5), seed=st.integers(0, 2**32))
def test_a_client_with_a_memory_follows_the_log_as_it_grows(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], seed: int
) -> None:
    """Any record under any head; the client machine is the judge, with and without an earlier head."""
    folder = tmp_path_factory.mktemp("log")
    rng = random.Random(seed)

    async def grow() -> None:
        store = LocalStore(folder, fsync=False)
        log = await open_log(store, LOG)
        client, have = Database(log.verifier), 0
        for step in steps:
            modules = FILLERS[have : have + step] if have + step <= len(FILLERS) else []
            entries = [(str(v), record_text(v, f"h1:{'A' * 43}=", f"h1:{'B' * 43}=")) for v in modules]
            log.file.append_all(entries)
            have += len(entries)
            for version in (FILLERS[0], FILLERS[have - 1], *rng.sample(FILLERS[:have], min(4, have))):
                for who in (client, Database(log.verifier)):
                    assert (await _ask(log, who, version)).record.id == FILLERS.index(version)
                assert (await log.prove(version)).mod == (f"h1:{'B' * 43}=",)
            assert client.latest.tree == log.file.tree()
        await log.close()
        await store.close()

    asyncio.run(grow())
    shutil.rmtree(folder)


async def _ask(log: OwnLog, client: Database, version: Version) -> lookup.Sums:
    exchange = client.lookup(version)
    while asks := exchange.need():
        for ask in asks:
            match ask:
                case lookup.Fetch(path):
                    exchange.feed(ask, await log.body(path))
                case lookup.ReadHead():
                    exchange.feed(ask, client.latest.note)
                case _:
                    exchange.feed(ask, True)
    return exchange.result()


# ---- what is refused -----------------------------------------------------------------------------------------


def moved(version: Version = SECRET) -> dict[str, bytes]:
    """The same version with other bytes."""
    return modtree.module(version.path, version.version, extra={"new.go": b"package secret\n"})


@pytest.mark.parametrize("kind", ["zip", "mod"])
async def test_a_moved_tag_is_refused_after_the_copy_is_gone(tmp_path: Path, kind: str) -> None:
    async with own(tmp_path) as w:
        await w.get(f"{STEM}.mod")
        await w.get(f"{STEM}.zip")
        await w.proxy.idle()
        shutil.rmtree(tmp_path / "corp.example")
        changed = modtree.module(PRIVATE, "v1.0.0", requires=[(PUBLIC, "v1.0.0")])
        w.tree.files.update(changed)
        proxy = await w.another()
        with pytest.raises(VerifyError, match=r"checksum mismatch.*sums\.example\.org"):
            await proxy.answer(request(f"{STEM}.{kind}"))
        await proxy.idle()
        assert not (tmp_path / f"{STEM}.{kind}").exists()
        assert any(f".{kind}." in name for name in w.quarantined())
        assert texts(w) == [record_of(SECRET)]


async def test_the_same_bytes_come_back_with_their_hashes(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await w.get(f"{STEM}.mod")
        await w.get(f"{STEM}.zip")
        before = await w.stored()
        shutil.rmtree(tmp_path / "corp.example")
        proxy = await w.another()
        for kind in ("mod", "zip"):
            await proxy.answer(request(f"{STEM}.{kind}"))
        await proxy.idle()
        assert await w.stored() == before
        assert texts(w) == [record_of(SECRET)]


async def test_a_public_database_that_contradicts_the_log_is_not_believed(tmp_path: Path) -> None:
    async with own(tmp_path, sumdb="off") as w:
        await look_up(w.proxy, OPEN)
        await w.proxy.idle()
        shutil.rmtree(tmp_path / "example.com")
        w.tree.files.update(moved(OPEN))
        w.tree.truth.update(moved(OPEN))
        proxy = await w.another(sumdb=w.tree.log.verifier_key)
        with pytest.raises(VerifyError, match=r"sum\.example\.org says"):
            await proxy.answer(request(f"{PUBLIC}/@v/v1.0.0.zip"))
        assert not (tmp_path / PUBLIC / "@v/v1.0.0.zip").exists()


def request(path: str) -> Request:
    return parse_request(path)


# ---- a log gone bad ------------------------------------------------------------------------------------------


def rewrite(w: World, statement: str, *values: bytes) -> None:
    with closing(sqlite3.connect(w.root / ".goferry" / "log" / LOG / "records.sqlite")) as file:
        file.execute(statement, values)
        file.commit()


async def test_a_changed_record_is_seen_by_the_client(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        await look_up(w.proxy, OPEN)
        false = record_of(SECRET).replace(b"h1:", b"h1:A")
        rewrite(w, "UPDATE records SET text = ? WHERE id = 0", false)
        proxy = await w.another()
        with pytest.raises(LogDamaged, match=r"record 0 .* was changed"):
            await look_up(proxy, SECRET)
        rewrite(w, "UPDATE hashes SET hash = ? WHERE id = 0", tlog.record_hash(false))
        with pytest.raises(BadTile):
            await look_up(proxy, SECRET)
        with pytest.raises(BadTile):
            await proxy.prove_own(SECRET)


async def test_a_log_that_was_put_back_is_not_signed(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        path = log_path(w.proxy.store, LOG)
        older = path.read_bytes()
        await look_up(w.proxy, OPEN)
    path.write_bytes(older)
    with pytest.raises(LogDamaged, match="has 1 records, and had 2 before"):
        async with own(tmp_path):
            pass
    path.unlink()
    with pytest.raises(LogDamaged, match="was signed here before"):
        async with own(tmp_path):
            pass
    assert not path.exists()


async def test_a_forked_head_is_seen_by_the_client(tmp_path: Path) -> None:
    async with own(tmp_path / "a") as w:
        await look_up(w.proxy, SECRET)
        client = client_of(w.proxy)
        await look_up(w.proxy, SECRET, client)
        folder = w.root / ".goferry" / "log" / LOG
        (tmp_path / "key").write_bytes((folder / "key").read_bytes())
        (tmp_path / "key").chmod(0o600)
    async with own(tmp_path / "b", own_log_key=tmp_path / "key") as w:
        await look_up(w.proxy, OPEN)
        with pytest.raises(ForkDetected):
            await look_up(w.proxy, OPEN, client)


async def test_no_head_is_shown_that_could_not_be_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        put = w.proxy.store.put

        async def full(key: str, data: bytes, **options: Any) -> Any:
            if key.endswith(f"log/{LOG}/head"):
                raise StorageError("the store is full: no space left for {key}", key=key)
            return await put(key, data, **options)

        monkeypatch.setattr(w.proxy.store, "put", full)
        for path in (lookup_path(OPEN), "latest"):
            with pytest.raises(StorageError, match="full"):
                await w.proxy.sumdb(LOG, path)
        monkeypatch.undo()
        assert (await look_up(w.proxy, OPEN)).record.id == 1


async def test_a_record_that_cannot_be_written_does_not_keep_the_file_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with own(tmp_path) as w:

        def full(*_: object, **__: object) -> None:
            raise StorageError("the log {path} cannot be used now: {why}", path="p", why="disk is full")

        monkeypatch.setattr(LogFile, "append_all", full)
        for kind in ("mod", "zip"):
            assert (await w.get(f"{STEM}.{kind}")).size
        await w.proxy.idle()
        assert "was not recorded" in caplog.text
        with pytest.raises(StorageError, match="disk is full"):
            await look_up(w.proxy, SECRET)
        monkeypatch.undo()
        assert (await look_up(w.proxy, SECRET)).record.id == 0


async def test_files_that_another_process_recorded_otherwise_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look into the log and the append somebody else appends."""
    async with own(tmp_path) as w:
        other = await w.another()
        await w.get(f"{STEM}.mod")
        await w.proxy.idle()
        known = OwnLog.known
        looks = 0

        async def late(log: OwnLog, version: Version) -> lookup.Sums | None:
            nonlocal looks
            looks += 1
            if looks == 3:  # the look before the append
                text = record_of(SECRET).replace(b"h1:", b"h1:A", 1).replace(b"=\n", b"\n", 1)
                log.file.append(str(SECRET), text)
                return None
            return await known(log, version)

        monkeypatch.setattr(OwnLog, "known", late)
        with pytest.raises(VerifyError):
            await w.get(f"{STEM}.zip")
        monkeypatch.undo()
        assert not (tmp_path / f"{STEM}.zip").exists()
        assert not (tmp_path / f"{STEM}.mod").exists()
        with pytest.raises(VerifyError, match="checksum mismatch"):
            await other.answer(request(f"{STEM}.zip"))


async def test_a_lost_key_is_not_replaced(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
    key = tmp_path / ".goferry" / "log" / LOG / "key"
    key.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        async with own(tmp_path):
            pass
    assert not key.exists()


async def test_the_first_start_may_die_between_key_and_log(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        key = (w.root / ".goferry" / "log" / LOG / "key").read_bytes()
    (tmp_path / ".goferry" / "log" / LOG / "records.sqlite").unlink()  # nothing was ever signed
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
        assert (w.root / ".goferry" / "log" / LOG / "key").read_bytes() == key


async def test_a_store_that_cannot_be_written(tmp_path: Path) -> None:
    async with own(tmp_path) as w:
        await look_up(w.proxy, SECRET)
    (tmp_path / ".goferry" / "format").write_text("99\n")  # a newer goferry's: read, never written
    async with own(tmp_path) as w:
        assert (await look_up(w.proxy, SECRET)).record.text == record_of(SECRET)
        with pytest.raises(StorageError):
            await look_up(w.proxy, OPEN)
    with pytest.raises(StorageError, match="cannot be begun"):
        async with own(tmp_path, own_log="other.example.org"):
            pass


# ---- settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "two words",
        "a+b",
        "https://sums.example.org",
        "sums.example.org/",
        "sums.example.org/../x",
        "a\u00a0b",
        "%41.b",
    ],
)
async def test_a_name_that_is_none(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="own_log"):
        async with own(tmp_path, own_log=text):
            pass
    assert not (tmp_path / ".goferry" / "log").exists()


@pytest.mark.parametrize("text", ["sum.golang.org", "sum.example.org"])
async def test_the_name_of_a_public_database_is_taken(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"public checksum database|setting sumdb"):
        async with own(tmp_path, own_log=text):
            pass


async def test_a_private_key_in_the_setting_is_not_repeated(tmp_path: Path) -> None:
    secret = format_signer(new_signer(LOG, bytes(range(32))))
    with pytest.raises(ConfigError, match="holds a private key") as raised:
        async with own(tmp_path, own_log=secret):
            pass
    assert secret[-20:] not in f"{raised.value} {raised.value.hint} {raised.value.parts}"


async def test_a_key_from_elsewhere(tmp_path: Path) -> None:
    signer = new_signer(LOG, bytes(range(32)))
    key = tmp_path / "key"
    key.write_text(format_signer(signer))
    key.chmod(0o600)
    async with own(tmp_path / "store", own_log_key=key) as w:
        await look_up(w.proxy, SECRET, Database(signer.verifier))
        assert not (w.root / ".goferry" / "log" / LOG / "key").exists()
        key.write_text(format_signer(new_signer(LOG, bytes(32))))
        with pytest.raises(LogDamaged, match="under another key"):
            await w.another()


def test_places() -> None:
    key = "sums.example.org+" + format_signer(new_signer(LOG, bytes(32))).split("+", 3)[3]
    assert parse_place("") is parse_place("off") is None
    place = parse_place(LOG)
    assert place is not None
    assert (place.name, place.remote) == (LOG, None)
    with pytest.raises(ConfigError):
        parse_place(key)  # the seed under the public key's hash
    public = format_verifier(new_signer(LOG, bytes(32)).verifier)
    remote = parse_place(f"{public} https://goferry.example/sumdb/{LOG}")
    assert remote is not None
    assert remote.remote is not None
    assert remote.remote.base_url == f"https://goferry.example/sumdb/{LOG}"


# ---- somebody else's log -------------------------------------------------------------------------------------


async def test_a_remote_log_proves_and_proves_again_offline(tmp_path: Path) -> None:
    """The lab's database, which knows private modules, in the place of another goferry."""
    async with world(tmp_path, FILES, private="corp.example", sumdb="off") as w:
        key = w.tree.log.verifier_key
        proxy = await w.another(own_log=key)
        assert (await proxy.prove_own(SECRET)).record.text == record_of(SECRET)
        assert not (tmp_path / ".goferry" / "log").exists()
        offline = await w.another(own_log=key, offline=True)
        assert (await offline.prove_own(SECRET)).record.text == record_of(SECRET)
        with pytest.raises(Unavailable):
            await offline.prove_own(Version(PRIVATE, "v1.1.0"))
        assert (await proxy.sumdb("sum.example.org", lookup_path(SECRET))).size  # and it is passed on


# ---- without ------------------------------------------------------------------------------------------------


async def test_without_the_setting_nothing_of_it_is_there(tmp_path: Path) -> None:
    """The same classes as before, and no file made."""
    async with own(tmp_path, own_log="") as w:
        await w.get(f"{STEM}.zip")
        await w.get(f"{STEM}.mod")
        await w.proxy.idle()
        assert type(w.proxy._databases).__name__ == "Databases"
        assert type(w.proxy._files._keeper).__name__ == "Keeper"
        assert w.proxy.own_log is None
        assert w.proxy.sumdb_names == ("sum.example.org",)
        assert not (tmp_path / ".goferry" / "log").exists()
        with pytest.raises(NotFound):
            await w.proxy.sumdb(LOG, "latest")


async def test_nothing_of_it_is_loaded_without_the_setting(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from goferry.config import Settings\n"
        "from goferry.proxy.assemble import open_proxy\n"
        f"settings = Settings(store={str(tmp_path)!r}, upstream='off', sumdb='off')\n"
        "async def main():\n"
        "    async with open_proxy(settings, environ={}) as proxy:\n"
        "        assert proxy.own_log is None\n"
        "asyncio.run(main())\n"
        "names = ('recording', 'ownlog', 'logfile', 'logkey')\n"
        "print([name for name in sys.modules if name.rpartition('.')[2] in names])\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await process.communicate()
    assert (process.returncode, said.decode().strip()) == (0, "[]")


async def test_opening_twice_at_once_makes_one_key(tmp_path: Path) -> None:
    async def key() -> str:
        store = LocalStore(tmp_path)
        try:
            log = await open_log(store, LOG)
            await log.close()
            return log.verifier_key
        finally:
            await store.close()

    assert len(set(await asyncio.gather(*(key() for _ in range(8))))) == 1


async def test_open_proxy_is_where_errors_are_told(tmp_path: Path) -> None:
    settings = Settings(
        store=str(tmp_path), upstream="off", sumdb="off", own_log=LOG, own_log_key=tmp_path / "none"
    )
    with pytest.raises(ConfigError, match="cannot be read"):
        async with open_proxy(settings, environ={}):
            pass
