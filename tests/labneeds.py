"""What tests of the lab need of the machine: private namespaces, and the real go."""

import shutil

import pytest

from goferry.lab import namespace


def require_go() -> None:
    """Skips the test where there is no go."""
    if shutil.which("go") is None:
        pytest.skip("needs the real go command")


def require_namespaces() -> None:
    """Skips the test where the system gives no private namespaces."""
    if why := namespace.why_not():
        pytest.skip(f"private namespaces: {why}")
