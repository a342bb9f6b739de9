"""The modules of the lab: small, the same at every run, and the same bytes from a proxy and from a repository.

`FILES` is the source of everything: proxy trees, zips, repositories and the checksum database are made from it.
"""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from typing import Final

from goferry.errors import NotFound
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.lab.sumdb import sums_of_tree

TIME: Final = "2024-05-06T07:08:09Z"

HELLO: Final = "example.com/lab/hello"
SECRET: Final = "git.corp.example.com/team/secret"  # noqa: S105  a module's name
MOVED: Final = "example.com/lab/moved"
ODD_ZIP: Final = "example.com/lab/oddzip"
RETAGGED: Final = "example.com/lab/retagged"
BARE: Final = "example.com/lab/bare"

_PRIVATE: Final = (
    "{module}: invalid version: git ls-remote -q --end-of-options https://{host}/team/secret in a temporary folder: "
    "exit status 128:\n\tfatal: could not read Username for 'https://{host}': terminal prompts disabled"
)
"""What a public checksum database says of a repository that it may not read."""

_BALLAST = 96 * 1024
"""Bytes beside the source, so that a zip is longer than what a fault lets pass."""


@dataclass(frozen=True, slots=True)
class LabModule:
    """A module with its versions, oldest first. `declares`: the path in its go.mod, when that is another."""

    path: str
    versions: tuple[str, ...]
    declares: str = ""
    has_bare_tags: bool = False
    """Whether its tags lack the v, so that there is no version of it for go, and for no proxy."""
    extra: Mapping[str, bytes] = field(default_factory=dict)

    def files(self, version: str) -> dict[str, bytes]:
        """File names, relative to the module's root, to bytes."""
        return {
            "LICENSE": b"Public domain.\n",
            "ballast.bin": _noise(_BALLAST, f"{self.path}@{version}"),
            "go.mod": f"module {self.declares or self.path}\n\ngo 1.21\n".encode(),
            "m.go": f'package {self.path.rpartition("/")[2]}\n\nconst Version = "{version}"\n'.encode(),
            **self.extra,
        }


MODULES: Final = (
    LabModule(HELLO, ("v1.0.0", "v1.1.0", "v1.2.0")),
    LabModule(SECRET, ("v0.3.0",)),
    LabModule(MOVED, ("v1.0.0",), declares="example.com/lab/new"),
    LabModule(ODD_ZIP, ("v1.0.0",)),
    LabModule(RETAGGED, ("v1.0.0",)),
    LabModule(BARE, ("v1.3.0",), has_bare_tags=True),
)


@cache
def tree() -> Mapping[str, bytes]:
    """All answers of a proxy that has every module of the lab."""
    return {path: body for module in MODULES if not module.has_bare_tags for path, body in _answers(module)}


@cache
def truth() -> Mapping[str, bytes]:
    """The tree as the checksum database saw it once: with what RETAGGED was before its tag was moved."""
    before = LabModule(RETAGGED, ("v1.0.0",), extra={"m.go": b"package retagged\n"})
    return {**tree(), **dict(_answers(before))}


def sums(module: Version) -> Iterable[str]:
    """The go.sum lines of a public module. Raises NotFound for private ones, as no public database has them."""
    if module.path == SECRET:
        raise NotFound(_PRIVATE, module=str(module), host=module.path.partition("/")[0])
    return sums_of_tree(truth())(module)


def _answers(module: LabModule) -> Iterable[tuple[str, bytes]]:
    path = module.path
    yield request_path(Kind.LIST, path), "".join(f"{version}\n" for version in module.versions).encode()
    yield request_path(Kind.LATEST, path), _info(module.versions[-1])
    for version in module.versions:
        files = module.files(version)
        yield request_path(Kind.INFO, path, version), _info(version)
        yield request_path(Kind.MOD, path, version), files["go.mod"]
        names = {"../outside.txt": b"x", **files} if path == ODD_ZIP else files
        yield request_path(Kind.ZIP, path, version), _zip(path, version, names)


def _info(version: str) -> bytes:
    return json.dumps({"Version": version, "Time": TIME}).encode()


def _zip(path: str, version: str, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(f"{path}@{version}/{name}"), body)
    return buffer.getvalue()


def _noise(size: int, seed: str) -> bytes:
    """Bytes that do not compress, the same at every call."""
    blocks = (sha256(f"{seed} {number}".encode()).digest() for number in range(size // 32))
    return b"".join(blocks)
