"""A newer database comes whole or not at all, from a real server or a folder; an older one does not come by itself."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest

import oracle
from advisories import block, file, public, put, zipped
from goferry.config import Settings
from goferry.deps.advisories import refresh
from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import FILE, Database, installed, layer, shipped
from goferry.deps.advisories.matching import match
from goferry.deps.advisories.osv import InvalidAdvisory
from goferry.deps.advisories.packed import pack
from goferry.deps.advisories.refresh import Verdict, install, judge
from goferry.deps.base import Module
from goferry.errors import StorageError
from goferry.gomod.module import Version
from goferry.lab.goproxy import Fault, LabProxy, Trouble, running
from goferry.net.failure import Failure, NetError
from goferry.proxy.assemble import open_site
from terminal import Said, goferry

TIME, LATER = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"
SHIPPED = "2026-08-21T20:38:00Z"
FILES = tuple(file(f"GO-2027-{number:04}", block("example.org/m")) for number in range(5))
FAST = Settings(attempts=2, retry_wait_max=0.01)


def many() -> tuple[tuple[str, bytes], ...]:
    """As many as are shipped, so that nothing is missing."""
    return tuple(shipped().texts())


async def fetched(tree: dict[str, bytes], **faults: Fault) -> "tuple[list[str], str, LabProxy]":
    """The ids that come from a server with that tree, how old it says they are, and the server."""

    def fault(path: str, _count: int) -> Fault | None:
        return faults.get(path.replace(".", "_").replace("/", "_").replace("-", "_"))

    async with running(tree, fault) as lab, open_site(lab.url, FAST, environ={}) as site:
        found = await refresh.fetch(site)
        return [names[0] for names in found.index.names], found.about.modified, lab


# ---- from a server --------------------------------------------------------------------------------------------


async def test_the_whole_database_comes_in_one_file() -> None:
    ids, modified, lab = await fetched(public(*FILES, modified=TIME))
    assert (len(ids), modified) == (5, TIME)
    assert sorted(lab.asked) == ["index/db.json", "index/db.json.gz", "vulndb.zip"]


async def test_a_server_without_the_zip_is_asked_for_each_packed_file_once() -> None:
    ids, modified, lab = await fetched(public(*FILES, modified=TIME, packed=False))
    assert (len(ids), modified) == (5, TIME)
    assert {path for path in lab.asked if path.startswith("ID/")} == {f"ID/{id}.json.gz" for id in ids}
    assert max(count for path, count in lab.asked.items() if path.startswith("ID/")) == 1


async def test_an_answer_that_is_cut_is_asked_for_again_and_never_taken() -> None:
    cut = Fault(Trouble.RESTART)
    with pytest.raises(NetError) as caught:
        await fetched(public(*FILES), vulndb_zip=cut)
    assert caught.value.kind is Failure.BODY_TRUNCATED


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("vulndb_zip", b"PK\x03\x04 half", "damaged zip"),
        ("vulndb_zip", b"<html>", "not an OSV entry"),
        ("index_db_json_gz", b"\x1f\x8b half", "damaged gzip"),
        ("index_db_json_gz", b"plain", "damaged gzip"),
    ],
)
async def test_what_is_broken_is_refused(name: str, body: bytes, words: str) -> None:
    with pytest.raises(InvalidAdvisory, match=words):
        await fetched(public(*FILES), **{name: Fault(Trouble.REPLACE, body=body)})


async def test_a_login_page_is_no_database() -> None:
    with pytest.raises(Exception, match="web page"):
        await fetched(public(*FILES), vulndb_zip=Fault(Trouble.HTML))


async def test_a_file_that_the_index_names_and_the_server_lacks_fails_all() -> None:
    tree = public(*FILES, packed=False)
    del tree["ID/GO-2027-0003.json"], tree["ID/GO-2027-0003.json.gz"]
    with pytest.raises(Exception, match=r"lacks ID/GO-2027-0003\.json"):
        await fetched(tree)


async def test_a_zip_that_is_older_than_the_index_beside_it_is_refused() -> None:
    tree = {**public(*FILES, modified=LATER), "vulndb.zip": public(*FILES, modified=TIME)["vulndb.zip"]}
    with pytest.raises(InvalidAdvisory, match="older than the index beside it"):
        await fetched(tree)


# ---- whether it is taken --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("new", "old", "verdict"),
    [
        (About("n", LATER, 100), About("o", TIME, 100), Verdict.NEWER),
        (About("n", TIME, 100), About("o", TIME, 100), Verdict.CURRENT),
        (About("n", "2027-01-01T01:00:00+01:00", 100), About("o", TIME, 100), Verdict.CURRENT),
        (About("n", TIME, 100), About("o", LATER, 100), Verdict.OLDER),
        (About("n", LATER, 100), About("o", TIME, 100, seen="2027-03-01T00:00:00Z"), Verdict.OLDER),
        (About("n", "", 100), About("o", TIME, 100), Verdict.AGELESS),
        (About("n", "yesterday", 100), About("o", TIME, 100), Verdict.AGELESS),
        (About("n", LATER, 89), About("o", TIME, 100), Verdict.SMALLER),
        (About("n", LATER, 90), About("o", TIME, 100), Verdict.NEWER),
        (About("n", "2027-01-01T00:00:00.5Z", 100), About("o", TIME, 100), Verdict.NEWER),
    ],
)
def test_the_verdict_on_a_new_database(new: About, old: About, verdict: Verdict) -> None:
    assert judge(new, old) is verdict


def place_with(folder: Path, modified: str) -> Path:
    """A user's folder with a database of that age."""
    return put(folder, {FILE: pack(About("before", modified, 0, seen=modified), FILES)})


def new(folder: Path, modified: str, files: tuple[tuple[str, bytes], ...] = FILES) -> Path:
    return put(folder, public(*files, modified=modified))


def test_a_newer_one_is_taken_and_the_same_one_leaves_the_file_alone(tmp_path: Path) -> None:
    user = place_with(tmp_path / "user", TIME)
    done = install(user, layer(new(tmp_path / "new", LATER)))
    assert (done.verdict, done.before.modified, done.after.modified) == (Verdict.NEWER, TIME, LATER)
    assert installed(user).about == done.after
    before = (user / FILE).stat()
    assert install(user, layer(tmp_path / "new")).verdict is Verdict.CURRENT
    assert (user / FILE).stat() == before
    assert [one.name for one in user.iterdir()] == [FILE]


def test_an_older_one_is_refused_also_after_a_forced_one(tmp_path: Path) -> None:
    user = place_with(tmp_path / "user", LATER)
    older = layer(new(tmp_path / "older", TIME))
    with pytest.raises(InvalidAdvisory, match=f"from {TIME}, older than one seen before .{LATER}") as caught:
        install(user, older)
    assert "--force" in (caught.value.hint or "")
    assert installed(user).about.modified == LATER
    done = install(user, older, force=True)
    assert (done.verdict, installed(user).about.modified) == (Verdict.OLDER, TIME)
    between = layer(new(tmp_path / "between", "2027-01-15T00:00:00Z"))
    with pytest.raises(InvalidAdvisory, match=f"older than one seen before .{LATER}"):
        install(user, between)


def test_one_that_lost_entries_is_refused(tmp_path: Path) -> None:
    user = place_with(tmp_path / "user", TIME)
    small = layer(new(tmp_path / "small", LATER, FILES[:3]))
    with pytest.raises(InvalidAdvisory, match="has 3 entries, and the one in use has 5"):
        install(user, small)
    assert install(user, small, force=True).after.entries == 3


def test_one_unreadable_entry_refuses_all_also_by_force(tmp_path: Path) -> None:
    user = place_with(tmp_path / "user", TIME)
    tree = {
        **public(*FILES, modified=LATER, packed=False),
        "ID/GO-2027-0002.json": b'{"id": "GO-2027-0002", "affected": 5}',
    }
    for force in (False, True):
        with pytest.raises(InvalidAdvisory, match="GO-2027-0002"):
            install(user, layer(put(tmp_path / "new", tree)), force=force)
    assert installed(user).about.modified == TIME
    assert [one.name for one in user.iterdir()] == [FILE]


def test_a_damaged_database_in_use_hides_what_was_seen_so_only_force_replaces_it(tmp_path: Path) -> None:
    user = put(tmp_path / "user", {FILE: b"PK\x03\x04"})
    newer = layer(new(tmp_path / "new", LATER))
    with pytest.raises(InvalidAdvisory, match="damaged"):
        install(user, newer)
    assert install(user, newer, force=True).after.modified == LATER


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    put(tmp_path, {"user": b"a file"})
    with pytest.raises(StorageError, match="cannot write"):
        install(tmp_path / "user" / "advisories", layer(new(tmp_path / "new", LATER)), force=True)


# ---- the command ----------------------------------------------------------------------------------------------


IN_USE = "2026-12-01T00:00:00Z"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder with a database of five entries, newer than the shipped one."""
    place_with(tmp_path / "goferry" / "advisories", IN_USE)
    return tmp_path


def db(home: Path, *words: str) -> Said:
    return goferry("deps", "db", *words, environ={"XDG_DATA_HOME": str(home)}, cwd=home)


def test_info_speaks_of_the_shipped_database_until_there_is_another(tmp_path: Path) -> None:
    said = db(tmp_path, "info")
    assert said.code == 0
    assert SHIPPED in said.out
    assert "4291" in said.out
    assert "goferry deps db update" in said.out
    form = db(tmp_path, "info", "--json").json
    assert form["schema"] == "goferry.vulndb/1"
    assert form["database"] == form["shipped"]
    assert refresh.at_hand({}) is shipped()  # a container without a home


def test_update_from_a_folder_changes_what_is_in_use(home: Path) -> None:
    new(home / "new", TIME)
    said = db(home, "update", "--vulndb", "new")
    assert (said.code, said.err) == (0, "")
    assert TIME in said.out
    assert db(home, "info", "--json").json["database"]["modified"] == TIME
    assert "nothing newer" in db(home, "update", "--vulndb", (home / "new").as_uri()).out


def test_an_older_database_needs_force_and_force_is_not_silent(home: Path) -> None:
    new(home / "old", "2020-01-01T00:00:00Z")
    said = db(home, "update", "--vulndb", "old")
    assert (said.code, said.out) == (2, "")
    assert f"older than one seen before ({IN_USE})" in said.err
    assert "--force" in said.err
    assert db(home, "info", "--json").json["database"]["modified"] == IN_USE
    forced = db(home, "update", "--vulndb", "old", "--force")
    assert forced.code == 0
    assert "taken by force" in forced.err
    assert IN_USE in forced.err
    assert "taken by force" in db(home, "info").out
    form = db(home, "update", "--vulndb", "old", "--force", "--json").json
    assert form["verdict"] == "older"


async def test_a_database_of_real_size_over_http_and_a_server_that_is_down(tmp_path: Path) -> None:
    async with running(public(*many(), modified=TIME)) as lab:
        url = lab.url
        said = await asyncio.to_thread(db, tmp_path, "update", "--vulndb", url)
        assert (said.code, said.err) == (0, "")
    assert db(tmp_path, "info", "--json").json["database"] == {
        "source": f"{url}/vulndb.zip",
        "modified": TIME,
        "entries": 4291,
        "seen": TIME,
    }
    down = await asyncio.to_thread(db, tmp_path, "update", "--vulndb", url, "--attempts", "1")
    assert down.code == 1
    assert down.err.count("\n") <= 2
    assert db(tmp_path, "info", "--json").json["database"]["modified"] == TIME


def test_what_is_no_database_is_said_in_one_line(home: Path) -> None:
    put(home, {"x.zip": zipped({"index/modules.json": b"[]"}), "y.json": b"{}"})
    for name in ("x.zip", "y.json", "nowhere"):
        said = db(home, "update", "--vulndb", name)
        assert said.code == 2
        assert name in said.err
        assert "Traceback" not in said.err


# ---- the Go project's own small database ----------------------------------------------------------------------

VULN = "golang.org/x/vuln@v1.1.4"
SMALL = "cmd/govulncheck/testdata/common/vulndb-v1"


def small_database(folder: Path) -> dict[str, bytes]:
    """The test database of govulncheck, out of its own module; skips where that cannot be had."""
    if oracle.go_command() is None:
        pytest.skip("the real upstream is asked by a go command")
    environ = {**os.environ, "GOMODCACHE": str(folder), "GOFLAGS": "-modcacherw", "GOTOOLCHAIN": "local"}
    words = ["go", "mod", "download", "-json", VULN]
    done = subprocess.run(words, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("the real upstream can't be reached")
    root = Path(json.loads(done.stdout)["Dir"]) / SMALL
    tree = {file.relative_to(root).as_posix(): file.read_bytes() for file in root.rglob("*.json*")}
    del tree["index/vulns.json.gz"]  # a tar file by mistake; nothing over there reads it
    return tree


@pytest.mark.online
@pytest.mark.go
async def test_the_module_level_findings_of_govulncheck_on_its_own_database(tmp_path: Path) -> None:
    """Facts: the ids in its transcripts for these projects (multientry, replace, vendored, wholemodvuln)."""
    tree = await asyncio.to_thread(small_database, tmp_path)
    async with running(tree) as lab, open_site(lab.url, FAST, environ={}) as site:
        found = await refresh.fetch(site)
    known = Database(found.about, [found])
    assert (len(known), known.about.modified) == (7, "2023-04-03T15:57:51Z")
    text, gjson = "golang.org/x/text", "github.com/tidwall/gjson"
    projects = {
        "multientry": ([Module(text, "v0.3.5")], ["GO-2021-0113"]),
        "replace": (
            [Module(text, "v0.9.0", replace=Version(text, "v0.3.0"))],
            ["GO-2020-0015", "GO-2021-0113"],
        ),
        "vendored": (
            [Module(gjson, "v1.6.5"), Module(text, "v0.3.0")],
            ["GO-2020-0015", "GO-2021-0054", "GO-2021-0113", "GO-2021-0265"],
        ),
        "wholemodvuln": ([Module("gopkg.in/yaml.v2", "v2.2.3")], ["GO-2022-0956"]),
    }
    for name, (modules, wanted) in projects.items():
        assert sorted(one.entry.id for one in match(known, modules)) == wanted, name
