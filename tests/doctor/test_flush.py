"""Caches of names: those that run here, and the commands that empty them."""

from pathlib import Path

import pytest

from goferry.doctor import flush

RESOLVED, NSCD, DNSMASQ, MACOS, WINDOWS = flush.CACHES


@pytest.mark.parametrize(
    ("platform", "programs", "marks", "found"),
    [
        ("linux", ["resolvectl", "nscd", "dnsmasq"], [], []),
        ("linux", ["resolvectl"], ["run/systemd/resolve"], [RESOLVED]),
        ("linux", [], ["run/systemd/resolve"], []),
        ("linux", ["resolvectl", "nscd"], ["run/systemd/resolve", "var/run/nscd/socket"], [RESOLVED, NSCD]),
        ("linux", ["dnsmasq"], ["run/dnsmasq.pid"], [DNSMASQ]),
        ("darwin", ["dscacheutil"], [], [MACOS]),
        ("win32", ["ipconfig"], [], [WINDOWS]),
        ("freebsd", ["resolvectl"], [], []),
    ],
)
def test_a_cache_counts_when_it_is_installed_and_runs(
    tmp_path: Path, platform: str, programs: list[str], marks: list[str], found: list[flush.Cache]
) -> None:
    for mark in marks:
        (tmp_path / mark).mkdir(parents=True)
    assert list(flush.caches(platform, lambda name: name if name in programs else None, tmp_path)) == found


def test_sudo_stands_in_front_where_it_is_needed() -> None:
    assert flush.commands([RESOLVED, WINDOWS], is_root=False) == (
        ("sudo", "resolvectl", "flush-caches"),
        ("ipconfig", "/flushdns"),
    )
    assert flush.commands([MACOS], is_root=True) == (
        ("dscacheutil", "-flushcache"),
        ("killall", "-HUP", "mDNSResponder"),
    )
