"""Following imports through source trees that are fetched when they are needed, by somebody else.

    while missing := following.missing():
        for key in missing:
            following.give(key, tree_of(key))        # or the error, when it cannot be had

What cannot be had stops nothing: the rest goes on without it (the pattern of golang.org/x/mod/sumdb/tlog).
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

from goferry.deps.trees import Tree
from goferry.errors import GoferryError

Key = TypeVar("Key", bound=Hashable)
"""What a tree is asked for by."""
Item = TypeVar("Item")
"""What is looked at next."""


class Following(ABC, Generic[Key, Item]):
    """Goes as far as trees are known."""

    def __init__(self) -> None:
        self._queue: deque[Item] = deque()
        self._waiting: dict[Key, list[Item]] = {}
        self._trees: dict[Key, Tree | GoferryError] = {}

    def give(self, key: Key, tree: Tree | GoferryError) -> None:
        """A source tree, or why there is none."""
        self._trees[key] = tree
        self._queue.extend(self._waiting.pop(key, ()))

    def missing(self) -> list[Key]:
        """Goes on; what is needed to go further, in the order in which it was met."""
        while self._queue:
            self._visit(self._queue.popleft())
        return list(self._waiting)

    @abstractmethod
    def _visit(self, item: Item) -> None:
        """Looks at one item, queues what it leads to, or has it wait."""

    def _wait(self, item: Item, keys: Iterable[Key]) -> None:
        """The item comes again once one of these trees is given."""
        for key in keys:
            self._waiting.setdefault(key, []).append(item)
