"""A small real graph from the real upstream, as `make smoke` does it."""

import subprocess
import sys

import pytest

from e2e.ferry import NEEDS_GO
from server.serving import TESTS

pytestmark = NEEDS_GO


@pytest.mark.online
def test_a_real_download_cold_warm_and_offline() -> None:
    done = subprocess.run(
        [sys.executable, str(TESTS.parent / "tools/smoke.py")],
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    if "SKIPPED" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert done.returncode == 0, done.stdout + done.stderr
    assert "smoke: passed" in done.stdout
