"""Small modules as a proxy tree, and hostile ones: the world of the proxy's tests."""

import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from hashlib import sha256

from goferry.gomod.goproxy import Kind, request_path

TIME = "2024-05-06T07:08:09Z"


def go_mod(path: str, requires: Iterable[tuple[str, str]] = ()) -> bytes:
    """A go.mod file with these requirements."""
    lines = [f"module {path}", "", "go 1.21", ""]
    lines += [f"require {required} {version}" for required, version in requires]
    return "\n".join(lines).encode() + b"\n"


def module_zip(path: str, version: str, files: Mapping[str, bytes]) -> bytes:
    """A module zip with these files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(f"{path}@{version}/{name}"), body)
    return buffer.getvalue()


def package(path: str) -> bytes:
    """Go source of the module's root package."""
    return f"package {path.rpartition('/')[2].replace('.', '')}\n\nconst Name = {json.dumps(path)}\n".encode()


def noise(size: int, seed: bytes = b"noise") -> bytes:
    """Bytes that do not compress, the same at every call."""
    blocks = (sha256(seed + n.to_bytes(8, "big")).digest() for n in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def module(
    path: str,
    *versions: str,
    requires: Iterable[tuple[str, str]] = (),
    extra: Mapping[str, bytes] | None = None,
    latest: bool = True,
) -> dict[str, bytes]:
    """All answers of a proxy for a module with these versions (the last one is @latest)."""
    requires = tuple(requires)
    tree = {request_path(Kind.LIST, path): "".join(f"{version}\n" for version in versions).encode()}
    for version in versions:
        mod = go_mod(path, requires)
        files = {"go.mod": mod, "m.go": package(path), **(extra or {})}
        tree[request_path(Kind.INFO, path, version)] = info(version)
        tree[request_path(Kind.MOD, path, version)] = mod
        tree[request_path(Kind.ZIP, path, version)] = module_zip(path, version, files)
    if latest and versions:
        tree[request_path(Kind.LATEST, path)] = info(versions[-1])
    return tree


def info(version: str) -> bytes:
    """The .info of a version."""
    return json.dumps({"Version": version, "Time": TIME}).encode()
