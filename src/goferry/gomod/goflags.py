"""GOFLAGS: flags that stand before those of every go command. One mistake in it stops them all.

The grammar is that of cmd/internal/quoted (quotes around a whole word, no escapes) with the checks of cmd/go
internal/base/goflags.go. Which names exist depends on the version, so names are not checked here.
"""

from typing import Final

from goferry.errors import InvalidInput

_SPACE: Final = " \t\n\r"
_NO_FLAG: Final = ("---", "-=", "--=")


class InvalidFlags(InvalidInput):
    """A GOFLAGS value with which every go command stops."""

    code = "invalid_goflags"


def parse(text: str) -> tuple[str, ...]:
    """The flags, each with its value (`-mod=mod`). Raises InvalidFlags.

    >>> parse("-v '-ldflags=-s -w'")
    ('-v', '-ldflags=-s -w')
    """
    flags = _split(text)
    for flag in flags:
        if not flag.startswith("-") or flag in ("-", "--") or flag.startswith(_NO_FLAG):
            raise InvalidFlags('parsing $GOFLAGS: non-flag "{flag}"', flag=flag)
    return flags


def _split(text: str) -> tuple[str, ...]:
    words: list[str] = []
    rest = text.lstrip(_SPACE)
    while rest:
        if rest[0] in "\"'":
            word, quote, rest = rest[1:].partition(rest[0])
            if not quote:
                raise InvalidFlags(
                    "parsing $GOFLAGS: unterminated {quote} string", quote=text[-len(word) - 1]
                )
        else:
            end = next((place for place, char in enumerate(rest) if char in _SPACE), len(rest))
            word, rest = rest[:end], rest[end:]
        words.append(word)
        rest = rest.lstrip(_SPACE)
    return tuple(words)


def value(flags: tuple[str, ...], name: str) -> str:
    """The value of the last flag of this name, with one dash or two; "" when it is not there or has none."""
    found = ""
    for flag in flags:
        key, _sign, text = flag.lstrip("-").partition("=")
        if key == name:
            found = text
    return found
