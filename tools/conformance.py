"""Runs cmd/go's own script tests with a module proxy between the client and the fixture server.

Why: those scripts are the best description there is of what the go command expects from a proxy. Every script
that passes without a proxy in between must pass with it; exceptions stand by name and reason in
conformance_exceptions.toml.

How: the test binary of cmd/go is built from the Go tree on the machine with one file replaced (`-overlay`;
the tree itself is never written). The replaced proxy_test.go listens where it is told and has one more rule:

    go ── /mod/… ──> fixture server ── plain requests ──> proxy under test ── /origin/… ──> fixture server
                     └─ magic paths (/mod/404/…, /mod/sumdb-wrong/…, /mod/invalid/…) are answered here: they
                        play a broken proxy, or a checksum database that the client reaches without a proxy

What follows a magic part (modules of /mod/sumdb-503/…, the last hop of /mod/redirect/9/…) goes through too.

    python tools/conformance.py                   baseline, then through goferry
    python tools/conformance.py --server relay    through a byte relay: shows what the runner itself changes
    python tools/conformance.py --go PATH         another Go tree
"""

import argparse
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EXCEPTIONS = Path(__file__).with_name("conformance_exceptions.toml")
SCRIPTS = "^(mod_|gotoolchain_)"
GOFERRY = (
    f"{shlex.quote(sys.executable)} -m goferry serve --addr {{addr}} --store {{store}} "
    "--upstream {origin} --sumdb '{sumdb}'"
)
RELAY = "relay"
SUITE_SECONDS = 900
SHOWN_LINES = 25

RESULT = re.compile(r"^\s+--- (PASS|FAIL|SKIP): TestScript/(\S+)")
PIECE = re.compile(r"^=== (?:RUN|NAME|CONT|PAUSE)\s+(?:TestScript/)?(\S+)")
VERIFIER_KEY = re.compile(r'testSumDBVerifierKey = "([^"]+)"')


class ConformanceError(Exception):
    """The run could not be done; the text says why."""


# Anchor in proxy_test.go → what is put in its place. Each anchor must occur exactly once: a newer Go tree
# that changed there is an error to be looked at, never a silent run without the proxy.
PATCHES = (
    ('\t"net/http"\n', '\t"net/http"\n\t"net/http/httputil"\n\t"net/url"\n'),
    (
        '\t\taddr := *proxyAddr\n\t\tif addr == "" {\n',
        '\t\taddr := *proxyAddr\n\t\tif addr == "" {\n'
        '\t\t\taddr = os.Getenv("CONFORMANCE_FIXTURE_ADDR")\n\t\t}\n\t\tif addr == "" {\n',
    ),
    (
        "func proxyHandler(w http.ResponseWriter, r *http.Request) {\n",
        "// underTest is the proxy under test, or nil.\n"
        "var underTest = func() http.Handler {\n"
        '\ttarget, err := url.Parse(os.Getenv("CONFORMANCE_PROXY_URL"))\n'
        '\tif err != nil || target.Host == "" {\n'
        "\t\treturn nil\n"
        "\t}\n"
        "\treturn &httputil.ReverseProxy{Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(target) }}\n"
        "}()\n\n"
        "func proxyHandler(w http.ResponseWriter, r *http.Request) {\n"
        '\trest, isOrigin := strings.CutPrefix(r.URL.Path, "/origin/")\n'
        "\tif isOrigin {\n"
        '\t\tr.URL.Path = "/mod/" + rest\n'
        "\t}\n",
    ),
    (
        "\t// Request for $GOPROXY/sumdb/<name>/supported\n",
        "\tif underTest != nil && !isOrigin {\n"
        '\t\tr.URL.Path, r.URL.RawPath = "/"+path, ""\n'
        "\t\tunderTest.ServeHTTP(w, r)\n"
        "\t\treturn\n"
        "\t}\n\n"
        "\t// Request for $GOPROXY/sumdb/<name>/supported\n",
    ),
)


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A Go tree that carries cmd/go's tests."""

    go: str
    root: Path
    version: str

    @property
    def package(self) -> Path:
        return self.root / "src" / "cmd" / "go"


@dataclass(frozen=True, slots=True)
class Suite:
    """One run: script name → PASS, FAIL or SKIP, and the whole output."""

    results: dict[str, str]
    output: str
    seconds: float

    @property
    def counts(self) -> Counter[str]:
        return Counter(self.results.values())


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost`: passes without, not with. `excused`: the same, but excepted. `stale`: excepted, yet passes."""

    lost: list[str]
    excused: list[str]
    stale: list[str]

    @property
    def ok(self) -> bool:
        return not self.lost and not self.stale


def find_toolchain(go: str) -> Toolchain:
    """The tree behind a `go` command. Raises ConformanceError when it has no tests."""
    found = shutil.which(go)
    if found is None:
        raise ConformanceError(f"no go command at {go}")
    found = str(Path(found).absolute())  # it is run from other folders
    env = go_environment()
    wanted = subprocess.run(
        [found, "env", "GOROOT", "GOVERSION"], env=env, capture_output=True, text=True, check=True
    )
    root, version = wanted.stdout.split()
    toolchain = Toolchain(found, Path(root), version)
    for needed in ("proxy_test.go", "testdata/script", "testdata/mod"):
        if not (toolchain.package / needed).exists():
            raise ConformanceError(f"{version} at {root} carries no src/cmd/go/{needed}")
    return toolchain


def go_environment() -> dict[str, str]:
    """The environment without settings of the go command: a person's own must not change the result."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GO") or name == "GOCACHE"
    }
    return kept | {"GOENV": "off", "GOTOOLCHAIN": "local", "GOPROXY": "off", "GOFLAGS": ""}


def patched(source: str) -> str:
    """proxy_test.go with the rules of PATCHES. Raises ConformanceError when an anchor is not there once."""
    for anchor, replacement in PATCHES:
        if source.count(anchor) != 1:
            raise ConformanceError(
                f"proxy_test.go has changed: {source.count(anchor)} times {anchor.strip()!r}"
            )
        source = source.replace(anchor, replacement)
    return source


def build(toolchain: Toolchain, folder: Path) -> Path:
    """Compiles the patched test binary of cmd/go; returns its path."""
    original = toolchain.package / "proxy_test.go"
    replaced = folder / "proxy_test.go"
    replaced.write_text(patched(original.read_text()))
    overlay = folder / "overlay.json"
    overlay.write_text(json.dumps({"Replace": {str(original): str(replaced)}}))
    binary = folder / "cmdgo.test"
    command = [toolchain.go, "test", "-c", f"-overlay={overlay}", "-vet=off", "-o", str(binary), "."]
    done = subprocess.run(
        command, cwd=toolchain.package, env=go_environment(), capture_output=True, text=True
    )
    if done.returncode != 0:
        raise ConformanceError(f"the test binary does not build:\n{done.stderr}")
    return binary


def run_suite(toolchain: Toolchain, binary: Path, scripts: str, fixture: str, proxy: str | None) -> Suite:
    """Runs the scripts once; `proxy` is the URL of the proxy under test, None for the baseline."""
    env = go_environment() | {
        "CONFORMANCE_FIXTURE_ADDR": fixture,
        "CONFORMANCE_PROXY_URL": proxy or "",
        "PATH": f"{Path(toolchain.go).parent}{os.pathsep}{os.environ['PATH']}",
    }
    command = [str(binary), "-test.short", "-test.v", "-test.run", f"TestScript/{scripts}"]
    command += ["-test.timeout", f"{SUITE_SECONDS}s"]
    started = time.monotonic()
    done = subprocess.run(
        command,
        cwd=toolchain.package,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=SUITE_SECONDS + 60,
    )
    results = {m[2]: m[1] for line in done.stdout.splitlines() if (m := RESULT.match(line))}
    if not results:
        raise ConformanceError(f"no script ran:\n{done.stdout[-2000:]}")
    return Suite(results, done.stdout, time.monotonic() - started)


def judge(without: dict[str, str], through: dict[str, str], exceptions: dict[str, str]) -> Verdict:
    """Compares two runs. A script that skips or is missing behind the proxy is lost as well."""
    lost = sorted(
        name for name, result in without.items() if result == "PASS" and through.get(name) != "PASS"
    )
    return Verdict(
        lost=[name for name in lost if name not in exceptions],
        excused=[name for name in lost if name in exceptions],
        stale=sorted(name for name in exceptions if without.get(name) == "PASS" == through.get(name)),
    )


def load_exceptions(path: Path) -> dict[str, str]:
    """Script name → reason. Raises ConformanceError for an entry without one."""
    entries = tomllib.loads(path.read_text()).get("exception", [])
    for entry in entries:
        if not entry.get("script") or not entry.get("reason"):
            raise ConformanceError(f"{path.name}: an exception needs a script and a reason: {entry}")
    return {entry["script"]: entry["reason"] for entry in entries}


def failure_text(output: str, script: str) -> str:
    """What one script printed: go test -v puts the name before each piece, since scripts run side by side."""
    kept, ours = [], False
    for line in output.splitlines():
        if head := PIECE.match(line):
            ours = head[1] == script
        elif RESULT.match(line):
            ours = False
        elif ours:
            kept.append(line)
    return "\n".join(kept)


def free_address() -> str:
    """A loopback address that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def pump(source: socket.socket, target: socket.socket) -> None:
    """Moves bytes one way until the source ends, then passes the end on."""
    try:
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        target.close()


@contextmanager
def relay(addr: str, upstream: str) -> Iterator[str]:
    """A byte relay in place of a proxy; yields the URL below which it shows the origin."""
    host, port = addr.rsplit(":", 1)
    listener = socket.create_server((host, int(port)))

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            up_host, up_port = upstream.rsplit(":", 1)
            server = socket.create_connection((up_host, int(up_port)))
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield f"http://{addr}/origin"
    finally:
        listener.close()


@contextmanager
def server(template: str, addr: str, fixture: str, sumdb_key: str, folder: Path) -> Iterator[str]:
    """The proxy under test as a program of its own; yields its URL."""
    origin = f"http://{fixture}/origin"
    store = folder / "store"
    store.mkdir()
    values = {
        "addr": addr,
        "store": str(store),
        "origin": origin,
        "sumdb": f"{sumdb_key} {origin}/sumdb-direct",
        "sumdb_url": f"{origin}/sumdb-direct",
        "sumdb_key": sumdb_key,
    }
    command = [word.format_map(values) for word in shlex.split(template)]
    with (folder / "server.log").open("wb") as log:
        # An own session, so that the workers of the server are stopped with it and with nothing else.
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=go_environment() | {"HOME": str(folder)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            wait_ready(f"http://{addr}/healthz", process, folder / "server.log")
            yield f"http://{addr}"
        finally:
            stop(process)


def wait_ready(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    """Polls until the server answers. Raises ConformanceError when it ends or stays silent."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise ConformanceError(f"the proxy did not start: {log.read_text(errors='replace')[-2000:]}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks the server to end, and ends it when it does not."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
            return
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    process.wait()


def report(without: Suite, through: Suite, verdict: Verdict, exceptions: dict[str, str], out: Path) -> None:
    """Prints the comparison and keeps both outputs."""
    for name, suite in (("baseline", without), ("through", through)):
        (out / f"{name}.log").write_text(suite.output)
        counts = ", ".join(f"{suite.counts[word]} {word.lower()}" for word in ("PASS", "FAIL", "SKIP"))
        print(f"{name:9} {counts}  ({suite.seconds:.0f} s)")
    for script in verdict.excused:
        print(f"excepted  {script}: {exceptions[script]}")
    for script in verdict.stale:
        print(f"stale     {script} passes: take it out of {EXCEPTIONS.name}")
    for script in verdict.lost:
        print(f"LOST      {script} ({through.results.get(script, 'did not run')})")
        print("\n".join(failure_text(through.output, script).splitlines()[-SHOWN_LINES:]))
    passing = sum(result == "PASS" for result in without.results.values())
    kept = passing - len(verdict.lost) - len(verdict.excused)
    print(f"{kept} of {passing} scripts that pass without a proxy pass with it; outputs in {out}")


def parse_arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--go", default="go", help="the go command of the tree whose tests are run (default: on PATH)"
    )
    parser.add_argument(
        "--run", default=SCRIPTS, help=f"which scripts, as a Go regular expression ({SCRIPTS})"
    )
    parser.add_argument(
        "--server",
        default=GOFERRY,
        help="command of the proxy under test, with {addr} {store} {origin} {sumdb} {sumdb_key} {sumdb_url}; "
        "or the word relay",
    )
    parser.add_argument("--exceptions", type=Path, default=EXCEPTIONS, help="TOML table of exceptions")
    parser.add_argument(
        "--out", type=Path, default=ROOT / ".cache" / "conformance", help="where outputs are kept"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0 nothing lost, 1 something lost or an exception is stale, 2 the run could not be done."""
    options = parse_arguments(argv)
    try:
        return conform(options)
    except (ConformanceError, subprocess.SubprocessError, OSError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2


def conform(options: argparse.Namespace) -> int:
    toolchain = find_toolchain(options.go)
    exceptions = {} if options.server == RELAY else load_exceptions(options.exceptions)
    key = VERIFIER_KEY.search((toolchain.package / "proxy_test.go").read_text())
    if key is None:
        raise ConformanceError("proxy_test.go names no key of its checksum database")
    out = options.out / toolchain.version
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="conformance-")))
        print(f"building the tests of {toolchain.version}", flush=True)
        binary = build(toolchain, folder)
        without = run_suite(toolchain, binary, options.run, free_address(), None)
        fixture, addr = free_address(), free_address()
        if options.server == RELAY:
            proxy = stack.enter_context(relay(addr, fixture))
        else:
            proxy = stack.enter_context(server(options.server, addr, fixture, key[1], folder))
        through = run_suite(toolchain, binary, options.run, fixture, proxy)
        log = folder / "server.log"
        if log.exists():
            shutil.copyfile(log, out / "server.log")
    verdict = judge(without.results, through.results, exceptions)
    report(without, through, verdict, exceptions, out)
    return 0 if verdict.ok else 1


if __name__ == "__main__":
    sys.exit(main())
