"""Lines of go.sum: which are new, what they are, and where they go.

A line is computed from the bytes that were fetched, and is written only when the checksum database has signed the same.
For a module that the database must not be asked about the computed hash stands alone, as it does for the go command.
"""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from goferry.deps.base import Supply
from goferry.errors import Refused, VerifyError
from goferry.gomod import dirhash, gosum
from goferry.gomod.gosum import GO_MOD, Line
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Computed:
    """A line, and whether the checksum database has signed it."""

    line: Line
    proven: bool


async def compute(key: Version, supply: Supply) -> Computed:
    """The line of a key (with /go.mod for that of a go.mod). VerifyError when the database says otherwise; Unavailable
    and others when it, or the file, cannot be had."""
    of_go_mod = key.version.endswith(GO_MOD)
    version = Version(key.path, key.version.removesuffix(GO_MOD))
    if of_go_mod:
        found = dirhash.hash_go_mod(await supply.mod(version))
    else:
        found = await asyncio.to_thread(dirhash.hash_zip, await supply.zip(version))
    try:
        sums = await supply.prove(version)
    except VerifyError:
        raise
    except Refused:
        return Computed(Line(key, found), proven=False)
    (sums.check_mod if of_go_mod else sums.check_zip)(found)
    return Computed(Line(key, found), proven=True)


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
