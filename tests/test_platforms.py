"""macOS and Windows, as far as they can be played on Linux: everything can be imported, and the commands answer."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("otherplatform.py")
SYSTEMS = pytest.mark.parametrize("system", ["darwin", "win32"])
PASTE = 'go: example.com/m@v1.0.0: Get "https://proxy.example.org/x": dial tcp 192.0.2.1:443: i/o timeout\n'


def there(system: str, tmp_path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
        "GOPROXY": "https://127.0.0.1:9,direct",
        "GOSUMDB": "off",
    }
    return subprocess.run(
        [sys.executable, str(SCRIPT), system, *words],
        capture_output=True, text=True, check=False, env=environ, cwd=tmp_path, timeout=120,
    )  # fmt: skip


@SYSTEMS
def test_every_module_can_be_imported(system: str, tmp_path: Path) -> None:
    done = there(system, tmp_path, "imports")
    assert (done.stdout, done.returncode) == ("", 0), done.stderr


@SYSTEMS
def test_the_doctor_says_what_it_could_not_look_at(system: str, tmp_path: Path) -> None:
    done = there(system, tmp_path, "doctor", "--json", "--no-public-dns", "example.com/m@v1.0.0")
    said = json.loads(done.stdout)
    if system == "win32" and sys.version_info < (3, 12):  # it looks for a go.exe, and there is none
        assert [skipped["what"] for skipped in said["skipped"]].count("go") == 2
    assert said["verdict"]["cause"] == "goproxy_host_blocked"
    assert done.returncode == 1


@SYSTEMS
def test_a_route_leaves_names_to_the_system(system: str, tmp_path: Path) -> None:
    done = there(system, tmp_path, "route", "example.com/m@v1.0.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert "addresses: system" in done.stdout


@SYSTEMS
def test_the_other_commands_answer(system: str, tmp_path: Path) -> None:
    hosts, paste = tmp_path / "hosts", tmp_path / "paste.txt"
    hosts.write_text("127.0.0.1 localhost\n")
    paste.write_text(PASTE)
    pinned = there(system, tmp_path, "hosts", "list", "--file", str(hosts))
    assert (pinned.returncode, pinned.stderr) == (0, "")
    explained = json.loads(there(system, tmp_path, "explain", "--json", str(paste)).stdout)
    assert explained["verdict"]["cause"] == "goproxy_host_blocked" or explained["verdict"]["candidates"]
    assert "GOPROXY" in there(system, tmp_path, "env").stdout
