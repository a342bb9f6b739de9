"""What is proposed for each cause: the change that go would see, and in which words it is said."""

import dataclasses
import json
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from doctor.fixes.planworld import DEFAULT, MIRROR, MODULE, OTHER, answer, evidence, goproxy, judgement, plans
from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor import codec
from goferry.doctor.causes import BY_KEY, CAUSES, Whose
from goferry.doctor.evidence import (
    AnswerSeen,
    CaFile,
    CertSeen,
    Context,
    DateSeen,
    DialSeen,
    Evidence,
    FolderSeen,
    GitSetting,
    HandshakeSeen,
    HostsLine,
    Interface,
    NameSeen,
    NetrcEntry,
    Proxying,
    Role,
    RunSeen,
    Setting,
    Subject,
    SumsSeen,
    Target,
    TunnelSeen,
)
from goferry.doctor.fixes import Plan, changes_of, propose
from goferry.doctor.fixes.kit import Case
from goferry.doctor.fixes.rewrites import AddGit, DropGit, DropHost, DropSums, EditMod, NameServers, PinHost
from goferry.doctor.fixes.table import NO_FAULT, PROPOSERS
from goferry.doctor.settings import read_settings
from goferry.findings import Text

HOST = "mirror.example.org"
PROXY = "http://proxy.corp.example:3128"


def environment(name: str, value: str) -> Setting:
    return Setting(name, value, "environment")


TO_SSH = GitSetting(
    "url.ssh://git@git.corp.example/.insteadof", "https://git.corp.example/", "global", "/h/.gitconfig"
)
ETHERNET = Interface("eth0", 1500, True, ("10.0.0.2",))
BRIDGE = Interface("docker0", 1500, True, ("172.17.0.1",))

# ---- everything at once ------------------------------------------------------------------------------------


def rich() -> Evidence:
    """A machine on which something of everything was seen."""
    cert = CertSeen("CN=x", "CN=Example Firewall CA", (HOST,), 0, 9e9, "aa")
    root = dataclasses.replace(cert, is_ca=True, sha256="bb", pem="-----BEGIN CERTIFICATE-----\n")
    return evidence(
        goproxy(f"{MIRROR},{OTHER}"),
        environment("GO111MODULE", "off"),
        Setting("GOSUMDB", "sum.golang.org", "go.env", "go.env:8"),
        settings={
            "proxies": (environment("HTTPS_PROXY", PROXY), environment("NO_PROXY", f"localhost,{HOST}")),
            "proxying": (Proxying("go", f"{MIRROR}/", HOST, "", HOST),),
            "elsewhere": (Setting("GOPROXY", f"{OTHER},direct", "shell", ".bashrc:3"),),
            "hosts": (HostsLine("192.0.2.66", (HOST,), 4),),
            "git": (TO_SSH,),
            "netrc": (NetrcEntry("git.corp.example", "me", False, "/h/.netrc:1", used_by_go=False),),
            "folders": (FolderSeen("GOMODCACHE", "/go/pkg/mod", True, False, "root"),),
            "roots": (CaFile("go", "/etc/ssl/certs/ca-certificates.crt", False, False),),
            "tools": {"git": "", "hg": "/usr/bin/hg"},
            "main_module": "corp.example/app",
            "requires": (f"{MODULE}@v1.2.3", "git.corp.example/team/liv@v1.0.0"),
        },
        context=Context(system="linux", container="docker", home="/home/me", interfaces=(ETHERNET,)),
        targets=(
            Target(HOST, 443, "https", Role.GOPROXY, MIRROR, 0),
            Target("git.corp.example", 443, "https", Role.CODE_HOST, "https://git.corp.example/team/lib"),
        ),
        names=(
            NameSeen(HOST, "go", addresses=("192.0.2.66",)),
            NameSeen(HOST, "server", "192.0.2.53:53", "udp", addresses=("192.0.2.66",)),
            NameSeen(HOST, "public", "1.1.1.1:53", "udp", addresses=("192.0.2.7",)),
        ),
        dials=(DialSeen(HOST, "192.0.2.7", 443, 0.1), DialSeen(HOST, "2001:db8::7", 443, 5.0, "timeout")),
        handshakes=(
            HandshakeSeen(HOST, "192.0.2.7", 443, HOST, "go", 0.1, trusted=("go",), source="public"),
            HandshakeSeen(HOST, "192.0.2.66", 443, HOST, "go", 0.1, wrong="unknown_authority", chain=(cert, root)),
        ),
        tunnels=(TunnelSeen("https://proxy.corp.example:3128", f"{HOST}:443", "tls", 0.1, speaks="http"),),
        answers=(
            answer(0, 502, body="bad gateway", headers={"server": "nginx"}),
            answer(1, 200, "list", body="v1.0.0\nv1.1.0\nv2.0.0-rc.1\n"),
            answer(1, 200, "supported"),
            AnswerSeen("http://portal.example/", "portal", redirect="http://portal.example/login"),
        ),
        sums=(SumsSeen(MODULE, "v1.2.3", "h1:a", "h1:b", "h1:b", ""),),
        dates=(DateSeen(HOST, 7200.0),),
        runs=(RunSeen("go", ("go", "mod", "download"), 1, 1.0, f"go: {MODULE}@v1.2.3: reading: 502"),),
    )  # fmt: skip


@pytest.mark.parametrize("cause", [cause.key for cause in CAUSES])
def test_every_cause_has_a_plan(cause: str) -> None:
    assert bool(propose(rich(), judgement(cause, HOST))) is (cause not in NO_FAULT)


@pytest.mark.parametrize("cause", [cause.key for cause in CAUSES])
def test_evidence_that_shows_nothing_is_no_reason_to_fail(cause: str) -> None:
    for where in ("", "?", "go.mod", "[2001:db8::1]:443", "https://user@x.example:8443/path", "a b"):
        for plan in propose(Evidence(), judgement(cause, where)):
            assert plan.commands or plan.by


def test_the_table_is_the_vocabulary_and_nothing_else() -> None:
    assert [*PROPOSERS] == [cause.key for cause in CAUSES if cause.key not in NO_FAULT]
    assert propose(rich(), judgement("cannot_tell")) == ()


@pytest.mark.parametrize("cause", [cause.key for cause in CAUSES])
def test_plans_are_whole_and_in_order(cause: str) -> None:
    found = propose(rich(), judgement(cause, HOST))
    assert found == propose(rich(), judgement(cause, HOST))
    for plan in found:
        assert plan.cause == cause
        assert plan.commands or plan.by
        assert bool(plan.by) is ("message" in plan.contexts)
        assert plan.summary.key.format(**plan.summary.parts) == str(plan.summary)
        assert [*plan.changed] == sorted(plan.changed)
    assert [bool(plan.by) for plan in found] == sorted(bool(plan.by) for plan in found)


UNTOLD = NO_FAULT | {"transient_network", "captive_portal"}
"""A fault that has passed, and a page that only the user can fill in."""


@pytest.mark.parametrize(
    "cause", [cause.key for cause in CAUSES if cause.whose is not Whose.YOU and cause.key not in UNTOLD]
)
def test_what_others_have_to_mend_says_whom_to_tell_and_what(cause: str) -> None:
    told = [plan for plan in propose(rich(), judgement(cause, HOST)) if plan.by]
    assert told
    assert {plan.by for plan in told} <= {whose.value for whose in Whose}
    assert f"{cause} (certain): {HOST}" in told[0].contexts["message"]
    assert "$ go mod download" in told[0].contexts["message"]


@pytest.mark.parametrize(
    "cause", ["tls_mitm_corporate_ca", "goproxy_off", "git_protocol_blocked", "dns_hijacked"]
)
def test_evidence_that_was_saved_gives_the_same_plans(cause: str) -> None:
    saved = codec.from_bytes(codec.to_bytes(rich()), place="x")
    assert propose(saved, judgement(cause, HOST)) == propose(rich(), judgement(cause, HOST))


def test_no_plan_holds_a_secret(tmp_path: Path) -> None:
    """Planted in every place that settings are read from."""
    (tmp_path / ".netrc").write_text(f"machine git.corp.example login me password {PASSWORD}\n")
    (tmp_path / ".gitconfig").write_text(
        f'[url "https://me:{PASSWORD}@git.corp.example/"]\n\tinsteadOf = https://git.corp.example/\n'
        f"[http]\n\tproxy = http://me:{PASSWORD}@proxy.corp.example:3128\n"
        f"\textraHeader = Authorization: Basic {PASSWORD}\n"
    )
    here = world(
        tmp_path,
        GOPROXY=f"https://me:{PASSWORD}@mirror.example.org;direct",
        HTTPS_PROXY=f"http://me:{PASSWORD}@proxy.corp.example:3128",
        GOSUMDB=f"sum.golang.org https://me:{PASSWORD}@sums.example.org",
    )
    settings, context, _skipped = read_settings(here)
    seen = dataclasses.replace(rich(), settings=settings, context=context)
    for cause in CAUSES:
        for plan in propose(seen, judgement(cause.key, HOST)):
            assert PASSWORD not in repr(plan), (cause.key, plan.key)


# ---- the change that each plan makes -----------------------------------------------------------------------

# cause, evidence, where, plan, what changes
CHANGES: list[tuple[str, Evidence, str, str, dict[str, str | None]]] = [
    ("gopath_mode_ignores_goproxy", evidence(environment("GO111MODULE", "off")), "GO111MODULE", "unset_go111module",
     {"GO111MODULE": None}),
    ("gopath_mode_ignores_goproxy", evidence(Setting("GO111MODULE", "off", "go env file", "env:1")), "GO111MODULE",
     "set_go111module", {"GO111MODULE": "on"}),
    ("goproxy_off", evidence(goproxy("off")), "GOPROXY", "unset_goproxy", {"GOPROXY": None}),
    ("goproxy_off", evidence(goproxy("off", "go env file")), "GOPROXY", "set_goproxy", {"GOPROXY": DEFAULT}),
    ("goproxy_setting_not_effective",
     evidence(goproxy(MIRROR), settings={"elsewhere": (Setting("GOPROXY", OTHER, "shell", ".zshrc:1"),)}),
     "GOPROXY", "bring_goproxy", {"GOPROXY": OTHER}),
    ("goproxy_setting_not_effective",
     evidence(Setting("GOPROXY", MIRROR, "environment", "", (Setting("GOPROXY", OTHER, "go env file", "env:1"),))),
     "GOPROXY", "unset_goproxy", {"GOPROXY": None}),
    ("goprivate_not_set", evidence(), MODULE, "set_goprivate", {"GOPRIVATE": "git.corp.example"}),
    ("goprivate_not_set",
     evidence(environment("GOPRIVATE", "a.example"), Setting("GONOSUMDB", "none", "environment"),
              Setting("GONOPROXY", "a.example", "inherited", "GOPRIVATE"), subject=Subject(module="github.com/acme/x")),
     "github.com/acme/x", "set_goprivate",
     {"GONOSUMDB": "github.com/acme/*", "GOPRIVATE": "a.example,github.com/acme/*"}),
    ("goproxy_comma_no_fallback", evidence(goproxy(f"{MIRROR},{OTHER},direct")), HOST, "pipe_goproxy",
     {"GOPROXY": f"{MIRROR}|{OTHER}|direct"}),
    ("goproxy_comma_no_fallback", evidence(goproxy(f"{MIRROR},{OTHER}")), HOST, "drop_entry",
     {"GOPROXY": f"{OTHER}|direct"}),
    ("goproxy_lacks_module_no_direct", evidence(goproxy(f"{MIRROR}|{OTHER}")), HOST, "append_direct",
     {"GOPROXY": f"{MIRROR}|{OTHER},direct"}),
    ("forward_proxy_broken",
     evidence(settings={"proxies": (environment("HTTPS_PROXY", PROXY), environment("http_proxy", PROXY))}),
     "proxy.corp.example:3128", "unset_proxy", {"HTTPS_PROXY": None, "http_proxy": None}),
    ("forward_proxy_broken",
     evidence(settings={"proxies": (environment("HTTPS_PROXY", PROXY), environment("HTTP_PROXY", "http://other:1"))}),
     "proxy.corp.example:3128", "unset_proxy", {"HTTPS_PROXY": None}),
    ("forward_proxy_wrong_scheme", evidence(settings={"proxies": (environment("HTTPS_PROXY", "https://p.example:3128"),)}),
     "p.example:3128", "proxy_scheme", {"HTTPS_PROXY": "http://p.example:3128"}),
    ("forward_proxy_wrong_scheme", evidence(settings={"proxies": (environment("HTTPS_PROXY", PROXY),)}),
     "proxy.corp.example:3128", "proxy_scheme", {"HTTPS_PROXY": "https://proxy.corp.example:3128"}),
    ("forward_proxy_loopback_in_container",
     evidence(settings={"proxies": (environment("HTTPS_PROXY", "http://xxxxx@127.0.0.1:7890"),)},
              context=Context(container="docker")),
     "127.0.0.1:7890", "host_proxy", {"HTTPS_PROXY": "http://xxxxx@host.docker.internal:7890"}),
    ("forward_proxy_auth_required", evidence(settings={"proxies": (environment("HTTPS_PROXY", PROXY),)}),
     "proxy.corp.example:3128", "proxy_credentials", {"HTTPS_PROXY": "http://USER:PASSWORD@proxy.corp.example:3128"}),
    ("no_proxy_black_hole",
     evidence(settings={
         "proxies": (environment("HTTPS_PROXY", PROXY), environment("NO_PROXY", "localhost,.example.org,corp")),
         "proxying": (Proxying("go", MIRROR, HOST, "", ".example.org"),)}),
     HOST, "trim_no_proxy", {"NO_PROXY": "localhost,corp", "no_proxy": "localhost,corp"}),
    ("tls_large_clienthello", evidence(), HOST, "small_hello", {"GODEBUG": "tlsmlkem=0"}),
    ("tls_large_clienthello", evidence(environment("GODEBUG", "netdns=go,tlsmlkem=1")), HOST, "small_hello",
     {"GODEBUG": "netdns=go,tlsmlkem=0"}),
    ("http2_server_fault", evidence(goproxy(MIRROR)), HOST, "http1", {"GODEBUG": "http2client=0"}),
    ("goproxy_host_blocked", evidence(goproxy(f"{MIRROR},{OTHER},direct")), f"{HOST}:443", "other_entries",
     {"GOPROXY": f"{OTHER}|direct"}),
    ("goproxy_host_blocked", evidence(goproxy(MIRROR)), HOST, "go_direct", {"GOPROXY": "direct"}),
    ("direct_host_blocked", evidence(goproxy("direct")), "git.corp.example", "use_mirror", {"GOPROXY": DEFAULT}),
    ("goproxy_upstream_unreachable", evidence(goproxy(MIRROR)), HOST, "fetch_module_direct",
     {"GONOPROXY": "git.corp.example"}),
    ("rate_limited_429", evidence(goproxy(MIRROR)), HOST, "slow_down", {"GOMAXPROCS": "1"}),
    ("sumdb_unreachable",
     evidence(goproxy(f"{MIRROR},{OTHER}"), Setting("GOSUMDB", "sum.golang.org", "go.env"),
              answers=(answer(0, 404, "supported"), answer(1, 200, "supported"))),
     "sum.golang.org", "sumdb_through_mirror", {"GOSUMDB": f"sum.golang.org {OTHER}/sumdb/sum.golang.org"}),
    ("sumdb_unreachable", evidence(goproxy(MIRROR)), "sum.golang.org", "gonosumdb", {"GONOSUMDB": "git.corp.example"}),
    ("goproxy_sumdb_mirror_broken", evidence(goproxy(MIRROR)), HOST, "sumdb_direct",
     {"GOSUMDB": "sum.golang.org https://sum.golang.org"}),
    ("toolchain_not_available", evidence(goproxy(MIRROR)), "go.mod", "local_toolchain", {"GOTOOLCHAIN": "local"}),
    ("local_disk_or_permission",
     evidence(settings={"folders": (FolderSeen("GOMODCACHE", "/go/pkg/mod", True, False, "root"),)},
              context=Context(home="/home/me")),
     "GOMODCACHE", "move_gomodcache", {"GOMODCACHE": "/home/me/.cache/go-modcache"}),
    ("ca_bundle_missing_or_stale", evidence(settings={"environ": (environment("SSL_CERT_FILE", "/nowhere"),)}), HOST,
     "unset_cert_file", {"SSL_CERT_FILE": None}),
]  # fmt: skip


@pytest.mark.parametrize(("cause", "seen", "where", "key", "changed"), CHANGES)
def test_a_plan_changes_exactly_this(
    cause: str, seen: Evidence, where: str, key: str, changed: dict[str, str | None]
) -> None:
    assert plans(cause, seen, where)[key].changed == changed


def test_missing_exceptions_are_added_beside_those_that_are_there() -> None:
    seen = evidence(
        settings={
            "proxies": (environment("HTTPS_PROXY", PROXY), environment("NO_PROXY", "localhost,10.0.0.0/8"))
        }
    )
    plan = plans("no_proxy_missing", seen, "git.corp.example:443")["no_proxy"]
    assert plan.changed["NO_PROXY"] == plan.changed["no_proxy"]
    assert {"localhost", "10.0.0.0/8", "git.corp.example"} <= set(str(plan.changed["NO_PROXY"]).split(","))


def test_public_mirrors_are_named_and_never_asked() -> None:
    found = [
        plan
        for plan in propose(evidence(goproxy(MIRROR)), judgement("goproxy_host_blocked"))
        if "mirror_" in plan.key
    ]
    assert [plan.changed["GOPROXY"] for plan in found] == [
        "https://goproxy.cn|direct",
        "https://goproxy.io|direct",
    ]
    assert not any(plan.can_be_tried for plan in found)


def test_the_price_of_an_unchecked_module_is_said() -> None:
    plan = plans("sumdb_unreachable", evidence(goproxy(MIRROR)))["gonosumdb"]
    assert "forged" in str(plan.summary)


# ---- names and files ---------------------------------------------------------------------------------------


def test_a_pinned_address_is_one_on_which_the_certificate_was_proven() -> None:
    plan = plans("dns_hijacked", rich(), HOST)["pin_host"]
    (pin,) = plan.writes
    assert isinstance(pin, PinHost)
    assert (pin.name, pin.addresses) == (HOST, ("192.0.2.7",))
    assert plan.commands == (f"goferry hosts pin {HOST}",)


def test_without_a_proven_address_nothing_is_pinned() -> None:
    seen = dataclasses.replace(rich(), handshakes=())
    assert "pin_host" not in plans("dns_hijacked", seen, HOST)


def test_a_server_that_lied_is_not_recommended() -> None:
    (write,) = plans("dns_hijacked", rich(), HOST)["name_servers"].writes
    assert write == NameServers(("1.1.1.1",))


def test_broken_ipv6_is_mended_with_a_line_that_answers_both_families() -> None:
    (pin,) = plans("ipv6_path_broken", rich(), HOST)["pin_host"].writes
    assert isinstance(pin, PinHost)
    assert pin.addresses == ("192.0.2.7",)


@pytest.mark.parametrize("where", [HOST, "hosts:4"])
def test_the_overriding_line_is_named_and_dropped(where: str) -> None:
    plan = plans("hosts_file_override", rich(), where)["drop_hosts_line"]
    assert plan.writes == (DropHost(HOST),)
    assert "line 4" in str(plan.summary)


def test_the_rule_that_leads_to_ssh_is_dropped_and_https_is_put_in_its_place() -> None:
    rule = DropGit("url.ssh://git@git.corp.example/.insteadof", "https://git.corp.example/", "/h/.gitconfig")
    assert plans("git_insteadof_ssh", rich(), "git.corp.example")["drop_insteadof"].writes == (rule,)
    writes = plans("git_protocol_blocked", rich(), "git.corp.example")["https_insteadof"].writes
    assert writes[0] == rule
    assert isinstance(writes[1], AddGit)


EVIL = "x';: >pwned;'$(: >pwned)`: >pwned`\n: >pwned\n"


@pytest.mark.parametrize("cause", [cause.key for cause in CAUSES])
def test_names_that_others_choose_never_become_commands(cause: str, tmp_path: Path) -> None:
    """Host names, subjects and repositories with shell inside, read by a real shell that finds no program at all."""
    root = CertSeen(EVIL, EVIL, (EVIL,), 0, 9e9, "bb", is_ca=True, pem="x")
    seen = dataclasses.replace(
        rich(),
        subject=Subject(module=f"git.corp.example/{EVIL}", version="v1.2.3"),
        targets=(Target(EVIL, 443, "https", Role.CODE_HOST), Target(EVIL, 443, "https", Role.GOPROXY)),
        names=(NameSeen(EVIL, "go", failure="x"),),
        handshakes=(
            HandshakeSeen(EVIL, "192.0.2.7", 443, EVIL, "go", 0.1, wrong="unknown_authority", chain=(root,)),
        ),
        answers=(
            answer(0, 200, "go_get", facts={"root": f"https://{EVIL}"}),
            answer(1, 302, "origin", redirect=EVIL),
        ),
        runs=(
            RunSeen(
                "go", ("go",), 1, 0.1, f"module declares its path as: {EVIL} but was required as: {EVIL}"
            ),
        ),
    )
    for where in (EVIL, HOST):
        for plan in propose(seen, judgement(cause, where)):
            subprocess.run(
                ["/bin/sh", "-c", "\n".join(plan.commands)],
                cwd=tmp_path,
                env={"PATH": "", "HOME": str(tmp_path)},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=10,
                check=False,
            )
            assert not (tmp_path / "pwned").exists(), (plan.key, plan.commands)


# ---- words -------------------------------------------------------------------------------------------------


def _said(seen: Evidence) -> Plan:
    return plans("goproxy_off", seen)["set_goproxy"]


# origin of the value, context, commands
PLACES = [
    ("environment", Context(), (f"export GOPROXY={DEFAULT}",)),
    ("go env file", Context(), (f"go env -w GOPROXY={DEFAULT}",)),
    ("environment", Context(system="win32"), (f"$env:GOPROXY = '{DEFAULT}'",)),
    ("environment", Context(ci="github"), ("env:", f'  GOPROXY: "{DEFAULT}"')),
    ("environment", Context(ci="gitlab"), ("variables:", f'  GOPROXY: "{DEFAULT}"')),
]


@pytest.mark.parametrize(("origin", "context", "commands"), PLACES)
def test_commands_are_for_the_place_where_the_value_is_set(
    origin: str, context: Context, commands: tuple[str, ...]
) -> None:
    assert _said(evidence(goproxy("off", origin), context=context)).commands == commands


def test_without_a_file_of_gos_own_everything_is_said_for_the_shell() -> None:
    seen = evidence(goproxy("off", "go.env"), environment("GOENV", "off"))
    assert plans("goproxy_off", seen)["set_goproxy"].commands[0].startswith("export GOPROXY=")


def test_other_places_are_there_too() -> None:
    contexts = _said(evidence(goproxy("off"))).contexts
    assert contexts["dockerfile"] == (f'ENV GOPROXY="{DEFAULT}"',)
    assert contexts["systemd"] == ("[Service]", f'Environment="GOPROXY={DEFAULT}"')
    assert contexts["compose"] == ("environment:", f'  GOPROXY: "{DEFAULT}"')
    assert contexts["sudo"][0] == shlex.join(["sudo", "env", f"GOPROXY={DEFAULT}", "go", "mod", "download"])
    # go's own file has no say while the environment has a value.
    assert contexts["go env"] == ("unset GOPROXY", f"go env -w GOPROXY={DEFAULT}")
    assert {"github", "gitlab", "powershell", "fish"} <= set(contexts)


def test_the_line_of_the_file_that_sets_it_is_rewritten_too() -> None:
    elsewhere = (
        Setting("GOPROXY", "off", "docker", "Dockerfile:7"),
        Setting("GOPROXY", "x", "shell", ".zshrc:1"),
    )
    contexts = _said(evidence(goproxy("off"), settings={"elsewhere": elsewhere})).contexts
    assert contexts["Dockerfile:7"] == (f'ENV GOPROXY="{DEFAULT}"',)
    assert ".zshrc:1" not in contexts


def test_how_to_go_back_is_said() -> None:
    assert _said(evidence(goproxy("off"))).undo == ("export GOPROXY=off",)
    assert _said(evidence(goproxy("off", "go env file"))).undo == ("go env -w GOPROXY=off",)


def test_root_needs_no_sudo() -> None:
    for uid, prefix in ((0, "ip link"), (1000, "sudo ip link")):
        context = Context(uid=uid, interfaces=(ETHERNET,))
        assert plans("mtu_blackhole", evidence(context=context))["set_mtu"].commands[0].startswith(prefix)


def test_the_packet_size_is_the_one_that_passed() -> None:
    shakes = (HandshakeSeen(HOST, "192.0.2.7", 443, HOST, "large", 0.1, mss=1300),)
    context = Context(uid=0, interfaces=(BRIDGE, ETHERNET))
    plan = plans("mtu_blackhole", evidence(context=context, handshakes=shakes))["set_mtu"]
    assert plan.commands == ("ip link set dev eth0 mtu 1340",)
    assert plan.contexts["daemon_json"] == ('{"mtu": 1340}',)


# ---- the author's ------------------------------------------------------------------------------------------


def test_the_declared_path_is_taken_from_gos_own_words() -> None:
    run = RunSeen(
        "go",
        ("go", "mod", "download"),
        1,
        1.0,
        "go: github.com/Old/lib@v1.2.3: parsing go.mod:\n\tmodule declares its path as: github.com/new/lib\n"
        "\t        but was required as: github.com/Old/lib\n",
    )
    seen = evidence(runs=(run,), subject=Subject(module="github.com/Old/lib", version="v1.2.3"))
    found = plans("module_path_mismatch", seen)
    assert "go get github.com/new/lib@v1.2.3" in found["declared_path"].commands
    assert found["replace_path"].commands == (
        "go mod edit -replace=github.com/new/lib=github.com/Old/lib@v1.2.3",
    )


def test_versions_that_exist_are_proposed_the_nearest_first() -> None:
    body = "v1.0.0\nv1.1.0\nv1.3.0\nv2.0.0-rc.1\n"
    seen = evidence(goproxy(MIRROR), answers=(answer(0, 200, "list", body=body),))
    found = [
        plan.commands[0]
        for plan in propose(seen, judgement("unknown_revision"))
        if plan.key == "known_version"
    ]
    assert found == [f"go get {MODULE}@{version}" for version in ("v1.1.0", "v1.3.0", "v2.0.0-rc.1")]


def test_a_requirement_that_cannot_be_loaded_is_edited_and_not_got() -> None:
    seen = evidence(
        goproxy(MIRROR),
        answers=(answer(0, 200, "list", body="v1.1.0\n"),),
        settings={"requires": (f"{MODULE}@v1.2.3",)},
    )
    assert plans("unknown_revision", seen)["known_version"].commands == (
        f"go mod edit -require={MODULE}@v1.1.0",
    )


def test_a_misspelt_path_is_compared_with_what_the_project_knows() -> None:
    seen = evidence(
        settings={"requires": ("github.com/stretchr/testify@v1.9.0", "example.com/other@v1.0.0")},
        subject=Subject(module="github.com/strechr/testify"),
    )
    assert plans("module_path_wrong", seen)["near_path"].commands == (
        "go get github.com/stretchr/testify@latest",
    )


# what go said, hashes that were seen, module and version
BLAMED = [
    (f"verifying {MODULE}@v1.2.3: checksum mismatch", (), (MODULE, "v1.2.3")),
    ("go: a.example/x@v0.1.0-rc.1+incompatible: reading https://m.example/x/@v/v0.1.0.mod: 404", (),
     ("a.example/x", "v0.1.0-rc.1+incompatible")),
    ("go: downloading go1.27 (linux/amd64)\nmail me@example.org", (), ("", "")),
    ("SECURITY ERROR",
     (SumsSeen("a.example", "v1.0.0", "h1:a", "h1:a"), SumsSeen("b.example", "v1.0.0", "h1:a", "h1:b")),
     ("b.example", "v1.0.0")),
]  # fmt: skip


@pytest.mark.parametrize(("output", "sums", "blamed"), BLAMED)
def test_without_a_subject_the_module_is_the_one_that_failed(
    output: str, sums: tuple[SumsSeen, ...], blamed: tuple[str, str]
) -> None:
    run = RunSeen("go", ("go", "mod", "download"), 1, 1.0, output)
    case = Case(evidence(subject=Subject(), runs=(run,), sums=sums), judgement("checksum_mismatch_retagged"))
    assert (case.module, case.version) == blamed


@pytest.mark.parametrize("others", [f"{MODULE} v1.2.30 h1:x=\n{MODULE}x v1.2.3 h1:x=\n", ""])
def test_lines_of_go_sum_are_taken_out_for_that_version_alone(tmp_path: Path, others: str) -> None:
    """The printed command, run by a real shell."""
    (tmp_path / "go.sum").write_text(f"{MODULE} v1.2.3 h1:a=\n{MODULE} v1.2.3/go.mod h1:b=\n{others}")
    seen = evidence(sums=(SumsSeen(MODULE, "v1.2.3", "h1:a", "h1:b", "h1:b"),))
    plan = plans("checksum_mismatch_retagged", seen)["renew_go_sum"]
    subprocess.run(["sh", "-c", plan.commands[0]], cwd=tmp_path, check=True)
    assert (tmp_path / "go.sum").read_text() == others


def test_facts_for_others_say_what_the_mirror_answered() -> None:
    told = plans("goproxy_server_5xx", rich(), HOST)["tell_mirror"].contexts["message"]
    assert "https://entry0.example.org/x: 502 bad gateway; server: nginx" in told


def _all_texts(plan: Plan) -> list[Any]:
    return [plan.summary, *plan.commands, *(line for lines in plan.contexts.values() for line in lines)]


@pytest.mark.parametrize("cause", [cause.key for cause in CAUSES])
def test_summaries_are_texts_and_lines_have_no_line_breaks(cause: str) -> None:
    for plan in propose(rich(), judgement(cause, HOST)):
        summary, *lines = _all_texts(plan)
        assert isinstance(summary, Text)
        assert all("\n" not in line for line in lines), plan.key
    assert BY_KEY[cause].key == cause


# ---- files of the project, and what stands in for a fix ----------------------------------------------------

PROJECT = {"requires": (f"{MODULE}@v1.2.3",), "main_module": "corp.example/app"}


def blamed(text: str) -> RunSeen:
    return RunSeen("go", ("go", "mod", "download"), 1, 1.0, f"go: {MODULE}@v1.2.3: {text}")


def in_project(text: str, **parts: Any) -> Evidence:
    """The same without a subject: the project in the working folder is what is asked for."""
    settings = {**PROJECT, **parts.pop("settings", {})}
    return evidence(goproxy(MIRROR), settings=settings, subject=Subject(), runs=(blamed(text),), **parts)


def test_a_version_that_exists_is_put_into_go_mod() -> None:
    seen = in_project("unknown revision", answers=(answer(0, 200, "list", body="v1.1.0\n"),))
    plan = plans("unknown_revision", seen)["known_version"]
    assert plan.writes == (EditMod((f"-require={MODULE}@v1.1.0",)),)
    assert plan.commands == (f"go mod edit -require={MODULE}@v1.1.0",)
    assert changes_of(plan) == (f"go.mod=-require={MODULE}@v1.1.0",)


def test_a_path_that_the_code_imports_stands_in_for_a_misspelt_one() -> None:
    seen = in_project("not found", settings={"imports": ("git.corp.example/team/libs/sub", "a.example/x")})
    plan = plans("module_path_wrong", seen)["near_path"]
    assert plan.writes == (EditMod((f"-droprequire={MODULE}", "-require=git.corp.example/team/libs@v1.2.3")),)


def test_the_go_line_is_lowered_to_the_go_that_is_there() -> None:
    plan = plans("toolchain_not_available", in_project("go.mod requires go >= 1.99"))["lower_go_line"]
    assert plan.writes == (EditMod(("-go=1.26.1", "-toolchain=none")),)
    local = plans("toolchain_not_available", evidence(environment("GOTOOLCHAIN", "local")))
    assert "local_toolchain" not in local


def test_lines_of_go_sum_are_dropped_byte_for_byte() -> None:
    kept = b"a.example/x v1.2.3 h1:c=\r\n" + f"{MODULE} v1.2.30 h1:x=".encode()
    gone = f"{MODULE} v1.2.3 h1:a=\n{MODULE} v1.2.3/go.mod h1:b=\n".encode()
    assert DropSums(MODULE, "v1.2.3").rewrite(gone + kept) == kept
    assert DropSums(MODULE, "v9.9.9").rewrite(gone + kept) == gone + kept


def test_small_packets_are_tried_where_the_packets_are_ours() -> None:
    context = Context(uid=0, interfaces=(ETHERNET,))
    plan = plans("mtu_blackhole", evidence(context=context))["set_mtu"]
    assert plan.can_be_tried
    assert changes_of(plan) == ("segment=1220",)
    proxied = evidence(context=context, settings={"proxies": (environment("HTTPS_PROXY", PROXY),)})
    assert not plans("mtu_blackhole", proxied)["set_mtu"].can_be_tried


def test_what_one_program_trusts_the_other_is_told_to_trust() -> None:
    files = (
        CaFile("go", "/h/company.pem", True, True, 1, "SSL_CERT_FILE"),
        CaFile("git", "/etc/git.pem", True, True, 9),
    )
    cert = CertSeen("CN=x", "CN=Example Firewall CA", (HOST,), 0, 9e9, "aa")
    shake = HandshakeSeen(
        HOST, "192.0.2.7", 443, HOST, "go", 0.1, chain=(cert,), tried=("go", "git"), trusted=("go",)
    )
    by_git = plans("tls_mitm_corporate_ca", evidence(settings={"roots": files}, handshakes=(shake,)))[
        "share_roots"
    ]
    assert by_git.writes == (AddGit((("http.sslCAInfo", "/h/company.pem"),)),)
    reverse = dataclasses.replace(shake, trusted=("git",), wrong="unknown_authority")
    by_go = plans("tls_mitm_corporate_ca", evidence(settings={"roots": files}, handshakes=(reverse,)))[
        "share_roots"
    ]
    assert by_go.changed == {"SSL_CERT_FILE": "/etc/git.pem"}


def test_a_chain_is_completed_with_what_another_host_sends() -> None:
    leaf = CertSeen("CN=x", "CN=Middle", (HOST,), 0, 9e9, "aa")
    middle = CertSeen(
        "CN=Middle", "CN=Root", (), 0, 9e9, "bb", is_ca=True, pem="-----BEGIN X-----\nAA\n-----END X-----\n"
    )
    bad = HandshakeSeen(HOST, "192.0.2.7", 443, HOST, "go", 0.1, chain=(leaf,), wrong="incomplete")
    good = HandshakeSeen(
        "b.example", "192.0.2.8", 443, "b.example", "go", 0.1, chain=(leaf, middle), trusted=("go",)
    )
    found = plans("ca_bundle_missing_or_stale", evidence(handshakes=(bad, good)))
    assert found["add_missing_certificate"].files["SSL_CERT_FILE"].endswith(b"-----END X-----\n")
    assert found["tell_server"].by == Whose.MIRROR.value
    assert "install_roots" not in found
    assert "add_missing_certificate" not in plans("ca_bundle_missing_or_stale", evidence(handshakes=(bad,)))


def test_a_mirror_that_wants_a_login_is_given_one_and_no_private_name_goes_to_strangers() -> None:
    refused = AnswerSeen(f"{MIRROR}/x", "info", 0, 401)
    found = plans("goproxy_lacks_vcs_credentials", evidence(goproxy(MIRROR), answers=(refused,)), HOST)
    assert next(iter(found)) == "login_for_mirror"
    inside = (NameSeen("git.corp.example", "go", addresses=("10.1.1.1",)),)
    private = plans("goproxy_lacks_vcs_credentials", evidence(goproxy(MIRROR), names=inside), HOST)
    assert "fetch_private_direct" in private
    assert not [key for key in private if key.startswith("mirror_")]


def test_a_rule_that_turns_https_into_gits_own_protocol_goes_too() -> None:
    rule = GitSetting(
        "url.git://git.corp.example/.insteadof", "https://git.corp.example/", "global", "/h/.gitconfig"
    )
    seen = evidence(
        settings={"git": (rule,)}, targets=(Target("git.corp.example", 9418, "git", Role.CODE_HOST),)
    )
    plan = plans("git_protocol_blocked", seen, "git.corp.example:9418")["https_insteadof"]
    assert DropGit(rule.key, rule.value, rule.place) in plan.writes


def test_where_every_host_is_cut_off_nobody_is_sent_to_another_one() -> None:
    cut = [HandshakeSeen(host, "192.0.2.7", 443, host, "go", 0.1, "reset") for host in (HOST, "b.example")]
    everywhere = plans("middlebox_reset", evidence(goproxy(MIRROR), handshakes=tuple(cut)), f"{HOST}:443")
    assert not [key for key in everywhere if key.startswith("mirror_")]
    assert everywhere["tell_network"].summary.parts["hosts"] == f"b.example, {HOST}"
    alone = plans("middlebox_reset", evidence(goproxy(MIRROR), handshakes=tuple(cut[:1])), f"{HOST}:443")
    assert "go_direct" in alone


def test_who_has_no_login_is_told_whom_to_ask() -> None:
    git = RunSeen("git ls-remote", ("git",), 128, 0.1, facts={"url": "https://git.corp.example/team/lib"})
    told = plans("git_credentials_missing", evidence(runs=(git,)), "git.corp.example")["tell_owner"]
    assert told.by == Whose.AUTHOR.value
    assert "https://git.corp.example/team/lib" in told.contexts["message"]


# ---- whatever is printed can be pasted: real shells, YAML loaders and systemd read it -----------------------

SHELLS = ("shell", "go env", "sudo", "environment", "loop", "cache", "go", "git", "curl", "undo")
YAMLS = ("compose", "github", "gitlab", "kubernetes")
PLACES = (HOST, "GOPROXY", "git.corp.example:22", "/go/pkg/mod", "")


def all_plans() -> Iterator[Plan]:
    for cause in CAUSES:
        for where in PLACES:
            yield from propose(rich(), judgement(cause.key, where))


def texts(*contexts: str) -> list[str]:
    found = (
        "\n".join(lines) for plan in all_plans() for name, lines in plan.contexts.items() if name in contexts
    )
    return list(dict.fromkeys(found))


def test_commands_are_words_of_a_shell() -> None:
    commands = ["\n".join(plan.commands) for plan in all_plans()]
    for text in dict.fromkeys([*commands, *texts(*SHELLS)]):
        read = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        assert (read.returncode, read.stderr) == (0, ""), text


def test_yaml_is_yaml_and_json_is_json() -> None:
    assert all(isinstance(yaml.safe_load(text), dict | list) for text in texts(*YAMLS))
    assert all(json.loads(text) for text in texts("daemon_json"))


def test_a_dockerfile_has_one_instruction_a_line() -> None:
    for line in (line for text in texts("dockerfile") for line in text.splitlines()):
        assert line.startswith(("ENV ", "RUN ", "COPY ", "ARG ", "FROM ", "#", "    ")), line


@pytest.mark.parametrize("context", ["systemd", "systemd_resolved"])
def test_units_are_read_by_systemd(context: str, tmp_path: Path) -> None:
    found = texts(context)
    assert found
    for text in found:
        assert text.startswith("["), text
    unit = tmp_path / "test.service"
    lines = [text for text in found if text.startswith("[Service]")]
    unit.write_text("\n".join([*lines, "[Service]", "ExecStart=/bin/true", ""]))
    if shutil.which("systemd-analyze") and lines:
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
