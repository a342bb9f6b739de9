"""Module paths and versions: what is allowed, how they pair up, how URLs and file names write them.

Why the rules are so strict (golang.org/x/mod/module): a module is stored by its path on file systems of all
kinds, some of which ignore case, forbid names such as `con` or `aux`, or drop a trailing dot. So a path holds
only what every system keeps apart, and each capital letter is written as `!` and the small one:

    github.com/BurntSushi/toml  v1.0.0-RC1   →   github.com/!burnt!sushi/toml  v1.0.0-!r!c1

`escape_…` and `unescape_…` are exact twins: whatever is not the one spelling of a name is refused, never
repaired, because two spellings of one module would be two entries in a cache.

`check_…` raise InvalidPath or InvalidVersion. All paths and versions here are plain (unescaped) unless a name
says so.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

from goferry.errors import InvalidInput
from goferry.gomod import semver
from goferry.gomod.goliteral import quote_rune
from goferry.gomod.patterns import lazily


class InvalidPath(InvalidInput):
    """A module, import or file path that breaks a naming rule."""

    code = "invalid_path"


class InvalidVersion(InvalidInput):
    """A version that breaks a rule, alone or for the module path beside it."""

    code = "invalid_version"


class Version(NamedTuple):
    """A module path and version, both unescaped. The version is empty for a main module or a local folder.

    A tuple, because graphs look for them in sets and dictionaries, hundred thousands of times.
    """

    path: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.path}@{self.version}" if self.version else self.path


def sort(versions: Iterable[Version]) -> list[Version]:
    """By path, then by version; a version may carry a `/go.mod` suffix, as in go.sum (module.Sort)."""
    return sorted(versions, key=_sort_key)


def _sort_key(m: Version) -> tuple[str, semver.Key, str]:
    version, slash, file = m.version.partition("/")
    return m.path, semver.key(version), slash + file


# What a path element may hold, by the kind of path. File names take every Unicode letter as well.
_MODULE_CHARS = lazily(r"[-._~0-9A-Za-z]*")
_IMPORT_CHARS = lazily(r"[-._~+0-9A-Za-z]*")
_FILE_CHARS = lazily(r"[-!#$%&()+,.=@\[\]^_{}~ 0-9A-Za-z]*")
_HOST_CHARS = lazily(r"[-.0-9a-z]*")

# Windows opens a device when the part before the first dot is one of these, in any case.
_WINDOWS_DEVICE = lazily(r"con|prn|aux|nul|com[1-9]|lpt[1-9]", re.IGNORECASE | re.ASCII)
_WINDOWS_SHORT_NAME = lazily(r"~[0-9]+\Z")

# Letters that Unicode 15.0 has (Go 1.21 and later) and the tables of Python 3.11 (Unicode 14.0) lack.
_NEWER_LETTERS = (
    (0x1123F, 0x11240),
    (0x11F02, 0x11F02),
    (0x11F04, 0x11F10),
    (0x11F12, 0x11F33),
    (0x1342F, 0x1342F),
    (0x13441, 0x13446),
    (0x1B132, 0x1B132),
    (0x1B155, 0x1B155),
    (0x1DF25, 0x1DF2A),
    (0x1E030, 0x1E06D),
    (0x1E4D0, 0x1E4EB),
    (0x2B739, 0x2B739),
    (0x31350, 0x323AF),
)


class _Kind(NamedTuple):
    chars: re.Pattern[str]
    unicode_letters: bool = False
    leading_dot: bool = True
    short_names: bool = False


_MODULE = _Kind(_MODULE_CHARS, leading_dot=False)
_IMPORT = _Kind(_IMPORT_CHARS)
_FILE = _Kind(_FILE_CHARS, unicode_letters=True, short_names=True)


def check(path: str, version: str) -> None:
    """Raise unless the path is a module path, the version a semantic version, and its major fits the path."""
    check_path(path)
    if not semver.is_valid(version):
        raise InvalidVersion(
            "{path}@{version}: invalid version: not a semantic version", path=path, version=version
        )
    _, path_major, _ = split_path_version(path)
    if not match_path_major(version, path_major):
        raise InvalidVersion(
            "{path}@{version}: invalid version: should be {want}, not {major}",
            path=path,
            version=version,
            want=_wanted_major(path_major),
            major=semver.major(version),
        )


# What nearly all module paths look like. It says yes to valid ones alone: no dots at the ends of elements, no Windows
# devices, and nothing at the end that might be a major version. Whatever it does not match is looked at closely.
_PLAIN_PATH = lazily(
    r"(?!gopkg\.in/)(?!.*/v[0-9.]+\Z)[a-z0-9][-a-z0-9]*(?:\.[-a-z0-9]+)+"
    r"(?:/(?!(?i:con|prn|aux|nul|com[1-9]|lpt[1-9])(?:[./]|\Z))[A-Za-z0-9][-\w]*(?:\.[-\w]+)*)*",
    re.ASCII,
)
_DEVICE_HOST = lazily(r"(?:con|prn|aux|nul|com[1-9]|lpt[1-9])\.")


@lru_cache(maxsize=4096)
def check_path(path: str) -> None:
    """Raise InvalidPath unless `path` is a valid module path.

    That is a valid import path whose elements start with no dot, whose first element is a lower-case domain
    name (with a dot, without a leading dash), and whose last element is no wrong major version suffix (`/v0`,
    `/v1`, `/v2.1`).
    """
    if not is_plain_path(path):
        check_path_closely(path)


def is_plain_path(path: str) -> bool:
    """Whether a path is so plain that it is a valid module path; False says nothing."""
    return _PLAIN_PATH.fullmatch(path) is not None and _DEVICE_HOST.match(path) is None


def check_path_closely(path: str) -> None:
    """check_path, rule by rule."""
    try:
        _check_elements(path, _MODULE)
        _check_host(path.partition("/")[0])
        if not split_path_version(path)[2]:
            raise InvalidPath("invalid version")
    except InvalidPath as why:
        raise InvalidPath('malformed module path "{path}": {why}', path=printable(path), why=why) from why


def check_import_path(path: str) -> None:
    """Raise InvalidPath unless `path` is a valid import path: elements of `A-Z a-z 0-9 - . _ ~ +`."""
    try:
        _check_elements(path, _IMPORT)
    except InvalidPath as why:
        raise InvalidPath('malformed import path "{path}": {why}', path=printable(path), why=why) from why


def check_file_path(path: str) -> None:
    """Raise InvalidPath unless `path` is a valid file path: also blanks, Unicode letters, more marks."""
    try:
        _check_elements(path, _FILE)
    except InvalidPath as why:
        raise InvalidPath('malformed file path "{path}": {why}', path=printable(path), why=why) from why


def _check_elements(path: str, kind: _Kind) -> None:
    if not _is_utf8(path):
        raise InvalidPath("invalid UTF-8")
    if not path:
        raise InvalidPath("empty string")
    if path[0] == "-" and kind is not _FILE:
        raise InvalidPath("leading dash")
    if "//" in path:
        raise InvalidPath("double slash")
    if path[-1] == "/":
        raise InvalidPath("trailing slash")
    for element in path.split("/"):
        _check_element(element, kind)


def _check_element(element: str, kind: _Kind) -> None:
    if not element:
        raise InvalidPath("empty path element")
    if element.count(".") == len(element):
        raise InvalidPath('invalid path element "{element}"', element=element)
    if element[0] == "." and not kind.leading_dot:
        raise InvalidPath("leading dot in path element")
    if element[-1] == ".":
        raise InvalidPath("trailing dot in path element")
    _check_chars(element, kind)
    short = element.partition(".")[0]
    if _WINDOWS_DEVICE.fullmatch(short):
        raise InvalidPath('"{name}" disallowed as path element component on Windows', name=short)
    if not kind.short_names and _WINDOWS_SHORT_NAME.search(short):
        raise InvalidPath("trailing tilde and digits in path element")


def _check_chars(element: str, kind: _Kind) -> None:
    position = _end(kind.chars, element)
    while position < len(element):
        char = element[position]
        if not (kind.unicode_letters and is_letter(char)):
            raise InvalidPath("invalid char {char}", char=quote_rune(char))
        position = _end(kind.chars, element, position + 1)


def _check_host(host: str) -> None:
    if not host:
        raise InvalidPath("leading slash")
    if "." not in host:
        raise InvalidPath("missing dot in first path element")
    end = _end(_HOST_CHARS, host)
    if end < len(host):
        raise InvalidPath("invalid char {char} in first path element", char=quote_rune(host[end]))


def _end(chars: re.Pattern[str], text: str, start: int = 0) -> int:
    m = chars.match(text, start)
    return start if m is None else m.end()


def is_letter(char: str) -> bool:
    """Whether Go's `unicode.IsLetter` holds: beyond ASCII, a file name is made of letters alone."""
    if char.isalpha():
        return True
    point = ord(char)
    return any(low <= point <= high for low, high in _NEWER_LETTERS)


def _is_utf8(text: str) -> bool:
    """False for text with bytes that were no UTF-8 (surrogate escapes) where it came into the program."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def printable(text: str) -> str:
    """Safe inside one line for people: control characters and broken bytes are spelled out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def split_path_version(path: str) -> tuple[str, str, bool]:
    """(prefix, path_major, ok) with prefix + path_major == path.

    `path_major` is empty or `/vN` with N ≥ 2; below gopkg.in it is `.vN` (any N, perhaps `-unstable`) and
    required. `ok` is False for a last element that no module path may have, such as `/v1` or `/v1.2`.
    """
    if path.startswith("gopkg.in/"):
        return _split_gopkg_in(path)
    stem = path.rstrip("0123456789.")
    if len(stem) == len(path) or not stem.endswith("/v"):
        return path, "", True
    number = path[len(stem) :]
    if "." in number or number[0] == "0" or number == "1":
        return path, "", False
    return stem[:-2], "/v" + number, True


def _split_gopkg_in(path: str) -> tuple[str, str, bool]:
    stable = path.removesuffix("-unstable")
    stem = stable.rstrip("0123456789")
    number = stable[len(stem) :]
    if not stem.endswith(".v") or not number or (number[0] == "0" and path[len(stem) :] != "0"):
        return path, "", False
    return stem[:-2], path[len(stem) - 2 :], True


def match_path_major(version: str, path_major: str) -> bool:
    """Whether the version's major fits the suffix that split_path_version gave."""
    path_major = _stable(path_major)
    # Pseudo-versions of gopkg.in/x.v1 were once made with v0.0.0-, and are in go.mod files that still count.
    if version.startswith("v0.0.0-") and path_major == ".v1":
        return True
    major = semver.major(version)
    if not path_major:
        return major in ("v0", "v1") or semver.build(version) == "+incompatible"
    return major == path_major.lstrip("/.")


def check_path_major(version: str, path_major: str) -> None:
    """Raise InvalidVersion unless match_path_major holds."""
    if not match_path_major(version, path_major):
        raise InvalidVersion(
            'version "{version}" invalid: should be {want}, not {major}',
            version=version,
            want=_wanted_major(path_major),
            major=semver.major(version),
        )


def path_major_prefix(path_major: str) -> str:
    """The major version that tags of such a path carry: `v2` for `/v2` and `.v2-unstable`; empty for none."""
    return _stable(path_major)[1:]


def _stable(path_major: str) -> str:
    return path_major.removesuffix("-unstable") if path_major.startswith(".v") else path_major


def _wanted_major(path_major: str) -> str:
    return path_major_prefix(path_major) or "v0 or v1"


@lru_cache(maxsize=4096)
def canonical_version(version: str) -> str:
    """semver.canonical, but `+incompatible` stays: it is part of a version's identity. Empty when invalid."""
    canonical = semver.canonical(version)
    return canonical + "+incompatible" if semver.build(version) == "+incompatible" else canonical


def is_canonical(path: str, version: str) -> bool:
    """Whether `version` is the one spelling of a version that the (valid) module path can have."""
    return canonical_version(version) == version != "" and match_path_major(
        version, split_path_version(path)[1]
    )


_CAPITAL = lazily(r"[A-Z]")
_ESCAPED_CAPITAL = lazily(r"!([a-z])")
_NEVER_ESCAPED = lazily(r"![^a-z]|!\Z|[A-Z]|[^\x00-\x7f]")


def escape_path(path: str) -> str:
    """The path as URLs and file names write it. Raises InvalidPath for an invalid module path."""
    check_path(path)
    return _escape(path)


def unescape_path(escaped: str) -> str:
    """The module path that an escaped one means. Raises InvalidPath for a wrong escape or an invalid path."""
    path = _unescape(escaped)
    if path is None:
        raise InvalidPath('invalid escaped module path "{escaped}"', escaped=printable(escaped))
    check_path(path)
    return path


def escape_version(version: str) -> str:
    """The version as URLs and file names write it: any revision that is a valid file name without `!`.

    A branch with a slash is no such name: it cannot be asked of a proxy. Raises InvalidVersion.
    """
    if "!" not in version and version.isascii() and _is_file_name(version):
        return _escape(version)
    raise InvalidVersion('version "{version}" invalid: disallowed version string', version=printable(version))


def unescape_version(escaped: str) -> str:
    """The version that an escaped one means. Raises InvalidVersion for a wrong escape or a bad name."""
    version = _unescape(escaped)
    if version is None or not _is_file_name(version):
        raise InvalidVersion('invalid escaped version "{escaped}"', escaped=printable(escaped))
    return version


def is_escaped(text: str) -> bool:
    """Whether the text is an escaped form: ASCII without capitals, and `!` only before a small letter."""
    return _NEVER_ESCAPED.search(text) is None


@lru_cache(maxsize=4096)
def _is_file_name(name: str) -> bool:
    try:
        _check_element(name, _FILE)
    except InvalidPath:
        return False
    return True


def _escape(text: str) -> str:
    return text if text.islower() else _CAPITAL.sub(_bang, text)


def _bang(m: re.Match[str]) -> str:
    return "!" + m[0].lower()


def _unescape(escaped: str) -> str | None:
    if not is_escaped(escaped):
        return None
    return _ESCAPED_CAPITAL.sub(_unbang, escaped) if "!" in escaped else escaped


def _unbang(m: re.Match[str]) -> str:
    return m[1].upper()


def match_prefix_patterns(globs: str, target: str) -> bool:
    """Whether a comma-separated list of globs (GOPRIVATE and its like) matches a leading part of the path
    `target`.

    A glob of n elements is matched with the first n elements of the target. Empty and malformed globs are
    ignored, and so is one trailing slash. Spaces count, and so does case.
    """
    return any(matches(target) for matches in _matchers(globs))


@lru_cache(maxsize=64)
def _matchers(globs: str) -> tuple[Callable[[str], bool], ...]:
    return tuple(_matcher(glob.removesuffix("/")) for glob in globs.split(",") if glob.removesuffix("/"))


def _matcher(glob: str) -> Callable[[str], bool]:
    elements = glob.count("/") + 1
    pattern = _compile_glob(glob)

    def matches(target: str) -> bool:
        parts = target.split("/", elements)
        return (
            pattern is not None
            and len(parts) >= elements
            and pattern.fullmatch("/".join(parts[:elements])) is not None
        )

    return matches


def path_match(pattern: str, name: str) -> bool:
    r"""Go's path.Match over the whole of `name`; False for a malformed pattern.

    `*` and `?` stay within a path element, `[a-z]` and `[^a-z]` are one character (even `/`), `\` takes the
    next one as it is. Characters are code points; Go's star steps by bytes, which differs for non-ASCII names
    only.
    """
    glob = _compile_glob(pattern)
    return glob is not None and glob.fullmatch(name) is not None


class _BadGlob(Exception):
    """The pattern is malformed; where and how does not matter, for such patterns are ignored."""


_GLOB_TOKEN = lazily(r"(\*+)|(\?)|\[(\^?)|\\(.)|([^*?\[\\])", re.DOTALL)


def _compile_glob(glob: str) -> re.Pattern[str] | None:
    # Each star takes as little as lets the text up to the next star match, and never gives that choice back:
    # Go scans chunk by chunk, without backtracking. Atomic groups say the same. It shows only when a class
    # eats a slash.
    try:
        chunks = _glob_chunks(glob)
    except _BadGlob:
        return None
    first, *starred = chunks
    if not starred:
        return re.compile(first, re.DOTALL)
    *middle, last = starred
    return re.compile(
        first + "".join(rf"(?>[^/]*?{chunk})" for chunk in middle) + rf"[^/]*?{last}", re.DOTALL
    )


def _glob_chunks(glob: str) -> list[str]:
    """The glob cut at its stars, each piece as a regular expression."""
    chunks = [""]
    position = 0
    while position < len(glob):
        m = _GLOB_TOKEN.match(glob, position)
        if m is None:
            raise _BadGlob
        position = m.end()
        star, any_one, negated, escaped, literal = m.groups()
        if star:
            chunks.append("")
        elif any_one:
            chunks[-1] += "[^/]"
        elif negated is not None:
            char_class, position = _glob_class(glob, position, negated=bool(negated))
            chunks[-1] += char_class
        else:
            chunks[-1] += re.escape(escaped or literal)
    return chunks


def _glob_class(glob: str, position: int, *, negated: bool) -> tuple[str, int]:
    """The class whose first range starts at `position`, as a regular expression, and where it ends."""
    ranges = ""
    first = True
    while first or glob[position] != "]":
        first = False
        low, position = _glob_char(glob, position)
        high = low
        if glob[position] == "-":
            high, position = _glob_char(glob, position + 1)
        if low <= high:
            ranges += f"{re.escape(low)}-{re.escape(high)}"
    if not ranges:  # only empty ranges such as [b-a], which Go allows
        return (r"." if negated else r"(?!)"), position + 1
    return f"[{'^' if negated else ''}{ranges}]", position + 1


def _glob_char(glob: str, position: int) -> tuple[str, int]:
    """One possibly escaped character of a class. Something must follow it, for a class has to be closed."""
    if glob[position : position + 1] in ("", "-", "]"):
        raise _BadGlob
    if glob[position] == "\\":
        position += 1
    if position + 1 >= len(glob):
        raise _BadGlob
    return glob[position], position + 1
