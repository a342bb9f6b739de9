"""What a `go` command will ask for next, told from what it has asked. Bookkeeping alone; readahead.py fetches.

The command asks for one or two files at a time and waits for each, so on a slow way it waits for the distance and not
for the bytes. Three of its habits can be relied on:

- A go.mod below Go 1.17 stands for its whole graph: whoever asked for it asks for the go.mod of everything that it
  requires, and so on (Go reference, "Module graph pruning"; cmd/go/internal/modload, readModGraph).
- A go.mod that no other one stands for is required by the main module itself, and was asked for by its version: nobody
  looked that up before. The zips of such modules are what a download or a build gets when the graph is loaded.
- `go mod download` asks for the .info of the modules whose go.mod files it has asked for first, in that order.
"""

import time
from collections.abc import Callable

from goferry.gomod.modfile import ModFileError
from goferry.gomod.modsummary import summarize
from goferry.gomod.module import Version
from goferry.proxy.recent import Recent

_MODULES = 8192
"""Modules remembered, of all clients together (some 3 MiB)."""

_AGAIN = 60.0
"""Seconds after which the go.mod files of a graph are told again: what was fetched meanwhile is in the store."""

INFOS = 32
"""How many modules `go mod download` is expected to come to next."""

ROOTS = 8
_PAUSE = 10.0
"""A graph is being loaded when so many modules of the main one were asked for, with no longer pause (seconds) between
them. One or two of them may be somebody who looks at a single module."""


class Foresight:
    """What has been asked, and what follows from it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._whole = Recent[Version, float](_MODULES)
        """Modules whose whole graph is wanted, and when that was told."""
        self._places = Recent[Version, int](_MODULES)
        self._order = Recent[int, Version](_MODULES)
        self._next = 0
        self._looked_up = Recent[Version, bool](_MODULES)
        """Modules whose .info was asked for before their go.mod."""
        self._roots: list[Version] = []
        self._last_root = clock()

    def mod_asked(self, module: Version) -> list[Version]:
        """A client has asked for this go.mod. The modules whose zips are asked for when the graph is loaded."""
        if module in self._places:
            return []
        self._places[module] = self._next
        self._order[self._next] = module
        self._next += 1
        if module in self._whole or module in self._looked_up:
            return []
        return self._root(module)

    def _root(self, module: Version) -> list[Version]:
        now = self._clock()
        if now - self._last_root > _PAUSE:
            self._roots.clear()
        self._last_root = now
        if len(self._roots) == ROOTS:
            return [module]
        self._roots.append(module)
        return list(self._roots) if len(self._roots) == ROOTS else []

    def after_mod(self, module: Version, go_mod: bytes) -> list[Version]:
        """The modules whose go.mod is asked for next, when this one is here: in its order, and each told once."""
        try:
            requirements = summarize(str(module), go_mod).requirements
        except ModFileError:
            return []
        if requirements.pruned and module not in self._whole:
            return []
        now = self._clock()
        told = [
            version for version in requirements.require if now - self._whole.get(version, -_AGAIN) >= _AGAIN
        ]
        self._whole.update(dict.fromkeys(told, now))
        return told

    def after_info(self, module: Version) -> list[Version]:
        """The modules whose .info is asked for next, when this one was; none unless its go.mod was asked for before."""
        place = self._places.get(module)
        if place is None:
            self._looked_up[module] = True
            return []
        following = (self._order.get(at) for at in range(place + 1, place + 1 + INFOS))
        return [version for version in following if version is not None]
