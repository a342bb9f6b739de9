"""git's configuration as git has it in the module cache, and what it does to a URL.

go runs git in GOMODCACHE/cache/vcs/HASH: neither the repository where the user works nor an `includeIf "gitdir:…"`
for the user's folders counts there. So git is asked in that place. Only keys that decide about downloads are kept.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from goferry.doctor.base import World
from goferry.doctor.evidence import GitSetting, Setting, Skipped
from goferry.doctor.settings.hiding import HIDDEN, hide
from goferry.doctor.settings.reading import find_program
from goferry.findings import Text
from goferry.i18n import N_
from goferry.smallfiles import is_file

_SECTIONS: Final = ("url.", "http.", "https.", "credential.", "protocol.", "safe.", "include.", "includeif.")
_KEYS: Final = ("core.sshcommand", "core.gitproxy", "core.askpass", "ssh.variant")
_SECRET_KEYS: Final = re.compile(r"(?:extraheader|password|token|secret|pass)$")
_MOST_INCLUDES: Final = 20
_GIT_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class GitSeen:
    """What git says. settings with their secrets; conditional: lines of files that an includeIf would add elsewhere."""

    version: str = ""
    settings: tuple[GitSetting, ...] = ()
    conditional: tuple[Setting, ...] = ()
    skipped: tuple[Skipped, ...] = ()


def parse_list(data: bytes, *, has_scopes: bool = True) -> tuple[GitSetting, ...]:
    """The output of `git config --list --show-origin --show-scope -z`.

    Each entry is scope NUL origin NUL key LF value NUL; a key without `=` has no value and means true. Section and
    variable are in lower case already, what stands between them is as it was written. has_scopes: False for git before
    2.26, which cannot tell them; they are concluded from the origin then.
    """
    fields = data.decode("utf-8", "replace").split("\0")[:-1]
    width = 3 if has_scopes else 2
    rows = zip(*(fields[start::width] for start in range(width)), strict=False)
    return tuple(
        _setting(row[-2].removeprefix("file:"), row[-1], row[0] if has_scopes else "") for row in rows
    )


def _setting(place: str, entry: str, scope: str) -> GitSetting:
    key, sign, value = entry.partition("\n")
    return GitSetting(key, value if sign else "true", scope or _scope_of(place), place)


def _scope_of(place: str) -> str:
    if place.startswith("command line"):
        return "command"
    return "system" if place.endswith("/etc/gitconfig") else "global"


def matters(setting: GitSetting) -> bool:
    """Whether a setting decides about downloads at all. What is private to one repository does not."""
    return setting.scope not in ("local", "worktree") and (
        setting.key.startswith(_SECTIONS) or setting.key in _KEYS
    )


def without_secrets(settings: Iterable[GitSetting]) -> tuple[GitSetting, ...]:
    """The settings as they may be kept: a key may hold a token (url.https://TOKEN@host/.insteadOf) as well."""
    return tuple(
        replace(setting, key=_hidden_key(setting.key), value=_hidden_value(setting)) for setting in settings
    )


def _hidden_key(key: str) -> str:
    section, first, rest = key.partition(".")
    middle, last, name = rest.rpartition(".")
    return f"{section}{first}{hide(middle)}{last}{name}"


def _hidden_value(setting: GitSetting) -> str:
    if _SECRET_KEYS.search(setting.key):
        return HIDDEN
    if setting.key.startswith("credential.") and setting.key.endswith(".helper"):
        # `!f() { echo password=…; }; f` is a common way to keep a token in the configuration.
        return setting.value if re.fullmatch(r"[\w./ -]*", setting.value) else f"! {HIDDEN}"
    return hide(setting.value)


# ---- url.<base>.insteadOf ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Rewritten:
    """A URL after git's rules. rule: the setting that changed it, None when it stays as it is."""

    url: str
    rule: GitSetting | None = None


def rewrite(url: str, settings: Iterable[GitSetting]) -> Rewritten:
    """What `git ls-remote --get-url URL` prints.

    The longest prefix wins; of equal ones that of the base which is named first, wherever the rule itself stands. One
    rule is applied, once. Case and every character count: git cuts the prefix off and puts the base in its place
    without looking at what comes of it.
    """
    by_base: dict[str, list[GitSetting]] = {}
    for setting in settings:
        if setting.key.startswith("url.") and setting.key.endswith(".insteadof"):
            by_base.setdefault(setting.key, []).append(setting)
    best: GitSetting | None = None
    for setting in chain.from_iterable(by_base.values()):
        if url.startswith(setting.value) and (best is None or len(setting.value) > len(best.value)):
            best = setting
    if best is None:
        return Rewritten(url)
    base = best.key.removeprefix("url.").removesuffix(".insteadof")
    return Rewritten(base + url[len(best.value) :], best)


# ---- http.<url>.<name> -------------------------------------------------------------------------------------


def http_setting(settings: Iterable[GitSetting], name: str, url: str) -> GitSetting | None:
    """The value of http.NAME for a URL: `http.<url>.NAME` beats `http.NAME`, the most specific match wins.

    A key's host may have `*` for one label; its path matches whole leading elements; a user name must be equal.
    Of equally specific ones the last counts. Source: git's urlmatch.c.
    """
    best: tuple[tuple[int, int, int], GitSetting] | None = None
    for setting in settings:
        section, _dot, rest = setting.key.partition(".")
        pattern, _dot, variable = rest.rpartition(".")
        if section.lower() != "http" or variable.lower() != name.lower():
            continue
        rank = _url_rank(pattern, url) if pattern else (0, 0, 0)
        if rank is not None and (best is None or rank >= best[0]):
            best = (rank, setting)
    return None if best is None else best[1]


def _url_rank(pattern: str, url: str) -> tuple[int, int, int] | None:
    """How specific a match is: length of the host, of the path, and whether the user matched; None for no match."""
    try:
        want, have = urlsplit(pattern), urlsplit(url)
        same_port = (want.port or _port(want.scheme)) == (have.port or _port(have.scheme))
    except ValueError:
        return None
    if (
        want.scheme != have.scheme
        or not same_port
        or not _host_matches(want.hostname or "", have.hostname or "")
    ):
        return None
    path = want.path.rstrip("/")
    if path and have.path.rstrip("/") != path and not have.path.startswith(path + "/"):
        return None
    if want.username and want.username != have.username:
        return None
    return len(want.hostname or ""), len(path) + 1, 1 if want.username else 0


def _port(scheme: str) -> int:
    return {"http": 80, "https": 443}.get(scheme, 0)


def _host_matches(pattern: str, host: str) -> bool:
    want, have = pattern.split("."), host.split(".")
    return len(want) == len(have) and all(
        label in ("*", other) for label, other in zip(want, have, strict=True)
    )


# ---- asking git --------------------------------------------------------------------------------------------


def read_git(world: World, modcache: str) -> GitSeen:
    """git's version and its settings in the module cache; what could not be asked stands in `skipped`."""
    git = find_program(world, "git")
    if not git:
        return GitSeen(skipped=(Skipped("git", Text(N_("there is no git on PATH"))),))
    with tempfile.TemporaryDirectory(prefix="goferry-") as neutral:
        # A GIT_DIR that is no repository: git reads what holds everywhere and looks for no repository around it.
        cached = _cached_repository(modcache)
        where = cached or str(Path(neutral) / "none")
        asked = ["config", "--list", "--show-origin", "-z"]
        version = (_run(world, [git, "--version"], neutral) or b"").decode("utf-8", "replace").strip()
        data = _run(world, [git, *asked, "--show-scope"], neutral, GIT_DIR=where)
        has_scopes = data is not None
        if data is None:
            data = _run(world, [git, *asked], neutral, GIT_DIR=where)
    if data is None:
        return GitSeen(
            _number(version), skipped=(Skipped("git", Text(N_("git does not tell its configuration"))),)
        )
    found = parse_list(data, has_scopes=has_scopes)
    if modcache and not cached:
        found = tuple(_with_includes(world, git, found, _first_repository(modcache)))
    settings = tuple(setting for setting in found if matters(setting))
    conditional = tuple(_conditional(world, git, settings, {setting.place for setting in found}))
    return GitSeen(_number(version), settings, conditional)


def _number(version: str) -> str:
    found = re.search(r"\d+(?:\.\d+)+", version)
    return found[0] if found else ""


def _cached_repository(modcache: str) -> str:
    """A repository that go keeps, where conditions about its folder can be true."""
    if not modcache:
        return ""
    try:
        with os.scandir(Path(modcache) / "cache" / "vcs") as entries:
            return next((entry.path for entry in entries if is_file(Path(entry.path) / "HEAD")), "")
    except OSError:
        return ""


def _run(world: World, argv: list[str], cwd: str, **environ: str) -> bytes | None:
    """What git prints; None when it cannot be run, or fails (a file that it may not read stops it)."""
    hidden = {"GIT_DIR", "GIT_WORK_TREE", "GIT_CONFIG", "GIT_TRACE"}
    base = {name: value for name, value in world.environ.items() if name not in hidden}
    try:
        done = subprocess.run(
            argv,
            env={**base, "HOME": world.environ.get("HOME", str(world.home)), **environ},
            cwd=cwd,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None


# ---- includeIf ---------------------------------------------------------------------------------------------

_FOLDER: Final = re.compile(r"gitdir(?P<loose>/i)?:(?P<pattern>.+)", re.DOTALL)
_WILD: Final = re.compile(r"/\*\*/|^\*\*/|/\*\*$|\*+|\?|\[!?[^\]/]+\]")
_WORDS: Final = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "?": "[^/]"}


def _first_repository(modcache: str) -> str:
    """Where go makes its first repository: the folder's name is a hash."""
    return os.path.realpath(Path(modcache) / "cache" / "vcs" / ("0" * 64))


def holds_in(condition: str, repository: str, place: str, home: Path) -> bool:
    """Whether `includeIf.CONDITION` of the file `place` holds in a repository, as far as its folder decides.

    Source: git's config.c: a pattern without a root may begin anywhere, and one that ends in a slash goes on for ever.
    """
    found = _FOLDER.fullmatch(condition)
    if found is None:
        return False
    pattern = found["pattern"]
    if pattern.startswith("~/"):
        pattern = f"{home}{pattern[1:]}"
    elif pattern.startswith("./"):
        pattern = f"{os.path.realpath(Path(place).parent)}{pattern[1:]}"
    elif not pattern.startswith("/"):
        pattern = f"**/{pattern}"
    if pattern.endswith("/"):
        pattern += "**"
    flags = re.DOTALL | (re.IGNORECASE if found["loose"] else 0)
    return re.fullmatch(_as_expression(pattern), repository, flags) is not None


def _as_expression(pattern: str) -> str:
    """A pattern of git (wildmatch, where a star does not cross slashes) as a regular expression."""
    parts, end = [], 0
    for wild in _WILD.finditer(pattern):
        parts += [re.escape(pattern[end : wild.start()]), _word(wild[0])]
        end = wild.end()
    return "".join([*parts, re.escape(pattern[end:])])


def _word(wild: str) -> str:
    if wild.startswith("["):
        return wild.replace("[!", "[^", 1).replace("\\", "\\\\")
    return _WORDS.get(wild, "[^/]*")


def _with_includes(
    world: World, git: str, settings: Iterable[GitSetting], repository: str
) -> Iterator[GitSetting]:
    """The settings with those of the files that an includeIf adds in a repository that is not there yet."""
    home = Path(world.environ.get("HOME", str(world.home)))
    read = {setting.place for setting in settings}
    for setting in settings:
        yield setting
        if not _is_condition(setting):
            continue
        condition = setting.key.removeprefix("includeif.").removesuffix(".path")
        path = _included_path(world, setting)
        if str(path) in read or not is_file(path) or not holds_in(condition, repository, setting.place, home):
            continue
        asked = [git, "config", "--file", str(path), "--includes", "--list", "--show-origin", "-z"]
        data = _run(world, asked, str(path.parent)) or b""
        for item in parse_list(data, has_scopes=False):
            yield replace(item, scope=setting.scope)


def _is_condition(setting: GitSetting) -> bool:
    return setting.key.startswith("includeif.") and setting.key.endswith(".path")


def _conditional(
    world: World, git: str, settings: tuple[GitSetting, ...], read: set[str]
) -> Iterator[Setting]:
    """insteadOf lines in files that an includeIf names and that do not hold in the module cache."""
    includes = [setting for setting in settings if _is_condition(setting)]
    for include in includes[:_MOST_INCLUDES]:
        path = _included_path(world, include)
        if str(path) in read or not is_file(path):
            continue
        condition = include.key.removeprefix("includeif.").removesuffix(".path")
        data = _run(world, [git, "config", "--file", str(path), "--list", "-z"], str(path.parent))
        for entry in (data or b"").decode("utf-8", "replace").split("\0")[:-1]:
            key, _newline, value = entry.partition("\n")
            if key.startswith("url.") and key.endswith(".insteadof"):
                yield Setting(_hidden_key(key), hide(value), f"includeIf {condition}", str(path))


def _included_path(world: World, include: GitSetting) -> Path:
    """Relative paths start at the file that has the line."""
    if include.value.startswith("~/"):
        return Path(world.environ.get("HOME", str(world.home))) / include.value[2:]
    return Path(include.place).parent / include.value
