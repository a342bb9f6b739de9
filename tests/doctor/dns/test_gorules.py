"""Go's resolver rules: by table, and beside the real Go resolver in a namespace with files and servers of its own."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import dnstwins
import oracle
from goferry.doctor.dns import gorules
from goferry.doctor.evidence import HostsLine, ResolvConf

# Vectors: facts from net/conf_test.go (BSD-3-Clause), for a Go without cgo.
ORDERS = [
    ("", "files,dns"),
    ("files dns", "files,dns"),
    ("dns files", "dns,files"),
    ("dns", "dns"),
    ("files", "files"),
    ("files mdns dns", "files,dns"),
    ("files mdns4_minimal [NOTFOUND=return] dns mdns4", "files,dns"),
    ("files dns myhostname", "files,dns"),
    ("dns files something_custom", "dns,files"),
    ("dns [success=return notfound=continue unavail=continue tryagain=continue] files [notfound=return]", "dns,files"),
    ("resolve [!UNAVAIL=return] files", "dns,files"),
    ("files resolve", "files,dns"),
    ("myhostname", "dns"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "want"), ORDERS)
def test_the_order_of_sources(line: str, want: str) -> None:
    assert gorules.order(line.split()) == want


# Vectors: facts from net/dnsname_test.go (BSD-3-Clause), and of its rule.
NAMES = [
    ("_xmpp-server._tcp.google.com", True),
    ("foo.com", True),
    ("1foo.com", True),
    ("26.0.0.73.com", True),
    ("10-0-0-1", True),
    ("fo-o.com", True),
    ("fo1o.com", True),
    ("foo1.com", True),
    ("a.b..com", False),
    ("a.b-.com", False),
    ("a.b.com-", False),
    ("a.b..", False),
    ("b.com.", True),
    (".", True),
    ("", False),
    ("-a.com", False),
    ("1.2.3", False),
    ("x" * 63 + ".com", True),
    ("x" * 64 + ".com", False),
    (".".join(["x" * 49] * 5) + ".xyz", True),
    (".".join(["x" * 49] * 5) + ".xyzz", False),
    ("füü.example", False),
]


@pytest.mark.parametrize(("name", "want"), NAMES)
def test_which_names_dns_is_asked_for(name: str, want: bool) -> None:
    assert gorules.is_domain_name(name) is want


# Vectors: facts from net/dnsclient_unix_test.go (BSD-3-Clause), TestAvoidDNSName and TestSearchList.
LISTS = [
    ("mail.example.com", (), 1, ("mail.example.com.",)),
    ("mail", ("local.example.",), 1, ("mail.local.example.", "mail.")),
    ("foo.bar", ("local.example.",), 1, ("foo.bar.", "foo.bar.local.example.")),
    ("foo.bar", ("local.example.",), 5, ("foo.bar.local.example.", "foo.bar.")),
    ("foo.bar.", ("local.example.",), 5, ("foo.bar.",)),
    ("secret.onion", ("local.example.",), 1, ("secret.onion.local.example.",)),
    ("secret.onion.", (), 1, ()),
    ("x" * 60, (".".join(["y" * 63] * 3) + ".example.", "ok."), 1, ("x" * 60 + ".ok.", "x" * 60 + ".")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "search", "ndots", "want"), LISTS)
def test_the_full_names_in_their_order(
    name: str, search: tuple[str, ...], ndots: int, want: tuple[str, ...]
) -> None:
    assert gorules.full_names(name, ResolvConf(True, search=search, ndots=ndots)) == want


@pytest.mark.parametrize(
    ("entry", "name", "found"),
    [
        ("a.example", "A.EXAMPLE", True),
        ("a.example", "a.example.", True),
        ("a.example.", "a.example", True),
        ("localhost", "localhost", True),
        ("localhost", "localhost.", False),
        ("a.example", "b.a.example", False),
    ],
)
def test_when_a_line_of_the_hosts_file_counts(entry: str, name: str, found: bool) -> None:
    assert bool(gorules.in_hosts([HostsLine("192.0.2.1", (entry,), 1)], name)) is found


def test_a_line_without_an_address_does_not_count() -> None:
    assert not gorules.in_hosts([HostsLine("192.0.2.300", ("a.example",), 1)], "a.example")


# ---- beside the real Go ------------------------------------------------------------------------------------


@cache
def namespaces() -> bool:
    """Whether we may have network and mount namespaces here."""
    if sys.platform != "linux":
        return False
    try:
        return subprocess.run(["unshare", "-rmn", "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.fixture(scope="module")
def twins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Every case of dnstwins.py, asked of both."""
    if oracle.go_command() is None or not namespaces():
        pytest.skip("needs go and network namespaces")
    folder = tmp_path_factory.mktemp("twins")
    program = folder / "lookup"
    source = Path(__file__).parent / "lookup/main.go"
    subprocess.run(["go", "build", "-o", program, source], check=True, env=oracle.go_env(GO111MODULE="off"))
    targets = ["/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf"]
    files = [folder / Path(target).name for target in targets]
    for path in files:
        path.touch()
    mounts = " && ".join(f"mount --bind {path} {target}" for path, target in zip(files, targets, strict=True))
    command = [sys.executable, dnstwins.__file__, str(program), *map(str, files)]
    run = subprocess.run(
        ["unshare", "-rmn", "sh", "-c", f'{mounts} && exec "$@"', "sh", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "GODEBUG": "netdns=go"},
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)  # type: ignore[no-any-return]


@pytest.mark.go
@pytest.mark.parametrize("case", dnstwins.CHOSEN)
def test_the_probe_sees_what_go_sees(twins: dict[str, Any], case: str) -> None:
    go, ours = twins[case]["go"], twins[case]["ours"]
    assert sorted(ours["addresses"]) == sorted(go["addresses"])
    assert ours["text"] == re.sub(r"\b(read|write|dial) (udp|tcp) [^ ]+:", r"\1 \2:", go["text"])
    # Whole seconds are the time limits of one second each that go waited for.
    assert int(ours["seconds"]) == int(go["seconds"])
