"""Answer one module request: store → fetch once → verify → keep → answer. Nothing here knows HTTP.

Two kinds of answers: files.py has what never changes, metadata.py what does. sumdb.py stands beside them with the
checksum database's own files.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from goferry.errors import GoferryError, NotFound, Refused
from goferry.gomod.goproxy import Request
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Sums
from goferry.proxy.base import Answer, Observer, Outcome, Silent
from goferry.proxy.coalesce import Flights
from goferry.proxy.files import Files, missing
from goferry.proxy.metadata import Metadata
from goferry.proxy.sumdb import Databases
from goferry.storage.base import BlobStore
from goferry.upstream.hosts import HostGates

if TYPE_CHECKING:
    from goferry.proxy.recording import OwnSums


class ModuleProxy:
    """The use case behind the server, `warm` and the tests; assemble.py puts one together."""

    def __init__(
        self,
        store: BlobStore,
        files: Files,
        metadata: Metadata,
        databases: Databases,
        gates: HostGates,
        flights: Flights,
        *,
        offline: bool = False,
        instance: str = "",
        observer: Observer | None = None,
    ) -> None:
        self.store = store
        self.instance = instance
        self.sumdb_names = databases.names
        self._files = files
        self._metadata = metadata
        self._databases = databases
        self._gates = gates
        self._flights = flights
        self._offline = offline
        self._observer = observer or Silent()

    async def answer(self, request: Request, *, cached_only: bool = False) -> Answer:
        """The complete, verified answer. Raises an error of the family that says whose fault it is."""
        try:
            answer, outcome = await self._answer(request, asking=not (cached_only or self._offline))
        except GoferryError as error:
            outcome = Outcome.NEGATIVE if isinstance(error, NotFound) else Outcome.ERROR
            self._observer.answered(request.kind, outcome)
            raise
        self._observer.answered(request.kind, outcome)
        return answer

    def known(self, key: str) -> Answer | None:
        """The answer to the request for a list or @latest of this key, if it is in memory. It is that of `answer`, but
        at once, from any thread, and told to no observer; whoever gives one that is stale is to `refresh` it."""
        return None if self._offline else self._metadata.known(key)

    def refresh(self, key: str) -> None:
        """Ask anew for a list or @latest that was given although it is old."""
        self._metadata.refresh(key)

    async def sumdb(self, name: str, rest: str, *, cached_only: bool = False) -> Answer:
        """`sumdb/NAME/REST`, proven before it is kept. NotFound for a database that is not served."""
        try:
            answer, outcome = await self._databases.answer(
                name, rest, asking=not (cached_only or self._offline)
            )
        except GoferryError:
            self._observer.answered("sumdb", Outcome.ERROR)
            raise
        self._observer.answered("sumdb", outcome)
        return answer

    async def prove(self, module: Version) -> Sums:
        """The sums of a module version that the checksum database has signed, offline from what is stored.

        Raises Refused for a private module, VerifyError, or why the database could not be asked.
        """
        return await self._databases.prove(module, asking=not self._offline)

    @property
    def own_log(self) -> "OwnSums | None":
        """The log of one's own, where there is one."""
        return self._databases.own

    async def prove_own(self, module: Version) -> Sums:
        """The sums of a module version in the log of one's own, offline from what is stored. Raises as prove does."""
        if self._databases.own is None:
            raise Refused("no log of one's own is set, so {module} cannot be proven by it", module=module)
        return await self._databases.own.prove(module, asking=not self._offline)

    def breakers(self) -> Mapping[str, str]:
        """Circuit breaker state by upstream host."""
        return {host: str(state) for host, state in self._gates.states().items()}

    async def ready(self) -> list[str]:
        """What keeps this proxy from doing its work; empty when nothing does."""
        try:
            await self.store.put(".goferry/ready", b"", replace=True)
        except GoferryError as error:
            return [str(error)]
        return []

    async def idle(self) -> None:
        """Wait until everything under way is fetched and kept."""
        await self._flights.idle()

    def touch(self, key: str) -> None:
        """Note that a client was served a stored object."""
        self._files.touch(key)

    async def _answer(self, request: Request, *, asking: bool) -> tuple[Answer, Outcome]:
        part = self._files if request.exact else self._metadata
        if asking:
            return await part.answer(request)
        answer = await part.stored(request)
        if answer is None:
            raise await missing(self.store, request, offline=self._offline)
        return answer, Outcome.HIT
