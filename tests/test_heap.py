"""When a worker of the tests looks for memory to give back."""

import sys
from collections.abc import Callable

import pytest

import heap
from heap import Heap

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="gives memory back on Linux only")


class _Trims:
    def __init__(self) -> None:
        self.count = 0

    def malloc_trim(self, pad: int) -> int:
        self.count += 1
        return 1


@pytest.fixture
def sizes(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Says how big the process is from now on."""

    def say(size: int) -> None:
        monkeypatch.setattr(heap, "resident", lambda: size)

    return say


@pytest.fixture
def trims(monkeypatch: pytest.MonkeyPatch) -> _Trims:
    trims = _Trims()
    monkeypatch.setattr(heap, "_libc", lambda: trims)
    return trims


def test_memory_is_given_back_each_time_the_process_has_grown_enough(
    sizes: Callable[[int], None], trims: _Trims
) -> None:
    held = Heap(growth=100)
    answers = []
    for size in (150, 200, 249, 250, 349, 350):
        sizes(size)
        answers.append(held.give_back_if_grown())
    assert answers == [True, False, False, True, False, True]
    assert trims.count == 3


def test_without_means_to_give_back_nothing_is_looked_for(
    sizes: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heap, "_libc", lambda: None)
    sizes(1 << 40)
    assert not Heap(growth=1).give_back_if_grown()


def test_a_process_knows_how_much_memory_it_has() -> None:
    assert 1 << 20 < heap.resident() < 1 << 40
