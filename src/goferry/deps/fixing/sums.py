"""Lines of go.sum: which are new, what they are, and where they go.

A line is computed from the bytes that were fetched, and is written only when the checksum database has signed the same.
For a module that the database must not be asked about the log of one's own has to have signed the same, as `deps gate`
wants it. Without such a log, or where it is silent, the computed hash stands alone, as it does for the go command.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

from goferry.deps.base import Supply
from goferry.deps.gate.proving import How
from goferry.errors import GoferryError, InvalidInput, Refused, VerifyError
from goferry.gomod import dirhash, gosum
from goferry.gomod.gosum import GO_MOD, Line
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import MissingSum, NotInDatabase, Sums


@dataclass(frozen=True, slots=True)
class OwnLog:
    """A log of one's own, which proves what no public database knows."""

    name: str
    prove: Callable[[Version], Awaitable[tuple[Sums, bool]]]
    """What it says of a module version, proven, and whether that was recorded only now: Prover.prove_own."""


@dataclass(frozen=True, slots=True)
class Computed:
    """A line, and what has signed it."""

    line: Line
    how: How
    """LOG, OWN, or BYTES: nobody has."""
    is_new: bool = False
    """The log of one's own has recorded it only now: nothing older vouches for it."""
    why: GoferryError | None = None
    """Why the log of one's own does not vouch for it, where there is one."""


async def compute(key: Version, supply: Supply, own: OwnLog | None = None) -> Computed:
    """The line of a key (with /go.mod for that of a go.mod). VerifyError when the database, or the log of one's own,
    says otherwise; Unavailable and others when the database, or the file, cannot be had."""
    of_go_mod = key.version.endswith(GO_MOD)
    version = Version(key.path, key.version.removesuffix(GO_MOD))
    if of_go_mod:
        found = dirhash.hash_go_mod(await supply.mod(version))
    else:
        found = await asyncio.to_thread(dirhash.hash_zip, await supply.zip(version))
    line = Line(key, found)
    try:
        sums = await supply.prove(version)
    except VerifyError:
        raise
    except Refused:
        return Computed(line, How.BYTES) if own is None else await _by_own(line, version, own)
    _check(line, sums)
    return Computed(line, How.LOG)


async def _by_own(line: Line, version: Version, own: OwnLog) -> Computed:
    """What the log of one's own says. One that cannot be asked, or has no such line, says nothing; one that contradicts
    the bytes or itself is believed in neither."""
    try:
        sums, is_new = await own.prove(version)
        _check(line, sums)
    except (NotInDatabase, MissingSum) as error:
        return Computed(line, How.BYTES, why=error)
    except (VerifyError, InvalidInput):
        raise
    except GoferryError as error:
        return Computed(line, How.BYTES, why=error)
    return Computed(line, How.OWN, is_new)


def _check(line: Line, sums: Sums) -> None:
    (sums.check_mod if line.of_go_mod else sums.check_zip)(line.sum)


def merged(text: str, new: Iterable[Line], dropped: Iterable[Version] = ()) -> str:
    """A go.sum with more lines, each before the first one that sorts behind it, and without the lines of some keys.
    What is there keeps its order."""
    unwanted = frozenset(dropped)
    old = [line for line in gosum.parse(text) if line.module not in unwanted]
    fresh = [line for line in new if line not in old]
    ranks = {line: rank for rank, line in enumerate(gosum.sort([*old, *fresh]))}
    waiting = sorted(fresh, key=ranks.__getitem__)
    lines: list[Line] = []
    for line in old:
        while waiting and ranks[waiting[0]] < ranks[line]:
            lines.append(waiting.pop(0))
        lines.append(line)
    return gosum.format_lines([*lines, *waiting])


def lacking(pool: Sequence[Line], wanted: Iterable[Version]) -> list[Version]:
    """The keys that have no known hash yet, sorted."""
    missing = gosum.Sums(pool).missing(wanted)
    return sorted(missing, key=str)
