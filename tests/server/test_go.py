"""The real go command against the server over a filled store."""

import io
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from server.serving import keep, serving

pytestmark = [pytest.mark.go, pytest.mark.skipif(shutil.which("go") is None, reason="needs go")]

MODULE = "example.org/Hello"
ESCAPED = "example.org/!hello"


def fill(store: Path, version: str) -> None:
    """A module with one package, as a proxy keeps it."""
    mod = f"module {MODULE}\n\ngo 1.20\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{MODULE}@{version}/go.mod", mod)
        archive.writestr(f"{MODULE}@{version}/hello.go", f'package hello\n\nconst Version = "{version}"\n')
        # Bigger than what is sent from memory.
        archive.writestr(f"{MODULE}@{version}/data.bin", os.urandom(300_000))
    info = json.dumps({"Version": version, "Time": "2020-01-01T00:00:00Z"}).encode()
    for suffix, data in (("info", info), ("mod", mod), ("zip", packed.getvalue())):
        keep(store, f"{ESCAPED}/@v/{version}.{suffix}", data)


def run_go(folder: Path, url: str, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOPATH": str(folder / "gopath"),
        "GOCACHE": str(folder / "gocache"),
        "GOENV": "off",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GONOSUMDB": "*",
        "GOTOOLCHAIN": "local",
        "GOPROXY": url,
    }
    return subprocess.run(
        ["go", *words], cwd=folder, env=environ, capture_output=True, text=True, check=False
    )


def test_go_resolves_and_downloads(tmp_path: Path) -> None:
    for version in ("v1.0.0", "v1.1.0"):
        fill(tmp_path / "server" / "store", version)
    client = tmp_path / "client"
    client.mkdir()
    (client / "go.mod").write_text("module example.org/app\n\ngo 1.20\n")
    (client / "main.go").write_text(
        f'package main\n\nimport "{MODULE}"\n\nfunc main() {{ println(hello.Version) }}\n'
    )
    with serving(tmp_path / "server", workers=2) as running:
        got = run_go(client, running.url, "get", MODULE + "@latest")
        assert got.returncode == 0, got.stderr
        downloaded = run_go(client, running.url, "mod", "download", "-json", MODULE + "@v1.0.0")
        assert downloaded.returncode == 0, downloaded.stderr
        assert json.loads(downloaded.stdout)["Version"] == "v1.0.0"
        listed = run_go(client, running.url, "list", "-m", "-versions", MODULE)
        assert listed.stdout.split() == [MODULE, "v1.0.0", "v1.1.0"]
        assert f"{MODULE} v1.1.0" in (client / "go.mod").read_text()
        assert running.metric('goferry_requests_total{kind="zip",outcome="hit",status="200"}') == 2


@pytest.mark.parametrize(
    ("module", "status", "text"),
    [
        ("example.org/missing", "404 Not Found", "example.org/missing: no such module"),
        ("example.org/refused", "403 Forbidden", "the upstream refuses: not allowed here"),
        ("example.org/away", "503 Service Unavailable", "switch offline off"),
        ("example.org/forged", "403 Forbidden", "checksum mismatch"),
    ],
)
def test_go_shows_what_went_wrong_and_what_to_do(tmp_path: Path, module: str, status: str, text: str) -> None:
    client = tmp_path / "client"
    client.mkdir()
    (client / "go.mod").write_text("module example.org/app\n\ngo 1.20\n")
    with serving(tmp_path / "server") as running:
        shown = run_go(client, running.url + ",off", "list", "-m", "-versions", module).stderr
        if status.startswith("404"):
            # Only "not found" lets the list go on to its next entry.
            assert "disabled by GOPROXY=off" in shown
        else:
            assert status in shown
            assert text in shown
