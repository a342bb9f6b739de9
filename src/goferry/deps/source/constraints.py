"""Whether a Go file is part of a build, by its name and its build constraints (`go help buildconstraint`).

A `Build` may leave the system open. Then a tag that depends on the system, the compiler or the Go version is neither
true nor false, and a file counts unless it can be in no build at all: too much is read rather than too little. Other
tags are unset, as in a plain `go build`, unless they are named.
"""

import re
from dataclasses import dataclass
from typing import Final

from goferry.gomod import goconstraint
from goferry.gomod.goconstraint import Truth
from goferry.gomod.gosource import Head

# fmt: off
GOOS: Final = frozenset((
    "aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl", "netbsd",
    "openbsd", "plan9", "solaris", "wasip1", "windows", "zos",
))
GOARCH: Final = frozenset((
    "386", "amd64", "amd64p32", "arm", "arm64", "arm64be", "armbe", "loong64", "mips", "mips64", "mips64le",
    "mips64p32", "mips64p32le", "mipsle", "ppc", "ppc64", "ppc64le", "riscv", "riscv64", "s390", "s390x", "sparc",
    "sparc64", "wasm",
))
# fmt: on
_UNIX: Final = GOOS - {"js", "nacl", "plan9", "wasip1", "windows", "zos"}
_ALSO: Final = {"android": "linux", "illumos": "solaris", "ios": "darwin"}
_OPEN: Final = frozenset({"cgo", "gc", "gccgo", "unix", "race", "msan", "asan", "boringcrypto", "purego"})
_RELEASE: Final = re.compile(r"go1\.([0-9]+)")
_ARCH_FEATURE: Final = re.compile(r"(?:386|amd64|arm|arm64|mips\w*|ppc64\w*|riscv64|wasm)\.\w+")


@dataclass(frozen=True, slots=True)
class Build:
    """What is known of the builds in question; nothing by default."""

    goos: str = ""
    """Empty: any system."""
    goarch: str = ""
    cgo: bool | None = None
    release: int | None = None
    """The minor of the Go that builds: 26 for 1.26. None: any."""
    tags: frozenset[str] = frozenset()
    """What -tags names."""

    def tag(self, name: str) -> Truth:
        """Whether a tag is set."""
        if name in self.tags:
            return True
        if found := _RELEASE.fullmatch(name):
            return None if self.release is None else int(found[1]) <= self.release
        if name in GOOS or name in GOARCH:
            return self._system(name)
        if name == "unix":
            return None if not self.goos else self.goos in _UNIX
        if name == "cgo":
            return self.cgo
        if name in ("gc", "gccgo"):
            return name == "gc" if self.goos else None
        if name.startswith("goexperiment."):
            return None
        if name in _OPEN or _ARCH_FEATURE.fullmatch(name):
            return self._feature(name)
        return False

    def _system(self, name: str) -> Truth:
        if name in GOARCH:
            return self.goarch == name if self.goarch else None
        return name in (self.goos, _ALSO.get(self.goos)) if self.goos else None

    def _feature(self, name: str) -> Truth:
        if not self.goos:
            return None
        arch, _, feature = name.partition(".")
        return arch == self.goarch and feature in _BASELINE.get(arch, ())


DOCUMENTATION: Final = "documentation"
"""A file of that package is passed over by the go command."""

_BASELINE: Final = {
    "amd64": ("v1",),
    "386": ("sse2",),
    "arm": ("5", "6", "7"),
    "arm64": ("v8.0",),
    "mips": ("hardfloat",),
    "mipsle": ("hardfloat",),
    "mips64": ("hardfloat",),
    "mips64le": ("hardfloat",),
    "ppc64": ("power8",),
    "ppc64le": ("power8",),
    "riscv64": ("rva20u64",),
}


def is_built(build: Build, file: str, head: Head) -> bool:
    """Whether a file (its bare name) may be part of the build."""
    return fits_name(build, file) and head.package != DOCUMENTATION and fits_head(build, head)


def fits_name(build: Build, file: str) -> bool:
    """By its name alone: no test, none that is hidden, and its _GOOS and _GOARCH."""
    if file.startswith(("_", ".")) or not file.endswith(".go") or file.endswith("_test.go"):
        return False
    words = file.partition(".")[0].split("_")[1:]  # what stands before the first _ is never a system
    if words and words[-1] == "test":
        words.pop()
    if len(words) >= 2 and words[-2] in GOOS and words[-1] in GOARCH:
        return build.tag(words[-2]) is not False and build.tag(words[-1]) is not False
    return not words or words[-1] not in GOOS | GOARCH or build.tag(words[-1]) is not False


def fits_head(build: Build, head: Head) -> bool:
    """By its constraints and its use of cgo. A constraint that cannot be read builds nothing."""
    if head.cgo and build.cgo is False:
        return False
    return goconstraint.holds(head.go_build, head.plus_build, build.tag) is not False
