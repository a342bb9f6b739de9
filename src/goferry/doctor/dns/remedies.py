"""Which remedy for names is worth it here, and what to type for it. Pure: measurements in, advice out."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from goferry.doctor.dns.compare import Compared, Finding
from goferry.doctor.dns.measure import Measured
from goferry.findings import Text
from goferry.i18n import N_

FAST: Final = 0.1
"""Seconds: a lookup that takes less is not what anybody waits for."""

WORTH: Final = 0.03
"""Seconds that a change has to save in each lookup, to be more than noise and the trouble of another setting."""


class Advice(StrEnum):
    """What to do. The values are stable and never translated."""

    NOTHING = "nothing"
    OTHER_SERVER = "other_server"
    CACHE = "cache"
    PIN = "pin"
    HOSTS_FILE = "hosts_file"
    ASK_NETWORK = "ask_network"
    SECOND_OPINION = "second_opinion"


_SENTENCES: Final = {
    Advice.NOTHING: N_("the name servers of this machine answer well; no other setting is worth the trouble"),
    Advice.OTHER_SERVER: N_(
        "use {server}: it answers rightly, 95 % of the time within {p95} ms, where today's servers lie, fail or are "
        "slow; names that only this network knows are not known there"
    ),
    Advice.CACHE: N_(
        "a local cache is worth it: lookups take {now} ms today and {then} ms from a cache (half of them)"
    ),
    Advice.PIN: N_(
        "no server that may be asked from here answers rightly by plain DNS; pin the proven address for the time being"
    ),
    Advice.HOSTS_FILE: N_(
        "take the line out of the hosts file: it is what sends the name to the wrong place"
    ),
    Advice.ASK_NETWORK: N_(
        "nobody who could be asked answers better; it is for the owner of this network, or for a second opinion "
        "(--public-dns)"
    ),
    Advice.SECOND_OPINION: N_(
        "the answers come quickly, but nothing proved them right: ask others too (--public-dns, --doh) before anything "
        "is changed"
    ),
}


@dataclass(frozen=True, slots=True)
class Advised:
    """The advice with its commands: context (`resolv_conf`, `systemd_resolved`, `docker`, `kubernetes`…) to lines."""

    key: Advice
    sentence: Text
    commands: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key.value,
            "sentence": self.sentence.to_json(),
            "commands": {name: list(lines) for name, lines in self.commands.items()},
        }


def advise(compared: Sequence[Compared], measured: Sequence[Measured]) -> Advised:
    """The first remedy that helps: a wrong answer weighs more than no answer, and that more than a slow one."""
    wrong_lines = [each for each in compared if each.finding is Finding.HOSTS_WRONG]
    if wrong_lines:
        lines = tuple(
            line
            for each in wrong_lines
            for line in (
                f"goferry hosts remove {each.name}  # if it was pinned by goferry",
                f"sudoedit /etc/hosts  # else take out line {each.sentence.parts.get('line', '?')}",
            )
        )
        return Advised(Advice.HOSTS_FILE, Text(_SENTENCES[Advice.HOSTS_FILE]), {"hosts": lines})
    current = next((each for each in measured if each.remedy.key == "current"), None)
    if current is None or _is_ill(current, compared):
        return _instead(compared, measured)
    if (cache := next((each for each in measured if each.remedy.key == "stub"), None)) is not None:
        now, then = current.quantile(0.5), cache.quantile(0.5)
        if now > FAST and now - then >= WORTH and not cache.failures and cache.right is not False:
            sentence = Text(_SENTENCES[Advice.CACHE], now=_ms(now), then=_ms(then))
            return Advised(Advice.CACHE, sentence, cache_commands(current.remedy.servers))
    if any(each.finding is Finding.UNPROVEN for each in compared):
        return Advised(Advice.SECOND_OPINION, Text(_SENTENCES[Advice.SECOND_OPINION]))
    return Advised(Advice.NOTHING, Text(_SENTENCES[Advice.NOTHING]))


def _is_ill(current: Measured, compared: Sequence[Compared]) -> bool:
    """Whether today's servers lie, fail, or make go wait for a second or longer."""
    faulty = any(each.finding.is_fault for each in compared)
    slow = not current.quantile(0.95) < 1.0
    return faulty or current.right is False or current.failures > 0 or slow


def _instead(compared: Sequence[Compared], measured: Sequence[Measured]) -> Advised:
    proven = any(each.right for each in compared)
    others = [each for each in measured if each.remedy.key == "public" and _is_well(each)]
    # Where an address is known to be right, an answer counts only if it has been held against it.
    good = [each for each in others if each.right or (each.right is None and not proven)]
    if good:
        best = min(good, key=lambda each: each.quantile(0.95))
        server = best.remedy.servers[0]
        sentence = Text(_SENTENCES[Advice.OTHER_SERVER], server=server, p95=_ms(best.quantile(0.95)))
        return Advised(Advice.OTHER_SERVER, sentence, server_commands([server]))
    pins = tuple(
        f"goferry hosts pin {each.name} --address {min(each.right, key=_four_first)}"
        for each in compared
        if each.right and each.finding.is_fault
    )
    if pins:
        return Advised(Advice.PIN, Text(_SENTENCES[Advice.PIN]), {"hosts": pins})
    return Advised(Advice.ASK_NETWORK, Text(_SENTENCES[Advice.ASK_NETWORK]))


def _four_first(address: str) -> tuple[bool, str]:
    """IPv4 before IPv6: more machines have a way there."""
    return ":" in address, address


def _is_well(measured: Measured) -> bool:
    return (
        measured.lookups > 0
        and not measured.failures
        and measured.denied < measured.lookups
        and not math.isnan(measured.quantile(0.95))
    )


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


# ---- what to type ------------------------------------------------------------------------------------------


def server_commands(servers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """How each kind of machine is told to use these servers (`IP:PORT`; another port than 53 only where it can be)."""
    plain = [_plain(server) for server in servers]
    return {
        "resolv_conf": (
            "printf '"
            + "".join(f"nameserver {server}\\n" for server in plain)
            + "' | sudo tee /etc/resolv.conf",
        ),
        "systemd_resolved": (
            "sudo mkdir -p /etc/systemd/resolved.conf.d",
            f"printf '[Resolve]\\nDNS={' '.join(plain)}\\nDomains=~.\\n' | "
            "sudo tee /etc/systemd/resolved.conf.d/goferry.conf",
            "sudo systemctl restart systemd-resolved",
        ),
        "network_manager": (
            f'sudo nmcli connection modify "$CONNECTION" ipv4.dns "{" ".join(plain)}" ipv4.ignore-auto-dns yes',
            'sudo nmcli connection up "$CONNECTION"',
        ),
        "docker": (
            "# /etc/docker/daemon.json, then: sudo systemctl restart docker",
            json.dumps({"dns": plain}),
            "# one container only",
            "docker run " + " ".join(f"--dns {server}" for server in plain) + " IMAGE",
        ),
        "kubernetes": (
            "# in the pod's spec; names inside the cluster need the cluster's own server as the first of the list",
            "dnsPolicy: None",
            "dnsConfig:",
            "  nameservers:",
            *(f"  - {server}" for server in plain),
        ),
    }


def cache_commands(servers: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """How a cache is set up in front of today's servers."""
    plain = [_plain(server) for server in servers]
    return {
        "systemd_resolved": (
            "sudo systemctl enable --now systemd-resolved",
            "sudo ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf",
        ),
        "dnsmasq": (
            "sudo dnsmasq --listen-address=127.0.0.1 --bind-interfaces --no-resolv --all-servers --cache-size=10000 "
            + " ".join(f"--server={server}" for server in plain),
            "printf 'nameserver 127.0.0.1\\n' | sudo tee /etc/resolv.conf",
        ),
        "kubernetes": (
            "# the cluster's own cache on each node",
            "# NodeLocal DNSCache (node-local-dns add-on)",
        ),
    }


def _plain(server: str) -> str:
    """The address of a server on port 53, as settings take it."""
    host, _, _port = server.rpartition(":")
    return host.strip("[]")
