"""The real go verifies private modules by goferry's own log, and refuses what was tampered with."""

import http.client
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest

from e2e.ferry import (
    APP_MOD,
    NEEDS_GO,
    PATIENCE,
    Client,
    Ferry,
    Lab,
    goferry,
    graph,
    launch,
    serving,
    upstream,
)
from goferry.gomod.dirhash import hash_go_mod
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.lookup import Database, Fetch, ReadHead, parse_lookup_path
from goferry.gomod.sumdb.note import format_verifier, new_signer, open_note, parse_verifier
from goferry.proxy.ownlog import record_text
from goferry.storage.logfile import LogFile
from modtree import module
from proxyworld import Tree, zip_hash
from server.serving import until
from sizes import size

LOG = "sums.example.org"
PRIVATE = "example.com/BigCase,example.com/tool,example.com/log"
SECRET = "example.com/BigCase"
STEM = "example.com/!big!case/@v/v1.0.0"


def flags(lab: Lab, tree: Tree, *more: str) -> tuple[str, ...]:
    return (
        "--upstream", lab.url, "--sumdb", tree.log.verifier_key, "--private", PRIVATE, "--own-log", LOG, *more,
    )  # fmt: skip


def key_of(folder: Path) -> str:
    """What a person is told to hand out."""
    said = goferry(folder, "cache", "log", "--store", str(folder / "store"))
    assert said.returncode == 0, said.stderr
    return next(line.partition("GOSUMDB=")[2] for line in said.stdout.splitlines() if "GOSUMDB=" in line)


def client(folder: Path, ferry: Ferry, key: str, go_mod: str = APP_MOD) -> Client:
    return Client(folder, ferry.url, key, go_mod=go_mod)


def only(path: str, version: str = "v1.0.0") -> str:
    return f"module example.org/app\n\ngo 1.21\n\nrequire {path} {version}\n"


def truth(files: Mapping[str, bytes], sums: str) -> None:
    """Every line of go.sum is what the upstream has."""
    for line in sums.splitlines():
        path, version, h1 = line.split()
        version, of_go_mod, _ = version.partition("/go.mod")
        stem = "".join(f"!{c.lower()}" if c.isupper() else c for c in f"{path}/@v/{version}")
        assert h1 == (hash_go_mod(files[f"{stem}.mod"]) if of_go_mod else zip_hash(files[f"{stem}.zip"]))


@pytest.mark.go
@NEEDS_GO[1]
def test_go_verifies_every_module_by_the_own_log(tmp_path: Path) -> None:
    tree = Tree(graph())
    with upstream(tree) as lab, serving(tmp_path / "f", *flags(lab, tree, "--workers", "2")) as ferry:
        assert ferry.ask(f"/sumdb/{LOG}/supported")[0] == 200
        key = key_of(tmp_path / "f")
        first = client(tmp_path / "c", ferry, key)
        sums = first.download()
        truth(tree.files, sums)
        assert SECRET in sums
        assert client(tmp_path / "d", ferry, key).download() == sums
        # The head that go remembers is one of ours, and everything that go asked about is in the log.
        note = (tmp_path / "c" / "gopath" / "pkg" / "sumdb" / LOG / "latest").read_bytes()
        assert tlog.parse_tree(open_note(note, [parse_verifier(key)]).text).size > 0
        found = goferry(
            tmp_path / "f", "cache", "log", "--verify", "--json", "--store", str(tmp_path / "f/store")
        )
        assert (found.returncode, found.stderr) == (0, "")
        asked = {path for path in lab.proxy.asked if "/lookup/" in path}
        names = [parse_lookup_path(path.partition(f"{tree.log.name}/")[2]).path for path in asked]
        assert not set(names) & set(PRIVATE.split(","))


@pytest.mark.go
@NEEDS_GO[1]
def test_go_follows_the_log_as_it_grows(tmp_path: Path) -> None:
    tree = Tree({**graph(), **module("example.com/log", *(f"v1.{n}.0" for n in range(8)))})
    with upstream(tree) as lab, serving(tmp_path / "f", *flags(lab, tree)) as ferry:
        key = key_of(tmp_path / "f")
        one = client(tmp_path / "c", ferry, key, only("example.com/log"))
        for number in range(8):
            done = one.go("get", f"example.com/log@v1.{number}.0")
            assert done.returncode == 0, done.stderr
        truth(tree.files, one.sums())


@pytest.mark.go
@NEEDS_GO[1]
def test_go_verifies_under_a_tree_of_several_levels(tmp_path: Path) -> None:
    """Records before and behind many others, for a client that has seen the smaller tree and for one that has not."""
    tree = Tree(graph())
    folder = tmp_path / "f"
    with upstream(tree) as lab:
        with serving(folder, *flags(lab, tree)) as ferry:
            key = key_of(folder)
            one = client(tmp_path / "a", ferry, key, only(SECRET))
            assert one.go("mod", "download").returncode == 0
        log = LogFile(folder / "store" / ".goferry" / "log" / LOG / "records.sqlite", key)
        many = [Version(f"example.org/m{number}", "v1.0.0") for number in range(size(700, 70_000))]
        log.append_all([(str(v), record_text(v, f"h1:{'A' * 43}=", f"h1:{'B' * 43}=")) for v in many])
        log.close()
        with serving(folder, *flags(lab, tree)) as ferry:
            truth(tree.files, client(tmp_path / "b", ferry, key).download())
            one.proxy = ferry.url
            assert one.go("get", "example.com/text@v0.1.0").returncode == 0
            truth(tree.files, one.sums())


@pytest.mark.go
@NEEDS_GO[1]
def test_go_verifies_offline_what_was_warmed(tmp_path: Path) -> None:
    tree = Tree(graph())
    folder = tmp_path / "f"
    app = tmp_path / "app"
    app.mkdir()
    (app / "go.mod").write_text(APP_MOD)
    with upstream(tree) as lab:
        words = flags(lab, tree)
        done = goferry(folder, "warm", str(app), "--store", str(folder / "store"), *words)
        assert done.returncode == 0, done.stderr
        lab.stop()
        with serving(folder, *words, "--offline") as ferry:
            assert f"own log:   {LOG}" in ferry.greeting
            truth(tree.files, client(tmp_path / "c", ferry, key_of(folder)).download())


def test_answers_look_like_those_of_other_databases(tmp_path: Path) -> None:
    tree = Tree(graph())
    public = f"/sumdb/{tree.log.name}"
    with upstream(tree) as lab, serving(tmp_path / "f", *flags(lab, tree)) as ferry:
        paths = ("lookup/example.com/text@v0.1.0", "latest", "tile/8/0/000.p/1", "supported")
        for path in paths:
            for method in ("GET", "HEAD"):
                ours = ferry.ask(f"/sumdb/{LOG}/{path}", method=method)
                theirs = ferry.ask(f"{public}/{path}", method=method)
                assert ours[0] == theirs[0] == 200
                for name in ("cache-control", "content-type", "x-content-type-options"):
                    assert ours[1].get(name) == theirs[1].get(name), (path, name)
                assert bool(ours[2]) == (method == "GET" and path != "supported")
        etag = ferry.ask(f"/sumdb/{LOG}/latest")[1]["etag"]
        assert ferry.ask(f"/sumdb/{LOG}/latest", {"If-None-Match": etag})[0] == 304
        unknown = "lookup/example.com/none@v1.0.0"
        assert ferry.ask(f"/sumdb/{LOG}/{unknown}")[0] == ferry.ask(f"{public}/{unknown}")[0] == 403
        assert ferry.ask(f"/sumdb/{LOG}/lookup/example.com/tool@v1.9.9")[0] == 404
        assert ferry.ask(f"/sumdb/{LOG}/lookup/example.com/!big!case@v1.0.0")[0] == 200
        assert ferry.ask(f"{public}/lookup/example.com/!big!case@v1.0.0")[0] == 403
        assert ferry.ask(f"/cached-only/sumdb/{LOG}/lookup/example.com/tool@v1.9.9")[0] == 503
        long_ago = {"If-Modified-Since": "Thu, 01 Jan 2015 00:00:00 GMT"}
        assert ferry.ask(f"/sumdb/{LOG}/latest", long_ago)[0] == 200


# ---- another goferry as the client ---------------------------------------------------------------------------


def test_the_gate_asks_the_goferry_that_keeps_the_log(tmp_path: Path) -> None:
    tree = Tree(graph())
    project = tmp_path / "m"
    project.mkdir()
    (project / "go.mod").write_text(only(SECRET).replace("example.org/app", "example.net/m"))
    (project / "m.go").write_text(f'package m\n\nimport _ "{SECRET}"\n')
    zip_h1, mod_h1 = zip_hash(tree.files[f"{STEM}.zip"]), hash_go_mod(tree.files[f"{STEM}.mod"])
    good = f"{SECRET} v1.0.0 {zip_h1}\n{SECRET} v1.0.0/go.mod {mod_h1}\n"
    (project / "go.sum").write_text(good)

    def gate(url: str, store: str, *words: str) -> subprocess.CompletedProcess[str]:
        return goferry(
            project, "deps", "gate", "--goproxy", url, "--store", str(tmp_path / store), "--private", PRIVATE,
            "--sumdb", tree.log.verifier_key, "--attempts", "1", "--rule", "toolchain=off", *words,
        )  # fmt: skip

    with upstream(tree) as lab, serving(tmp_path / "f", *flags(lab, tree)) as ferry:
        key = key_of(tmp_path / "f")
        for own_log in (key, f"{key} {ferry.url}/sumdb/{LOG}"):
            said = gate(ferry.url, f"s{len(own_log)}", "--own-log", own_log)
            assert said.returncode == 0, said.stdout + said.stderr
            assert "lines 2, log 0, own 2" in said.stdout
        offline = gate("off", f"s{len(key)}", "--own-log", key, "--offline", "--json")
        assert offline.returncode == 0, offline.stdout
        (one, other) = json.loads(offline.stdout)["proven"]["private"]
        assert (one["by"], other["by"], one["new"]) == ("own", "own", False)
        (project / "go.sum").write_text(good.replace(zip_h1, f"h1:{'A' * 43}="))
        said = gate(ferry.url, f"s{len(key)}", "--own-log", key)
        assert said.returncode == 1
        assert f"go.sum:1: {SECRET}@v1.0.0 has the hash" in said.stdout
        assert f"but {LOG} has signed {zip_h1}" in said.stdout
        stranger = "sums.example.org+" + key_of_stranger()
        (project / "go.sum").write_text(good)
        said = gate(ferry.url, "other", "--own-log", stranger)
        assert said.returncode == 1
        assert "not signed by its known key" in said.stdout
    said = gate(ferry.url, "empty", "--own-log", key)
    assert said.returncode == 3, said.stdout + said.stderr


def key_of_stranger() -> str:
    return format_verifier(new_signer(LOG, bytes(32)).verifier).partition("+")[2]


# ---- tampered with -------------------------------------------------------------------------------------------


def change(folder: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder / "store" / ".goferry" / "log" / LOG / "records.sqlite")) as file:
        file.execute(statement, values)
        file.commit()


@pytest.mark.go
@NEEDS_GO[1]
def test_go_refuses_a_record_that_was_changed(tmp_path: Path) -> None:
    tree = Tree(graph())
    folder = tmp_path / "f"
    with upstream(tree) as lab:
        with serving(folder, *flags(lab, tree)) as ferry:
            key = key_of(folder)
            assert client(tmp_path / "a", ferry, key, only(SECRET)).go("mod", "download").returncode == 0
            assert client(tmp_path / "b", ferry, key, only("example.com/text", "v0.1.0")).download()
        false = f"{SECRET} v1.0.0 h1:{'A' * 43}=\n{SECRET} v1.0.0/go.mod h1:{'B' * 43}=\n".encode()
        change(folder, "UPDATE records SET text = ? WHERE id = 0", false)
        with serving(folder, *flags(lab, tree)) as ferry:
            done = client(tmp_path / "c", ferry, key, only(SECRET)).go("mod", "download", "-x")
            assert done.returncode != 0
            assert "was changed" in done.stderr  # goferry itself does not hand it out
        change(folder, "UPDATE hashes SET hash = ? WHERE id = 0", tlog.record_hash(false))
        with serving(folder, *flags(lab, tree)) as ferry:
            done = client(tmp_path / "d", ferry, key, only(SECRET)).go("mod", "download", "-x")
            assert done.returncode != 0
            assert "tile" in done.stderr


@pytest.mark.go
@NEEDS_GO[1]
def test_go_refuses_bytes_that_the_log_does_not_know(tmp_path: Path) -> None:
    """The store was tampered with behind the log's back."""
    tree = Tree(graph())
    folder = tmp_path / "f"
    with upstream(tree) as lab, serving(folder, *flags(lab, tree)) as ferry:
        key = key_of(folder)
        assert client(tmp_path / "a", ferry, key, only(SECRET)).go("mod", "download").returncode == 0
        other = module(SECRET, "v1.0.0", extra={"new.go": b"package bigcase\n"})
        place = folder / "store" / f"{STEM}.zip"
        place.unlink()
        place.write_bytes(other[f"{STEM}.zip"])
    with upstream(tree) as lab, serving(folder, *flags(lab, tree)) as ferry:
        done = client(tmp_path / "b", ferry, key, only(SECRET)).go("mod", "download")
        assert done.returncode != 0
        assert "SECURITY ERROR" in done.stderr
        found = goferry(folder, "cache", "log", "--verify", "--store", str(folder / "store"))
        assert found.returncode == 1
        assert f"{SECRET}@v1.0.0" in found.stdout


@pytest.mark.go
@NEEDS_GO[1]
def test_go_sees_a_forked_log(tmp_path: Path) -> None:
    """The same key on another store: what its owner must never do."""
    tree = Tree(graph())
    with upstream(tree) as lab:
        with serving(tmp_path / "f", *flags(lab, tree)) as ferry:
            key = key_of(tmp_path / "f")
            one = client(tmp_path / "c", ferry, key, only(SECRET))
            assert one.go("mod", "download").returncode == 0
        shutil.copy2(tmp_path / "f" / "store" / ".goferry" / "log" / LOG / "key", tmp_path / "key")
        more = flags(lab, tree, "--own-log-key", str(tmp_path / "key"))
        with serving(tmp_path / "g", *more) as ferry:
            assert key_of(tmp_path / "g") == key
            assert client(tmp_path / "d", ferry, key, only("example.com/text", "v0.1.0")).download()
            one.proxy = ferry.url
            done = one.go("get", "example.com/text@v0.1.0")
            assert done.returncode != 0
            assert "SECURITY ERROR" in done.stderr
            assert "misbehavior" in done.stderr


@pytest.mark.go
@NEEDS_GO[1]
def test_a_moved_tag_is_refused_after_cache_rm(tmp_path: Path) -> None:
    tree = Tree(graph())
    folder = tmp_path / "f"
    with upstream(tree) as lab, serving(folder, *flags(lab, tree)) as ferry:
        key = key_of(folder)
        one = client(tmp_path / "a", ferry, key, only(SECRET))
        assert one.go("mod", "download").returncode == 0
        removed = goferry(folder, "cache", "rm", f"{SECRET}@v1.0.0", "--store", str(folder / "store"))
        assert removed.returncode == 0, removed.stderr
        tree.files.update(module(SECRET, "v1.0.0", extra={"new.go": b"package bigcase\n"}))
        done = client(tmp_path / "b", ferry, key, only(SECRET)).go("mod", "download")
        assert done.returncode != 0
        assert "checksum mismatch" in done.stderr
        assert ferry.ask(f"/{STEM}.zip")[0] == 403
        assert not (folder / "store" / f"{STEM}.zip").exists()
        aside = [path for path in (folder / "store/.goferry/quarantine").rglob("*.zip.*") if path.is_file()]
        assert aside
        tree.files.update(graph())  # the tag is put back
        assert client(tmp_path / "c", ferry, key, only(SECRET)).go("mod", "download").returncode == 0


# ---- bad input -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--own-log", "two words"), "own_log"),
        (("--own-log", "sum.golang.org"), "public checksum database"),
        (("--own-log", LOG, "--own-log-key", "garbage"), "holds no key"),
        (("--own-log", LOG, "--own-log-key", "open"), "can be read by others"),
        (("--own-log", LOG, "--own-log-key", "none"), "cannot be read"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_serve_with_one_line(
    tmp_path: Path, words: tuple[str, ...], message: str
) -> None:
    for name, mode in (("garbage", 0o600), ("open", 0o644)):
        (tmp_path / name).write_text("nothing of use\n")
        (tmp_path / name).chmod(mode)
    common = ("serve", "--addr", "127.0.0.1:0", "--store", "store", "--upstream", "off", "--sumdb", "off")
    said = goferry(tmp_path, *common, *words)
    assert said.returncode == 2, said.stderr
    assert message in said.stderr
    assert "Traceback" not in said.stderr
    assert "nothing of use" not in said.stderr


def test_a_damaged_log_ends_serve_with_one_line(tmp_path: Path) -> None:
    tree = Tree(graph())
    with upstream(tree) as lab:
        with serving(tmp_path, *flags(lab, tree)) as ferry:
            assert ferry.ask(f"/sumdb/{LOG}/lookup/example.com/text@v0.1.0")[0] == 200
        place = tmp_path / "store" / ".goferry" / "log" / LOG / "records.sqlite"
        place.write_bytes(b"nonsense" * 1000)
        said = goferry(tmp_path, "serve", "--addr", "127.0.0.1:0", "--store", "store", *flags(lab, tree))
        assert said.returncode == 1, said.stderr
        assert "is damaged" in said.stderr
        assert "Traceback" not in said.stderr
        assert place.read_bytes() == b"nonsense" * 1000


# ---- killed --------------------------------------------------------------------------------------------------


class Asker:
    """A client that remembers the largest head it was shown, over all restarts of the server."""

    def __init__(self, key: str) -> None:
        self._database = Database(parse_verifier(key))
        self.proven: dict[Version, int] = {}
        self.answers = 0

    def look_up(self, ferry: Ferry, version: Version) -> None:
        exchange = self._database.lookup(version)
        while asks := exchange.need():
            for ask in asks:
                match ask:
                    case Fetch(path):
                        status, _, body = ferry.ask(f"/sumdb/{LOG}/{path}")
                        assert status == 200, body
                        exchange.feed(ask, body)
                    case ReadHead():
                        exchange.feed(ask, self._database.latest.note)
                    case _:
                        exchange.feed(ask, True)
        number = exchange.result().record.id
        assert self.proven.setdefault(version, number) == number
        self.answers += 1


def test_kill_never_takes_back_what_a_client_was_shown(tmp_path: Path) -> None:
    versions = [Version(f"example.com/k{number}", "v1.0.0") for number in range(size(60, 400))]
    tree = Tree({path: body for one in versions for path, body in module(one.path, one.version).items()})
    rng = random.Random(9)
    folder = tmp_path / "f"
    with upstream(tree) as lab:
        words = flags(lab, tree, "--private", "example.com", "--workers", "2")
        asker: Asker | None = None
        for _ in range(size(3, 40)):
            ferry = launch(folder, *words, new_group=True)
            asker = asker or Asker(key_of(folder))
            killer = threading.Thread(
                target=_kill_at, args=(ferry, asker, asker.answers + rng.randrange(4, 24))
            )
            killer.start()
            try:
                with suppress(OSError, http.client.HTTPException):
                    for version in rng.sample(versions, len(versions)):
                        asker.look_up(ferry, version)
            finally:
                killer.join()
                ferry.process.communicate(timeout=PATIENCE)
        assert asker is not None
        with serving(folder, *words) as ferry:
            for version in asker.proven:
                asker.look_up(ferry, version)
        found = goferry(folder, "cache", "log", "--verify", "--json", "--store", str(folder / "store"))
        assert found.returncode == 0, found.stdout
        assert json.loads(found.stdout)["size"] >= len(asker.proven) > 0


def _kill_at(ferry: Ferry, asker: Asker, answers: int) -> None:
    try:
        until(lambda: asker.answers >= answers)
    finally:
        os.killpg(ferry.process.pid, signal.SIGKILL)
