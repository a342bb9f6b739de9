"""The ssh server that refuses: the real ssh gets through the key exchange, and is then turned away."""

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from goferry.lab.ssh import RefusingSsh

pytestmark = pytest.mark.skipif(shutil.which("ssh") is None, reason="needs ssh")


async def ssh(server: RefusingSsh, *options: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "ssh", "-F", os.devnull, "-p", str(server.port), "-o", "BatchMode=yes", *options, "git@127.0.0.1", "true",
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 255
    return said.decode()


async def test_every_key_is_refused(tmp_path: Path) -> None:
    known = f"UserKnownHostsFile={tmp_path / 'known'}"
    async with RefusingSsh() as server:
        said = await ssh(server, "-o", "StrictHostKeyChecking=accept-new", "-o", known)
    assert "git@127.0.0.1: Permission denied (publickey)." in said


async def test_its_host_key_is_unknown_to_who_has_not_met_it(tmp_path: Path) -> None:
    async with RefusingSsh() as server:
        said = await ssh(
            server, "-o", f"UserKnownHostsFile={tmp_path / 'known'}", "-o", "GlobalKnownHostsFile=none"
        )
    assert "Host key verification failed." in said
