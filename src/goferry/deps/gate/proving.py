"""Each line of go.sum against the transparency log; for private modules against one's own, or what this store has seen.

The log is asked once for each module version; what was proven stays in the store with the newest tree head, so the
same can be proven again offline. A private module is in no public log. With a log of one's own its line is proven
there, in the same way. Without one it is compared with the hash that this store kept when it first fetched the file; if
it never did, with the bytes that the upstream serves now, which proves less, and is said.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Protocol

from goferry.deps.base import Supply
from goferry.errors import GoferryError, InvalidInput, NotFound, VerifyError
from goferry.gomod import dirhash
from goferry.gomod.gosum import GO_MOD, KNOWN_HASH, Line
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import NotInDatabase, Sums

JOBS: Final = 64

Step = Callable[[int, int], None]
Way = Callable[[Version, "list[Line]", "Prover"], Awaitable["list[Proof]"]]


@dataclass(frozen=True, slots=True)
class FirstSeen:
    """The hashes that a store kept when it first fetched a module version; None for a file it never had."""

    zip: str | None = None
    mod: str | None = None


class Prover(Supply, Protocol):
    """A supply that remembers."""

    async def first_hashes(self, version: Version) -> FirstSeen:
        """What the store kept."""

    async def prove_own(self, version: Version) -> tuple[Sums, bool]:
        """What the log of one's own says, proven, and whether it was recorded only now. For who has such a log."""


class How(StrEnum):
    """What a line was compared with."""

    LOG = "log"
    """A record of the transparency log, under a signed tree head that continues every one seen before."""
    OWN = "own"
    """A record of the log of one's own, in the same way."""
    STORE = "store"
    """What this store kept when it first fetched the file."""
    BYTES = "bytes"
    """The bytes that the upstream serves now; nobody has seen them before."""
    NOTHING = "nothing"
    """Nothing: its hash is of a kind that nobody knows."""


class Result(StrEnum):
    EQUAL = "equal"
    DIFFERENT = "different"
    ABSENT = "absent"
    """The log has no such record, or its answer is false: nobody vouches for the line."""
    UNPROVEN = "unproven"
    """It could not be asked."""


@dataclass(frozen=True, slots=True)
class Proof:
    """What came of one line."""

    line: Line
    how: How
    result: Result
    wanted: str = ""
    """The hash it should be, where it is another."""
    why: GoferryError | None = None
    is_new: bool = False
    """The record was made just now, from what the upstream serves: nothing older vouches for it."""


async def prove(
    lines: Iterable[Line],
    prover: Prover,
    is_private: Callable[[str], bool],
    *,
    has_log: bool = False,
    jobs: int = JOBS,
    step: Step | None = None,
) -> list[Proof]:
    """A proof of every line, in their order. `has_log`: there is a log of one's own, which proves private modules."""
    given = list(lines)
    groups: dict[Version, list[int]] = {}
    for number, line in enumerate(given):
        groups.setdefault(version_of(line), []).append(number)
    found: dict[int, Proof] = {}
    slots = asyncio.Semaphore(jobs)

    def way_of(path: str) -> Way:
        return _logged if not is_private(path) else _recorded if has_log else _seen

    async def one(version: Version, numbers: list[int]) -> None:
        wanted = [given[number] for number in numbers]
        async with slots:
            proofs = await way_of(version.path)(version, wanted, prover)
        found.update(zip(numbers, proofs, strict=True))
        if step is not None:
            step(len(found), len(given))

    await asyncio.gather(*(one(version, numbers) for version, numbers in groups.items()))
    return [found[number] for number in range(len(given))]


def version_of(line: Line) -> Version:
    """The module version that a line is about."""
    return Version(line.module.path, line.module.version.removesuffix(GO_MOD))


async def _logged(version: Version, lines: list[Line], prover: Prover) -> list[Proof]:
    async def ask(version: Version) -> tuple[Sums, bool]:
        return await prover.prove(version), False

    return await _by_record(version, lines, How.LOG, ask)


async def _recorded(version: Version, lines: list[Line], prover: Prover) -> list[Proof]:
    return await _by_record(version, lines, How.OWN, prover.prove_own)


async def _by_record(
    version: Version, lines: list[Line], how: How, ask: Callable[[Version], Awaitable[tuple[Sums, bool]]]
) -> list[Proof]:
    known = [line for line in lines if line.sum.startswith(KNOWN_HASH)]
    if not known:
        return [Proof(line, How.NOTHING, Result.EQUAL) for line in lines]
    try:
        sums, is_new = await ask(version)
    except (VerifyError, InvalidInput, NotFound) as error:
        return [Proof(line, how, Result.ABSENT, why=error) for line in lines]
    except GoferryError as error:
        return [Proof(line, how, Result.UNPROVEN, why=error) for line in lines]
    found = [_against(line, how, sums.mod if line.of_go_mod else sums.zip) for line in lines]
    return [replace(proof, is_new=is_new) for proof in found]


def _against(line: Line, how: How, sums: Iterable[str]) -> Proof:
    if not line.sum.startswith(KNOWN_HASH):
        return Proof(line, How.NOTHING, Result.EQUAL)
    wanted = [one for one in sums if one.startswith(KNOWN_HASH)]
    if not wanted:
        missing = NotInDatabase("the record of {module} has no hash for this file", module=line.module)
        return Proof(line, how, Result.ABSENT, why=missing)
    if wanted == [line.sum]:
        return Proof(line, how, Result.EQUAL)
    return Proof(line, how, Result.DIFFERENT, " ".join(wanted))


async def _seen(version: Version, lines: list[Line], prover: Prover) -> list[Proof]:
    seen = await prover.first_hashes(version)
    proofs = []
    for line in lines:
        kept = seen.mod if line.of_go_mod else seen.zip
        if kept is not None:
            proofs.append(_against(line, How.STORE, (kept,)))
        else:
            proofs.append(await _fetched(version, line, prover))
    return proofs


async def _fetched(version: Version, line: Line, prover: Prover) -> Proof:
    try:
        if line.of_go_mod:
            h1 = dirhash.hash_go_mod(await prover.mod(version))
        else:
            h1 = await asyncio.to_thread(dirhash.hash_zip, await prover.zip(version))
    except NotFound as error:
        return Proof(line, How.BYTES, Result.ABSENT, why=error)
    except GoferryError as error:
        return Proof(line, How.BYTES, Result.UNPROVEN, why=error)
    return _against(line, How.BYTES, (h1,))
