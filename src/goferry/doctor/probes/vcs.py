"""git, as go runs it: what it makes of a URL, and whether it reaches the repository behind it.

git is a second network stack with its own proxies, roots, credentials and rewriting of URLs. It is run in an empty
folder, for go runs it in the module cache, where no `includeIf "gitdir:…"` of the user's projects applies.
"""

import asyncio
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import RunSeen, SettingsSeen
from goferry.doctor.probes.gosettings import read_go_settings, secrets_of
from goferry.doctor.probes.programs import Ran, run_program
from goferry.doctor.secrets import Secrets
from goferry.doctor.settings.reading import find_program

GET_URL: Final = "git get-url"
LS_REMOTE: Final = "git ls-remote"

_QUIET: Final = {
    # As the go command sets them, unless the user did: nobody is there to type a password.
    "GIT_TERMINAL_PROMPT": "0",
    "GCM_INTERACTIVE": "never",
    "GIT_SSH_COMMAND": "ssh -o ControlMaster=no -o BatchMode=yes",
}
_OF_A_REPOSITORY: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")

# A page decides which URL is asked, so only what go itself would take from a page gets through (and local paths, which
# a page is not asked for).
_URL = re.compile(r"(?:https?|ssh|git|git\+ssh|file)://[^\s-]|[\w.-]+@[\w.-]+:", re.ASCII)


async def probe_git(
    world: World, settings: SettingsSeen, urls: Sequence[str], *, limit: float | None = None
) -> tuple[RunSeen, ...]:
    """For each repository URL, where git's settings lead it, and what the repository answers; () without git.

    limit: seconds for each URL, else the world's limit for programs.

    Two runs per URL: `git get-url`, which needs no network, and `git ls-remote` for HEAD and the tags. Facts of both:
    url, rewritten (after insteadOf) and exit.
    """
    git = find_program(world, "git")
    if not git:
        return ()
    secrets = secrets_of(world, read_go_settings(world, settings))
    wanted = [url for url in dict.fromkeys(urls) if _URL.match(url)]
    with empty_folder(world) as folder:
        asker = _Git(world, git, folder, secrets, limit or world.limits.program)
        pairs = await asyncio.gather(*(asker.look(url) for url in wanted))
    return tuple(run for pair in pairs for run in pair)


def tags_of(output: str) -> tuple[str, ...]:
    """The tags in the output of `git ls-remote`, without the lines for what annotated ones point to."""
    return tuple(dict.fromkeys(match[1] for match in _TAG.finditer(output)))


_TAG = re.compile(r"^[0-9a-f]{40,64}\trefs/tags/(\S+?)(?:\^\{\})?$", re.MULTILINE)


def git_environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The environment that go gives git, for a run in `folder`, outside of every repository."""
    asked = {name: value for name, value in environ.items() if name not in _OF_A_REPOSITORY}
    for name, value in _QUIET.items():
        if not asked.get(name) and not (name == "GIT_SSH_COMMAND" and asked.get("GIT_SSH")):
            asked[name] = value
    # Messages are read by rules, which know English.
    return {**asked, "PWD": str(folder), "GIT_CEILING_DIRECTORIES": str(folder.parent), "LC_ALL": "C"}


@contextmanager
def empty_folder(world: World) -> Iterator[Path]:
    """A new folder for one run, in the world's folder for temporary files. Raises OSError when there is none."""
    wanted = world.environ.get("TMPDIR", "")
    base = wanted if wanted and Path(wanted).is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="goferry-doctor-", dir=base)).resolve()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Git:
    """Runs git for one world."""

    def __init__(self, world: World, git: str, folder: Path, secrets: Secrets, limit: float) -> None:
        self._git = git
        self._folder = folder
        self._secrets = secrets
        self._limit = limit
        self._environ = git_environment(world.environ, folder)

    async def look(self, url: str) -> tuple[RunSeen, RunSeen]:
        clean = self._secrets.clean
        resolving = ("git", "ls-remote", "--get-url", "--", url)
        resolved = await self._run(resolving)
        rewritten = clean(resolved.output.strip()) if resolved.exit == 0 else ""
        asking = ("git", "ls-remote", "-q", "--", url, "HEAD", "refs/tags/*")
        asked = await self._run(asking)
        facts = {"url": clean(url), "rewritten": rewritten}
        return (
            self._seen(GET_URL, resolving, resolved, facts),
            self._seen(LS_REMOTE, asking, asked, facts),
        )

    async def _run(self, argv: Sequence[str]) -> Ran:
        return await run_program(
            (self._git, *argv[1:]), environ=self._environ, cwd=self._folder, limit=self._limit
        )

    def _seen(self, label: str, argv: Sequence[str], ran: Ran, facts: Mapping[str, str]) -> RunSeen:
        clean = self._secrets.clean
        return RunSeen(
            label=label,
            argv=tuple(map(clean, argv)),
            exit=ran.exit,
            seconds=ran.seconds,
            output=clean(ran.output),
            limit=self._limit,
            facts={**facts, "exit": str(ran.exit)},
        )
