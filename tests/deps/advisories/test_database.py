"""A database is the same whatever it is made of, and whatever is broken is named in one line."""

import io
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from advisories import block, database, entry, file, public, put, zipped
from goferry.deps.advisories import osv
from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import FILE, Database, installed, layer, load, shipped
from goferry.deps.advisories.osv import InvalidAdvisory
from goferry.deps.advisories.packed import Packed, pack

ROOT = Path(__file__).parents[3]
FILES = (
    file("GO-2026-0002", block("example.org/m"), block("example.org/n"), aliases=["CVE-2"]),
    file("GO-2026-0001", block("example.org/m", "0 -1.2.0"), aliases=["CVE-1", "GHSA-1"]),
    file("GO-2026-0003", block("example.org/m"), withdrawn="2026-01-01T00:00:00Z"),
)
TIME = "2026-09-01T00:00:00Z"


def a_folder(place: Path) -> Path:
    return put(place, public(*FILES, packed=False))


def a_packed_folder(place: Path) -> Path:
    tree = public(*FILES, packed=False)
    return put(place, {name: data for name, data in tree.items() if name.endswith(".gz")})


def a_zip(place: Path) -> Path:
    return put(place, public(*FILES)) / "vulndb.zip"


def our_own(place: Path) -> Path:
    return put(place, {FILE: pack(About("x", TIME, 0), FILES)}) / FILE


def loose_files(place: Path) -> Path:
    return put(place, dict(FILES))


def a_zip_of_files(place: Path) -> Path:
    return put(place, {"all.zip": zipped(dict(FILES))}) / "all.zip"


LAYOUTS = [a_folder, a_packed_folder, a_zip, our_own, loose_files, a_zip_of_files]


@pytest.mark.parametrize("lay_out", LAYOUTS)
def test_every_layout_is_the_same_database(tmp_path: Path, lay_out: Callable[[Path], Path]) -> None:
    place = lay_out(tmp_path)
    found = load(place)
    assert len(found) == found.about.entries == 3
    assert [one.id for one in found.entries("example.org/m")] == ["GO-2026-0001", "GO-2026-0002"]
    assert [one.id for one in found.entries("example.org/n")] == ["GO-2026-0002"]
    assert not found.entries("example.org/none")
    assert found.knows("example.org/n")
    assert not found.knows("example.org/none")
    withdrawn = found.get("GO-2026-0003")
    assert withdrawn is not None
    assert withdrawn.withdrawn
    assert found.get("GO-2026-0004") is None
    assert found.names("GO-2026-0001") == ("CVE-1", "GHSA-1", "GO-2026-0001")
    assert [one.id for one in found] == ["GO-2026-0001", "GO-2026-0002", "GO-2026-0003"]
    again = database(*(osv.parse(*one) for one in found.texts()))
    assert list(again) == list(found) == list(database(*(osv.parse(*one) for one in FILES)))
    assert all(osv.parse(one.id, found.text(one.id)) == one for one in found)
    assert [one.id for one in load(place.as_uri()).entries("example.org/n")] == ["GO-2026-0002"]


@pytest.mark.parametrize("lay_out", [a_folder, a_packed_folder, a_zip, our_own])
def test_a_layout_with_an_index_knows_its_age(tmp_path: Path, lay_out: Callable[[Path], Path]) -> None:
    assert load(lay_out(tmp_path)).about.modified == TIME


def test_an_added_entry_takes_the_place_of_one_with_its_id_and_joins_its_flaw() -> None:
    base = database(entry("GO-1", block("example.org/m"), aliases=["CVE-1"]))
    more = base.adding([entry("GHSA-1", block("example.org/m"), aliases=["CVE-1"])])
    assert [one.id for one in more.entries("example.org/m")] == ["GHSA-1", "GO-1"]
    assert more.names("GO-1") == ("CVE-1", "GHSA-1", "GO-1")
    moved = base.adding([entry("GO-1", block("example.org/n"))])
    assert not moved.entries("example.org/m")
    assert [one.id for one in moved.entries("example.org/n")] == ["GO-1"]
    assert (len(base), len(more), len(moved)) == (1, 2, 1)


def test_a_folder_of_ghsa_files_goes_on_top(tmp_path: Path) -> None:
    put(tmp_path, dict([file("GHSA-1", block("example.org/m"), aliases=["CVE-1"])]))
    more = database(entry("GO-1", block("example.org/m"))).over(layer(tmp_path))
    assert [one.id for one in more.entries("example.org/m")] == ["GHSA-1", "GO-1"]


# ---- what is shipped ------------------------------------------------------------------------------------------


def test_the_shipped_database_is_the_snapshot_that_its_licence_notice_names() -> None:
    found = shipped()
    entries = list(found)
    assert (len(found), sum(bool(one.withdrawn) for one in entries)) == (4291, 17)
    assert found.about.modified == "2026-08-21T20:38:00Z"
    assert "a752ea54fd1b989d208a270aeef772f55a36b87a" in found.about.source
    blocks = [one for it in entries for one in it.affected]
    assert (len(blocks), len({one.module for one in blocks})) == (6125, 1373)
    assert sum(bool(one.packages) for one in blocks) == 1110
    assert sum(len(package.symbols) for one in blocks for package in one.packages) == 10281
    assert sum(one.is_everything for one in blocks) == 2105
    assert sum(bool(one.custom) for one in blocks) == 589
    data = ROOT / "src/goferry/deps/advisories/data"
    assert "Attribution 4.0 International" in (data / "LICENSE-CC-BY-4.0.txt").read_text()
    assert "GitHub Advisory Database" in (data / "NOTICES").read_text()


def tool(archive: Path, output: Path) -> bytes:
    words = [archive, "--source", "the sources at a commit", "--modified", TIME, "--output", output]
    subprocess.run([sys.executable, ROOT / "tools/vulndb.py", *words], check=True, capture_output=True)
    return output.read_bytes()


def test_the_tool_makes_the_same_file_from_the_same_archive(tmp_path: Path) -> None:
    archive = tmp_path / "osv.tar.xz"
    with tarfile.open(archive, "w:xz") as target:
        for name, data in (*FILES, ("README", b"no entry")):
            info = tarfile.TarInfo(f"data/osv/{name}")
            info.size = len(data)
            target.addfile(info, io.BytesIO(data))
    first, second = (tool(archive, tmp_path / name) for name in ("first", "second"))
    assert first == second
    found = Packed("x", first)
    assert found.about == About("the sources at a commit", TIME, 3, TIME)
    assert Database(found.about, [found]).names("GO-2026-0001") == ("CVE-1", "GHSA-1", "GO-2026-0001")


# ---- what is in use -------------------------------------------------------------------------------------------


def test_the_folder_of_the_user_counts_unless_goferry_itself_is_newer(tmp_path: Path) -> None:
    assert installed(tmp_path) is shipped()
    put(tmp_path, {FILE: pack(About("x", TIME, 0, seen=TIME), FILES)})
    assert len(installed(tmp_path)) == 3
    old = "2020-01-01T00:00:00Z"
    put(tmp_path, {FILE: pack(About("x", old, 0, seen=old), FILES)})
    assert installed(tmp_path) is shipped()
    put(tmp_path, {FILE: pack(About("x", old, 0, seen=TIME), FILES)})  # taken by force, after a newer one
    assert len(installed(tmp_path)) == 3


# ---- what is broken -------------------------------------------------------------------------------------------


def without(name: str) -> dict[str, bytes]:
    tree = public(*FILES)
    del tree[name], tree["vulndb.zip"]
    return tree


def with_(name: str, data: bytes) -> dict[str, bytes]:
    return {**without("index/db.json"), "index/db.json": b'{"modified":"x"}', name: data}


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        (without("index/db.json"), "lacks index/db.json"),
        (without("index/vulns.json"), "lacks index/vulns.json"),
        (without("ID/GO-2026-0001.json"), "lacks ID/GO-2026-0001.json"),
        (with_("index/modules.json", b"{}"), "index/modules.json is no index"),
        (with_("index/vulns.json", b"[{}]"), "index/vulns.json is no index"),
        (with_("index/db.json", b""), "index/db.json is no index"),
        (with_("ID/GO-2026-0001.json", FILES[0][1]), "ID/GO-2026-0001.json holds the entry GO-2026-0002"),
        (with_("ID/GO-2026-0001.json", b"{"), "GO-2026-0001: not an OSV entry"),
    ],
)
def test_a_broken_folder_names_the_file(tmp_path: Path, tree: dict[str, bytes], words: str) -> None:
    with pytest.raises(InvalidAdvisory, match=words) as caught:
        load(put(tmp_path, tree)).entries("example.org/m")
    assert "\n" not in str(caught.value)


def damaged(data: bytes) -> bytes:
    """A flipped byte in the middle of the largest member."""
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0xFF]) + data[len(data) // 2 + 1 :]


def other_form() -> bytes:
    return zipped({"about.json": b'{"form":99,"licence":"","about":{"source":"","modified":"","entries":0}}'})


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (damaged(pack(About("x", TIME, 0), FILES)), "damaged"),
        (pack(About("x", TIME, 0), FILES)[:-40], "damaged"),
        (b"PK\x03\x04", "damaged"),
        (b"", "not an OSV entry"),
        (zipped({"index/modules.json": b"[]"}), "lacks index/vulns.json"),
        (zipped({"README": b""}), "there is no vulnerability database here"),
        (zipped({"about.json": b"{}"}), "damaged"),
        (zipped({"about.json": b'{"form":1,"licence":"","about":{"source":"","modified":"","entries":0}}'}), "damaged"),
        (other_form(), "has form 99"),
    ],
)  # fmt: skip
def test_a_broken_file_names_itself(tmp_path: Path, data: bytes, words: str) -> None:
    place = put(tmp_path, {"db.zip": data}) / "db.zip"
    with pytest.raises(InvalidAdvisory, match=words) as caught:
        load(place)
    assert str(place) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_flipped_byte_of_our_own_form_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    whole = pack(About("x", TIME, 0), FILES)
    wanted = list(Database(About("", "", 0), [Packed("x", whole)]))
    for place in range(0, len(whole), 7):
        broken = bytearray(whole)
        broken[place] ^= 0x55
        try:
            found = Packed("x", bytes(broken))
        except InvalidAdvisory:
            continue
        assert list(Database(About("", "", 0), [found])) == wanted, place


def test_a_missing_place_and_an_empty_folder_are_said(tmp_path: Path) -> None:
    with pytest.raises(InvalidAdvisory, match=r"cannot read .*nowhere"):
        load(tmp_path / "nowhere")
    with pytest.raises(InvalidAdvisory, match="there is no vulnerability database here"):
        load(tmp_path)
    with pytest.raises(InvalidAdvisory, match="names a host"):
        load("file://elsewhere/db")


@pytest.mark.parametrize("names", [("index/modules.json", "index/vulns.json"), ("about.json",)])
def test_a_member_that_unpacks_to_too_much_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for name in names:
            target.writestr(name, b" " * ((64 << 20) + 1))
    with pytest.raises(InvalidAdvisory, match="over 67108864 bytes"):
        load(put(tmp_path, {"db.zip": bomb.getvalue()}) / "db.zip")
