"""git's configuration where go runs git, and what it makes of a URL; the real git is asked the same."""

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from goferry.doctor.evidence import GitSetting
from goferry.doctor.settings.gitconfig import (
    http_setting,
    matters,
    parse_list,
    read_git,
    rewrite,
    without_secrets,
)
from settingsworld import Machine
from sizes import size

URL = "https://github.com/o/r"

# (lines of the configuration, URL, what becomes of it)
REWRITES: list[tuple[str, str, str]] = [
    ('[url "ssh://git@github.com/"]\ninsteadOf = https://github.com/', URL, "ssh://git@github.com/o/r"),
    ('[url "git@github.com:"]\ninsteadOf = https://github.com/', URL, "git@github.com:o/r"),
    ('[url "git@github.com:"]\ninsteadOf = https://github.com', URL, "git@github.com:/o/r"),
    ('[url "git@github.com"]\ninsteadOf = https://github.com/', URL, "git@github.como/r"),
    (
        '[url "ssh://git@github.com/"]\ninsteadOf = https://github.com/\n'
        '[url "https://tok3n@github.com/acme/"]\ninsteadOf = https://github.com/acme/',
        "https://github.com/acme/r",
        "https://tok3n@github.com/acme/r",
    ),
    (
        '[url "https://tok3n@github.com/acme/"]\ninsteadOf = https://github.com/acme/\n'
        '[url "ssh://git@github.com/"]\ninsteadOf = https://github.com/',
        "https://github.com/other/r",
        "ssh://git@github.com/other/r",
    ),
    ('[url "ssh://git@github.com/"]\ninsteadOf = https://GitHub.com/', URL, URL),
    (
        '[url "https://b/"]\ninsteadOf = https://a/\n[url "https://c/"]\ninsteadOf = https://b/',
        "https://a/x",
        "https://b/x",
    ),
    (
        '[url "https://first/"]\ninsteadOf = https://github.com/\n[url "https://second/"]\ninsteadOf = https://github.com/',
        URL,
        "https://first/o/r",
    ),
    ('[url "ssh://git@github.com/"]\npushInsteadOf = https://github.com/', URL, URL),
    (
        '[url "https://m/"]\ninsteadOf = https://github.com/\ninsteadOf = https://github.com/o/',
        URL,
        "https://m/r",
    ),
    ('[url "https://m/"]\ninsteadOf =', URL, "https://m/https://github.com/o/r"),
    ('[URL "https://M/"]\nINSTEADOF = https://github.com/', URL, "https://M/o/r"),
    ("", URL, URL),
]


@pytest.mark.parametrize(("config", "url", "want"), REWRITES)
def test_urls_become_what_git_makes_of_them(config: str, url: str, want: str, machine: Machine) -> None:
    machine.install_git()
    machine.write(machine.home / ".gitconfig", config)
    world = machine.world()
    assert rewrite(url, read_git(world, "").settings).url == want
    real = subprocess.run(
        ["git", "ls-remote", "--get-url", url],
        env=world.environ,
        cwd=machine.cwd,
        capture_output=True,
        text=True,
    )
    assert real.stdout.strip() == want


BASES = (
    "https://m.example/", "https://m.example", "ssh://git@github.com/", "git@github.com:", "git@github.com", "file:///srv/",
    "https://tok@m.example/a b/", "HTTPS://Github.com/", "https://github.com/o/", "gh:", "", "https://m.example/#x;y",
)  # fmt: skip
BEGINNINGS = (
    "https://github.com/", "https://github.com", "https://github.com/o", "https://github.com/o/r", "https://", "gh:",
    "https://GitHub.com/", "HTTPS://github.com/", "https://github.com/o/r/x", "http", "https://m.example/", "git@",
)  # fmt: skip
URLS = (
    URL,
    "https://github.com/O/R",
    "http://github.com/o/r",
    "ssh://git@github.com/o/r",
    "git@h:o/r",
    "gh:o/r",
    "h",
)


def quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


@pytest.mark.parametrize("seed", range(size(15, 500)))
def test_whatever_rules_there_are_git_and_this_agree(seed: int, machine: Machine) -> None:
    dice = random.Random(seed)
    machine.install_git()
    lines = []
    for _ in range(dice.randint(1, 5)):
        name = dice.choice(["insteadOf", "insteadOf", "INSTEADOF", "pushInsteadOf"])
        section = f'[url "{quoted(dice.choice(BASES))}"]'
        lines += [
            section,
            *(f'{name} = "{quoted(dice.choice(BEGINNINGS))}"' for _ in range(dice.randint(1, 2))),
        ]
    machine.write(machine.home / ".gitconfig", "\n".join(lines) + "\n")
    environ = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{dice.choice(BASES)}.insteadOf",
        "GIT_CONFIG_VALUE_0": dice.choice(BEGINNINGS),
    }
    world = machine.world(environ if dice.random() < 0.3 else {})
    known = read_git(world, "").settings
    for url in URLS:
        real = subprocess.run(
            ["git", "ls-remote", "--get-url", url],
            env=world.environ,
            cwd=machine.cwd,
            capture_output=True,
            text=True,
        )
        assert rewrite(url, known).url == real.stdout.removesuffix("\n"), (url, lines)


def test_the_environment_can_hold_configuration_too(machine: Machine) -> None:
    machine.install_git()
    environ = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "url.https://mirror.example.org/.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://e/",
    }
    seen = read_git(machine.world(environ), "").settings
    assert rewrite("https://e/r", seen).url == "https://mirror.example.org/r"
    assert seen[0].scope == "command"


def test_a_condition_on_the_users_folder_does_not_hold_where_go_runs_git(machine: Machine) -> None:
    machine.install_git()
    extra = machine.write(
        machine.home / "work.inc", '[url "git@code.example.org:"]\ninsteadOf = https://code.example.org/\n'
    )
    machine.write(machine.home / ".gitconfig", f'[includeIf "gitdir:{machine.cwd}/"]\npath = {extra}\n')
    subprocess.run(["git", "init", "-q", machine.cwd], check=True)
    seen = read_git(machine.world(), str(machine.home / "go/pkg/mod"))
    assert rewrite("https://code.example.org/o/r", seen.settings).rule is None
    assert [(item.name, item.value) for item in seen.conditional] == [
        ("url.git@code.example.org:.insteadof", "https://code.example.org/")
    ]
    assert seen.conditional[0].origin == f"includeIf gitdir:{machine.cwd}/"
    inside = subprocess.run(
        ["git", "ls-remote", "--get-url", "https://code.example.org/o/r"],
        env=machine.world().environ,
        cwd=machine.cwd,
        capture_output=True,
        text=True,
    )
    assert inside.stdout.strip() == "git@code.example.org:o/r"


def test_a_condition_on_the_module_cache_holds(machine: Machine) -> None:
    machine.install_git()
    cache = machine.home / "go/pkg/mod"
    subprocess.run(["git", "init", "-q", "--bare", cache / "cache/vcs/0123"], check=True)
    extra = machine.write(
        machine.home / "cache.inc", '[url "https://mirror.example.org/"]\ninsteadOf = https://e/\n'
    )
    machine.write(machine.home / ".gitconfig", f'[includeIf "gitdir:{cache}/"]\npath = {extra}\n')
    seen = read_git(machine.world(), str(cache))
    assert rewrite("https://e/r", seen.settings).url == "https://mirror.example.org/r"
    assert seen.conditional == ()


# Conditions that people write, and whether they hold in the repositories of {cache} = {home}/go/pkg/mod.
CONDITIONS = [
    "gitdir:~/", "gitdir:~/**", "gitdir:~/go/", "gitdir/i:~/GO/", "gitdir:go/", "gitdir:**/pkg/mod/**", "gitdir:pkg/",
    "gitdir:{cache}/", "gitdir:{cache}/cache/vcs/*", "gitdir:{cache}/*", "gitdir:./go/", "gitdir:./go", "gitdir:~/GO/",
    "gitdir:~/jobs/", "gitdir:~/go/p?g/", "gitdir:~/go/[a-p]kg/", "gitdir:~/go/[!a-p]kg/", "gitdir:/", "gitdir:*",
    "gitdir:~/go/pkg**", "gitdir:vcs", "onbranch:main",
]  # fmt: skip


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_condition_is_judged_before_go_has_made_its_first_repository(
    condition: str, machine: Machine
) -> None:
    machine.install_git()
    cache = machine.home / "go/pkg/mod"
    machine.write(machine.home / "more.inc", '[url "https://m/"]\ninsteadOf = https://e/\n')
    machine.write(machine.home / "inc", "[include]\npath = more.inc\n")
    text = condition.replace("{cache}", str(cache))
    machine.write(machine.home / ".gitconfig", f'[includeIf "{text}"]\npath = inc\n')
    before = rewrite("https://e/r", read_git(machine.world(), str(cache)).settings).url
    subprocess.run(
        ["git", "init", "-q", "-b", "other", "--bare", cache / "cache/vcs" / ("0" * 64)], check=True
    )
    assert before == rewrite("https://e/r", read_git(machine.world(), str(cache)).settings).url


def test_only_what_decides_about_downloads_is_kept(machine: Machine) -> None:
    machine.install_git()
    machine.write(machine.home / ".gitconfig", "[user]\nname = Me\n[http]\nproxy = p:1\n[alias]\nx = y\n")
    assert [item.key for item in read_git(machine.world(), "").settings] == ["http.proxy"]
    assert not matters(GitSetting("http.proxy", "p", "local", ".git/config"))


def test_places_and_scopes_are_told(machine: Machine) -> None:
    machine.install_git()
    path = machine.write(machine.home / ".gitconfig", "[http]\nsslVerify\n")
    assert read_git(machine.world(), "").settings == (
        GitSetting("http.sslverify", "true", "global", str(path)),
    )


def test_without_git_that_is_said(machine: Machine) -> None:
    seen = read_git(machine.world(), "")
    assert (seen.settings, seen.version) == ((), "")
    assert [item.what for item in seen.skipped] == ["git"]


def test_output_that_is_cut_or_foreign_is_no_error() -> None:
    assert parse_list(b"") == ()
    assert parse_list(b"global\0file:/x\0http.proxy\np") == ()
    assert parse_list(b"global\0file:/x\0a.b\n\xff\0")[0].value == "\ufffd"


SECRET = "s3cr3tvalue"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (f"url.https://{SECRET}@code.example.org/.insteadof", "https://code.example.org/"),
        (f"url.https://me:{SECRET}@code.example.org/.insteadof", "https://code.example.org/"),
        ("http.extraheader", f"Authorization: Basic {SECRET}"),
        ("http.https://code.example.org/.extraheader", f"X-Token: {SECRET}"),
        ("http.proxy", f"http://me:{SECRET}@p:3128"),
        ("credential.helper", f"!f() {{ echo password={SECRET}; }}; f"),
        ("credential.https://code.example.org.helper", f"store --token={SECRET}"),
    ],
)
def test_no_secret_is_kept(key: str, value: str) -> None:
    assert SECRET not in repr(without_secrets([GitSetting(key, value, "global", "/c")]))


def test_names_that_are_no_secrets_stay() -> None:
    kept = without_secrets(
        [
            GitSetting("url.git@code.example.org:.insteadof", "https://code.example.org/", "global", "/c"),
            GitSetting("credential.helper", "cache --timeout 300", "global", "/c"),
        ]
    )
    assert kept[0].key == "url.git@code.example.org:.insteadof"
    assert kept[1].value == "cache --timeout 300"


# (pattern of http.<pattern>.proxy, URL); what holds is asked of `git config --get-urlmatch`.
URLMATCH = [
    ("https://code.example.org", "https://code.example.org/o/r"),
    ("https://code.example.org/", "https://code.example.org/o/r"),
    ("https://code.example.org/o", "https://code.example.org/o/r"),
    ("https://code.example.org/o", "https://code.example.org/other"),
    ("https://code.example.org:443/", "https://code.example.org/o/r"),
    ("https://code.example.org:8443/", "https://code.example.org/o/r"),
    ("http://code.example.org/", "https://code.example.org/o/r"),
    ("https://*.example.org/", "https://code.example.org/o/r"),
    ("https://*.org/", "https://code.example.org/o/r"),
    ("https://me@code.example.org/", "https://code.example.org/o/r"),
    ("https://me@code.example.org/", "https://me@code.example.org/o/r"),
    ("https://CODE.example.org/", "https://code.example.org/o/r"),
]


@pytest.mark.parametrize(("pattern", "url"), URLMATCH)
@pytest.mark.parametrize("other", ["", "https://code.example.org/", "https://*.example.org/o/"])
def test_a_setting_for_a_url_is_chosen_as_git_chooses(
    pattern: str, url: str, other: str, machine: Machine
) -> None:
    machine.install_git()
    sections = f'[http]\nproxy = general\n[http "{pattern}"]\nproxy = special\n'
    sections += f'[http "{other}"]\nproxy = other\n' if other else ""
    machine.write(machine.home / ".gitconfig", sections)
    world = machine.world()
    found = http_setting(read_git(world, "").settings, "proxy", url)
    real = subprocess.run(
        ["git", "config", "--get-urlmatch", "http.proxy", url],
        env=world.environ,
        capture_output=True,
        text=True,
    )
    assert found is not None
    assert found.value == real.stdout.strip()


def test_a_git_that_cannot_be_run_or_fails_is_told(machine: Machine, tmp_path: Path) -> None:
    machine.write(machine.home / ".gitconfig", "[http]\nproxy = p:1\n[broken\n")
    for program in (os.fspath(tmp_path), shutil.which("git") or ""):
        machine.programs["git"] = program
        seen = read_git(machine.world(), "")
        assert seen.settings == ()
        assert [item.what for item in seen.skipped] == ["git"]


def test_an_old_git_that_cannot_tell_scopes_is_asked_again_without(machine: Machine) -> None:
    path = machine.write(machine.home / ".gitconfig", "[http]\nproxy = p:1\nsslVerify\n")
    old = machine.write(
        machine.home / "bin/git",
        f'#!/bin/sh\nfor word; do [ "$word" = --show-scope ] && exit 129; done\nexec {shutil.which("git")} "$@"\n',
    )
    old.chmod(0o755)
    machine.programs["git"] = str(old)
    assert read_git(machine.world(), "").settings == (
        GitSetting("http.proxy", "p:1", "global", str(path)),
        GitSetting("http.sslverify", "true", "global", str(path)),
    )
