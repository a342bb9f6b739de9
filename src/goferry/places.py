"""Where goferry looks and keeps things when nobody says otherwise: settings file, data folder of the user, store.

Apart from config.py: a question that the store alone answers need not wait for the table of settings.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from goferry.errors import ConfigError
from goferry.i18n import N_

ENV_PREFIX: Final = "GOFERRY_"
DEFAULT_FILE: Final = "goferry.toml"

STORE_SCHEMES: Final = ("file",)
"""The kinds of store URL; goferry.storage.opening has a backend for each."""


def parse_store(text: str) -> str:
    """A folder, its ~ made the home, or a URL as it is; empty for the default folder. ValueError for the rest."""
    text = text.strip()
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return text and str(Path(text).expanduser())
    host, slash, _path = rest.partition("/")
    if scheme.lower() not in STORE_SCHEMES or host not in ("", "localhost") or not slash:
        raise ValueError(text)
    return text


def default_store(environ: Mapping[str, str], platform: str = sys.platform) -> Path:
    """`goferry/store` in the user's data folder, as each system names it. ConfigError without a home."""
    base = data_folder(environ, platform)
    if base is None:
        raise ConfigError(
            "setting {name}: no home folder to put the store in",
            name="store",
            hint=N_("give --store DIR or set GOFERRY_STORE"),
        )
    return base / "store"


def data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> Path | None:
    """`goferry` in the user's data folder; None without a home."""
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or (home and str(Path(home, "AppData", "Local")))
    elif platform == "darwin":
        base = home and str(Path(home, "Library", "Application Support"))
    else:
        xdg = environ.get("XDG_DATA_HOME", "")
        # The XDG rule: a relative path here is invalid and must be ignored.
        base = xdg if Path(xdg).is_absolute() else home and str(Path(home, ".local", "share"))
    return Path(base, "goferry") if base else None


def store_alone(environ: Mapping[str, str], cwd: Path, platform: str = sys.platform) -> str | None:
    """The store as config.load says it, where nothing but the store is set; None where there is more to read, or
    something to complain about."""
    variable = ENV_PREFIX + "STORE"
    others = any(name.startswith(ENV_PREFIX) and name != variable for name in environ)
    if others or (cwd / DEFAULT_FILE).is_file():
        return None
    try:
        return parse_store(environ.get(variable, "")) or str(default_store(environ, platform))
    except (ConfigError, ValueError, RuntimeError):
        return None
