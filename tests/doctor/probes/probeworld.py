"""Worlds for the tests of probes that ask servers and run programs: nothing of this machine's settings is in them."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from goferry.doctor.base import Limits, World

PASSWORD = "hunter2-Pa$sw0rd"
"""Planted in settings; must be in no record."""


def world(home: Path, limits: Mapping[str, float] | None = None, **environ: str) -> World:
    """A world whose home and working folder are `home`, with these variables and limits."""
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "GOENV": "off",
        "GOTOOLCHAIN": "local",
        "GOSUMDB": "off",
        "GOFLAGS": "",
        "GIT_CONFIG_NOSYSTEM": "1",
        "SSL_CERT_FILE": str(home / "no-roots.pem"),
        "SSL_CERT_DIR": str(home / "no-roots"),
    }
    return World(environ=base | environ, cwd=home, home=home, limits=Limits(**(limits or {})))


def has_no_secret(records: Any, *secrets: str) -> bool:
    """Whether none of the planted secrets is anywhere in the records."""
    text = "\n".join(map(repr, records))
    return not any(secret in text for secret in (PASSWORD, *secrets))
