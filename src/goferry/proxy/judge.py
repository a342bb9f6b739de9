"""What an upstream's answer must be to be kept: plain checks on bytes, no network, no store.

Each raises UpstreamError with the reason. Sums are judged by gomod.sumdb, zips by gomod.modzip.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from goferry.errors import UpstreamError
from goferry.gomod import modfile, module, semver

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Info:
    """The parts of a .info answer that matter here; the body is kept as it came, with all its other keys."""

    version: str
    body: bytes


def check_info(body: bytes, path: str, *, exact: str = "") -> Info:
    """A JSON object with a version of this module (the asked one, if `exact`) and an RFC 3339 time if any.

    cmd/go refuses the rest in the same way (internal/modfetch/proxy.go Stat).
    """
    row = json_object(body, path)
    version = row.get("Version")
    if not isinstance(version, str) or not module.is_canonical(path, version):
        raise UpstreamError(
            "{path}: the answer names no valid version: {version!r}", path=path, version=version
        )
    if exact and version != exact:
        raise UpstreamError(
            "{path}: the upstream answered for version {other} instead of {version}",
            path=path,
            other=version,
            version=exact,
        )
    time = row.get("Time", "")
    if time and not (isinstance(time, str) and _TIME.fullmatch(time)):
        raise UpstreamError("{path}@{version}: the time is no RFC 3339 time", path=path, version=version)
    return Info(version, body)


def json_object(body: bytes, path: str) -> dict[str, Any]:
    """A JSON object, whatever keys it has."""
    try:
        row = json.loads(body)
    except ValueError as error:
        raise UpstreamError("{path}: the answer is not JSON", path=path) from error
    if not isinstance(row, dict):
        raise UpstreamError("{path}: the answer is not a JSON object", path=path)
    return row


def check_go_mod(body: bytes, path: str, version: str) -> bytes:
    """At least text with a module line: what a login page or a cut file is not. Proof is checked elsewhere."""
    if not modfile.module_path(body):
        raise UpstreamError("{path}@{version}: the answer is not a go.mod file", path=path, version=version)
    return body


def check_list(body: bytes, path: str) -> bytes:
    """Text with one version a line. Lines that are no version are dropped, as `go` drops them; a page is refused."""
    try:
        lines = body.decode().splitlines()
    except UnicodeDecodeError as error:
        raise UpstreamError("{path}: the list of versions is not text", path=path) from error
    kept = [line for line in map(str.strip, lines) if line and _names_version(line, path)]
    if not kept and any(line.lstrip().startswith("<") for line in lines):
        raise UpstreamError("{path}: the answer is a web page, not a list of versions", path=path)
    return format_list(kept)


def _names_version(line: str, path: str) -> bool:
    return module.is_canonical(path, line.split()[0])


def merge_list(body: bytes, stored: Iterable[str]) -> bytes:
    """The list with the stored versions that it lacks, sorted; lines keep their optional time."""
    lines = body.decode().splitlines()
    known = set(versions(body))
    return format_list([*lines, *(version for version in stored if version not in known)])


def versions(body: bytes) -> list[str]:
    """The versions that a list names."""
    return [line.split()[0] for line in body.decode().splitlines()]


def format_list(lines: Sequence[str]) -> bytes:
    """Lines in the order of their versions, each once."""
    unique = dict.fromkeys(lines)
    ordered = sorted(unique, key=lambda line: (semver.key(line.split()[0]), line))
    return "".join(f"{line}\n" for line in ordered).encode()
