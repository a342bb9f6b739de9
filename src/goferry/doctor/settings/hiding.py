"""What must not be kept of a setting: passwords, tokens, and what is handed to a helper program.

Settings are saved, shown and sent to colleagues, so a secret is dropped where it is read and not where it is printed.
A value that Go would refuse keeps its wrong shape: the decision made from what was kept is that made from the original.
"""

import re
from typing import Final

HIDDEN: Final = "xxxxx"

_LOGINS: Final = frozenset({"git", "hg"})
"""Names that everybody uses in ssh addresses; any other name before an @ may be a token."""

_LISTS: Final = frozenset({"GOPROXY", "GOSUMDB", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
"""Variables with URLs of servers, in which an @ after the host means a password that was not escaped."""

_WORD: Final = re.compile(r"[^,|;\s]+")
_HOST: Final = re.compile(r"(?:[\w.-]*\.[\w.-]+|localhost|\[[0-9A-Fa-f:.%]+\])(?::\d*)?|[\w-]+")
_USER: Final = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+=:@-]|%[0-9A-Fa-f]{2})*")
_LETTERS: Final = re.compile(r"(?:[A-Za-z0-9_.~-]|%[0-9A-Fa-f]{2})+")
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]+")
_CUT: Final = re.compile(r"(?P<user>[^:]*:)(?P<password>(?=[^\]]*[^\d\]])[^\]]+)")
"""What stands before a separator inside a password: `user:pass` where a host and a port should be."""
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|(?:https?|socks\w*):/?|")
# Tokens by the prefixes that their issuers gave them so that scanners can find them.
_TOKEN: Final = re.compile(
    r"\b(?:gh[opusr]_|github_pat_|gl[a-z]{2,5}-|xox[abprs]-|AKIA|ATATT|dckr_pat_|npm_|eyJ)[A-Za-z0-9_.=-]{8,}"
)
_QUERY: Final = re.compile(
    r"(?P<name>[?&][a-z_-]*(?:token|key|secret|password|sig|signature))=[^&\s,|]+", re.IGNORECASE
)
_LINKED: Final = re.compile(r"(?P<name>-X[= ]+[\w./-]+)=[^\s'\"]+")
_HEADER: Final = re.compile(
    r"(?P<name>(?:proxy-)?authorization\s*:|private-token\s*:|cookie\s*:).*", re.IGNORECASE
)


def hide(text: str) -> str:
    """A value without user names and passwords in URLs, well-known tokens, and authorization headers.

    >>> hide("https://me:pw@proxy.example.org/go,direct")
    'https://xxxxx@proxy.example.org/go,direct'
    >>> hide("git@code.example.org:o/r"), hide("http://me:p/w#1@proxy.example.org:3128")
    ('git@code.example.org:o/r', 'http://x:x/x#x@proxy.example.org:3128')
    """
    text = _HEADER.sub(lambda match: f"{match['name']} {HIDDEN}", text)
    return _without_tokens(_WORD.sub(lambda match: _without_user(match[0]), text))


def hide_url(text: str) -> str:
    """The same for one URL that leads to a host and nowhere else, as a forward proxy does.

    Commas, blanks and slashes before its last @ are part of the password.
    """
    return _without_tokens(_without_user(text, path_may_have_at=False))


def _without_tokens(text: str) -> str:
    text = _QUERY.sub(lambda match: f"{match['name']}={HIDDEN}", text)
    return _TOKEN.sub(HIDDEN, text)


def _without_user(word: str, *, path_may_have_at: bool = True) -> str:
    scheme = _SCHEME.match(word)
    start = scheme[0] if scheme else ""
    if not start and word.startswith(("/", ".", "~")):  # a folder may have an @ in its name
        return word
    rest = word[len(start) :]
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if start and "@" not in rest and (cut := _CUT.fullmatch(authority)):
        return f"{start}{cut['user']}{_shape(cut['password'])}{rest[len(authority) :]}"
    if "@" not in rest:
        return word
    if path_may_have_at and "@" not in authority and "." in authority and _HOST.fullmatch(authority):
        return word
    user_info = authority if path_may_have_at and "@" in authority else rest
    secret, _at, tail = user_info.rpartition("@")
    return f"{start}{_hidden_user(secret)}@{tail}{rest[len(user_info) :]}"


def _hidden_user(user: str) -> str:
    if user in _LOGINS:
        return user
    return HIDDEN if _USER.fullmatch(user) else _shape(user)


def _shape(text: str) -> str:
    """Only the characters that make Go refuse it."""
    return _FOREIGN.sub("é", _LETTERS.sub("x", text))


def hide_commands(text: str) -> str:
    """A GOAUTH value: the built-in methods as they are, of other programs the name alone.

    >>> hide_commands("netrc; helper --secret hunter2")
    'netrc; helper …'
    """
    return "; ".join(_command(part.split()) for part in text.split(";"))


def _command(words: list[str]) -> str:
    if len(words) < 2 or words[0] in ("netrc", "off", "git"):
        return " ".join(words)
    return f"{words[0]} …"


def hide_setting(name: str, value: str) -> str:
    """The value of a variable as it may be kept."""
    if name.upper() in _LISTS:
        return _without_tokens(
            _WORD.sub(lambda match: _without_user(match[0], path_may_have_at=False), value)
        )
    if name in ("GOFLAGS", "CGO_LDFLAGS"):
        # `-ldflags=-X=main.token=VALUE` is how secrets get into programs.
        value = _LINKED.sub(rf"\g<name>={HIDDEN}", value)
    return hide(hide_commands(value) if name == "GOAUTH" else value)
