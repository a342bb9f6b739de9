"""The settings of the go command that concern downloads: their values, and where each comes from.

Three places, the first that is not empty wins: the environment, the user's file (written by `go env -w`), and
go.env in GOROOT, which a Go distribution ships with its defaults. The rules are those of cmd/go internal/cfg;
the checksum database's are in internal/modfetch/sumdb.go.

Nothing is read here: `user_file` and `goroot_file` tell the places, and somebody else brings the texts.
"""

import ntpath
import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import gourl, gover, module
from goferry.gomod.sumdb import note


class Origin(StrEnum):
    """Where a setting's value comes from."""

    ENVIRONMENT = "environment"
    USER_FILE = "user file"
    GOROOT_FILE = "GOROOT file"
    INHERITED = "inherited"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """An effective value. INHERITED means that it is the value of GOPRIVATE."""

    name: str
    value: str
    origin: Origin


# The settings that decide about downloads, with the values built into the go command.
_DEFAULTS = {
    "GO111MODULE": "",
    "GOAUTH": "netrc",
    "GOFLAGS": "",
    "GOINSECURE": "",
    "GONOPROXY": "",
    "GONOSUMDB": "",
    "GOPRIVATE": "",
    "GOPROXY": "",
    "GOSUMDB": "",
    "GOTOOLCHAIN": "",
    "GOVCS": "",
}
INHERITS: Final = MappingProxyType({"GONOPROXY": "GOPRIVATE", "GONOSUMDB": "GOPRIVATE"})
"""Variables whose value is that of another one as long as they have none themselves."""

_ENVIRONMENT_ONLY = frozenset({"GODEBUG", "GOENV"})
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


def parse_env_file(text: str) -> tuple[tuple[str, str], ...]:
    """The NAME=VALUE lines of a user file or go.env, in order, as they stand: neither quotes nor blanks are
    removed.

    Lines without `=` or not starting with a capital letter are comments. A carriage return stays part of its
    value.
    """
    return tuple((name, value) for _line, name, value in numbered_env_file(text))


def numbered_env_file(text: str) -> tuple[tuple[int, str, str], ...]:
    """The same with the number of each line, from 1."""
    lines = ((number, line.partition("=")) for number, line in enumerate(text.split("\n"), 1))
    return tuple(
        (number, name, value) for number, (name, sign, value) in lines if sign and "A" <= name[:1] <= "Z"
    )


def resolve(
    os_env: Mapping[str, str],
    user_file: str = "",
    goroot_file: str = "",
    builtin: Mapping[str, str] = _NOTHING,
) -> dict[str, Setting]:
    """Every setting that decides about downloads, and whatever else the two files (given as text) set.

    A name that the user's file sets to nothing hides the value in GOROOT: that is how a default is taken
    away. `builtin`: further names with the values that the go command computes for them.
    """
    defaults = {**_DEFAULTS, **builtin}
    user = dict(parse_env_file(user_file))
    goroot: dict[str, str] = {}
    for name, value in parse_env_file(goroot_file):
        goroot.setdefault(name, value)  # there the first line wins, in the user's file the last one
    for name in _ENVIRONMENT_ONLY:
        user.pop(name, None)
        goroot.pop(name, None)
    names = sorted({*defaults, *user, *goroot})
    settings = {name: _lookup(name, os_env, user, goroot, defaults) for name in names}
    for name, parent in INHERITS.items():
        if not settings[name].value and settings[parent].value:
            settings[name] = Setting(name, settings[parent].value, Origin.INHERITED)
    return settings


def _lookup(
    name: str,
    os_env: Mapping[str, str],
    user: Mapping[str, str],
    goroot: Mapping[str, str],
    defaults: Mapping[str, str],
) -> Setting:
    if value := os_env.get(name):
        return Setting(name, value, Origin.ENVIRONMENT)
    if name in user:
        value, origin = user[name], Origin.USER_FILE
    else:
        value, origin = goroot.get(name, ""), Origin.GOROOT_FILE
    return Setting(name, value, origin) if value else Setting(name, defaults.get(name, ""), Origin.DEFAULT)


def user_file(os_env: Mapping[str, str], platform: str) -> str | None:
    """The path of the file that `go env -w` writes; None when there is none (GOENV=off, or no home is known).

    `platform` is a value of sys.platform.
    """
    named = os_env.get("GOENV")
    if named:
        return None if named == "off" else named
    folder = _user_config_dir(os_env, platform)
    return None if folder is None else _join(platform, folder, "go", "env")


def goroot_file(goroot: str, platform: str) -> str:
    """The path of the file with a Go distribution's own defaults."""
    return _join(platform, goroot, "go.env")


def _user_config_dir(os_env: Mapping[str, str], platform: str) -> str | None:
    if platform == "win32":
        # Names have no case there, and Python shows them in capitals.
        return next((value for name, value in os_env.items() if name.upper() == "APPDATA" and value), None)
    home = os_env.get("HOME")
    if platform in ("darwin", "ios"):
        return posixpath.join(home, "Library/Application Support") if home else None
    config = os_env.get("XDG_CONFIG_HOME")
    if config:
        return config if posixpath.isabs(config) else None
    return posixpath.join(home, ".config") if home else None


def _join(platform: str, *parts: str) -> str:
    return ntpath.join(*parts) if platform == "win32" else posixpath.join(*parts)


class InvalidSumDB(InvalidInput):
    """A GOSUMDB value that the go command refuses too."""

    code = "invalid_gosumdb"


KNOWN_KEYS = {
    "sum.golang.org": "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8",
}
"""Verifier keys of databases that GOSUMDB may name alone."""

_ALIASES = {
    # The same database, under a name that can be reached inside mainland China.
    "sum.golang.google.cn": "sum.golang.org https://sum.golang.google.cn",
}


@dataclass(frozen=True, slots=True)
class SumDB:
    """A checksum database.

    `name` is its host, perhaps with a path; `key` the verifier key that its tree heads are signed with; `url`
    an explicit address, with which neither the name nor any module proxy is asked.
    """

    name: str
    key: str
    url: str | None = None

    @property
    def base_url(self) -> str:
        """Where it is reached when no module proxy stands in for it."""
        return self.url if self.url is not None else f"https://{self.name}"


def parse_sumdb(text: str) -> SumDB | None:
    """What a GOSUMDB value means; None for `off`.

    The value is NAME (of a known key), NAME+KEY, or either with an explicit URL after a blank. Raises
    InvalidSumDB.
    """
    if text == "off":
        return None
    fields = _ALIASES.get(text, text).split()
    if not fields:
        raise InvalidSumDB("missing GOSUMDB")
    if len(fields) > 2:
        raise InvalidSumDB("invalid GOSUMDB: too many fields")
    key = KNOWN_KEYS.get(fields[0], fields[0])
    try:
        name = note.parse_verifier(key).name
    except InvalidInput as why:
        raise InvalidSumDB("invalid GOSUMDB: {why}", why=why) from why
    _check_name(name)
    if len(fields) == 1:
        return SumDB(name, key)
    try:
        gourl.parse(fields[1])
    except gourl.InvalidURL as why:
        raise InvalidSumDB("invalid GOSUMDB URL: {why}", why=why) from why
    return SumDB(name, key, fields[1])


def _check_name(name: str) -> None:
    """The name becomes part of URLs and file names: host[/path], and nothing that must be escaped."""
    try:
        parsed = gourl.parse("https://" + name)
    except gourl.InvalidURL:
        parsed = gourl.URL()
    plain = gourl.URL(scheme="https", host=parsed.host, path=parsed.path)
    if parsed != plain or not parsed.host or name.endswith("/") or re.search(r"%|/\.{0,2}(?:/|$)", name):
        raise InvalidSumDB("invalid sumdb name (must be host[/path]): {name}", name=name)


def format_sumdb(sumdb: SumDB | None) -> str:
    """The GOSUMDB value that parse_sumdb reads back; a known key is left out."""
    if sumdb is None:
        return "off"
    name = sumdb.name if KNOWN_KEYS.get(sumdb.name) == sumdb.key else sumdb.key
    return name if sumdb.url is None else f"{name} {sumdb.url}"


def use_sumdb(path: str, *, gosumdb: str, gonosumdb: str, goproxy: str) -> bool:
    """Whether sums of the module at `path` are to be checked with the database.

    Toolchains always are, for no go.sum lists them: neither GOSUMDB=off nor GONOSUMDB counts then (the lookup
    fails instead). The one exception is a GOPROXY of a single file:// tree, which is how a toolchain is tried
    out.
    """
    if path == gover.TOOLCHAIN_MODULE and not _is_single_file_tree(goproxy):
        return True
    return gosumdb != "off" and not module.match_prefix_patterns(gonosumdb, path)


def _is_single_file_tree(goproxy: str) -> bool:
    return goproxy.startswith("file://") and "," not in goproxy and "|" not in goproxy
