"""The first process of a lab's namespaces: it builds the networks and the mounts, runs the servers, and waits.

It says one line of JSON on standard output when everything is there, and ends when its standard input does.
"""

import asyncio
import ctypes
import ipaddress
import json
import logging
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import certifi

from goferry.errors import GoferryError, Unavailable
from goferry.lab import cases
from goferry.lab.client import ETC_FILES
from goferry.lab.internet import CLIENT, GATEWAY, PUBLIC_DNS
from goferry.lab.namespace import FAREWELL
from goferry.lab.scenario import Cache, Network, Roots, Scenario
from goferry.lab.staging import resolvers_of, sites_of, staged
from goferry.lab.wire import Wire, open_tun
from goferry.net.trust import CERT_DIRS, CERT_FILES

_CLONE_NEWNET: Final = 0x40000000
_NEAR, _FAR = "wan0", "lab0"
_FULL: Final = "64k"
"""Room in a full module cache: enough for its own bookkeeping, and for no zip."""


def main() -> int:
    asked = json.loads(sys.argv[1])
    scenario, root = cases.find(asked["scenario"]), Path(asked["root"])
    if not os.environ.get("GOFERRY_DEBUG"):
        # Standard error is the terminal of a user, who came to see a command and not the servers.
        logging.disable()
    try:
        mount_all(scenario, root)
        ends = build_networks(scenario)
        asyncio.run(_serve(scenario, root, ends))
    except BrokenPipeError:
        # Whoever wanted the world has ended before it was ready: nobody else removes its folders.
        shutil.rmtree(root, ignore_errors=True)
        return 1
    except GoferryError as error:
        return _fail(str(error))
    except (OSError, subprocess.CalledProcessError) as error:
        return _fail(f"{type(error).__name__}: {getattr(error, 'stderr', '') or error}")
    return 0


def _fail(why: str) -> int:
    _say({"error": why})
    return 1


def _say(words: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(words) + "\n")
    sys.stdout.flush()


async def _serve(scenario: Scenario, root: Path, ends: "Ends") -> None:
    async with staged(scenario, root, namespace=True, sockets=ends.sockets) as stage:
        fill_roots(scenario, root)
        with Wire(ends.near, ends.far, scenario.network.rules, latency=scenario.network.latency):
            _say({"network": ends.network, "sumdb_key": stage.log.verifier_key})
            said = await asyncio.to_thread(sys.stdin.buffer.read)
    if said != FAREWELL:
        shutil.rmtree(root, ignore_errors=True)


# ---- networks ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ends:
    """Descriptors: the TUN devices on both sides, and the client's network namespace; sockets on its loopback."""

    near: int
    far: int
    network: int
    sockets: dict[tuple[str, int], socket.socket]


def build_networks(scenario: Scenario) -> Ends:
    """The world's network here, the client's in a new namespace, and a TUN device in each."""
    far = open_tun(_FAR)
    _ip(_world_side(scenario))
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.unshare(_CLONE_NEWNET))
    network = os.open("/proc/self/ns/net", os.O_RDONLY)
    near = open_tun(_NEAR)
    _ip(_client_side(scenario.network))
    sockets = _loopback_sockets(scenario)
    _checked(libc.setns(home, _CLONE_NEWNET))
    os.close(home)
    return Ends(near, far, network, sockets)


def _checked(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _ip(commands: Iterable[str]) -> None:
    subprocess.run(
        ["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True, capture_output=True
    )


def _world_side(scenario: Scenario) -> list[str]:
    addresses = {address for site in sites_of(scenario) for address in site.addresses}
    addresses |= {resolver.address for resolver in (*PUBLIC_DNS, *resolvers_of(scenario))}
    four, six = CLIENT
    return [
        "link set lo up",
        f"link set {_FAR} up",
        f"route add {four}/32 dev {_FAR}",
        f"route add {six}/128 dev {_FAR}",
        *(_address(address, "lo") for address in sorted(addresses) if not _is_loopback(address)),
    ]


def _client_side(network: Network) -> list[str]:
    four, six = CLIENT
    commands = ["link set lo up"]
    if not network.plugged:
        return commands
    commands += [f"link set {_NEAR} up", f"addr add {four} peer {GATEWAY[0]} dev {_NEAR}"]
    commands.append(f"route add default via {GATEWAY[0]} dev {_NEAR}")
    if network.ipv6:
        commands += [f"addr add {six}/128 dev {_NEAR} nodad", f"route add ::/0 dev {_NEAR}"]
    return commands


def _loopback_sockets(scenario: Scenario) -> dict[tuple[str, int], socket.socket]:
    """Sockets for sites that are on the client's own machine; made here, they stay in its namespace."""
    places = [(address, site.port) for site in sites_of(scenario) for address in site.addresses]
    return {place: socket.create_server(place) for place in places if _is_loopback(place[0])}


def _address(address: str, device: str) -> str:
    if ipaddress.ip_address(address).version == 6:
        return f"addr add {address}/128 dev {device} nodad"
    return f"addr add {address}/32 dev {device}"


def _is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address).is_loopback


# ---- files of the system -----------------------------------------------------------------------------------


def mount_all(scenario: Scenario, root: Path) -> None:
    """Puts the world's files in the place of this machine's. What the machine does not have is left out."""
    _mount("--make-rprivate", "/")
    for name in ETC_FILES:
        _bind(root / "etc" / name, Path("/etc", name))
    for folder in CERT_DIRS:
        _bind(root / "certs", Path(folder))
    bundle = root / "certs" / "ca-certificates.crt"
    for file in CERT_FILES:
        if not any(Path(file).is_relative_to(folder) for folder in CERT_DIRS):
            _bind(bundle, Path(file))
    _bind(root / "public-store.pem", Path(certifi.where()))
    import pwd  # not on Windows, where the rest of the lab runs on loopback

    # Keys and known hosts of whoever runs this are nobody's business in there.
    _bind(root / "ssh", Path(pwd.getpwuid(0).pw_dir, ".ssh"))
    _spoil_cache(scenario.client.cache, root / "home" / "go" / "pkg" / "mod")


def _spoil_cache(state: Cache, folder: Path) -> None:
    if state is Cache.READ_ONLY:
        _mount("--bind", str(folder), str(folder))
        _mount("-o", "remount,ro,bind", str(folder))
    elif state is Cache.FULL:
        _mount("-t", "tmpfs", "-o", f"size={_FULL}", "lab", str(folder))


def _bind(ours: Path, theirs: Path) -> None:
    if theirs.exists():
        _mount("--bind", str(ours), str(theirs))


def _mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable("cannot mount in a private namespace: {why}", why=done.stderr.strip())


def fill_roots(scenario: Scenario, root: Path) -> None:
    """Writes the client's certificate store, and makes the lab's public authority public to goferry."""
    pki = root / "pki"
    stores = {
        Roots.PUBLIC: ("public",),
        Roots.COMPANY: ("public", "company"),
        Roots.STALE: ("stale",),
        Roots.NONE: (),
    }
    chosen = [(pki / f"{name}.pem").read_bytes() for name in stores[scenario.client.roots]]
    bundle = root / "certs" / "ca-certificates.crt"
    if chosen:
        bundle.write_bytes(b"".join(chosen))
    else:
        bundle.unlink()
    with (root / "public-store.pem").open("ab") as store:
        store.write((pki / "public.pem").read_bytes())


if __name__ == "__main__":
    sys.exit(main())
