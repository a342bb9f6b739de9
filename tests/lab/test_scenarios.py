"""The scenarios as data, and each with the real go: what is broken fails, what is well or mended works."""

import re

import pytest

from goferry.doctor.causes import BY_KEY
from goferry.errors import InvalidInput
from goferry.lab import cases, world
from goferry.lab.lessons import LESSONS
from goferry.lab.scenario import Needs, Scenario
from goferry.lab.staging import sites_of
from labneeds import require_go
from sizes import FULL

BROKEN = [scenario for scenario in cases.SCENARIOS if not scenario.healthy]
HEALTHY = [scenario for scenario in cases.SCENARIOS if scenario.healthy]

NOT_MADE = {
    "revocation_check_slow": "happens in git on Windows only",
    "split_horizon": "is no fault, and shown by well-split-horizon",
    "tls_truncated_capture": "is about captures",
    "transient_network": "is gone when one looks",
}

SAMPLE = (
    "goprivate-missing", "forward-wants-login", "dns-two-answers", "sni-reset", "tls-inspection-git",
    "git-insteadof-ssh-key", "cache-full", "well-private", "well-forward-loopback",
)  # fmt: skip
"""One of each kind of fault that needs a private network; all of them, and the slow ones, run at full size."""

QUICK_ON_LOOPBACK = ("goproxy-off", "tls-alert-112", "zip-storage-403", "http2-goaway", "retagged", "well")

TRIED = [
    pytest.param(scenario, marks=[pytest.mark.namespace] if scenario.needs is Needs.NAMESPACE else [])
    for scenario in cases.SCENARIOS
    if FULL or scenario.name in SAMPLE
]
ON_LOOPBACK = [
    scenario
    for scenario in cases.SCENARIOS
    if scenario.needs is Needs.LOOPBACK and (FULL or scenario.name in QUICK_ON_LOOPBACK)
]


def test_there_are_enough_of_both_kinds() -> None:
    assert len(BROKEN) >= 60
    assert len(HEALTHY) >= 20
    assert {*SAMPLE, *QUICK_ON_LOOPBACK} <= {scenario.name for scenario in cases.SCENARIOS}


def test_names_are_unique_words_with_hyphens() -> None:
    names = [scenario.name for scenario in cases.SCENARIOS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)] == []


def test_every_cause_is_in_the_vocabulary_and_has_a_lesson() -> None:
    causes = {scenario.expected for scenario in BROKEN}
    assert causes <= set(BY_KEY)
    assert causes == set(LESSONS)
    assert {scenario.alone for scenario in BROKEN} - {""} < causes
    assert [scenario.name for scenario in BROKEN if scenario.alone == scenario.expected] == []


def test_every_cause_that_can_be_made_has_a_scenario() -> None:
    assert set(BY_KEY) - {scenario.expected for scenario in BROKEN} == set(NOT_MADE)


def test_what_the_client_cannot_mend_says_who_can() -> None:
    assert [scenario.name for scenario in BROKEN if scenario.mend is None and not scenario.wants] == []
    assert [scenario.name for scenario in HEALTHY if scenario.mend is not None or scenario.wants] == []


def test_no_two_sites_want_the_same_place() -> None:
    for scenario in cases.SCENARIOS:
        places = [(address, site.port) for site in sites_of(scenario) for address in site.addresses]
        assert len(set(places)) == len(places), scenario.name


def test_every_scenario_says_what_is_other_than_in_the_well_world() -> None:
    plain = Scenario("", "")
    same = [
        scenario.name
        for scenario in cases.SCENARIOS
        if (scenario.sites, scenario.network, scenario.client) == (plain.sites, plain.network, plain.client)
    ]
    assert same == ["well"]


def test_a_scenario_is_found_by_its_name_or_a_near_one_is_named() -> None:
    assert cases.find("dns-dead").expected == "dns_resolver_unreachable"
    with pytest.raises(InvalidInput, match="no such scenario: dns-deaf") as refused:
        cases.find("dns-deaf")
    assert refused.value.hint == "did you mean dns-dead?"


HANGING = 15.0
"""Seconds after which a command that is said to hang has not ended."""


async def check(scenario: Scenario, *, loopback: bool = False) -> None:
    """Fails, or works; and works when it was mended."""
    async with world.open(scenario, loopback=loopback) as lab:
        done = await lab.run(scenario.client.command, timeout=HANGING if scenario.hangs else 150)
        if scenario.hangs:
            assert done.exit is None, done.output
        elif scenario.healthy or scenario.works:
            assert done.exit == 0, done.output
        else:
            assert done.exit not in (0, None), done.output
            assert done.output.strip()
        if scenario.mend is not None:
            await lab.mend()
            done = await lab.run(scenario.client.command, timeout=150)
            assert done.exit == 0, done.output
    assert not lab.folders.root.exists()


@pytest.mark.go
@pytest.mark.parametrize("scenario", TRIED, ids=str)
async def test_go_fails_until_it_is_mended(scenario: Scenario) -> None:
    require_go()
    await check(scenario)


@pytest.mark.go
@pytest.mark.parametrize("scenario", ON_LOOPBACK, ids=str)
async def test_go_sees_the_same_on_loopback(scenario: Scenario) -> None:
    require_go()
    await check(scenario, loopback=True)
