"""The certificates that `go`, git and the public trust, as stores that a chain can be judged against.

`go` reads the files that net/trust.py names. git (libcurl) has one file of its own, which its settings may name.
The public store is the one shipped with goferry: it tells a public authority that this machine does not know (an old
or missing bundle) from a private one that nobody knows (inspection).
"""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import certifi

from goferry.doctor.base import World
from goferry.doctor.evidence import GitSetting
from goferry.doctor.pki import Store
from goferry.doctor.settings.gitconfig import http_setting
from goferry.net.trust import CERT_DIRS, CERT_FILES, pem_certificates, root_files

Stores = Mapping[str, Store]
"""By the names of `HandshakeSeen.tried`, and in that order: `go`, `git`, `public`."""

_NAMES: Final = ("go", "git", "public")
_FALSE: Final = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class HostStores:
    """The stores for each host: git may be told of another file for one URL (`http.<url>.sslCAInfo`)."""

    world: World
    git: tuple[GitSetting, ...]
    everywhere: Stores
    _known: dict[str, Stores] = field(default_factory=dict)

    def at(self, host: str, port: int) -> Stores:
        """Those that count for any path of this host."""
        url = f"https://[{host}]:{port}/" if ":" in host else f"https://{host}:{port}/"
        if not any(_is_for_one_url(setting) for setting in self.git):
            return self.everywhere
        if url not in self._known:
            self._known[url] = _with_git(self.everywhere, self.world, self.git, url)
        return self._known[url]


def read_host_stores(world: World, git: Sequence[GitSetting] = ()) -> HostStores:
    """The stores of this world, told apart by host where git's settings do."""
    return HostStores(world, tuple(git), read_stores(world, git))


def read_stores(world: World, git: Sequence[GitSetting] = ()) -> Stores:
    """The stores of this world. One that cannot be known is left out: a client's whose checks are switched off, or
    `go` on macOS, where the platform itself judges. A client without any file has an empty store.

    git: its settings, as `SettingsSeen.git` has them.
    """
    stores: dict[str, Store] = {}
    if sys.platform != "darwin":
        stores["go"] = Store.of(_go(world))
    stores["public"] = Store.of(_certificates([Path(certifi.where())]))
    return _with_git(stores, world, git, "")


def _with_git(stores: Stores, world: World, git: Sequence[GitSetting], url: str) -> Stores:
    """The stores with git's for this URL, none if it does not verify there; in the order of their names."""
    found = {name: store for name, store in stores.items() if name != "git"}
    if _verifies(world, git, url):
        found["git"] = Store.of(_certificates(git_files(world, git, url)))
    return {name: found[name] for name in _NAMES if name in found}


def _is_for_one_url(setting: GitSetting) -> bool:
    section, _dot, rest = setting.key.lower().partition(".")
    url, _dot, name = rest.rpartition(".")
    return section == "http" and bool(url) and name in ("sslcainfo", "sslcapath", "sslverify")


def _go(world: World) -> Iterator[bytes]:
    if sys.platform == "win32":
        return _windows()
    return _certificates(go_files(world))


def go_files(world: World) -> list[Path]:
    """The files that Go would read in this world, in its order."""
    return root_files(world.environ, _below(world, CERT_FILES), _below(world, CERT_DIRS))


def git_files(world: World, git: Sequence[GitSetting] = (), url: str = "") -> list[Path]:
    """The files that git would read for a URL: its variables, else its settings, else the system's bundle."""
    file = _named(world, git, "GIT_SSL_CAINFO", "sslcainfo", url)
    folder = _named(world, git, "GIT_SSL_CAPATH", "sslcapath", url)
    files = [_expanded(world, file)] if file else _first(_below(world, CERT_FILES))
    if folder:
        files += sorted(path for path in _expanded(world, folder).glob("*") if path.is_file())
    return files


def _verifies(world: World, git: Sequence[GitSetting], url: str) -> bool:
    """GIT_SSL_NO_VERIFY counts by being there, whatever its value."""
    setting = http_setting(git, "sslverify", url)
    return "GIT_SSL_NO_VERIFY" not in world.environ and (
        setting is None or setting.value.lower() not in _FALSE
    )


def _named(world: World, git: Sequence[GitSetting], variable: str, name: str, url: str) -> str:
    """The variable beats every setting, also one for this URL alone, as tests with git have shown."""
    setting = http_setting(git, name, url)
    return world.environ.get(variable) or ("" if setting is None else setting.value)


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
