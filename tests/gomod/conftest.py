"""Fixtures for the tests of Go's rules."""

import os

import pytest

import oracle as oracle_program
from oracle import Oracle


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    """The real Go rules, to be asked; one program for all workers of a test run."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    return oracle_program.build(folder)
