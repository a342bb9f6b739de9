"""How a file of settings is to be changed, said without its content and done on its bytes.

Everything that is not meant stays as it is, byte for byte: these files belong to other people and programs.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from goferry.doctor import hostsfile

HOSTS: Final = "hosts"
RESOLV_CONF: Final = "resolv.conf"
GIT: Final = "GIT_CONFIG_GLOBAL"
GO_MOD: Final = "go.mod"
GO_SUM: Final = "go.sum"
"""Places that the world knows; any other place is a path. The last two are files of the project."""


class Rewrite(Protocol):
    """One change of one file. place: one of those above; said: what it does, in few words without secrets."""

    @property
    def place(self) -> str: ...
    @property
    def said(self) -> str: ...


@dataclass(frozen=True, slots=True)
class PinHost:
    """Puts a name into the hosts file, in a marked block."""

    name: str
    addresses: tuple[str, ...]
    expires: date
    place: str = HOSTS

    @property
    def said(self) -> str:
        return f"+{self.name}={','.join(self.addresses)}"

    def rewrite(self, data: bytes) -> bytes:
        """Raises InvalidInput for a file or name that cannot be."""
        return hostsfile.pin(unlisted(data, self.name), self.name, self.addresses, self.expires)


@dataclass(frozen=True, slots=True)
class DropHost:
    """Takes a name out of the hosts file, wherever it stands there; other names of the same line stay."""

    name: str
    place: str = HOSTS

    @property
    def said(self) -> str:
        return f"-{self.name}"

    def rewrite(self, data: bytes) -> bytes:
        return unlisted(hostsfile.remove(data, {self.name.lower()}), self.name)


_LINE: Final = re.compile(rb"[^\n]*\n|[^\n]+")


def unlisted(data: bytes, name: str) -> bytes:
    """The hosts file without this name; a line that named nothing else goes as a whole."""
    return b"".join(_line_without(line, name.lower()) for line in _LINE.findall(data))


def _line_without(line: bytes, name: str) -> bytes:
    entry, mark, comment = line.partition(b"#")
    words = entry.split()
    kept = [word for word in words[1:] if word.decode("latin-1").lower().rstrip(".") != name]
    if len(kept) == len(words[1:]) or not words:
        return line
    if not kept:
        return b""
    ending = b"" if mark else line[len(line.rstrip(b"\r\n")) :]
    rest = b" ".join([b"", *kept])
    return words[0] + rest + (b" " + mark + comment if mark else ending)


@dataclass(frozen=True, slots=True)
class NameServers:
    """Sets the name servers of resolv.conf; search domains and options stay, and `options` come to them."""

    servers: tuple[str, ...]
    place: str = RESOLV_CONF
    options: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        more = f" options={','.join(self.options)}" if self.options else ""
        return f"nameserver={','.join(self.servers)}{more}"

    def rewrite(self, data: bytes) -> bytes:
        lines = _LINE.findall(data)
        is_server = [re.match(rb"\s*nameserver\s", line) is not None for line in lines]
        first = is_server.index(True) if True in is_server else 0
        new = [f"nameserver {server}\n".encode() for server in self.servers]
        before = [line for line, server in zip(lines[:first], is_server[:first], strict=True) if not server]
        after = [line for line, server in zip(lines[first:], is_server[first:], strict=True) if not server]
        new += [f"options {option}\n".encode() for option in self.options]
        return b"".join([*before, *new, *after])


@dataclass(frozen=True, slots=True)
class DropGit:
    """Takes one setting out of one of git's files. key and value as they were kept, without secrets."""

    key: str
    value: str
    path: str
    place: str = GIT

    @property
    def said(self) -> str:
        return f"-{self.key}={self.value}"


@dataclass(frozen=True, slots=True)
class AddGit:
    """Adds settings to the user's own file of git."""

    pairs: tuple[tuple[str, str], ...]
    place: str = GIT
    path: str = ""

    @property
    def said(self) -> str:
        return " ".join(f"+{key}={value}" for key, value in self.pairs)


@dataclass(frozen=True, slots=True)
class EditMod:
    """Edits the project's go.mod. flags: those of `go mod edit`, which leaves the rest as it is."""

    flags: tuple[str, ...]
    place: str = GO_MOD

    @property
    def said(self) -> str:
        return " ".join(self.flags)


@dataclass(frozen=True, slots=True)
class DropSums:
    """Takes the lines of one version out of the project's go.sum, so that go asks for its sums anew."""

    module: str
    version: str
    place: str = GO_SUM

    @property
    def said(self) -> str:
        return f"-{self.module}@{self.version}"

    def rewrite(self, data: bytes) -> bytes:
        version = self.version.encode()
        gone = [(self.module.encode(), version), (self.module.encode(), version + b"/go.mod")]
        return b"".join(line for line in _LINE.findall(data) if tuple(line.split()[:2]) not in gone)
