"""What must never be seen again: passwords and tokens, taken out of every text before it becomes a record.

Two nets: the secrets that this machine's settings hold, wherever they turn up and however they are coded, and the
places where secrets stand in any text (user information in URLs, signed queries, authorization headers, tokens with
a well-known look).
"""

import os
import re
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from goferry.doctor.base import World
from goferry.gomod import netrc

HIDDEN: Final = "…"

_LEAST: Final = 4
"""Shorter values would hide half of any text, and are no secrets worth the name."""

_SECRET_NAME = re.compile(
    r"TOKEN|SECRET|PASSW|PASSPHRASE|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|_PAT$|_AUTH$", re.IGNORECASE
)
_USER_INFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):/{1,2}([^\s'\"<>,|]*)@")
_USER_INFO_IN_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)(://|:/)([^/\s'\"<>@,|]*(?:@[^/\s'\"<>@,|]+)*)@")
_SIGNED_QUERY = re.compile(
    r"\?[^\s'\"<>]*?(?:x-amz-|x-goog-|signature=|sig=|token=|key=|password=|secret|credential)[^\s'\"<>]*",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"(\b(?:authorization|private-token|job-token|set-cookie|cookie|x-[\w-]*(?:token|key|secret|auth)\w*)"
    r"['\"]?\s*[:=]\s*['\"]?(?:(?:basic|bearer|token|negotiate|ntlm|digest)\s+)?)[^\s'\",][^\r\n'\"]*",
    re.IGNORECASE,
)
"""A header with its value, also as a server shows it that tells what it was sent (`'X-Token': 'VALUE'`)."""
_TOKENS = re.compile(
    r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{16,}|\bAKIA[0-9A-Z]{16}\b"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"
)


class Secrets:
    """Takes secrets out of texts. values: secrets known by value; each is also found percent-encoded."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = {form for value in values if len(value) >= _LEAST for form in _forms(value)}
        # The longest first, so that a secret that contains another one goes as a whole.
        parts = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, parts))) if parts else None

    @classmethod
    def of(cls, world: World, *texts: str) -> "Secrets":
        """The secrets in the world's environment and netrc file, and in the settings given as text."""
        values = set(_of_environment(world.environ))
        values |= set(_of_netrc(netrc_text(world)))
        for text in texts:
            values |= set(user_infos(text))
        return cls(values)

    def clean(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for pattern, repl in _PLACES:
            text = pattern.sub(repl, text)
        return text


def _user_info(match: re.Match[str]) -> str:
    """The user name of ssh is an account of the server (`git`) and no secret; any other may be a token."""
    user, _, password = match[3].partition(":")
    if "ssh" in match[1].lower() and not password:
        return f"{match[1]}{match[2]}{user}@"
    return f"{match[1]}{match[2]}{HIDDEN}@"


_PLACES: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (_USER_INFO_IN_TEXT, _user_info),
    (_SIGNED_QUERY, f"?{HIDDEN}"),
    (_HEADER, rf"\1{HIDDEN}"),
    (_TOKENS, HIDDEN),
)


def netrc_text(world: World) -> str:
    """The netrc file that the go command reads in this world; "" without one."""
    return read_text(netrc_path(world.environ, world.home))


def netrc_path(environ: Mapping[str, str], home: Path) -> Path:
    """NETRC, else `.netrc` at home; on Windows `_netrc`, where it exists."""
    if named := environ.get("NETRC"):
        return Path(named)
    legacy = home / "_netrc"
    return legacy if os.name == "nt" and legacy.is_file() else home / ".netrc"


def read_text(path: Path) -> str:
    """The file as text, whatever bytes it has; "" when it cannot be read."""
    try:
        return path.read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def user_infos(text: str) -> Iterator[str]:
    """The secrets in the URLs of a setting: what stands before the last `@` of each, whole and in its parts."""
    for found in _USER_INFO.finditer(text):
        user, colon, password = found[2].partition(":")
        if colon:
            yield from (password, f"{user}:{password}")
            # In a URL that is wrong, programs show the pieces that they take for host, path or fragment.
            yield from re.split(r"[/?#]", password)
            yield b64encode(unquote(f"{user}:{password}").encode("utf-8", "surrogateescape")).decode("ascii")
        elif "ssh" not in found[1].lower():
            yield user


def _of_environment(environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        yield from user_infos(value)
        if _SECRET_NAME.search(name) and "/" not in value[:1]:
            yield value.strip()
        if name.startswith("GIT_CONFIG_VALUE_") and value.lower().startswith("authorization:"):
            yield value.split()[-1]


def _of_netrc(text: str) -> Iterator[str]:
    for login in netrc.parse(text):
        yield login.password
        yield b64encode(f"{login.user}:{login.password}".encode("utf-8", "surrogateescape")).decode("ascii")


def _forms(value: str) -> set[str]:
    return {value, unquote(value), quote(unquote(value), safe=""), quote(unquote(value))}
