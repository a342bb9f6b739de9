import errno
import os

import pytest

from contracts.blob_store import BlobStoreContract
from goferry.storage.disk import Disk
from goferry.storage.local import LocalStore


class NoLinks(Disk):
    """A file system without hard links."""

    def link(self, source, target):
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))


class TestLocalStore(BlobStoreContract):
    @pytest.fixture(params=["fsync", "no-fsync", "threads", "no-links"])
    async def pair(self, request, tmp_path):
        options = {"fsync": request.param != "no-fsync", "loop_reads": request.param != "threads"}
        if request.param == "no-links":
            options["disk"] = NoLinks()
        pair = LocalStore(tmp_path / "store", **options), LocalStore(tmp_path / "store", **options)
        yield pair
        for store in pair:
            await store.close()
            assert store._temps._own is None
        assert list((tmp_path / "store" / ".goferry" / "tmp").iterdir()) == []
        assert [path.name for path in (tmp_path / "store" / ".goferry" / "locks").iterdir()] == []
