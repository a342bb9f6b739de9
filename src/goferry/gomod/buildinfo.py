"""What a Go program says of itself: the Go that built it, its modules with their sums, how it was built.

    path	example.org/tool
    mod	example.org/tool	v1.2.3	h1:…
    dep	golang.org/x/text	v0.3.0	h1:…
    =>	example.org/text	v0.3.1	h1:…
    build	-compiler=gc

The text is what `go version -m` prints. Rules: runtime/debug.ParseBuildInfo.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import unquote
from goferry.gomod.module import Version

DEVEL = "(devel)"
"""The version of a main module that was built from its folder."""


@dataclass(frozen=True, slots=True)
class Built:
    """A module in a program. `sum` is empty where it is not known, as for the main module built from its folder."""

    module: Version
    sum: str = ""
    replace: "Built | None" = None


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """`go` is such as go1.22.1; everything else is missing in a program that was built without modules."""

    go: str = ""
    path: str = ""
    """The main package."""
    main: Built | None = None
    deps: tuple[Built, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def setting(self, key: str) -> str:
        """How it was built, such as `GOOS` or `vcs.revision`; empty when it does not say."""
        return dict(self.settings).get(key, "")


def parse_build_info(text: str, go: str = "") -> BuildInfo:
    """The parts of that text. Raises InvalidInput with the number of the line that is wrong."""
    path = ""
    found: list[Built] = []
    main: Built | None = None
    settings: list[tuple[str, str]] = []
    last = ""
    for number, line in enumerate(text.split("\n")[:-1], 1):
        word, _, rest = line.partition("\t")
        try:
            if word == "path":
                path = rest
            elif word == "mod":
                main = _built(rest.split("\t"))
            elif word == "dep":
                found.append(_built(rest.split("\t")))
            elif word == "=>":
                new = _replacement(rest.split("\t"), last)
                if last == "mod" and main:
                    main = replace(main, replace=new)
                else:
                    found[-1] = replace(found[-1], replace=new)
            elif word == "build":
                settings.append(_setting(rest))
        except InvalidInput as why:
            raise InvalidInput("build info, line {number}: {why}", number=number, why=why) from why
        last = word if word in ("mod", "dep", "=>") else last
    return BuildInfo(go, path, main, tuple(found), tuple(settings))


def _built(columns: Sequence[str]) -> Built:
    if len(columns) not in (2, 3):
        raise InvalidInput("expected 2 or 3 columns; got {count}", count=len(columns))
    return Built(Version(columns[0], columns[1]), columns[2] if len(columns) == 3 else "")


def _replacement(columns: Sequence[str], last: str) -> Built:
    if len(columns) != 3:
        raise InvalidInput("expected 3 columns for replacement; got {count}", count=len(columns))
    if last not in ("mod", "dep"):
        raise InvalidInput("replacement with no module on previous line")
    return Built(Version(columns[0], columns[1]), columns[2])


def _setting(text: str) -> tuple[str, str]:
    """`key=value`, either of them quoted where it has blanks or quotes."""
    if text[:1] in ('"', "`"):
        end = _closing(text)
        key, value = _text(text[: end + 1]), text[end + 1 :]
        if not value.startswith("="):
            raise InvalidInput("build line missing '=' after quoted key")
        value = value[1:]
    else:
        key, sign, value = text.partition("=")
        if not sign or not key:
            raise InvalidInput("build line missing '=' after key")
    return key, _text(value) if value[:1] in ('"', "`") else value


def _text(quoted: str) -> str:
    if quoted[0] == '"':
        return unquote(quoted)
    if len(quoted) < 2 or quoted.index("`", 1) != len(quoted) - 1:
        raise InvalidInput("invalid quoted value in build line")
    return quoted[1:-1]


def _closing(text: str) -> int:
    at = 1
    while at < len(text) and text[at] != text[0]:
        at += 2 if text[0] == '"' and text[at] == "\\" else 1
    if at >= len(text):
        raise InvalidInput("invalid quoted key in build line")
    return at
