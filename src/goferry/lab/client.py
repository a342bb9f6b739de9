"""The machine where the command runs: its home, its settings, a module to download for, and files for its /etc."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import certifi

from goferry.errors import Unavailable
from goferry.lab import modules
from goferry.lab.internet import GO_ENV, GO_MOD, MAIN_GO
from goferry.lab.scenario import Cache, Scenario
from goferry.lab.staging import resolvers_of

ETC_FILES: Final = ("resolv.conf", "hosts", "nsswitch.conf", "gitconfig", "environment")
"""Files of /etc that a private mount namespace has its own of."""

_NSSWITCH: Final = "passwd: files\ngroup: files\nhosts: files dns\n"
_HOSTS: Final = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"
_KEPT: Final = ("PATH", "TERM", "LANG", "LC_ALL", "SHELL", "SYSTEMROOT", "PATHEXT")
"""What a world takes over from the environment that it is opened in."""


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the parts of a world are, below one root."""

    root: Path

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def etc(self) -> Path:
        return self.root / "etc"

    @property
    def cache(self) -> Path:
        """The module cache, where go has it by default."""
        return self.home / "go" / "pkg" / "mod"


def lay_out(scenario: Scenario, folders: Folders) -> None:
    """The folders and the files of /etc, before anything runs."""
    for folder in (folders.home, folders.work, folders.etc, folders.root / "certs", folders.root / "ssh"):
        folder.mkdir()
    network = scenario.network
    servers = "".join(f"nameserver {resolver.address}\n" for resolver in resolvers_of(scenario))
    texts = {
        "resolv.conf": servers if network.resolv_conf is None else network.resolv_conf,
        "hosts": _HOSTS + network.hosts,
        "nsswitch.conf": _NSSWITCH,
    }
    for name in ETC_FILES:
        (folders.etc / name).write_text(texts.get(name, ""))
    (folders.root / "certs" / "ca-certificates.crt").touch()
    shutil.copyfile(certifi.where(), folders.root / "public-store.pem")
    if scenario.client.cache is Cache.NOT_A_FOLDER:
        folders.cache.parent.mkdir(parents=True)
        folders.cache.write_text("not a folder\n")
    else:
        folders.cache.mkdir(parents=True)


def settle(
    scenario: Scenario, folders: Folders, words: Mapping[str, str], localised: Callable[[str], str] = str
) -> None:
    """Settings, module and further files of the client. words: what stands for {names} in texts; localised: rewrites
    URLs of sites.
    """
    client = scenario.client
    # What the environment sets is not in the file as well, as one that wins over the other is a fault of its own.
    usual = {name: value for name, value in GO_ENV.items() if name not in client.environ}
    settings = {**usual, **client.go_env}.items()
    go_env = "".join(f"{name}={value}\n" for name, value in settings if value)
    files = {
        "{home}/.config/go/env": go_env,
        "{home}/.gitconfig": client.git_config,
        "{work}/go.mod": GO_MOD if client.go_mod is None else client.go_mod,
        "{work}/main.go": MAIN_GO,
        **client.files,
    }
    for place, text in files.items():
        write(Path(fill(place, words)), fill(localised(text), words))
    if client.file_proxy:
        for name, body in modules.tree().items():
            kept = folders.home / "modules" / name
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(body)
    tools = folders.root / "tools"
    tools.mkdir()
    if (go := shutil.which("go")) is not None:
        (tools / "go").symlink_to(Path(go).resolve())


def environ_of(
    scenario: Scenario, folders: Folders, outer: Mapping[str, str], words: Mapping[str, str]
) -> dict[str, str]:
    """The client's environment: little of the outer one, and what the scenario sets."""
    base = {name: outer[name] for name in _KEPT if name in outer}
    base |= {"HOME": str(folders.home), "USER": "developer"}
    if sys.platform != "linux":
        # Elsewhere the file lies in other folders; one place keeps the scenarios the same.
        base["GOENV"] = str(folders.home / ".config" / "go" / "env")
    return merged(base, scenario.client.environ, words)


def merged(base: Mapping[str, str], changes: Mapping[str, str], words: Mapping[str, str]) -> dict[str, str]:
    """The environment with changes; an empty value takes a variable away."""
    both = {**base, **{name: fill(value, words) for name, value in changes.items()}}
    return {name: value for name, value in both.items() if value}


def fill(text: str, words: Mapping[str, str]) -> str:
    """The text with each {name} that is known replaced; other braces stay."""
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text


def write(path: Path, text: str) -> None:
    """In place, as a file that is mounted cannot be exchanged. Missing folders are made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def go_folder(outer: Mapping[str, str]) -> str:
    """The folder of the go command. Raises Unavailable when there is none."""
    found = shutil.which("go", path=outer.get("PATH"))
    if found is None:
        raise Unavailable("no go command on PATH")
    return str(Path(found).parent)
