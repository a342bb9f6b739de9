"""One version's hash by everyone who knows one: go.sum, the checksum database, each mirror's zip, and the origin.

Who stands alone with another hash is the one who changed something. The origin costs a clone, so it is asked only when
the others do not agree.
"""

import asyncio
import json
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Subject, SumsSeen
from goferry.doctor.probes.answers import Reply
from goferry.doctor.probes.gorun import run_go_json
from goferry.doctor.secrets import read_text
from goferry.errors import GoferryError
from goferry.gomod import dirhash, gosum, module
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog

Zips = list[tuple[int, str, Reply | None, Reply | None]]
"""For each mirror its place in the list, the version, the zip's reply, and that to the lookup through it."""

_LEAST_TIME: Final = 2.0
_FROM_ORIGIN: Final = {"GOPROXY": "direct", "GOSUMDB": "off"}


async def compare_sums(
    world: World, path: str, wanted: str, zips: Zips, direct: Reply | None, seconds: float
) -> tuple[SumsSeen, ...]:
    """A record for each mirror that gave a zip or a sum, or one for all others together; () when nobody knows any.

    wanted: the version if no mirror names one; direct: the database's own reply; seconds: for the origin.
    """
    found = [await _of_mirror(world, path, *each, direct) for each in zips]
    known = [seen for seen in found if seen.proxy or (seen.sumdb and seen.version)]
    if not known and wanted:
        version = Version(path, wanted)
        seen = SumsSeen(path, wanted, _in_go_sum(world, version), _in_record(version, direct))
        known = [seen] if seen.go_sum or seen.sumdb else []
    if not _disagree(known):
        return tuple(known)
    origin = await _at_origin(world, known[0], seconds)
    return tuple(replace(seen, origin=origin) for seen in known)


async def _of_mirror(
    world: World,
    path: str,
    place: int,
    version: str,
    zip_: Reply | None,
    lookup: Reply | None,
    direct: Reply | None,
) -> SumsSeen:
    key = Version(path, version)
    return SumsSeen(
        path,
        version,
        go_sum=_in_go_sum(world, key),
        sumdb=_in_record(key, lookup) or _in_record(key, direct),
        proxy=await asyncio.to_thread(_of_zip, zip_.body) if zip_ and zip_.ok and zip_.whole else "",
        entry=place,
    )


def _disagree(known: Sequence[SumsSeen]) -> bool:
    hashes = {value for seen in known for value in (seen.go_sum, seen.sumdb, seen.proxy) if value}
    return len(hashes) > 1


# ---- where hashes come from --------------------------------------------------------------------------------


def _in_go_sum(world: World, version: Version) -> str:
    """The one hash in the nearest go.sum; "" for none, or for a file that go would refuse."""
    for folder in (world.cwd, *world.cwd.parents):
        if (folder / "go.mod").is_file():
            try:
                return gosum.Sums(gosum.parse(read_text(folder / "go.sum"))).recorded(version) or ""
            except GoferryError:
                return ""
    return ""


def _in_record(version: Version, reply: Reply | None) -> str:
    """The zip's hash in a lookup's answer, whose proof is not looked at here: go does that."""
    if reply is None or not reply.ok:
        return ""
    try:
        record, _rest = tlog.parse_record(reply.body)
        lines = gosum.parse(record.text.decode())
    except (GoferryError, UnicodeDecodeError):
        return ""
    return gosum.Sums(lines).recorded(version) or ""


def _of_zip(body: bytes) -> str:
    """The h1 of a zip; "" when it is none."""
    with tempfile.TemporaryDirectory(prefix="goferry-doctor-") as folder:
        path = Path(folder, "module.zip")
        path.write_bytes(body)
        try:
            return dirhash.hash_zip(path)
        except GoferryError:
            return ""


async def _at_origin(world: World, seen: SumsSeen, seconds: float) -> str:
    """What go makes of the repository's own files now; "" when there is no time, no go, or no way to it."""
    if seconds < _LEAST_TIME or not module.is_canonical(seen.module, seen.version):
        return ""
    subject = Subject(module=seen.module, version=seen.version)
    try:
        told = await run_go_json(world, subject, changed=_FROM_ORIGIN, limit=seconds)
        found = json.loads(told[told.index("{") :])["Sum"]
    except (GoferryError, ValueError, KeyError):
        return ""
    return found if isinstance(found, str) else ""
