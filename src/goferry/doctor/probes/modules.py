"""The module layer: each mirror of GOPROXY, the checksum database through it and by itself, and the module's origin.

Only what go would ask about the subject is asked, of those that go would ask: a private module is named to no mirror
and to no database. The origin is asked when go could get there, or when no mirror has the module.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import AnswerSeen, SettingsSeen, Subject, SumsSeen
from goferry.doctor.probes.answers import WHOLE_ZIP, Asker, Question, Reply, said
from goferry.doctor.probes.goauth import GoAuth
from goferry.doctor.probes.gosettings import GoSettings, read_go_settings, secrets_of
from goferry.doctor.probes.http2 import ask_http2, h2_context
from goferry.doctor.probes.reach import dialer, http_client
from goferry.doctor.probes.sums import Zips, compare_sums
from goferry.doctor.secrets import Secrets
from goferry.doctor.settings.repository import repository_of
from goferry.errors import GoferryError
from goferry.gomod import goenv, goproxy, module, query, semver
from goferry.gomod.goproxy import Kind, never_a_module
from goferry.gomod.metaimport import MOD, match_import, parse_meta_imports
from goferry.gomod.sumdb.lookup import lookup_path

SHARE: Final = 0.7
"""The part of the time for looking that these questions may use: what they lead to has to be asked after them."""

_MARGIN: Final = 1.0
"""Seconds between the last answer and the end of the time: what is not handed over by then is lost."""

_LIST_BYTES: Final = 1024 * 1024
_PAGE_BYTES: Final = 256 * 1024
_ORIGIN_BYTES: Final = 4 * 1024
_HTTP2_BYTES: Final = 256 * 1024

ALL: Final = frozenset({"list", "latest", "info", "mod", "zip", "supported", "lookup", "origin", "http2"})
_LONGEST_FIRST: Final = ("zip", "list", "supported", "root")
FOR_SUMS: Final = frozenset({"list", "latest", "info", "zip", "lookup"})


@dataclass(frozen=True, slots=True)
class ModulesSeen:
    """What the module layer showed."""

    answers: tuple[AnswerSeen, ...] = ()
    sums: tuple[SumsSeen, ...] = ()
    secrets: Secrets = field(default_factory=Secrets, repr=False, compare=False)
    """What programs of GOAUTH told: go asked them too, and servers may repeat what they were sent."""


async def probe_modules(world: World, settings: SettingsSeen, subject: Subject) -> tuple[AnswerSeen, ...]:
    """Every answer of the module layer; without a subject only whether mirrors and databases answer at all."""
    async with _opened(world, settings, subject, ALL) as look:
        await look.all()
        return look.answers()


async def probe_sums(world: World, settings: SettingsSeen, subject: Subject) -> tuple[SumsSeen, ...]:
    """The hashes of the subject's version by everyone who knows one; () without a module."""
    async with _opened(world, settings, subject, FOR_SUMS) as look:
        await look.all()
        return await look.sums()


async def look_at_modules(
    world: World, settings: SettingsSeen, subject: Subject, *, left: float | None = None
) -> ModulesSeen:
    """Both at once, with each question asked only once. left: seconds until nobody waits for it any more."""
    async with _opened(world, settings, subject, ALL, left) as look:
        await look.all()
        return ModulesSeen(look.answers(), await look.sums(), look.secrets)


def repository_urls(subject: Subject, answers: Sequence[AnswerSeen]) -> tuple[str, ...]:
    """The repositories of the subject's module that git can be asked for: known by heart, or told by its page."""
    known = repository_of(subject.module) if subject.module else None
    if known is not None:
        return (known.url,) if known.vcs == "git" else ()
    told = (answer.facts for answer in answers if answer.purpose == "go_get")
    return tuple(dict.fromkeys(facts["root"] for facts in told if facts.get("vcs") == "git"))


@asynccontextmanager
async def _opened(
    world: World,
    settings: SettingsSeen,
    subject: Subject,
    purposes: Collection[str],
    left: float | None = None,
) -> AsyncIterator["_Look"]:
    seconds = world.limits.look * SHARE
    if left is not None:
        seconds = min(seconds, left - _MARGIN)
    go = read_go_settings(world, settings)
    auth = GoAuth(world, go, settings.go_version)
    known = secrets_of(world, go).clean

    def clean(text: str) -> str:
        return auth.clean(known(text))

    async with (
        http_client(world, settings) as client,
        dialer(world, settings, lambda: h2_context(world)) as dials,
    ):
        asker = Asker(world, client, clean, seconds, auth.after)
        second = partial(ask_http2, world, dials, clean=clean)
        yield _Look(world, go, subject, asker, purposes, second, auth)


# ---- all of it ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _EntrySeen:
    """The questions to one entry and its replies by purpose, and the version that they are about."""

    place: int
    questions: dict[str, Question] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    version: str = ""

    def was_answered(self, purpose: str) -> bool:
        """Whether the entry itself answered, however the redirects after that went."""
        return purpose in self.replies and self.replies[purpose].seen[0].status > 0

    @property
    def lacks(self) -> bool:
        """Whether it said that it does not have the module, or the version that was asked for."""
        if "info" in self.replies:
            return self.replies["info"].lacks
        listed = self.replies.get("list")
        return listed is not None and (listed.lacks or (listed.ok and not listed.body.strip()))


class _Look:
    """One look at the module layer."""

    def __init__(
        self,
        world: World,
        go: GoSettings,
        subject: Subject,
        asker: Asker,
        purposes: Collection[str],
        ask_http2: Callable[[Question, float], Awaitable[AnswerSeen | None]],
        auth: GoAuth,
    ) -> None:
        self._auth = auth
        self._world = world
        self._go = go
        self._path = subject.module
        self._wanted = subject.version
        self._asker = asker
        self._purposes = purposes
        self._ask_http2 = ask_http2
        self._entries: list[_EntrySeen] = []
        self._others: list[Reply] = []
        self._direct_lookup: Reply | None = None
        self._sumdb = go.sumdb()
        self._exact = subject.version if module.is_canonical(subject.module, subject.version) else ""
        self._is_private = bool(self._path) and go.goes_direct(self._path)
        self._is_summed = self._sumdb is not None and (not self._path or go.is_summed(self._path))

    async def all(self) -> None:
        """Asks everybody at once; the origin last, if it is only asked because no mirror has the module."""
        listed = self._go.entries()
        mirrors = [(place, entry) for place, entry in enumerate(listed) if entry.is_proxy]
        at_once = self._is_private or any(entry.url == goproxy.DIRECT for entry in listed)
        parts = [self._entry(place, entry) for place, entry in mirrors]
        async with asyncio.TaskGroup() as group:
            group.create_task(self._database())
            if at_once:
                group.create_task(self._origin())
            if self._exact:
                group.create_task(self._lookup_directly(self._exact))
            tasks = [group.create_task(part) for part in parts]
        self._entries = [task.result() for task in tasks]
        if not self._exact:
            await self._lookup_directly(next((each.version for each in self._entries if each.version), ""))
        if not at_once and self._entries and all(entry.lacks for entry in self._entries):
            await self._origin()

    @property
    def secrets(self) -> Secrets:
        return self._auth.secrets

    def answers(self) -> tuple[AnswerSeen, ...]:
        """All records, those of one question in order."""
        replies = [reply for entry in self._entries for reply in entry.replies.values()]
        replies += self._others + ([self._direct_lookup] if self._direct_lookup else [])
        return tuple(seen for reply in replies for seen in reply.seen)

    async def sums(self) -> tuple[SumsSeen, ...]:
        """The hashes that the replies and the files of the project hold."""
        if not self._path:
            return ()
        zips: Zips = [
            (entry.place, entry.version, entry.replies.get("zip"), entry.replies.get("lookup"))
            for entry in self._entries
        ]
        return await compare_sums(
            self._world, self._path, self._wanted, zips, self._direct_lookup, self._asker.left()
        )

    # ---- mirrors

    async def _entry(self, place: int, entry: goproxy.Entry) -> _EntrySeen:
        seen = _EntrySeen(place, version=self._exact)
        first = self._first_paths()
        await self._ask_all(seen, entry, first or {"root": ""})
        if not self._exact and "list" in first:
            # Which version the files and the record are of had to be found out.
            seen.version = _version_of(self._wanted, seen.replies)
            more = _files(self._path, seen.version) | self._record_paths(seen.version)
            await self._ask_all(seen, entry, more if seen.version else {})
        await self._over_http2(seen)
        return seen

    def _first_paths(self) -> dict[str, str]:
        """What can be asked of every mirror at once, by purpose."""
        paths: dict[str, str] = {}
        if self._path and not self._is_private:
            paths = {"list": _key(Kind.LIST, self._path), "latest": _key(Kind.LATEST, self._path)}
            if self._exact:
                paths |= _files(self._path, self._exact)
            elif _may_be_revision(self._wanted):
                paths["info"] = _key(Kind.INFO, self._path, self._wanted)
        if self._sumdb is not None and self._sumdb.url is None:
            paths["supported"] = f"sumdb/{self._sumdb.name}/supported"
        paths |= self._record_paths(self._exact)
        return {purpose: path for purpose, path in paths.items() if path and purpose in self._purposes}

    def _record_paths(self, version: str) -> dict[str, str]:
        """The record of the checksum database below a mirror; none if the database has a URL of its own."""
        database, record = self._sumdb, _lookup_of(self._path, version)
        if database is None or database.url is not None or not self._is_summed or not record:
            return {}
        return {"lookup": f"sumdb/{database.name}/{record}"}

    async def _over_http2(self, seen: _EntrySeen) -> None:
        """One question that was answered over HTTP/1.1 again as go asks it, the longest answer first."""
        answered = [purpose for purpose in _LONGEST_FIRST if seen.was_answered(purpose)]
        if not answered or not self._is_wanted("http2", "http2"):
            return
        question = replace(seen.questions[answered[0]], purpose="http2", most=_HTTP2_BYTES)
        answer = await self._ask_http2(question, self._asker.left())
        if answer is not None:
            seen.replies["http2"] = Reply((answer,))

    async def _ask_all(self, seen: _EntrySeen, entry: goproxy.Entry, paths: Mapping[str, str]) -> None:
        asked = {
            purpose: await self._question(seen.place, entry, purpose, path)
            for purpose, path in paths.items()
            if purpose not in seen.replies and self._is_wanted(purpose, path)
        }
        replies = await asyncio.gather(*map(self._asker.ask, asked.values()))
        seen.questions |= asked
        seen.replies |= dict(zip(asked, replies, strict=True))

    def _is_wanted(self, purpose: str, path: str) -> bool:
        """Whether to ask at all; not without the time for it, as a failure would tell nothing."""
        if not self._asker.has_time():
            return False
        return (
            "supported" in self._purposes if purpose == "root" else bool(path) and purpose in self._purposes
        )

    async def _question(self, place: int, entry: goproxy.Entry, purpose: str, path: str) -> Question:
        most = {"list": _LIST_BYTES, "zip": WHOLE_ZIP}.get(purpose)
        url = entry.url.rstrip("/") + "/" + goproxy.url_path(path)
        question = Question(url, purpose, place, await self._auth.headers(url))
        return question if most is None else replace(question, most=most)

    # ---- the checksum database by itself

    async def _database(self) -> None:
        if self._sumdb is None or not self._is_summed or "supported" not in self._purposes:
            return
        self._others.append(await self._asker.ask(Question(f"{_base(self._sumdb)}/latest", "sumdb_latest")))

    async def _lookup_directly(self, version: str) -> None:
        """The record from the database itself, for comparison with what mirrors pass on."""
        record = _lookup_of(self._path, version)
        if self._sumdb is None or not self._is_summed or not self._is_wanted("lookup", record):
            return
        url = f"{_base(self._sumdb)}/{goproxy.url_path(record)}"
        self._direct_lookup = await self._asker.ask(Question(url, "lookup"))

    # ---- the origin

    async def _origin(self) -> None:
        if not self._is_wanted("origin", self._path) or not _may_be_module(self._path):
            return
        known = repository_of(self._path)
        if known is not None:
            root, vcs = known.url, known.vcs
        else:
            root, vcs = await self._page(self._path)
        places = {
            "git": f"{root}/info/refs?service=git-upload-pack",
            MOD: f"{root.rstrip('/')}/{goproxy.url_path(_key(Kind.LIST, self._path))}",
        }
        if vcs in places and root.startswith(("https://", "http://")) and self._asker.has_time():
            self._others.append(await self._asker.ask(Question(places[vcs], "origin", most=_ORIGIN_BYTES)))

    async def _page(self, path: str) -> tuple[str, str]:
        """Root and system that the import host's page names for the module; its prefix is asked too, as go does."""
        facts = await self._go_get(path)
        prefix = facts.get("prefix", "")
        if prefix and prefix != path:
            confirmed = await self._go_get(prefix)
            if confirmed.get("root") != facts.get("root"):
                return "", ""
        return facts.get("root", ""), facts.get("vcs", "")

    async def _go_get(self, path: str) -> Mapping[str, str]:
        schemes = ("https", "http") if self._go.is_insecure(self._path) else ("https",)
        facts: Mapping[str, str] = {}
        for scheme in schemes:
            url = f"{scheme}://{path}?go-get=1"
            reply = await self._asker.ask(
                Question(url, "go_get", headers=await self._auth.headers(url), most=_PAGE_BYTES)
            )
            facts = _facts(reply, path)
            # Also a page with status 404 counts, as long as it has the tag.
            told = replace(reply, seen=(*reply.seen[:-1], replace(reply.last, facts=facts)))
            self._others.append(told)
            if reply.last.status and not reply.last.failure:
                break
        return facts


def _facts(reply: Reply, path: str) -> dict[str, str]:
    if not reply.last.status or reply.last.failure:
        return {}
    try:
        # With modules a tag for a module proxy comes before those for repositories.
        tag = match_import(parse_meta_imports(reply.body, prefer_mod=True), path)
    except GoferryError as exc:
        return {"error": said(exc)}
    return {"prefix": tag.prefix, "vcs": tag.vcs, "root": tag.root, "subdir": tag.subdir}


# ---- small questions ---------------------------------------------------------------------------------------


def _key(kind: Kind, path: str, version: str = "") -> str:
    """The URL path; "" for a name that go refuses to ask for."""
    try:
        return goproxy.request_path(kind, path, version)
    except GoferryError:
        return ""


def _may_be_module(path: str) -> bool:
    """Whether go would ask anybody for it."""
    try:
        module.check_path(path)
    except GoferryError:
        return False
    return not never_a_module(path)


def _files(path: str, version: str) -> dict[str, str]:
    return {kind.value: _key(kind, path, version) for kind in (Kind.INFO, Kind.MOD, Kind.ZIP)}


def _may_be_revision(version: str) -> bool:
    """Whether go would ask a mirror for it by `.info`: a branch, tag or hash, and no word or range of its own."""
    return bool(version) and version not in ("latest", "upgrade", "patch", "none") and version[0] not in "<>"


def _version_of(wanted: str, replies: Mapping[str, Reply]) -> str:
    """The version that the answers name: of the revision asked for, the latest of the list, or `@latest`.

    A revision that the mirror does not know is none of its other versions, but `v1` may be the beginning of some.
    """
    named = _json_version(replies.get("info"))
    if named or (wanted and not semver.is_valid(wanted) and "info" in replies):
        return named
    listed = replies.get("list")
    text = listed.body.decode("utf-8", "replace") if listed is not None and listed.ok else ""
    versions = [
        v for v in query.versions_in_list(text) if "info" not in replies or v.startswith(f"{wanted}.")
    ]
    return query.latest_of(versions) or ("" if "info" in replies else _json_version(replies.get("latest")))


def _json_version(reply: Reply | None) -> str:
    if reply is None or not reply.ok:
        return ""
    try:
        version = json.loads(reply.body)["Version"]
    except (ValueError, KeyError, TypeError):
        return ""
    return version if isinstance(version, str) else ""


def _lookup_of(path: str, version: str) -> str:
    try:
        return lookup_path(module.Version(path, version)) if path and version else ""
    except GoferryError:
        return ""


def _base(database: goenv.SumDB) -> str:
    return database.base_url.rstrip("/")
