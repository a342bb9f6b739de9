"""Versions as the proxy keeps them, and what a checksum database said of them, in any store."""

import base64
import io
import json
import tempfile
import zipfile

from goferry.gomod import dirhash, module
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import lookup_path
from goferry.gomod.sumdb.memlog import MemLog
from goferry.gomod.sumdb.note import Verifier
from goferry.proxy.upkeep import scrubbing
from goferry.storage.index_sqlite import Provenance

TOML = Version("github.com/BurntSushi/toml", "v1.0.0")
YAML = Version("gopkg.in/yaml.v3", "v3.0.1")
NEW_YAML = Version("gopkg.in/yaml.v3", "v3.10.0")
NOW = 2_000_000_000.0
DAY = 86_400.0


def key(version: Version, kind: str) -> str:
    return request_path(Kind.ZIP, version.path, version.version).removesuffix("zip") + kind


def zip_bytes(version: Version, body: str = "package x\n") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name, text in (("go.mod", f"module {version.path}\n"), ("x.go", body)):
            file.writestr(zipfile.ZipInfo(f"{version}/{name}"), text)  # the same bytes at any time
    return out.getvalue()


async def keep(
    store, version: Version, *, hashes: bool = True, index=None, body: str = "package x\n"
) -> dict[str, str]:
    """A version as the proxy keeps it; returns its sums."""
    data = {
        "info": json.dumps({"Version": version.version}).encode(),
        "mod": f"module {version.path}\n".encode(),
        "zip": zip_bytes(version, body),
    }
    sums = {"zip": h1_of(data["zip"]), "mod": dirhash.hash_go_mod(data["mod"])}
    if hashes:
        data |= {"ziphash": sums["zip"].encode(), "modhash": sums["mod"].encode()}
    for kind, content in data.items():
        blob = await store.put(key(version, kind), content)
        if index is not None:
            index.stored(blob, Provenance("goproxy.cn", sums.get(kind, ""), "sum.golang.org"))
    return sums


def h1_of(data: bytes) -> str:
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(data)
        file.flush()
        return dirhash.hash_zip(file.name)


async def prove(store, version: Version, sums: dict[str, str], name: str = "sum.golang.org") -> None:
    """A lookup record as the checksum database's client keeps it."""
    escaped = f"{module.escape_path(version.path)}@{module.escape_version(version.version)}"
    record = (
        f"123\n{version.path} {version.version} {sums['zip']}\n{version.path} {version.version}/go.mod {sums['mod']}\n"
        "\ngo.sum database tree\n1\nAAAA\n\n— sum.golang.org Az3g\n"
    )
    await store.put(f"sumdb/{name}/lookup/{escaped}", record.encode())


async def sign(store, version: Version, sums: dict[str, str], name: str) -> dict[str, Verifier]:
    """A record that is proven, as the only one of its log; returns the log's key."""
    log = MemLog(name)
    log.add(version, [f"{version.path} {version.version}{file} {sums[of]}" for file, of in SUM_LINES])
    await store.put(f".goferry/sumdb/{name}/latest", log.head())
    for path in (lookup_path(version), "tile/8/0/000.p/1"):
        await store.put(f"sumdb/{name}/{path}", log.get(path))
    return scrubbing.verifiers(log.verifier_key)


SUM_LINES = [("", "zip"), ("/go.mod", "mod")]


async def keys(store, prefix: str = "") -> set[str]:
    return {blob.key async for blob in store.keys(prefix)}


def other_h1() -> str:
    return "h1:" + base64.b64encode(b"x" * 32).decode()
