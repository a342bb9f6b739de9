# ruff: noqa: E501  # a table row with a message of go in it is longer than a line
"""Small hand-made evidence for rules: a well world, and functions that break one thing of it each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from goferry.doctor.evidence import (
    AnswerSeen,
    CaFile,
    CertSeen,
    Context,
    DialSeen,
    Evidence,
    HandshakeSeen,
    NameSeen,
    Proxying,
    ResolvConf,
    Role,
    RunSeen,
    Setting,
    SettingsSeen,
    Subject,
    Target,
    TunnelSeen,
)

PROXY: Final = "proxy.example.org"
MIRROR: Final = "mirror.example.net"
SUMDB: Final = "sum.golang.org"
CODE: Final = "git.example.org"
FORWARD: Final = "http://forward.corp.example.com:3128"
MODULE: Final = "example.com/lab/hello"
VERSION: Final = "v1.2.0"
BASE: Final = f"https://{PROXY}/{MODULE}"
INFO: Final = f"{BASE}/@v/{VERSION}.info"
NOW: Final = 1_750_000_000.0
SERVER: Final = "93.184.216.53:53"
PUBLIC_SERVER: Final = "8.8.8.8:53"

ADDRESSES: Final = {
    PROXY: ("93.184.216.10", "2606:2800:220:1::10"),
    MIRROR: ("93.184.216.30", "2606:2800:220:1::30"),
    SUMDB: ("93.184.216.12",),
    CODE: ("93.184.216.20",),
    "example.com": ("93.184.216.21",),
}

Breaking = Callable[[Evidence], Evidence]


def settings(**values: str) -> SettingsSeen:
    """Go variables as they are in the well world, and these."""
    go = {"GOPROXY": f"https://{PROXY}", "GOSUMDB": SUMDB, "GOTOOLCHAIN": "auto", **values}
    return SettingsSeen(
        go_version="go1.26.1",
        go_path="/usr/local/go/bin/go",
        git_version="2.39.5",
        go=tuple(Setting(name, value, "environment") for name, value in go.items()),
        resolv=ResolvConf(exists=True, servers=(SERVER,)),
        roots=(CaFile("go", "/etc/ssl/certs/ca-certificates.crt", True, True, 140),),
        requires=(f"{MODULE}@{VERSION}",),
        tools={"git": "/usr/bin/git"},
    )


def target(
    host: str, role: Role = Role.GOPROXY, entry: int = -1, port: int = 443, scheme: str = "https"
) -> Target:
    return Target(
        host, port, scheme, role, f"{scheme}://{host}/", 0 if role is Role.GOPROXY and entry < 0 else entry
    )


def cert(
    names: Sequence[str], issuer: str = "CN=Public CA", product: str = "", start: float = -30, end: float = 60
) -> CertSeen:
    """A certificate; start and end in days from now."""
    return CertSeen(
        f"CN={names[0]}", issuer, tuple(names), NOW + start * 86400, NOW + end * 86400, "00", product=product
    )


def shake(host: str, address: str = "", **more: Any) -> HandshakeSeen:
    """A handshake that goes well, but for what is given."""
    base: dict[str, Any] = {
        "host": host, "address": address or ADDRESSES[host][0], "port": 443, "sni": host, "hello": "go", "seconds": 0.05,
        "version": "TLSv1.3", "chain": (cert((host,)),), "trusted": ("go", "git", "public"), "tried": ("go", "git", "public"),
    }  # fmt: skip
    if more.get("failure"):
        base |= {"version": "", "chain": (), "trusted": (), "tried": ()}
    if more.get("wrong"):
        base["trusted"] = ()
    return HandshakeSeen(**{**base, **more})


def name(host: str, asker: str = "go", **more: Any) -> NameSeen:
    """What somebody says of a host: its addresses, but for what is given."""
    base: dict[str, Any] = {"addresses": ADDRESSES.get(host, ()), "rcode": "NOERROR", "seconds": 0.01}
    if asker in ("go", "server"):
        base |= {"server": SERVER, "transport": "udp"}
    if asker == "public":
        base |= {"server": PUBLIC_SERVER, "transport": "udp"}
    if more.get("failure"):
        base |= {"addresses": (), "rcode": ""}
    return NameSeen(host, asker, **{**base, **more})


def answer(purpose: str, status: int = 200, entry: int = 0, host: str = PROXY, **more: Any) -> AnswerSeen:
    """A mirror's answer about the module."""
    path = {
        "list": "/@v/list", "latest": "/@latest", "info": f"/@v/{VERSION}.info", "mod": f"/@v/{VERSION}.mod",
        "zip": f"/@v/{VERSION}.zip",
    }.get(purpose, f"/{purpose}")  # fmt: skip
    url = more.pop("url", f"https://{host}/{MODULE}{path}")
    return AnswerSeen(url, purpose, entry, status, **more)


def run(exit: int = 0, output: str = "", seconds: float = 0.5, **more: Any) -> RunSeen:
    """A run of go."""
    return RunSeen("go", ("go", "mod", "download", "-x"), exit, seconds, output, **more)


def retest(*changed: str, exit: int = 0) -> RunSeen:
    return RunSeen("retest", ("go", "mod", "download", "-x"), exit, 0.7, "", changed)


def git(
    exit: int = 0, output: str = "", url: str = f"https://{CODE}/lab/hello", rewritten: str = ""
) -> RunSeen:
    return RunSeen(
        "git ls-remote",
        ("git", "ls-remote"),
        exit,
        0.2,
        output,
        facts={"url": url, "rewritten": rewritten or url},
    )


def tunnel(status: int = 200, host: str = PROXY, **more: Any) -> TunnelSeen:
    base: dict[str, Any] = {"proxy": FORWARD, "target": f"{host}:443", "step": "connect", "seconds": 0.1}
    return TunnelSeen(**{**base, "status": status, **more})


def well(**values: str) -> Evidence:
    """Everything works: one mirror, both families, the checksum database asked directly."""
    hosts = (PROXY, SUMDB, MIRROR)
    return Evidence(
        taken=NOW,
        subject=Subject(),
        settings=settings(**values),
        context=Context(system="linux", has_default_route=True),
        targets=(target(PROXY), target(SUMDB, Role.SUMDB), target(MIRROR, Role.CONTROL)),
        names=tuple(name(host, asker) for host in hosts for asker in ("go", "server")),
        dials=tuple(
            DialSeen(host, address, 443, 0.02) for host in hosts for address in ADDRESSES[host]
        ),
        handshakes=tuple(shake(host, address) for host in hosts for address in ADDRESSES[host]),
        answers=(*(answer(purpose) for purpose in ("list", "info", "mod", "zip")), answer("supported", 404),
                 AnswerSeen(f"https://{SUMDB}/latest", "sumdb_latest", status=200)),
        runs=(run(),),
    )  # fmt: skip


def failing(text: str, evidence: Evidence | None = None, **values: str) -> Evidence:
    """The well world, in which go says this and fails; what a mirror was asked about modules is forgotten."""
    base = evidence or well(**values)
    kept = tuple(each for each in base.answers if each.purpose in ("supported", "sumdb_latest", "portal"))
    return replace(base, runs=(run(1, text),), answers=kept if evidence is None else base.answers)


def dead(evidence: Evidence, host: str, failure: str, *, family: int = 0) -> Evidence:
    """No connection to this host (of this family) stands."""
    dials = tuple(
        replace(dial, failure=failure) if dial.host == host and family in (0, dial.family) else dial
        for dial in evidence.dials
    )
    gone = {dial.address for dial in dials if dial.failure and dial.host == host}
    return replace(
        evidence,
        dials=dials,
        handshakes=tuple(each for each in evidence.handshakes if each.address not in gone),
    )


def shaken(evidence: Evidence, host: str, *others: HandshakeSeen, **change: Any) -> Evidence:
    """Every handshake with a host ends so; and these differentials."""
    return replace(
        evidence,
        handshakes=(
            *(
                shake(each.host, each.address, **change) if each.host == host else each
                for each in evidence.handshakes
            ),
            *others,
        ),
    )


def named(evidence: Evidence, host: str, *seen: NameSeen) -> Evidence:
    """These opinions on a host in place of the well ones."""
    return replace(evidence, names=(*(each for each in evidence.names if each.name != host), *seen))


def through(evidence: Evidence, *tunnels: TunnelSeen, hosts: Sequence[str] = (PROXY, SUMDB)) -> Evidence:
    """The forward proxy stands between us and these hosts."""
    proxying = tuple(
        Proxying(stack, f"https://{host}/", host, FORWARD, "HTTPS_PROXY")
        for host in hosts
        for stack in ("go", "git")
    )
    forward = Target("forward.corp.example.com", 3128, "http", Role.FORWARD_PROXY, FORWARD)
    return replace(
        evidence,
        settings=replace(evidence.settings, proxying=proxying),
        targets=(*evidence.targets, forward),
        tunnels=tunnels,
    )


def with_settings(evidence: Evidence, **change: Any) -> Evidence:
    return replace(evidence, settings=replace(evidence.settings, **change))


def facts(pairs: Mapping[str, str]) -> tuple[Setting, ...]:
    return tuple(Setting(key, value, "shell", f"{key}:1") for key, value in pairs.items())
