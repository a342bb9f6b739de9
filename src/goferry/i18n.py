"""Language of the text that people read. English is the key; gettext does the rest.

Keys, codes and JSON stay the same in every language; only sentences go through here.
The language is a context variable, so one server can answer two people in two languages.
"""

import os
from collections.abc import Mapping
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

DOMAIN = "goferry"
LANGUAGES = ("en", "zh_CN")

_current: ContextVar[str] = ContextVar("goferry_language", default="en")


@cache
def _catalogue(language: str) -> "NullTranslations":
    import gettext  # what says nothing to people does without
    from pathlib import Path

    return gettext.translation(DOMAIN, Path(__file__).parent / "locale", [language], fallback=True)


def language_of(text: str) -> str:
    """The supported language that a locale name or an Accept-Language tag means; English when unknown.

    >>> language_of("zh_CN.UTF-8"), language_of("zh-Hans"), language_of("fr_FR")
    ('zh_CN', 'zh_CN', 'en')
    """
    return "zh_CN" if text.strip().lower().startswith("zh") else "en"


def detect(environ: Mapping[str, str] = os.environ) -> str:
    """The language of the environment: GOFERRY_LANG, then LC_ALL, LC_MESSAGES, LANG (first that is set)."""
    for name in ("GOFERRY_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environ.get(name):
            return language_of(value)
    return "en"


def activate(language: str) -> None:
    """Use this language from here on in this context."""
    _current.set(language_of(language))


def current() -> str:
    """The language in use."""
    return _current.get()


def in_english(value: object) -> str:
    """What `str()` makes of a value in English, whatever language is in use: for JSON, and for what is kept."""
    before = _current.set("en")
    try:
        return str(value)
    finally:
        _current.reset(before)


def _(message: str) -> str:
    """The message in the language in use."""
    return _catalogue(_current.get()).gettext(message)


def ngettext(singular: str, plural: str, n: int) -> str:
    """The message for a count, in the language in use."""
    return _catalogue(_current.get()).ngettext(singular, plural, n)


def N_(message: str) -> str:
    """Marks a message for the catalogue; it is translated later, where it is shown."""
    return message
