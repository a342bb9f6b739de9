"""The real server over a fake module proxy: what comes over the wire."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from server.fakeproxy import INSTANCE
from server.serving import Running, keep, serving, until

INFO = b'{"Version":"v1.0.0","Time":"2020-01-01T00:00:00Z"}'
ZIP = os.urandom(700_000)
MOD = b"module example.org/m\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("serving")
    for key, data in (("v1.0.0.info", INFO), ("v1.0.0.mod", MOD), ("v1.0.0.zip", ZIP)):
        keep(folder / "store", "example.org/m/@v/" + key, data)
        keep(folder / "store", "example.org/!big/@v/" + key, data)
    with serving(folder, workers=2) as running:
        yield running


TEXT = {"content-type": "text/plain; charset=utf-8"}
BINARY = {"content-type": "application/octet-stream"}
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
MINUTE = {"cache-control": "public, max-age=60"}
SHORTLY = {"cache-control": "public, max-age=10"}
NO_STORE = {"cache-control": "no-store"}
RETRY = {"retry-after": "5", "cache-control": "no-store"}
CAME_BACK_TEXT = "this request came back to goferry through its own upstream"
CAME_BACK = {"Via": f"1.1 varnish, 1.1 goferry-{INSTANCE}"}
NO_FETCH = {"Disable-Module-Fetch": "true"}

TABLE = [
    # method, path, headers -> status, headers, first line of the body
    ("GET", "/example.org/m/@v/v1.0.0.info", {}, 200, {"content-type": "application/json"}, INFO.decode()),
    ("GET", "/example.org/m/@v/v1.0.0.mod", {}, 200, TEXT, "module example.org/m"),
    ("GET", "/example.org/%21big/@v/v1.0.0.mod", {}, 200, FOREVER, "module example.org/m"),
    ("GET", "/example.org/!big/@v/v1.0.0.mod?x=1", {}, 200, {}, "module example.org/m"),
    ("HEAD", "/example.org/m/@v/v1.0.0.zip", {}, 200, {"content-length": "700000"}, ""),
    ("HEAD", "/example.org/m/@v/list", {}, 200, {"content-length": "14"}, ""),
    ("HEAD", "/example.org/m/@v/v1.0.0.zip", {"Range": "bytes=0-9"}, 200, {"content-length": "700000"}, ""),
    ("GET", "/example.org/m/@v/list", {}, 200, TEXT | MINUTE, "v1.0.0"),
    ("GET", "/example.org/m/@latest", {}, 200, {"content-type": "application/json"}, '{"Version":"v1.1.0"}'),
    ("GET", "/example.org/m/@v/main.info", {}, 200, MINUTE, '{"Version":"v1.1.0"}'),
    ("GET", "/example.org/stale/@v/list", {}, 200, {"cache-control": "no-cache"}, "v1.0.0"),
    ("GET", "/example.org/known/@v/list", {}, 200, TEXT | MINUTE | {"content-length": "7"}, "v1.0.9"),
    ("GET", "/example.org/known/@latest", {}, 200, {"content-type": "application/json"}, '{"Version":"v1.0.9"}'),
    ("HEAD", "/example.org/known/@v/list", {}, 200, {"content-length": "14"}, ""),
    ("GET", "/example.org/known/@v/list", NO_FETCH, 200, {"content-length": "14"}, "v1.0.0"),
    ("GET", "/cached-only/example.org/known/@v/list", {}, 200, {"content-length": "14"}, "v1.0.0"),
    # Errors: outages and refusals are never 404.
    ("GET", "/example.org/missing/@v/list", {}, 404, SHORTLY, "example.org/missing: no such module"),
    ("HEAD", "/example.org/missing/@v/list", {}, 404, {"content-length": "36"}, ""),
    ("GET", "/example.org/refused/@v/list", {}, 403, NO_STORE, "the upstream refuses: not allowed here"),
    ("GET", "/example.org/forged/@v/v1.0.0.zip", {}, 403, {}, "checksum mismatch"),
    ("GET", "/example.org/broken/@v/list", {}, 502, {}, "the upstream cut the body"),
    ("GET", "/example.org/slow/@latest", {}, 504, {}, "no answer within 5 s"),
    ("GET", "/example.org/away/@v/list", {}, 503, RETRY, "offline"),
    ("GET", "/example.org/full/@v/list", {}, 503, RETRY, "the store is full"),
    ("GET", "/example.org/ring/@v/list", {}, 508, {}, "it came back"),
    ("GET", "/example.org/bad/@v/list", {}, 400, {}, "malformed"),
    ("GET", "/example.org/crash/@v/list", {}, 502, {}, "internal error in goferry; its log says more"),
    # Bad input: one line, nothing asked.
    ("GET", "/example.org%2Fm/@v/v1.0.0.info", {}, 400, {}, "malformed percent-encoding in the URL path"),
    ("GET", "/example.org/m%00/@v/list", {}, 400, {}, "control character in the URL path"),
    ("GET", "/example.org/m%ff/@v/list", {}, 400, {}, "the URL path is not UTF-8"),
    ("GET", "/example.org/m%zz/@v/list", {}, 400, {}, "malformed percent-encoding in the URL path"),
    ("GET", "/example.org/" + "a" * 9000 + "/@v/list", {}, 414, {}, "the URL path is too long: at most 8192 bytes"),
    ("GET", "/example.org/" + "a" * 3000 + "/@v/list", {}, 400, {}, None),
    ("GET", "/example.org/../m/@v/v1.0.0.info", {}, 400, {}, None),
    ("GET", "/example.org/M/@v/v1.0.0.info", {}, 404, {}, None),
    ("GET", "/.goferry/quarantine/x", {}, 404, {}, None),
    ("GET", "/nothing", {}, 404, {}, None),
    # Methods.
    ("POST", "/example.org/m/@v/list", {}, 405, {"allow": "GET, HEAD"}, "only GET and HEAD are answered here"),
    ("OPTIONS", "/example.org/m/@v/list", {}, 405, {"allow": "GET, HEAD"}, "only GET and HEAD are answered here"),
    ("DELETE", "/example.org/m/@v/v1.0.0.zip", {}, 405, {"allow": "GET, HEAD"}, "only GET and HEAD are answered here"),
    # Only from the store.
    ("GET", "/cached-only/example.org/m/@v/v1.0.0.mod", {}, 200, {}, "module example.org/m"),
    ("GET", "/cached-only/example.org/uncached/@v/list", {}, 404, NO_STORE, "not in the store"),
    ("GET", "/example.org/uncached/@v/list", NO_FETCH, 404, NO_STORE, "not in the store"),
    ("GET", "/example.org/uncached/@v/list", {}, 200, {}, "v1.0.0"),
    # Checksum databases; the longest name wins.
    ("GET", "/sumdb/sum.example.org/supported", {}, 200, {"content-length": "0"}, ""),
    ("GET", "/sumdb/sum.example.org/latest", {}, 200, TEXT | MINUTE, "sum.example.org latest"),
    ("GET", "/sumdb/sum.example.org/deep/latest", {}, 200, {}, "sum.example.org/deep latest"),
    ("GET", "/sumdb/sum.example.org/tile/8/0/x001/234", {}, 200, BINARY, "sum.example.org tile/8/0/x001/234"),
    ("GET", "/sumdb/sum.example.org/lookup/x.org/%21m@v1", {}, 200, FOREVER, "sum.example.org lookup/x.org/!m@v1"),
    ("GET", "/cached-only/sumdb/sum.example.org/latest", {}, 200, {}, "sum.example.org latest"),
    ("GET", "/sumdb/sum.example.org/other", {}, 404, {}, None),
    ("GET", "/sumdb/other.example.org/supported", {}, 404, {}, None),
    ("GET", "/sumdb/sum.example.org/../../latest", {}, 400, {}, None),
    # Loops.
    ("GET", "/example.org/via/@v/list", CAME_BACK, 508, NO_STORE, CAME_BACK_TEXT),
    ("GET", "/example.org/via/@v/list", {"Via": "1.1 goferry-aa, 1.1 goferry-bb"}, 200, {}, "aa bb"),
    ("GET", "/example.org/m/@v/v1.0.0.mod", CAME_BACK, 200, {}, "module example.org/m"),
    # Pages.
    ("GET", "/healthz", {}, 200, NO_STORE, "ok"),
    ("GET", "/readyz", {}, 200, {}, "ready"),
    ("GET", "/robots.txt", {}, 200, {}, "User-agent: *"),
    ("GET", "/favicon.ico", {}, 404, {}, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "asked", "status", "headers", "line"),
    TABLE,
    ids=[f"{row[0]} {row[1][:60]}" for row in TABLE],
)
def test_answers(
    server: Running,
    method: str,
    path: str,
    asked: dict[str, str],
    status: int,
    headers: dict[str, str],
    line: str | None,
) -> None:
    got_status, got_headers, body = server.ask(path, asked, method)
    assert got_status == status, body
    assert {name: got_headers.get(name) for name in headers} == headers
    if line is not None:
        assert (body.decode().splitlines() or [""])[0] == line
    if status >= 400 and method != "HEAD":
        assert got_headers["content-type"] == "text/plain; charset=utf-8"
        assert 1 <= len(body.decode().splitlines()) <= 8
        assert len(body) <= 648


def test_a_file_is_its_bytes(server: Running) -> None:
    assert server.ask("/example.org/m/@v/v1.0.0.zip")[2] == ZIP


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 720_000), st.integers(0, 720_000))
def test_ranges_are_those_bytes(server: Running, first: int, length: int) -> None:
    status, headers, body = server.ask(
        "/example.org/m/@v/v1.0.0.zip", {"Range": f"bytes={first}-{first + length}"}
    )
    if first >= len(ZIP):
        assert status == 416
        assert headers["content-range"] == f"bytes */{len(ZIP)}"
    else:
        assert status == 206
        assert body == ZIP[first : first + length + 1]
        assert headers["content-range"] == f"bytes {first}-{first + len(body) - 1}/{len(ZIP)}"


@pytest.mark.parametrize(
    "path", ["/example.org/m/@v/v1.0.0.info", "/example.org/m/@v/v1.0.0.zip", "/example.org/m/@v/list"]
)
def test_who_has_it_is_told_so(server: Running, path: str) -> None:
    _, headers, body = server.ask(path)
    for condition in ({"If-None-Match": headers["etag"]}, {"If-Modified-Since": headers["last-modified"]}):
        status, again, nothing = server.ask(path, condition)
        assert status == 304
        assert nothing == b""
        assert again["etag"] == headers["etag"]
    part = {"Range": "bytes=0-4", "If-Range": headers["etag"]}
    assert server.ask(path, part)[2] == body[:5]
    assert server.ask(path, {**part, "If-Range": '"another"'})[2] == body


def test_long_error_texts_are_cut_to_what_go_shows(server: Running) -> None:
    _, _, body = server.ask("/example.org/long/@v/list")
    assert len(body) <= 648
    assert body.decode().startswith("xxx")


def test_the_hint_stands_below_and_blank_lines_are_left_out(server: Running) -> None:
    assert (
        server.ask("/example.org/away/@v/list")[2]
        == b"offline\nswitch offline off\nor warm the store first\n"
    )


def test_one_connection_carries_many_requests(server: Running) -> None:
    connection = server.connect()
    for _ in range(20):
        for path, expected in (("/example.org/m/@v/v1.0.0.mod", MOD), ("/example.org/m/@v/v1.0.0.zip", ZIP)):
            connection.request("GET", path)
            assert connection.getresponse().read() == expected
            connection.request("HEAD", path)
            assert connection.getresponse().read() == b""
    connection.close()


@pytest.mark.parametrize(
    "line",
    [
        b"GET /example.org/m/@v/v1.0.0.mod HTTP/1.0\r\n\r\n",
        b"GET http://x/example.org/m/@v/v1.0.0.mod HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    ],
)
def test_old_and_absolute_request_lines(server: Running, line: bytes) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        sock.sendall(line)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answer.partition(b"\r\n\r\n")[2] == MOD


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00", b"GET\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"\r\n\r\n\r\n"]
)
def test_junk_is_not_answered_with_success(server: Running, junk: bytes) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        sock.sendall(junk)
        sock.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: sock.recv(65536), b""))
    assert b" 200 " not in answer[:20]
    assert server.ask("/healthz")[0] == 200


def test_the_first_page_speaks_the_language_asked_for(server: Running) -> None:
    line = f"go env -w GOPROXY=http://{server.host}:{server.port}"
    assert line in server.ask("/")[2].decode()
    status, headers, page = server.ask("/", {"Accept": "text/html,*/*", "Accept-Language": "zh-CN,zh;q=0.9"})
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="zh-CN">' in page.decode()
    assert line in page.decode()


@pytest.mark.parametrize("host", ["evil.example/<script>", "a b", "x" * 400, ""])
def test_the_first_page_repeats_no_odd_host(server: Running, host: str) -> None:
    page = server.ask("/", {"Host": host, "Accept": "text/html"})[2].decode()
    assert f"GOPROXY={server.url}" in page


def test_version(server: Running) -> None:
    page = json.loads(server.ask("/version")[2])
    assert page["name"] == "goferry"


def test_metrics_of_all_workers_add_up(server: Running) -> None:
    line = 'goferry_requests_total{kind="mod",outcome="hit",status="200"}'
    before = server.metric(line)
    for _ in range(40):
        assert server.ask("/example.org/m/@v/v1.0.0.mod")[0] == 200
    until(
        lambda: server.metric(line) - before == 40
    )  # counted behind the answer, by whichever worker gave it
    page = server.ask("/metrics")[2].decode()
    names = {family.name for family in text_string_to_metric_families(page)}
    assert {
        "goferry_requests",
        "goferry_request_seconds",
        "goferry_breaker_state",
        "goferry_build_info",
    } <= names
    assert server.metric("goferry_workers") == 2
    until(lambda: server.metric("goferry_store_bytes") >= 2 * len(ZIP))
    assert server.metric("goferry_store_objects") >= 6
    assert server.metric('goferry_breaker_state{host="proxy.example.org"}') == 1


def test_outcomes_and_statuses_are_counted(server: Running) -> None:
    lines = [
        'goferry_requests_total{kind="list",outcome="miss",status="200"}',
        'goferry_requests_total{kind="list",outcome="error",status="503"}',
        'goferry_requests_total{kind="other",outcome="error",status="400"}',
        'goferry_requests_total{kind="zip",outcome="hit",status="206"}',
    ]
    before = [server.metric(line) for line in lines]
    server.ask("/example.org/m/@v/list")
    server.ask("/example.org/away/@v/list")
    server.ask("/example.org%2Fm/@v/list")
    server.ask("/example.org/m/@v/v1.0.0.zip", {"Range": "bytes=0-9"})
    assert [server.metric(line) - a for line, a in zip(lines, before, strict=True)] == [1, 1, 1, 1]


def test_every_request_is_logged_without_its_query(server: Running) -> None:
    mark = f"agent-{os.urandom(4).hex()}"
    server.ask(
        "/example.org/m/@v/v1.0.0.mod?token=secret", {"User-Agent": mark, "Authorization": "Basic c2VjcmV0"}
    )
    server.ask("/example.org/missing/@v/list", {"User-Agent": mark + ' "\xe9'})
    log = server.settings.access_log_file
    assert log is not None
    until(lambda: log.exists() and log.read_text().count(mark) == 2)
    lines = [line for line in log.read_text().splitlines() if mark in line]
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z 127\.0\.0\.1 GET"
    found = sorted(lines, key=len)
    assert any(
        re.fullmatch(rf'{stamp} /example\.org/m/@v/v1\.0\.0\.mod 200 21 0\.\d+ hit mod "{mark}"', line)
        for line in found
    )
    assert any(
        re.fullmatch(
            rf'{stamp} /example\.org/missing/@v/list 404 36 0\.\d+ error list "{mark} \\x22\\xe9"', line
        )
        for line in found
    )
    assert "secret" not in log.read_text()


def test_readyz_says_what_is_wrong(server: Running) -> None:
    problems = Path(server.settings.store) / "problems"
    problems.write_text("the store cannot be written\n")
    try:
        status, _, body = server.ask("/readyz")
        assert (status, body) == (503, b"the store cannot be written\n")
        assert server.ask("/healthz")[0] == 200
    finally:
        problems.unlink()


def test_a_client_that_leaves_harms_nobody(server: Running) -> None:
    for _ in range(10):
        with socket.create_connection((server.host, server.port), timeout=10) as sock:
            sock.sendall(b"GET /example.org/m/@v/v1.0.0.zip HTTP/1.1\r\nHost: x\r\n\r\n")
            assert sock.recv(100)
    assert server.ask("/example.org/m/@v/v1.0.0.zip")[2] == ZIP
    until(lambda: server.metric("goferry_requests_in_flight") == 1)


def test_a_stored_file_that_goes_away_is_an_outage(server: Running) -> None:
    path = keep(Path(server.settings.store), "example.org/gone/@v/v1.0.0.mod", b"module example.org/gone\n")
    assert server.ask("/example.org/gone/@v/v1.0.0.mod")[0] == 200
    path.unlink()
    # The fake proxy answers for what the store lacks: memory does not, as soon as the last look is too old.
    until(lambda: server.ask("/example.org/gone/@v/v1.0.0.mod")[2] == b'{"Version":"v1.1.0"}')


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_http2_over_plain_text_is_not_offered(server: Running) -> None:
    out = subprocess.run(
        ["curl", "-s", "-o", os.devnull, "-w", "%{http_version}", "--http2", server.url + "/healthz"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert out.stdout == "1.1"


def test_metrics_and_log_can_be_switched_off(tmp_path: Path) -> None:
    with serving(tmp_path, metrics=False, access_log="off", language="zh_CN") as running:
        status, _, _ = running.ask("/metrics")
        assert status == 404
        assert running.ask("/healthz")[0] == 200
        log = running.settings.access_log_file
        assert log is not None
        assert not log.exists()


def test_a_json_log(tmp_path: Path) -> None:
    with serving(tmp_path, access_log="json") as running:
        running.ask("/healthz")
        log = running.settings.access_log_file
        assert log is not None
    assert [json.loads(line)["path"] for line in log.read_text().splitlines()] == ["/healthz"]


def test_pipelined_requests_are_answered_in_order(server: Running) -> None:
    with socket.create_connection((server.host, server.port), timeout=10) as sock:
        sock.sendall(
            b"GET /example.org/m/@v/v1.0.0.mod HTTP/1.1\r\nHost: x\r\n\r\n"
            b"GET /example.org/m/@v/v1.0.0.info HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        answers = b"".join(iter(lambda: sock.recv(65536), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 2
    assert 0 < answers.index(MOD) < answers.index(INFO)
