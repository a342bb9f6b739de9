"""`goferry deps gate` at a terminal, for programs, and with signed statements."""

import asyncio
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from goferry.deps.gate.attest import Commit, sign, statement
from goferry.deps.gate.attest import private_key as read_private
from goferry.deps.gate.attest import public_key as read_public
from goferry.deps.gate.attest import verify
from goferry.deps.gate.rules import RULES
from goferry.errors import InvalidInput, VerifyError
from modtree import module
from proxyworld import zip_hash
from terminal import Terminal

FILES = module("example.org/a", "v1.0.0") | module("example.org/old", "v1.0.0", "v1.1.0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.net/m\n\ngo 1.22\n\nrequire example.org/a v1.0.0\n")
    (folder / "m.go").write_text('package m\n\nimport _ "example.org/a"\n')
    h1 = zip_hash(FILES["example.org/a/@v/v1.0.0.zip"])
    from goferry.gomod.dirhash import hash_go_mod

    mod = hash_go_mod(FILES["example.org/a/@v/v1.0.0.mod"])
    (folder / "go.sum").write_text(f"example.org/a v1.0.0 {h1}\nexample.org/a v1.0.0/go.mod {mod}\n")
    return folder
