"""Worlds: what is in them, that they are apart from this machine, and that nothing is left of them."""

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

from goferry.errors import Unavailable
from goferry.lab import cases, namespace, world
from goferry.lab.world import World
from labneeds import require_go

WELL = cases.find("well")


def file(place: str) -> str:
    return Path(place).read_text()


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid)


def worlds_in(folder: Path) -> list[Path]:
    return list(folder.glob("goferry-lab-*"))


async def said(lab: World, *words: str) -> str:
    done = await lab.run(words, timeout=30)
    assert done.exit == 0, done.output
    return done.output


@pytest.mark.namespace
async def test_a_private_world_has_its_own_names_and_addresses() -> None:
    async with world.open(WELL) as lab:
        assert await said(lab, "cat", "/etc/resolv.conf") == lab.resolv_conf.read_text()
        assert "proxy.example.org" not in await said(lab, "cat", "/etc/hosts")
        assert "192.168.77.2" in await said(lab, "ip", "-br", "addr", "show", "dev", "wan0")
        assert (await said(lab, "pwd")).strip() == str(lab.cwd)
    assert "93.184.216.53" not in file("/etc/resolv.conf")


async def test_a_command_sees_only_the_environment_of_the_world() -> None:
    require_go()
    outer = {"PATH": os.environ["PATH"], "GOPROXY": "off", "HTTPS_PROXY": "http://nowhere.example:1"}
    async with world.open(WELL, outer=outer) as lab:
        found = dict(line.partition("=")[::2] for line in (await said(lab, "env")).splitlines())
        assert found["HOME"] == str(lab.home)
        assert "GOPROXY" not in found
        assert "HTTPS_PROXY" not in found
        assert (await said(lab, "go", "env", "GOPROXY")).strip().startswith("https://")


@pytest.mark.namespace
async def test_a_command_that_takes_too_long_is_stopped_with_all_it_started() -> None:
    async with world.open(WELL) as lab:
        done = await lab.run(["sh", "-c", "echo begun; sleep 600 & sleep 600"], timeout=2)
        assert (done.exit, done.output) == (None, "begun\n")
        assert "sleep 600" not in await said(lab, "ps", "ax")


@pytest.mark.namespace
async def test_routers_on_the_way_answer_when_the_time_to_live_is_over() -> None:
    script = (
        "import socket\n"
        "for ttl in (1, 2, 3):\n"
        "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    s.setsockopt(0, 11, 1); s.setsockopt(0, 2, ttl); s.settimeout(10)\n"
        "    s.connect(('93.184.216.10', 33434)); s.send(b'x')\n"
        "    try: s.recv(1)\n"
        "    except OSError: pass\n"
        "    _, extra, _, _ = s.recvmsg(512, 512, 0x2000)\n"
        "    print(socket.inet_ntoa(extra[0][2][20:24]))\n"
    )
    async with world.open(WELL) as lab:
        hops = (await said(lab, sys.executable, "-c", script)).split()
    assert hops == ["192.168.77.1", "10.77.0.1", "93.184.215.1"]


@pytest.mark.parametrize(
    "loopback",
    [pytest.param(False, marks=pytest.mark.namespace, id="namespace"), pytest.param(True, id="loopback")],
)
async def test_a_world_is_gone_when_its_user_fails(loopback: bool) -> None:
    require_go()
    with pytest.raises(ZeroDivisionError):
        async with world.open(WELL, loopback=loopback) as lab:
            raise ZeroDivisionError
    assert not lab.folders.root.exists()
    if lab.inside is not None:
        assert not alive(lab.inside.pid)


@pytest.mark.namespace
async def test_a_world_is_gone_when_its_process_is_killed(tmp_path: Path) -> None:
    script = (
        "import asyncio, sys\n"
        "from goferry.lab import cases, world\n"
        "async def main():\n"
        "    async with world.open(cases.find('well')) as lab:\n"
        "        print(lab.inside.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    opener = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE, env=environ
    )
    assert opener.stdout is not None
    pid = int(await opener.stdout.readline())
    first = psutil.Process(pid)
    opener.kill()
    await opener.wait()
    await asyncio.to_thread(first.wait, 60)
    assert not alive(pid)
    assert worlds_in(tmp_path) == []


@pytest.mark.namespace
async def test_a_world_is_gone_when_its_process_is_killed_before_it_is_ready(tmp_path: Path) -> None:
    script = (
        "import asyncio\n"
        "from goferry.lab import cases, namespace, world\n"
        "async def told(process):\n"
        "    print(process.pid, flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "namespace._first_words = told\n"
        "async def main():\n"
        "    async with world.open(cases.find('well')):\n"
        "        pass\n"
        "asyncio.run(main())\n"
    )
    opener = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert opener.stdout is not None
    assert opener.stderr is not None
    starting = psutil.Process(int(await opener.stdout.readline()))
    opener.kill()
    await opener.wait()
    await asyncio.to_thread(starting.wait, 60)
    assert worlds_in(tmp_path) == []
    assert await opener.stderr.read() == b"", "the terminal belongs to the user"


async def test_what_needs_a_namespace_is_refused_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namespace, "why_not", lambda: "not on this system")
    with pytest.raises(Unavailable, match="private namespaces are not possible here: not on this system"):
        async with world.open(cases.find("dns-dead")):
            pass
    with pytest.raises(Unavailable, match="dns-dead needs a private namespace"):
        async with world.open(cases.find("dns-dead"), loopback=True):
            pass


async def test_a_world_without_go_says_so() -> None:
    with pytest.raises(Unavailable, match="no go command on PATH"), contextlib.ExitStack():
        async with world.open(WELL, outer={"PATH": "/nonexistent"}, loopback=True):
            pass
