"""What was put in last: the memory in front of the store, which must not grow with the number of modules there are."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Recent(OrderedDict[K, V]):
    """A dict of at most `most` entries; a new one takes the place of the one that was put in longest ago.

    Reading does not count: what is in use is put in again when it is refreshed, and a read stays as cheap as a dict's.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
