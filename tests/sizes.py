"""How big tests run: small by default, whole under `make test-full` (GOFERRY_TEST_FULL=1)."""

import os

FULL = os.environ.get("GOFERRY_TEST_FULL") == "1"


def size(small: int, full: int) -> int:
    """`small` in `make test`, `full` in `make test-full`."""
    return full if FULL else small
