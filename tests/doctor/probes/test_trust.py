"""Clocks of hosts and sign-in pages are seen over connections that need not be believed; makers by their names."""

import time
from email.utils import formatdate
from pathlib import Path

import certifi
import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from doctor.probes.probeworld import world
from goferry.doctor import pki
from goferry.doctor.probes.products import PRODUCTS, product_in, product_of
from goferry.doctor.probes.trust import portal_urls, probe_dates, probe_portal
from goferry.lab.forward import ForwardProxy
from goferry.lab.tcp import RESET, STALL, Listener, refused_port
from goferry.lab.tls import Authority, Leaf
from goferry.net.trust import pem_certificates

HERE = "127.0.0.1"
AUTHORITY = Authority()
NAME = "module.example"


def answer(*headers: str, status: str = "200 OK", body: str = "") -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", body]).encode()


def dated(ahead: float, *headers: str) -> bytes:
    """An answer whose clock is that many seconds ahead of ours."""
    return answer(f"Date: {formatdate(time.time() + ahead, usegmt=True)}", *headers)


# ---- clocks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ahead", [0, 3600, -40 * 86400])
@pytest.mark.parametrize("leaf", [None, Leaf.GOOD, Leaf.EXPIRED, Leaf.NOT_YET_VALID])
async def test_the_clock_of_a_host_is_compared_whatever_its_certificate(
    tmp_path: Path, ahead: float, leaf: Leaf | None
) -> None:
    context = None if leaf is None else AUTHORITY.server_context([NAME], leaf)
    async with Listener(dated(ahead), tls=context) as peer:
        url = f"{peer.url.replace(HERE, NAME)}/some/where"
        (seen,) = await probe_dates(world(tmp_path), [url], addresses={NAME: [HERE]})
    assert seen.host == NAME
    assert seen.offset == pytest.approx(-ahead, abs=3)
    assert peer.requests[0].startswith(b"HEAD /some/where HTTP/1.1\r\nHost: module.example:")


async def test_the_time_that_an_answer_lay_in_a_cache_does_not_count(tmp_path: Path) -> None:
    async with Listener(dated(-7200, "Age: 7200")) as peer:
        (seen,) = await probe_dates(world(tmp_path), [peer.url])
    assert seen.offset == pytest.approx(0, abs=3)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(answer(), id="no date"),
        pytest.param(answer("Date: yesterday"), id="no date that can be read"),
        pytest.param(dated(0, "Age: old"), id="no age that can be read"),
        pytest.param(b"220 mail.example ready\r\n\r\n", id="no HTTP"),
    ],
)
async def test_hosts_that_tell_no_time_are_left_out(tmp_path: Path, bad: bytes) -> None:
    with refused_port() as port:
        async with Listener(dated(60)) as good, Listener(bad) as odd:
            urls = [odd.url, f"http://{HERE}:{port}", good.url]
            (seen,) = await probe_dates(world(tmp_path), urls)
    assert seen.offset == pytest.approx(-60, abs=3)


async def test_each_host_is_asked_once(tmp_path: Path) -> None:
    async with Listener(dated(0)) as peer:
        found = await probe_dates(world(tmp_path), [f"{peer.url}/first", f"{peer.url}/second"])
    assert len(found) == len(peer.requests) == 1
    assert b"/first" in peer.requests[0]


async def test_the_clock_is_asked_through_the_proxy_where_there_is_one(tmp_path: Path) -> None:
    async with (
        Listener(dated(300), tls=AUTHORITY.server_context([NAME])) as peer,
        ForwardProxy(routes={f"{NAME}:443": (HERE, peer.port)}) as proxy,
    ):
        url = f"https://{NAME}/"
        (seen,) = await probe_dates(world(tmp_path), [url], {url: f"http://{HERE}:{proxy.port}"})
    assert seen.offset == pytest.approx(-300, abs=3)
    assert proxy.requests[0].target == f"{NAME}:443"


# ---- sign-in pages -----------------------------------------------------------------------------------------


async def test_a_redirect_is_recorded_without_what_it_tells_of_the_user(tmp_path: Path) -> None:
    page = answer(
        "Location: http://user:pw@login.example/portal?mac=00:11&url=x", status="302 Found", body="<html>"
    )
    async with Listener(page) as peer:
        (seen,) = await probe_portal(world(tmp_path), [f"{peer.url}/generate_204"])
    assert (seen.status, seen.redirect) == (302, "http://login.example/portal")
    assert (seen.purpose, seen.body, seen.size, seen.failure) == ("portal", "<html>", 6, "")
    assert "pw" not in repr(seen)
    assert peer.requests[0].startswith(b"GET /generate_204 ")


async def test_only_the_beginning_of_a_page_is_kept(tmp_path: Path) -> None:
    async with Listener(answer("Server: portal", "Set-Cookie: secret", body="x" * 100_000)) as peer:
        (seen,) = await probe_portal(world(tmp_path), [peer.url])
    assert (seen.status, len(seen.body)) == (200, 4096)
    assert seen.headers == {"server": "portal"}


@pytest.mark.parametrize(
    ("peer", "failure"),
    [
        (lambda: Listener(fault=STALL), "first_byte_timeout"),
        (lambda: Listener(fault=RESET), "reset"),
        (lambda: Listener(b"not HTTP\r\n\r\n"), "http_protocol"),
        (lambda: Listener(b"\xff\xfe\r\n\r\n"), "http_protocol"),
    ],
)
async def test_an_answer_that_is_none_has_a_name(tmp_path: Path, peer: object, failure: str) -> None:
    async with peer() as listener:  # type: ignore[operator]
        (seen,) = await probe_portal(world(tmp_path, {"first_byte": 0.3}), [listener.url])
    assert (seen.status, seen.failure) == (0, failure)


async def test_a_host_that_nobody_knows_is_a_failure_in_the_record(tmp_path: Path) -> None:
    (seen,) = await probe_portal(world(tmp_path), portal_urls(["no-such-name.invalid"]))
    assert (seen.url, seen.status) == ("http://no-such-name.invalid/generate_204", 0)
    assert seen.failure.startswith("dns_")


def test_portals_are_looked_for_at_each_host_once() -> None:
    assert portal_urls(["a.example", "2001:db8::1", "a.example"]) == (
        "http://a.example/generate_204",
        "http://[2001:db8::1]/generate_204",
    )


# ---- products ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("issuer", "product"),
    [
        ("CN=Zscaler Intermediate Root CA (zscalertwo.net), O=Zscaler Inc.", "Zscaler"),
        ("CN=ca.example.goskope.com, O=Netskope Inc.", "Netskope"),
        ("CN=Cisco Umbrella Secondary SubCA fra-SG, O=Cisco", "Cisco Umbrella"),
        ("CN=FG100ETK18001234, OU=Certificate Authority, O=Fortinet", "Fortinet FortiGate"),
        ("CN=SANGFOR Root CA", "Sangfor (深信服)"),
        ("CN=深信服科技", "Sangfor (深信服)"),
        ("CN=QAX Root, O=奇安信科技集团", "QAX (奇安信)"),
        ("CN=mitmproxy, O=mitmproxy", "mitmproxy"),
        ("CN=Kaspersky Anti-Virus Personal Root Certificate, O=AO Kaspersky Lab", "Kaspersky"),
        ("CN=PortSwigger CA", "Burp Suite"),
        ("CN=DO_NOT_TRUST_FiddlerRoot", "Fiddler"),
        ("CN=ESET SSL Filter CA, O=ESET, spol. s r. o.", "ESET"),
        ("CN=Example Firewall CA, O=Example Corp", ""),
        ("CN=Password Reset CA, O=Asset Management", ""),
        ("CN=R11, O=Let's Encrypt", ""),
        ("CN=WE1, O=Google Trust Services", ""),
        ("CN=Cloudflare Inc ECC CA-3, O=Cloudflare, Inc.", ""),
        ("CN=Actalis Authentication Root CA, O=Actalis S.p.A.", ""),
        ("", ""),
    ],
)
def test_a_maker_is_known_by_the_words_of_its_certificates(issuer: str, product: str) -> None:
    found = product_in(issuer)
    assert (found.name if found else "") == product


def test_every_product_is_found_by_each_of_its_words_and_no_other_product_is() -> None:
    for product in PRODUCTS:
        for word in product.words:
            assert product_in(f"CN=The {word.upper()} CA") is product


def test_all_names_of_a_chain_are_looked_at() -> None:
    plain, made = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("Office", "Sophos CA")
    )
    assert product_of(plain) == ""
    assert product_of(plain, made) == "Sophos"


def test_no_public_authority_is_taken_for_a_product() -> None:
    roots = list(pki.read(pem_certificates(Path(certifi.where()).read_bytes())))
    assert len(roots) > 100
    assert {product_of(root.subject) for root in roots} == {""}
