"""What a checksum database said of a version, as the store keeps it."""

from goferry.errors import VerifyError
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, tlog
from goferry.proxy.upkeep.units import SUMDB
from goferry.storage.base import BlobStore


async def databases(store: BlobStore) -> list[str]:
    """The names of the checksum databases of which records are kept."""
    names: dict[str, None] = {}
    async for blob in store.keys(SUMDB):
        name, lookup, _module = blob.key.removeprefix(SUMDB).partition("/lookup/")
        if lookup:
            names[name] = None
    return list(names)


async def recorded(store: BlobStore, name: str, wanted: Version) -> lookup.Sums | None:
    """The sums in a stored lookup record, proven or not; None without one, or with a damaged one, which is
    reported by itself.
    """
    body = await store.read(f"{SUMDB}{name}/{lookup.lookup_path(wanted)}")
    if body is None:
        return None
    try:
        record, _tree = tlog.parse_record(body)
        return lookup.sums_of(name, wanted, record)
    except VerifyError:
        return None


def go_sum_lines(sums: lookup.Sums | None) -> list[str]:
    """The record as go.sum has it."""
    return [] if sums is None else sums.record.text.decode().splitlines()
