"""Environment variables in the syntax of each place they go to, quoted so that they arrive unchanged.

A variable can be set or taken away. Where a place cannot take a variable away (an image, a CI file) it is set to
nothing, which go takes for unset.
"""

import json
import shlex
from collections.abc import Callable, Iterable, Mapping
from typing import Final

Variables = Mapping[str, str | None]
"""Name to value; None takes the variable away."""


def _sh(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str | None) -> str:
    """Inside single quotes fish knows two escapes only: the backslash and the quote."""
    if value is None:
        return f"set -e {name}"
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str | None) -> str:
    if value is None:
        return f"Remove-Item Env:{name}"
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


def _docker(name: str, value: str | None) -> str:
    """In a Dockerfile's double quotes the backslash, the quote and the dollar are special."""
    escaped = (value or "").replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'ENV {name}="{escaped}"'


def _yaml(name: str, value: str | None) -> str:
    """A JSON string is a YAML string."""
    return f"  {name}: {json.dumps(value or '', ensure_ascii=False)}"


def _yaml_with_dollars(name: str, value: str | None) -> str:
    """GitLab and compose expand variables inside values; $$ is a dollar."""
    return _yaml(name, (value or "").replace("$", "$$"))


def _systemd(name: str, value: str | None) -> str:
    """In a unit's double quotes the backslash and the quote are escaped; %% is a per cent sign."""
    if value is None:
        return f"UnsetEnvironment={name}"
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'Environment="{name}={escaped}"'


def _go(name: str, value: str | None) -> str:
    """go's own file of settings. It has no say about a variable that the environment has too."""
    return f"go env -u {name}" if value is None else f"go env -w {shlex.quote(f'{name}={value}')}"


def _one_by_one(
    form: Callable[[str, str | None], str], *heading: str
) -> Callable[[Variables], Iterable[str]]:
    return lambda variables: [*heading, *(form(name, value) for name, value in variables.items())]


def _sudo(variables: Variables) -> list[str]:
    """sudo starts with an environment of its own: `env` behind it changes that one; env_keep lets ours through."""
    gone = [word for name, value in variables.items() if value is None for word in ("-u", name)]
    there = [f"{name}={value}" for name, value in variables.items() if value is not None]
    lines = [shlex.join(["sudo", "env", *gone, *there, "go", "mod", "download"])]
    kept = " ".join(name for name, value in variables.items() if value is not None)
    # As a comment, for both lines are pasted together and only the first one is for a shell.
    return [*lines, f'# or for good, as a line in visudo: Defaults env_keep += "{kept}"'] if kept else lines


_FORMS: Final[Mapping[str, Callable[[Variables], Iterable[str]]]] = {
    "sh": _one_by_one(_sh),
    "fish": _one_by_one(_fish),
    "powershell": _one_by_one(_powershell),
    "docker": _one_by_one(_docker),
    "compose": _one_by_one(_yaml_with_dollars, "environment:"),
    "github": _one_by_one(_yaml, "env:"),
    "gitlab": _one_by_one(_yaml_with_dollars, "variables:"),
    "systemd": _one_by_one(_systemd, "[Service]"),
    "sudo": _sudo,
    "go": _one_by_one(_go),
}
SHELLS: Final = tuple(_FORMS)


def render(shell: str, variables: Variables) -> list[str]:
    """The lines to paste. `shell` is one of SHELLS; YAML blocks and unit files come with their heading.

    For sudo there are two lines: a command with the variables, and a comment with the line of sudoers that keeps them
    for good.
    """
    return list(_FORMS[shell](variables))


def detect(environ: Mapping[str, str], platform: str) -> str:
    """The shell that a person here most likely pastes into."""
    if environ.get("SHELL", "").endswith("fish"):
        return "fish"
    return "powershell" if platform == "win32" and not environ.get("SHELL") else "sh"
