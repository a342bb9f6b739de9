"""In a broken network of the lab: go fails, the doctor names the cause, what it says mends it, and go works."""

import json
import sys
from collections.abc import Iterator

import pytest

from e2e.ferry import NEEDS_GO
from goferry.lab import cases, namespace, world
from goferry.lab.scenario import Needs, Scenario
from sizes import size

PATIENCE = 90.0

FEW = ("goproxy-comma-trap", "forward-refused", "hosts-loopback")
"""What is run every time."""

MANY = (
    *FEW,
    "goproxy-off",
    "goproxy-semicolon",
    "goproxy-wrong-case",
    "goproxy-quoted",
    "goproxy-comma-trap-500",
    "goproxy-without-direct",
    "gopath-mode",
    "goproxy-in-other-shell",
    "goproxy-environment-wins",
    "goprivate-missing",
    "goprivate-with-scheme",
    "goprivate-other-folder",
    "forward-hangs-up",
    "forward-loopback-in-container",
    "forward-https-for-plain",
    "forward-plain-for-https",
    "no-proxy-black-hole",
    "no-proxy-missing",
    "dns-nxdomain",
    "dns-hijack",
    "dns-no-resolver",
    "hosts-other-server",
    "goproxy-refused",
    "ipv6-dies",
    "large-clienthello",
    "goproxy-502",
    "goproxy-429",
    "zip-403",
    "sumdb-mirror-502",
    "git-insteadof-ssh",
    "git-port-blocked",
    "toolchain-local",
    "toolchain-not-found",
    "mtu-blackhole",
    "cert-incomplete",
    "tls-inspection-git",
    "goproxy-wants-login",
    "go-sum-differs",
    "unknown-revision",
    "module-path-wrong",
)
"""What is run at full size: faults of every layer that can be mended with what is on the machine."""

CHOSEN = [scenario for scenario in cases.SCENARIOS if scenario.name in size(FEW, MANY)]

pytestmark = [*NEEDS_GO]


def doctor(*flags: str) -> list[str]:
    return [sys.executable, "-P", "-m", "goferry", "doctor", "--public-dns", *flags]


def proposals(report: dict[str, list[dict[str, list[dict[str, list[str]]]]]]) -> Iterator[str]:
    """The commands of each fix, as a person would paste them, those first that were tried."""
    for finding in report["findings"]:
        for fix in finding["fixes"]:
            if fix["commands"]:
                yield "\n".join(fix["commands"])


async def is_mended(lab: world.World, report: dict[str, list[dict[str, list[dict[str, list[str]]]]]]) -> bool:
    """By `--fix`, or by the commands that it prints."""
    download = ["go", "mod", "download"]
    await lab.run(doctor("--fix", "--yes"), timeout=PATIENCE)
    if (await lab.run(download, timeout=PATIENCE)).exit == 0:
        return True
    for commands in proposals(report):
        done = await lab.run(["sh", "-c", f"{commands}\nexec go mod download"], timeout=PATIENCE)
        if done.exit == 0:
            return True
    return False


@pytest.mark.go
@pytest.mark.parametrize("scenario", CHOSEN, ids=lambda scenario: scenario.name)
async def test_what_the_doctor_says_mends_it(scenario: Scenario) -> None:
    if scenario.needs is Needs.NAMESPACE and (why := namespace.why_not()):
        pytest.skip(f"needs a private network: {why}")
    async with world.open(scenario) as lab:
        before = await lab.run(["go", "mod", "download"], timeout=PATIENCE)
        assert before.exit != 0, before.output
        done = await lab.run(doctor("--json"), timeout=PATIENCE)
        report = json.loads(done.output)
        assert report["verdict"]["cause"] == scenario.expected
        assert await is_mended(lab, report), done.output


def test_each_chosen_scenario_exists_and_can_be_mended() -> None:
    known = {scenario.name: scenario for scenario in cases.SCENARIOS}
    assert [name for name in MANY if name not in known or not known[name].is_mendable] == []
