"""Go's own versions, which are no semantic versions: `1.21`, `1.21rc1`, `1.21.0` (no `v`, and no `go` in
front).

    1.20rc1 < 1.20 = 1.20.0 < 1.21 < 1.21rc1 < 1.21.0

From 1.21 on, the two-part form names the language, which is there before its first release candidate.
The `go` and `toolchain` lines of go.mod are requirements of two virtual modules of those names with this
order. Toolchains are downloaded as versions of a real module, `golang.org/toolchain`:
`v0.0.1-go1.21.0.linux-amd64`. The rules are those of cmd/go internal/gover and
internal/modfetch/toolchain.go.
"""

import functools
import re
from typing import NamedTuple, TypeAlias

from goferry.gomod import digits, semver
from goferry.gomod.patterns import lazily

TOOLCHAIN_MODULE = "golang.org/toolchain"
"""The module whose zips are Go toolchains. Its sums are always checked, whatever GONOSUMDB says."""

DEFAULT_GO_MOD_VERSION = "1.16"
"""What a go.mod without a go line means: it is very old, or written by hand."""

DEFAULT_GO_WORK_VERSION = "1.18"
"""What a go.work without a go line means: workspaces came with that version."""

_NUMBER = r"(0|[1-9][0-9]*)"
_VERSION = lazily(rf"{_NUMBER}(?:\.{_NUMBER}(?:\.{_NUMBER}|([a-z]+){_NUMBER}?)?)?")

Key: TypeAlias = tuple[tuple[int, str], tuple[int, str], tuple[int, str], str, tuple[int, str]]
"""Sorts as `compare` does."""


class _Parts(NamedTuple):
    """Decimal text, for nothing limits its length. Empty: not there."""

    major: str = ""
    minor: str = ""
    patch: str = ""
    kind: str = ""  # alpha, beta, rc; the empty kind sorts first
    pre: str = ""


_INVALID = _Parts()


def _parse(v: str) -> _Parts:
    m = _VERSION.fullmatch(v)
    if m is None:
        return _INVALID
    major, minor, patch, kind, pre = (group or "" for group in m.groups())
    if not minor:
        return _Parts(major, "0", "0")
    if not patch and not kind and digits.key(minor) < digits.key("21"):
        patch = "0"  # only from 1.21 on is the two-part form something else than the first release
    return _Parts(major, minor, patch, kind, pre)


def is_valid(v: str) -> bool:
    """Whether `v` is a Go version such as `1`, `1.21`, `1.21rc2`, `1.21.3`."""
    return _VERSION.fullmatch(v) is not None


@functools.lru_cache(maxsize=1 << 10)  # a graph has few go lines, and asks for each a thousand times
def key(v: str) -> Key:
    """A sort key: `key(v) < key(w)` exactly when `compare(v, w) < 0`."""
    p = _parse(v)
    return digits.key(p.major), digits.key(p.minor), digits.key(p.patch), p.kind, digits.key(p.pre)


def compare(v: str, w: str) -> int:
    """-1, 0 or +1. Invalid versions are lower than all others and equal to each other."""
    kv, kw = key(v), key(w)
    return (kv > kw) - (kv < kw)


def max(v: str, w: str) -> str:
    """The greater of the two; the first if they are equal."""
    return w if compare(v, w) < 0 else v


def is_lang(v: str) -> bool:
    """Whether `v` names a language version and no release: `1.21`, but not `1.20`, which is 1.20.0."""
    p = _parse(v)
    return p != _INVALID and not (p.patch or p.kind or p.pre)


def lang(v: str) -> str:
    """The language version: `1.21` for `1.21.3`; `1` for `1`; empty when invalid."""
    p = _parse(v)
    if not p.minor or (p.major == "1" and p.minor == "0"):
        return p.major
    return f"{p.major}.{p.minor}"


def is_prerelease(v: str) -> bool:
    """Whether `v` is an alpha, beta or release candidate."""
    return _parse(v).kind != ""


def prev(v: str) -> str:
    """The language version before it: `1.2` for `1.3rc4`; `1` for the first ones; empty when invalid."""
    p = _parse(v)
    if digits.key(p.minor) <= digits.key("1"):
        return p.major
    return f"{p.major}.{digits.decrement(p.minor)}"


def is_toolchain(path: str) -> bool:
    """Whether the path is one of the two virtual modules (golang.org/toolchain is a real one)."""
    return path in ("go", "toolchain")


def from_toolchain(name: str) -> str:
    """The Go version in a toolchain's name: `1.21.3` for `go1.21.3-custom`; empty when there is none."""
    if "/" in name or "\\" in name or not name.startswith("go"):
        return ""
    version = re.split(r"[ \t-]", name[2:], maxsplit=1)[0]
    return version if is_valid(version) else ""


def mod_key(path: str, version: str) -> semver.Key:
    """A sort key for versions of the module at `path`: Go's order for virtual modules, else the semantic one."""
    if path == "go":
        return key(version)
    if path == "toolchain":
        return key(version if is_valid(version) else from_toolchain(version))
    return semver.key(version)


def mod_compare(path: str, v: str, w: str) -> int:
    """-1, 0 or +1 for versions of the module at `path`."""
    kv, kw = mod_key(path, v), mod_key(path, w)
    return (kv > kw) - (kv < kw)


def mod_is_valid(path: str, version: str) -> bool:
    """Whether `version` is a version, perhaps a short one, of the module at `path`."""
    if path == "toolchain":
        return is_valid(from_toolchain(version))
    return is_valid(version) if path == "go" else semver.is_valid(version)


def mod_is_prefix(path: str, version: str) -> bool:
    """Whether a valid `version` lacks parts, so that as a query it stands for all versions starting so."""
    if path == "toolchain":
        return is_lang(from_toolchain(version))
    if path == "go":
        return is_lang(version)
    return "-" not in version and "+" not in version and version.count(".") < 2


def mod_is_prerelease(path: str, version: str) -> bool:
    """Whether a valid `version` is a pre-release."""
    if path == "toolchain":
        return is_prerelease(from_toolchain(version))
    return is_prerelease(version) if path == "go" else semver.prerelease(version) != ""


def mod_major_minor(path: str, version: str) -> str:
    """The part of a valid version that a patch upgrade keeps."""
    if path == "toolchain":
        return "go" + lang(from_toolchain(version))
    return lang(version) if path == "go" else semver.major_minor(version)


class Toolchain(NamedTuple):
    """A downloadable toolchain: `go` is its version without the `go` in front."""

    go: str
    goos: str
    goarch: str

    @property
    def module_version(self) -> str:
        """Its version as the module golang.org/toolchain."""
        return f"v0.0.1-go{self.go}.{self.goos}-{self.goarch}"


_TOOLCHAIN_VERSION = lazily(r"v0\.0\.1-go(?P<go>.+)\.(?P<os>[a-z0-9]+)-(?P<arch>[a-z0-9]+)")


def parse_toolchain_version(version: str) -> Toolchain | None:
    """What a version of golang.org/toolchain holds; None when it is not made like one."""
    m = _TOOLCHAIN_VERSION.fullmatch(version)
    if m is None or not is_valid(re.split(r"[-+]", m["go"], maxsplit=1)[0]):
        return None
    return Toolchain(m["go"], m["os"], m["arch"])
