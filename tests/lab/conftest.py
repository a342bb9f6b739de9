"""Tests that need private namespaces say so by a mark."""

import pytest

from labneeds import require_namespaces


@pytest.fixture(autouse=True)
def namespaces(request: pytest.FixtureRequest) -> None:
    """Skips what is marked so where the system gives none."""
    if request.node.get_closest_marker("namespace"):
        require_namespaces()
