"""Credentials for https as GOAUTH gives them to go: netrc, git's helpers, programs.

The programs are the user's own, and go runs them with every download; the doctor runs them as go does, in the same
order and at the same moments: all once before the first question, and again with the URL after a refusal (4xx). They
get no terminal, and no more time than other programs. What they say goes into requests to the hosts that they named,
into the set of secrets, and nowhere else. Sources: cmd/go internal/auth, internal/web/http.go.
"""

import asyncio
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import AnswerSeen
from goferry.doctor.probes.gosettings import GoSettings
from goferry.doctor.probes.programs import run_program
from goferry.doctor.secrets import Secrets
from goferry.doctor.settings.reading import find_program
from goferry.doctor.urls import split_url
from goferry.gomod import gover
from goferry.net.httpproxy import basic_credentials

Headers = Mapping[str, str]

SINCE: Final = "1.24"
"""The first go that reads GOAUTH; before, netrc was all."""

_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_WORD: Final = re.compile(r"'([^']*)'|\"([^\"]*)\"|(\S+)")


@dataclass(slots=True)
class GoAuth:
    """What go knows of credentials in this world, which grows as it asks."""

    world: World
    go: GoSettings
    go_version: str = ""
    _found: dict[str, Headers] = field(default_factory=dict, repr=False)
    _secrets: Secrets = field(default_factory=Secrets, repr=False)
    _first: asyncio.Task[None] | None = field(default=None, repr=False)

    async def headers(self, url: str) -> Headers:
        """What go would send with a first question; nothing but over https, nor where the URL names a user itself."""
        if not _takes_credentials(url):
            return {}
        if self._first is None:
            self._first = asyncio.ensure_future(self._run("", None))
        await asyncio.shield(self._first)
        return self._of(url)

    async def after(self, url: str, answer: AnswerSeen) -> Headers:
        """What go would send after this refusal; nothing when no method can tell more than before."""
        asks_again = any(method[0] not in ("netrc", "off") for method in self._methods())
        if not asks_again or not _takes_credentials(url) or not 400 <= answer.status < 500:
            return {}
        await self._run(url, answer)
        return self._of(url)

    @property
    def secrets(self) -> Secrets:
        """Everything that programs have told so far."""
        return self._secrets

    def clean(self, text: str) -> str:
        """The text without anything that a method has told so far."""
        return self._secrets.clean(text)

    def _methods(self) -> list[list[str]]:
        if self.go_version and gover.compare(gover.from_toolchain(self.go_version), SINCE) < 0:
            return [["netrc"]]
        return [
            words
            for part in (self.go.value("GOAUTH") or "netrc").split(";")
            if (words := [a or b or c for a, b, c in _WORD.findall(part)])
        ]

    async def _run(self, url: str, answer: AnswerSeen | None) -> None:
        """All methods, the last first, so that those of the first stand in the end."""
        for words in reversed(self._methods()):
            if words[0] == "netrc":
                for login in reversed(self.go.logins):
                    self._keep(
                        login.machine, {"Authorization": basic_credentials(login.user, login.password)}
                    )
            elif words[0] == "git":
                await self._ask_git(words, url)
            elif words[0] != "off":
                await self._ask_program(words, url, answer)

    async def _ask_git(self, words: list[str], url: str) -> None:
        git = find_program(self.world, "git")
        if not url or not git or len(words) != 2 or not Path(words[1]).is_absolute():
            return
        said = await self._output([git, "credential", "fill"], Path(words[1]), f"url={url}\n")
        fields = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        prefix = fields.get("url") or f"{fields.get('protocol')}://{fields.get('host')}{_path(fields)}"
        if url.startswith(prefix) and "password" in fields:
            login = basic_credentials(fields.get("username", ""), fields["password"])
            self._keep(prefix, {"Authorization": login}, fields["password"])

    async def _ask_program(self, words: list[str], url: str, answer: AnswerSeen | None) -> None:
        argv = [find_program(self.world, words[0]) or words[0], *words[1:], *([url] if url else [])]
        said = await self._output(argv, self.world.cwd, _as_http(answer))
        for prefixes, headers in read_credentials(said):
            for prefix in prefixes:
                self._keep(prefix, headers, *headers.values())

    async def _output(self, argv: list[str], cwd: Path, feed: str) -> str:
        quiet = {"GIT_TERMINAL_PROMPT": "0", "GCM_INTERACTIVE": "never"}
        environ = {**quiet, "PATH": os.defpath, **self.world.environ}
        ran = await run_program(
            argv, environ=environ, cwd=cwd, limit=self.world.limits.program, feed=feed.encode(), errors=False
        )
        return ran.output if ran.exit == 0 else ""

    def _keep(self, prefix: str, headers: Headers, *secrets: str) -> None:
        key = prefix.removeprefix("https://").removesuffix("/")
        if headers:
            self._found[key] = headers
        else:
            self._found.pop(key, None)
        values = [value for headers in self._found.values() for value in headers.values()]
        words = [word for value in values for word in value.split()]
        self._secrets = Secrets([*values, *words, *secrets])

    def _of(self, url: str) -> Headers:
        """Those of the longest prefix that was named."""
        prefix = url.removeprefix("https://").removesuffix("/")
        while prefix not in self._found:
            prefix, slash, _last = prefix.rpartition("/")
            if not slash:
                return {}
        return self._found[prefix]


def read_credentials(text: str) -> Iterator[tuple[list[str], Headers]]:
    """Groups of URLs and the headers for them, each ended by an empty line; nothing of a text that breaks that form."""
    found = []
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        urls = [line, *_until_empty(lines)] if line else []
        headers: dict[str, str] = {}
        for header in _until_empty(lines):
            name, colon, value = header.partition(": ")
            if not colon or not _NAME.fullmatch(name):
                return
            headers[name] = value.strip()
        found.append((urls, headers))
    yield from found


def _until_empty(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line:
            return
        yield line


def _takes_credentials(url: str) -> bool:
    parts = split_url(url)
    return parts.scheme == "https" and parts.username is None


def _path(fields: Mapping[str, str]) -> str:
    return f"/{fields['path']}" if fields.get("path") else ""


def _as_http(answer: AnswerSeen | None) -> str:
    """The refusal, as go shows it to a program."""
    if answer is None:
        return ""
    headers = "".join(f"{name.title()}: {value}\n" for name, value in answer.headers.items())
    return f"{answer.protocol or 'HTTP/1.1'} {answer.status}\n{headers}\n"
