"""Go's own test data as fixtures: the modules and scripts in a Go tree's `src/cmd/go/testdata`.

    proxy = gotestdata.write_proxy(tmp_path / "proxy")      # GOPROXY=file://…, some 260 modules
    script = gotestdata.script("mod_vendor")                # its text, and the files it begins with

The tree is that of the `go` in use, or the one that GOFERRY_GO_TREE names. Nothing of it is kept in this repository.
"""

import functools
import io
import json
import os
import re
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import oracle
from goferry.errors import InvalidInput
from goferry.gomod import gover, module, pseudo, query
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version

_MARKER = re.compile(rb"^-- (.+) --[ \t\r]*\n?", re.MULTILINE)
_OWN = frozenset((".info", ".mod", ".zip"))
"""Files of an archive that are answers themselves; the others are in the zip."""


@dataclass(frozen=True, slots=True)
class Script:
    """A test script: commands, and the files in whose folder they run."""

    name: str
    text: str
    files: Mapping[str, bytes]

    def write(self, folder: Path) -> Path:
        """Puts the files into a folder."""
        for name, data in self.files.items():
            _put(folder, name, data)
        return folder


def testdata() -> Path:
    """`src/cmd/go/testdata`. Skips the test where there is none."""
    folder = _testdata()
    if folder is None:
        pytest.skip("needs a Go tree with the tests of its go command")
    return folder


@functools.cache
def _testdata() -> Path | None:
    named = os.environ.get("GOFERRY_GO_TREE")
    root = Path(named) if named else oracle.go_root()
    folder = root / "src/cmd/go/testdata" if root else None
    return folder if folder and (folder / "mod").is_dir() else None


def txtar(data: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The comment and the files of a text archive (golang.org/x/tools/txtar)."""
    marks = list(_MARKER.finditer(data))
    ends = [*(mark.start() for mark in marks), len(data)]
    files = {
        mark[1].decode().strip(): _with_newline(data[mark.end() : end])
        for mark, end in zip(marks, ends[1:], strict=True)
    }
    return data[: ends[0]], files


def script(name: str) -> Script:
    """One of `testdata/script`, without its ending."""
    comment, files = txtar((testdata() / "script" / f"{name}.txt").read_bytes())
    return Script(name, comment.decode(errors="replace"), files)


def scripts(*patterns: str) -> list[str]:
    """Names of scripts, such as `mod_vendor*`; none where there is no tree, so that it can name parameters."""
    folder = _testdata()
    if folder is None:
        return []
    return sorted({file.stem for pattern in patterns for file in folder.glob(f"script/{pattern}.txt")})


def published() -> Mapping[Version, Mapping[str, bytes]]:
    """Every module version of `testdata/mod` with the files of its archive."""
    return _published(testdata() / "mod")


@functools.cache
def _published(folder: Path) -> Mapping[Version, Mapping[str, bytes]]:
    found: dict[Version, Mapping[str, bytes]] = {}
    for file in sorted(folder.glob("*.txt")):
        escaped, _, version = file.stem.rpartition("_v")
        try:
            path = module.unescape_path(escaped.replace("_", "/"))
            found[Version(path, module.unescape_version(f"v{version}"))] = txtar(file.read_bytes())[1]
        except InvalidInput:
            continue  # as Go's own proxy does: some names are wrong on purpose
    return found


def write_proxy(folder: Path) -> str:
    """All of `published` as a proxy tree; returns its URL for GOPROXY. Lists name what Go's own proxy names there."""
    listed: dict[str, list[str]] = {}
    for version, files in published().items():
        names = listed.setdefault(version.path, [])
        if _is_valid(version):
            names.append(version.version)
        for kind, own in ((Kind.INFO, ".info"), (Kind.MOD, ".mod")):
            if own in files:
                _put(folder, request_path(kind, version.path, version.version), files[own])
        _put(folder, request_path(Kind.ZIP, version.path, version.version), _zip(version, files))
    for path, versions in listed.items():
        tags = [version for version in versions if not pseudo.is_pseudo_version(version)]
        _put(folder, request_path(Kind.LIST, path), "".join(f"{tag}\n" for tag in tags).encode())
        latest = Version(path, query.latest_of(versions))
        if info := published().get(latest, {}).get(".info"):
            _put(folder, request_path(Kind.LATEST, path), info)
    return folder.as_uri()


def go_env(proxy: str, cache: Path, **extra: str) -> dict[str, str]:
    """The environment of a `go` that knows this proxy only, and may rewrite go.mod."""
    own = {"GOPROXY": proxy, "GOMODCACHE": str(cache), "GOFLAGS": "-mod=mod -modcacherw", "GOSUMDB": "off"}
    return oracle.go_env(**{**own, **extra})


@functools.cache
def go_version() -> str:
    """The version of the `go` in use, such as 1.26.8."""
    run = subprocess.run(
        ["go", "env", "GOVERSION"], capture_output=True, check=True, text=True, env=oracle.go_env()
    )
    return gover.from_toolchain(run.stdout.strip())


def _is_valid(version: Version) -> bool:
    try:
        module.check(version.path, version.version)
    except InvalidInput:
        return False
    return True


def _zip(version: Version, files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            if name not in _OWN:
                place = name[1:] if name.startswith("/") else f"{version}/{name}"
                archive.writestr(zipfile.ZipInfo(place), data)
    return buffer.getvalue()


def _with_newline(data: bytes) -> bytes:
    return data if not data or data.endswith(b"\n") else data + b"\n"


def _put(folder: Path, name: str, data: bytes) -> None:
    file = folder / name.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def info_of(version: Version) -> dict[str, str]:
    """The .info of a published version."""
    found: dict[str, str] = json.loads(published()[version][".info"])
    return found
