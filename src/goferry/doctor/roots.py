"""The certificates that `go`, git and the public trust, as stores that a chain can be judged against.

`go` reads the files that net/trust.py names. git (libcurl) has one file of its own, which its settings may name.
The public store is the one shipped with goferry: it tells a public authority that this machine does not know (an old
or missing bundle) from a private one that nobody knows (inspection).
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import certifi

from goferry.doctor.base import World
from goferry.doctor.evidence import GitSetting
from goferry.doctor.pki import Store
from goferry.net.trust import CERT_DIRS, CERT_FILES, pem_certificates, root_files

Stores = Mapping[str, Store]
"""By the names of `HandshakeSeen.tried`, and in that order: `go`, `git`, `public`."""

_FALSE: Final = frozenset({"false", "no", "off", "0"})


def read_stores(world: World, git: Sequence[GitSetting] = ()) -> Stores:
    """The stores of this world. One that cannot be known is left out: a client's whose checks are switched off, or
    `go` on macOS, where the platform itself judges. A client without any file has an empty store.

    git: its settings, as `SettingsSeen.git` has them.
    """
    stores: dict[str, Store] = {}
    if sys.platform != "darwin":
        stores["go"] = Store.of(_go(world))
    if _verifies(world, git):
        stores["git"] = Store.of(_certificates(git_files(world, git)))
    stores["public"] = Store.of(_certificates([Path(certifi.where())]))
    return stores


def _go(world: World) -> Iterator[bytes]:
    if sys.platform == "win32":
        return _windows()
    return _certificates(go_files(world))


def go_files(world: World) -> list[Path]:
    """The files that Go would read in this world, in its order."""
    return root_files(world.environ, _below(world, CERT_FILES), _below(world, CERT_DIRS))


def git_files(world: World, git: Sequence[GitSetting] = ()) -> list[Path]:
    """The files that git would read: its variables, then its settings, then the system's bundle."""
    file = world.environ.get("GIT_SSL_CAINFO") or _setting(git, "http.sslcainfo")
    folder = world.environ.get("GIT_SSL_CAPATH") or _setting(git, "http.sslcapath")
    files = [_expanded(world, file)] if file else _first(_below(world, CERT_FILES))
    if folder:
        files += sorted(path for path in _expanded(world, folder).glob("*") if path.is_file())
    return files


def _verifies(world: World, git: Sequence[GitSetting]) -> bool:
    """GIT_SSL_NO_VERIFY counts by being there, whatever its value."""
    return "GIT_SSL_NO_VERIFY" not in world.environ and _setting(git, "http.sslverify").lower() not in _FALSE


def _setting(git: Sequence[GitSetting], key: str) -> str:
    """The last line of a key wins."""
    return next((line.value for line in reversed(git) if line.key.lower() == key), "")


def _expanded(world: World, text: str) -> Path:
    return world.home / text[2:] if text.startswith("~/") else Path(text)


def _below(world: World, paths: Iterable[str]) -> list[str]:
    return [str(world.places.root / path.lstrip("/")) for path in paths]


def _first(paths: Iterable[str]) -> list[Path]:
    return [Path(path) for path in paths if Path(path).is_file()][:1]


def _certificates(paths: Iterable[Path]) -> Iterator[bytes]:
    for path in paths:
        try:
            data = path.read_bytes()
        except OSError:
            continue
        yield from pem_certificates(data)


def _windows() -> Iterator[bytes]:
    """Windows hands out the certificates of its stores; those for other purposes than servers are left out."""
    import ssl

    purpose = ssl.Purpose.SERVER_AUTH.oid
    for name in ("ROOT", "CA"):
        for data, encoding, uses in ssl.enum_certificates(name):  # type: ignore[attr-defined, unused-ignore]
            if encoding == "x509_asn" and (uses is True or purpose in uses):
                yield data
