"""Which product opened the connection: TLS-inspecting firewalls and programs, by the names in their certificates.

A product that signs traffic anew writes its maker's name into the issuer, unless an administrator gave it a
certificate of the company. So a name found here tells what to look for, and no name found proves nothing: an unknown
private issuer over unrelated hosts is inspection just as well.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509


@dataclass(frozen=True, slots=True)
class Product:
    """`words` are looked for as whole words in the issuer's text, in any case; one is enough.

    is_local: a program on this machine (a debugging proxy, a virus scanner) and not a device of the network.
    """

    name: str
    words: tuple[str, ...]
    is_local: bool = False


PRODUCTS: Final = (
    Product("Zscaler", ("zscaler", "zscalerone", "zscalertwo", "zscloud")),
    Product("Netskope", ("netskope", "goskope")),
    Product("Cisco Umbrella", ("cisco umbrella", "opendns", "umbrella root ca")),
    Product("Cisco Secure Web Appliance", ("ironport", "cisco web security", "cisco swa", "firepower")),
    Product("Fortinet FortiGate", ("fortinet", "fortigate", "fortiproxy", "fortiguard")),
    Product("Palo Alto Networks", ("palo alto networks", "paloalto", "pan-os", "prisma access", "globalprotect")),
    Product("Sophos", ("sophos", "astaro", "cyberoam")),
    Product("Check Point", ("check point", "checkpoint")),
    Product("Symantec Blue Coat", ("blue coat", "bluecoat", "proxysg", "symantec web security", "edge swg")),
    Product("Skyhigh (McAfee Web Gateway)", ("mcafee", "skyhigh", "trellix")),
    Product("Barracuda", ("barracuda", "cudaproxy")),
    Product("WatchGuard", ("watchguard", "fireware")),
    Product("Aruba", ("aruba networks", "clearpass")),
    Product("Huawei", ("huawei", "hisecengine", "secoway")),
    Product("Sangfor (深信服)", ("sangfor", "深信服")),
    Product("QAX (奇安信)", ("qax", "qianxin", "qi-anxin", "奇安信", "legendsec", "网神")),
    Product("TopSec (天融信)", ("topsec", "天融信")),
    Product("Hillstone (山石网科)", ("hillstone", "山石网科")),
    Product("NSFOCUS (绿盟)", ("nsfocus", "绿盟")),
    Product("H3C (新华三)", ("h3c", "新华三")),
    Product("Venustech (启明星辰)", ("venustech", "venus group", "启明星辰")),
    Product("Ubiquiti", ("ubiquiti", "unifi")),
    Product("SonicWall", ("sonicwall",)),
    Product("Forcepoint", ("forcepoint", "websense")),
    Product("Trend Micro", ("trend micro", "interscan", "iwsva")),
    Product("F5", ("f5 ssl orchestrator", "f5 networks")),
    Product("A10 Networks", ("a10 networks", "thunder ssli")),
    Product("Juniper", ("juniper networks", "srx ssl proxy")),
    Product("Smoothwall", ("smoothwall",)),
    Product("Untangle", ("untangle", "arista edge threat management")),
    Product("pfSense or Squid", ("squid", "pfsense", "opnsense")),
    Product("iboss", ("iboss",)),
    Product("Menlo Security", ("menlo security",)),
    Product("Cloudflare Gateway", ("cloudflare for teams", "gateway ca - cloudflare managed", "cloudflare gateway")),
    Product("Lightspeed", ("lightspeed rocket", "lightspeed systems")),
    Product("GoGuardian", ("goguardian",)),
    Product("Kaspersky", ("kaspersky",), is_local=True),
    Product("ESET", ("eset",), is_local=True),
    Product("Avast or AVG", ("avast", "avg web/mail shield", "avg technologies"), is_local=True),
    Product("Bitdefender", ("bitdefender",), is_local=True),
    Product("Dr.Web", ("dr.web", "doctor web", "spider gate"), is_local=True),
    Product("AdGuard", ("adguard",), is_local=True),
    Product("mitmproxy", ("mitmproxy",), is_local=True),
    Product("Charles", ("charles proxy", "xk72"), is_local=True),
    Product("Fiddler", ("fiddler", "do_not_trust_fiddlerroot", "fiddler2"), is_local=True),
    Product("Burp Suite", ("portswigger", "burp"), is_local=True),
    Product("OWASP ZAP", ("owasp zap", "owasp root ca", "zed attack proxy"), is_local=True),
    Product("Proxyman", ("proxyman",), is_local=True),
    Product("Superfish", ("superfish",), is_local=True),
)  # fmt: skip
"""Sources: the makers' documentation of their inspection certificates."""


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Whole words: `eset` is no part of `reset`. Chinese is written without gaps between words."""
    return re.compile("|".join(rf"(?<![a-z0-9]){re.escape(word)}(?![a-z0-9])" for word in words))


_PATTERNS: Final = tuple((product, _pattern(product.words)) for product in PRODUCTS)


def product_of(*names: x509.Name) -> str:
    """The product that one of these names (issuer, or subjects up the chain) tells of; "" for none."""
    found = product_in(" / ".join(str(part.value) for name in names for part in name))
    return found.name if found else ""


def product_in(text: str) -> Product | None:
    """The first product of the table whose words occur in the text."""
    lower = text.lower()
    return next((product for product, pattern in _PATTERNS if pattern.search(lower)), None)
