"""A store of each kind, and an index with a clock of its own."""

import pytest

from goferry.storage.index_sqlite import Index
from goferry.storage.local import LocalStore
from goferry.storage.memory import MemoryStore
from keptversions import NOW


@pytest.fixture(params=["local", "memory"])
async def store(request, tmp_path):
    store = LocalStore(tmp_path / "store", fsync=False) if request.param == "local" else MemoryStore()
    yield store
    await store.close()


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def index(tmp_path, clock):
    index = Index(tmp_path / "index.sqlite", clock=clock)
    yield index
    index.close()
