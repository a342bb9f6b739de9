"""Entries of a GOPROXY list that fetch nothing: `off`, and `direct` until version control is built in.

`direct` answers NotFound on purpose: whoever put `direct` behind goferry in the client's own list then fetches the
module there, as that list says. `off` refuses, as `go` does with GOPROXY=off.
"""

from collections.abc import Callable

from goferry.errors import GoferryError, NotFound, Refused
from goferry.gomod.module import Version
from goferry.upstream.base import Fetched, Sink, Source


class ClosedEnd:
    """A Fetcher that answers every request with the same refusal."""

    def __init__(self, name: str, refusal: Callable[[str], GoferryError]) -> None:
        self.name = name
        self._refusal = refusal

    async def list(self, path: str) -> Fetched:
        raise self._refusal(path)

    async def latest(self, path: str) -> Fetched:
        raise self._refusal(path)

    async def info(self, path: str, query: str) -> Fetched:
        raise self._refusal(f"{path}@{query}")

    async def mod(self, module: Version) -> Fetched:
        raise self._refusal(str(module))

    async def zip(self, module: Version, sink: Sink) -> Source:  # noqa: ARG002  the seam's signature
        raise self._refusal(str(module))

    async def sumdb(self, name: str, path: str) -> Fetched:
        raise self._refusal(f"sumdb/{name}/{path}")


def direct() -> ClosedEnd:
    """Stands where version control will be asked."""
    return ClosedEnd("direct", _not_built_in)


def off() -> ClosedEnd:
    """Whatever comes this far is refused."""
    return ClosedEnd("off", _switched_off)


def _not_built_in(what: str) -> GoferryError:
    return NotFound(
        "{what}: fetching from version control (direct) is not built into goferry yet",
        hint="put a module proxy that has it before `direct` in the upstream list",
        what=what,
    )


def _switched_off(what: str) -> GoferryError:
    return Refused("{what}: module lookup disabled by `off` in the upstream list", what=what)
