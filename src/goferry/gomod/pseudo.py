"""Pseudo-versions: versions for commits that no tag names.

    vX.0.0-yyyymmddhhmmss-abcdefabcdef        no earlier tag
    vX.Y.Z-pre.0.yyyymmddhhmmss-abcdefabcdef  after the pre-release vX.Y.Z-pre
    vX.Y.(Z+1)-0.yyyymmddhhmmss-abcdefabcdef  after the release vX.Y.Z

The time is that of the commit, in UTC, so the order of semantic versions is the order of commits, between the
earlier tag and the next one. A version that merely holds fourteen digits somewhere is none: the form decides.
The rules are those of golang.org/x/mod/module.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from goferry.gomod import digits, semver
from goferry.gomod.module import InvalidVersion

_FORM = re.compile(
    r"v[0-9]+\.(?:0\.0-|[0-9]+\.[0-9]+-(?:[^+]*\.)?0\.)[0-9]{14}-[A-Za-z0-9]+"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_TIME_FORMAT = "%Y%m%d%H%M%S"
_NO_TIME = "00010101000000"


@dataclass(frozen=True, slots=True)
class _Parts:
    base: str
    timestamp: str
    rev: str
    build: str


def is_pseudo_version(v: str) -> bool:
    """Whether `v` is a pseudo-version."""
    return v.count("-") >= 2 and _FORM.fullmatch(v) is not None and semver.is_valid(v)


def pseudo_version(major: str, older: str, time: datetime, rev: str) -> str:
    """The pseudo-version of a commit with that time (aware) and revision (normally 12 hex digits).

    `older` is the highest tagged version before it, or empty; only then `major` (`v2`; empty means `v0`)
    counts.
    """
    return _compose(major, older, time.astimezone(UTC).strftime(_TIME_FORMAT).zfill(14), rev)


def zero_pseudo_version(major: str) -> str:
    """A placeholder: the pseudo-version with neither time nor revision."""
    return _compose(major, "", _NO_TIME, "000000000000")


def is_zero_pseudo_version(v: str) -> bool:
    """Whether `v` is the placeholder of its major version."""
    return v == zero_pseudo_version(semver.major(v))


def _compose(major: str, older: str, timestamp: str, rev: str) -> str:
    segment = f"{timestamp}-{rev}"
    base = semver.canonical(older)
    if not base:
        return f"{major or 'v0'}.0.0-{segment}"
    build = semver.build(older)
    if semver.prerelease(base):
        return f"{base}.0.{segment}{build}"
    stem, _, patch = base.rpartition(".")
    return f"{stem}.{digits.increment(patch)}-0.{segment}{build}"


def pseudo_version_time(v: str) -> datetime:
    """The commit time in it. Raises InvalidVersion if it is no pseudo-version or that is no time."""
    timestamp = _parse(v).timestamp
    try:
        return datetime.strptime(timestamp, _TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError as error:
        raise InvalidVersion(
            'pseudo-version "{version}" invalid: malformed time "{time}"', version=v, time=timestamp
        ) from error


def pseudo_version_rev(v: str) -> str:
    """The revision in it. Raises InvalidVersion if it is no pseudo-version."""
    return _parse(v).rev


def pseudo_version_base(v: str) -> str:
    """The tagged version it comes after; empty for none. Raises InvalidVersion for forms that make no sense."""
    parts = _parse(v)
    pre = semver.prerelease(parts.base)
    if not pre:
        if parts.build:  # "no earlier tag", and yet something of that tag
            raise InvalidVersion(
                'pseudo-version "{version}" invalid: lacks base version, but has build metadata "{build}"',
                version=v,
                build=parts.build,
            )
        return ""
    if pre != "-0":
        return parts.base.removesuffix(".0") + parts.build
    release = parts.base.removesuffix(pre)
    stem, _, patch = release.rpartition(".")
    if patch == "0":
        raise InvalidVersion(
            'pseudo-version "{version}" invalid: version before {base} would have negative patch number',
            version=v,
            base=release,
        )
    return f"{stem}.{digits.decrement(patch)}{parts.build}"


def _parse(v: str) -> _Parts:
    if not is_pseudo_version(v):
        raise InvalidVersion('pseudo-version "{version}" invalid: syntax error', version=v)
    build = semver.build(v)
    rest, _, rev = v.removesuffix(build).rpartition("-")
    # vX.0.0-TIME has the time after its last dash, the other two forms after their last dot.
    cut = max(rest.rfind("-"), rest.rfind("."))
    return _Parts(rest[:cut], rest[cut + 1 :], rev, build)
