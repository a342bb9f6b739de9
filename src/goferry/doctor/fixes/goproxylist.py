"""GOPROXY values: repaired, and made again from those of their entries that work.

The strict grammar is gomod.goproxy; here a text is read as a person meant it. No host is named but those that are in
the text: which mirrors are a good idea is not known to a program.
"""

import re
from collections.abc import Collection, Sequence
from typing import Final

from goferry.doctor.evidence import Evidence, SettingsSeen
from goferry.errors import GoferryError
from goferry.gomod import goproxy
from goferry.gomod.goproxy import DIRECT, OFF
from goferry.net.httpproxy import split_host_port

COMMA: Final = ","
PIPE: Final = "|"

_ASSIGNMENT: Final = re.compile(r"^\s*(?:export\s+|set\s+|ENV\s+)?GOPROXY\s*=", re.IGNORECASE)
_QUOTES: Final = str.maketrans("", "", "\"'`\\\u201c\u201d\u2018\u2019<>")
_SEPARATORS: Final = str.maketrans(
    {
        "\uff1a": ":",
        "\uff0f": "/",
        "\uff0e": ".",
        "\u3002": ".",
        ";": COMMA,
        "\uff0c": COMMA,
        "\uff1b": COMMA,
        "\u3001": COMMA,
        "\uff5c": PIPE,
    }
)
_PART: Final = re.compile(r"([^,|\s]+)\s*([,|]?)")
_SCHEME: Final = re.compile(r"^(?P<scheme>h*t+ps?|file)(?P<sign>:?/*|;/+)(?=[^/:])", re.IGNORECASE)


def repaired(text: str) -> str | None:
    """The value as it was meant, or None where nothing of it can be used.

    >>> repaired("'https://goproxy.cn;Direct'"), repaired("goproxy.cn direct"), repaired("https:/goproxy.cn")
    ('https://goproxy.cn,direct', 'https://goproxy.cn,direct', 'https://goproxy.cn')
    """
    plain = _ASSIGNMENT.sub("", text).translate(_QUOTES).translate(_SEPARATORS)
    parts = [(_word(word), sign or COMMA) for word, sign in _PART.findall(plain)]
    kept = [(word, sign) for word, sign in parts if word is not None and _is_entry(word)]
    return _joined(kept) or None


def _word(word: str) -> str | None:
    """One entry as it was meant; None for a word that means nothing to go."""
    if word.lower() in (DIRECT, OFF):
        return word.lower()
    scheme = _SCHEME.match(word)
    if scheme and "." in word[scheme.end() :].partition("/")[0] + word[scheme.end() :].partition(":")[0]:
        written = scheme["scheme"].lower()
        name = "file" if written == "file" else "https" if written.endswith("s") else "http"
        return f"{name}://{word[scheme.end() :]}"
    if "://" in word:
        return word
    return f"https://{word}" if "." in word and not word.startswith("/") else None


def _is_entry(word: str) -> bool:
    try:
        goproxy.parse_list(word)
    except GoferryError:
        return False
    return True


def _joined(parts: Sequence[tuple[str, str]]) -> str:
    """The text; nothing stands behind `direct` or `off`, where nothing would be read."""
    text = ""
    for word, sign in parts:
        text += word
        if word in (DIRECT, OFF):
            return text
        text += sign
    return text.rstrip(COMMA + PIPE)


def words(text: str) -> list[str]:
    """The entries as go uses them, in order; empty for a value that it refuses."""
    try:
        return [entry.url for entry in goproxy.parse_list(text)]
    except GoferryError:
        return []


def made(entries: Sequence[str], sign: str) -> str:
    """A value of these entries with one separator."""
    return _joined([(word, sign) for word in dict.fromkeys(entries)])


def with_pipes(text: str) -> str:
    """The same entries, each of which is followed by the next after any failure; `direct` comes last."""
    return made([*(word for word in words(text) if word not in (DIRECT, OFF)), DIRECT], PIPE)


def with_direct(text: str) -> str:
    """The same, and then the origin itself."""
    entries = [entry for entry in _entries(text) if entry.is_proxy]
    return goproxy.format_list([*entries, goproxy.Entry(DIRECT)])


def _entries(text: str) -> tuple[goproxy.Entry, ...]:
    try:
        return goproxy.parse_list(text)
    except GoferryError:
        return ()


def default_of(settings: SettingsSeen) -> str:
    """The value that go would have without the user's: that of its own go.env, else the origin alone."""
    setting = settings.setting("GOPROXY")
    lines = [] if setting is None else [setting, *setting.shadowed]
    return next((line.value for line in lines if line.origin == "go.env" and line.value), DIRECT)


# ---- what was seen of the entries --------------------------------------------------------------------------

_MODULE_FILES: Final = ("list", "latest", "info", "mod", "zip")
_FOUND: Final = 200
_NOT_THERE: Final = frozenset({404, 410})


def good_entries(evidence: Evidence) -> list[int]:
    """The places of mirrors whose every answer about modules was well, and that had at least one file."""
    by_entry: dict[int, list[int]] = {}
    for answer in evidence.answers:
        if answer.purpose in _MODULE_FILES and answer.entry >= 0 and not answer.redirect:
            by_entry.setdefault(answer.entry, []).append(0 if answer.failure else answer.status)
    return [
        entry
        for entry, statuses in sorted(by_entry.items())
        if _FOUND in statuses and all(status == _FOUND or status in _NOT_THERE for status in statuses)
    ]


def bad_entries(evidence: Evidence) -> list[int]:
    """The places of mirrors that failed with anything but "not there"."""
    failed = {
        answer.entry
        for answer in evidence.answers
        if answer.purpose in _MODULE_FILES
        and answer.entry >= 0
        and (answer.failure or (answer.status >= 400 and answer.status not in _NOT_THERE))
    }
    return sorted(failed)


def other_entries(evidence: Evidence, avoid: Collection[str]) -> list[str]:
    """Entries of the list that can stand in: those that answered well, then those that were not seen to fail.

    avoid: `host` or `host:port` where the fault lies.
    """
    text = evidence.settings.value("GOPROXY")
    good, bad = set(good_entries(evidence)), set(bad_entries(evidence))
    mirrors = [
        (place, word)
        for place, word in enumerate(words(text))
        if word not in (DIRECT, OFF) and place not in bad and not _is_of(word, avoid)
    ]
    return [word for place, word in sorted(mirrors, key=lambda item: item[0] not in good)]


_PORTS: Final = {"http": "80", "https": "443"}


def _is_of(url: str, places: Collection[str]) -> bool:
    """Whether the URL leads to one of the places; a place without port stands for all ports of its host."""
    scheme, _sign, rest = url.partition("://")
    authority = rest.partition("/")[0].rpartition("@")[2]
    split = split_host_port(authority) or (authority.strip("[]"), _PORTS.get(scheme, ""))
    return any(_bare(place) in (split, (split[0], "")) for place in places if place)


def _bare(place: str) -> tuple[str, str]:
    return split_host_port(place) or (place.strip("[]"), "")
