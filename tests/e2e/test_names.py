"""Names in the lab's broken networks: what `goferry dns` says, and a pinned address that the real go then uses."""

import json
import sys
from typing import Any

import pytest

from e2e.ferry import NEEDS_GO
from goferry.lab import cases, namespace, world
from sizes import FULL

HOST = "proxy.example.org"
PATIENCE = 90.0

FINDINGS = {
    "well": {"sound"},
    "dns-hijack": {"wrong_address"},
    "dns-sinkhole": {"wrong_address"},
    "dns-two-answers": {"injected"},
    "dns-nxdomain": {"denied"},
    "dns-refused": {"denied"},
    "dns-zero": {"denied"},
    "dns-dead": {"no_answer"},
    "dns-port-closed": {"no_answer"},
    "dns-no-resolver": {"no_answer"},
    "dns-slow": {"sound"},
    "hosts-other-server": {"hosts_wrong"},
    "hosts-loopback": {"hosts_wrong"},
    "well-cdn": {"sound", "other_place"},
    "well-split-horizon": {"sound", "internal"},
    "well-pinned": {"hosts_right"},
    "well-forward": {"not_the_name"},
    "well-second-resolver-dead": {"sound"},
    "well-dns-over-tcp": {"sound"},
}
pytestmark = [*NEEDS_GO]
CHOSEN = [*FINDINGS] if FULL else ["dns-hijack"]


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    if why := namespace.why_not():
        pytest.skip(f"private namespaces: {why}")


def goferry(*words: str) -> list[str]:
    return [sys.executable, "-P", "-m", "goferry", *words]


async def compared(lab: world.World, *flags: str) -> dict[str, Any]:
    done = await lab.run(goferry("dns", HOST, "--json", *flags), timeout=PATIENCE)
    assert done.exit in (0, 1), done.output
    report: dict[str, Any] = json.loads(done.output)
    assert (done.exit == 1) is report["names"][0]["fault"]
    return report


@pytest.mark.parametrize("name", CHOSEN)
async def test_a_broken_network_is_told_by_what_its_servers_say(name: str) -> None:
    async with world.open(cases.find(name)) as lab:
        report = await compared(lab, "--public-dns", "--rounds", "1")
    assert report["names"][0]["finding"] in FINDINGS[name]


async def test_a_pinned_address_lets_go_work_and_goes_without_a_trace() -> None:
    async with world.open(cases.find("dns-hijack")) as lab:
        before = lab.hosts.read_bytes()
        assert (await lab.run(["go", "mod", "download"], timeout=PATIENCE)).exit != 0
        unproven = await lab.run(goferry("hosts", "pin", HOST), timeout=PATIENCE)
        assert unproven.exit == 1, "the liar's address cannot be proven, and nobody else was asked"
        assert lab.hosts.read_bytes() == before
        pinned = await lab.run(goferry("hosts", "pin", HOST, "--public-dns"), timeout=PATIENCE)
        assert pinned.exit == 0, pinned.output
        done = await lab.run(["go", "mod", "download"], timeout=PATIENCE)
        assert done.exit == 0, done.output
        assert (await compared(lab, "--rounds", "0"))["names"][0]["finding"] == "hosts_right"
        assert (await lab.run(goferry("hosts", "restore"), timeout=PATIENCE)).exit == 0
        assert lab.hosts.read_bytes() == before
