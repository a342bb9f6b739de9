"""The supervisor and its workers: start, drain, reload, death, TLS, and how much memory slow clients take."""

import contextlib
import datetime
import http.client
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from goferry.config import Address, Settings
from goferry.server import sockets
from server.serving import Running, keep, serving, start, until
from sizes import size

MOD = b"module example.org/m\n"
PATH = "/example.org/m/@v/v1.0.0.mod"
BIG = "/example.org/m/@v/v1.0.0.zip"


def certificate(folder: Path, name: str, serial: int) -> tuple[Path, Path]:
    """A self-signed certificate for localhost and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    cert = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_file, key_file = folder / f"{name}.crt", folder / f"{name}.key"
    cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )
    return cert_file, key_file


class Clients:
    """Clients that ask without pause, over kept and over fresh connections, and note every failure.

    A refused connection is no failure once the server was told to stop: nothing was asked over it. A kept connection
    that is closed between two requests, before a byte of the next one's answer, is opened again, as every HTTP client
    does (RFC 9112 section 9.3.1).
    """

    def __init__(self, server: Running, threads: int) -> None:
        self.failures: list[str] = []
        self.answered = 0
        self.reopened = 0
        self._server = server
        self._stop = threading.Event()
        self._told = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, args=(n % 2 == 0,)) for n in range(threads)]
        for thread in self._threads:
            thread.start()

    def tell_of_the_end(self) -> None:
        self._told.set()

    def join(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, kept: bool) -> None:
        connection: http.client.HTTPConnection | None = None
        n = 0
        while not self._stop.is_set():
            n += 1
            fresh = connection is None
            connection = connection or self._server.connect()
            if not self._ask(
                connection, fresh, BIG if n % 3 == 0 else f"/example.org/wait/@v/wait-{n % 20}.info"
            ):
                break
            if not kept or connection.sock is None:
                connection.close()
                connection = None
        if connection is not None:
            connection.close()

    def _ask(self, connection: http.client.HTTPConnection, fresh: bool, path: str) -> bool:
        """False when the server is gone for good."""
        try:
            if fresh:
                connection.connect()
        except ConnectionRefusedError:
            if not self._told.is_set():
                self._fail("refused while it should serve")
            return False
        except OSError as error:
            self._fail(f"connect: {error!r}")
            return False
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError) as error:
            if fresh:
                self._fail(f"no answer over a fresh connection: {error!r}")
                return False
            with self._lock:
                self.reopened += 1
            connection.close()
            return True
        try:
            body = answer.read()
        except (http.client.HTTPException, OSError) as error:
            self._fail(f"{path}: body cut: {error!r}")
            return False
        if answer.status != 200 or not body:
            self._fail(f"{path}: {answer.status} {body[:100]!r}")
        with self._lock:
            self.answered += 1
        return True

    def _fail(self, what: str) -> None:
        with self._lock:
            self.failures.append(what)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    keep(tmp_path / "store", PATH[1:], MOD)
    keep(tmp_path / "store", BIG[1:], os.urandom(2_000_000))
    return tmp_path


def test_no_request_fails_when_the_server_is_told_to_stop(folder: Path) -> None:
    for _ in range(size(1, 20)):
        with serving(folder, workers=2) as running:
            clients = Clients(running, 8)
            until(lambda: clients.answered > 100)  # noqa: B023 - called before the next round
            clients.tell_of_the_end()
            running.signal(signal.SIGTERM)
            status = running.process.wait(30)
            clients.join()
        assert clients.failures == []
        assert status == 0
        assert clients.reopened <= 4


# time limit, how long the answer takes (ms); status and body of the answer, exit status, what is logged
ORDERS_TO_STOP = {
    "a long request is finished": (30.0, 1500, 200, b'{"Version":"v1.1.0"}', 0, []),
    "one that outlasts the limit is cut": (
        0.5, 60000, 503, b"the server is stopping and could not wait for the answer\n", 1, ["1 requests unanswered"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ORDERS_TO_STOP)
def test_the_server_leaves_when_what_is_open_is_answered_or_the_time_is_up(folder: Path, case: str) -> None:
    limit, takes, status, body, left_with, logged = ORDERS_TO_STOP[case]
    with serving(folder, drain_timeout=limit) as running, contextlib.closing(running.connect()) as connection:
        connection.request("GET", f"/example.org/wait/@v/wait-{takes}.info")
        until(lambda: running.metric("goferry_requests_in_flight") == 2)
        running.signal(signal.SIGTERM)
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("connection")) == (status, "close")
        assert answer.read() == body
        assert running.process.wait(30) == left_with
        assert re.findall(r"\d+ requests unanswered", (folder / "stderr").read_text()) == logged


def test_no_request_fails_while_the_settings_are_read_again(folder: Path) -> None:
    with serving(folder, workers=2) as running:
        before = set(running.workers())
        clients = Clients(running, 8)
        for round_ in range(size(1, 5)):
            running.change(list_fresh=77.0 + round_)
            old = set(running.workers())
            running.signal(signal.SIGHUP)
            until(lambda: not old & set(running.workers()))  # noqa: B023 - called before the next round
        assert running.ask("/example.org/m/@v/list")[1]["cache-control"] == f"public, max-age={77 + round_}"
        clients.join()
        assert clients.failures == []
        assert clients.answered > 100
        assert len(running.workers()) == 2
        assert not before & set(running.workers())
        assert running.metric('goferry_reloads_total{result="ok"}') == round_ + 1
        # Counting goes on over generations: every answer that clients saw is there, and a few after the last look.
        page = running.ask("/metrics")[2].decode().splitlines()
        counted = sum(
            float(line.rpartition(" ")[2])
            for line in page
            if line.startswith(('goferry_requests_total{kind="info"', 'goferry_requests_total{kind="zip"'))
        )
        assert counted >= clients.answered


def test_the_number_of_workers_follows_a_reload(folder: Path) -> None:
    with serving(folder, workers=1) as running:
        for workers in (3, 1):
            old = set(running.workers())
            running.change(workers=workers)
            running.signal(signal.SIGHUP)
            until(lambda: not old & set(running.workers()) and len(running.workers()) == workers)  # noqa: B023
            assert running.ask(PATH)[2] == MOD


def test_a_reload_with_a_wrong_setting_changes_nothing(folder: Path) -> None:
    cert, key = certificate(folder, "one", 1)
    with serving(folder, tls_cert=cert, tls_key=key) as running:
        before = running.workers()
        cert.write_text("no certificate")
        running.signal(signal.SIGHUP)
        until(lambda: running.metric('goferry_reloads_total{result="refused"}') == 1)
        assert running.workers() == before
        assert running.ask(PATH)[2] == MOD
        until(lambda: "tls_cert" in (folder / "stderr").read_text())


def test_a_reload_waits_for_the_one_before(folder: Path) -> None:
    with serving(folder, workers=4, drain_timeout=2.0) as running, contextlib.ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(contextlib.closing(running.connect()))
            connection.request("GET", "/example.org/wait/@v/wait-60000.info")
        until(lambda: running.metric("goferry_requests_in_flight") == 21)
        running.signal(signal.SIGHUP)
        until(lambda: running.metric('goferry_reloads_total{result="ok"}') == 1)
        running.signal(signal.SIGHUP)
        until(lambda: running.metric('goferry_reloads_total{result="refused"}') == 1)
        until(lambda: "try again later" in (folder / "stderr").read_text())
        until(lambda: len(running.workers()) == 4)
        assert running.ask(PATH)[2] == MOD


def _served_certificate(running: Running) -> bytes:
    import ssl

    return ssl.get_server_certificate((running.host, running.port)).encode()


def test_a_new_certificate_is_used_after_a_reload(folder: Path) -> None:
    cert, key = certificate(folder, "one", 1)
    with serving(folder, tls_cert=cert, tls_key=key, workers=2) as running:
        assert running.url.startswith("https://")
        assert _served_certificate(running).split() == cert.read_bytes().split()
        clients = Clients(running, 4)
        new_cert, new_key = certificate(folder, "two", 2)
        shutil.copy(new_cert, cert)
        shutil.copy(new_key, key)
        old = set(running.workers())
        running.signal(signal.SIGHUP)
        until(lambda: not old & set(running.workers()))
        assert _served_certificate(running).split() == new_cert.read_bytes().split()
        clients.join()
        assert clients.failures == []


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_http2_over_tls(folder: Path) -> None:
    cert, key = certificate(folder, "one", 1)
    with serving(folder, tls_cert=cert, tls_key=key) as running:

        def curl(*words: str) -> tuple[str, bytes]:
            body = folder / "body"
            done = subprocess.run(
                [
                    "curl",
                    "-sk",
                    "-o",
                    str(body),
                    "-w",
                    "%{http_version} %{http_code} %{size_download}",
                    *words,
                ],
                capture_output=True,
                text=True,
                check=True,
            )
            return done.stdout, body.read_bytes() if body.exists() else b""

        whole = (folder / "store" / BIG[1:]).read_bytes()
        assert curl("--http2", running.url + PATH) == ("2 200 21", MOD)
        assert curl("--http1.1", running.url + PATH) == ("1.1 200 21", MOD)
        assert curl("--http2", running.url + BIG) == ("2 200 2000000", whole)
        assert curl("--http2", "-r", "5-1000004", running.url + BIG) == ("2 206 1000000", whole[5:1000005])
        assert curl("--http2", "-I", running.url + BIG)[0] == "2 200 0"
        assert curl("--http2", running.url + "/example.org/away/@v/list")[0].startswith("2 503")
        # Several requests over one connection while the server is told to stop: each is answered.
        urls = [f"{running.url}/example.org/wait/@v/wait-{300 + n}.info" for n in range(5)]
        words = [
            "curl",
            "-sk",
            "--http2",
            "-Z",
            *(part for url in urls for part in ("-o", os.devnull, url)),
            "-w",
            "%{http_code}\n",
        ]
        process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        until(lambda: running.metric("goferry_requests_in_flight") == 6)
        running.signal(signal.SIGTERM)
        assert process.communicate(timeout=20)[0].split() == ["200"] * 5
        assert running.process.wait(30) == 0


def test_a_worker_that_dies_is_replaced(folder: Path) -> None:
    with serving(folder, workers=2) as running:
        until(lambda: running.ask(PATH)[2] == MOD)
        counted = running.metric('goferry_requests_total{kind="mod",outcome="hit",status="200"}')
        old = running.workers()
        for pid in old:
            os.kill(pid, signal.SIGKILL)
        until(lambda: len(set(running.workers()) - set(old)) == 2)
        # Connections wait in the supervisor's queue until somebody takes them.
        assert running.ask(PATH)[2] == MOD
        assert running.metric("goferry_worker_restarts_total") == 2
        assert running.metric('goferry_requests_total{kind="mod",outcome="hit",status="200"}') == counted + 1
        assert running.metric("goferry_requests_in_flight") == 1


def test_a_worker_that_cannot_be_replaced_now_is_replaced_later(folder: Path) -> None:
    with serving(folder, "server.fakeproxy:open_unless_down") as running:
        down = folder / "store" / "down"
        down.touch()
        os.kill(running.workers()[0], signal.SIGKILL)
        until(lambda: (folder / "stderr").read_text().count("the store is down") >= 1)
        down.unlink()
        assert running.ask(PATH)[2] == MOD
        assert running.metric("goferry_worker_restarts_total") >= 2


def test_a_worker_that_hangs_while_it_leaves_is_killed_and_not_replaced(folder: Path) -> None:
    with serving(folder, drain_timeout=0.1) as running:
        old = running.workers()[0]
        os.kill(old, signal.SIGSTOP)
        running.signal(signal.SIGHUP)
        until(lambda: len(running.workers()) == 2)
        until(lambda: old not in running.workers())
        assert "did not leave in time" in (folder / "stderr").read_text()
        assert running.ask(PATH)[2] == MOD
        assert len(running.workers()) == 1
        assert running.metric("goferry_worker_restarts_total") == 0


def test_workers_leave_when_their_supervisor_dies(folder: Path) -> None:
    with serving(folder, workers=2) as running:
        workers = running.workers()
        running.process.kill()
        running.process.wait()
        until(lambda: not any(_alive(pid) for pid in workers))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((running.host, running.port), timeout=5)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_signal_for_the_whole_group_is_one_order_to_stop(folder: Path) -> None:
    with serving(folder, workers=2) as running:
        connection = running.connect()
        connection.request("GET", "/example.org/wait/@v/wait-800.info")
        until(lambda: running.metric("goferry_requests_in_flight") == 2)
        for pid in (running.process.pid, running.process.pid, *running.workers()):
            os.kill(pid, signal.SIGTERM)
        assert connection.getresponse().read() == b'{"Version":"v1.1.0"}'
        connection.close()
        assert running.process.wait(30) == 0


def test_a_second_order_to_stop_is_obeyed_at_once(folder: Path) -> None:
    with serving(folder, drain_timeout=60.0) as running:
        connection = running.connect()
        connection.request("GET", "/example.org/wait/@v/wait-60000.info")
        until(lambda: running.metric("goferry_requests_in_flight") == 2)
        running.signal(signal.SIGTERM)
        until(lambda: _refused(running))
        # Orders within a second count as one, so this is repeated until it is another one.
        until(lambda: running.process.poll() is not None or running.signal(signal.SIGTERM))
        connection.close()


def _refused(running: Running) -> bool:
    try:
        socket.create_connection((running.host, running.port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


# ---- starting ----------------------------------------------------------------------------------------------


def _fails(settings: Settings, folder: Path, opener: str = "server.fakeproxy:open_fake") -> tuple[int, str]:
    process = start(settings, folder, opener)
    assert process.stdout is not None
    with process.stdout:
        return process.wait(30), process.stdout.readline()


def test_a_taken_port_is_named_with_what_to_do(tmp_path: Path) -> None:
    with contextlib.closing(sockets.listen(Address("127.0.0.1", 0))) as holder:
        port = holder.getsockname()[1]
        status, line = _fails(Settings(addr=Address("127.0.0.1", port), store=str(tmp_path)), tmp_path)
    assert status == 2
    assert f"cannot listen on 127.0.0.1:{port}: the address is already in use" in line
    assert "--addr HOST:PORT" in line


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    status, line = _fails(Settings(addr=Address("192.0.2.1", 0), store=str(tmp_path)), tmp_path)
    assert status == 2
    assert "cannot listen on 192.0.2.1:0: this machine has no such address" in line


def test_what_keeps_a_worker_from_starting_is_said(tmp_path: Path) -> None:
    settings = Settings(addr=Address("127.0.0.1", 0), store=str(tmp_path), workers=2)
    status, line = _fails(settings, tmp_path, "server.fakeproxy:open_never")
    assert status == 1
    assert line == f"error: the store {tmp_path} is no folder | give another --store\n"


def test_a_worker_that_cannot_even_be_loaded_ends_the_start(tmp_path: Path) -> None:
    settings = Settings(addr=Address("127.0.0.1", 0), store=str(tmp_path))
    status, line = _fails(settings, tmp_path, "server.fakeproxy:no_such_opener")
    assert status == 2
    assert "a worker ended while it started" in line
    assert "no_such_opener" in (tmp_path / "stderr").read_text()


def test_a_key_of_another_certificate_is_a_setting_at_fault(tmp_path: Path) -> None:
    cert, _ = certificate(tmp_path, "one", 1)
    _, key = certificate(tmp_path, "two", 2)
    settings = Settings(addr=Address("127.0.0.1", 0), store=str(tmp_path), tls_cert=cert, tls_key=key)
    status, line = _fails(settings, tmp_path)
    assert status == 2
    assert "tls_cert" in line
    assert str(key) in line


def test_workers_import_nothing_from_the_folder_they_stand_in(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = folder / "trap"
    (trap / "goferry").mkdir(parents=True)
    (trap / "goferry" / "__init__.py").write_text("raise SystemExit('wrong goferry')")
    (trap / "uvloop.py").write_text("raise SystemExit('wrong uvloop')")
    monkeypatch.chdir(trap)
    with serving(folder) as running:
        assert running.ask(PATH)[2] == MOD


def test_no_secret_is_in_arguments_or_environment(folder: Path) -> None:
    secret = "s3cret"
    with serving(folder, upstream=f"https://user:{secret}@proxy.example.org") as running:
        for pid in (running.process.pid, *running.workers()):
            for name in ("cmdline", "environ"):
                assert secret.encode() not in Path(f"/proc/{pid}/{name}").read_bytes()


def test_the_supervisor_stays_small(folder: Path) -> None:
    with serving(folder) as running:
        maps = Path(f"/proc/{running.process.pid}/maps").read_text()
        assert "granian" not in maps
        assert "uvloop" not in maps
        assert "granian" in Path(f"/proc/{running.workers()[0]}/maps").read_text()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:"), ("localhost", "http://")],
)
def test_the_url_is_one_that_a_client_here_can_use(host: str, expected: str) -> None:
    with contextlib.closing(sockets.listen(Address(host, 0))) as sock:
        assert sockets.url_of(sock, tls=False).startswith(expected)
        assert sockets.url_of(sock, tls=True).startswith("https://")


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_a_draining_socket_lets_nobody_in_but_keeps_who_is_in() -> None:
    with contextlib.closing(sockets.listen(Address("127.0.0.1", 0))) as sock:
        where = sock.getsockname()
        with socket.create_connection(where, timeout=5) as early:
            until(lambda: sockets.waiting(sock) == 1)
            sockets.refuse_new(sock)
            with socket.socket() as late:
                late.setblocking(False)
                with pytest.raises(BlockingIOError):
                    late.connect(where)
                accepted, _ = sock.accept()
                with accepted:
                    early.sendall(b"hello")
                    accepted.settimeout(5)
                    assert accepted.recv(5) == b"hello"
                with pytest.raises(BlockingIOError):
                    sock.accept()
                assert sockets.waiting(sock) == 0


# ---- slow readers and broken files -------------------------------------------------------------------------


def _resident(pid: int) -> int:
    """Resident memory in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def _until_it_reads_no_more(pid: int) -> None:
    """Wait until a process has stopped reading files: every buffer on the way to the clients is full."""
    looks: list[str] = []

    def same_three_times() -> bool:
        time.sleep(0.05)
        looks.append(Path(f"/proc/{pid}/io").read_text().splitlines()[0])
        return len(looks) > 3 and len(set(looks[-3:])) == 1

    until(same_three_times)


@pytest.fixture
def huge(folder: Path) -> Path:
    path = keep(folder / "store", "example.org/huge/@v/v1.0.0.zip", b"")
    with path.open("wb") as file:
        file.truncate(400 * 10**6)
    return path


@pytest.mark.parametrize("asked", [b"", b"Range: bytes=1-\r\n"], ids=["whole", "range"])
def test_readers_that_stall_take_little_memory(folder: Path, huge: Path, asked: bytes) -> None:
    with serving(folder) as running:
        assert running.ask(PATH)[2] == MOD
        worker = running.workers()[0]
        before = _resident(worker)
        with contextlib.ExitStack() as stack:
            for _ in range(8):
                sock = stack.enter_context(socket.create_connection((running.host, running.port), timeout=10))
                sock.sendall(b"GET /example.org/huge/@v/v1.0.0.zip HTTP/1.1\r\nHost: x\r\n" + asked + b"\r\n")
                assert sock.recv(15).startswith(b"HTTP/1.1 20")
            _until_it_reads_no_more(worker)
            assert running.ask(PATH)[2] == MOD
            highest = _resident(worker)
        assert highest - before < 40 * 10**6


@pytest.mark.parametrize("asked", [{}, {"Range": "bytes=1-"}], ids=["whole", "range"])
def test_a_body_that_ends_early_is_never_a_clean_end(folder: Path, huge: Path, asked: dict[str, str]) -> None:
    with serving(folder) as running, contextlib.closing(running.connect()) as connection:
        connection.request("GET", "/example.org/huge/@v/v1.0.0.zip", headers=asked)
        answer = connection.getresponse()
        answer.read(1000)
        os.truncate(huge, 10**6)
        with pytest.raises((http.client.IncompleteRead, ConnectionError)):
            answer.read()


@contextlib.contextmanager
def _idle(running: Running, count: int) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            stack.enter_context(socket.create_connection((running.host, running.port), timeout=10))
        yield


def test_idle_connections_do_not_keep_the_server_from_answering_or_leaving(folder: Path) -> None:
    with serving(folder) as running, _idle(running, 300), contextlib.closing(running.connect()) as kept:
        kept.request("GET", PATH)
        assert kept.getresponse().read() == MOD
        assert running.ask(PATH)[2] == MOD
        running.signal(signal.SIGTERM)
        assert running.process.wait(30) == 0
