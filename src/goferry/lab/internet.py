"""The well world that every scenario starts from: a small internet, and a company's network beside it.

The addresses are ordinary public ones, as nothing else would look like the internet to a tool that knows the reserved
blocks. They exist inside a private network namespace only; on loopback none of them is used.
"""

import re
import shutil
from functools import cache
from pathlib import Path
from typing import Final

from goferry.lab.modules import HELLO, SECRET
from goferry.lab.scenario import (
    ForwardProxying,
    ImportPages,
    Issuer,
    Modules,
    Page,
    Repositories,
    Resolver,
    Site,
    SumDatabase,
    Tls,
)

CLIENT: Final = ("192.168.77.2", "2606:2800:220:77::2")
GATEWAY: Final = ("192.168.77.1", "2606:2800:220:77::1")

PUBLIC_NETS: Final = ("93.184.216.0/24", "2606:2800:220:1::/64")
COMPANY_NETS: Final = ("10.20.0.0/16", "2606:2800:220:20::/64")
PUBLIC_RESOLVERS: Final = ("8.8.8.8", "1.1.1.1", "114.114.114.114", "223.5.5.5")
RESOLVER: Final = "93.184.216.53"
SECOND_RESOLVER: Final = "93.184.216.54"
COMPANY_RESOLVER: Final = "10.20.0.53"

PROXY: Final = "proxy.example.org"
STORAGE: Final = "storage.example.org"
SUMDB: Final = "sum.example.org"
MIRROR: Final = "mirror.example.net"
CODE: Final = "git.example.org"
VANITY: Final = "example.com"
COMPANY_CODE: Final = "git.corp.example.com"
COMPANY_PROXY: Final = "goproxy.corp.example.com"
FORWARD: Final = "forward.corp.example.com"

OTHERS: Final = (
    "www.example.com", "example.org", "www.example.org", "go.dev", "github.com", "gitlab.com",
    "sum.golang.org", "pkg.go.dev", "dns.google", "one.one.one.one", "www.cloudflare.com",
    "cloudflare.com",
)  # fmt: skip
"""Hosts that tools ask to see whether anything works at all. In the lab they are one small web server."""


PUBLIC_MIRRORS: Final = ("goproxy.cn", "goproxy.io")
"""Well-known module proxies, which people and tools fall back to."""


DEFAULT_PROXY: Final = ("93.184.216.82", "2606:2800:220:1::82")
"""Where the module proxy is that go asks when nobody says otherwise."""


@cache
def default_proxy() -> str:
    """The name of that proxy, which the go on PATH has in the go.env file of its root; "" without one."""
    go = shutil.which("go")
    file = None if go is None else Path(go).resolve().parent.parent / "go.env"
    if file is None or not file.is_file():
        return ""
    found = re.search(r"^GOPROXY=https://([^,|/\s]+)", file.read_text(), re.MULTILINE)
    return "" if found is None else found[1]


def public(number: int) -> tuple[str, str]:
    """The addresses of a public host, of both families."""
    return f"93.184.216.{number}", f"2606:2800:220:1::{number}"


def company(number: int) -> tuple[str, ...]:
    """The address of a host in the company."""
    return (f"10.20.0.{number}",)


COMPANY_TLS: Final = Tls(Issuer.COMPANY)

SITES: Final = (
    Site((PROXY,), Modules(), public(10)),
    Site((STORAGE,), Modules(), public(11)),
    Site((SUMDB,), SumDatabase(), public(12)),
    Site((MIRROR,), Modules(), public(30)),
    Site((CODE,), Repositories(), public(20)),
    Site((VANITY,), ImportPages({HELLO: f"https://{CODE}/lab/hello"}), public(21)),
    Site(PUBLIC_MIRRORS, Modules(), public(81)),
    Site(OTHERS, Page(204), public(80)),
    Site(OTHERS, Page(204), public(80), port=80, tls=None),
    Site((COMPANY_CODE,), Repositories(private=("team/secret",)), company(20), inside=True, tls=Tls()),
    Site((COMPANY_PROXY,), Modules(), company(10), inside=True, tls=Tls()),
    Site((FORWARD,), ForwardProxying(), company(8), port=3128, tls=None, inside=True),
)
"""Names, services and addresses. Companies have public certificates for their internal names too."""

RESOLVERS: Final = (Resolver(RESOLVER),)
PUBLIC_DNS: Final = tuple(Resolver(address, inside=False) for address in PUBLIC_RESOLVERS)

GO_ENV: Final = {"GOPROXY": f"https://{PROXY}", "GOSUMDB": "{sumdb_key}"}
"""What the well client has in its go env file."""

GO_MOD: Final = f"module example.com/lab/work\n\ngo 1.21\n\nrequire {HELLO} v1.2.0\n"
MAIN_GO: Final = f'package main\n\nimport _ "{HELLO}"\n\nfunc main() {{}}\n'
SECRET_GO_MOD: Final = f"module example.com/lab/work\n\ngo 1.21\n\nrequire {SECRET} v0.3.0\n"
