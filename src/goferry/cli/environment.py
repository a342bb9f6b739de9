"""What the go command on this machine would use, so that goferry starts out as its stand-in."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from goferry.config import DEFAULT, Address, Loaded, Origin, Settings
from goferry.errors import ConfigError, InvalidInput
from goferry.gocommand import GoPlaces, find_go
from goferry.gomod import goenv, goproxy
from goferry.i18n import N_, _

FALLBACK_PROXY: Final = "https://goproxy.cn,https://goproxy.io,direct"
FALLBACK_SUMDB: Final = "sum.golang.org"

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


class GoEnvironment(GoPlaces):
    """The three sources of the go command's settings, and how goferry speaks of them."""

    __slots__ = ()

    def value(self, name: str) -> tuple[str, Origin]:
        """What the go command sees under a name, and where that stands; for GOPRIVATE's value, GOPRIVATE does."""
        seen = self.effective()
        inherited = seen[name].origin is goenv.Origin.INHERITED
        return seen[name].value, self._origin(seen["GOPRIVATE" if inherited else name])

    def proxies(self) -> Iterator[tuple[str, Origin]]:
        """The values that GOPROXY has or would have if the sources before were not there, and their places."""
        for environ, user in ((self.environ, self.user_text), ({}, self.user_text), ({}, "")):
            setting = goenv.resolve(environ, user, self.goroot_text)["GOPROXY"]
            if setting.value:
                yield setting.value, self._origin(setting)

    def _origin(self, setting: goenv.Setting) -> Origin:
        places = {
            goenv.Origin.ENVIRONMENT: _("the environment"),
            goenv.Origin.USER_FILE: self.user_file,
            goenv.Origin.GOROOT_FILE: self.goroot_file,
        }
        place = places.get(setting.origin)
        if place is None:
            return DEFAULT
        return Origin("go", _("{variable} in {place}").format(variable=setting.name, place=place))


@dataclass(frozen=True, slots=True)
class Complete:
    """Settings with nothing left to guess, where each value came from, and what was odd on the way."""

    settings: Settings
    origins: Mapping[str, Origin]
    warnings: tuple[str, ...]
    file: Path | None = None
    """The settings file that was read."""


def go_environment(environ: Mapping[str, str], platform: str = sys.platform) -> GoEnvironment:
    """Reads the sources as the go command on PATH would."""
    return GoEnvironment.read(environ, find_go(environ, platform=platform), platform=platform)


def complete(loaded: Loaded, go: GoEnvironment, *, serving: bool = True) -> Complete:
    """Fills in upstream, sumdb and private patterns from the go command's variables.

    Upstream entries that lead back to goferry itself are dropped with a warning; a source of which nothing is
    left (the GOPROXY line that goferry printed, in the shell that starts it again) is passed over. ConfigError
    when the upstream was set for goferry itself and nothing is left of it, and for a value that cannot be used.
    Whoever is not `serving` may be the client of a goferry at that very address: nothing is dropped then.
    """
    warnings: list[str] = []
    upstream, upstream_from = _upstream(loaded, go, loaded.settings.addr if serving else None, warnings)
    sumdb, sumdb_from = _sumdb(loaded, go)
    private, private_from = _own_or_go(loaded, go, "private", "GONOSUMDB")
    return Complete(
        replace(loaded.settings, upstream=upstream, sumdb=sumdb, private=private),
        {**loaded.origins, "upstream": upstream_from, "sumdb": sumdb_from, "private": private_from},
        tuple(warnings),
        loaded.file,
    )


def _own_or_go(loaded: Loaded, go: GoEnvironment, name: str, variable: str) -> tuple[str, Origin]:
    """A setting of goferry, or the go command's variable where it is empty."""
    own: str = getattr(loaded.settings, name)
    return (own, loaded.origins[name]) if own else go.value(variable)


def _sumdb(loaded: Loaded, go: GoEnvironment) -> tuple[str, Origin]:
    """The checksum databases, each of them one that can be used."""
    given, origin = _own_or_go(loaded, go, "sumdb", "GOSUMDB")
    spec = given or FALLBACK_SUMDB
    for text in spec.split(","):
        try:
            goenv.parse_sumdb(text.strip())
        except InvalidInput as error:
            raise _bad("sumdb", spec, origin, error) from error
    return spec, origin


def _bad(name: str, value: str, origin: Origin, why: InvalidInput) -> ConfigError:
    return ConfigError(
        "setting {name}: {value!r} (from {origin}) is not allowed: {why}",
        name=name,
        value=goproxy.redact(value),
        origin=origin,
        why=why,
    )


def _upstream(
    loaded: Loaded, go: GoEnvironment, addr: Address | None, warnings: list[str]
) -> tuple[str, Origin]:
    """Without entries that lead back to `addr`, where there is one."""
    own = loaded.settings.upstream
    if own:
        origin = loaded.origins["upstream"]
        left = _without_self(own, origin, addr, warnings)
        if not left:
            raise ConfigError(
                "setting {name}: {value!r} (from {origin}) leads back to goferry itself",
                hint=N_("name the proxy that modules shall come from"),
                name="upstream",
                value=goproxy.redact(own),
                origin=origin,
            )
        return left, origin
    for value, place in go.proxies():
        if left := _without_self(value, place, addr, warnings):
            return left, place
    return FALLBACK_PROXY, Origin("default", _("built in, because no go command is set up here"))


def _without_self(value: str, origin: Origin, addr: Address | None, warnings: list[str]) -> str:
    """The list without entries that lead back to `addr`; empty when nothing that fetches is left of it."""
    try:
        entries = goproxy.parse_list(value)
    except InvalidInput as error:
        raise _bad("upstream", value, origin, error) from error
    kept = [entry for entry in entries if addr is None or not leads_to(entry.url, addr)]
    for entry in entries:
        text = _("upstream entry {entry} is goferry itself and was dropped").format(entry=entry.name)
        if entry not in kept and text not in warnings:
            warnings.append(text)
    # What stands behind a proxy that was dropped was meant as its fallback, not as the only way.
    if len(kept) < len(entries) and not any(entry.is_proxy for entry in kept):
        return ""
    return goproxy.format_list(kept)


def leads_to(url: str, addr: Address) -> bool:
    """Whether an http(s) URL names the very place where this goferry listens."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return False
    port = parts.port or {"http": 80, "https": 443}[parts.scheme]
    host = (parts.hostname or "").lower()
    here = {addr.host.lower()} | (_LOOPBACK if addr.host.lower() in _LOOPBACK | _EVERYWHERE else frozenset())
    return port == addr.port and host in here
