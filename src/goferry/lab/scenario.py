"""What a scenario is: data that says how a world differs from a well one, and what should be found in it.

A scenario names only what is unlike `goferry.lab.internet`: sites that misbehave, name servers that lie, rules of the
path, settings of the client. `goferry.lab.staging` makes it real, in a private network namespace or on loopback.

Texts of the client may hold {home}, {work}, {go} (the folder of the go command), {tools} (a folder with nothing but
go in it), {sumdb_key}, {ca} and {company_ca} (PEM files); they are filled in when the world is made. On loopback
`https://HOST` of a site becomes the URL at which the site really listens.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from goferry.gomod.sumdb.memlog import Lie
from goferry.lab.dns import Behaviour
from goferry.lab.forward import Conduct
from goferry.lab.goproxy import Fault as AnswerFault
from goferry.lab.tcp import HEALTHY, Fault
from goferry.lab.tls import ORDINARY, Leaf, Manners

# ---- what a site serves ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class When:
    """A fault for the paths that match `pattern` (as fnmatch), the first `times` times each (None: always)."""

    pattern: str
    fault: AnswerFault
    times: int | None = None


class Mirrored(StrEnum):
    """What a module proxy says below /sumdb/."""

    NO = "no"
    YES = "yes"
    BROKEN = "broken"
    """It says that it answers for the database, and then answers 502."""
    FORBIDDEN = "forbidden"
    """It answers 403 when asked whether it does."""
    HTML = "html"
    """It answers everything below with a web page."""


@dataclass(frozen=True, slots=True)
class Modules:
    """A module proxy with every module of the lab. lacks: patterns of paths that it answers with 404."""

    faults: tuple[When, ...] = ()
    lacks: tuple[str, ...] = ()
    sumdb: Mirrored = Mirrored.NO
    user: str = ""
    """`user:password` that it wants, or nothing."""


@dataclass(frozen=True, slots=True)
class SumDatabase:
    """The checksum database. status: what it answers to everything, when not 0."""

    lie: Lie | None = None
    status: int = 0


@dataclass(frozen=True, slots=True)
class Repositories:
    """A code host: git over HTTP. private: repositories (as `team/secret`) that want a login."""

    private: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    """Repositories that were deleted; like the great code hosts it asks for a login then."""


@dataclass(frozen=True, slots=True)
class ImportPages:
    """An import host with go-import tags. pages: import prefix to repository URL, behind its system if not git."""

    pages: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Page:
    """A web server that answers every request alike."""

    status: int = 200
    body: str = ""
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ForwardProxying:
    """A forward proxy. knows_inside: whether it finds hosts of the company too."""

    conduct: Conduct = Conduct.PROPER
    auth: tuple[str, str] | None = None
    deny: tuple[str, ...] = ()
    refusal: str = "502 Bad Gateway"
    challenge: str = 'Basic realm="proxy"'
    delay: float = 0.0
    knows_inside: bool = True


@dataclass(frozen=True, slots=True)
class Raw:
    """A TCP peer that sends a greeting and then acts out a fault; it never speaks HTTP."""

    greeting: bytes = b""
    fault: Fault = HEALTHY


class Http2Trouble(StrEnum):
    """How an HTTP/2 server fails a request."""

    RESET_STREAM = "reset_stream"
    GOAWAY = "goaway"


@dataclass(frozen=True, slots=True)
class Http2Broken:
    """A module proxy that fails whoever speaks HTTP/2 with it, and serves all others."""

    trouble: Http2Trouble
    modules: Modules = Modules()


@dataclass(frozen=True, slots=True)
class SshServer:
    """An ssh server that accepts no key."""


@dataclass(frozen=True, slots=True)
class Nobody:
    """Nothing listens: connections are refused."""


Service = (
    Modules
    | SumDatabase
    | Repositories
    | ImportPages
    | Page
    | ForwardProxying
    | Raw
    | Http2Broken
    | SshServer
    | Nobody
)


# ---- where it is served ------------------------------------------------------------------------------------


class Issuer(StrEnum):
    """Who signed a site's certificate."""

    PUBLIC = "public"
    COMPANY = "company"
    """The company's firewall, "Example Firewall CA"."""
    UNKNOWN = "unknown"
    """An authority that nobody trusts and that is no company's."""


@dataclass(frozen=True, slots=True)
class Tls:
    """How a site speaks TLS. hosts: names in the certificate, when not those of the site."""

    issuer: Issuer = Issuer.PUBLIC
    leaf: Leaf = Leaf.GOOD
    manners: Manners = ORDINARY
    hosts: tuple[str, ...] = ()


PUBLIC_TLS: Final = Tls()


@dataclass(frozen=True, slots=True)
class Site:
    """A server. The first of `hosts` names it; a scenario's site replaces the well one with that name and port.

    tls: None for plain text; wire: what goes wrong with the bytes towards the client, beneath TLS; inside: whether it
    belongs to the company's network.
    """

    hosts: tuple[str, ...]
    service: Service
    addresses: tuple[str, ...]
    port: int = 443
    tls: Tls | None = PUBLIC_TLS
    wire: Fault = HEALTHY
    inside: bool = False

    @property
    def key(self) -> tuple[str, int]:
        """What it is replaced by."""
        return self.hosts[0], self.port

    @property
    def scheme(self) -> str:
        return "http" if self.tls is None else "https"


# ---- names and path ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Resolver:
    """A name server. It knows all sites (those inside only if `inside`), and what `lies` says instead.

    denies: names that it answers as `denial` says; injects: names with a false answer before the true one.
    """

    address: str
    behaviour: Behaviour = Behaviour.ANSWER
    lies: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    denies: tuple[str, ...] = ()
    denial: Behaviour = Behaviour.NXDOMAIN
    injects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    anything: tuple[str, ...] = ()
    """Addresses for every name that nobody has."""
    delay: float = 0.0
    ttl: int = 60
    tcp: bool = True
    inside: bool = True


class Fate(StrEnum):
    """What becomes of a packet."""

    DROP = "drop"
    RESET = "reset"
    """The sender gets a TCP reset, as if it came from the other end."""
    PROHIBITED = "prohibited"
    """The sender gets an ICMP "administratively prohibited" (IPv4) message, as from a firewall that says so."""


@dataclass(frozen=True, slots=True)
class PathRule:
    """What happens on the path to packets for which everything that is given here holds.

    to: addresses of the far end (networks allowed), none for all; ports: of the far end, none for all;
    version: 4 or 6, 0 for both; larger_than: bytes of the whole packet; hello_larger_than: bytes of the TLS record
    that holds the ClientHello; holds: text in the TCP payload, such as a server name; payload: only packets that
    carry data; towards_client: rules look at packets from the client unless this is set.
    """

    fate: Fate
    to: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    version: int = 0
    larger_than: int = 0
    hello_larger_than: int = 0
    holds: tuple[str, ...] = ()
    payload: bool = False
    towards_client: bool = False
    skip: int = 0
    """So many packets of a connection that match are let pass before."""


@dataclass(frozen=True, slots=True)
class Network:
    """Between the client and the sites. resolv_conf: None for one that names all resolvers; hosts: further lines.

    plugged: False for a machine without any network; ipv6: whether the machine has such an address; latency: seconds,
    one way; clock: days that the rest of the world is ahead of this machine.
    """

    resolvers: tuple[Resolver, ...] | None = None
    resolv_conf: str | None = None
    hosts: str = ""
    rules: tuple[PathRule, ...] = ()
    plugged: bool = True
    ipv6: bool = True
    latency: float = 0.0
    clock: int = 0


# ---- the client --------------------------------------------------------------------------------------------


class Roots(StrEnum):
    """What the client's certificate store holds."""

    PUBLIC = "public"
    COMPANY = "company"
    """The public authorities and the company's."""
    STALE = "stale"
    """Other authorities than those in use."""
    NONE = "none"


class Cache(StrEnum):
    """The state of the module cache."""

    WELL = "well"
    READ_ONLY = "read_only"
    FULL = "full"
    NOT_A_FOLDER = "not_a_folder"


@dataclass(frozen=True, slots=True)
class Client:
    """The machine where the command runs. environ and go_env: what is set (a value of "" removes what a well client
    has); files: texts by path, below {home} or {work}; go_mod: None for the well one.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    go_env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    git_config: str = ""
    go_mod: str | None = None
    roots: Roots = Roots.PUBLIC
    cache: Cache = Cache.WELL
    file_proxy: bool = False
    """Whether {home}/modules holds a module proxy as files."""
    command: tuple[str, ...] = ("go", "mod", "download")


@dataclass(frozen=True, slots=True)
class Mend:
    """What makes the command work. environ: variables ("" unsets); files: texts below {home} or {work}, or at
    /etc/resolv.conf and /etc/hosts; commands: what is run on the client's machine.
    """

    environ: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    commands: tuple[tuple[str, ...], ...] = ()


# ---- the scenario ------------------------------------------------------------------------------------------


class Needs(StrEnum):
    """The least that a scenario can be made real with."""

    LOOPBACK = "loopback"
    NAMESPACE = "namespace"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world. summary: an English key; expected: the key of the cause that is to be found, "" in a healthy world;
    mend: what makes it work, None where nothing on the client's machine does; wants: an English key that says what has
    to come from whom before it can work, "" for what the client can mend with what it has.
    """

    name: str
    summary: str
    expected: str = ""
    sites: tuple[Site, ...] = ()
    network: Network = Network()
    client: Client = Client()
    mend: Mend | None = None
    needs: Needs = Needs.NAMESPACE
    works: bool = False
    """The command succeeds although something is wrong."""
    lasts: bool = False
    """The command takes longer than a diagnosis watches, and all is well."""
    hangs: bool = False
    """The command does not end by itself, or not before minutes have passed."""
    wants: str = ""
    alone: str = ""
    """What is found without second opinions of public name servers, where it cannot be told from another cause then."""

    @property
    def healthy(self) -> bool:
        return not self.expected

    @property
    def is_mendable(self) -> bool:
        """Whether the client can mend it alone."""
        return self.mend is not None and not self.wants

    def __str__(self) -> str:
        return self.name
