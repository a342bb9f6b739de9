"""What the go command on this machine would use, so that goferry starts out as its stand-in.

The go command takes each variable from the environment, then from the user's settings file (`go env -w`), then
from `go.env` in its own folder. The folder is found through PATH without starting anything; `go` itself is asked
only when it stands where no such file is (a wrapper script, a version manager).
"""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from goferry.config import Address, Loaded, Settings
from goferry.errors import ConfigError
from goferry.gomod import goenv, goproxy
from goferry.i18n import N_, _

FALLBACK_PROXY: Final = "https://goproxy.cn,https://goproxy.io,direct"
FALLBACK_SUMDB: Final = "sum.golang.org"

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True)
class Layer:
    """The variables of one source. `where` is the file they stand in, or empty for the environment."""

    variables: Mapping[str, str]
    where: str


@dataclass(frozen=True, slots=True)
class Complete:
    """Settings with nothing left to guess, where the upstream came from, and what was odd on the way."""

    settings: Settings
    upstream_from: str
    warnings: tuple[str, ...]


def go_environment(environ: Mapping[str, str], platform: str = sys.platform) -> tuple[Layer, ...]:
    """The sources of the go command's variables, first one first.

    Files that do not exist or cannot be read are left out, as go itself leaves them out.
    """
    files = (user_file(environ, platform), goroot_file(environ))
    texts = [(file, _read(file)) for file in files if file is not None]
    below = (Layer(goenv.parse(text), str(file)) for file, text in texts if text is not None)
    return Layer(dict(environ), ""), *below


def user_file(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """The file that `go env -w` writes: GOENV, or go/env in the user's settings folder; None for GOENV=off."""
    named = environ.get("GOENV", "")
    if named:
        return None if named == "off" else Path(named)
    if platform == "win32":
        base = environ.get("APPDATA", "")
    elif platform == "darwin":
        base = environ.get("HOME", "") and f"{environ['HOME']}/Library/Application Support"
    else:
        base = environ.get("XDG_CONFIG_HOME", "") or (
            environ.get("HOME", "") and f"{environ['HOME']}/.config"
        )
    return Path(base, "go", "env") if base else None


def goroot_file(environ: Mapping[str, str]) -> Path | None:
    """`go.env` of the go command on PATH; None when there is no go."""
    if environ.get("GOROOT"):
        return Path(environ["GOROOT"], "go.env")
    found = shutil.which("go", path=environ.get("PATH", ""))
    if found is None:
        return None
    beside = Path(found).resolve().parent.parent / "go.env"
    return beside if beside.is_file() else _ask_go(found, environ)


def _ask_go(go: str, environ: Mapping[str, str]) -> Path | None:
    try:
        # GOTOOLCHAIN=local: a question about folders must not download another go.
        answer = subprocess.run(
            [go, "env", "GOROOT"],
            env={**environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    root = answer.stdout.strip()
    return Path(root, "go.env") if root else None


def complete(loaded: Loaded, layers: tuple[Layer, ...]) -> Complete:
    """Fills in upstream, sumdb and private patterns from the go command's variables.

    Upstream entries that lead back to goferry itself are dropped with a warning; a source of which nothing is
    left (the GOPROXY line that goferry printed, in the shell that starts it again) is passed over. ConfigError
    when the upstream was set for goferry itself and nothing is left of it.
    """
    settings = loaded.settings
    warnings: list[str] = []
    upstream, where = _upstream(loaded, layers, warnings)
    filled = replace(
        settings,
        upstream=upstream,
        sumdb=settings.sumdb or _first(layers, "GOSUMDB") or FALLBACK_SUMDB,
        private=settings.private or _first(layers, "GONOSUMDB") or _first(layers, "GOPRIVATE"),
    )
    return Complete(filled, where, tuple(warnings))


def _upstream(loaded: Loaded, layers: tuple[Layer, ...], warnings: list[str]) -> tuple[str, str]:
    own = loaded.settings.upstream
    if own:
        left = _without_self(own, loaded.settings.addr, warnings)
        if not left:
            raise ConfigError(
                "setting {name}: {value!r} (from {origin}) leads back to goferry itself",
                hint=N_("name the proxy that modules shall come from"),
                name="upstream",
                value=goproxy.redact(own),
                origin=loaded.origins["upstream"],
            )
        return left, str(loaded.origins["upstream"])
    for layer in layers:
        value = layer.variables.get("GOPROXY", "")
        if value and (left := _without_self(value, loaded.settings.addr, warnings)):
            return left, _("GOPROXY in {where}").format(where=layer.where or _("the environment"))
    return FALLBACK_PROXY, _("built in, because no go command is set up here")


def _without_self(value: str, addr: Address, warnings: list[str]) -> str:
    """The list without entries that lead back to `addr`; empty when nothing that fetches is left of it."""
    entries = goproxy.parse_list(value)
    kept = [entry for entry in entries if not leads_to(entry.url, addr)]
    warnings += [
        _("upstream entry {entry} is goferry itself and was dropped").format(entry=entry.name)
        for entry in entries
        if entry not in kept
    ]
    # What stands behind a proxy that was dropped was meant as its fallback, not as the only way.
    if len(kept) < len(entries) and not any(entry.is_proxy for entry in kept):
        return ""
    return goproxy.format_list(kept)


def leads_to(url: str, addr: Address) -> bool:
    """Whether an http(s) URL names the very place where this goferry listens."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return False
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    host = (parts.hostname or "").lower()
    here = {addr.host.lower()} | (_LOOPBACK if addr.host.lower() in _LOOPBACK | _EVERYWHERE else frozenset())
    return port == addr.port and host in here


def _first(layers: tuple[Layer, ...], name: str) -> str:
    return next((value for layer in layers if (value := layer.variables.get(name, ""))), "")


def _read(file: Path) -> str | None:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
