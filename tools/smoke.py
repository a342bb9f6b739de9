"""One real download: `go mod download` of a small graph through `goferry serve`, from the real upstream.

Cold, then warm, then with the upstream switched off, each with an empty client cache and the checksum database on;
the go.sum files must be the same as without goferry. When the upstream cannot be reached without goferry either,
this says so and passes: a missing network is not our fault, but nobody shall think that it was tested.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOFERRY = ROOT / ".venv" / ("Scripts" if os.name == "nt" else "bin") / "goferry"
GO_MOD = "module example.org/smoke\n\ngo 1.20\n\nrequire rsc.io/quote v1.5.2\n"
PATIENCE = 300.0


def main() -> int:
    if shutil.which("go") is None:
        return skipped("there is no go command")
    with tempfile.TemporaryDirectory(prefix="goferry-smoke-") as folder:
        work = Path(folder)
        try:
            wanted = download(work / "without", {})
        except subprocess.CalledProcessError as error:
            return skipped(f"the upstream is out of reach without goferry too:\n{error.stderr}")
        store = work / "store"
        for name, flags in (("cold", []), ("warm", []), ("offline", ["--offline"])):
            with serving(store, flags) as url:
                began = time.monotonic()
                got = download(work / name, {"GOPROXY": url})
            if got != wanted:
                print(f"FAILED: {name}: go.sum differs\n{got}\nwithout goferry:\n{wanted}")
                return 1
            print(f"{name}: {len(got.splitlines())} go.sum lines in {time.monotonic() - began:.1f} s")
    print("smoke: passed")
    return 0


def skipped(why: str) -> int:
    print(f"SKIPPED: no real download was tried: {why}")
    return 0


def download(folder: Path, extra: Mapping[str, str]) -> str:
    """go.sum after `go mod download all` with an empty module cache. CalledProcessError when go fails."""
    folder.mkdir()
    (folder / "go.mod").write_text(GO_MOD)
    environ = {**os.environ, "GOMODCACHE": str(folder / "cache"), "GOFLAGS": "-modcacherw -mod=mod", **extra}
    result = subprocess.run(
        ["go", "mod", "download", "all"],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    if result.returncode:
        if extra:
            print(result.stderr)
        raise subprocess.CalledProcessError(result.returncode, result.args, result.stdout, result.stderr)
    return (folder / "go.sum").read_text()


@contextmanager
def serving(store: Path, flags: list[str]) -> Iterator[str]:
    """A goferry on a free port, ready; stopped at the end."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        str(GOFERRY),
        "serve",
        "--addr",
        f"127.0.0.1:{port}",
        "--store",
        str(store),
        "--access-log",
        "off",
        *flags,
    ]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        wait_until_ready(f"{url}/readyz", process)
        yield url
    finally:
        process.terminate()
        process.wait(60)


def wait_until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"FAILED: goferry stopped at once with exit code {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise SystemExit(f"FAILED: {url} did not answer within 30 s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
