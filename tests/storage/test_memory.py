"""The store in memory keeps the contract, and fails exactly when it was told to."""

import pytest

from contracts.blob_store import MOD, ZIP, BlobStoreContract
from goferry.errors import StorageError
from goferry.storage.memory import MemoryStore


class TestMemoryStore(BlobStoreContract):
    @pytest.fixture
    async def pair(self):
        store = MemoryStore()
        yield store, store
        await store.close()


async def test_a_put_that_fails_before_it_took_hold_keeps_nothing():
    store = MemoryStore()
    store.fail("put", "before")
    with pytest.raises(StorageError, match="before put"):
        await store.put(MOD, b"m")
    assert await store.read(MOD) is None
    await store.put(MOD, b"m")


async def test_a_put_that_fails_after_it_took_hold_has_kept_it():
    store = MemoryStore()
    store.fail("put", "after", times=2)
    for _ in range(2):
        with pytest.raises(StorageError, match="after put"):
            await store.put(MOD, b"m")
    assert (await store.put(MOD, b"other")).size == 1
    assert await store.read(MOD) == b"m"


@pytest.mark.parametrize(("when", "kept"), [("before", None), ("after", b"zip")])
async def test_a_commit_can_lose_the_bytes_or_only_the_answer(when, kept):
    store = MemoryStore()
    store.fail("commit", when, key=ZIP)
    upload = await store.upload()
    await upload.write(b"zip")
    path = upload.path
    with pytest.raises(StorageError):
        await upload.commit(ZIP)
    assert await store.read(ZIP) == kept
    assert not path.exists()


async def test_a_fault_for_one_key_leaves_others_alone():
    store = MemoryStore()
    store.fail("read", key=MOD)
    await store.put(MOD, b"m")
    assert await store.read(ZIP) is None
    with pytest.raises(StorageError, match=r"v1\.0\.0\.mod"):
        await store.read(MOD)


async def test_what_was_asked_is_counted():
    store = MemoryStore()
    for _ in range(3):
        await store.read(MOD)
    assert store.asked["read", MOD] == 3


async def test_a_read_only_store_refuses_every_write_and_goes_on_reading():
    store = MemoryStore()
    await store.put(MOD, b"m")
    store.read_only = "as told"
    for act in (
        store.put(ZIP, b""),
        store.touch(MOD),
        store.delete(MOD),
        store.upload(),
        store.quarantine(MOD, ""),
    ):
        with pytest.raises(StorageError, match="as told"):
            await act
    assert await store.read(MOD) == b"m"
