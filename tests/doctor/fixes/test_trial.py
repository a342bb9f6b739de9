"""Re-tests with the real go: a plan is tried as it would be carried out, and nothing of the user's is touched."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from doctor.fixes.planworld import evidence, goproxy, plans
from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor.base import Places, World
from goferry.doctor.evidence import CertSeen, Evidence, HandshakeSeen, HostsLine, RunSeen, Subject
from goferry.doctor.fixes import FileEdit, Plan, Trial, changes_of, overlay, trial_of
from goferry.doctor.mend import mend
from goferry.doctor.probes.gorun import run_go
from goferry.doctor.settings import read_settings
from goferry.doctor.verdict import Certainty, Judgement
from goferry.findings import Text
from goferry.lab import goproxy as lab
from goferry.lab.tcp import refused_port
from modtree import module

MODULE = "example.com/quote"
SUBJECT = Subject(module=MODULE, version="v1.2.3")
TREE = module(MODULE, "v1.2.3")
HOSTS = Path("/etc/hosts")


def hosts_now() -> bytes:
    return HOSTS.read_bytes()


needs_namespaces = pytest.mark.skipif(not overlay.is_possible(), reason="needs mount namespaces")


async def retest(here: World, trial: Trial | None) -> RunSeen:
    assert trial is not None
    return await run_go(
        here, SUBJECT, changed=trial.changed, files=trial.files, edits=trial.edits, label="retest"
    )


@needs_namespaces
async def test_go_sees_the_hosts_file_that_the_plan_would_write(tmp_path: Path) -> None:
    """Nobody knows the name, and in the re-test the hosts file has it."""
    edit = FileEdit(str(HOSTS), hosts_now(), hosts_now() + b"\n127.0.0.1 mirror.goferry.invalid\n")
    async with lab.running(TREE) as proxy:
        port = proxy.url.rpartition(":")[2]
        here = world(tmp_path, GOPROXY=f"http://mirror.goferry.invalid:{port}")
        failing = await run_go(here, SUBJECT, limit=15)
        passing = await run_go(here, SUBJECT, edits=[edit], says=("hosts=+mirror.goferry.invalid",), limit=15)
    assert failing.exit == 1
    assert (passing.exit, passing.output) == (0, "")
    assert passing.changed == ("hosts=+mirror.goferry.invalid",)
    assert hosts_now() == edit.before


async def test_a_file_that_a_variable_names_is_there_for_the_run_only(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY="off")
        seen = await run_go(
            here, SUBJECT, files={"GOENV": f"GOPROXY={proxy.url}\n".encode()}, changed={"GOPROXY": None}
        )
    assert seen.exit == 0
    assert not [name for name in os.listdir(tmp_path) if name.startswith("goferry-")]


async def test_hidden_credentials_are_used_in_the_retest_and_never_kept(tmp_path: Path) -> None:
    login = f"me:{PASSWORD}".replace("$", "%24")
    async with lab.running(TREE) as proxy:
        host = proxy.url.removeprefix("http://")
        with refused_port() as dead:
            value = f"http://127.0.0.1:{dead},https://{login}@{host}"
            here = world(tmp_path, GOPROXY=value)
            settings, context, _skipped = read_settings(here)
            seen = Evidence(subject=SUBJECT, settings=settings, context=context)
            plan = plans("goproxy_comma_no_fallback", seen, f"127.0.0.1:{dead}")["drop_entry"]
            trial = trial_of(here, plan)
            assert trial is not None
            assert login in str(trial.changed["GOPROXY"])
            run = await run_go(here, SUBJECT, changed=trial.changed, says=changes_of(plan), limit=10)
    assert PASSWORD not in repr((plan, trial, run, changes_of(plan)))
    assert login not in repr((plan, trial, run))


def test_what_cannot_be_known_is_not_tried(tmp_path: Path) -> None:
    here = world(tmp_path)
    plan = plans("goproxy_value_malformed", evidence(goproxy("https://xxxxx@a.example.org;direct")))[
        "repair_goproxy"
    ]
    assert trial_of(here, plan) is None


def test_gits_own_file_is_tried_by_name_so_that_no_rights_are_needed(tmp_path: Path) -> None:
    here = world(tmp_path)
    plan = plans("git_protocol_blocked", evidence(), "git.corp.example")["https_insteadof"]
    trial = trial_of(here, plan)
    assert trial is not None
    assert b"insteadOf = git://git.corp.example/" in trial.files["GIT_CONFIG_GLOBAL"]
    assert trial.edits == ()
    assert not (tmp_path / ".gitconfig").exists()


def test_the_plan_reads_the_hosts_file_of_the_world_that_it_is_for(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_bytes(b"192.0.2.1 mirror.example.org\n")
    here = replace(world(tmp_path), places=Places(hosts=tmp_path / "hosts"))
    line = HostsLine("192.0.2.1", ("mirror.example.org",), 1)
    trial = trial_of(
        here, plans("hosts_file_override", evidence(settings={"hosts": (line,)}))["drop_hosts_line"]
    )
    assert trial is not None
    assert trial.edits == (FileEdit(str(tmp_path / "hosts"), b"192.0.2.1 mirror.example.org\n", b""),)


def test_the_inspecting_authority_is_trusted_in_a_throw_away_file_only(tmp_path: Path) -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
    root = CertSeen("CN=Example Firewall CA", "CN=Example Firewall CA", (), 0, 9e9, "ab", is_ca=True, pem=pem)
    leaf = CertSeen(
        "CN=x", "CN=Example Firewall CA", ("mirror.example.org",), 0, 9e9, "cd", product="Example Firewall"
    )
    shake = HandshakeSeen(
        "mirror.example.org", "192.0.2.1", 443, "mirror.example.org", "go", 0.1, wrong="unknown_authority",
        chain=(leaf, root),
    )  # fmt: skip
    plan = plans("tls_mitm_corporate_ca", evidence(handshakes=(shake,)))["install_company_ca"]
    trial = trial_of(world(tmp_path), plan)
    assert trial is not None
    assert set(trial.files) == {"SSL_CERT_FILE", "GIT_SSL_CAINFO"}
    assert all(
        content.endswith(pem.encode()) and content.count(b"BEGIN") > 50 for content in trial.files.values()
    )
    assert (plan.changed, plan.writes, plan.edits) == ({}, (), ())
    assert "Example Firewall" in str(plan.summary)


async def test_the_first_plan_that_helps_is_enough_and_is_the_one_that_is_shown_first(tmp_path: Path) -> None:
    async with lab.running(TREE) as good:
        with refused_port() as dead:
            here = world(tmp_path, GOPROXY=f"http://127.0.0.1:{dead},{good.url}")
            settings, context, _skipped = read_settings(here)
            failing = await run_go(here, SUBJECT)
            seen = Evidence(subject=SUBJECT, settings=settings, context=context, runs=(failing,))
            verdict = Judgement(
                "R32",
                "goproxy_comma_no_fallback",
                Certainty.LIKELY,
                f"127.0.0.1:{dead}",
                "request",
                Text("seen"),
            )
            (tried,), runs = await mend(here, seen, [verdict])
    assert tried[0].retested
    assert tried[0].plan.changed["GOPROXY"] in (
        f"{good.url}|direct",
        f"http://127.0.0.1:{dead}|{good.url}|direct",
    )
    assert changes_of(tried[0].plan) in {run.changed for run in runs if run.exit == 0}


def test_a_plan_without_anything_to_change_is_tried_only_as_a_repetition() -> None:
    told, again = Plan("k", "c", Text("x")), Plan("k", "c", Text("x"), is_repeat=True)
    assert (told.can_be_tried, again.can_be_tried) == (False, True)
    assert changes_of(again) == ()
