"""Go's own test modules can be served: what the real go lists over them is what their files say."""

import json
import subprocess
from pathlib import Path

import pytest

import gotestdata
from goferry.gomod.module import Version


def test_a_text_archive_is_a_comment_and_files() -> None:
    comment, files = gotestdata.txtar(b"words\n-- a/b.go --\npackage b\n-- empty --\n-- last --\nno newline")
    assert comment == b"words\n"
    assert files == {"a/b.go": b"package b\n", "empty": b"", "last": b"no newline\n"}


@pytest.mark.go
def test_every_module_can_be_had_from_the_proxy(tmp_path: Path) -> None:
    proxy = gotestdata.write_proxy(tmp_path / "proxy")
    assert len(gotestdata.published()) > 200
    (tmp_path / "go.mod").write_text("module example.org/m\n\ngo 1.21\n\nrequire rsc.io/quote v1.5.2\n")
    done = subprocess.run(
        ["go", "list", "-m", "-versions", "-json", "rsc.io/quote"],
        cwd=tmp_path,
        env=gotestdata.go_env(proxy, tmp_path / "cache"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["Version"] == "v1.5.2"
    assert "v1.5.3-pre1" in found["Versions"]
    assert found["Time"] == gotestdata.info_of(Version("rsc.io/quote", "v1.5.2"))["Time"]


@pytest.mark.go
def test_scripts_bring_their_files() -> None:
    assert "mod_vendor" in gotestdata.scripts("mod_vendor*")
    script = gotestdata.script("mod_vendor")
    assert "go mod vendor" in script.text
    assert "go.mod" in script.files
