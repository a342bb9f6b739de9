"""The programs a run needs: what is on the system, and peers built from their Go modules."""

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "bench"
_DROP_CACHES = Path("/proc/sys/vm/drop_caches")
SERVER_CORE, CLIENT_CORE = 0, 1


class Missing(Exception):
    """A row can't run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Another proxy: `package` is the folder of its main package inside the module."""

    name: str
    module: str
    version: str
    package: str


GOPROXY = Peer("goproxy", "github.com/goproxy/goproxy", "v0.26.1", "./cmd/goproxy")
ATHENS = Peer("athens", "github.com/gomods/athens", "v0.18.0", "./cmd/proxy")

_VERSION_ARGUMENTS = {
    "nginx": ["-v"],
    "wrk": ["-v"],
    "h2load": ["--version"],
    "go": ["version"],
    "openssl": ["version"],
}


def need(name: str) -> str:
    """The path of a program. Raises Missing."""
    extra = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"
    found = shutil.which(name, path=extra)
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def go_environment(folder: Path, **extra: str) -> dict[str, str]:
    """An environment for `go` with an own module cache below `folder`, without anybody's settings but GOPROXY."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("GO") or name == "GOCACHE"
    }
    own = {
        "GOENV": "off",
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-modcacherw",
        "GOPATH": str(folder),
        "GOMODCACHE": str(folder / "mod"),
    }
    return kept | own | extra


def default_proxy() -> str:
    """The GOPROXY list that the go command of this machine would use."""
    done = subprocess.run([need("go"), "env", "GOPROXY"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def go_sources() -> Path:
    """The source tree of the Go toolchain on this machine. Raises Missing."""
    done = subprocess.run([need("go"), "env", "GOROOT"], capture_output=True, text=True, check=True)
    found = Path(done.stdout.strip()) / "src"
    if not found.is_dir():
        raise Missing(f"{found} is not there")
    return found


def download(module: str, version: str, folder: Path) -> Path:
    """The unpacked module, by the go command (so its sum is checked). Raises Missing."""
    env = go_environment(folder, GOPROXY=default_proxy())
    done = subprocess.run(
        [need("go"), "mod", "download", "-json", f"{module}@{version}"],
        env=env,
        cwd=ensure(folder),
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Missing(f"{module}@{version} can't be downloaded: {first_line(done.stdout + done.stderr)}")
    return Path(json.loads(done.stdout)["Dir"])


def peer(wanted: Peer) -> str:
    """The program of a peer, built once and kept. Raises Missing.

    Built inside the module itself and not by `go install pkg@version`: that asks for version lists, which a
    mirror may refuse for a module that it carries.
    """
    binary = CACHE / "bin" / f"{wanted.name}-{wanted.version}"
    if binary.exists():
        return str(binary)
    folder = CACHE / "gopath"
    source = download(wanted.module, wanted.version, folder)
    ensure(binary.parent)
    env = go_environment(folder, GOPROXY=default_proxy()) | {
        "GOFLAGS": "-modcacherw -trimpath -buildvcs=false"
    }
    done = subprocess.run(
        [need("go"), "build", "-o", str(binary), wanted.package],
        cwd=source,
        env=env,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise Missing(f"{wanted.module}@{wanted.version} does not build: {first_line(done.stderr)}")
    return str(binary)


def goferry() -> list[str]:
    """The words that start goferry from this environment. Raises Missing when it can't serve."""
    command = [sys.executable, "-m", "goferry"]
    done = subprocess.run([*command, "serve", "--help"], capture_output=True, text=True)
    if done.returncode != 0:
        raise Missing(f"goferry serve does not start: {last_line(done.stderr)}")
    return command


def pinned(core: int) -> list[str]:
    """Words before a command that keep it on one core; none where that can't be done."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", str(core)] if taskset and (os.cpu_count() or 1) > core else []


def ensure(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "no message")


def last_line(text: str) -> str:
    return first_line("\n".join(reversed(text.splitlines())))


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a run took place. Runs of different machines are not comparable in absolute figures."""

    cpu: str
    cores: int
    memory_gb: float
    system: str
    python: str
    scratch: str
    versions: Mapping[str, str] = field(default_factory=dict)


def machine(scratch: Path) -> Machine:
    """What this machine is; `scratch` is the folder that stores and trees of the run live in."""
    return Machine(
        cpu=_cpu_name(),
        cores=os.cpu_count() or 1,
        memory_gb=_memory_gb(),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        scratch=_file_system(scratch),
        versions=_versions(),
    )


def _cpu_name() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1] if found else platform.machine()


def forget_files(*, names: bool = False) -> None:
    """What others left to be written, or left in memory until something else needs the room, is not at the expense of
    what comes next. With `names`, folders and inodes are forgotten, too: among five million of them the kernel takes
    five times as long to make a folder. Only root may do that."""
    os.sync()
    with contextlib.suppress(OSError):
        _DROP_CACHES.write_text("3" if names else "1")


def _memory_gb() -> float:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (ValueError, OSError, AttributeError):
        return 0.0


def _file_system(folder: Path) -> str:
    done = subprocess.run(["df", "-PT", str(folder)], capture_output=True, text=True)
    fields = done.stdout.splitlines()[-1].split() if done.returncode == 0 else []
    return fields[1] if len(fields) > 1 else "unknown"


def _versions() -> dict[str, str]:
    import importlib.metadata

    found = {f"{one.name}": one.version for one in (GOPROXY, ATHENS)}
    for name, arguments in _VERSION_ARGUMENTS.items():
        try:
            done = subprocess.run([need(name), *arguments], capture_output=True, text=True)
        except Missing:
            continue
        found[name] = first_line(done.stdout + done.stderr)
    for package in ("goferry", "granian", "aiohttp", "aiodns", "uvloop", "deflate"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
