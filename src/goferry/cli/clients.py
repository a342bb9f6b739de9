"""What the go command must be told so that it asks goferry: plain values for each kind of environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from goferry.config import Address, Settings
from goferry.errors import InvalidInput, NotFound
from goferry.i18n import N_

NOBODY: Final = "none"
"""A pattern that no module matches. An empty variable would not do: Go then looks into its settings file."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of environment. `fallback` is what follows goferry in GOPROXY."""

    fallback: str
    flags: str


PROFILES: Final[Mapping[str, Profile]] = {
    # A developer may try a module that goferry does not have; `,` lets only "not found" go on to its origin.
    "dev": Profile(",direct", ""),
    # CI jobs throw their module cache away, which read-only files would prevent.
    "ci": Profile("", "-modcacherw"),
    # What is shipped comes through goferry alone and does not carry the builder's paths.
    "prod": Profile("", "-modcacherw -trimpath"),
}


def base_url(settings: Settings) -> str:
    """The URL of a goferry with these settings, for clients on the same machine."""
    host = settings.addr.host
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not listened on
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"{'https' if settings.tls_cert else 'http'}://{Address(host, settings.addr.port)}"


def own_key(settings: Settings) -> str:
    """The public key of the log of one's own, as GOSUMDB wants it; empty without one. NotFound before it is begun."""
    if not settings.own_log:
        return ""
    from goferry.proxy.ownlog import parse_place, records_key  # seldom needed
    from goferry.storage.folders import folder_of
    from goferry.storage.logfile import verifier_of

    place = parse_place(settings.own_log)
    if place is None:
        return ""
    if place.remote is not None:
        return place.remote.key
    file = folder_of(settings.store) / records_key(place.name)
    if not file.exists():
        raise NotFound(
            "there is no log {name} in the store {store}",
            hint=N_("`goferry serve --own-log NAME` begins one"),
            name=place.name,
            store=settings.store,
        )
    return verifier_of(file, read_only=True)


def variables(
    profile: str, *, url: str, sumdb: str, private: str, direct: str = "", own: str = ""
) -> dict[str, str]:
    """All six variables for a profile.

    `private` are the modules that the checksum database must not hear of. `direct` are those that clients fetch
    from their origin themselves; InvalidInput with the prod profile, where everything comes through goferry. `own` is
    the key of a log of one's own, which proves private modules too.
    """
    if profile == "prod" and direct:
        raise InvalidInput("the prod profile is never direct; not even for {direct}", direct=direct)
    chosen = PROFILES[profile]
    return {
        "GOPROXY": url.rstrip("/") + chosen.fallback,
        "GOPRIVATE": private or NOBODY,
        "GONOPROXY": direct or NOBODY,
        "GONOSUMDB": NOBODY if own else private or NOBODY,
        "GOSUMDB": own or client_sumdb(sumdb),
        "GOFLAGS": chosen.flags,
    }


def client_sumdb(spec: str) -> str:
    """GOSUMDB for clients: the name and key of the first database, which is the one that goferry itself believes.

    go knows one database at a time. A URL after the key would make clients go around goferry.
    """
    first, _comma, _others = spec.partition(",")
    return (first.split() or ["sum.golang.org"])[0]


def serving(settings: Settings, url: str) -> dict[str, str]:
    """The least that a shell needs to use this goferry."""
    least = {"GOPROXY": url, "GOSUMDB": client_sumdb(settings.sumdb)}
    if settings.private:
        # GONOSUMDB alone: GOPRIVATE would also make the client fetch these modules itself.
        least["GONOSUMDB"] = settings.private
    return least
