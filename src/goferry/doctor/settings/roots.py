"""Which root certificates go and git would trust, file by file.

The two read different variables: go SSL_CERT_FILE and SSL_CERT_DIR (net/trust.py has its rules), git GIT_SSL_CAINFO,
http.sslCAInfo and their like. A company's root that is in one of the two only is a common fault.
"""

import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import CaFile, GitSetting
from goferry.doctor.settings.reading import below
from goferry.net import trust
from goferry.smallfiles import MOST, is_folder, read_bytes

NOT_VERIFIED: Final = "-"
"""The path of a CaFile that says: this client does not verify at all."""

_LARGEST: Final = 8 * MOST
_OFF: Final = frozenset({"false", "no", "off", "0", ""})


def read_roots(world: World, git: Iterable[GitSetting], platform: str = sys.platform) -> tuple[CaFile, ...]:
    """The files and folders of both stacks. A folder counts the certificates of all its files together. On macOS and
    Windows go asks the system, and reads no file."""
    settings = tuple(git)
    of_go = () if platform in ("darwin", "win32") else _of_go(world)
    return (*of_go, *_of_git(world, settings))


def _of_go(world: World) -> Iterator[CaFile]:
    environ, root = world.environ, world.places.root
    named = environ.get("SSL_CERT_FILE", "")
    if named:
        yield _look("go", world.cwd / named, "SSL_CERT_FILE")
    else:
        paths = [below(root, name) for name in trust.CERT_FILES]
        yield _look("go", next((path for path in paths if _readable(path)), paths[0]), "")
    folders = environ.get("SSL_CERT_DIR", "")
    if folders:
        for folder in folders.split(":"):
            yield _look("go", world.cwd / folder, "SSL_CERT_DIR")
        return
    for name in trust.CERT_DIRS:
        path = below(root, name)
        if is_folder(path):
            yield _look("go", path, "")


def _of_git(world: World, git: tuple[GitSetting, ...]) -> Iterator[CaFile]:
    environ, root = world.environ, world.places.root
    if "GIT_SSL_NO_VERIFY" in environ:
        yield CaFile("git", NOT_VERIFIED, exists=False, readable=False, origin="GIT_SSL_NO_VERIFY")
    for setting in _last_of_each(git, "sslverify"):
        if setting.value.lower() in _OFF and "GIT_SSL_NO_VERIFY" not in environ:
            yield CaFile("git", NOT_VERIFIED, exists=False, readable=False, origin=setting.key)
    named = list(_named_for_git(world, git))
    yield from named
    if not any(file.origin in ("GIT_SSL_CAINFO", "http.sslcainfo") for file in named):
        path = next(
            (path for name in trust.CERT_FILES if _readable(path := below(root, name))),
            below(root, trust.CERT_FILES[0]),
        )
        yield _look("git", path, "")


def _named_for_git(world: World, git: tuple[GitSetting, ...]) -> Iterator[CaFile]:
    """A variable beats every setting, also one for a single URL."""
    for variable, key in (("GIT_SSL_CAINFO", "sslcainfo"), ("GIT_SSL_CAPATH", "sslcapath")):
        named = world.environ.get(variable)
        if named:
            yield _look("git", world.cwd / named, variable)
            continue
        for setting in _last_of_each(git, key):
            yield _look("git", _home_path(world, setting.value), setting.key)


def _last_of_each(git: tuple[GitSetting, ...], name: str) -> Iterable[GitSetting]:
    """http.NAME and every http.<url>.NAME, each as it was set last."""
    found = {
        setting.key: setting
        for setting in git
        if setting.key.startswith("http.") and setting.key.endswith("." + name)
    }
    return found.values()


def _home_path(world: World, path: str) -> Path:
    if path.startswith("~/"):
        return Path(world.environ.get("HOME", str(world.home))) / path[2:]
    return world.cwd / path


def _look(stack: str, path: Path, origin: str) -> CaFile:
    try:
        exists = path.exists()
    except OSError:
        exists = False
    readable = _readable(path)
    count = sum(_count(file) for file in _files(path)) if readable else 0
    return CaFile(stack, str(path), exists=exists, readable=readable, count=count, origin=origin)


def _files(path: Path) -> Iterable[Path]:
    if not is_folder(path):
        return [path]
    return trust.root_files({}, files=(), directories=(str(path),))


def _readable(path: Path) -> bool:
    try:
        return os.access(path, os.R_OK) and (path.is_file() or path.is_dir())
    except (OSError, ValueError):
        return False


def _count(path: Path) -> int:
    return sum(1 for _certificate in trust.pem_certificates(read_bytes(path, _LARGEST)))
