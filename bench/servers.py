"""Contestants and upstreams as programs on loopback: started pinned, ready when they answer, ended by their id."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import tools

START_SECONDS = 30
STOP_SECONDS = 20

VALID = r"^/(?:[a-z0-9_~!\-][a-z0-9._~!\-]*/)+@v/(?:v[0-9][0-9A-Za-z.+!\-]*\.(?:info|mod|zip)|list)$"


@dataclass(frozen=True, slots=True)
class Server:
    """A running program. `url` has no slash at its end."""

    name: str
    pid: int
    port: int
    url: str
    log: Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """A throw-away authority and what it issued for 127.0.0.1, as PEM files."""

    authority: Path
    chain: Path
    key: Path


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(
    name: str,
    command: Sequence[str],
    port: int,
    folder: Path,
    *,
    ready: str,
    env: Mapping[str, str] | None = None,
    core: int | None = tools.SERVER_CORE,
    tls: Certificate | None = None,
) -> Iterator[Server]:
    """Starts a server and stops it, whatever happens. `ready` is a path that answers (with any status) once it is up.

    Raises Missing when it ends or stays silent: one contestant that does not start must not end the run.
    """
    tools.ensure(folder)
    log = folder / f"{name}.log"
    words = [*([] if core is None else tools.pinned(core)), *command]
    with log.open("wb") as out:
        # An own group: its workers end with it, and nothing else does. No own session: the kernel would share out the
        # processor between sessions first (autogroups), whatever priorities are inside of them.
        process = subprocess.Popen(
            words, cwd=folder, env=env, stdout=out, stderr=subprocess.STDOUT, process_group=0
        )
    try:
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        _wait_ready(url + ready, process, log, tls)
        yield Server(name, process.pid, port, url, log)
    finally:
        stop(process)


def end(server: Server) -> None:
    """Ends a server before its time; leaving its `running` block afterwards is fine."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)


def _wait_ready(url: str, process: subprocess.Popen[bytes], log: Path, tls: Certificate | None) -> None:
    context = ssl.create_default_context(cafile=str(tls.authority)) if tls else None
    # Straight to loopback, whatever proxy variables say.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        *([urllib.request.HTTPSHandler(context=context)] if context else []),
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with opener.open(url, timeout=2):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise tools.Missing(f"{log.stem} did not start: {tools.last_line(log.read_text(errors='replace'))}")


def stop(process: subprocess.Popen[bytes]) -> None:
    """Asks a program to end; ends its group when it does not. Readers that stall would hold a drain open."""
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def nginx(
    folder: Path,
    root: Path,
    *,
    name: str = "nginx",
    tls: Certificate | None = None,
    core: int | None = tools.SERVER_CORE,
) -> contextlib.AbstractContextManager[Server]:
    """Static files with the same regular expression per request; no logs, no open_file_cache."""
    program, port = tools.need("nginx"), free_port()
    tools.ensure(folder)
    secure = f"ssl_certificate {tls.chain}; ssl_certificate_key {tls.key};" if tls else ""
    # A root-started nginx would drop to an account that can't read the scratch folder.
    user = "user root;" if hasattr(os, "geteuid") and os.geteuid() == 0 else ""
    temporary = "".join(
        f"{kind}_temp_path {folder}/{name}-tmp-{kind}; "
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    config = folder / f"{name}.conf"
    config.write_text(f"""
{user} daemon off; worker_processes 1; pid {folder}/{name}.pid; error_log {folder}/{name}-error.log error;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; open_file_cache off; server_tokens off;
  keepalive_requests 100000000; keepalive_timeout 300s;
  default_type text/plain; types {{ application/zip zip; application/json info; text/plain mod; }}
  {temporary}
  server {{
    listen 127.0.0.1:{port} {"ssl http2" if tls else ""} reuseport backlog=4096;
    {secure}
    location ~ "{VALID}" {{ root {root}; add_header Cache-Control "public, max-age=604800, immutable"; }}
    location / {{ return 404; }}
  }}
}}
""")
    command = [program, "-p", str(folder), "-c", str(config)]
    return running(name, command, port, folder, ready="/", core=core, tls=tls)


def goferry(
    folder: Path,
    *,
    store: Path,
    upstream: str,
    sumdb: str | None = "off",
    workers: int = 1,
    tls: Certificate | None = None,
    trust: Certificate | None = None,
    settings: Mapping[str, str] | None = None,
    core: int | None = tools.SERVER_CORE,
    name: str = "goferry",
) -> contextlib.AbstractContextManager[Server]:
    """goferry with its access log to a file and its metrics on. `sumdb` None leaves the default.

    `settings` are GOFERRY_* values by their short names (list_fresh, read_ahead, …).
    """
    port = free_port()
    tools.ensure(store)
    command = [*tools.goferry(), "serve", "--addr", f"127.0.0.1:{port}", "--store", str(store)]
    command += ["--upstream", upstream, "--workers", str(workers)]
    command += [] if sumdb is None else ["--sumdb", sumdb]
    command += ["--tls-cert", str(tls.chain), "--tls-key", str(tls.key)] if tls else []
    env = tools.go_environment(folder / "gopath", HOME=str(folder))
    env |= {f"GOFERRY_{key.upper()}": value for key, value in (settings or {}).items()}
    env |= {"SSL_CERT_FILE": str(trust.authority)} if trust else {}
    return running(name, command, port, folder, ready="/healthz", env=env, core=core, tls=tls)


def goproxy(
    folder: Path,
    *,
    store: Path,
    upstream: str = "off",
    sumdb: str | None = None,
    core: int | None = tools.SERVER_CORE,
    name: str = "goproxy",
) -> contextlib.AbstractContextManager[Server]:
    """goproxy/goproxy with its folder cache. `sumdb`: the database it passes on, `NAME` or `NAME URL`."""
    port = free_port()
    command = [tools.peer(tools.GOPROXY), "server", "--address", f"127.0.0.1:{port}"]
    command += ["--cacher-dir", str(tools.ensure(store)), "--temp-dir", str(tools.ensure(folder / "tmp"))]
    command += ["--proxied-sumdbs", sumdb] if sumdb else []
    env = tools.go_environment(folder / "gopath", GOPROXY=upstream) | ({} if sumdb else {"GOSUMDB": "off"})
    return running(name, command, port, folder, ready="/healthz", env=env, core=core)


def athens(
    folder: Path, *, store: Path, upstream: str, core: int | None = tools.SERVER_CORE
) -> contextlib.AbstractContextManager[Server]:
    """Athens with disk storage; its own go commands use `upstream`."""
    port = free_port()
    env = tools.go_environment(folder / "gopath") | {
        "ATHENS_PORT": f"127.0.0.1:{port}",
        "ATHENS_STORAGE_TYPE": "disk",
        "ATHENS_DISK_STORAGE_ROOT": str(tools.ensure(store)),
        "ATHENS_GO_BINARY_ENV_VARS": f"GOPROXY={upstream};GOFLAGS=-modcacherw;GOTOOLCHAIN=local",
        "ATHENS_GOGET_WORKERS": "10",
        "ATHENS_LOG_LEVEL": "error",
        "ATHENS_SUM_DBS": "https://sum.golang.org",
    }
    return running("athens", [tools.peer(tools.ATHENS)], port, folder, ready="/healthz", env=env, core=core)


def relay(folder: Path, server: Server, delay: float) -> AbstractContextManager[Server]:
    """The same server, `delay` seconds away (one way)."""
    port = free_port()
    command = [sys.executable, "-m", "bench.relay", "--port", str(port), "--to", str(server.port)]
    return running(
        "relay",
        [*command, "--delay", str(delay)],
        port,
        folder / "relay",
        ready="/healthz",
        env=os.environ | {"PYTHONPATH": str(tools.ROOT)},
        core=None,
    )


def certificate(folder: Path) -> Certificate:
    """Makes a throw-away authority and a certificate for 127.0.0.1 and localhost. Raises Missing."""
    import datetime
    import ipaddress

    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise tools.Missing("the package cryptography is not installed") from error

    tools.ensure(folder)
    now = datetime.datetime.now(datetime.UTC)
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("authority", "server")}
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "bench authority")])
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])

    def issue(who: x509.Name, name: str, *extensions: tuple[x509.ExtensionType, bool]) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(who)
            .issuer_name(authority)
            .public_key(keys[name].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=2))
        )
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical=critical)
        return builder.sign(keys["authority"], hashes.SHA256())

    root_id = x509.SubjectKeyIdentifier.from_public_key(keys["authority"].public_key())
    root = issue(
        authority,
        "authority",
        (x509.BasicConstraints(ca=True, path_length=0), True),
        (
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            True,
        ),
        (root_id, False),
    )
    names = x509.SubjectAlternativeName(
        [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
    )
    leaf = issue(
        subject,
        "server",
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (names, False),
        (x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(root_id), False),
    )
    made = Certificate(folder / "authority.pem", folder / "chain.pem", folder / "key.pem")
    made.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    made.chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        keys["server"].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made
