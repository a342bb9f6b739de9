"""The local store: the contract in every mode, and what is its own: layout, faults of the disk, other processes."""

import asyncio
import errno
import json
import os
import shutil
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from contracts.blob_store import MOD, ZIP, BlobStoreContract, all_keys
from goferry import i18n
from goferry.errors import StorageError
from goferry.storage import locks, writer
from goferry.storage.base import Put
from goferry.storage.disk import Disk, storage_error
from goferry.storage.local import FORMAT, LocalStore, LocalUpload
from goferry.storage.tempfiles import TempFiles
from mounts import read_only, small
from storage.programs import ENVIRONMENT


class NoLinks(Disk):
    """A file system without hard links."""

    def link(self, source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class BadDisk(Disk):
    """Fails at one step, from now on, with one error."""

    def __init__(self, step: str = "", code: int = errno.EIO) -> None:
        self.step, self.code = step, code

    def __getattribute__(self, name):
        if name == object.__getattribute__(self, "step"):
            code = self.code

            def fail(*_):
                raise OSError(code, os.strerror(code))

            return fail
        return object.__getattribute__(self, name)


def lock_files(own):
    """Lock files beside those that hold names as byte ranges."""
    return [path for path in (own / "locks").iterdir() if not path.name.startswith("names-")]


class TestLocalStore(BlobStoreContract):
    @pytest.fixture(params=["fsync", "no-fsync", "threads", "no-links", "whole"])
    async def pair(self, request, tmp_path, monkeypatch):
        if request.param == "whole":
            monkeypatch.setattr(writer, "MANY", 1)
        options = {"fsync": request.param != "no-fsync", "loop_reads": request.param != "threads"}
        if request.param == "no-links":
            options["disk"] = NoLinks()
        pair = LocalStore(tmp_path / "store", **options), LocalStore(tmp_path / "store", **options)
        yield pair
        for store in pair:
            await store.close()
        own = tmp_path / "store" / ".goferry"
        assert list((own / "tmp").iterdir()) == []
        assert lock_files(own) == [], "lock files must not gather"


@pytest.fixture
async def store(tmp_path):
    store = LocalStore(tmp_path / "store")
    yield store
    await store.close()


async def test_of_several_puts_one_that_cannot_be_kept_stops_no_other(store):
    await store.put("example.org/taken", b"a file")
    with pytest.raises(StorageError, match=r"example\.org/taken/below"):
        await store.put_all([Put("example.org/taken/below", b"x"), Put(MOD, b"module m\n")])
    assert await store.read(MOD) == b"module m\n"


@pytest.mark.parametrize("durable", [True, False])
async def test_a_name_below_an_object_is_refused_and_leaves_nothing_behind(store, tmp_path, durable):
    await store.put("example.org/taken", b"a file")
    with pytest.raises(StorageError, match=r"example\.org/taken/below"):
        await store.put("example.org/taken/below/deeper", b"x", durable=durable)
    assert list((tmp_path / "store/.goferry/tmp").glob("*/*")) == []
    assert await store.read("example.org/taken") == b"a file"


@pytest.mark.parametrize(("shared", "linger"), [(True, "LINGER_SHARED"), (False, "LINGER")])
async def test_a_lazy_put_goes_with_the_next_one_that_somebody_waits_for(
    tmp_path, monkeypatch, shared, linger
):
    monkeypatch.setattr(writer, linger, 3600.0)
    store = LocalStore(tmp_path / "store", shared=shared)
    lazy = asyncio.create_task(store.put_all([Put(MOD, b"module m\n", lazy=True)]))
    await asyncio.sleep(0)
    await store.put("example.org/hurried", b"x")
    await lazy
    assert await store.read(MOD) == b"module m\n"
    await store.close()


async def test_who_hurries_does_not_wait_behind_more_lazy_puts_than_go_into_one_group(store, monkeypatch):
    monkeypatch.setattr(writer, "LINGER_SHARED", 3600.0)
    monkeypatch.setattr(writer, "MOST_AT_ONCE", 4)
    puts = [Put(f"example.org/lazy{number}", b"x", lazy=True) for number in range(30)]
    lazy = asyncio.create_task(store.put_all(puts))
    await asyncio.sleep(0)
    async with asyncio.timeout(60):
        await store.put("example.org/hurried", b"x")
        await lazy


@pytest.mark.parametrize("size", [10, 700_000])
async def test_a_lazy_upload_is_kept_when_somebody_hurries(store, monkeypatch, size):
    monkeypatch.setattr(writer, "LINGER_SHARED", 3600.0)
    upload = await store.upload()
    await upload.write(b"x" * size)
    assert upload.path.stat().st_size == size
    lazy = asyncio.create_task(upload.commit(ZIP, lazy=True))
    await asyncio.sleep(0)
    store.hurry()
    assert (await lazy).size == size
    assert await store.read(ZIP) == b"x" * size


async def test_a_store_that_closes_keeps_lazy_puts_at_once(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "LINGER_SHARED", 3600.0)
    store = LocalStore(tmp_path / "store")
    lazy = asyncio.create_task(store.put_all([Put(MOD, b"module m\n", lazy=True)]))
    await asyncio.sleep(0)
    await store.close()
    await lazy
    assert (tmp_path / "store" / MOD).read_bytes() == b"module m\n"


# Layout


async def test_the_folder_is_laid_out_as_the_urls(store, tmp_path):
    await store.put(MOD, b"module m\n")
    assert (tmp_path / "store" / MOD).read_bytes() == b"module m\n"
    assert store.local_path(MOD) == tmp_path / "store" / MOD
    assert (tmp_path / "store/.goferry/format").read_text() == f"{FORMAT}\n"
    assert sorted(path.name for path in (tmp_path / "store").iterdir()) == [".goferry", "github.com"]


@pytest.mark.go
@pytest.mark.skipif(shutil.which("go") is None, reason="needs the go command")
async def test_go_downloads_from_the_folder_itself(store, tmp_path):
    path, version = "example.com/Greet", "v1.2.3"
    source = tmp_path / "module.zip"
    with zipfile.ZipFile(source, "w") as file:
        file.writestr(f"{path}@{version}/go.mod", f"module {path}\n")
        file.writestr(f"{path}@{version}/greet.go", "package greet\n")
    stem = "example.com/!greet/@v/"
    await store.put(stem + "list", f"{version}\n".encode())
    await store.put(f"{stem}{version}.info", json.dumps({"Version": version}).encode())
    await store.put(f"{stem}{version}.mod", f"module {path}\n".encode())
    upload = await store.upload()
    await upload.write(source.read_bytes())
    await upload.commit(f"{stem}{version}.zip")
    environment = {
        **os.environ,
        "GOPROXY": (tmp_path / "store").as_uri(),
        "GOSUMDB": "off",
        "GOFLAGS": "-modcacherw",
        "GOMODCACHE": str(tmp_path / "cache"),
        "GOENV": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }
    done = await asyncio.create_subprocess_exec(
        "go", "mod", "download", "-json", f"{path}@latest",
        cwd=tmp_path, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await done.communicate()
    assert done.returncode == 0, err.decode()
    assert json.loads(out)["Version"] == version


async def test_an_existing_module_tree_is_adopted(tmp_path):
    file = tmp_path / MOD
    file.parent.mkdir(parents=True)
    file.write_bytes(b"module m\n")
    store = LocalStore(tmp_path)
    assert await store.read(MOD) == b"module m\n"
    assert store.writable
    assert await all_keys(store) == [MOD]
    await store.close()


async def test_files_that_no_key_names_are_not_listed(store, tmp_path):
    await store.put(MOD, b"m")
    for name in (b"back\\slash", b"line\nbreak", b"not-utf8-\xff"):
        with suppress(OSError):  # some file systems take none of these
            (tmp_path / "store" / os.fsdecode(name)).write_bytes(b"")
    assert await all_keys(store) == [MOD]


async def test_only_looking_leaves_nothing_behind(tmp_path):
    await LocalStore(tmp_path).close()
    before = sorted(tmp_path.rglob("*"))
    store = LocalStore(tmp_path)
    await store.stat(MOD)
    await all_keys(store)
    assert sorted(tmp_path.rglob("*")) == before
    await store.close()


async def test_a_folder_that_was_removed_is_made_again(store, tmp_path):
    await store.put(MOD, b"m")
    shutil.rmtree(tmp_path / "store" / "github.com")
    await store.put(MOD, b"again")
    assert await store.read(MOD) == b"again"


# A store that cannot be written


@pytest.mark.parametrize("content", ["2", "999", "1.5", "what", "\udcff"])
async def test_a_store_of_a_newer_version_is_read_and_never_written(tmp_path, content):
    old = LocalStore(tmp_path)
    await old.put(MOD, b"m")
    await old.close()
    (tmp_path / ".goferry/format").write_bytes(content.encode(errors="surrogateescape"))
    store = LocalStore(tmp_path)
    assert not store.writable
    assert "newer goferry" in store.read_only
    assert await store.read(MOD) == b"m"
    await check_refuses_writes(store, "newer goferry")
    assert (tmp_path / ".goferry/format").read_bytes() == content.encode(errors="surrogateescape")
    await store.close()


async def check_refuses_writes(store: LocalStore, why: str) -> None:
    with pytest.raises(StorageError, match=why) as raised:
        await store.put(ZIP, b"new")
    assert raised.value.hint
    assert raised.value.status == 503
    for act in (store.upload(), store.touch(MOD), store.delete(MOD), store.quarantine(MOD, "x")):
        with pytest.raises(StorageError, match=why):
            await act
    async with store.lock("still usable in this process"):
        pass
    assert await all_keys(store) == [MOD]


@pytest.fixture
def read_only_folder(tmp_path):
    folder = tmp_path / "mounted"
    asyncio.run(keep(folder, MOD, b"m"))
    with read_only(folder):
        yield folder


async def keep(folder: Path, key: str, data: bytes) -> None:
    store = LocalStore(folder)
    await store.put(key, data)
    await store.close()


async def test_a_read_only_mount_is_served_and_says_why_it_cannot_be_written(read_only_folder):
    store = LocalStore(read_only_folder)
    assert not store.writable
    assert await store.read(MOD) == b"m"
    await check_refuses_writes(store, "cannot be written")
    await store.close()


async def test_a_store_without_rights_is_served_and_says_why_it_cannot_be_written(tmp_path, monkeypatch):
    """By a seam, because root has all rights."""
    await keep(tmp_path, MOD, b"m")
    monkeypatch.setattr(os, "access", lambda *_: False)
    store = LocalStore(tmp_path)
    assert await store.read(MOD) == b"m"
    await check_refuses_writes(store, "read-only")
    i18n.activate("zh_CN")
    assert str(tmp_path) in store.read_only
    await store.close()


def test_a_root_that_cannot_be_made_is_an_error_with_its_name(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file/store"):
        LocalStore(tmp_path / "file" / "store")


# Faults of the disk


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    with small(folder):
        yield folder


async def test_a_full_disk_is_an_error_with_a_hint_and_nothing_is_lost(small_disk):
    store = LocalStore(small_disk)
    await store.put(MOD, b"m" * 1000)
    with pytest.raises(StorageError, match="full") as raised:
        await store.put(ZIP, b"z" * 2_000_000)
    assert ZIP in str(raised.value)
    assert "cache gc" in raised.value.hint
    upload = await store.upload()
    with pytest.raises(StorageError, match="full"):
        await send(upload, 2_500_000)
    await upload.abort()
    assert await all_keys(store) == [MOD]
    assert await store.read(MOD) == b"m" * 1000
    await store.put("example.com/m/@v/list", b"v1\n")
    await store.delete(MOD)
    await store.close()
    assert list((small_disk / ".goferry/tmp").iterdir()) == []


async def send(upload: LocalUpload, size: int, *, commit: bool = False) -> None:
    for _ in range(0, size, 65536):
        await upload.write(b"z" * 65536)
    if commit:
        await upload.commit(ZIP)


STEPS = ["create", "write", "sync", "link", "mkdir", "sync_folder"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT, errno.EACCES])
async def test_a_fault_at_any_step_is_named_and_service_goes_on(tmp_path, step, code):
    disk = BadDisk()
    store = LocalStore(tmp_path, disk=disk)
    await store.put(MOD, b"m")
    disk.step, disk.code = step, code
    with pytest.raises(StorageError) as raised:
        await store.put("example.com/other/@v/list", b"x")
    assert raised.value.parts["errno"] == errno.errorcode[code]
    assert "example.com/other/@v/list" in str(raised.value)
    assert raised.value.hint
    assert isinstance(raised.value.__cause__, OSError)
    assert await store.read(MOD) == b"m"
    disk.step = ""
    await store.put("example.com/other/@v/list", b"x")
    assert await store.read("example.com/other/@v/list") == b"x"
    await store.close()
    assert list((tmp_path / ".goferry/tmp").iterdir()) == []


async def test_where_the_whole_file_system_cannot_be_synced_each_write_is(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "MANY", 1)
    disk = BadDisk("sync_all")
    store = LocalStore(tmp_path, disk=disk)
    await store.put(MOD, b"m")
    assert await store.read(MOD) == b"m"
    disk.step = "sync"
    monkeypatch.setattr(Disk, "sync_all", lambda *_: False)
    with pytest.raises(StorageError, match="disk failed"):
        await store.put(ZIP, b"z")
    disk.step = ""
    await store.close()


@pytest.mark.parametrize("step", ["create", "write", "sync", "link"])
async def test_a_fault_in_an_upload_leaves_nothing_visible(tmp_path, step):
    disk = BadDisk()
    store = LocalStore(tmp_path, disk=disk)
    upload = await store.upload()
    disk.step = step
    with pytest.raises(StorageError, match="disk failed"):
        await send(upload, 1_300_000, commit=True)
    await upload.abort()
    disk.step = ""
    assert await all_keys(store) == []
    await store.close()
    assert list((tmp_path / ".goferry/tmp").iterdir()) == []


async def test_one_failing_write_of_a_group_fails_alone(tmp_path):
    class OneBad(Disk):
        def write(self, fd, chunks):
            if chunks == [b"bad"]:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            super().write(fd, chunks)

    store = LocalStore(tmp_path, disk=OneBad())
    results = await asyncio.gather(
        *(store.put(f"example.com/m{n}/@v/list", b"bad" if n == 7 else b"good") for n in range(30)),
        return_exceptions=True,
    )
    assert [n for n, result in enumerate(results) if isinstance(result, StorageError)] == [7]
    assert len(await all_keys(store)) == 29
    await store.close()


async def test_an_unreadable_object_is_an_error_not_a_miss(store, monkeypatch):
    await store.put(MOD, b"m")

    def fail(*_args, **_kwargs):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fail)
        with pytest.raises(StorageError, match="disk failed"):
            await store.read(MOD)
    assert await store.read(MOD) == b"m"


async def test_an_overlong_name_is_refused_with_its_reason(store):
    with pytest.raises(StorageError, match="too long"):
        await store.put("example.com/" + "m" * 300 + "/@v/list", b"")


async def test_an_object_cannot_take_the_place_of_a_folder_nor_lie_below_an_object(store):
    await store.put(MOD, b"m")
    with pytest.raises(StorageError):
        await store.put("github.com/!burnt!sushi", b"x")
    with pytest.raises(StorageError):
        await store.put(MOD + "/x", b"x")
    assert await all_keys(store) == [MOD]


def test_every_named_fault_says_what_and_what_to_do():
    codes = ["ENOSPC", "EROFS", "EACCES", "EIO", "ENAMETOOLONG", "EDQUOT", "EMFILE", "EXDEV", "EBADF"]
    texts = {str(storage_error(OSError(getattr(errno, code), "why"), "the/key", "/root")) for code in codes}
    assert len(texts) == len(codes)
    assert all("the/key" in text for text in texts)


# Cancelled askers


async def test_a_cancelled_put_is_all_or_nothing(store):
    puts = [asyncio.create_task(store.put(f"example.com/m{n}/@v/list", b"x" * 5000)) for n in range(20)]
    await asyncio.sleep(0)
    for put in puts:
        put.cancel()
    await asyncio.gather(*puts, return_exceptions=True)
    await store.put(MOD, b"m")
    for blob in [blob async for blob in store.keys("example.com")]:
        assert blob.size == 5000


async def test_a_cancelled_upload_can_be_aborted_while_its_thread_writes(store, tmp_path):
    for _ in range(10):
        upload = await store.upload()
        write = asyncio.create_task(upload.write(b"z" * 4_000_000))
        await asyncio.sleep(0)
        write.cancel()
        await asyncio.gather(write, return_exceptions=True)
        await upload.abort()
    await store.close()
    assert list((tmp_path / "store/.goferry/tmp").iterdir()) == []


# Private files of others


async def test_leftovers_of_the_dead_go_and_private_files_of_the_living_stay(tmp_path):
    living = LocalStore(tmp_path)
    upload = await living.upload()
    await upload.write(b"under way")
    private = upload.path
    dead = tmp_path / ".goferry/tmp/0123456789abcdef"
    dead.mkdir()
    (dead / "1-1").write_bytes(b"half")
    (tmp_path / ".goferry/tmp/0123456789abcdef.lock").touch()
    (tmp_path / ".goferry/tmp/stray").write_bytes(b"")
    other = LocalStore(tmp_path)
    assert private.read_bytes() == b"under way"
    assert not dead.exists()
    assert not (tmp_path / ".goferry/tmp/stray").exists()
    await upload.commit(ZIP)
    assert await other.read(ZIP) == b"under way"
    await living.close()
    await other.close()


def test_collecting_twice_at_once_is_harmless(tmp_path):
    first, second = TempFiles(str(tmp_path)), TempFiles(str(tmp_path))
    Path(first.name()).write_bytes(b"x")
    assert second.collect() == 0
    first.close()
    assert second.collect() == 0
    assert list(tmp_path.iterdir()) == []


# Other processes

HOLDER = """
import asyncio, sys
from pathlib import Path
from goferry.storage.local import LocalStore

async def main():
    async with LocalStore(Path(sys.argv[1])).lock("shared"):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.readline)

asyncio.run(main())
"""

COUNTER = """
import asyncio, sys
from pathlib import Path
from goferry.storage.local import LocalStore

async def add(store):
    async with store.lock("count"):
        number = int(await store.read("example.com/count") or b"0")
        await store.put("example.com/count", str(number + 1).encode(), replace=True)

async def main():
    store = LocalStore(Path(sys.argv[1]), fsync=False)
    await asyncio.gather(*(add(store) for _ in range(50)))
    await store.close()

asyncio.run(main())
"""


async def start(program: str, folder: Path) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(folder), env=ENVIRONMENT, stdin=pipe, stdout=pipe
    )


@pytest.mark.parametrize("end", ["leave", "kill"])
async def test_a_lock_holds_over_processes_and_is_freed_when_its_holder_dies(store, tmp_path, end):
    holder = await start(HOLDER, tmp_path / "store")
    assert await holder.stdout.readline() == b"held\n"
    waiter = asyncio.create_task(take(store, "shared"))
    async with asyncio.timeout(20):
        await take(store, "another")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not waiter.done()
    cancelled = asyncio.create_task(take(store, "shared"))
    await asyncio.sleep(0)
    cancelled.cancel()
    if end == "kill":
        holder.kill()
    else:
        holder.stdin.write(b"\n")
    async with asyncio.timeout(20):
        await waiter
    await holder.communicate()


async def take(store: LocalStore, name: str) -> None:
    async with store.lock(name):
        pass


async def test_processes_that_lock_lose_no_update(store, tmp_path):
    counters = [await start(COUNTER, tmp_path / "store") for _ in range(3)]
    for counter in counters:
        await counter.communicate()
        assert counter.returncode == 0
    assert await store.read("example.com/count") == b"150"
    assert lock_files(tmp_path / "store/.goferry") == []


async def test_close_waits_for_writes_under_way(tmp_path):
    store = LocalStore(tmp_path)
    puts = [asyncio.create_task(store.put(f"example.com/m{n}/@v/list", b"x")) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    assert len(await asyncio.gather(*puts)) == 50
    await store.close()


async def test_a_closed_store_refuses_to_write(tmp_path):
    store = LocalStore(tmp_path)
    await store.close()
    with pytest.raises(RuntimeError, match="closed"):
        await store.put(MOD, b"m")


async def test_a_fault_that_is_no_fault_of_the_disk_reaches_its_asker_too(tmp_path):
    """Whatever goes wrong in the writer's thread, nobody waits for ever and the thread lives on."""

    class Surprising(Disk):
        surprise = True

        def sync_folder(self, path):
            if self.surprise:
                raise ZeroDivisionError
            super().sync_folder(path)

    disk = Surprising()
    disk.surprise = False
    store = LocalStore(tmp_path, disk=disk)
    disk.surprise = True
    with pytest.raises(ZeroDivisionError):
        await store.put(MOD, b"m")
    disk.surprise = False
    await store.put(MOD, b"m")
    await store.close()


def test_threads_that_need_the_first_private_file_share_one_owner(tmp_path):
    temps = TempFiles(str(tmp_path))
    with ThreadPoolExecutor(16) as pool:
        names = list(pool.map(lambda _: temps.name(), range(200)))
    assert len(set(names)) == 200
    assert len({os.path.dirname(name) for name in names}) == 1
    temps.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("has_ranges", [True, False])
async def test_both_kinds_of_kernel_locks_exclude_and_hand_over(tmp_path, monkeypatch, has_ranges):
    if has_ranges and not locks._HAS_RANGES:
        pytest.skip("this system has no locks of byte ranges that belong to an open file")
    monkeypatch.setattr(locks, "_HAS_RANGES", has_ranges)
    ours, theirs = locks.NamedLocks(str(tmp_path)), locks.NamedLocks(str(tmp_path))
    await ours.acquire("a")
    waiting = asyncio.create_task(_hold(theirs, "a"))
    await _hold(theirs, "b")
    assert not waiting.done()
    ours.release("a")
    async with asyncio.timeout(20):
        await waiting
    ours.close()
    theirs.close()


async def _hold(kernel, name):
    await kernel.acquire(name)
    kernel.release(name)
