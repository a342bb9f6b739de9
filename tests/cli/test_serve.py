"""`goferry serve` with the real go in front of it, for every kind of upstream and setting that its help names."""

import signal
import threading
import urllib.request
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from goferry.cli.environment import Complete
from goferry.cli.serve import greeting
from goferry.config import Origin, Settings
from modtree import module as tree_of
from realserver import go, serving
from terminal import goferry

A, B = "example.org/a", "example.org/b"


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """An upstream as a folder, and a main module that requires example.org/a, which requires example.org/b."""
    tree = tree_of(A, "v1.0.0", requires=[(B, "v1.0.0")]) | tree_of(B, "v1.0.0")
    for key, body in tree.items():
        file = tmp_path / "upstream" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    (tmp_path / "main").mkdir()
    (tmp_path / "main" / "go.mod").write_text(f"module example.org/main\n\ngo 1.21\n\nrequire {A} v1.0.0\n")
    return tmp_path


def download(world: Path, url: str, name: str) -> str:
    """go.sum after a download with an empty client cache."""
    folder = world / name
    folder.mkdir()
    (folder / "go.mod").write_bytes((world / "main" / "go.mod").read_bytes())
    done = go("mod", "download", "all", cwd=folder, GOPROXY=url, GOSUMDB="off")
    assert done.returncode == 0, done.stderr
    return (folder / "go.sum").read_text()


@pytest.mark.go
def test_cold_warm_and_offline_downloads_are_the_same_as_without_goferry(world: Path) -> None:
    wanted = download(world, f"file://{world}/upstream", "without")
    store = world / "store"
    with serving(
        "--upstream", f"file://{world}/upstream", "--sumdb", "off", "--store", str(store), cwd=world
    ) as served:
        assert download(world, served.url, "cold") == wanted
        assert download(world, served.url, "warm") == wanted
    with serving(
        "--offline", cwd=world, environ={"GOFERRY_STORE": str(store), "GOFERRY_SUMDB": "off"}
    ) as served:
        assert "answers come from the store alone" in served.greeting
        assert download(world, served.url, "offline") == wanted
    assert download(world, f"file://{store}", "folder") == wanted
    assert goferry("cache", "verify", "--store", str(store)).code == 0


@pytest.fixture
def over_http(world: Path):
    """The upstream folder as an http server."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """A test's output is not a log."""

    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *args: Quiet(*args, directory=str(world / "upstream"))
    )
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.go
@pytest.mark.parametrize("form", ["{http}", "file:///nonexistent,{file}", "http://127.0.0.1:1|{http}"])
def test_an_upstream_list_is_walked_for_the_real_go(world: Path, over_http: str, form: str) -> None:
    upstream = form.format(http=over_http, file=f"file://{world}/upstream")
    flags = (
        "--upstream",
        upstream,
        "--sumdb",
        "off",
        "--store",
        "store",
        "--attempts",
        "1",
        "--workers",
        "2",
    )
    with serving(*flags, cwd=world) as served:
        assert A in download(world, served.url, "client")


@pytest.mark.go
def test_the_reason_for_a_missing_module_reaches_the_person_at_the_client(world: Path) -> None:
    with serving("--upstream", "direct", "--sumdb", "off", "--store", "store", cwd=world) as served:
        done = go("mod", "download", "all", cwd=world / "main", GOPROXY=served.url, GOSUMDB="off")
    assert done.returncode != 0
    assert "direct) is not built into goferry yet" in done.stderr


def test_the_go_environment_gives_the_upstream_and_goferry_itself_is_dropped(world: Path) -> None:
    (world / "goenv").write_text(f"GOPROXY=file://{world}/upstream\nGOSUMDB=off\n")
    environ = {"GOENV": str(world / "goenv")}
    with serving("--store", "store", cwd=world, environ=environ) as served:
        assert f"upstream:  file://{world}/upstream  (GOPROXY in {world}/goenv)" in served.greeting
        assert "export GOSUMDB=off" in served.greeting
        assert fetch(f"{served.url}/{A}/@v/list") == b"v1.0.0\n"


def test_a_settings_file_is_read_at_the_start_and_again_on_sighup(world: Path) -> None:
    """The upstream moves while it runs: what was not there before is found after SIGHUP, by new workers."""
    file = world / "goferry.toml"
    text = 'upstream = "{upstream}"\nsumdb = "off"\nstore = "store"\nnegative_fresh = "0"\nlang = "zh_CN"\n'
    file.write_text(text.format(upstream="file:///nonexistent"))
    with serving(cwd=world) as served:
        assert "存储：" in served.greeting
        with pytest.raises(urllib.error.HTTPError):
            fetch(f"{served.url}/{A}/@v/v1.0.0.mod")
        file.write_text(text.format(upstream=f"file://{world}/upstream"))
        served.process.send_signal(signal.SIGHUP)
        wait_for_line(world / "serve.log", "reloaded")
        assert fetch(f"{served.url}/{A}/@v/v1.0.0.mod").startswith(b"module example.org/a\n")


def wait_for_line(log: Path, word: str) -> None:
    """Until the server has said it; the server's own limits end what does not come."""
    import time

    end = time.monotonic() + 60
    while word not in log.read_text():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.02)


def fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=60) as answer:
        body: bytes = answer.read()
        return body


@pytest.mark.parametrize(
    ("flags", "code", "said"),
    [
        (["--tls-cert", "none.pem", "--tls-key", "none.pem"], 2, "cannot use none.pem"),
        (["--tls-cert", "none.pem"], 2, "needs tls_key beside it"),
        (["--upstream", "ftp://x.example.org"], 2, "must be https, http, file"),
        (["--upstream", "http://127.0.0.1:8080"], 2, "leads back to goferry itself"),
        (["--sumdb", "no.example.org"], 2, "invalid GOSUMDB"),
        (["--store", "s3://bucket"], 2, "setting store: 's3://bucket' (from --store) is not allowed"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_line(
    tmp_path: Path, flags: list[str], code: int, said: str
) -> None:
    import os
    import subprocess
    import sys

    from realserver import SOURCES

    done = subprocess.run(
        [sys.executable, "-m", "goferry", "serve", "--store", "store", *flags],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(SOURCES)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("goferry: ")]
    assert (done.returncode, len(lines)) == (code, 1), done.stderr
    assert said in lines[0]
    assert "Traceback" not in done.stderr


# settings, what must be pasted
PASTED = [
    ({}, ["export GOPROXY=http://h:1", "export GOSUMDB=sum.golang.org"]),
    ({"sumdb": "off"}, ["export GOPROXY=http://h:1", "export GOSUMDB=off"]),
    ({"sumdb": "d.example.org+1+A https://u"}, ["export GOPROXY=http://h:1", "export GOSUMDB=d.example.org+1+A"]),
    ({"private": "*.example.org"},
     ["export GOPROXY=http://h:1", "export GOSUMDB=sum.golang.org", "export GONOSUMDB='*.example.org'"]),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "lines"), PASTED)
def test_the_greeting_starts_with_the_lines_to_paste(settings: dict, lines: list[str]) -> None:
    ready = Complete(
        Settings(**{"sumdb": "sum.golang.org", "upstream": "https://u:secret@up.example.org", **settings}),
        {"upstream": Origin("flag", "here")},
        (),
    )
    said = list(greeting(ready, "http://h:1", "sh"))
    assert said[: said.index("")] == lines
    assert "secret" not in "\n".join(said)
