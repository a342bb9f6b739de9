"""Values that only another context has: a shell's start files, the system's, a CI file, the user before sudo.

"I have set GOPROXY" is often true, only not for this process. What stands in other places is read here, a little of
each file, so that the difference can be shown. Nothing of it is in force.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Setting
from goferry.doctor.settings.credentials import home_of
from goferry.doctor.settings.hiding import hide_setting
from goferry.doctor.settings.reading import below
from goferry.gomod import goenv
from goferry.smallfiles import read_text

NAMES: Final = (
    "GOPROXY",
    "GOPRIVATE",
    "GONOPROXY",
    "GONOSUMDB",
    "GOSUMDB",
    "GOINSECURE",
    "GOFLAGS",
    "GOTOOLCHAIN",
    "GO111MODULE",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
_MOST_BYTES: Final = 256 << 10
_MOST_FILES: Final = 40
_WORD: Final = "|".join((*NAMES, *(name.lower() for name in NAMES if name.endswith("_PROXY"))))

# One pattern for each way of writing; `value` as it stands there, quotes and all.
_SHELL: Final = re.compile(
    rf"^\s*(?:export\s+|declare\s+-x\s+|set\s+-(?:[gUx]+\s+|-\w+\s+)+)?(?P<name>{_WORD})[=\s](?P<value>\S.*)$"
)
_DOCKER: Final = re.compile(rf"^\s*(?:ENV|ARG)\s+(?P<name>{_WORD})[=\s]\s*(?P<value>\S.*)$", re.IGNORECASE)
_YAML: Final = re.compile(rf"^\s*(?:-\s*)?[\"']?(?P<name>{_WORD})\s*[:=]\s*(?P<value>\S.*)$")

_COMMAND: Final = re.compile(r"\bgo\s+env\s+-w\s+(?P<pairs>[^;&#]*)")
"""`go env -w` in a script: it sets the variable where the script runs, for the user who runs it."""

_PAIR: Final = re.compile(rf"(?:^|[\s\"'])(?P<name>{_WORD})=[\"']?(?P<value>[^\s\"']+)")

_SHELL_FILES: Final = (
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".zshenv",
    ".zprofile",
    ".config/fish/config.fish",
)
_PROJECT_FILES: Final = (
    ("Dockerfile", "docker", _DOCKER),
    ("Dockerfile.*", "docker", _DOCKER),
    ("*.Dockerfile", "docker", _DOCKER),
    ("Containerfile", "docker", _DOCKER),
    ("compose.y*ml", "compose", _YAML),
    ("docker-compose*.y*ml", "compose", _YAML),
    (".gitlab-ci.yml", "gitlab", _YAML),
    (".github/workflows/*.y*ml", "github", _YAML),
)


def read_elsewhere(world: World, user_file: str, user_text: str) -> tuple[Setting, ...]:
    """All such values, with place file:line and without secrets. user_file: go's own, and its text."""
    return (
        *_unread(user_file, user_text),
        *_shells(world),
        *_system(world),
        *_before_sudo(world),
        *_project(world),
    )


def assignments(text: str, pattern: re.Pattern[str], origin: str, place: str) -> Iterator[Setting]:
    """The variables that a file sets, line by line."""
    for number, line in enumerate(text.splitlines(), 1):
        for name, value in _in_line(line, pattern):
            yield Setting(name, hide_setting(name, value), origin, f"{place}:{number}")


def _in_line(line: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    match = pattern.match(line)
    if match is not None and (value := _unquoted(match["value"])):
        yield match["name"], value
    command = _COMMAND.search(line.partition("#")[0]) if match is None else None
    for pair in _PAIR.finditer(command["pairs"] if command else ""):
        yield pair["name"], pair["value"]


def _unquoted(text: str) -> str:
    """A value without quotes, a comment behind it, or a line that goes on."""
    text = text.strip().removesuffix("\\").rstrip()
    if text[:1] in ("'", '"') and (end := text.find(text[0], 1)) > 0:
        return text[1:end]
    return re.sub(r"\s+#.*$", "", text).rstrip(";").strip().strip("'\"")


def _unread(user_file: str, user_text: str) -> Iterator[Setting]:
    """Proxy variables in go's own file: somebody wrote them there, and nothing reads them."""
    for number, name, value in goenv.numbered_env_file(user_text):
        if name in NAMES and not name.startswith("GO"):
            yield Setting(name, hide_setting(name, value), "go env file", f"{user_file}:{number}")


def _shells(world: World) -> Iterator[Setting]:
    home = home_of(world)
    fish = _listed(home / ".config/fish/conf.d", ("*.fish",))
    for path in (*(home / name for name in _SHELL_FILES), *fish):
        yield from assignments(read_text(path, _MOST_BYTES), _SHELL, "shell", str(path))


def _system(world: World) -> Iterator[Setting]:
    root = world.places.root
    folder = below(root, "/etc/profile.d")
    for path in (below(root, "/etc/environment"), below(root, "/etc/profile"), *_listed(folder, ("*.sh",))):
        yield from assignments(read_text(path, _MOST_BYTES), _SHELL, "system", str(path))


def _listed(folder: Path, patterns: Iterable[str]) -> list[Path]:
    try:
        return sorted(path for pattern in patterns for path in folder.glob(pattern))[:_MOST_FILES]
    except OSError:
        return []


def _before_sudo(world: World) -> Iterator[Setting]:
    """The file of the user who called sudo: `go env -w` as that user does not reach this process."""
    user = world.environ.get("SUDO_USER", "")
    if not user or user == "root":
        return
    home = _home_of_user(user, read_text(below(world.places.root, "/etc/passwd")))
    if home is None:
        return
    path = home / ".config" / "go" / "env"
    for number, name, value in goenv.numbered_env_file(read_text(path, _MOST_BYTES)):
        if name in NAMES:
            yield Setting(name, hide_setting(name, value), "sudo", f"{path}:{number}")
    for name in _SHELL_FILES:
        yield from assignments(read_text(home / name, _MOST_BYTES), _SHELL, "sudo", str(home / name))


def _home_of_user(user: str, passwd: str) -> Path | None:
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) > 5 and fields[0] == user:
            return Path(fields[5])
    return None


def _project(world: World) -> Iterator[Setting]:
    for pattern, origin, syntax in _PROJECT_FILES:
        for path in _listed(world.cwd, (pattern,)):
            yield from assignments(read_text(path, _MOST_BYTES), syntax, origin, str(path))
