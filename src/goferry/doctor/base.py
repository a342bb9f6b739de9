"""What probes are given: the world as it was handed in, limits, consent, and a place to report progress to.

Nothing in `doctor` reads `os.environ` or a fixed path by itself: a test, a lab and a replay are other worlds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Places:
    """Files of the system that settings are read from."""

    resolv_conf: Path = Path("/etc/resolv.conf")
    hosts: Path = Path("/etc/hosts")
    nsswitch: Path = Path("/etc/nsswitch.conf")
    root: Path = Path("/")
    """Below it the CA files, /etc/environment and the marks of containers are looked for."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long each look may take, in seconds. The whole stays below half a minute even when nothing answers, and below
    a minute when go is still getting what it asked for.

    program: one run of go or git; working: a run of go that is seen at work, with which nothing is wrong; look:
    everything that is looked at; whole: that and the trials of what would mend it.
    """

    resolve: float = 5.0
    connect: float = 5.0
    handshake: float = 5.0
    first_byte: float = 8.0
    body: float = 10.0
    program: float = 12.0
    working: float = 30.0
    look: float = 13.0
    whole: float = 21.0


class Progress(Protocol):
    """Live progress, for people: `label` is a translated phrase."""

    def __call__(self, label: str, done: int, total: int) -> None: ...


def silent(label: str, done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class World:
    """Where a diagnosis happens. public_dns: whether second opinions may be asked of public name servers."""

    environ: Mapping[str, str]
    cwd: Path
    home: Path
    places: Places = field(default_factory=Places)
    limits: Limits = field(default_factory=Limits)
    public_dns: bool = False
    public_servers: tuple[str, ...] = ("8.8.8.8:53", "1.1.1.1:53", "114.114.114.114:53", "223.5.5.5:53")
    doh_urls: tuple[str, ...] = ()
    dns_port: int = 53
    """The port of servers in resolv.conf; another one only in tests."""
    progress: Progress = silent
    which: Callable[[str], str | None] | None = None
    """Finds a program on PATH of `environ`; None: shutil.which."""
