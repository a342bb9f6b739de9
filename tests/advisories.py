"""Entries for tests, written short; the shipped database; the requirement lists of real projects."""

import gzip
import io
import json
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from goferry.deps.advisories import osv
from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import Database
from goferry.deps.advisories.layouts import Loose
from goferry.deps.advisories.osv import Entry
from goferry.deps.base import Module

REQUIREMENTS = Path(__file__).parent / "deps/data/requirements.jsonl"


def events(text: str) -> list[dict[str, str]]:
    """`0 -1.2.3 2.0.0 -2.1.0 =3.1.0`: introduced, fixed with a minus, last affected with an equals sign."""
    kinds = {"-": "fixed", "=": "last_affected", "<": "limit"}
    return [{kinds[word[0]]: word[1:]} if word[0] in kinds else {"introduced": word} for word in text.split()]


def block(module: str, ranges: str | None = "0", **more: Any) -> dict[str, Any]:
    """What an entry says of a module; `ranges` as in `events`, several with commas. More goes into
    ecosystem_specific."""
    found: dict[str, Any] = {"package": {"name": module, "ecosystem": "Go"}, "ecosystem_specific": more}
    if ranges is not None:
        found["ranges"] = [{"type": "SEMVER", "events": events(one)} for one in ranges.split(",")]
    return found


def document(id: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An OSV file."""
    return {
        "schema_version": "1.3.1",
        "id": id,
        "modified": "0001-01-01T00:00:00Z",
        "affected": list(blocks),
        "database_specific": {"review_status": "REVIEWED"},
        **more,
    }


def file(id: str, *blocks: dict[str, Any], **more: Any) -> tuple[str, bytes]:
    return f"{id}.json", json.dumps(document(id, *blocks, **more)).encode()


def entry(id: str, *blocks: dict[str, Any], **more: Any) -> Entry:
    return osv.parse(*file(id, *blocks, **more))


def database(*entries: Entry) -> Database:
    return Database(About("test", "", len(entries)), [Loose("test", entries)])


def public(
    *files: tuple[str, bytes], modified: str = "2026-09-01T00:00:00Z", packed: bool = True
) -> dict[str, bytes]:
    """The files of a database in the public layout, with `vulndb.zip` or, if not packed, without."""
    documents = sorted((json.loads(data) for _, data in files), key=lambda one: one["id"])
    modules: dict[str, list[dict[str, str]]] = {}
    for one in documents:
        for path in sorted({it["package"]["name"] for it in one["affected"]}):
            modules.setdefault(path, []).append({"id": one["id"], "modified": modified})
    tree: dict[str, Any] = {
        "index/db.json": {"modified": modified},
        "index/modules.json": [{"path": path, "vulns": vulns} for path, vulns in modules.items()],
        "index/vulns.json": [
            {"id": one["id"], "modified": modified, "aliases": one.get("aliases", [])} for one in documents
        ],
        **{f"ID/{one['id']}.json": one for one in documents},
    }
    plain = {name: json.dumps(value).encode() for name, value in tree.items()}
    if packed:
        return {**plain, "vulndb.zip": zipped(plain)}
    return {**plain, **{f"{name}.gz": gzip.compress(data) for name, data in plain.items()}}


def zipped(tree: Mapping[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for name, data in tree.items():
            target.writestr(name, data)
    return file.getvalue()


def put(folder: Path, tree: Mapping[str, bytes]) -> Path:
    """The files in a folder."""
    for name, data in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@cache
def requirements() -> tuple[tuple[Module, ...], ...]:
    """The require lines of 55 go.mod files of public projects, each at a commit that the file names."""
    lines = REQUIREMENTS.read_text().splitlines()
    return tuple(tuple(Module(*one.split("@")) for one in json.loads(line)["require"]) for line in lines)
