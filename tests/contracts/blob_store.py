"""What every BlobStore must do. A backend's test module subclasses the contract and gives it two handles.

    class TestLocal(BlobStoreContract):
        @pytest.fixture
        async def pair(self, tmp_path): yield LocalStore(tmp_path), LocalStore(tmp_path)

`store` and `other` are two openings of one store, as two processes have them.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from hashlib import sha256

import pytest

from goferry.errors import InvalidInput
from goferry.storage.base import Blob, BlobStore, Put

MOD = "github.com/!burnt!sushi/toml/@v/v1.0.0.mod"
ZIP = "github.com/!burnt!sushi/toml/@v/v1.0.0.zip"

INVALID_KEYS = [
    "",
    "/",
    "/etc/passwd",
    "a//b",
    "a/",
    ".",
    "..",
    "../a",
    "a/..",
    "a/../b",
    "a/./b",
    "a\x00b",
    "a\nb",
    "a\x7f",
    "a\\b",
    "a/\ud800",
]


async def all_keys(store: BlobStore, prefix: str = "") -> list[str]:
    return [blob.key async for blob in store.keys(prefix)]


class BlobStoreContract:
    @pytest.fixture
    async def pair(self, tmp_path) -> AsyncIterator[tuple[BlobStore, BlobStore]]:
        """Two handles of one store, closed afterwards."""
        raise NotImplementedError("a backend's tests give the handles")
        yield  # noqa: PT022 (makes it the generator that subclasses write)

    @pytest.fixture
    def store(self, pair: tuple[BlobStore, BlobStore]) -> BlobStore:
        return pair[0]

    @pytest.fixture
    def other(self, pair: tuple[BlobStore, BlobStore]) -> BlobStore:
        return pair[1]

    # Small objects

    async def test_what_was_put_is_read_by_everybody(self, store, other):
        before = time.time()
        blob = await store.put(MOD, b"module m\n")
        assert blob == await other.stat(MOD)
        assert (blob.key, blob.size) == (MOD, 9)
        assert before - 2 <= blob.mtime <= time.time() + 2
        assert await other.read(MOD) == b"module m\n"

    async def test_several_small_objects_are_put_in_one_call(self, store, other):
        await store.put(ZIP, b"first")
        hash_key = f"{ZIP}hash"
        kept = await store.put_all(
            [
                Put(hash_key, b"h1:x", replace=True, durable=False),
                Put(ZIP, b"second"),
                Put(MOD, b"module m\n"),
            ]
        )
        assert [(blob.key, blob.size) for blob in kept] == [(hash_key, 4), (ZIP, 5), (MOD, 9)]
        assert await other.read(ZIP) == b"first", "without replace an earlier object wins"
        assert await other.read(MOD) == b"module m\n"

    async def test_what_need_not_be_durable_is_seen_by_everybody_too(self, store, other):
        deep = "sumdb/sum.example.org/tile/8/0/x001/x002/003"
        assert (await store.put(deep, b"tile", durable=False)).size == 4
        assert await other.read(deep) == b"tile"
        assert (await store.put(deep, b"other tile", durable=False)).size == 4, "an earlier object wins"
        assert (await store.put(deep, b"newest", replace=True, durable=False)).size == 6
        assert await other.read(deep) == b"newest"
        big = bytes(300_000)
        await store.put(MOD, big, durable=False)
        assert await other.read(MOD) == big

    async def test_a_lazy_put_is_kept_like_any_other(self, store, other):
        await store.put_all([Put(ZIP, b"zip", lazy=True), Put(MOD, b"module m\n", lazy=True)])
        assert await other.read(ZIP) == b"zip"
        assert await other.read(MOD) == b"module m\n"

    async def test_an_absent_object_is_none_not_an_error(self, store):
        assert await store.stat(MOD) is None
        assert await store.read(MOD) is None
        assert await store.delete(MOD) is False
        assert await store.quarantine(MOD, "not there") is None
        await store.touch(MOD)
        assert await all_keys(store) == []

    async def test_a_folder_is_no_object(self, store):
        await store.put(MOD, b"m")
        for key in ("github.com", "github.com/!burnt!sushi/toml/@v"):
            assert await store.stat(key) is None
            assert await store.read(key) is None
            assert await store.delete(key) is False

    async def test_nothing_lies_below_an_object(self, store):
        await store.put(MOD, b"m")
        assert await store.stat(MOD + "/x") is None
        assert await store.read(MOD + "/x") is None

    async def test_an_overlong_name_is_absent(self, store):
        assert await store.stat("a" * 5000) is None
        assert await store.read("a" * 300 + "/@v/list") is None

    async def test_empty_bytes_are_an_object(self, store):
        assert (await store.put("example.com/m/@v/list", b"")).size == 0
        assert await store.read("example.com/m/@v/list") == b""

    @pytest.mark.parametrize(
        ("start", "end", "want"),
        [
            (0, None, b"0123456789"),
            (3, None, b"3456789"),
            (3, 5, b"34"),
            (0, 0, b""),
            (9, 99, b"9"),
            (10, None, b""),
            (99, None, b""),
            (5, 3, b""),
        ],
    )
    async def test_ranges_are_cut_to_what_is_there(self, store, start, end, want):
        await store.put(MOD, b"0123456789")
        assert await store.read(MOD, start, end) == want

    async def test_a_big_object_is_read_whole_and_in_part(self, store):
        data = bytes(range(256)) * 8192
        await store.put(ZIP, data)
        assert await store.read(ZIP) == data
        assert await store.read(ZIP, 1_000_000, 2_000_000) == data[1_000_000:2_000_000]

    async def test_the_first_put_wins_without_replace(self, store, other):
        first = await store.put(MOD, b"first")
        assert await other.put(MOD, b"second, longer") == first
        assert await store.read(MOD) == b"first"

    async def test_replace_replaces(self, store, other):
        await store.put(MOD, b"first")
        assert (await other.put(MOD, b"second", replace=True)).size == 6
        assert await store.read(MOD) == b"second"

    async def test_of_many_exclusive_puts_exactly_one_wins(self, store, other):
        bodies = [str(n).encode() * 100 for n in range(20)]
        blobs = await asyncio.gather(*((store, other)[n % 2].put(MOD, body) for n, body in enumerate(bodies)))
        kept = await store.read(MOD)
        assert kept in bodies
        assert set(blobs) == {await store.stat(MOD)}

    async def test_readers_see_old_or_new_bytes_while_replacing(self, store, other):
        bodies = [bytes([n]) * 5000 for n in range(30)]
        await store.put(MOD, bodies[0])
        writing = asyncio.gather(*(store.put(MOD, body, replace=True) for body in bodies))
        while not writing.done():
            assert await other.read(MOD) in bodies
            await asyncio.sleep(0)
        await writing

    async def test_the_bytes_given_are_kept_not_a_view_of_them(self, store):
        data = bytearray(b"before")
        await store.put(MOD, data)
        data[:] = b"after!"
        assert await store.read(MOD) == b"before"

    async def test_touch_makes_an_object_new_again(self, store, other):
        first = await store.put(MOD, b"m")
        while time.time() <= first.mtime:  # file systems count time in ticks of some milliseconds
            pass
        await store.touch(MOD)
        assert (await other.stat(MOD)).mtime > first.mtime
        assert await other.read(MOD) == b"m"

    async def test_what_was_deleted_is_gone_and_can_come_back(self, store, other):
        await store.put(MOD, b"m")
        assert await store.delete(MOD) is True
        assert await other.stat(MOD) is None
        assert await store.delete(MOD) is False
        await other.put(MOD, b"again")
        assert await store.read(MOD) == b"again"

    @pytest.mark.parametrize("key", INVALID_KEYS, ids=ascii)
    async def test_a_key_that_names_no_object_is_invalid_everywhere(self, store, key):
        upload = await store.upload()
        try:
            for ask in (
                store.stat(key),
                store.read(key),
                store.put(key, b""),
                store.touch(key),
                store.delete(key),
                store.quarantine(key, "why"),
                upload.commit(key),
                upload.quarantine(key, "why"),
            ):
                with pytest.raises(InvalidInput):
                    await ask
            with pytest.raises(InvalidInput):
                store.local_path(key)
        finally:
            await upload.abort()

    # Listing

    async def test_keys_come_in_order_and_by_prefix(self, store, other):
        keys = [
            "a.b/c/@latest",
            "a.b/c/@v/list",
            "a.b/c/@v/v1.0.0.mod",
            "a.b/cc/@v/list",
            "a.b/c-d/@v/list",
            "z.z/@v/list",
        ]
        for key in keys:
            await store.put(key, key.encode())
        await store.put(".goferry/own.json", b"{}")
        for prefix in (
            "",
            "a",
            "a.b/",
            "a.b/c",
            "a.b/c/",
            "a.b/c/@v/v",
            "a.b/c/@v/list",
            "none/",
            "a.b/c/@v/list/",
        ):
            assert await all_keys(other, prefix) == sorted(key for key in keys if key.startswith(prefix)), (
                prefix
            )
        assert ".goferry/own.json" in await all_keys(store, ".goferry/")
        assert [blob async for blob in store.keys("z")] == [await store.stat("z.z/@v/list")]

    async def test_a_listing_survives_deletes_under_way(self, store):
        await asyncio.gather(*(store.put(f"example.com/m{n:04}/@v/list", b"") for n in range(1200)))
        seen = []
        async for blob in store.keys():
            seen.append(blob.key)
            await store.delete(blob.key)
        assert len(seen) == 1200
        assert await all_keys(store) == []

    @pytest.mark.parametrize("prefix", ["/", "../", "a/../", "a//"])
    async def test_a_prefix_that_no_key_has_is_invalid(self, store, prefix):
        with pytest.raises(InvalidInput):
            await all_keys(store, prefix)

    # Uploads

    async def test_an_upload_is_invisible_until_commit(self, store, other):
        upload = await store.upload()
        await upload.write(b"half ")
        await upload.write(b"whole")
        assert upload.size == 10
        assert await all_keys(other) == []
        assert upload.path.read_bytes() == b"half whole"
        blob = await upload.commit(ZIP)
        assert (blob, blob.size) == (await other.stat(ZIP), 10)
        assert await other.read(ZIP) == b"half whole"

    async def test_a_big_upload_arrives_whole(self, store, other):
        chunk = bytes(range(256)) * 256
        upload = await store.upload()
        for _ in range(40):
            await upload.write(chunk)
        assert upload.size == upload.path.stat().st_size == 40 * len(chunk)
        await upload.commit(ZIP)
        assert sha256(await other.read(ZIP)).digest() == sha256(chunk * 40).digest()

    @pytest.mark.parametrize("before", [3, 700_000])
    @pytest.mark.parametrize("look", [False, True])
    async def test_truncate_forgets_the_tail(self, store, before, look):
        upload = await store.upload()
        await upload.write(b"x" * before)
        await upload.write(b"tail")
        if look:
            assert upload.path.stat().st_size == before + 4
        await upload.truncate(before)
        await upload.write(b"end")
        assert upload.size == before + 3
        await upload.truncate(before + 2)
        assert upload.path.read_bytes() == b"x" * before + b"en"
        await upload.truncate()
        assert upload.size == 0
        await upload.write(b"new")
        await upload.commit(ZIP)
        assert await store.read(ZIP) == b"new"

    async def test_truncate_does_not_invent_bytes(self, store):
        upload = await store.upload()
        await upload.write(b"abc")
        with pytest.raises(ValueError, match="truncate"):
            await upload.truncate(4)
        await upload.abort()

    async def test_an_upload_without_bytes_is_an_empty_object(self, store):
        upload = await store.upload()
        assert (await upload.commit(MOD)).size == 0
        assert await store.read(MOD) == b""

    @pytest.mark.parametrize("size", [5, 700_000])
    async def test_commit_keeps_the_object_that_came_first(self, store, other, size):
        first = await other.put(ZIP, b"first")
        upload = await store.upload()
        await upload.write(b"y" * size)
        assert await upload.commit(ZIP) == first
        assert await store.read(ZIP) == b"first"

    @pytest.mark.parametrize("size", [5, 700_000])
    async def test_commit_replaces_when_told(self, store, size):
        await store.put(ZIP, b"first")
        upload = await store.upload()
        await upload.write(b"y" * size)
        assert (await upload.commit(ZIP, replace=True)).size == size
        assert await store.read(ZIP) == b"y" * size

    async def test_abort_leaves_nothing_and_may_come_at_any_time(self, store):
        upload = await store.upload()
        await upload.write(b"z" * 700_000)
        path = upload.path
        await upload.abort()
        await upload.abort()
        assert not path.exists()
        assert await all_keys(store) == []
        with pytest.raises(ValueError, match="over"):
            await upload.write(b"more")
        with pytest.raises(ValueError, match="over"):
            await upload.commit(ZIP)
        done = await store.upload()
        await done.commit(MOD)
        await done.abort()
        assert await store.read(MOD) == b""

    async def test_a_finished_upload_leaves_no_private_file(self, store):
        upload = await store.upload()
        await upload.write(b"zip")
        path = upload.path
        await upload.commit(ZIP)
        assert not path.exists()

    async def test_of_many_exclusive_commits_exactly_one_wins(self, store, other):
        async def send(n: int) -> Blob:
            upload = await (store, other)[n % 2].upload()
            await upload.write(bytes([n]) * 5000)
            return await upload.commit(ZIP)

        assert set(await asyncio.gather(*map(send, range(10)))) == {await store.stat(ZIP)}
        assert await store.read(ZIP) in [bytes([n]) * 5000 for n in range(10)]

    # Quarantine

    async def _check_quarantined(self, store: BlobStore, aside: str, data: bytes) -> None:
        assert aside.startswith(f".goferry/quarantine/{ZIP}.")
        assert await store.read(aside) == data
        note = json.loads(await store.read(aside + ".json"))
        assert (note["key"], note["reason"]) == (ZIP, "sum differs: 校验")
        assert await all_keys(store, ".goferry/quarantine/") == [aside, aside + ".json"]
        assert await all_keys(store) == []
        assert await store.stat(ZIP) is None

    async def test_a_quarantined_upload_lies_aside_with_its_reason(self, store, other):
        upload = await store.upload()
        await upload.write(b"bad bytes")
        aside = await upload.quarantine(ZIP, "sum differs: 校验")
        await self._check_quarantined(other, aside, b"bad bytes")
        await upload.abort()
        assert await other.read(aside) == b"bad bytes"

    async def test_a_quarantined_object_lies_aside_with_its_reason(self, store, other):
        await store.put(ZIP, b"rotten")
        aside = await store.quarantine(ZIP, "sum differs: 校验")
        await self._check_quarantined(other, aside, b"rotten")
        await store.put(ZIP, b"good")
        assert await other.read(ZIP) == b"good"

    async def test_quarantine_keeps_every_copy(self, store):
        asides = []
        for body in (b"one", b"two"):
            await store.put(ZIP, body)
            asides.append(await store.quarantine(ZIP, "again"))
        assert [await store.read(aside) for aside in asides] == [b"one", b"two"]

    # Locks

    async def test_one_holder_at_a_time(self, store, other):
        inside = 0
        most = 0

        async def visit(handle: BlobStore) -> None:
            nonlocal inside, most
            async with handle.lock("fetch example.com/m@v1.0.0"):
                inside += 1
                most = max(most, inside)
                await asyncio.sleep(0)
                inside -= 1

        await asyncio.gather(*(visit(handle) for handle in (store, other) * 10))
        assert most == 1

    async def test_different_names_do_not_wait_for_each_other(self, store, other):
        async with store.lock("a"), other.lock("b"), store.lock("c"):
            pass

    async def test_a_lock_is_freed_by_an_error_inside(self, store, other):
        with pytest.raises(ZeroDivisionError):
            async with store.lock("a"):
                raise ZeroDivisionError
        async with asyncio.timeout(10), other.lock("a"):
            pass

    async def test_an_oserror_inside_passes_through_unchanged(self, store):
        error = OSError("of the caller")
        with pytest.raises(OSError) as raised:
            async with store.lock("a"):
                raise error
        assert raised.value is error

    @pytest.mark.parametrize("rounds", [1, 5])
    async def test_a_cancelled_waiter_leaves_the_lock_free(self, store, other, rounds):
        async def want(handle: BlobStore) -> None:
            async with handle.lock("a"):
                pytest.fail("the lock was held all the time")

        async with store.lock("a"):
            waiters = [asyncio.create_task(want(handle)) for handle in (store, other)]
            for _ in range(rounds):
                await asyncio.sleep(0)
            for waiter in waiters:
                waiter.cancel()
            await asyncio.gather(*waiters, return_exceptions=True)
            assert all(waiter.cancelled() for waiter in waiters)
        async with asyncio.timeout(10), other.lock("a"), asyncio.timeout(10), store.lock("b"):
            pass

    async def test_a_lock_name_may_be_anything(self, store):
        async with store.lock("../x y/\n" + "é" * 400):
            pass

    async def test_a_store_in_working_order_says_so(self, store):
        assert store.read_only is None
        assert store.url
