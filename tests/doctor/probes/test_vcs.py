import os
import subprocess
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry.doctor.base import World
from goferry.doctor.evidence import RunSeen, SettingsSeen
from goferry.doctor.probes.programs import STOPPED
from goferry.doctor.probes.vcs import git_environment, probe_git, tags_of
from goferry.lab.tcp import STALL, Listener

SEEN = SettingsSeen()
UNAUTHORIZED = (
    b'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm="lab"\r\nContent-Length: 0\r\n\r\n'
)


def git(*words: str, cwd: Path) -> None:
    settings = ("-c", "user.name=Lab", "-c", "user.email=lab@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *settings, *words], cwd=cwd, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "origin"
    folder.mkdir()
    git("init", "-q", cwd=folder)
    git("commit", "-q", "--allow-empty", "-m", "first", cwd=folder)
    git("tag", "v1.0.0", cwd=folder)
    git("tag", "-a", "-m", "annotated", "v1.1.0", cwd=folder)
    return folder


def one(runs: tuple[RunSeen, ...], label: str) -> RunSeen:
    """The only run with this label."""
    (run,) = [run for run in runs if run.label == label]
    return run


async def test_a_repository_that_git_reaches_tells_its_tags(tmp_path: Path, repository: Path) -> None:
    url = repository.as_uri()
    runs = await probe_git(world(tmp_path), SEEN, (url,))
    asked = one(runs, "git ls-remote")
    assert asked.exit == 0
    assert asked.facts == {"url": url, "rewritten": url, "exit": "0"}
    assert "\tHEAD\n" in asked.output
    assert tags_of(asked.output) == ("v1.0.0", "v1.1.0")
    assert not [name for name in os.listdir(tmp_path) if name.startswith("goferry-")]


# Vectors: measured with git, as the table of URL rewriting in the documentation of the doctor has them.
REWRITES = [
    ("ssh://git@github.com/", "https://github.com/", "ssh://git@github.com/o/r"),
    ("git@github.com:", "https://github.com/", "git@github.com:o/r"),
    ("git@github.com:", "https://github.com", "git@github.com:/o/r"),
    ("git@github.com", "https://github.com/", "git@github.como/r"),
    ("ssh://git@github.com/", "https://GitHub.com/", "https://github.com/o/r"),
]


@pytest.mark.parametrize(("base", "instead_of", "becomes"), REWRITES)
async def test_the_url_that_git_really_uses_is_told(
    tmp_path: Path, base: str, instead_of: str, becomes: str
) -> None:
    (tmp_path / ".gitconfig").write_text(f'[url "{base}"]\n\tinsteadOf = {instead_of}\n')
    quiet = world(tmp_path, {"program": 5.0}, GIT_SSH_COMMAND="false", HTTPS_PROXY="http://127.0.0.1:9")
    runs = await probe_git(quiet, SEEN, ("https://github.com/o/r",))
    assert one(runs, "git get-url").facts["rewritten"] == becomes
    assert one(runs, "git ls-remote").exit != 0


async def test_settings_of_the_working_folder_do_not_count_for_it_is_not_the_module_cache(
    tmp_path: Path, repository: Path
) -> None:
    rewriting = tmp_path / "rewriting"
    rewriting.write_text('[url "https://wrong.example.org/"]\n\tinsteadOf = file://\n')
    (tmp_path / ".gitconfig").write_text(f'[includeIf "gitdir:{repository}/"]\n\tpath = {rewriting}\n')
    here = World(world(tmp_path).environ | {"GIT_DIR": str(repository / ".git")}, repository, tmp_path)
    runs = await probe_git(here, SEEN, (repository.as_uri(),))
    assert one(runs, "git get-url").facts["rewritten"] == repository.as_uri()


async def test_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    async with Listener(UNAUTHORIZED) as server:
        runs = await probe_git(world(tmp_path), SEEN, (f"{server.url}/r",))
    asked = one(runs, "git ls-remote")
    assert asked.exit == 128
    assert "terminal prompts disabled" in asked.output


async def test_a_server_that_says_nothing_is_left_at_the_limit(tmp_path: Path) -> None:
    async with Listener(b"HTTP/1.1 200 OK\r\n\r\n", STALL) as server:
        runs = await probe_git(world(tmp_path), SEEN, (f"{server.url}/r",), limit=0.5)
    assert (one(runs, "git ls-remote").exit, one(runs, "git get-url").exit) == (STOPPED, 0)
    assert one(runs, "git ls-remote").limit == 0.5


async def test_secrets_in_urls_and_in_gits_settings_are_in_no_record(tmp_path: Path) -> None:
    async with Listener(UNAUTHORIZED) as server:
        (tmp_path / ".gitconfig").write_text(
            f'[url "http://token:{PASSWORD}@127.0.0.1:{server.port}/"]\n\tinsteadOf = https://git.example.org/\n'
        )
        url = f"http://me:{PASSWORD}@127.0.0.1:{server.port}/r"
        runs = await probe_git(world(tmp_path), SEEN, (url, "https://git.example.org/r"))
    assert len(runs) == 4
    assert has_no_secret(runs)


async def test_only_what_a_page_may_name_is_run(tmp_path: Path) -> None:
    odd = ("ext::sh -c touch% owned", "--upload-pack=touch owned", "https://-oProxyCommand=x/", "/etc")
    assert await probe_git(world(tmp_path), SEEN, odd) == ()


async def test_without_git_nothing_is_seen(tmp_path: Path) -> None:
    assert await probe_git(world(tmp_path, PATH=str(tmp_path)), SEEN, ("https://git.example.org/r",)) == ()


ENVIRONMENTS = [
    ({}, {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never"}),
    ({"GIT_TERMINAL_PROMPT": "1"}, {"GIT_TERMINAL_PROMPT": "1"}),
    ({"GIT_SSH": "plink"}, {"GIT_SSH": "plink", "GIT_SSH_COMMAND": None}),
    ({"GIT_SSH_COMMAND": "ssh -v"}, {"GIT_SSH_COMMAND": "ssh -v"}),
    ({}, {"GIT_SSH_COMMAND": "ssh -o ControlMaster=no -o BatchMode=yes"}),
    ({"GIT_WORK_TREE": "x"}, {"GIT_WORK_TREE": None}),
]


@pytest.mark.parametrize(("given", "expected"), ENVIRONMENTS)
def test_gits_environment_is_what_go_gives_it(
    given: dict[str, str], expected: dict[str, str | None], tmp_path: Path
) -> None:
    made = git_environment(given, tmp_path)
    assert {name: made.get(name) for name in expected} == expected
