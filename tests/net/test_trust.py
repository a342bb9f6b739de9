"""Roots are found where Go finds them, each once, and a broken one costs nobody else anything."""

import os
import ssl
import sys
from base64 import encodebytes
from pathlib import Path
from typing import Any

import pytest

from goferry.errors import ConfigError
from goferry.lab.tls import Authority
from goferry.net import Client, ClientOptions, Failure, NetError
from goferry.net.trust import CERT_DIRS, CERT_FILES, Trust, pem_certificates, root_files
from net.web import Web, ok

unix = pytest.mark.skipif(
    sys.platform in ("darwin", "win32"), reason="these systems have a store of their own"
)


def place(folder: Path, name: str, content: bytes = b"") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def subjects(context: ssl.SSLContext) -> list[str]:
    """The common names of the roots."""
    return sorted(dict(part[0] for part in root["subject"])["commonName"] for root in context.get_ca_certs())  # type: ignore[misc]


# --- which files ------------------------------------------------------------------------------------------------------


def test_the_first_readable_file_counts_and_all_directories(tmp_path: Path) -> None:
    second, third = place(tmp_path, "b.pem"), place(tmp_path, "c.pem")
    one, two = place(tmp_path, "d1/x.crt"), place(tmp_path, "d2/y.crt")
    found = root_files(
        {},
        [str(tmp_path / "none.pem"), str(second), str(third)],
        [str(one.parent), str(two.parent), str(tmp_path / "none")],
    )
    assert found == [second, one, two]


def test_a_file_in_the_environment_does_not_switch_off_the_directories(tmp_path: Path) -> None:
    own, default = place(tmp_path, "own.pem"), place(tmp_path, "default.pem")
    inside = place(tmp_path, "d/x.crt")
    environ = {"SSL_CERT_FILE": str(own)}
    assert root_files(environ, [str(default)], [str(inside.parent)]) == [own, inside]


def test_a_missing_file_in_the_environment_is_not_replaced_by_the_default(tmp_path: Path) -> None:
    default = place(tmp_path, "default.pem")
    assert root_files({"SSL_CERT_FILE": str(tmp_path / "none")}, [str(default)], []) == []


def test_directories_in_the_environment_replace_the_defaults(tmp_path: Path) -> None:
    default, one, two = (place(tmp_path, f"{name}/x.crt") for name in ("default", "one", "two"))
    environ = {"SSL_CERT_DIR": f"{one.parent}:{two.parent}"}
    assert root_files(environ, [], [str(default.parent)]) == [one, two]


def test_empty_variables_count_as_unset(tmp_path: Path) -> None:
    default = place(tmp_path, "d/x.crt")
    environ = {"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""}
    assert root_files(environ, [str(default)], [str(default.parent)]) == [default, default]


def test_links_within_a_directory_are_skipped_and_links_out_of_it_are_read(tmp_path: Path) -> None:
    target = place(tmp_path, "elsewhere/root.crt")
    inside = place(tmp_path, "d/real.crt")
    (tmp_path / "d" / "0a1b2c3d.0").symlink_to("real.crt")
    outward = tmp_path / "d" / "root.pem"
    outward.symlink_to(target)
    assert root_files({}, [], [str(inside.parent)]) == [inside, outward]


# Vectors: facts from the Go tree, crypto/x509 root_linux.go (BSD-3-Clause).
def test_the_default_places_are_those_of_go() -> None:
    assert CERT_FILES[0] == "/etc/ssl/certs/ca-certificates.crt"
    assert len(CERT_FILES) == 6
    assert CERT_DIRS == ("/etc/ssl/certs", "/etc/pki/tls/certs")


# --- what is in them --------------------------------------------------------------------------------------------------


def test_only_plain_certificate_blocks_count() -> None:
    good = Authority("good").pem
    (der,) = pem_certificates(good)
    assert der == ssl.PEM_cert_to_DER_cert(good.decode())
    odd = [
        good.replace(b"CERTIFICATE", b"TRUSTED CERTIFICATE"),
        good.replace(b"CERTIFICATE-----\n", b"CERTIFICATE-----\nProc-Type: 4,ENCRYPTED\n\n", 1),
        good.replace(b"-----END", b"!-----END"),
        good.replace(b"-----BEGIN", b"x-----BEGIN"),
    ]
    for text in odd:
        assert list(pem_certificates(text)) == []
    assert list(pem_certificates(b"# note\n" + good.replace(b"\n", b"\r\n") + b"junk\n" + good)) == [der, der]


@unix
def test_each_root_is_trusted_once_and_broken_ones_are_skipped(tmp_path: Path) -> None:
    first, second = Authority("first").pem, Authority("second").pem
    broken = (
        b"-----BEGIN CERTIFICATE-----\n"
        + encodebytes(b"no certificate at all")
        + b"-----END CERTIFICATE-----\n"
    )
    bundle = place(tmp_path, "bundle.pem", first + broken + second)
    place(tmp_path, "d/first.crt", first)
    place(tmp_path, "d/note.txt", b"nothing here")
    place(tmp_path, "d/folder/x", b"")
    trust = Trust({"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": str(tmp_path / "d")})
    assert subjects(trust.context()) == ["first", "second"]
    assert trust.context() is trust.context()


@unix
def test_no_roots_at_all_is_a_context_that_trusts_nobody(tmp_path: Path) -> None:
    assert (
        subjects(Trust({"SSL_CERT_FILE": str(tmp_path / "x"), "SSL_CERT_DIR": str(tmp_path)}).context()) == []
    )


@unix
def test_the_extra_file_is_trusted_in_addition(tmp_path: Path) -> None:
    system, company = Authority("system"), Authority("company")
    environ = {
        "SSL_CERT_FILE": str(place(tmp_path, "s.pem", system.pem)),
        "SSL_CERT_DIR": str(tmp_path / "none"),
    }
    extra = place(tmp_path, "company.pem", company.pem)
    assert subjects(Trust(environ, extra).context()) == ["company", "system"]


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
)
def test_an_extra_file_without_certificates_is_said_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "company.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"company\.pem"):
        Trust({}, path).context()


def test_servers_are_always_verified() -> None:
    context = Trust({"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}).context()
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


# --- in use -----------------------------------------------------------------------------------------------------------


@unix
@pytest.mark.parametrize("how", ["SSL_CERT_FILE", "SSL_CERT_DIR", "ca_file", "nothing"])
async def test_a_company_authority_is_believed_when_it_is_set(
    tmp_path: Path, authority: Authority, how: str
) -> None:
    path = place(tmp_path, "d/company.pem", authority.pem)
    none = {"SSL_CERT_FILE": str(tmp_path / "none"), "SSL_CERT_DIR": str(tmp_path / "none")}
    options: dict[str, ClientOptions] = {
        "SSL_CERT_FILE": ClientOptions(environ={**none, "SSL_CERT_FILE": str(path)}),
        "SSL_CERT_DIR": ClientOptions(environ={**none, "SSL_CERT_DIR": str(path.parent)}),
        "ca_file": ClientOptions(environ=none, ca_file=str(path)),
        "nothing": ClientOptions(environ=none),
    }
    async with Web(lambda _: ok(), tls=authority.server_context()) as web:
        client = Client(options[how])
        outcome: Any
        try:
            async with client.get(web.url) as response:
                outcome = response.status
        except NetError as exc:
            outcome = exc.kind
        await client.close()
    assert outcome == (Failure.TLS_UNKNOWN_AUTHORITY if how == "nothing" else 200)


@unix
async def test_what_was_prepared_is_not_read_again(tmp_path: Path, authority: Authority) -> None:
    path = place(tmp_path, "company.pem", authority.pem)
    async with Web(lambda _: ok(), tls=authority.server_context()) as web:
        client = Client(ClientOptions(environ={}, ca_file=str(path)))
        client.prepare()
        path.unlink()
        async with client.get(web.url) as response:
            assert response.status == 200
        await client.close()


async def test_preparing_tells_what_the_first_connection_would(tmp_path: Path) -> None:
    client = Client(ClientOptions(environ={}, ca_file=str(tmp_path / "none.pem")))
    with pytest.raises(ConfigError, match=r"none\.pem"):
        client.prepare()
    await client.close()
