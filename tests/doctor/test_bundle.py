"""What is saved for others: judged as the original, without names of people and private machines."""

from dataclasses import replace

import pytest

from goferry.doctor import codec
from goferry.doctor.bundle import to_bundle
from goferry.doctor.evidence import (
    Context,
    Evidence,
    HostsLine,
    NameSeen,
    Role,
    RunSeen,
    Setting,
    SettingsSeen,
    Target,
)
from goferry.gomod.module import match_prefix_patterns

SEEN = Evidence(
    settings=SettingsSeen(
        go=(
            Setting(
                "GOPRIVATE",
                "git.acme-internal.net,*.corp.acme.io",
                "go env file",
                "/home/jane/.config/go/env",
            ),
            Setting("GOPROXY", "https://goproxy.cn,direct", "environment"),
        ),
        hosts=(HostsLine("10.1.2.3", ("build7.corp.acme.io",), 4),),
    ),
    context=Context(home="/home/jane", sudo_user="jane"),
    targets=(
        Target("goproxy.cn", 443, "https", Role.GOPROXY),
        Target("git.acme-internal.net", 443, "https", Role.CODE_HOST),
        Target("intranet.lan", 443, "https", Role.CODE_HOST),
    ),
    names=(
        NameSeen("intranet.lan", "go", addresses=("192.168.1.5",)),
        NameSeen("goproxy.cn", "go", addresses=("117.21.1.1",)),
    ),
    runs=(
        RunSeen(
            "go",
            ("go", "mod", "download"),
            1,
            2.0,
            "go: git.acme-internal.net/jane/x@v1.0.0: open /home/jane/go/pkg: denied\nhost janeway of laptop-17\n",
        ),
    ),
)


def bundled(evidence: Evidence) -> tuple[str, Evidence]:
    data = to_bundle(evidence, user="jane", machine="laptop-17")
    return data.decode(), codec.from_bytes(data, place="bundle")


@pytest.mark.parametrize(
    "private", ["acme-internal", "corp.acme.io", "intranet.lan", "/home/jane", "/jane/", "laptop-17"]
)
def test_names_of_people_and_private_machines_are_replaced(private: str) -> None:
    assert private not in bundled(SEEN)[0]


def test_public_hosts_and_other_words_stay() -> None:
    text, seen = bundled(SEEN)
    assert "goproxy.cn" in text
    assert "janeway" in text
    assert seen.names[1].addresses == ("117.21.1.1",)


def test_one_name_gets_one_stand_in_everywhere() -> None:
    _, seen = bundled(SEEN)
    stand_in = seen.targets[1].host
    assert stand_in.endswith(".example")
    assert stand_in in seen.runs[0].output
    assert stand_in in seen.settings.value("GOPRIVATE")
    assert seen.targets[2].host == seen.names[0].name != stand_in


def test_patterns_match_as_they_did() -> None:
    _, seen = bundled(SEEN)
    (line,) = seen.settings.hosts
    patterns = seen.settings.value("GOPRIVATE")
    assert match_prefix_patterns(patterns, line.names[0])
    assert match_prefix_patterns(patterns, seen.targets[1].host)
    assert not match_prefix_patterns(patterns, seen.targets[2].host)


def test_a_home_that_is_no_persons_folder_does_not_eat_the_text() -> None:
    for home in ("", "/", "/root"):
        text, _ = bundled(replace(SEEN, context=Context(home=home)))
        assert "/config/go/env" in text or "/.config/go/env" in text


def test_a_bundle_of_a_bundle_is_the_same() -> None:
    text, seen = bundled(SEEN)
    assert bundled(seen)[0] == text
