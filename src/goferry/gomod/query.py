"""Version queries: from what people ask for (`latest`, `v1.2`, `<v1.5.0`, `upgrade`, a branch) to one
version.

The rules are those of cmd/go internal/modload/query.go. Nothing is fetched here: `resolve` says what it needs
when the list alone cannot answer, and is asked again with it.

Releases win over pre-releases, however high. Versions that are excluded or retracted do not exist for a
query. And a `+incompatible` version, a major version from before the author used modules, is passed over as
long as there is a compatible version with a go.mod file: then the author has moved on.
"""

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from goferry.errors import InvalidInput, NotFound
from goferry.gomod import gover, module, pseudo, semver

INCOMPATIBLE = "+incompatible"


class InvalidQuery(InvalidInput):
    """A query that can have no answer, whatever versions there are."""

    code = "invalid_query"


class NoMatchingVersion(NotFound):
    """A good query, but no version fits."""

    code = "no_matching_version"


@dataclass(frozen=True, slots=True)
class Chosen:
    """The answer."""

    version: str


@dataclass(frozen=True, slots=True)
class AskRevision:
    """Only the module's source can say: ask `.info` of this revision (a version, tag, branch or hash)."""

    revision: str


@dataclass(frozen=True, slots=True)
class AskLatest:
    """No listed version fits: ask `@latest` and resolve again with it (empty if there is none)."""


Resolution: TypeAlias = Chosen | AskRevision | AskLatest


def _always(_: str) -> bool:
    return True


def is_revision_query(path: str, query: str) -> bool:
    """Whether the query names one revision (`v1.0.0`, `main`, `0123abcd`) instead of choosing from a list."""
    if query in ("latest", "upgrade", "patch") or query.startswith(("<", ">")):
        return False
    return not (gover.mod_is_valid(path, query) and gover.mod_is_prefix(path, query))


@dataclass(frozen=True, slots=True)
class _Matcher:
    """What a query admits. `revision` is set when it names one version, which need not be listed."""

    accepts: Callable[[str], bool] = _always
    prefix: str = ""
    prefer_lower: bool = False
    may_use_latest: bool = False
    prefer_incompatible: bool = False
    revision: str = ""


_RANGES: dict[str, Callable[[int, int], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
}


def _matcher(path: str, query: str, current: str) -> _Matcher:
    has_current = current not in ("", "none")
    keeps_incompatible = current.endswith(INCOMPATIBLE)
    if query == "latest":
        return _Matcher(may_use_latest=True, prefer_incompatible=keeps_incompatible)
    if query == "patch" and not has_current:
        raise InvalidQuery(
            'can\'t query version "patch" of module {path}: no existing version is required', path=path
        )
    if query in ("upgrade", "patch"):
        if not has_current:
            return _Matcher(may_use_latest=True, prefer_incompatible=keeps_incompatible)
        return _Matcher(
            accepts=_in_range(path, operator.ge, current),
            prefix=gover.mod_major_minor(path, current) + "." if query == "patch" else "",
            may_use_latest=pseudo.is_pseudo_version(current),
            prefer_incompatible=keeps_incompatible,
        )
    if query.startswith(("<", ">")):
        return _range_matcher(path, query, keeps_incompatible)
    if not gover.mod_is_valid(path, query):
        return _Matcher(revision=query)
    prefer_incompatible = keeps_incompatible or not _fits_path(path, query)
    if not gover.mod_is_prefix(path, query):
        return _Matcher(revision=query)
    # At least the prefix itself: v1.2 does not mean v1.2.0-pre.
    return _Matcher(
        accepts=_in_range(path, operator.ge, query),
        prefix=query + ".",
        prefer_incompatible=prefer_incompatible,
    )


def _range_matcher(path: str, query: str, keeps_incompatible: bool) -> _Matcher:
    sign = query[:2] if query[:2] in _RANGES else query[0]
    bound = query.removeprefix(sign)
    if not gover.mod_is_valid(path, bound):
        raise InvalidQuery(
            'invalid semantic version "{version}" in range "{query}"', version=bound, query=query
        )
    if sign in ("<=", ">") and gover.mod_is_prefix(path, bound):
        # Nobody can say whether >v1.2 takes v1.2.3, since v1.2 may mean just that.
        raise InvalidQuery(
            'ambiguous semantic version "{version}" in range "{query}"', version=bound, query=query
        )
    return _Matcher(
        accepts=_in_range(path, _RANGES[sign], bound),
        prefer_lower=sign[0] == ">",
        prefer_incompatible=keeps_incompatible or not _fits_path(path, bound),
    )


def _in_range(path: str, relation: Callable[[int, int], bool], bound: str) -> Callable[[str], bool]:
    return lambda version: relation(gover.mod_compare(path, version, bound), 0)


def _fits_path(path: str, version: str) -> bool:
    _, path_major, ok = module.split_path_version(path)
    return ok and module.match_path_major(version, path_major)


def resolve(
    path: str,
    query: str,
    versions: Iterable[str],
    *,
    current: str = "",
    latest: str | None = None,
    allowed: Callable[[str], bool] = _always,
    has_go_mod: Callable[[str], bool] = _always,
    time_of: Callable[[str], datetime | None] = lambda _: None,
) -> Resolution:
    """The version of the module at `path` that the query means, or what to ask to find out.

    versions    the listed ones, in any order, without pseudo-versions
    current     the version in use: needed by `patch`, heeded by `upgrade`; `none` or empty when there is none
    latest      the answer to an earlier AskLatest; empty when there is no such version
    allowed     False for versions that are excluded or retracted
    has_go_mod  whether a compatible version has a go.mod file of its own
    time_of     the commit time of a version: `upgrade` and `patch` never go back in time from a
    pseudo-version

    Raises InvalidQuery, InvalidVersion for a wrong `current`, and NoMatchingVersion.
    """
    if current not in ("", "none") and not gover.mod_is_valid(path, current):
        raise module.InvalidVersion("invalid previous version {path}@{version}", path=path, version=current)
    matcher = _matcher(path, query, current)
    if matcher.revision:
        return AskRevision(matcher.revision)

    def admits(version: str) -> bool:
        return _has_prefix(path, matcher.prefix, version) and matcher.accepts(version) and allowed(version)

    ascending = sorted(filter(admits, versions), key=lambda v: (gover.mod_key(path, v), v))
    candidates = ascending if matcher.prefer_incompatible else _without_incompatible(ascending, has_go_mod)
    best = _best(path, candidates, lowest=matcher.prefer_lower)
    if not best and matcher.may_use_latest:
        if latest is None:
            return AskLatest()
        best = latest if latest and admits(latest) else ""
    if query in ("upgrade", "patch") and current not in ("", "none"):
        best = _not_back_in_time(best, current, time_of)
        if best == current and not allowed(current):
            best = ""
    if not best:
        raise _no_match(query, current)
    return Chosen(best)


def newer(
    path: str,
    versions: Iterable[str],
    current: str,
    *,
    allowed: Callable[[str], bool] = _always,
    has_go_mod: Callable[[str], bool] = _always,
) -> list[str]:
    """What an upgrade from `current` can choose from, ascending; arguments as for `resolve`."""
    at_least = (v for v in versions if gover.mod_compare(path, v, current) >= 0 and allowed(v))
    ascending = sorted(at_least, key=lambda v: (gover.mod_key(path, v), v))
    if not current.endswith(INCOMPATIBLE):
        ascending = _without_incompatible(ascending, has_go_mod)
    return [v for v in ascending if gover.mod_compare(path, v, current) > 0]


def _has_prefix(path: str, prefix: str, version: str) -> bool:
    return version.startswith(prefix) or (gover.is_toolchain(path) and version + "." == prefix)


def _without_incompatible(ascending: Sequence[str], has_go_mod: Callable[[str], bool]) -> list[str]:
    """All but the incompatible ones above a compatible version that has a go.mod file."""
    last_compatible = ""
    for i, version in enumerate(ascending):
        if not version.endswith(INCOMPATIBLE):
            last_compatible = version
        elif last_compatible:
            return list(ascending[:i]) if has_go_mod(last_compatible) else list(ascending)
    return list(ascending)


def _best(path: str, ascending: Sequence[str], *, lowest: bool) -> str:
    releases = [v for v in ascending if not gover.mod_is_prerelease(path, v)]
    candidates = releases or ascending
    if not candidates:
        return ""
    return candidates[0] if lowest else candidates[-1]


def _not_back_in_time(best: str, current: str, time_of: Callable[[str], datetime | None]) -> str:
    """`current`, if there is nothing better, or it is a commit later than the version that would replace it.

    A commit on a branch may be lower than the latest release and yet newer; whoever uses it did not ask to go
    back. A tagged version is not held back so: there the author has said what comes after what.
    """
    if not best or not pseudo.is_pseudo_version(current):
        return best or current
    time = time_of(best)
    return current if time is not None and time < pseudo.pseudo_version_time(current) else best


def _no_match(query: str, current: str) -> NoMatchingVersion:
    if query in ("upgrade", "patch") and current not in ("", "none"):
        return NoMatchingVersion(
            'no matching versions for query "{query}" (current version is {current})',
            query=query,
            current=current,
        )
    return NoMatchingVersion('no matching versions for query "{query}"', query=query)


def versions_in_list(body: str) -> list[str]:
    """The versions that the go command takes from the body of `@v/list`, sorted.

    Lines that do not start with a version are passed over, and so are pseudo-versions, which do not belong
    there.
    """
    words = (line.split(maxsplit=1)[0] for line in body.split("\n") if line.strip())
    return semver.sort(v for v in words if semver.is_valid(v) and not pseudo.is_pseudo_version(v))


def latest_in_list(body: str) -> str:
    """The version that the go command takes for `@latest` when there is only a list; empty for none.

    It does so for modules without tags: the latest by the time that a line gives, or else by the time in a
    pseudo-version.
    """
    best, best_time = "", datetime.min.replace(tzinfo=UTC)
    for line in body.split("\n"):
        version, *times = line.split()[:2] or [""]
        time = _time_in_list(version, times)
        if time is not None and best_time < time:
            best, best_time = version, time
    return best


def _time_in_list(version: str, times: list[str]) -> datetime | None:
    if not semver.is_valid(version):
        return None
    try:
        if times:
            time = datetime.fromisoformat(times[0])
            return time if time.tzinfo else None
        return pseudo.pseudo_version_time(version) if pseudo.is_pseudo_version(version) else None
    except (ValueError, module.InvalidVersion):
        return None


def latest_of(
    versions: Iterable[str],
    *,
    allowed: Callable[[str], bool] = _always,
    has_go_mod: Callable[[str], bool] = _always,
) -> str:
    """What `@latest` is among known versions (pseudo-versions too); empty for none.

    The highest release, else the highest pre-release, else the highest pseudo-version.
    """
    known = [v for v in versions if semver.is_valid(v) and allowed(v)]
    tagged = semver.sort(v for v in known if not pseudo.is_pseudo_version(v))
    if tagged:
        return _best("", _without_incompatible(tagged, has_go_mod), lowest=False)
    return _best("", _without_incompatible(semver.sort(known), has_go_mod), lowest=False)
