"""Where goferry looks and keeps things when nobody says otherwise: settings file, data folder of the user, store.

Apart from config.py: a question that the store alone answers need not wait for the table of settings, nor for pathlib.
"""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from goferry.errors import ConfigError
from goferry.i18n import N_

if TYPE_CHECKING:
    from pathlib import Path

StrPath: TypeAlias = "str | os.PathLike[str]"
"""A file or folder, for what has to be quick to load: pathlib takes as long as to read a go.mod of a thousand lines."""

ENV_PREFIX: Final = "GOFERRY_"
DEFAULT_FILE: Final = "goferry.toml"

STORE_SCHEMES: Final = ("file",)
"""The kinds of store URL; goferry.storage.opening has a backend for each."""


def parse_store(text: str) -> str:
    """A folder, its ~ made the home, or a URL as it is; empty for the default folder. ValueError for the rest."""
    text = text.strip()
    scheme, is_url, rest = text.partition("://")
    if not is_url:
        return text and (_of_home(text) if text.startswith("~") else _clean(text))
    host, slash, _path = rest.partition("/")
    if scheme.lower() not in STORE_SCHEMES or host not in ("", "localhost") or not slash:
        raise ValueError(text)
    return text


def _of_home(folder: str) -> str:
    """Its ~ made the home. RuntimeError for that of somebody unknown."""
    from pathlib import Path

    return str(Path(folder).expanduser())


def _clean(folder: str) -> str:
    """As pathlib writes it, which loses no `..`: that may cross a link."""
    if os.path.normpath(folder) == folder:
        return folder
    from pathlib import Path

    return str(Path(folder))


def default_store(environ: Mapping[str, str], platform: str = sys.platform) -> "Path":
    """`goferry/store` in the user's data folder, as each system names it. ConfigError without a home."""
    from pathlib import Path

    return Path(_default_store(environ, platform))


def _default_store(environ: Mapping[str, str], platform: str) -> str:
    base = _data_folder(environ, platform)
    if not base:
        raise ConfigError(
            "setting {name}: no home folder to put the store in",
            name="store",
            hint=N_("give --store DIR or set GOFERRY_STORE"),
        )
    return _clean(os.path.join(base, "store"))


def data_folder(environ: Mapping[str, str], platform: str = sys.platform) -> "Path | None":
    """`goferry` in the user's data folder; None without a home."""
    from pathlib import Path

    folder = _data_folder(environ, platform)
    return Path(folder) if folder else None


def _data_folder(environ: Mapping[str, str], platform: str) -> str:
    """Empty without a home."""
    home = environ.get("USERPROFILE" if platform == "win32" else "HOME", "")
    if platform == "win32":
        base = environ.get("LOCALAPPDATA") or (home and os.path.join(home, "AppData", "Local"))
    elif platform == "darwin":
        base = home and os.path.join(home, "Library", "Application Support")
    else:
        xdg = environ.get("XDG_DATA_HOME", "")
        # The XDG rule: a relative path here is invalid and must be ignored.
        base = xdg if os.path.isabs(xdg) else home and os.path.join(home, ".local", "share")
    return os.path.join(base, "goferry") if base else ""


def store_alone(environ: Mapping[str, str], cwd: StrPath, platform: str = sys.platform) -> str | None:
    """The store as config.load says it, where nothing but the store is set; None where there is more to read, or
    something to complain about."""
    variable = ENV_PREFIX + "STORE"
    others = any(name.startswith(ENV_PREFIX) and name != variable for name in environ)
    if others or os.path.isfile(os.path.join(cwd, DEFAULT_FILE)):
        return None
    try:
        return parse_store(environ.get(variable, "")) or _default_store(environ, platform)
    except (ConfigError, ValueError, RuntimeError):
        return None
