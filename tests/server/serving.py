"""Starts the real server in a process of its own, on a free port, over the fake module proxy."""

import contextlib
import http.client
import os
import pickle
import signal
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from goferry.config import Address, Settings

TESTS = Path(__file__).parent.parent
FAKE = "server.fakeproxy:open_fake"

_MAIN = """
import pickle, sys
from pathlib import Path
from goferry import i18n
from goferry.errors import GoferryError
from goferry.server.run import serve
settings_file, opener, language = sys.argv[1:]
def read():
    with open(settings_file, "rb") as file:
        return pickle.load(file)
i18n.activate(language)
try:
    sys.exit(
        serve(
            read(),
            ready=lambda url: print(url, flush=True),
            reload=read,
            opener=opener,
            chore="server.fakechore:chore",
            config=Path("goferry.toml"),
        )
    )
except GoferryError as failure:
    print("error:", failure, "|", failure.hint, flush=True)
    sys.exit(failure.exit_code)
"""


class Server:
    """A server process that runs. `ask` asks it over a fresh connection."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url
        self.host, _, port = url.partition("://")[2].rpartition(":")
        self.port = int(port)

    def connect(self) -> http.client.HTTPConnection:
        if self.url.startswith("https"):
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return http.client.HTTPSConnection(self.host, self.port, timeout=20, context=context)
        return http.client.HTTPConnection(self.host, self.port, timeout=20)

    def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers (names in lower case) and body."""
        with contextlib.closing(self.connect()) as connection:
            connection.request(method, path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def workers(self) -> list[int]:
        """Process ids of the workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text().split()]

    def metric(self, line_start: str) -> float:
        """The value of one line of /metrics; 0 when it is not there."""
        _, _, page = self.ask("/metrics")
        found = [line for line in page.decode().splitlines() if line.startswith(line_start)]
        return float(found[0].rpartition(" ")[2]) if found else 0.0


class Running(Server):
    """A server whose settings a test can change."""

    def __init__(
        self, process: subprocess.Popen[str], url: str, settings_file: Path, settings: Settings
    ) -> None:
        super().__init__(process, url)
        self.settings = settings
        self._settings_file = settings_file

    def change(self, **changes: Any) -> None:
        """Write other settings for the next reload."""
        self.settings = replace(self.settings, **changes)
        self._settings_file.write_bytes(pickle.dumps(self.settings))


def start(
    settings: Settings, folder: Path, opener: str = FAKE, language: str = "en"
) -> subprocess.Popen[str]:
    settings_file = folder / "settings.pickle"
    settings_file.write_bytes(pickle.dumps(settings))
    path = os.pathsep.join([str(TESTS.parent / "src"), str(TESTS)])
    with (folder / "stderr").open("w") as stderr:
        return subprocess.Popen(
            [sys.executable, "-P", "-c", _MAIN, str(settings_file), opener, language],
            env={**os.environ, "PYTHONPATH": path},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )


@contextlib.contextmanager
def serving(folder: Path, opener: str = FAKE, language: str = "en", **changes: Any) -> Iterator[Running]:
    """A server over `folder/store`, stopped at the end. `changes` are settings."""
    folder.mkdir(parents=True, exist_ok=True)
    options: dict[str, Any] = {
        "addr": Address("127.0.0.1", 0),
        "store": str(folder / "store"),
        "access_log_file": folder / "access.log",
        "drain_timeout": 10.0,
        **changes,
    }
    settings = Settings(**options)
    process = start(settings, folder, opener, language)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url.startswith("http"), url + (folder / "stderr").read_text()
        yield Running(process, url, folder / "settings.pickle", settings)
    finally:
        stop(process)


def stop(process: subprocess.Popen[str]) -> int:
    """Stop it kindly, then not; the exit status."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
    finally:
        if process.stdout is not None:
            process.stdout.close()


def until(done: Any, limit: float = 20.0) -> None:
    """Wait for a condition that another process brings about."""
    deadline = time.monotonic() + limit
    while not done():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def keep(store: Path, key: str, data: bytes) -> Path:
    """Put a file into a store folder."""
    path = store / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return path
