"""Credentials by GOAUTH: what the doctor sends is what the real go sends, and nobody is shown any of it."""

import asyncio
import shutil
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

import oracle
from doctor.probes.probeworld import has_no_secret, world
from goferry.doctor.evidence import Setting, SettingsSeen, Subject
from goferry.doctor.probes.goauth import read_credentials
from goferry.doctor.probes.modules import look_at_modules, probe_modules
from goferry.lab.tls import Authority
from modtree import module

MODULE, VERSION = "example.com/quote", "v1.2.3"
SUBJECT = Subject(module=MODULE, version=VERSION)
TREE = module(MODULE, VERSION)
TOKEN = "pl4nted-bearer-t0ken"
WORD = "pl4nted-passw0rd"
BASIC = "Basic " + b64encode(f"me:{WORD}".encode()).decode()


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@asynccontextmanager
async def private_mirror(authority: Authority, allowed: str) -> AsyncIterator[tuple[str, list[str | None]]]:
    """A mirror at https://localhost:PORT for those who send this header, and what it was sent, in order."""
    sent: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Authorization"))
        if sent[-1] != allowed:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"}, text="not for you")
        body = TREE.get(request.path.lstrip("/"))
        return web.Response(status=404) if body is None else web.Response(body=body, text=None)

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(
            runner, "127.0.0.1", 0, ssl_context=authority.server_context(("localhost",))
        ).start()
        yield f"https://localhost:{runner.addresses[0][1]}", sent
    finally:
        await runner.cleanup()


def program(home: Path, text: str) -> str:
    file = home / "helper"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)
    return str(file)


# the helper: a name, what it does (URL, HOST: the mirror's), and whether the first question already has its header
HELPERS = [
    ("says it at once", "printf 'https://HOST\\n\\nAuthorization: Bearer TOKEN\\n\\n'", True),
    ("says it when it knows the URL", '[ -z "$1" ] || printf "%s\\n\\nAuthorization: Bearer TOKEN\\n\\n" "$1"',
     False),
    ("reads the refusal",
     'read -r line; case "$line" in *401*) printf "https://HOST/\\n\\nAuthorization: Bearer TOKEN\\n\\n";; esac',
     False),
]  # fmt: skip


@pytest.mark.go
@pytest.mark.parametrize(("text", "at_once"), [row[1:] for row in HELPERS], ids=[row[0] for row in HELPERS])
async def test_a_program_is_asked_when_go_asks_it(
    text: str, at_once: bool, tmp_path: Path, authority: Authority
) -> None:
    async with private_mirror(authority, f"Bearer {TOKEN}") as (url, sent):
        helper = program(tmp_path, text.replace("HOST", url.removeprefix("https://")).replace("TOKEN", TOKEN))
        answers = await ask(tmp_path, authority, url, helper)
        by_doctor = list(sent)
        sent.clear()
        assert await go_gets_it(tmp_path, authority, url, helper)
    assert set(by_doctor) == set(sent) == {f"Bearer {TOKEN}", *([] if at_once else [None])}
    assert {(each.status, each.attempt) for each in answers} == {(200, 1)}
    assert has_no_secret(answers, TOKEN)


@pytest.mark.go
async def test_gits_helpers_are_asked_after_a_refusal(tmp_path: Path, authority: Authority) -> None:
    async with private_mirror(authority, BASIC) as (url, sent):
        store = tmp_path / "store"
        store.write_text(url.replace("https://", f"https://me:{WORD}@") + "\n")
        (tmp_path / ".gitconfig").write_text(f'[credential]\n\thelper = "store --file={store}"\n')
        answers = await ask(tmp_path, authority, url, f"git {tmp_path}")
        by_doctor = list(sent)
        sent.clear()
        assert await go_gets_it(tmp_path, authority, url, f"git {tmp_path}")
    assert {BASIC, None} == set(by_doctor) >= {BASIC}
    assert BASIC in sent
    assert {each.status for each in answers} == {200}
    assert has_no_secret(answers, WORD, BASIC)


async def test_what_a_program_told_is_known_to_whoever_shows_what_go_said(
    tmp_path: Path, authority: Authority
) -> None:
    async with private_mirror(authority, f"Bearer {TOKEN}") as (url, _sent):
        helper = program(tmp_path, f"printf '{url}\\n\\nX-Any: {TOKEN}\\n\\n'")
        (tmp_path / "ca.pem").write_bytes(authority.pem)
        where = world(tmp_path, GOPROXY=url, GOAUTH=helper, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        seen = SettingsSeen(go=(Setting("GOAUTH", helper, "environment"),))
        found = await look_at_modules(where, seen, SUBJECT)
    assert found.secrets.clean(f"server response: you sent {TOKEN}") == "server response: you sent …"


async def test_a_program_that_fails_or_hangs_is_no_fault_of_its_own(
    tmp_path: Path, authority: Authority
) -> None:
    async with private_mirror(authority, "nobody") as (url, sent):
        for text in ("exit 3", "exec tail -f /dev/null", "echo nonsense"):
            answers = await ask(tmp_path, authority, url, program(tmp_path, text), program_limit=0.3)
            assert {each.status for each in answers} == {401}
    assert set(sent) == {None}


async def test_a_go_that_does_not_know_goauth_runs_nothing(tmp_path: Path, authority: Authority) -> None:
    ran = tmp_path / "ran"
    async with private_mirror(authority, "nobody") as (url, _sent):
        old = SettingsSeen(go_version="go1.23.9")
        await ask(tmp_path, authority, url, program(tmp_path, f"touch {ran}"), old)
        assert not ran.exists()
        await ask(
            tmp_path, authority, url, program(tmp_path, f"touch {ran}"), SettingsSeen(go_version="go1.24")
        )
        assert ran.exists()


GROUP = (["https://a.example.org"], {"Authorization": "Bearer x"})
# what a program printed, what is taken from it
OUTPUTS = [
    ("", []),
    ("https://a.example.org\n\nAuthorization: Bearer x\n\n", [GROUP]),
    ("https://a.example.org\nhttps://b.example.org/c\n\nX-Token: 1\nX-Other:  2 \n\n",
     [(["https://a.example.org", "https://b.example.org/c"], {"X-Token": "1", "X-Other": "2"})]),
    ("https://a.example.org\n\nAuthorization: Bearer x\n\nhttps://b.example.org\n\nX: y\n\n",
     [GROUP, (["https://b.example.org"], {"X": "y"})]),
    ("https://a.example.org\n\nno header\n\n", []),
    ("https://a.example.org\n\nbad name: x\n\n", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), OUTPUTS)
def test_the_words_of_a_program_are_read_as_go_reads_them(text: str, found: list[object]) -> None:
    assert list(read_credentials(text)) == found


async def ask(
    home: Path,
    authority: Authority,
    url: str,
    goauth: str,
    seen: SettingsSeen | None = None,
    program_limit: float = 10.0,
) -> tuple[object, ...]:
    (home / "ca.pem").write_bytes(authority.pem)
    seen = seen or SettingsSeen(go=(Setting("GOAUTH", goauth, "environment"),))
    where = world(
        home, {"program": program_limit}, GOPROXY=url, GOAUTH=goauth, SSL_CERT_FILE=str(home / "ca.pem")
    )
    return await probe_modules(where, seen, SUBJECT)


async def go_gets_it(home: Path, authority: Authority, url: str, goauth: str) -> bool:
    """The real go with the same settings."""
    environ = oracle.go_env(
        GOPROXY=url, GOAUTH=goauth, GONOSUMDB="*", HOME=str(home), GOPATH=str(home / "go"),
        GOMODCACHE=str(home / "mod"), SSL_CERT_FILE=str(home / "ca.pem"), GIT_CONFIG_NOSYSTEM="1",
    )  # fmt: skip
    argv = [shutil.which("go") or "go", "mod", "download", "-modcacherw", f"{MODULE}@{VERSION}"]
    done = await asyncio.to_thread(
        subprocess.run, argv, env=environ, cwd=home, capture_output=True, text=True
    )
    return done.returncode == 0
