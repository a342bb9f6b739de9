"""Where the command runs: container, virtual machine, CI, under sudo, with which interfaces.

The same variable is right on a laptop and wrong in a container: 127.0.0.1 is another machine there. So what surrounds
the command is part of the evidence.
"""

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Context, Interface
from goferry.doctor.settings.reading import below
from goferry.smallfiles import is_file, read_bytes, read_text

# The variable that a CI system sets in every job, most particular first: several also set the plain CI.
_CI: Final = (
    ("GITHUB_ACTIONS", "github"),
    ("GITLAB_CI", "gitlab"),
    ("JENKINS_URL", "jenkins"),
    ("TF_BUILD", "azure"),
    ("CIRCLECI", "circleci"),
    ("TRAVIS", "travis"),
    ("BITBUCKET_BUILD_NUMBER", "bitbucket"),
    ("TEAMCITY_VERSION", "teamcity"),
    ("BUILDKITE", "buildkite"),
    ("DRONE", "drone"),
    ("CODEBUILD_BUILD_ID", "codebuild"),
    ("GITEA_ACTIONS", "gitea"),
    ("CI", "other"),
)
_CONTAINER_MARKS: Final = (("/.dockerenv", "docker"), ("/run/.containerenv", "podman"))
_CGROUP_WORDS: Final = (
    ("kubepods", "kubernetes"),
    ("docker", "docker"),
    ("libpod", "podman"),
    ("containerd", "containerd"),
    ("lxc", "lxc"),
)
_MACHINES: Final = (
    (re.compile("kvm|qemu", re.IGNORECASE), "kvm"),
    (re.compile("vmware", re.IGNORECASE), "vmware"),
    (re.compile("virtualbox|innotek", re.IGNORECASE), "virtualbox"),
    (re.compile("xen", re.IGNORECASE), "xen"),
    (re.compile("microsoft corporation|hyper-v", re.IGNORECASE), "hyperv"),
    (re.compile("amazon ec2", re.IGNORECASE), "ec2"),
    (re.compile("google", re.IGNORECASE), "gce"),
    (re.compile("parallels", re.IGNORECASE), "parallels"),
)


def read_context(world: World) -> Context:
    """Everything that is known of the surroundings without asking the network."""
    environ, root = world.environ, world.places.root
    return Context(
        system=sys.platform,
        container=_container(environ, root),
        vm=_virtual_machine(root),
        ci=next((name for variable, name in _CI if environ.get(variable) not in (None, "", "false")), ""),
        is_wsl=_is_wsl(environ, root),
        sudo_user=environ.get("SUDO_USER", ""),
        uid=os.getuid() if hasattr(os, "getuid") else -1,
        home=environ.get("HOME") or environ.get("USERPROFILE") or str(world.home),
        has_default_route=_has_default_route(root),
        interfaces=_interfaces(),
    )


def _container(environ: Mapping[str, str], root: Path) -> str:
    if environ.get("KUBERNETES_SERVICE_HOST"):
        return "kubernetes"
    for mark, name in _CONTAINER_MARKS:
        if is_file(below(root, mark)):
            return name
    told = read_text(below(root, "/run/systemd/container")).strip() or environ.get("container", "")
    if told and told != "wsl":
        return told
    groups = read_text(below(root, "/proc/1/cgroup"))
    return next((name for word, name in _CGROUP_WORDS if word in groups), "")


def _virtual_machine(root: Path) -> str:
    told = " ".join(
        read_text(below(root, f"/sys/class/dmi/id/{name}")).strip() for name in ("sys_vendor", "product_name")
    )
    return next((name for pattern, name in _MACHINES if pattern.search(told)), "")


def _is_wsl(environ: Mapping[str, str], root: Path) -> bool:
    release = read_text(below(root, "/proc/sys/kernel/osrelease")).lower()
    return "microsoft" in release or bool(environ.get("WSL_DISTRO_NAME"))


_ROUTE_UP: Final = 1


def _has_default_route(root: Path) -> bool | None:
    """Whether IPv4 or IPv6 has a default route that is up; None where the kernel does not show its tables so."""
    tables = [below(root, "/proc/net/route"), below(root, "/proc/net/ipv6_route")]
    if not any(is_file(table) for table in tables):
        return None
    four, six = (read_bytes(table).decode("ascii", "replace") for table in tables)
    if not (four or six):
        return (
            None  # also without any route the first table has a line of headings, so these could not be read
        )
    return has_default_route4(four) or has_default_route6(six)


def has_default_route4(table: str) -> bool:
    """/proc/net/route: destination and mask zero, flag UP."""
    rows = (line.split() for line in table.splitlines()[1:])
    return any(
        len(row) > 7 and row[1] == "00000000" and row[7] == "00000000" and int(row[3], 16) & _ROUTE_UP
        for row in rows
    )


def has_default_route6(table: str) -> bool:
    """/proc/net/ipv6_route: ::/0, UP, and not on the loopback device, where the kernel keeps its "unreachable"."""
    rows = (line.split() for line in table.splitlines())
    return any(
        len(row) > 9
        and set(row[0]) == {"0"}
        and row[1] == "00"
        and row[9] != "lo"
        and int(row[8], 16) & _ROUTE_UP
        for row in rows
    )


def _interfaces() -> tuple[Interface, ...]:
    """Loaded here: psutil is only needed for this, and a sandbox may forbid what it asks."""
    try:
        import psutil  # type: ignore[import-untyped]

        stats, addresses = psutil.net_if_stats(), psutil.net_if_addrs()
    except (ImportError, OSError):
        return ()
    return tuple(
        Interface(name, stat.mtu, stat.isup, _ip_addresses(addresses.get(name, [])))
        for name, stat in sorted(stats.items())
    )


def _ip_addresses(found: list[object]) -> tuple[str, ...]:
    import socket

    families = (socket.AF_INET, socket.AF_INET6)
    return tuple(
        str(item.address).partition("%")[0]  # type: ignore[attr-defined]
        for item in found
        if item.family in families  # type: ignore[attr-defined]
    )
