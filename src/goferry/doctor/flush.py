"""Which caches of names a system has, and the commands that empty them.

`go` needs none of it: its resolver reads the hosts file anew within five seconds. git and curl ask the system.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Which = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Cache:
    """One cache. program: what has to be installed; marks: below /, any of them says that it runs; needs_root."""

    key: str
    platform: str
    program: str
    marks: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    needs_root: bool = True


CACHES: Final = (
    Cache("systemd-resolved", "linux", "resolvectl", ("run/systemd/resolve",), (("resolvectl", "flush-caches"),)),
    Cache("nscd", "linux", "nscd", ("run/nscd/socket", "var/run/nscd/socket"), (("nscd", "-i", "hosts"),)),
    Cache(
        "dnsmasq",
        "linux",
        "dnsmasq",
        ("run/dnsmasq", "run/dnsmasq.pid", "var/run/dnsmasq.pid", "run/NetworkManager/dnsmasq.pid"),
        (("pkill", "-HUP", "-x", "dnsmasq"),),
    ),
    Cache("macos", "darwin", "dscacheutil", (),
          (("dscacheutil", "-flushcache"), ("killall", "-HUP", "mDNSResponder"))),
    Cache("windows", "win32", "ipconfig", (), (("ipconfig", "/flushdns"),), needs_root=False),
)  # fmt: skip


def caches(platform: str, which: Which, root: Path) -> tuple[Cache, ...]:
    """The caches that this system has in use."""
    return tuple(
        cache
        for cache in CACHES
        if cache.platform == platform
        and which(cache.program)
        and (not cache.marks or any((root / mark).exists() for mark in cache.marks))
    )


def commands(found: Sequence[Cache], *, is_root: bool) -> tuple[tuple[str, ...], ...]:
    """The commands for these caches, with sudo in front where the user lacks the right."""
    return tuple(
        ("sudo", *command) if cache.needs_root and not is_root else command
        for cache in found
        for command in cache.commands
    )
