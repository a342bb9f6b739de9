"""Environment variables in the syntax of each place they go to, quoted so that they arrive unchanged."""

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Final


def _sh(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


def _fish(name: str, value: str) -> str:
    """Inside single quotes fish knows two escapes only: the backslash and the quote."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"set -gx {name} '{escaped}'"


def _powershell(name: str, value: str) -> str:
    doubled = value.replace("'", "''")
    return f"$env:{name} = '{doubled}'"


def _docker(name: str, value: str) -> str:
    """In a Dockerfile's double quotes the backslash, the quote and the dollar are special."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return f'ENV {name}="{escaped}"'


def _yaml(name: str, value: str) -> str:
    """A JSON string is a YAML string."""
    return f"  {name}: {json.dumps(value, ensure_ascii=False)}"


def _gitlab(name: str, value: str) -> str:
    """GitLab expands variables inside values; $$ is a dollar."""
    return _yaml(name, value.replace("$", "$$"))


_FORMS: Final[Mapping[str, tuple[str, Callable[[str, str], str]]]] = {
    "sh": ("", _sh),
    "fish": ("", _fish),
    "powershell": ("", _powershell),
    "docker": ("", _docker),
    "github": ("env:", _yaml),
    "gitlab": ("variables:", _gitlab),
}
SHELLS: Final = tuple(_FORMS)


def render(shell: str, variables: Mapping[str, str]) -> list[str]:
    """The lines to paste. `shell` is one of SHELLS; GitHub and GitLab get a YAML block with its heading."""
    heading, form = _FORMS[shell]
    lines = [form(name, value) for name, value in variables.items()]
    return [heading, *lines] if heading else lines


def detect(environ: Mapping[str, str], platform: str) -> str:
    """The shell that a person here most likely pastes into."""
    if environ.get("SHELL", "").endswith("fish"):
        return "fish"
    return "powershell" if platform == "win32" and not environ.get("SHELL") else "sh"
