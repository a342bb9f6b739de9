"""Throw-away certificates: each kind of leaf is refused for its own reason and no other."""

import asyncio
import datetime
import ssl
import subprocess
import sys
from typing import Any

import pytest

from goferry.errors import Unavailable
from goferry.lab.tcp import Fault, Listener, Relay
from goferry.lab.tls import Authority, Leaf


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


async def greeting(port: int, context: ssl.SSLContext, name: str = "module.example") -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    line = await reader.readline()
    writer.close()
    return line


def server(context: ssl.SSLContext) -> Listener:
    return Listener(greeting=b"hello\n", tls=context)


async def test_a_good_leaf_is_accepted_for_its_names(authority: Authority) -> None:
    async with server(authority.server_context(["module.example", "127.0.0.1"])) as peer:
        assert peer.url.startswith("https://")
        for name in ("module.example", "127.0.0.1"):
            assert await greeting(peer.port, authority.client_context(), name) == b"hello\n"


@pytest.mark.parametrize(
    ("leaf", "words"),
    [
        (Leaf.EXPIRED, "certificate has expired"),
        (Leaf.NOT_YET_VALID, "certificate is not yet valid"),
        (Leaf.WRONG_HOST, "Hostname mismatch"),
    ],
)
async def test_a_bad_leaf_is_refused_for_its_fault(authority: Authority, leaf: Leaf, words: str) -> None:
    async with server(authority.server_context(["module.example"], leaf)) as peer:
        with pytest.raises(ssl.SSLCertVerificationError, match=words):
            await greeting(peer.port, authority.client_context())


async def test_another_authority_is_not_trusted(authority: Authority) -> None:
    async with server(Authority("somebody else").server_context(["module.example"])) as peer:
        with pytest.raises(
            ssl.SSLCertVerificationError, match="self-signed certificate in certificate chain"
        ):
            await greeting(peer.port, authority.client_context())


async def test_a_relay_puts_tls_before_a_plain_server(authority: Authority) -> None:
    async with (
        Listener(greeting=b"hello\n") as plain,
        Relay(plain.port, Fault(latency=0.01), tls=authority.server_context(["module.example"])) as relay,
    ):
        assert await greeting(relay.port, authority.client_context()) == b"hello\n"


def test_validity_is_counted_from_the_moment_given() -> None:
    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate, key = Authority(now=then).issue(["module.example"])
    from cryptography import x509

    parsed = x509.load_pem_x509_certificate(certificate)
    assert parsed.not_valid_before_utc < then < parsed.not_valid_after_utc
    assert b"PRIVATE KEY" in key


def test_without_the_package_the_reason_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    with pytest.raises(Unavailable, match="cryptography"):
        Authority()


def test_the_package_is_loaded_only_when_a_certificate_is_made() -> None:
    code = "import sys, goferry.lab.tls; print('cryptography' in sys.modules)"
    env: dict[str, Any] = {"PYTHONPATH": ":".join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout.strip() == "False"
