"""What its author and its upstream say about a version in use: retracted, deprecated, how old, what is newer.

`judge` is a plain function. What it does not know it asks for, one question at a time; `statuslist` asks.

    answers = {}
    while isinstance(found := judge(version, mains, answers), Question):
        answers[found] = …

The rules are those of `go list -m -u -retracted` (cmd/go internal/modload/modfile.go, query.go, build.go). Three things
are easily missed. Retractions and the deprecation stand in the go.mod of the latest version there is, even if that
version retracts itself, and even if it declares another module path. They are not read for a module of which every
version is replaced. And replace lines add versions: one for v1.9.0 makes v1.9.0 a version that can be chosen.
"""

import enum
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias, TypeVar

from goferry.errors import GoferryError, NotFound
from goferry.gomod import gover, modfile, module, pseudo, query, semver
from goferry.gomod.modgraph import Local, Mains
from goferry.gomod.modsyntax import GO_SPACE, auto_quote
from goferry.gomod.module import Version
from goferry.i18n import _
from goferry.proxy.judge import json_object

T = TypeVar("T")

MAJOR_GAP: Final = 3
"""How many major versions may be missing before the next one is found: projects skip some."""

RETRACTED: Final = "retracted by module author"
"""What go says for a retraction without a reason. Part of JSON, so it is not translated."""

_LONGEST_MESSAGE: Final = 500


class Ask(enum.Enum):
    """What a question wants: an answer of the supply's method of that name."""

    VERSIONS = "versions"
    LATEST = "latest"
    INFO = "info"
    MOD = "mod"


@dataclass(frozen=True, slots=True)
class Question:
    """Something that the upstream must be asked, or a folder: then what its go.mod says."""

    ask: Ask
    about: Version | Local
    """Without a version for VERSIONS and LATEST."""


Answer: TypeAlias = bytes | tuple[str, ...] | GoferryError
"""Versions for VERSIONS, else the body; or why there is no answer."""


@dataclass(frozen=True, slots=True)
class NextMajor:
    """A module of a higher major version, at a path of its own."""

    path: str
    latest: str


@dataclass(frozen=True, slots=True)
class Status:
    """What is known about one version in use."""

    version: Version
    listed: bool = True
    """False when the upstream knows no such module, or could not be asked: nothing was compared then."""
    latest: str = ""
    """What `latest` means: the highest release (or pre-release, or commit) that is neither excluded nor retracted."""
    update: str = ""
    """What `go list -u` proposes, empty for nothing: it never goes back in time from a pseudo-version."""
    newer: tuple[str, ...] = ()
    """Every listed version above, ascending, without those excluded or retracted."""
    retracted: tuple[str, ...] = ()
    """Why this version is retracted; several retractions may cover it."""
    deprecated: str = ""
    """Why the whole module is deprecated, and what to use instead."""
    time: datetime | None = None
    """When the version in use was committed. A tag can be much younger than its commit."""
    latest_time: datetime | None = None
    majors: tuple[NextMajor, ...] = ()
    failed: tuple[GoferryError, ...] = ()
    """Questions without an answer: what depends on them is missing here."""

    @property
    def pseudo(self) -> bool:
        """Whether it is a commit without a tag."""
        return pseudo.is_pseudo_version(self.version.version)


def judge(
    version: Version, mains: Mains, answers: Mapping[Question, Answer], *, majors: bool = True
) -> Status | Question:
    """The status of a version, or what to ask first. `majors`: whether to look for modules of higher major versions."""
    try:
        return _Judge(version, mains, answers).status(majors=majors)
    except _Open as open_question:
        return open_question.question


def short_message(text: str) -> str:
    """A retraction's or deprecation's first line for people, as go shows it: not too long, and printable."""
    line = text.partition("\n")[0].strip(GO_SPACE)
    if len(line.encode("utf-8", "surrogateescape")) > _LONGEST_MESSAGE:
        return _("(message omitted: too long)")
    if not all(char in GO_SPACE or _is_graphic(char) for char in line):
        return _("(message omitted: contains non-printable characters)")
    return line


def _is_graphic(char: str) -> bool:
    category = unicodedata.category(char)
    return category[0] in "LMNPS" or category == "Zs"


class _Open(Exception):
    """A question without an answer yet."""

    def __init__(self, question: Question) -> None:
        super().__init__(question)
        self.question = question


class _Judge:
    def __init__(self, version: Version, mains: Mains, answers: Mapping[Question, Answer]) -> None:
        self._path, self._current = version.path, version.version
        self._mains = mains
        self._answers = answers
        self._failed: list[GoferryError] = []

    def status(self, *, majors: bool) -> Status:
        version = Version(self._path, self._current)
        time = self._try(lambda: self._time(self._current), None)
        is_main = self._path in self._mains.paths
        listed = None if is_main else self._try(lambda: self._versions(), None)
        if listed is None:
            return Status(version, listed=False, time=time, failed=tuple(self._failed))
        words = None if self._is_replaced("") else self._try(lambda: self._last_words(listed), None)
        allowed = self._allowed(words)
        latest = self._try(lambda: self._resolve("latest", listed, allowed), "")
        update = self._try(lambda: self._resolve("upgrade", listed, allowed), "")
        return Status(
            version,
            latest=latest,
            update=update if gover.mod_compare(self._path, update, self._current) > 0 else "",
            newer=self._try(lambda: self._newer(listed, allowed), ()),
            retracted=_retractions(words, self._path, self._current),
            deprecated=words.module.deprecated if words and words.module else "",
            time=time,
            latest_time=self._try(lambda: self._time(latest), None) if latest else None,
            majors=self._try(self._majors, ()) if majors else (),
            failed=tuple(self._failed),
        )

    def _try(self, part: Callable[[], T], otherwise: T) -> T:
        """A part of the status; where it cannot be had, why is noted. What does not exist is no failure: go says
        nothing about it either."""
        try:
            return part()
        except NotFound:
            return otherwise
        except GoferryError as error:
            if error not in self._failed:
                self._failed.append(error)
            return otherwise

    # ---- what is asked

    def _answer(self, ask: Ask, about: Version | Local) -> bytes | tuple[str, ...]:
        question = Question(ask, about)
        if question not in self._answers:
            raise _Open(question)
        answer = self._answers[question]
        if isinstance(answer, GoferryError):
            raise answer
        return answer

    def _body(self, ask: Ask, about: Version | Local) -> bytes:
        body = self._answer(ask, about)
        assert isinstance(body, bytes)
        return body

    def _versions(self) -> tuple[str, ...]:
        """The listed versions, and those that only a replace line of a go.mod names."""
        replaced = {
            old.version
            for main in self._mains.modules
            for old in main.replace
            if old.path == self._path and old.version and not pseudo.is_pseudo_version(old.version)
        }
        try:
            listed = self._answer(Ask.VERSIONS, Version(self._path, ""))
        except NotFound:
            if not replaced:
                raise
            listed = ()
        assert isinstance(listed, tuple)
        return (*listed, *(replaced - set(listed)))

    def _latest(self) -> str:
        """`@latest`, or a replaced version above it; empty for none."""
        try:
            row = json_object(self._body(Ask.LATEST, Version(self._path, "")), self._path)
            found: str = row.get("Version", "")
        except NotFound:
            found = ""
        layers = [main.replace for main in self._mains.modules]
        if self._mains.workspace:
            layers.append(self._mains.workspace.replace)
        replaced = (
            old.version or self._placeholder() for layer in layers for old in layer if old.path == self._path
        )
        return max([found, *replaced], key=lambda version: gover.mod_key(self._path, version))

    def _placeholder(self) -> str:
        """What go takes for the version of a line that replaces all versions: lower than every real one."""
        return pseudo.zero_pseudo_version(module.path_major_prefix(module.split_path_version(self._path)[1]))

    def _time(self, version: str) -> datetime | None:
        """The commit time. Raises NotFound for a version that does not exist, not even as a replaced one."""
        try:
            row = json_object(self._body(Ask.INFO, Version(self._path, version)), self._path)
        except NotFound:
            if self._is_replaced(version):
                return None
            raise
        time = row.get("Time")
        found = datetime.fromisoformat(time).astimezone(UTC) if time else None
        return found if found and found.year > 1 else None

    def _is_replaced(self, version: str) -> bool:
        return self._mains.source(Version(self._path, version)) != Version(self._path, version)

    def _has_go_mod(self, version: str) -> bool:
        """Whether it has a go.mod of its own: without one, an upstream makes up a single line."""
        return (
            self._body(Ask.MOD, Version(self._path, version)) != f"module {auto_quote(self._path)}\n".encode()
        )

    # ---- what is chosen

    def _resolve(
        self, text: str, listed: tuple[str, ...], allowed: Callable[[str], bool], current: str | None = None
    ) -> str:
        """The version of a query. NotFound when none fits, or the one that does cannot be had."""
        latest: str | None = None
        while True:
            found = query.resolve(
                self._path,
                text,
                listed,
                current=self._current if current is None else current,
                latest=latest,
                allowed=allowed,
                has_go_mod=self._has_go_mod,
                time_of=self._time,
            )
            if isinstance(found, query.Chosen):
                self._time(found.version)
                return found.version
            assert isinstance(found, query.AskLatest)
            latest = self._latest()

    def _last_words(self, listed: tuple[str, ...]) -> modfile.File:
        """The go.mod of the latest version there is: what is said in it holds for all of them."""
        latest = Version(self._path, self._resolve("latest", listed, lambda _: True, current=""))
        source = self._mains.source(latest)
        return modfile.parse_lax(f"{source}/go.mod", self._body(Ask.MOD, source))

    def _allowed(self, words: modfile.File | None) -> Callable[[str], bool]:
        def allowed(version: str) -> bool:
            excluded = Version(self._path, version) in self._mains.exclude
            return not (excluded or _retractions(words, self._path, version))

        return allowed

    def _newer(self, listed: tuple[str, ...], allowed: Callable[[str], bool]) -> tuple[str, ...]:
        return tuple(
            query.newer(self._path, listed, self._current, allowed=allowed, has_go_mod=self._has_go_mod)
        )

    # ---- higher major versions

    def _majors(self) -> tuple[NextMajor, ...]:
        found: list[NextMajor] = []
        missed = 0
        for path in _next_paths(self._path, self._current):
            latest = self._latest_of(path)
            missed = missed + 1 if latest is None else 0
            found += [NextMajor(path, latest)] if latest else []
            if missed == MAJOR_GAP:
                break
        return tuple(found)

    def _latest_of(self, path: str) -> str | None:
        """The latest version of another module; empty when nothing of it is left to use, None for no such module."""
        other = _Judge(Version(path, ""), self._mains, self._answers)
        try:
            listed = other._versions()
        except NotFound:
            return None
        try:
            return other._resolve("latest", listed, other._allowed(other._last_words(listed)))
        except NotFound:
            return ""


def _retractions(words: modfile.File | None, path: str, version: str) -> tuple[str, ...]:
    """Why a version is retracted; empty when it is not."""
    covering = [line for line in (words.retract if words else ()) if _covers(line.interval, path, version)]
    reasons = tuple(line.rationale for line in covering if line.rationale)
    return reasons or ((RETRACTED,) if covering else ())


def _covers(interval: modfile.VersionInterval, path: str, version: str) -> bool:
    low, high = interval.low, interval.high
    return gover.mod_compare(path, low, version) <= 0 and gover.mod_compare(path, version, high) <= 0


def _next_paths(path: str, current: str) -> Iterator[str]:
    """Where higher major versions would be; from a version without go.mod on, that major version too."""
    stem, major, ok = module.split_path_version(path)
    if not ok or major.endswith("-unstable"):
        return
    mark = ".v" if major.startswith(".") else "/v"
    number = int(major[2:]) + 1 if major else 2
    if current.endswith(query.INCOMPATIBLE):
        number = max(number, int(semver.major(current)[1:]))
    while True:
        yield f"{stem}{mark}{number}"
        number += 1
