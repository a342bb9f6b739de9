"""What was seen, and nothing of what it means: frozen records, each of which can be saved and judged again elsewhere.

Probes write these, rules read them, and neither knows the other. A failure is part of a record, not an exception.

Conventions: times are seconds; a moment is seconds since the epoch; an address is an IP literal without brackets.
`failure` is "" when it went well, else a value of `net.failure.Failure` or of `Raw` below;
`text` is what the system or the peer said, without secrets. Records that hang together share `host` and `port`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from goferry.findings import Text

SCHEMA: Final = "goferry.evidence/1"


class Raw(StrEnum):
    """Failures of raw probes that `net.failure.Failure` has no name for."""

    RESET = "reset"
    CLOSED = "closed"
    STALLED = "stalled"
    NOT_TLS = "not_tls"
    ALERT = "alert"
    NOT_PERMITTED = "not_permitted"
    GARBAGE = "garbage"
    EXPIRED = "expired"


# ---- what was asked, and where -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """What the user asked about. Everything empty: the module in the working folder, or the environment alone."""

    text: str = ""
    module: str = ""
    version: str = ""
    url: str = ""
    host: str = ""


class Role(StrEnum):
    """What a host is needed for."""

    GOPROXY = "goproxy"
    SUMDB = "sumdb"
    IMPORT_HOST = "import_host"
    CODE_HOST = "code_host"
    STORAGE = "storage"
    FORWARD_PROXY = "forward_proxy"
    CONTROL = "control"
    """A host asked only for comparison."""


@dataclass(frozen=True, slots=True)
class Target:
    """A host that this environment needs. `scheme` is https, http, ssh or git; `url` is what would be asked of it."""

    host: str
    port: int
    scheme: str
    role: Role
    url: str = ""
    entry: int = -1
    """The place in the GOPROXY list, from 0; -1 for others."""


# ---- the machine and its settings --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Setting:
    """A variable with its effective value.

    origin: `environment`, `go env file`, `go.env`, `default`, or `inherited` (place: the variable that it takes its
    value from); place: file:line. In `elsewhere` the origin names the kind of place: `shell`, `system`, `docker`,
    `compose`, `github`, `gitlab`, `sudo`, `go env file` (for a variable that go does not read there), `includeIf …`.
    """

    name: str
    value: str
    origin: str
    place: str = ""
    shadowed: tuple["Setting", ...] = ()
    """Other values of the same variable that lost, strongest first."""


@dataclass(frozen=True, slots=True)
class GitSetting:
    """One line of git's configuration as `git config --list --show-origin --show-scope` gives it, secrets removed."""

    key: str
    value: str
    scope: str
    place: str


@dataclass(frozen=True, slots=True)
class NetrcEntry:
    """A machine in a netrc file; the password itself is never kept."""

    machine: str
    login: str
    has_password: bool
    place: str
    used_by_go: bool = True
    """Go takes an entry with machine, login and password only; git also takes others."""


@dataclass(frozen=True, slots=True)
class HostsLine:
    """One address with its names in the hosts file; line counts from 1."""

    address: str
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ResolvConf:
    """resolv.conf as Go reads it (first 3 servers). `exists` False: no such file. servers: `address:port`."""

    exists: bool
    servers: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    ndots: int = 1
    timeout: float = 5.0
    attempts: int = 2
    unknown_options: tuple[str, ...] = ()
    use_tcp: bool = False
    """Whether an option (`use-vc`) lets go ask over TCP only."""


@dataclass(frozen=True, slots=True)
class CaFile:
    """A file or folder that a client takes roots from. `stack` is `go` or `git`; count: certificates in it."""

    stack: str
    path: str
    exists: bool
    readable: bool
    count: int = 0
    origin: str = ""
    """The variable or setting that names it; "" for the system's own place."""


@dataclass(frozen=True, slots=True)
class FolderSeen:
    """A folder that go writes to (GOMODCACHE, GOCACHE, GOTMPDIR, GOPATH). free: bytes, inodes; -1 unknown."""

    name: str
    path: str
    exists: bool
    writable: bool
    owner: str = ""
    free_bytes: int = -1
    free_inodes: int = -1
    failure: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Interface:
    """A network interface. addresses without prefix length."""

    name: str
    mtu: int
    is_up: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Where the command runs. container: ``""``, docker, podman, kubernetes, lxc…; ci: github, gitlab, jenkins…"""

    system: str = ""
    container: str = ""
    vm: str = ""
    ci: str = ""
    is_wsl: bool = False
    sudo_user: str = ""
    uid: int = -1
    home: str = ""
    has_default_route: bool | None = None
    """None: could not be looked at."""
    interfaces: tuple[Interface, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxying:
    """The decision for one target of one stack (`go` or `git`): `proxy` is "" for direct.

    rule: the NO_PROXY entry or the variable that decided; near: entries that people expect to match and that do not.
    """

    stack: str
    url: str
    host: str
    proxy: str
    rule: str
    near: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SettingsSeen:
    """Everything that was read from the machine. go_version: as `go1.26.8`, "" without a go command."""

    go_version: str = ""
    go_path: str = ""
    git_version: str = ""
    go: tuple[Setting, ...] = ()
    proxies: tuple[Setting, ...] = ()
    """HTTP_PROXY, HTTPS_PROXY, NO_PROXY, ALL_PROXY in both cases, as they are set."""
    git: tuple[GitSetting, ...] = ()
    netrc: tuple[NetrcEntry, ...] = ()
    hosts: tuple[HostsLine, ...] = ()
    nsswitch: tuple[str, ...] = ()
    """The sources of the `hosts:` line; empty without one."""
    resolv: ResolvConf = field(default_factory=lambda: ResolvConf(exists=False))
    roots: tuple[CaFile, ...] = ()
    folders: tuple[FolderSeen, ...] = ()
    proxying: tuple[Proxying, ...] = ()
    go_line: str = ""
    toolchain_line: str = ""
    main_module: str = ""
    elsewhere: tuple[Setting, ...] = ()
    """Values that only another context has: a shell's start files, /etc/environment, a CI file, sudo's user."""
    tools: Mapping[str, str] = field(default_factory=dict)
    """Programs looked for (git, hg, svn, ssh, curl): path, or "" when missing."""
    environ: tuple[Setting, ...] = ()
    """Other variables that decide about the network, as they are set: SSL_CERT_FILE, NETRC, GIT_*, HOME…"""
    requires: tuple[str, ...] = ()
    """PATH@VERSION of the go.mod in the working folder."""
    imports: tuple[str, ...] = ()
    """What the Go files of the working folder's module import from other modules, as far as they were read."""

    def value(self, name: str) -> str:
        """The effective value of a Go variable; "" when unset."""
        return next((setting.value for setting in self.go if setting.name == name), "")

    def setting(self, name: str) -> Setting | None:
        """The Go variable with its origin."""
        return next((setting for setting in self.go if setting.name == name), None)


# ---- names -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NameSeen:
    """One question for one name.

    asker: `go` (as Go's own resolver would), `system`, `server` (one configured server), `public` (a second opinion),
    `doh`, `hosts`; server: `address:port`, URL, or ""; transport: udp, tcp, https or "". family: 4, 6 or 0 for both.
    rcode: NOERROR, NXDOMAIN, SERVFAIL, REFUSED… or ""; others: data of a second, different reply to the same question.
    """

    name: str
    asker: str
    server: str = ""
    transport: str = ""
    family: int = 0
    addresses: tuple[str, ...] = ()
    rcode: str = ""
    seconds: float = 0.0
    failure: str = ""
    text: str = ""
    others: tuple[str, ...] = ()
    line: int = 0
    """For `hosts`: the line of the file, the first of several."""
    stranger: str = ""
    """An address that was not asked and sent a reply to this question."""


# ---- the path ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DialSeen:
    """One TCP connection attempt to one address. source: which asker's answer gave the address (as in NameSeen)."""

    host: str
    address: str
    port: int
    seconds: float
    failure: str = ""
    text: str = ""
    source: str = "go"
    mss: int = 0
    """TCP_MAXSEG that was set; 0 for none."""

    @property
    def family(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.address else 4


@dataclass(frozen=True, slots=True)
class HopSeen:
    """One step of a TCP traceroute. address: who answered this packet, "" when nobody did.

    sent: what went that many hops: `syn`, or `hello` for a ClientHello on a connection that was there, which asked for
    the server name `sni`. failure: `reset` when somebody on the way, or the host itself, reset the connection upon it;
    `expired` when it got so far and a router said that it went no further (the kernel does not tell which one).
    """

    host: str
    port: int
    ttl: int
    address: str
    seconds: float
    sent: str = "syn"
    sni: str = ""
    failure: str = ""
    target: str = ""
    """The address of the host that was traced."""


# ---- TLS ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CertSeen:
    """A certificate. Times are seconds since the epoch; product: the inspecting product its issuer names, or ""."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: float
    not_after: float
    sha256: str
    is_ca: bool = False
    self_signed: bool = False
    product: str = ""
    pem: str = ""
    """The certificate itself, for authorities in the presented chain only."""


@dataclass(frozen=True, slots=True)
class HandshakeSeen:
    """One TLS handshake to one address.

    hello: how the first message was shaped: `go` (as the installed Go sends it), `small` (under 300 bytes), `large`
    (about 1.5 kB), `pieces` (large, cut into two small segments), `plain` (as the platform's library sends it).
    trusted: which stores verify the chain for `sni`: `go`, `git`, `public` (shipped), each only if tried and well.
    wrong: why the chain fails for the store that Go uses: "", `unknown_authority`, `expired`, `not_yet_valid`,
    `wrong_host`, `incomplete`. alert: the number of a TLS alert from the peer, or -1. first_bytes: what came instead
    of TLS, at most 64 bytes, as text. via: the forward proxy that the connection went through, or "".
    """

    host: str
    address: str
    port: int
    sni: str
    hello: str
    seconds: float
    failure: str = ""
    text: str = ""
    version: str = ""
    alpn: str = ""
    alert: int = -1
    wants_client_certificate: bool = False
    chain: tuple[CertSeen, ...] = ()
    trusted: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()
    """The stores that were tried."""
    wrong: str = ""
    first_bytes: str = ""
    received: int = 0
    """Bytes that came before it failed."""
    mss: int = 0
    via: str = ""
    source: str = "go"


# ---- forward proxies and HTTP ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TunnelSeen:
    """One CONNECT through a forward proxy to `target` (host:port).

    proxy: its URL without credentials; step: where it ended: dial, tls, connect, or request for a plain http target,
    which is asked of the proxy without a tunnel; status: of the answer, 0 without one; wants: schemes of
    Proxy-Authenticate; speaks: what the proxy itself speaks when it differs from its URL (`http` for an https:// URL
    and the reverse), else "".
    """

    proxy: str
    target: str
    step: str
    seconds: float
    status: int = 0
    reason: str = ""
    server: str = ""
    wants: tuple[str, ...] = ()
    body: str = ""
    failure: str = ""
    text: str = ""
    speaks: str = ""
    with_credentials: bool = False


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """One HTTP question and its answer.

    purpose: list, latest, info, mod, zip, supported, lookup, sumdb_latest, go_get, portal, origin, date; root for
    an entry's own root, whose status means nothing; http2 for a question asked once more over HTTP/2, where a failure
    is that of HTTP/2 alone; entry: place in the GOPROXY list or -1. status 0: no answer.
    headers: those that matter, lower case. A redirect is an answer of its own, followed by that of the next place.
    body: its first 4 KiB as text; size and declared: bytes that came and that Content-Length promised (-1 unknown).
    redirect: where it led, as scheme://host/path without query; protocol: HTTP/1.1 or HTTP/2; via: forward proxy or "".
    """

    url: str
    purpose: str
    entry: int = -1
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    size: int = 0
    declared: int = -1
    redirect: str = ""
    protocol: str = ""
    seconds: float = 0.0
    failure: str = ""
    text: str = ""
    via: str = ""
    attempt: int = 1
    """Which repetition of the same question it is."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """For go_get what its page says of the path: prefix, vcs, root, subdir, or why there is nothing: error."""


@dataclass(frozen=True, slots=True)
class SumsSeen:
    """What is known of one version's zip hash; "" where not known. origin: from the version control system.

    entry: the place in the GOPROXY list of the mirror whose zip and database record they are, or -1.
    """

    module: str
    version: str
    go_sum: str = ""
    sumdb: str = ""
    proxy: str = ""
    origin: str = ""
    entry: int = -1


# ---- programs ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunSeen:
    """One run of a real program. label: `go` (as the user would), `retest`, `git ls-remote`, `git get-url`, `ssh`…

    changed: the settings that differ from the user's, NAME=value. exit -1: stopped by the time limit `limit`.
    """

    label: str
    argv: tuple[str, ...]
    exit: int
    seconds: float
    output: str = ""
    changed: tuple[str, ...] = ()
    trace: str = ""
    """What go adds with `-x`: its questions and git's commands, a line each. Not part of `output`."""
    times: tuple[float, ...] = ()
    """When each line of `trace` came, seconds after the start; empty where nobody looked."""
    limit: float = 0.0
    active: float = 0.0
    """When it was seen at work last, seconds after the start, for a run that came to its limit; 0 where it was not."""
    got: int = 0
    """Bytes in the module cache of a run that was ended: what had come by then."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What a run was for: `url`, `rewritten` of get-url; `module`, `version` of go."""


@dataclass(frozen=True, slots=True)
class DateSeen:
    """The Date header of a host. offset: local clock minus that date, seconds."""

    host: str
    offset: float


@dataclass(frozen=True, slots=True)
class Skipped:
    """What could not be looked at, or was not allowed: a stable word or an English key, and the reason for people."""

    what: str
    why: Text


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything one run has seen."""

    schema: str = SCHEMA
    taken: float = 0.0
    seconds: float = 0.0
    version: str = ""
    subject: Subject = field(default_factory=Subject)
    settings: SettingsSeen = field(default_factory=SettingsSeen)
    context: Context = field(default_factory=Context)
    targets: tuple[Target, ...] = ()
    names: tuple[NameSeen, ...] = ()
    dials: tuple[DialSeen, ...] = ()
    hops: tuple[HopSeen, ...] = ()
    handshakes: tuple[HandshakeSeen, ...] = ()
    tunnels: tuple[TunnelSeen, ...] = ()
    answers: tuple[AnswerSeen, ...] = ()
    sums: tuple[SumsSeen, ...] = ()
    runs: tuple[RunSeen, ...] = ()
    dates: tuple[DateSeen, ...] = ()
    skipped: tuple[Skipped, ...] = ()
