"""Whom we trust: the root certificates, found where Go finds them.

A company that made `go` trust its authority through SSL_CERT_FILE expects goferry to follow. On Linux and the BSDs the
files and directories of Go's crypto/x509 (root_linux.go, root_unix.go) are read here; macOS and Windows have
a platform store, which Python's default context reads.
"""

import os
import re
import ssl
import sys
from binascii import Error as BadBase64
from binascii import a2b_base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from goferry.errors import ConfigError

CERT_FILES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
CERT_DIRS = ("/etc/ssl/certs", "/etc/pki/tls/certs")

_HAS_PLATFORM_STORE = sys.platform in ("darwin", "win32")
_CERTIFICATE = re.compile(
    rb"^-----BEGIN CERTIFICATE-----[ \t]*\r?\n([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----", re.MULTILINE
)


class Trust:
    """The TLS settings for connections, built on first use and then shared.

    environ: where SSL_CERT_FILE and SSL_CERT_DIR are looked up; extra_file: a PEM file trusted in addition.
    """

    def __init__(
        self, environ: Mapping[str, str] | None = None, extra_file: str | os.PathLike[str] | None = None
    ):
        self._environ = os.environ if environ is None else environ
        self._extra_file = extra_file
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext:
        """The context for verified connections. Raises ConfigError if the extra file cannot be used."""
        if self._context is None:
            self._context = self._build()
        return self._context

    def _build(self) -> ssl.SSLContext:
        context = _bare_context()
        if _HAS_PLATFORM_STORE:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        else:
            _add(context, _certificates(root_files(self._environ)))
        if self._extra_file is not None:
            _add(context, _extra(Path(self._extra_file)))
        return context


def _bare_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # As in Go, whatever is in the pool is an anchor, also an intermediate certificate that is not self-signed.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.set_alpn_protocols(["http/1.1"])
    return context


def root_files(
    environ: Mapping[str, str],
    files: Sequence[str] = CERT_FILES,
    directories: Sequence[str] = CERT_DIRS,
) -> list[Path]:
    """The files that Go would read, in its order.

    SSL_CERT_FILE stands in for the list of files, of which the first readable one counts; SSL_CERT_DIR (a `:` list) for
    the directories, which are all read *in addition* to the file.
    """
    candidates = [environ["SSL_CERT_FILE"]] if environ.get("SSL_CERT_FILE") else files
    folders = environ["SSL_CERT_DIR"].split(":") if environ.get("SSL_CERT_DIR") else directories
    first = next(
        (Path(name) for name in candidates if os.access(name, os.R_OK) and Path(name).is_file()), None
    )
    found = [] if first is None else [first]
    for folder in folders:
        found += _unique_entries(Path(folder))
    return found


def _unique_entries(folder: Path) -> list[Path]:
    """The files of a directory without symbolic links into the same directory: those are hash names of the others."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    return [Path(entry.path) for entry in entries if not (entry.is_symlink() and _stays_inside(entry.path))]


def _stays_inside(link: str) -> bool:
    try:
        return "/" not in str(Path(link).readlink())
    except OSError:
        return False


def _certificates(files: Iterable[Path]) -> Iterator[bytes]:
    """The certificates in these files (DER); what cannot be read or decoded is skipped, as in Go."""
    for path in files:
        try:
            data = path.read_bytes()
        except OSError:
            continue
        yield from pem_certificates(data)


def pem_certificates(data: bytes) -> Iterator[bytes]:
    """The certificates (DER) of a PEM text. Other blocks, and blocks with headers, do not count."""
    for match in _CERTIFICATE.finditer(data):
        try:
            yield a2b_base64(match[1])
        except BadBase64:
            continue


def _add(context: ssl.SSLContext, certificates: Iterable[bytes]) -> None:
    """Adds each certificate once. One bad certificate must not cost the others, so a refused batch goes one by one."""
    unique = list(dict.fromkeys(certificates))
    try:
        if unique:
            context.load_verify_locations(cadata=b"".join(unique))
    except ssl.SSLError:
        for certificate in unique:
            _add_one(context, certificate)


def _add_one(context: ssl.SSLContext, certificate: bytes) -> bool:
    try:
        context.load_verify_locations(cadata=certificate)
    except ssl.SSLError:
        return False
    return True


def _extra(path: Path) -> list[bytes]:
    try:
        found = list(pem_certificates(path.read_bytes()))
    except OSError as exc:
        raise ConfigError("cannot read the CA file {path}: {why}", path=str(path), why=exc.strerror) from exc
    usable = [certificate for certificate in found if _add_one(_scratch(), certificate)]
    if not usable:
        raise ConfigError("the CA file {path} holds no certificate", path=str(path))
    return usable


@cache
def _scratch() -> ssl.SSLContext:
    """A context that is only asked whether it would take a certificate."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
