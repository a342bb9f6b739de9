"""Whether a repository is closed to changes, as the code host itself says. Pure: what to ask, and what an answer means.

No module proxy knows it. The hosts' own interfaces do: GitHub (`GET /repos/OWNER/NAME`), GitLab
(`GET /projects/GROUP%2FNAME`) and Gitea, which Forgejo and Codeberg speak too (`GET /repos/OWNER/NAME`); all three say
`archived`. `forgelist` asks, and only when somebody told it to.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import quote, urlsplit

from goferry.errors import ConfigError, GoferryError, UpstreamError
from goferry.gomod import module
from goferry.i18n import N_


class State(StrEnum):
    """What a code host says of a repository."""

    OPEN = "open"
    ARCHIVED = "archived"
    """It is closed to changes."""
    GONE = "gone"
    """It is not there, or not for whoever asks."""


@dataclass(frozen=True, slots=True)
class Known:
    """An answer, and when it was given."""

    state: State
    asked: datetime
    etag: str = ""
    """With it the host can say "as before", which costs it little."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A repository that is not open."""

    state: State = State.ARCHIVED
    repository: str = ""
    """Empty for what was only named in a file."""
    asked: datetime | None = None


@dataclass(frozen=True, slots=True)
class Forge:
    """A code host."""

    host: str
    kind: str
    api: str
    """Where its interface begins, without a slash at the end."""
    variables: tuple[str, ...]
    """Which variables may hold a token for it, and for it alone."""


def _forge(host: str, kind: str, api: str, *variables: str) -> Forge:
    own = "FORGE_TOKEN_" + re.sub(r"[^A-Z0-9]", "_", host.upper())
    return Forge(host, kind, api.rstrip("/"), (*variables, own))


PUBLIC: Final = (
    _forge("github.com", "github", "https://api.github.com", "GITHUB_TOKEN", "GH_TOKEN"),
    _forge("gitlab.com", "gitlab", "https://gitlab.com/api/v4", "GITLAB_TOKEN"),
    _forge("codeberg.org", "gitea", "https://codeberg.org/api/v1", "CODEBERG_TOKEN"),
)

_GITHUB: Final = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_JSON: Final = {"Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class _Dialect:
    path: Callable[[str], str]
    headers: Mapping[str, str]
    scheme: str
    """What stands before a token."""


_DIALECTS: Final = {
    "github": _Dialect(lambda name: f"/repos/{quote(name)}", _GITHUB, "Bearer"),
    "gitlab": _Dialect(lambda name: f"/projects/{quote(name, safe='')}", _JSON, "Bearer"),
    "gitea": _Dialect(lambda name: f"/repos/{quote(name)}", _JSON, "token"),
}
KINDS: Final = tuple(_DIALECTS)
_SETTING: Final = re.compile(rf"([A-Za-z0-9.-]+(?::\d+)?)=({'|'.join(KINDS)}):(https?://\S+)")


def forges(text: str) -> tuple[Forge, ...]:
    """The public hosts and those of the setting, `HOST=KIND:URL` with commas between them; a host that is named there
    is asked there. ConfigError says which one is wrong."""
    found = {forge.host: forge for forge in PUBLIC}
    for item in filter(None, (item.strip() for item in text.split(","))):
        matched = _SETTING.fullmatch(item)
        if matched is None or urlsplit(matched[3]).username or urlsplit(matched[3]).password:
            raise ConfigError(
                "setting {name}: {value!r} is no code host",
                hint=N_("write HOST=KIND:URL with one of the kinds {kinds}; a token belongs into a variable"),
                name="forges",
                value=re.sub(r"//[^/@]*@", "//…@", item),
                kinds=", ".join(KINDS),
            )
        host, kind, api = matched.groups()
        own = [one for forge in PUBLIC if forge.host == host for one in forge.variables[:-1]]
        found[host] = _forge(host, kind, api, *own)
    return tuple(found.values())


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository on a code host."""

    forge: Forge
    name: str
    """OWNER/NAME; on GitLab there may be groups in groups."""

    def __str__(self) -> str:
        return f"{self.forge.host}/{self.name}"


_GOPKG: Final = re.compile(r"gopkg\.in/(?:([a-zA-Z0-9-]+)/)?([a-zA-Z0-9._-]+?)\.v\d+(?:-unstable)?(?:/.*)?")


def repository_of(path: str, origin: str, known: Iterable[Forge]) -> Repository | None:
    """Where a module comes from: by the URL that its .info names, else by its path; None for a host that is not
    known."""
    for place in (_place_of(origin), _github_of(path)):
        host, _slash, name = place.partition("/")
        forge = next((forge for forge in known if forge.host == host), None)
        words = [word for word in name.split("/") if word]
        if forge is not None and len(words) >= 2:
            exact = place == _place_of(origin) and forge.kind == "gitlab"
            return Repository(forge, "/".join(words if exact else words[:2]).removesuffix(".git"))
    return None


def _place_of(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    return f"{parts.hostname or ''}{port}{parts.path}" if parts.hostname else ""


def _github_of(path: str) -> str:
    """gopkg.in has no repositories of its own."""
    if matched := _GOPKG.fullmatch(path):
        user, package = matched.groups()
        return f"github.com/{user or f'go-{package}'}/{package}"
    prefix, _version, ok = module.split_path_version(path)
    return prefix if ok else path


def request(repository: Repository, token: str, etag: str) -> tuple[str, dict[str, str]]:
    """The URL and the headers of the question."""
    dialect = _DIALECTS[repository.forge.kind]
    headers = dict(dialect.headers)
    if token:
        headers["Authorization"] = f"{dialect.scheme} {token}"
    if etag:
        headers["If-None-Match"] = etag
    return repository.forge.api + dialect.path(repository.name), headers


def token_of(forge: Forge, environ: Mapping[str, str]) -> str:
    """The token for a host, from the environment; never for one that is spoken to in the open."""
    parts = urlsplit(forge.api)
    if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        return ""
    return next((environ[name] for name in forge.variables if environ.get(name)), "")


def read(body: bytes) -> State:
    """What an answer says; UpstreamError for one that says nothing of it."""
    try:
        archived = json.loads(body)["archived"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UpstreamError("the answer does not say whether it is archived") from error
    if not isinstance(archived, bool):
        raise UpstreamError("the answer does not say whether it is archived")
    return State.ARCHIVED if archived else State.OPEN


def origin_of(info: bytes) -> str:
    """The URL of the repository that an .info names; empty for none."""
    try:
        url = json.loads(info)["Origin"]["URL"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return url if isinstance(url, str) else ""


def reasons(unasked: Mapping[str, GoferryError]) -> list[GoferryError]:
    """Why nobody could be asked, each reason once."""
    return list({str(why): why for _path, why in sorted(unasked.items())}.values())
