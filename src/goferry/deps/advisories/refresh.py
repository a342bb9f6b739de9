"""A newer database: fetched, read to its last entry, and only then put in the place of the old one.

What is refused, each with its reason: a database that is older than the newest one seen (somebody may hold back what is
known), one that cannot tell its age, one that has lost entries, and anything that cannot be read whole. `force` takes
one that is older, of no age or smaller all the same, and says so; nothing takes half a download.
"""

import asyncio
import os
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from goferry.deps.advisories import database, layouts, packed
from goferry.deps.advisories.base import About, Layer, is_older, time_of
from goferry.deps.advisories.database import FILE, Database
from goferry.deps.advisories.layouts import DB, MODULES, MOST, VULNS, Tree, entry_file
from goferry.deps.advisories.osv import InvalidAdvisory
from goferry.errors import ConfigError, NotFound, StorageError
from goferry.i18n import N_
from goferry.places import default_store
from goferry.upstream.base import Fetched

ZIP: Final = "vulndb.zip"
FEWEST: Final = 0.9
"""A new database has at least this share of the entries of the old one: entries are withdrawn, hardly ever deleted."""

Step = Callable[[int, int], None]
"""Told how many files are there, and of how many."""


class Site(Protocol):
    """Where a database is fetched from."""

    name: str

    async def get(self, path: str, *, limit: int) -> Fetched:
        """A file below it, whole; NotFound when there is none."""


class Verdict(StrEnum):
    """What came of a new database."""

    NEWER = "newer"
    CURRENT = "current"
    """The same age as the one at hand."""
    OLDER = "older"
    AGELESS = "ageless"
    """It does not say how old it is."""
    SMALLER = "smaller"


@dataclass(frozen=True, slots=True)
class Updated:
    """What an update did."""

    verdict: Verdict
    """Of the new database; `older`, `ageless` and `smaller` only when it was taken by force."""
    before: About
    after: About
    """What is in use from now on."""


def folder(environ: Mapping[str, str]) -> Path:
    """Where the user's database is kept: beside the default store, in the user's data folder. ConfigError without a
    home."""
    return default_store(environ).parent / "advisories"


def at_hand(environ: Mapping[str, str]) -> Database:
    """The newest database on this machine; where there is no home, the shipped one."""
    try:
        place = folder(environ)
    except ConfigError:
        return database.shipped()
    return database.installed(place)


def is_remote(place: str) -> bool:
    """Whether a place is one that has to be fetched."""
    return place.startswith(("http://", "https://"))


# ---- fetching -------------------------------------------------------------------------------------------------


async def fetch(site: Site, step: Step = lambda _done, _total: None) -> Layer:
    """The database of a site in the public layout: `vulndb.zip` in one go, or file by file where that is missing.
    InvalidAdvisory for what is broken, and what the site raises."""
    age = Tree.age(site.name, await _file(site, DB))
    try:
        whole = database.read(f"{site.name}/{ZIP}", (await site.get(ZIP, limit=MOST)).body)
    except NotFound:
        return await _fetch_files(site, step)
    if is_older(whole.about.modified, age):
        raise InvalidAdvisory(
            "{name}: {file} is older than the index beside it ({one}, {other})",
            hint=N_("it may be changing right now: try again in a moment"),
            name=site.name,
            file=ZIP,
            one=whole.about.modified,
            other=age,
        )
    return whole


async def _fetch_files(site: Site, step: Step) -> Layer:
    files = {name: await _file(site, name) for name in (DB, MODULES, VULNS)}
    names = [entry_file(names[0]) for names in Tree(site.name, files.get).index.names]

    async def one(name: str) -> None:
        files[name] = await _file(site, name)
        step(len(files) - 3, len(names))

    try:
        async with asyncio.TaskGroup() as group:  # the site's gate says how many at once
            for name in names:
                group.create_task(one(name))
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return Tree(site.name, files.get)


async def _file(site: Site, name: str) -> bytes:
    """A file, packed where the site has it packed."""
    try:
        return layouts.gunzip(f"{site.name}/{name}.gz", (await site.get(f"{name}.gz", limit=MOST)).body)
    except NotFound:
        pass
    try:
        return (await site.get(name, limit=MOST)).body
    except NotFound as error:
        raise InvalidAdvisory(
            "{name}: the vulnerability database lacks {file}", name=site.name, file=name
        ) from error


# ---- judging --------------------------------------------------------------------------------------------------


def judge(new: About, old: About) -> Verdict:
    """Whether a new database may take the place of the old one."""
    if time_of(new.modified) is None:
        return Verdict.AGELESS
    if is_older(new.modified, old.seen or old.modified):
        return Verdict.OLDER
    if new.entries < FEWEST * old.entries:
        return Verdict.SMALLER
    return Verdict.NEWER if is_older(old.modified, new.modified) else Verdict.CURRENT


_REFUSALS: Final[Mapping[Verdict, str]] = {
    Verdict.OLDER: N_(
        "{name}: this vulnerability database is from {new}, older than one seen before ({seen}); nothing was changed"
    ),
    Verdict.AGELESS: N_(
        "{name}: this vulnerability database does not say how old it is (index/db.json); nothing was changed"
    ),
    Verdict.SMALLER: N_(
        "{name}: this vulnerability database has {count} entries, and the one in use has {known}; nothing was changed"
    ),
}


# ---- keeping --------------------------------------------------------------------------------------------------


def install(place: Path, new: Layer, *, force: bool = False) -> Updated:
    """Puts a database into the user's folder, whole or not at all. InvalidAdvisory when an entry cannot be read, or
    when the database must not take the place of the one in use and nobody forces it."""
    old = _in_use(place, force=force)
    verdict = judge(new.about, old)
    if verdict in _REFUSALS and not force:
        raise InvalidAdvisory(
            _REFUSALS[verdict],
            hint=N_("if that is what you want, repeat it with --force"),
            name=new.about.source,
            new=new.about.modified,
            seen=old.seen or old.modified,
            count=new.about.entries,
            known=old.entries,
        )
    seen = new.about.modified if verdict in (Verdict.NEWER, Verdict.CURRENT) else old.seen or old.modified
    about = About(new.about.source, new.about.modified, new.about.entries, seen)
    data = packed.pack(about, new.texts())
    check = packed.Packed(FILE, data)
    if check.about.entries != new.about.entries:
        raise InvalidAdvisory(
            "{name}: the index names {known} entries, and {count} are there",
            name=new.about.source,
            known=new.about.entries,
            count=check.about.entries,
        )
    if verdict is not Verdict.CURRENT:
        _write(place / FILE, data)
    return Updated(verdict, old, old if verdict is Verdict.CURRENT else check.about)


def _in_use(place: Path, *, force: bool) -> About:
    """The database that the new one is compared with. A damaged one cannot say what was seen: only force helps."""
    try:
        return database.installed(place).about
    except InvalidAdvisory:
        if not force:
            raise
        return database.shipped().about


def _write(file: Path, data: bytes) -> None:
    """All of it or nothing, also when the machine dies."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
        try:
            with os.fdopen(handle, "wb") as target:
                target.write(data)
                target.flush()
                os.fsync(target.fileno())
            Path(name).replace(file)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise StorageError("cannot write {file}: {why}", file=file, why=error.strerror) from error
