"""Routes of single modules: decisions, the way, and everything that is other than it seems, with what mends it."""

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from goferry.cli.main import run
from goferry.doctor.evidence import Context, Interface, SettingsSeen
from goferry.doctor.route import Hop, Route, Trap, patterns, trace
from goferry.doctor.settings import parse_subject, read_settings
from goferry.gomod import module
from settingsworld import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    made = Machine(tmp_path)
    made.install_go()
    made.install_git()
    return made


def seen_on(machine: Machine, environ: Mapping[str, str] | None = None) -> SettingsSeen:
    return read_settings(machine.world(environ))[0]


def route_on(
    machine: Machine, name: str, environ: Mapping[str, str] | None = None, context: Context | None = None
) -> Route:
    return trace(seen_on(machine, environ), context or Context(), parse_subject(name))


def traps(route: Route) -> list[str]:
    return [trap.code for trap in route.traps]


def trap_of(route: Route, code: str) -> Trap:
    return next(trap for trap in route.traps if trap.code == code)


def hosts(route: Route) -> list[tuple[str, str]]:
    return [(hop.kind, hop.host) for hop in route.hops]


# ---- decisions ---------------------------------------------------------------------------------------------


def test_a_plain_environment_leads_to_the_mirror_and_has_no_traps(machine: Machine) -> None:
    route = route_on(machine, "rsc.io/quote@v1.5.2")
    assert (route.module, route.version, route.result) == ("rsc.io/quote", "v1.5.2", "mirror")
    assert hosts(route) == [("mirror", "mirror.example.org"), ("import", "rsc.io")]
    assert [hop.moves_on for hop in route.hops] == ["not_found", ""]
    assert [(step.key, step.result) for step in route.steps] == [
        ("private", "mirrors"),
        ("mirrors", "mirror"),
        ("repository", "asked"),
        ("govcs", "allowed"),
        ("sumdb", "checked"),
    ]
    assert route.traps == ()


def test_a_decision_says_value_place_and_rule(machine: Machine) -> None:
    path = machine.write(machine.home / ".config/go/env", "GOPRIVATE=a.example,*.corp.example\n")
    step = route_on(machine, "git.corp.example/x").steps[0]
    assert (step.variable, step.origin, step.place) == ("GONOPROXY", "inherited", "GOPRIVATE")
    assert (step.rule, step.result) == ("*.corp.example", "direct")
    machine.write(machine.home / ".config/go/env", "GONOPROXY=*.corp.example\n")
    step = route_on(machine, "git.corp.example/x").steps[0]
    assert (step.origin, step.place) == ("go env file", f"{path}:1")


@pytest.mark.parametrize(
    ("environ", "result", "keys"),
    [
        ({"GOPROXY": "off"}, "off", ["private", "mirrors", "sumdb"]),
        ({"GOPROXY": "direct"}, "direct", ["private", "mirrors", "repository", "govcs", "sumdb"]),
        ({"GOPROXY": ","}, "error", ["mirrors", "sumdb"]),
        ({"GOPROXY": "Direct"}, "error", ["mirrors", "sumdb"]),
        ({"GOFLAGS": "-v -mod=vendor", "GOPROXY": "off"}, "off", ["mode", "private", "mirrors", "sumdb"]),
        ({"GOFLAGS": "-mod vendor"}, "error", ["mode", "sumdb"]),
        ({"GOFLAGS": "'-v"}, "error", ["mode", "sumdb"]),
        ({"GO111MODULE": "off"}, "error", ["mode", "sumdb"]),
        ({"GOPRIVATE": "github.com/o"}, "direct", ["private", "repository", "govcs", "sumdb"]),
        (
            {"GOPROXY": "direct", "GOVCS": "*:hg"},
            "error",
            ["private", "mirrors", "repository", "govcs", "sumdb"],
        ),
        ({"GOPROXY": "file:///srv/mirror"}, "mirror", ["private", "mirrors", "sumdb"]),
        (
            {"GOINSECURE": "github.com", "GOPROXY": "direct"},
            "direct",
            ["private", "mirrors", "insecure", "repository", "govcs", "sumdb"],
        ),
    ],
)
def test_the_decisions_follow_the_settings(
    environ: dict[str, str], result: str, keys: list[str], machine: Machine
) -> None:
    route = route_on(machine, "github.com/o/r", environ)
    assert (route.result, [step.key for step in route.steps]) == (result, keys)


@pytest.mark.parametrize(
    ("environ", "variable", "rule", "result"),
    [
        ({}, "GOSUMDB", "", "checked"),
        ({"GOSUMDB": "off"}, "GOSUMDB", "off", "unchecked"),
        ({"GONOSUMDB": "a,rsc.io"}, "GONOSUMDB", "rsc.io", "unchecked"),
        ({"GOPRIVATE": "*.io"}, "GONOSUMDB", "*.io", "unchecked"),
        ({"GOSUMDB": "nonsense"}, "GOSUMDB", "", "error"),
        ({"GO111MODULE": "off"}, "GO111MODULE", "off", "unchecked"),
    ],
)
def test_the_checksum_database_is_asked_or_not(
    environ: dict[str, str], variable: str, rule: str, result: str, machine: Machine
) -> None:
    step = route_on(machine, "rsc.io/quote", environ).steps[-1]
    assert (step.variable, step.rule, step.result) == (variable, rule, result)


def test_an_old_go_in_gopath_mode_asks_the_origin(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install_go(version="go1.21.13")
    route = route_on(machine, "github.com/o/r", {"GO111MODULE": "off", "GOPROXY": "https://a.example.org"})
    assert (route.result, hosts(route)) == ("direct", [("code", "github.com")])
    assert [step.key for step in route.steps] == ["mode", "repository", "govcs", "sumdb"]
    assert traps(route) == ["gopath_mode"]


def test_toolchains_are_checked_even_without_a_database(machine: Machine) -> None:
    route = route_on(machine, "toolchain@go1.99.1", {"GOSUMDB": "off"})
    assert route.module == "golang.org/toolchain"
    assert "toolchain_needs_sumdb" in traps(route)


# ---- the way -----------------------------------------------------------------------------------------------

SIX = Context(interfaces=(Interface("eth0", 1500, True, ("192.0.2.1", "2a00::1")),))
LOCAL_SIX = Context(
    interfaces=(Interface("eth0", 1500, True, ("fe80::1", "fd00::1", "2002::1", "192.0.2.1")),)
)


def first(route: Route) -> Hop:
    return route.hops[0]


def test_addresses_come_from_the_hosts_file_first(machine: Machine) -> None:
    machine.write(machine.root / "etc/hosts", "192.0.2.7 mirror.example.org\n")
    hop = first(route_on(machine, "rsc.io/quote", context=SIX))
    assert (hop.sources, hop.addresses, hop.families) == (("files",), ("192.0.2.7",), (4,))
    machine.write(machine.root / "etc/nsswitch.conf", "hosts: dns files\n")
    hop = first(route_on(machine, "rsc.io/quote", context=SIX))
    assert (hop.sources, hop.addresses) == (("dns", "files"), ())


@pytest.mark.parametrize(("context", "families"), [(Context(), (4, 6)), (SIX, (6, 4)), (LOCAL_SIX, (4, 6))])
def test_families_depend_on_the_addresses_of_this_machine(
    context: Context, families: tuple[int, ...], machine: Machine
) -> None:
    assert first(route_on(machine, "rsc.io/quote", context=context)).families == families


def test_an_address_needs_no_lookup(machine: Machine) -> None:
    hop = first(route_on(machine, "rsc.io/quote", {"GOPROXY": "http://[2001:db8::1]:3000"}))
    assert (hop.sources, hop.addresses, hop.families) == ((), ("2001:db8::1",), (6,))
    assert (hop.port, hop.verified, hop.roots) == (3000, False, ())


def test_behind_a_forward_proxy_names_are_its_business(machine: Machine) -> None:
    environ = {"HTTPS_PROXY": "http://me:pw@p.corp:3128", "NO_PROXY": "rsc.io"}
    mirror, origin = route_on(machine, "rsc.io/quote", environ).hops
    assert (mirror.forward_proxy, mirror.forward_rule, mirror.sources) == (
        "http://p.corp:3128",
        "HTTPS_PROXY",
        (),
    )
    assert (origin.forward_proxy, origin.forward_rule, origin.sources) == ("", "rsc.io", ("files", "dns"))


def test_each_stack_has_its_own_roots(machine: Machine) -> None:
    machine.write(machine.home / "go.pem", "")
    machine.write(machine.home / "git.pem", "")
    environ = {"SSL_CERT_FILE": f"{machine.home}/go.pem", "GIT_SSL_CAINFO": f"{machine.home}/git.pem"}
    mirror, code = route_on(machine, "github.com/o/r", environ).hops
    assert mirror.roots == (f"{machine.home}/go.pem",)
    assert code.roots == (f"{machine.home}/git.pem",)
    code = route_on(machine, "github.com/o/r", {"GIT_SSL_NO_VERIFY": "1"}).hops[1]
    assert (code.verified, code.roots) == (False, ())


def test_what_git_has_for_one_host_counts_for_that_host_alone(machine: Machine) -> None:
    machine.write(machine.home / "one.pem", "")
    machine.write(machine.home / "all.pem", "")
    machine.write(
        machine.home / ".gitconfig",
        f"[http]\nsslCAInfo = {machine.home}/all.pem\n"
        f'[http "https://github.com"]\nsslCAInfo = {machine.home}/one.pem\n'
        '[http "https://bitbucket.org"]\nsslVerify = false\n',
    )
    assert route_on(machine, "github.com/o/r").hops[1].roots == (f"{machine.home}/one.pem",)
    assert route_on(machine, "code.example.org/r.git").hops[1].roots == (f"{machine.home}/all.pem",)
    assert not route_on(machine, "bitbucket.org/o/r").hops[1].verified


def test_credentials_are_named_by_their_place_alone(machine: Machine) -> None:
    path = machine.write(
        machine.home / ".netrc",
        "machine mirror.example.org login me password hunter2\nmachine github.com login me password hunter2\n",
    )
    machine.write(
        machine.home / ".gitconfig",
        '[credential "https://github.com"]\nhelper = store\n[credential "https://x.example"]\nhelper = y\n',
    )
    route = route_on(machine, "github.com/o/r", {"GOAUTH": "netrc; git /srv/x; helper --secret hunter2"})
    mirror, code = route.hops
    assert [(item.source, item.place, item.used) for item in mirror.credentials] == [
        ("netrc", f"{path}:1", True),
        ("goauth_git", "/srv/x", True),
        ("goauth_command", "helper", True),
    ]
    assert [(item.source, item.used) for item in code.credentials] == [("netrc", True), ("git_helper", True)]
    assert "hunter2" not in json.dumps(route.to_json())


def test_credentials_for_a_part_of_a_host_count_for_that_part(machine: Machine) -> None:
    machine.write(machine.home / ".netrc", "machine mirror.example.org/go login me password x\n")
    environ = {"GOPROXY": "https://mirror.example.org/go/v2,https://mirror.example.org/other"}
    assert [len(hop.credentials) for hop in route_on(machine, "rsc.io/quote", environ).hops] == [1, 0]
    assert route_on(machine, "rsc.io/quote", {**environ, "GOAUTH": "off"}).hops[0].credentials == ()


# ---- patterns ----------------------------------------------------------------------------------------------

# (pattern, module, faults, patterns that were meant)
NEAR: list[tuple[str, str, tuple[str, ...], tuple[str, ...]]] = [
    ("https://corp.example", "corp.example/x", ("scheme_in_pattern",), ("corp.example",)),
    ("https://corp.example/*", "corp.example/x", ("scheme_in_pattern",), ("corp.example/*",)),
    (" corp.example", "corp.example/x", ("blank_in_pattern",), ("corp.example",)),
    ("a.example corp.example", "corp.example/x", ("blank_in_pattern",), ("a.example", "corp.example")),
    ("a.example;corp.example", "corp.example/x", ("blank_in_pattern",), ("a.example", "corp.example")),
    ('"corp.example"', "corp.example/x", ("quotes_in_pattern",), ("corp.example",)),
    ("git@corp.example:team", "corp.example/team/x", ("user_in_pattern",), ("corp.example/team",)),
    ("corp.example:8443", "corp.example/x", ("port_in_pattern",), ("corp.example",)),
    ("corp.example/...", "corp.example/x", ("dots_in_pattern",), ("corp.example",)),
    ("corp.example/team/**", "corp.example/team", ("dots_in_pattern",), ("corp.example/team",)),
    ("corp.example/team/x.git", "corp.example/team/x", ("git_suffix_in_pattern",), ("corp.example/team/x",)),
    ("github.com/Acme", "github.com/acme/x", ("case_of_pattern",), ("github.com/acme",)),
    ("GitHub.com/*/X", "github.com/acme/x", ("case_of_pattern",), ("github.com/*/x",)),
    ("*.corp.example", "corp.example/x", ("star_without_parent",), ("*.corp.example", "corp.example")),
    (".corp.example", "git.corp.example/x", ("star_without_parent",), ("*.corp.example",)),
    (".corp.example", "corp.example/x", ("star_without_parent",), ("*.corp.example", "corp.example")),
    ("corp.example/team/*", "corp.example/team", ("star_needs_element",), ("corp.example/team",)),
]


@pytest.mark.parametrize(("pattern", "path", "faults", "mended"), NEAR)
def test_a_pattern_that_was_meant_is_known_by_its_fault(
    pattern: str, path: str, faults: tuple[str, ...], mended: tuple[str, ...]
) -> None:
    near = patterns.nearest(pattern, path)
    assert near is not None
    assert (near.faults, near.mended) == (faults, mended)
    assert not module.match_prefix_patterns(pattern, path)
    assert module.match_prefix_patterns(near.replaced_in(pattern), path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("corp.example", "corp.example/x"),
        ("*.corp.example", "git.corp.example/x"),
        ("other.example", "corp.example/x"),
        ("corp.example/team", "corp.example/other"),
        ("none", "corp.example/x"),
        ("", "corp.example/x"),
        (",", "corp.example/x"),
        ("ample/x", "corp.example/x"),
        ("orp.example", "corp.example/x"),
        ("[", "corp.example/x"),
    ],
)
def test_a_pattern_that_matches_or_means_others_is_not_near(pattern: str, path: str) -> None:
    assert patterns.nearest(pattern, path) is None


def test_mending_keeps_the_rest_of_the_list_and_tidies_it(machine: Machine) -> None:
    route = route_on(
        machine, "corp.example/x", {"GOPRIVATE": "a.example, https://b.example/*,https://corp.example"}
    )
    assert traps(route) == ["scheme_in_pattern"]
    assert trap_of(route, "scheme_in_pattern").commands == (
        "export GOPRIVATE='a.example,b.example/*,corp.example'",
    )


def test_the_command_goes_where_the_setting_is_made(machine: Machine) -> None:
    machine.write(machine.home / ".config/go/env", "GOPRIVATE=*.corp.example\n")
    route = route_on(machine, "corp.example/x")
    assert trap_of(route, "star_without_parent").commands == (
        "go env -w 'GOPRIVATE=*.corp.example,corp.example'",
    )


# ---- traps -------------------------------------------------------------------------------------------------

# (module, environment, codes)
TRAPS: list[tuple[str, dict[str, str], list[str]]] = [
    (
        "git.corp.example/x",
        {"GOPRIVATE": "*.corp.example", "GONOPROXY": "a.example"},
        ["inheritance_replaced"],
    ),
    (
        "git.corp.example/x",
        {"GOPRIVATE": "*.corp.example", "GONOSUMDB": "a.example"},
        ["inheritance_replaced"],
    ),
    ("git.corp.example/x", {"GOPRIVATE": "*.corp.example", "GONOPROXY": "none"}, []),
    ("git.example.internal/x", {}, ["private_name_to_mirror"]),
    ("git.example.internal/x", {"GOPROXY": "https://goproxy.example.internal,direct"}, []),
    ("git.example.internal/x", {"GOPROXY": "http://10.0.0.1:3000"}, []),
    ("git.example.internal/x", {"GOPRIVATE": "*.internal"}, []),
    ("git.example.internal/x", {"GOPROXY": "direct"}, ["private_name_to_sumdb"]),
    ("git.example.internal/x", {"GONOPROXY": "*.internal"}, ["private_name_to_sumdb"]),
    ("git.example.internal/x", {"GOPROXY": "direct", "GOSUMDB": "off"}, []),
    ("rsc.io/quote", {"GOPROXY": "https://a.example.org;direct"}, ["semicolon_in_list"]),
    ("rsc.io/quote", {"GOPROXY": '"https://a.example.org"'}, ["quotes_in_list"]),
    ("rsc.io/quote", {"GOPROXY": "https://a.example.org,Direct"}, ["case_in_list"]),
    ("rsc.io/quote", {"GOPROXY": "direct,https://a.example.org"}, ["entry_never_reached"]),
    ("rsc.io/quote", {"GOPROXY": "http://me:pw@a.example.org"}, ["credentials_over_http"]),
    ("rsc.io/quote", {"GOPROXY": "https://me:pw@a.example.org"}, []),
    ("rsc.io/quote", {"GO111MODULE": "off"}, ["gopath_mode"]),
    ("rsc.io/quote", {"HTTPS_PROXY": "p:1", "NO_PROXY": "https://rsc.io"}, ["no_proxy_entry_misses"]),
    ("rsc.io/quote", {"ALL_PROXY": "socks5://p:1", "GOPROXY": "direct"}, ["proxy_variable_ignored"]),
    ("rsc.io/quote", {"GOINSECURE": "rsc.io"}, ["insecure_not_for_mirrors"]),
    ("rsc.io/quote", {"GOFLAGS": "-insecure"}, ["insecure_flag"]),
    ("rsc.io/quote", {"GOAUTH": "git relative"}, ["goauth_invalid"]),
    ("rsc.io/quote", {"GOFLAGS": "-mod=vendor"}, []),
]


@pytest.mark.parametrize(("name", "environ", "codes"), TRAPS)
def test_what_is_other_than_it_seems_is_said(
    name: str, environ: dict[str, str], codes: list[str], machine: Machine
) -> None:
    assert traps(route_on(machine, name, environ)) == codes


def test_a_value_of_the_go_command_that_the_environment_hides_is_said(machine: Machine) -> None:
    path = machine.write(machine.home / ".config/go/env", "GOPROXY=https://mine.example.org\n")
    trap = trap_of(
        route_on(machine, "rsc.io/quote", {"GOPROXY": "https://a.example.org"}), "environment_wins"
    )
    assert (trap.where, trap.commands) == (f"GOPROXY ({path}:1)", ("unset GOPROXY",))


@pytest.mark.parametrize("evidence", ["netrc", "hosts", "git", "credential"])
def test_a_module_that_somebody_logs_in_for_looks_private(evidence: str, machine: Machine) -> None:
    name = "code.example.org/team/x"
    if evidence == "netrc":
        machine.write(machine.home / ".netrc", "machine code.example.org login a password b\n")
    elif evidence == "hosts":
        machine.write(machine.root / "etc/hosts", "10.1.2.3 code.example.org\n")
    elif evidence == "git":
        name = "github.com/acme/x"
        machine.write(
            machine.home / ".gitconfig",
            '[url "ssh://git@github.com/acme/"]\ninsteadOf = https://github.com/acme/\n',
        )
    else:
        machine.write(
            machine.home / ".gitconfig", '[credential "https://code.example.org"]\nhelper = store\n'
        )
    trap = trap_of(route_on(machine, name, {"GOPRIVATE": "a.example"}), "private_name_to_mirror")
    want = "github.com/acme" if evidence == "git" else "code.example.org"
    assert trap.commands == (f"export GOPRIVATE=a.example,{want}",)


def test_a_general_rule_for_a_public_host_makes_nothing_private(machine: Machine) -> None:
    machine.write(
        machine.home / ".gitconfig",
        '[url "https://github.com/"]\ninsteadOf = git://github.com/\n[http "https://github.com"]\nproxy = p:1\n',
    )
    assert traps(route_on(machine, "github.com/o/r")) == []


# (lines of the configuration, the trap; "" for none)
GIT_TRAPS: list[tuple[str, str]] = [
    ('[url "ssh://git@github.com/"]\ninsteadOf = https://github.com/\n', "insteadof_to_ssh"),
    ('[url "git@github.com:"]\ninsteadOf = https://github.com/\n', "insteadof_to_ssh"),
    ('[url "git@github.com:"]\ninsteadOf = https://github.com\n', "insteadof_wrong_path"),
    ('[url "git@github.com"]\ninsteadOf = https://github.com/\n', "insteadof_wrong_host"),
    ('[url "https://mirror.example.org"]\ninsteadOf = https://github.com/\n', "insteadof_wrong_host"),
    ('[url "git://github.com/"]\ninsteadOf = https://github.com/\n', "insteadof_to_git"),
    ('[url "ssh://git@github.com/"]\ninsteadOf = https://GitHub.com/\n', "insteadof_case"),
    ('[url "https://mirror.example.org/"]\ninsteadOf = https://github.com/\n', ""),
    ('[url "https://mirror.example.org"]\ninsteadOf = https://github.com\n', ""),
    ('[url "ssh://git@github.com/"]\npushInsteadOf = https://github.com/\n', ""),
    ('[url "ssh://git@github.com/"]\ninsteadOf = https://github.com/other/\n', ""),
]


@pytest.mark.parametrize(("config", "code"), GIT_TRAPS)
def test_rules_of_git_that_lead_astray_are_said(config: str, code: str, machine: Machine) -> None:
    machine.write(machine.home / ".gitconfig", config)
    route = route_on(machine, "github.com/o/r", {"GOPROXY": "direct", "GOSUMDB": "off"})
    assert traps(route) == ([code] if code else [])


@pytest.mark.parametrize(
    ("config", "want"),
    [
        (GIT_TRAPS[2][0], "git@github.com:o/r"),
        (GIT_TRAPS[3][0], "git@github.com:o/r"),
        (GIT_TRAPS[4][0], "https://mirror.example.org/o/r"),
        (GIT_TRAPS[0][0], "https://github.com/o/r"),
        (GIT_TRAPS[6][0], "ssh://git@github.com/o/r"),
    ],
)
def test_the_commands_make_git_do_what_was_meant(config: str, want: str, machine: Machine) -> None:
    machine.write(machine.home / ".gitconfig", config)
    route = route_on(machine, "github.com/o/r", {"GOPROXY": "direct", "GOSUMDB": "off"})
    environ = {"HOME": str(machine.home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    for line in route.traps[0].commands:
        subprocess.run(["sh", "-ec", line], env=environ, check=True)
    asked = ["git", "ls-remote", "--get-url", "https://github.com/o/r"]
    seen = subprocess.run(asked, env=environ, cwd=machine.cwd, capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == want


def test_a_rule_with_a_token_is_mended_by_hand(machine: Machine) -> None:
    machine.write(
        machine.home / ".gitconfig", '[url "https://tok3n@github.com"]\ninsteadOf = https://github.com/\n'
    )
    route = route_on(machine, "github.com/o/r", {"GOPROXY": "direct", "GOSUMDB": "off"})
    assert trap_of(route, "insteadof_wrong_host").commands == ()
    assert "tok3n" not in repr(route)


def test_a_condition_that_does_not_hold_in_the_module_cache_is_said(machine: Machine) -> None:
    extra = machine.write(
        machine.home / "work.inc", '[url "git@code.example.org:"]\ninsteadOf = https://code.example.org/\n'
    )
    machine.write(machine.home / ".gitconfig", f'[includeIf "gitdir:{machine.cwd}/"]\npath = {extra}\n')
    trap = trap_of(route_on(machine, "code.example.org/o/r.git"), "includeif_not_in_module_cache")
    assert trap.where == str(extra)
    environ = {"HOME": str(machine.home), "PATH": os.environ["PATH"], "GIT_CONFIG_NOSYSTEM": "1"}
    for line in trap.commands:
        subprocess.run(["sh", "-ec", line], env=environ, check=True)
    assert "insteadof_to_ssh" in traps(route_on(machine, "code.example.org/o/r.git"))


def test_an_entry_without_password_is_said_where_go_itself_asks(machine: Machine) -> None:
    path = machine.write(
        machine.home / ".netrc", "machine mirror.example.org login me\nmachine other.example login x\n"
    )
    route = route_on(machine, "rsc.io/quote")
    assert [(trap.code, trap.where) for trap in route.traps] == [("netrc_incomplete", f"{path}:1")]
    assert [item.used for item in route.hops[0].credentials] == [False]


def test_a_port_belongs_to_the_name_in_netrc(machine: Machine) -> None:
    path = machine.write(machine.home / ".netrc", "machine a.example.org login me password s3cret\n")
    route = route_on(machine, "rsc.io/quote", {"GOPROXY": "https://a.example.org:8443"})
    assert [(trap.code, trap.where) for trap in route.traps] == [("netrc_without_port", f"{path}:1")]
    assert route.hops[0].credentials == ()
    assert traps(route_on(machine, "rsc.io/quote", {"GOPROXY": "https://a.example.org"})) == []


def test_a_list_is_mended_as_a_whole_and_never_without_its_credentials(machine: Machine) -> None:
    broken = "'https://a.example.org/Direct';Direct"
    route = route_on(machine, "rsc.io/quote", {"GOPROXY": broken})
    assert {trap.commands for trap in route.traps} == {
        ("export GOPROXY=https://a.example.org/Direct,direct",)
    }
    route = route_on(machine, "rsc.io/quote", {"GOPROXY": "https://me:s3cret@a.example.org;direct"})
    assert [(trap.code, trap.commands) for trap in route.traps] == [("semicolon_in_list", ())]


def test_ssh_is_said_to_use_no_forward_proxy(machine: Machine) -> None:
    machine.write(machine.home / ".gitconfig", GIT_TRAPS[0][0])
    route = route_on(machine, "github.com/o/r", {"HTTPS_PROXY": "p:1", "GOPROXY": "direct", "GOSUMDB": "off"})
    assert traps(route) == ["insteadof_to_ssh", "ssh_without_proxy"]
    assert (route.hops[0].port, route.hops[0].forward_proxy) == (22, "")


# ---- the command -------------------------------------------------------------------------------------------


def shown(machine: Machine, *arguments: str, **environ: str) -> tuple[int, str, str]:
    import io

    out, err = io.StringIO(), io.StringIO()
    code = run(
        ["route", *arguments],
        environ={**machine.world().environ, "GOROOT": str(machine.goroot), **environ},
        stdin=io.StringIO(),
        stdout=out,
        stderr=err,
        cwd=machine.cwd,
    )
    return code, out.getvalue(), err.getvalue()


def test_the_command_shows_the_way_and_what_mends_it(machine: Machine) -> None:
    code, out, _err = shown(
        machine,
        "corp.example/x@v1.0.0",
        GOPRIVATE="*.corp.example",
        GOPROXY="https://me:hunter2@a.example.org,direct",
    )
    assert code == 0
    assert "hunter2" not in out
    for line in (
        "corp.example/x@v1.0.0: from a mirror",
        "GOPROXY=https://xxxxx@a.example.org,direct  (environment)",
        "1. mirror  https://a.example.org",
        "[star_without_parent]",
        "      export GOPRIVATE='*.corp.example,corp.example'",
    ):
        assert line in out


def test_the_json_has_one_stable_form(machine: Machine) -> None:
    code, out, _err = shown(machine, "rsc.io/quote@v1.5.2", "--json", GOPROXY="https://a.example.org,direct")
    data = json.loads(out)
    assert code == 0
    assert list(data) == ["schema", "module", "version", "result", "steps", "hops", "sumdb", "traps"]
    assert data["schema"] == "goferry.route/1"
    assert set(data["hops"][0]) == set(Hop.__dataclass_fields__)
    assert (
        shown(
            machine,
            "rsc.io/quote@v1.5.2",
            "--json",
            LANG="zh_CN.UTF-8",
            GOPROXY="https://a.example.org,direct",
        )[1]
        == out
    )


@pytest.mark.parametrize(
    "environ",
    [{"GOPROXY": ","}, {"GOVCS": "x"}, {"GOSUMDB": "a b c"}, {"GOAUTH": "netrc;off"}],
    ids=lambda environ: next(iter(environ)),
)
def test_what_go_refuses_is_the_same_json_in_every_language(
    machine: Machine, environ: dict[str, str]
) -> None:
    environ = {"GOPROXY": "direct"} | environ
    english = shown(machine, "rsc.io/quote@v1.5.2", "--json", **environ)[1]
    assert "go stops: {why}" in english
    assert shown(machine, "rsc.io/quote@v1.5.2", "--json", LANG="zh_CN.UTF-8", **environ)[1] == english


@pytest.mark.parametrize("text", ["https://a.example.org/x", "a b", "./x", "nohost/x@v1", ""])
def test_what_is_no_module_is_refused(text: str, machine: Machine) -> None:
    code, out, err = shown(machine, text)
    assert (code, out) == (2, "")
    assert err.startswith("goferry: ")


def test_a_bare_host_name_is_a_module_here(machine: Machine) -> None:
    code, out, _err = shown(machine, "example.org", "--json", GOPROXY="direct")
    assert (code, json.loads(out)["module"]) == (0, "example.org")


def test_every_trap_is_named_in_the_guides() -> None:
    """The codes are part of a stable form: one that nobody can look up is a mistake."""
    folder = Path(__file__).parents[2]
    files = sorted((folder / "src/goferry/doctor/route/traps").glob("*.py"))
    source = "".join(file.read_text("utf-8") for file in files)
    codes = {*re.findall(r'(?:Trap)?\(\s*"([a-z]+(?:_[a-z]+)+)",', source), *patterns.FAULTS}
    assert len(codes) > 30
    for language in ("en", "zh"):
        text = (folder / "docs" / language / "json.md").read_text("utf-8")
        assert {code for code in codes if f"`{code}`" not in text} == set()
