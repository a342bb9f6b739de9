"""Stores in trouble: what is there is served, and what cannot be kept is refused with the reason."""

import json
import subprocess
from pathlib import Path

import pytest

from e2e.ferry import EMPTY, NEEDS_GO, Client, Ferry, Lab, goferry, serving
from modtree import module, noise
from mounts import read_only, small
from proxyworld import Tree

pytestmark = NEEDS_GO

KNOWN = "example.com/text@v0.2.0"
NEW = "example.com/web@v1.2.0"


def flags(tree: Tree, good: Lab) -> tuple[str, ...]:
    return "--upstream", good.url, "--sumdb", tree.log.verifier_key


def fill(folder: Path, tree: Tree, good: Lab) -> Path:
    """A store that has one version."""
    (folder / "go.mod").write_text(f"{EMPTY}\nrequire {KNOWN.replace('@', ' ')}\n")
    store = folder / "store"
    done = goferry(folder, "warm", "--store", str(store), *flags(tree, good))
    assert done.returncode == 0, done.stderr
    return store


def check(ferry: Ferry, tree: Tree, folder: Path, reason: str) -> None:
    client = Client(folder, ferry.url, tree.log.verifier_key, go_mod=EMPTY)
    done = client.go("mod", "download", KNOWN)
    assert done.returncode == 0, done.stderr
    # A client whose list goes on after "not found" must not be sent away.
    client.proxy += ",direct"
    done = client.go("mod", "download", NEW)
    assert done.returncode != 0
    assert "503 Service Unavailable" in done.stderr
    assert reason in done.stderr
    assert client.go("mod", "download", KNOWN).returncode == 0


def test_a_read_only_store_is_served_and_says_what_it_is(tmp_path: Path, tree: Tree, good: Lab) -> None:
    store = fill(tmp_path, tree, good)
    with read_only(store), serving(tmp_path, *flags(tree, good)) as ferry:
        check(ferry, tree, tmp_path / "client", "cannot be written")
        assert ferry.ask("/healthz")[0] == 200
        status, _, body = ferry.ask("/readyz")
        assert (status, b"cannot be written" in body) == (503, True), body


def test_a_store_of_a_newer_goferry_is_served_and_left_alone(tmp_path: Path, tree: Tree, good: Lab) -> None:
    store = fill(tmp_path, tree, good)
    (store / ".goferry/format").write_text("99\n")
    before = {path: path.read_bytes() for path in store.rglob("@v/*")}
    with serving(tmp_path, *flags(tree, good)) as ferry:
        check(ferry, tree, tmp_path / "client", "newer goferry")
    assert {path: path.read_bytes() for path in store.rglob("@v/*")} == before
    assert (store / ".goferry/format").read_text() == "99\n"


@pytest.mark.parametrize("kind", ["tile", "lookup"])
def test_rotten_proofs_are_refused_offline_and_mended_online(
    tmp_path: Path, tree: Tree, good: Lab, kind: str
) -> None:
    store = fill(tmp_path, tree, good)
    files = [path for path in (store / "sumdb").rglob("*") if path.is_file() and f"/{kind}/" in str(path)]
    sound = {path: path.read_bytes() for path in files}
    assert sound
    for path, body in sound.items():
        path.write_bytes(body[:20] + bytes([body[20] ^ 1]) + body[21:])

    def download(name: str, *more: str) -> subprocess.CompletedProcess[str]:
        with serving(tmp_path, *flags(tree, good), *more) as ferry:
            client = Client(tmp_path / name, ferry.url, tree.log.verifier_key, go_mod=EMPTY)
            return client.go("mod", "download", KNOWN)

    refused = download("offline", "--offline")
    assert refused.returncode != 0
    assert "503 Service Unavailable" in refused.stderr
    assert "can't be proven" in refused.stderr
    # The scrub names what the server refused, and sets it aside; the server mends it with or without that.
    looked = goferry(
        tmp_path,
        "cache",
        "verify",
        "--store",
        str(store),
        "--keep",
        "--json",
        environ={"GOSUMDB": tree.log.verifier_key},
    )
    damaged = {row["location"]["place"] for row in json.loads(looked.stdout)["findings"] if row["location"]}
    assert (looked.returncode, damaged) == (1, {path.relative_to(store).as_posix() for path in files})
    mended = download("online")
    assert mended.returncode == 0, mended.stderr
    again = download("offline again", "--offline")
    assert again.returncode == 0, again.stderr
    looked = goferry(
        tmp_path, "cache", "verify", "--store", str(store), environ={"GOSUMDB": tree.log.verifier_key}
    )
    assert looked.returncode == 0, looked.stdout
    aside = [path for path in (store / ".goferry/quarantine").rglob("*") if path.is_file()]
    assert len([path for path in aside if path.suffix == ".json"]) == len(files)


def test_a_full_disk_refuses_what_does_not_fit_and_serves_the_rest(
    tmp_path: Path, tree: Tree, good: Lab
) -> None:
    big = module("example.com/big", "v1.0.0", extra={"data.bin": noise(3_000_000)})
    tree.files.update(big)
    tree.truth.update(big)
    with small(tmp_path / "store", "2m"):
        store = fill(tmp_path, tree, good)
        with serving(tmp_path, *flags(tree, good)) as ferry:
            client = Client(tmp_path / "client", ferry.url, tree.log.verifier_key, go_mod=EMPTY)
            done = client.go("mod", "download", "example.com/big@v1.0.0")
            assert done.returncode != 0
            assert "503 Service Unavailable" in done.stderr
            assert "full" in done.stderr
            for version in (KNOWN, NEW):
                done = client.go("mod", "download", version)
                assert done.returncode == 0, done.stderr
        assert not (store / "example.com/big/@v/v1.0.0.zip").exists()
        assert not [path for path in (store / ".goferry/tmp").rglob("*") if path.is_file()]
