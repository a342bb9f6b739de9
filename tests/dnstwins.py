"""Run inside a namespace of its own: the same questions to the real Go resolver and to our probe, case by case.

usage: dnstwins.py LOOKUP_PROGRAM RESOLV_CONF HOSTS NSSWITCH   (the files that are mounted over those in /etc)
"""

import asyncio
import contextlib
import fcntl
import json
import socket
import struct
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sizes
from goferry.doctor.base import Limits, Places, World
from goferry.doctor.dns import question
from goferry.doctor.evidence import HostsLine, ResolvConf, SettingsSeen
from goferry.doctor.probes.names import probe_names
from scriptedns import Ask, NameServer, Script, says, table

A, B = "127.0.0.1", "127.0.0.2"
FULL = "module.example.org."
KNOWN = table(
    {FULL: ["192.0.2.7"], "git.corp.example.": ["192.0.2.9"], "both.example.": ["192.0.2.7", "2001:db8::7"]}
)


@dataclass(frozen=True)
class Case:
    """One world: which script runs on which server, what the files say, and the name to ask for."""

    servers: dict[str, Script]
    name: str = "module.example.org"
    listed: Sequence[str] = (A,)
    search: Sequence[str] = (".",)
    ndots: int = 1
    hosts: Sequence[tuple[str, str]] = ()
    nsswitch: str = "files dns"
    attempts: int = 2
    use_tcp: bool = False
    slow: bool = False
    """Whether go has to sit out a time limit."""

    def files(self) -> tuple[str, str, str]:
        lines = [f"nameserver {server}" for server in self.listed]
        lines += [f"search {' '.join(self.search)}"]
        lines += [f"options timeout:1 attempts:{self.attempts} ndots:{self.ndots}{' use-vc' * self.use_tcp}"]
        hosts = "".join(f"{address}\t{name}\n" for address, name in self.hosts)
        return "\n".join(lines) + "\n", hosts, f"hosts: {self.nsswitch}\n"

    def settings(self) -> SettingsSeen:
        search = tuple(each for each in self.search if each != ".")
        servers = tuple(f"{server}:53" for server in self.listed)
        return SettingsSeen(
            hosts=tuple(
                HostsLine(address, (name,), line) for line, (address, name) in enumerate(self.hosts, 1)
            ),
            nsswitch=tuple(self.nsswitch.split()),
            resolv=ResolvConf(True, servers, search, self.ndots, 1.0, self.attempts, use_tcp=self.use_tcp),
        )


def code(rcode: str) -> Script:
    return lambda ask: [says(ask.query, rcode=rcode)]


def cut(ask: Ask) -> Sequence[bytes]:
    return [says(ask.query, "192.0.2.7", truncated=ask.transport == "udp")]


def silence(_ask: Ask) -> Sequence[bytes]:
    return []


def garbage(ask: Ask) -> Sequence[bytes]:
    return [ask.query.to_wire()[:2] + b"\x81\x80\x00\x01\x00\x09\x00\x00\x00\x00" + b"\xff" * 20]


CASES = {
    "plain": Case({A: KNOWN}),
    "both families": Case({A: KNOWN}, name="both.example"),
    "unknown": Case({A: KNOWN}, name="other.example.org"),
    "empty": Case({A: lambda ask: [says(ask.query)]}),
    "servfail": Case({A: code("SERVFAIL")}),
    "refused": Case({A: code("REFUSED")}),
    "not implemented": Case({A: code("NOTIMP")}),
    "lame": Case({A: lambda ask: [says(ask.query, lame=True)]}),
    "closed port": Case({}),
    "cut": Case({A: cut}),
    "tcp only": Case({A: lambda ask: KNOWN(ask) if ask.transport == "tcp" else code("REFUSED")(ask)}, use_tcp=True),
    "tcp only, closed port": Case({}, use_tcp=True),
    "tcp only, denied": Case({A: KNOWN}, name="other.example.org", use_tcp=True),
    "no route": Case({}, listed=("192.0.2.1",)),
    "servfail, then good": Case({A: code("SERVFAIL"), B: KNOWN}, listed=(A, B)),
    "nxdomain, then good": Case({A: code("NXDOMAIN"), B: KNOWN}, listed=(A, B)),
    "closed, then good": Case({B: KNOWN}, listed=(A, B)),
    "silent, then good": Case({A: silence, B: KNOWN}, listed=(A, B)),
    "silent": Case({A: silence}, attempts=1, slow=True),
    "garbage": Case({A: garbage}, attempts=1, slow=True),
    "lost once": Case({A: lambda ask: KNOWN(ask) if ask.number else []}, slow=True),
    "search": Case({A: KNOWN}, name="git", search=("lab.example", "corp.example")),
    "search, then as given": Case({A: KNOWN}, search=("lab.example", "corp.example"), ndots=5),
    "search in vain": Case({A: KNOWN}, name="svn", search=("lab.example", "corp.example")),
    "search, denied and misbehaving": Case(
        {A: lambda ask: code("SERVFAIL" if "lab" in ask.name else "NXDOMAIN")(ask)}, name="svn", search=("lab.example",)
    ),
    "rooted": Case({A: KNOWN}, name="git.", search=("corp.example",)),
    "number": Case({A: KNOWN}, name="1.2.3"),
    "hosts": Case({A: KNOWN}, hosts=(("192.0.2.20", "MODULE.example.org"), ("2001:db8::20", "module.example.org."))),
    "hosts after dns": Case({A: KNOWN}, hosts=(("192.0.2.20", "module.example.org"),), nsswitch="dns files"),
    "hosts as last resort": Case(
        {A: code("NXDOMAIN")}, hosts=(("192.0.2.20", "module.example.org"),), nsswitch="dns files"
    ),
    "no hosts": Case({A: KNOWN}, hosts=(("192.0.2.20", "module.example.org"),), nsswitch="dns"),
    "no dns": Case({A: KNOWN}, nsswitch="files"),
    "unknown source with dns": Case({A: KNOWN}, hosts=(("192.0.2.20", "module.example.org"),),
                                    nsswitch="resolve [!UNAVAIL=return] files dns"),
    "unknown source without dns": Case({A: KNOWN}, hosts=(("192.0.2.20", "other.example"),), nsswitch="resolve files"),
}  # fmt: skip


CHOSEN = [name for name, case in CASES.items() if sizes.FULL or not case.slow]


def loopback_up() -> None:
    """What `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        get, put, up = 0x8913, 0x8914, 0x1
        request = fcntl.ioctl(sock, get, struct.pack("16sh14x", b"lo", 0))
        flags = struct.unpack_from("h", request, 16)[0] | up
        fcntl.ioctl(sock, put, struct.pack("16sh14x", b"lo", flags))


async def run(case: Case, program: str, files: Sequence[Path]) -> dict[str, object]:
    for path, text in zip(files, case.files(), strict=True):
        path.write_text(text)
    world = World({}, Path("/"), Path("/"), places=Places(root=Path("/nowhere")), limits=Limits(resolve=0.3))
    async with contextlib.AsyncExitStack() as running:
        servers = [
            await running.enter_async_context(NameServer(script, host=host, port=53))
            for host, script in case.servers.items()
        ]
        child = await asyncio.create_subprocess_exec(program, case.name, stdout=asyncio.subprocess.PIPE)
        by_go = json.loads((await child.communicate())[0])
        for server in servers:
            server.asked.clear()
        found = await probe_names(world, case.settings(), [case.name])
    (ours,) = (each for each in found if each.asker == "go")
    theirs = {"addresses": by_go["Addresses"] or [], "text": by_go["Error"], "seconds": by_go["Seconds"]}
    return {
        "go": theirs,
        "ours": {"addresses": ours.addresses, "text": ours.text, "seconds": ours.seconds},
    }


async def main(program: str, *paths: str) -> None:
    results = {
        name: await run(case, program, [Path(path) for path in paths])
        for name, case in CASES.items()
        if name in CHOSEN
    }
    print(json.dumps(results))


if __name__ == "__main__":
    loopback_up()
    question.LISTEN = question.LISTEN_SUSPICIOUS = 0.01  # type: ignore[misc]  # nobody injects replies here
    asyncio.run(main(*sys.argv[1:]))
