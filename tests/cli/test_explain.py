"""`goferry explain`: pastes from files and pipes, for people and for programs."""

import io
import json
from pathlib import Path

import pytest

from goferry.cli.main import run
from terminal import Said, goferry

ERROR = 'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": dial tcp 1.2.3.4:443: i/o timeout\n'
SECRETS = ("hunter2-secret", "ghp_abcdefghijklmnop1234", "s3cr3t-signature")


def piped(data: bytes, *arguments: str) -> Said:
    stdout, stderr = io.StringIO(), io.StringIO()
    stdin = io.TextIOWrapper(io.BytesIO(data), "utf-8")
    code = run(
        ["explain", *arguments],
        environ={"HOME": "/nonexistent"}, stdin=stdin, stdout=stdout, stderr=stderr, cwd=Path("/nonexistent"),
    )  # fmt: skip
    return Said(code, stdout.getvalue(), stderr.getvalue())


@pytest.mark.parametrize("arguments", [("--json",), ("-", "--json")])
def test_a_pipe_is_explained_as_one_json_object(arguments: tuple[str, ...]) -> None:
    said = piped(ERROR.encode(), *arguments)
    assert said.code == 0
    assert said.json["verdict"]["cause"] == "goproxy_host_blocked"
    assert said.json["verdict"]["certainty"] == "likely"
    assert said.json["verdict"]["candidates"][0] == "goproxy_host_blocked"
    assert said.json["whose"] == "network"
    assert said.json["where"] == "goproxy.cn"
    assert said.json["module"] == "x.y/z@v1.0.0"
    assert said.json["evidence"] == [{"line": 1, "text": ERROR.strip(), "cause": "goproxy_host_blocked"}]
    assert said.json["fixes"][0]["commands"]
    assert said.json["probe"]["command"] == "GOPROXY=https://goproxy.cn go mod download x.y/z@v1.0.0"


def test_a_file_is_explained_for_people(tmp_path: Path) -> None:
    (tmp_path / "build.log").write_text("noise\n" + ERROR)
    said = goferry("explain", "build.log", cwd=tmp_path)
    assert said.code == 0
    assert "goproxy_host_blocked (likely)" in said.out
    assert "line 2: go: x.y/z@v1.0.0" in said.out
    assert "transient_network" in said.out
    assert "\x1b" not in said.out


def test_people_read_it_in_their_language_and_programs_the_same_keys(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(ERROR)
    said = goferry("--lang", "zh_CN", "explain", "log", cwd=tmp_path)
    assert "goproxy_host_blocked" in said.out


@pytest.mark.parametrize("data", [b"", b"\n\n", b"all is well\n", bytes(range(256)) * 50], ids=repr)
def test_what_says_nothing_cannot_be_told(data: bytes) -> None:
    said = piped(data, "--json")
    assert said.code == 3
    assert said.json["verdict"] == {"cause": "cannot_tell", "certainty": "possible", "candidates": []}
    assert said.json["whose"] is None


def test_not_telling_is_said_in_words_too() -> None:
    said = piped(b"all is well\n")
    assert said.code == 3
    assert "Cannot tell" in said.out


@pytest.mark.parametrize(
    ("file", "message"),
    [("missing.log", "no such file: missing.log"), (".", ". is a directory, not the output of a command")],
)
def test_what_cannot_be_read_is_one_line_and_bad_usage(tmp_path: Path, file: str, message: str) -> None:
    said = goferry("explain", file, cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines()[0] == f"goferry: {message}"


def test_no_secret_of_a_paste_comes_out(tmp_path: Path) -> None:
    password, token, signature = SECRETS
    text = (
        f'go: x.y/z@v1.0.0: Get "https://me:{password}@goproxy.corp.example/x.y/z/@v/v1.0.0.mod": EOF\n'
        f"go: a.b/c@v1.0.0: git ls-remote -q https://{token}@github.com/a/b in /go/vcs: exit status 128:\n"
        f"\tfatal: Authentication failed for 'https://{token}@github.com/a/b/'\n"
        f'go: d.e/f@v1.0.0: Get "https://storage.googleapis.com/proxy-x/f.zip?Expires=1&Signature={signature}": EOF\n'
        f"Authorization: Bearer {token}\n"
    )
    (tmp_path / "log").write_text(text)
    for arguments in (("explain", "log"), ("explain", "log", "--json")):
        said = goferry(*arguments, cwd=tmp_path)
        assert said.code == 0
        assert not [secret for secret in SECRETS if secret in said.out + said.err]


def test_the_places_to_fill_in_are_never_made_of_odd_text() -> None:
    said = piped(
        b'go: x.y/$(rm)z@v1.0.0: Get "https://goproxy.cn/x/@v/list": dial tcp 1.2.3.4:443: i/o timeout',
        "--json",
    )
    assert "$(rm)" not in json.dumps([said.json["fixes"], said.json["probe"]])
