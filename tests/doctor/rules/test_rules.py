# ruff: noqa: E501  # a table row with a message of go in it is longer than a line
"""Each rule: evidence that it names, and look-alikes at which it stays quiet or another one speaks."""

import re
from dataclasses import dataclass, replace

import pytest

from goferry.doctor.causes import BY_KEY, Whose
from goferry.doctor.evidence import (
    AnswerSeen,
    CaFile,
    Context,
    DateSeen,
    DialSeen,
    Evidence,
    FolderSeen,
    NetrcEntry,
    Proxying,
    ResolvConf,
    Role,
    RunSeen,
    Setting,
    Subject,
    SumsSeen,
)
from goferry.doctor.judge import has_failed, judge, verdict_of
from goferry.doctor.rules import RULES
from goferry.doctor.saying import PHRASES, TELLING
from goferry.doctor.verdict import Certainty, Judgement
from goferry.findings import Text
from ruleworlds import (
    ADDRESSES,
    BASE,
    CODE,
    INFO,
    MIRROR,
    MODULE,
    NOW,
    PROXY,
    SERVER,
    SUMDB,
    VERSION,
    answer,
    cert,
    dead,
    failing,
    git,
    name,
    named,
    retest,
    run,
    settings,
    shake,
    shaken,
    target,
    through,
    tunnel,
    well,
    with_settings,
)

TIMEOUT = f'go: {MODULE}@{VERSION}: Get "{INFO}": dial tcp 93.184.216.10:443: i/o timeout'
TLS_TIMEOUT = f'go: {MODULE}@{VERSION}: Get "{INFO}": net/http: TLS handshake timeout'
RESET = f'go: {MODULE}@{VERSION}: Get "{INFO}": read tcp 10.0.0.2:40000->93.184.216.10:443: read: connection reset by peer'
NOT_FOUND = f"go: {MODULE}@{VERSION}: reading {INFO}: 404 Not Found"
AUTHORITY = f'go: {MODULE}@{VERSION}: Get "{INFO}": tls: failed to verify certificate: x509: certificate signed by unknown authority'
LOOKUP = f'go: {MODULE}@{VERSION}: Get "{INFO}": dial tcp: lookup {PROXY} on {SERVER}: '


def status(code: int, words: str, said: str = "") -> str:
    text = f"go: {MODULE}@{VERSION}: reading {INFO}: {code} {words}"
    return f"{text}\n\tserver response: {said}" if said else text


def with_runs(evidence: Evidence, *runs: RunSeen) -> Evidence:
    return replace(evidence, runs=(*evidence.runs, *runs))


def with_answers(evidence: Evidence, *answers: AnswerSeen) -> Evidence:
    return replace(evidence, answers=(*evidence.answers, *answers))


def private(evidence: Evidence, module: str = "git.corp.example.com/team/secret") -> Evidence:
    """The wanted module is private, and its origin is asked."""
    values = {each.name: each.value for each in evidence.settings.go}
    values |= {
        "GOPRIVATE": "git.corp.example.com",
        "GONOPROXY": "git.corp.example.com",
        "GONOSUMDB": "git.corp.example.com",
    }
    go = tuple(Setting(key, value, "environment") for key, value in values.items())
    return with_settings(evidence, go=go, requires=(f"{module}@v0.3.0",))


def waiting(*urls: str) -> Evidence:
    """go was ended at its limit, and these questions had no answer by then."""
    base = failing("")
    trace = "".join(f"# get {url}\n" for url in urls)
    return replace(base, runs=(run(-1, seconds=12.0, trace=trace, times=(0.5,) * len(urls)),))


def denied_storage(*, others: bool = True) -> Evidence:
    """A mirror redirects the zip to a host that the resolver denies, and others, where they are asked, know."""
    host = "storage.example.org"
    base = with_answers(
        failing(f'go: {MODULE}@{VERSION}: Get "https://{host}/x.zip": dial tcp: lookup {host}: no such host'),
        answer("info"),
        answer("mod"),
        answer("zip", 302, redirect=f"https://{host}/x.zip"),
        answer("zip", 0, url=f"https://{host}/x.zip", failure="dns_not_found"),
    )
    names = (
        name(host, failure="dns_not_found", text="no such host"),
        replace(DENIED_SERVER, name=host),
        *((name(host, "public", addresses=("93.184.216.11",)),) if others else ()),
    )
    storage = target(host, Role.STORAGE)
    return replace(base, targets=(*base.targets, storage), names=(*base.names, *names))


@dataclass(frozen=True)
class Case:
    """Evidence, and the verdict on it. proven: with a failing and a passing side."""

    name: str
    evidence: Evidence
    cause: str
    rule: str
    certainty: Certainty = Certainty.CERTAIN
    proven: bool = False


LIKELY, POSSIBLE = Certainty.LIKELY, Certainty.POSSIBLE

MALFORMED = f"go: {MODULE}@{VERSION}: invalid proxy URL missing scheme: Direct"
NO_RESOLVER = LOOKUP.replace(SERVER, "[::1]:53") + "read udp [::1]:40000->[::1]:53: read: connection refused"
SILENT = name(PROXY, "go", failure="dns_timeout", text=f"lookup {PROXY} on {SERVER}: read udp: i/o timeout")
SILENT_SERVER = name(PROXY, "server", failure="dns_timeout")
DENIED = name(PROXY, "go", failure="dns_not_found", rcode="NXDOMAIN")
DENIED_SERVER = name(PROXY, "server", addresses=(), rcode="NXDOMAIN")
FALSE = ("93.184.216.99",)
INSPECTED = (cert((PROXY,), issuer="CN=Example Firewall CA", product="Fortinet FortiGate"),)
STALLED = {"failure": "stalled"}
FOUR = ADDRESSES[PROXY][0]
SECRET = "git.corp.example.com/team/secret"
SECRET_GIT = "https://git.corp.example.com/team/secret"
GIT_SAID = f"go: {SECRET}@v0.3.0: invalid version: git ls-remote -q --end-of-options origin in $GOMODCACHE/cache/vcs/0: exit status 128:\n\t"
PROMPT = (
    GIT_SAID + "fatal: could not read Username for 'https://git.corp.example.com': terminal prompts disabled"
)
PUBLICKEY = (
    GIT_SAID
    + "git@git.corp.example.com: Permission denied (publickey).\n\tfatal: Could not read from remote repository."
)


TWO = f"https://{PROXY},https://{MIRROR}"
TWO_TARGETS = (target(PROXY), target(MIRROR, entry=1), target(SUMDB, Role.SUMDB))


def two(text: str, value: str = TWO, *answers: AnswerSeen) -> Evidence:
    """Two entries in GOPROXY, and go fails."""
    return with_answers(replace(failing(text, GOPROXY=value), targets=TWO_TARGETS), *answers)


def direct(text: str, *runs: RunSeen) -> Evidence:
    """GOPROXY=direct, with an import host and a code host."""
    targets = (
        target("example.com", Role.IMPORT_HOST),
        target(CODE, Role.CODE_HOST),
        target(SUMDB, Role.SUMDB),
    )
    base = replace(failing(text, GOPROXY="direct"), targets=targets, answers=())
    names = tuple(name(host) for host in ("example.com", CODE))
    dials = tuple(DialSeen(host, ADDRESSES[host][0], 443, 0.02) for host in ("example.com", CODE))
    shakes = (shake("example.com"), shake(CODE))
    return replace(
        base, names=(*base.names, *names), dials=(*base.dials, *dials), handshakes=(*base.handshakes, *shakes),
        runs=(*base.runs, *runs),
    )  # fmt: skip


CASES = (
    # R44, R42
    Case("the cache is not mine", with_settings(well(), folders=(
        FolderSeen("GOMODCACHE", "/home/me/go/pkg/mod", True, False, "root", failure="not_permitted", text="Permission denied"),
        FolderSeen("GOTMPDIR", "/tmp", True, True))), "local_disk_or_permission", "R44", proven=True),
    Case("the disk is full", failing(f"go: {MODULE}@{VERSION}: write /x/cache: no space left on device"),
         "local_disk_or_permission", "R44"),
    Case("a toolchain setting that go refuses", failing('go: invalid GOTOOLCHAIN "latest"', GOTOOLCHAIN="latest"),
         "go_setting_refused", "R54"),
    Case("go.mod wants a newer go", failing("go: go.mod requires go >= 1.99 (running go 1.26.1; GOTOOLCHAIN=local)",
         GOTOOLCHAIN="local"), "toolchain_not_available", "R42"),
    Case("a toolchain that nobody has", failing("go: download go1.99 for linux/amd64: toolchain not available"),
         "toolchain_not_available", "R42"),
    # R46 to R49
    Case("GOPATH mode", failing("go: modules disabled by GO111MODULE=off; see 'go help modules'", GO111MODULE="off"),
         "gopath_mode_ignores_goproxy", "R48"),
    Case("a flag that is none", with_runs(failing('go: parsing $GOFLAGS: non-flag "mod=mod"', GOFLAGS="mod=mod"),
         retest("GOFLAGS=")), "go_setting_refused", "R54", proven=True),
    Case("git forbidden by GOVCS", failing(f"go: {MODULE}@{VERSION}: unrecognized import path \"{MODULE}\": "
         f"GOVCS disallows using git for public {MODULE}; see 'go help vcs'", GOVCS="public:hg"), "go_setting_refused", "R54"),
    Case("a host that nobody knows", named(failing(LOOKUP + "no such host"), PROXY, name(PROXY, "go", addresses=(), rcode="NXDOMAIN"),
         name(PROXY, "public", addresses=(), rcode="NXDOMAIN")), "goproxy_value_malformed", "R46", LIKELY),
    Case("a mirror with a slip in its name", named(failing(
         f'go: {MODULE}@{VERSION}: Get "https://goporxy.cn/{MODULE}/@v/{VERSION}.info": dial tcp: lookup goporxy.cn on {SERVER}: no such host',
         GOPROXY="https://goporxy.cn"), "goporxy.cn", name("goporxy.cn", "go", addresses=(), rcode="NXDOMAIN")),
         "goproxy_value_malformed", "R46", LIKELY),
    Case("a login in the clear", with_runs(dead(failing(f"go: {MODULE}@{VERSION}: refusing to pass credentials to "
         f"insecure URL: http://me:xxxxx@{PROXY}/{MODULE}/@v/list", GOPROXY=f"http://x@{PROXY}"), PROXY, "connect_refused"),
         retest(f"GOPROXY=https://{MIRROR}")), "goproxy_value_malformed", "R46", proven=True),
    Case("a slash in a password", failing(f'go: {MODULE}@{VERSION}: Get "https://me:***@in/x@{PROXY}/{MODULE}/@v/list": '
         "dial tcp: lookup in: no such host", GOPROXY=f"https://x:x@x/x@{PROXY}"), "goproxy_value_malformed", "R46", POSSIBLE),
    Case("a zip that is none", failing("go: zip: not a valid zip file"), "goproxy_server_5xx", "R51", LIKELY),
    Case("a socks proxy that wants a login", through(failing(f'go: Get "{INFO}": socks connect tcp: no acceptable method'),
         tunnel(0, failure="proxy_auth_required", wants=("username/password",))), "forward_proxy_auth_required", "R15", proven=True),
    Case("off", with_runs(failing("go: module lookup disabled by GOPROXY=off", GOPROXY="off"),
         retest(f"GOPROXY=https://{MIRROR}")), "goproxy_off", "R47", proven=True),
    Case("Direct in capitals", failing(MALFORMED, GOPROXY=f"https://{PROXY},Direct"), "goproxy_value_malformed", "R46"),
    Case("a semicolon", with_runs(failing(status(404, "Not Found").replace(PROXY, f"{PROXY};direct"),
         GOPROXY=f"https://{PROXY};direct"), retest(f"GOPROXY=https://{PROXY},direct")),
         "goproxy_value_malformed", "R46", proven=True),
    Case("set where go does not look", with_runs(with_settings(replace(dead(failing(TIMEOUT), PROXY, "connect_timeout"), answers=()),
         elsewhere=(Setting("GOPROXY", f"https://{MIRROR}", "shell", ".bashrc:7"),)), retest(f"GOPROXY=https://{MIRROR}")),
         "goproxy_setting_not_effective", "R49", proven=True),
    # R27
    Case("no network", replace(failing(LOOKUP + "dial udp: connect: network is unreachable"),
         context=Context(system="linux", has_default_route=False),
         names=(name(PROXY, "go", failure="network_unreachable"), name(PROXY, "server", failure="network_unreachable")),
         dials=(), handshakes=(), answers=()), "sandbox_no_network", "R27"),
    # R04 to R07
    Case("no resolv.conf", with_settings(named(failing(NO_RESOLVER), PROXY,
         name(PROXY, "go", server="[::1]:53", failure="connect_refused"), name(PROXY, "public")),
         resolv=ResolvConf(exists=False)), "dns_no_resolv_conf", "R04", proven=True),
    Case("a dead resolver", named(failing(LOOKUP + "read udp: i/o timeout"), PROXY, SILENT, SILENT_SERVER,
         replace(SILENT_SERVER, transport="tcp"), name(PROXY, "public")), "dns_resolver_unreachable", "R05", proven=True),
    Case("only TCP passes to the resolver", named(failing(LOOKUP + "read udp: i/o timeout"), PROXY, SILENT, SILENT_SERVER,
         name(PROXY, "server", transport="tcp")), "dns_resolver_unreachable", "R05", proven=True),
    Case("a dead resolver without second opinion", named(failing(LOOKUP + "read udp: i/o timeout"), PROXY, SILENT, SILENT_SERVER),
         "dns_resolver_unreachable", "R05"),
    Case("the first of two servers is dead", replace(named(well(), PROXY, name(PROXY, "go", seconds=5.0),
         name(PROXY, "server", failure="dns_timeout", seconds=5.0), name(PROXY, "server", server="93.184.216.54:53")),
         runs=(run(seconds=11),)), "dns_slow", "R06", proven=True),
    Case("a denied name", named(failing(LOOKUP + "no such host"), PROXY, DENIED, DENIED_SERVER, name(PROXY, "public")),
         "dns_negative_filter", "R07", proven=True),
    Case("0.0.0.0", named(failing(f'go: Get "{INFO}": dial tcp 0.0.0.0:443: connect: connection refused'), PROXY,
         name(PROXY, "go", addresses=("0.0.0.0",)), name(PROXY, "server", addresses=("0.0.0.0",))),
         "dns_negative_filter", "R07", LIKELY),
    Case("a mirror whose name is denied, without second opinion", named(failing(LOOKUP + "no such host"), PROXY, DENIED, DENIED_SERVER),
         "dns_negative_filter", "R07", POSSIBLE),
    Case("a public mirror that the name server refuses to tell", named(failing(LOOKUP + "server misbehaving"), PROXY,
         name(PROXY, "go", failure="dns_refused", rcode="REFUSED", text="server misbehaving"), name(PROXY, "server", addresses=(), rcode="REFUSED")),
         "dns_negative_filter", "R07", LIKELY),
    # R03, R01
    Case("a sinkhole that refuses", replace(named(failing(TIMEOUT), PROXY, name(PROXY, "go", addresses=("93.46.8.89",))),
         dials=(DialSeen(PROXY, "93.46.8.89", 443, 0.1, "connect_refused"), DialSeen(SUMDB, "93.184.216.12", 443, 0.1)), handshakes=()),
         "dns_hijacked", "R01", LIKELY),
    Case("a hosts line", replace(named(failing(TIMEOUT), PROXY, name(PROXY, "go", addresses=FALSE, line=4),
         name(PROXY, "hosts", addresses=FALSE, line=4), name(PROXY, "server")),
         dials=(DialSeen(PROXY, FALSE[0], 443, 5, "connect_timeout"), DialSeen(PROXY, FOUR, 443, 0.1, source="server"))),
         "hosts_file_override", "R03", proven=True),
    Case("a poisoned answer", replace(named(failing(AUTHORITY), PROXY, name(PROXY, "go", addresses=FALSE),
         name(PROXY, "server", addresses=FALSE), name(PROXY, "public")),
         handshakes=(shake(PROXY, FALSE[0], wrong="wrong_host"), shake(PROXY, source="public"))), "dns_hijacked", "R01", proven=True),
    Case("a known sinkhole", replace(named(failing(TIMEOUT), PROXY, name(PROXY, "go", addresses=("93.46.8.89",))),
         dials=(DialSeen(PROXY, "93.46.8.89", 443, 5, "connect_timeout"),), handshakes=()), "dns_hijacked", "R01", LIKELY),
    Case("a company's inner server with a root that is missing", replace(named(failing(AUTHORITY), PROXY,
         name(PROXY, "go", addresses=("10.20.0.44",)), name(PROXY, "public", addresses=(), rcode="NXDOMAIN")),
         handshakes=(shake(PROXY, "10.20.0.44", wrong="unknown_authority", chain=(cert((PROXY,), issuer="CN=Inner"),)),)),
         "split_horizon", "R02", POSSIBLE),
    # R13 to R19
    Case("no forward proxy there", through(failing(f'go: Get "{INFO}": proxyconnect tcp: dial tcp 10.20.0.8:3128: connect: connection refused'),
         tunnel(0, step="dial", failure="proxy_unreachable")), "forward_proxy_broken", "R13", proven=True),
    Case("a tunnel that ends at once", with_runs(through(replace(failing(f'go: Get "{INFO}": EOF'), handshakes=()),
         tunnel(0, failure="proxy_bad_answer")), retest("HTTPS_PROXY=")), "forward_proxy_broken", "R13", proven=True),
    Case("loopback in a container", replace(through(failing(f'go: Get "{INFO}": proxyconnect tcp: dial tcp 127.0.0.1:7890: connect: connection refused'),
         tunnel(0, proxy="http://127.0.0.1:7890", step="dial", failure="proxy_unreachable")), context=Context(container="docker"),
         settings=replace(settings(), proxying=(Proxying("go", "", PROXY, "http://127.0.0.1:7890", "HTTPS_PROXY"),))),
         "forward_proxy_loopback_in_container", "R14", proven=True),
    Case("407", through(failing(f'go: Get "{INFO}": Proxy Authentication Required'), tunnel(407, wants=("NTLM",))),
         "forward_proxy_auth_required", "R15", proven=True),
    Case("403 for one target", through(replace(failing(f'go: Get "{INFO}": Forbidden'), handshakes=()), tunnel(403), tunnel(host=SUMDB)),
         "forward_proxy_denied", "R16", proven=True),
    Case("502", through(failing(f'go: Get "{INFO}": Bad Gateway'), tunnel(502), tunnel(host=SUMDB)),
         "forward_proxy_overloaded", "R17", proven=True),
    Case("https for a plain proxy", through(failing(f'go: Get "{INFO}": proxyconnect tcp: tls: first record does not look like a TLS handshake'),
         tunnel(0, step="tls", failure="tls_handshake", speaks="http")), "forward_proxy_wrong_scheme", "R18", proven=True),
    Case("an exception that leads nowhere", with_settings(replace(dead(failing(TIMEOUT), PROXY, "connect_timeout"), tunnels=(tunnel(),)),
         proxying=(Proxying("go", "", PROXY, "", ".example.org"),)), "no_proxy_black_hole", "R19", proven=True),
    Case("an exception that is missing", through(replace(named(failing(f'go: Get "{INFO}": Bad Gateway'), PROXY,
         name(PROXY, "go", addresses=("10.20.0.10",))), handshakes=(shake(PROXY, "10.20.0.10"),)), tunnel(502)),
         "no_proxy_missing", "R19", proven=True),
    # R24
    Case("a clock that is wrong", replace(shaken(failing(f'go: Get "{INFO}": tls: failed to verify certificate: x509: certificate has expired or is not yet valid'),
         PROXY, wrong="expired"), taken=NOW + 400 * 86400,
         dates=tuple(DateSeen(host, 400 * 86400) for host in (PROXY, SUMDB))), "clock_skew", "R24", proven=True),
    # R08 to R12, R20
    Case("a blocked mirror", dead(failing(TIMEOUT), PROXY, "connect_timeout"), "goproxy_host_blocked", "R08", proven=True),
    Case("a mirror that refuses", dead(failing(TIMEOUT.replace("i/o timeout", "connect: connection refused")), PROXY, "connect_refused"),
         "goproxy_host_blocked", "R09", proven=True),
    Case("a blocked origin", dead(direct(f'go: {MODULE}@{VERSION}: unrecognized import path "{MODULE}": https fetch: '
         f'Get "https://{MODULE}?go-get=1": dial tcp 93.184.216.21:443: i/o timeout'), "example.com", "connect_timeout"),
         "direct_host_blocked", "R08", proven=True),
    Case("the server name decides", shaken(failing(RESET), PROXY, shake(PROXY, sni="example.com", hello="large"),
         failure="reset"), "sni_filtered", "R10", proven=True),
    Case("a reset at any name", shaken(failing(RESET), PROXY, shake(PROXY, sni="example.com", failure="reset"),
         shake(PROXY, hello="small", failure="reset"), failure="reset"), "middlebox_reset", "R10", LIKELY),
    Case("a close at any name", shaken(failing(f'go: Get "{INFO}": EOF'), PROXY, shake(PROXY, sni="example.com", failure="closed"),
         failure="closed"), "server_closed_silently", "R10", LIKELY),
    Case("IPv6 that dies", replace(failing(TLS_TIMEOUT), handshakes=(shake(PROXY), shake(PROXY, ADDRESSES[PROXY][1], **STALLED))),
         "ipv6_path_broken", "R11", proven=True),
    Case("full packets vanish", shaken(failing(TLS_TIMEOUT), PROXY, shake(PROXY, hello="large", mss=1200),
         shake(PROXY, hello="small", **STALLED), **STALLED), "mtu_blackhole", "R12", proven=True),
    Case("the certificate does not fit", shaken(failing(TLS_TIMEOUT), PROXY, shake(PROXY, hello="plain", **STALLED),
         shake(PROXY, hello="plain", mss=1200), **STALLED), "mtu_blackhole", "R12", proven=True),
    Case("a large hello", shaken(failing(TLS_TIMEOUT), PROXY, shake(PROXY, hello="small"), shake(PROXY, hello="pieces", **STALLED),
         shake(PROXY, sni="example.com", hello="large", **STALLED), **STALLED), "tls_large_clienthello", "R20", proven=True),
    Case("it passes", with_answers(failing(status(503, "Service Unavailable")), answer("info", 503, url=INFO),
         answer("info", 200, url=INFO, attempt=2)), "transient_network", "R41", proven=True),
    # R21 to R23, R26, R50
    Case("inspection", shaken(shaken(failing(AUTHORITY), PROXY, wrong="unknown_authority", chain=INSPECTED), SUMDB,
         wrong="unknown_authority", chain=INSPECTED), "tls_mitm_corporate_ca", "R21"),
    Case("a private authority at one host", shaken(failing(AUTHORITY), PROXY, wrong="unknown_authority",
         chain=(cert((PROXY,), issuer="CN=Nobody"),)), "tls_mitm_corporate_ca", "R21", POSSIBLE),
    Case("git trusts it", shaken(failing(AUTHORITY), PROXY, wrong="unknown_authority", chain=INSPECTED, trusted=("git",)),
         "tls_mitm_corporate_ca", "R21", proven=True),
    Case("an old bundle", shaken(failing(AUTHORITY), PROXY, wrong="unknown_authority", trusted=("public",)),
         "ca_bundle_missing_or_stale", "R22", proven=True),
    Case("no bundle", with_settings(shaken(failing(AUTHORITY), PROXY, wrong="unknown_authority"),
         roots=(CaFile("go", "/etc/ssl/certs/ca-certificates.crt", False, False),)), "ca_bundle_missing_or_stale", "R22"),
    Case("expired", shaken(failing(AUTHORITY), PROXY, wrong="expired", chain=(cert((PROXY,), end=-3),)),
         "server_cert_expired", "R23", proven=True),
    Case("for another host", shaken(failing(AUTHORITY), PROXY, wrong="wrong_host", chain=(cert(("other.example",)),)),
         "server_cert_wrong_host", "R23", LIKELY),
    Case("for another host, at the right place", replace(shaken(failing(AUTHORITY), PROXY, wrong="wrong_host",
         chain=(cert(("other.example",)),)), names=(*well().names, name(PROXY, "public"))), "server_cert_wrong_host", "R23", proven=True),
    Case("old TLS only", shaken(failing(f'go: Get "{INFO}": remote error: tls: protocol version not supported'), PROXY,
         failure="alert", alert=70), "tls_version_mismatch", "R50"),
    Case("a client certificate is wanted", shaken(failing(f'go: Get "{INFO}": remote error: tls: certificate required'), PROXY,
         failure="alert", alert=116, wants_client_certificate=True), "tls_client_certificate_required", "R50"),
    Case("an unknown server name", shaken(failing(f'go: Get "{INFO}": remote error: tls: unrecognized name'), PROXY,
         shake(PROXY, sni="", hello="plain"), failure="alert", alert=112), "tls_server_name_unknown", "R50", proven=True),
    Case("a page in place of a module", with_answers(failing(f"go: {MODULE}@{VERSION}: invalid character '<' looking for beginning of value"),
         answer("info", body="<html>")), "captive_portal", "R26", LIKELY),
    Case("a sign-in page", with_answers(shaken(failing(AUTHORITY), PROXY, wrong="wrong_host", chain=(cert(("portal.hotel.example",), product="x"),)),
         *(AnswerSeen(f"http://{host}/generate_204", "portal", status=302, redirect="http://portal.hotel.example/login") for host in (PROXY, SUMDB))),
         "captive_portal", "R26"),
    # R32 to R36, R39, R40, R51
    Case("a comma before a good entry", two(status(502, "Bad Gateway"), TWO, answer("info", 502, url=INFO),
         *(answer(each, entry=1, host=MIRROR) for each in ("info", "mod", "zip"))), "goproxy_comma_no_fallback", "R32", proven=True),
    Case("a comma, by the re-test", with_runs(two(status(403, "Forbidden"), f"https://{PROXY},direct"), retest(f"GOPROXY=https://{PROXY}|direct")),
         "goproxy_comma_no_fallback", "R32", proven=True),
    Case("no direct", with_runs(failing(NOT_FOUND), git(output=f"{'a' * 40}\trefs/tags/{VERSION}\n"), retest(f"GOPROXY=https://{PROXY},direct")),
         "goproxy_lacks_module_no_direct", "R33", proven=True),
    Case("a mirror that is behind", with_answers(with_runs(failing(NOT_FOUND), git(output=f"{'a' * 40}\trefs/tags/{VERSION}\n")),
         answer("list", body="v1.1.0\n")), "mirror_lag_negative_cache", "R35", proven=True),
    Case("the mirror's own network", failing(status(500, "Internal Server Error", "dial tcp: lookup git.example.org on 8.8.8.8:53: no such host")),
         "goproxy_upstream_unreachable", "R34"),
    Case("a mirror without credentials", failing(status(404, "Not Found", "fatal: could not read Username for 'https://git.corp.example.com': terminal prompts disabled")),
         "goproxy_lacks_vcs_credentials", "R34", LIKELY),
    Case("429", failing(status(429, "Too Many Requests")), "rate_limited_429", "R36"),
    Case("only the zip", with_answers(failing(f"go: {MODULE}@{VERSION}: reading {BASE}/@v/{VERSION}.zip: 403 Forbidden"),
         answer("info"), answer("mod"), answer("zip", 403)), "zip_storage_forbidden", "R39", proven=True),
    Case("the storage's token ran out", with_answers(failing(f"go: {MODULE}@{VERSION}: reading {BASE}/@v/{VERSION}.zip: 400 Bad Request"),
         answer("info"), answer("mod"), answer("zip", 400, url="https://storage.example.org/b/x.zip", body="<Error><Code>ExpiredToken</Code></Error>")),
         "zip_storage_forbidden", "R39", proven=True),
    Case("the storage's name is denied", denied_storage(), "dns_negative_filter", "R07", proven=True),
    Case("the storage's name is denied, and nobody else is asked", denied_storage(others=False), "dns_negative_filter", "R07", POSSIBLE),
    Case("HTTP/2", with_answers(failing(f'go: {MODULE}@{VERSION}: Get "{INFO}": stream error: stream ID 1; INTERNAL_ERROR; received from peer'),
         answer("info", protocol="HTTP/1.1")), "http2_server_fault", "R40", proven=True),
    Case("502 of the only mirror", with_runs(failing(status(502, "Bad Gateway")), retest(f"GOPROXY=https://{MIRROR}")),
         "goproxy_server_5xx", "R51", proven=True),
    Case("nothing alive behind nginx", failing(status(502, "Bad Gateway", "no live upstreams while connecting to upstream")),
         "reverse_proxy_no_live_upstream", "R51"),
    Case("nginx gave up", with_answers(failing(status(504, "Gateway Timeout")), answer("info", 504, url=f"{BASE}/@v/v9.info", headers={"server": "nginx"})),
         "reverse_proxy_timeout", "R51"),
    Case("a mirror that wants a login", with_answers(failing(status(401, "Unauthorized")), answer("info", 401, headers={"www-authenticate": 'Basic realm="x"'})),
         "goproxy_lacks_vcs_credentials", "R51"),
    Case("one's own mirror forbids", with_runs(failing(status(403, "Forbidden")), retest(f"GOPROXY=https://{MIRROR}")),
         "goproxy_lacks_vcs_credentials", "R51", LIKELY),
    Case("everybody's mirror forbids", with_runs(failing(f"go: {MODULE}@{VERSION}: reading https://goproxy.cn/{MODULE}/@v/{VERSION}.info: 403 Forbidden", GOPROXY="https://goproxy.cn"),
         retest(f"GOPROXY=https://{MIRROR}")), "goproxy_host_blocked", "R51", proven=True),
    Case("the law forbids", failing(status(451, "Unavailable For Legal Reasons")), "goproxy_host_blocked", "R51", LIKELY),
    Case("a guard before one's own mirror", failing(status(403, "Forbidden", "<html><title>Attention Required! | Cloudflare</title>")),
         "goproxy_host_blocked", "R51", LIKELY),
    Case("a status that is none of the protocol's", failing(status(400, "Bad Request")), "goproxy_server_5xx", "R51", LIKELY),
    Case("407 of the mirror itself", failing(status(407, "Proxy Authentication Required")), "goproxy_upstream_unreachable", "R34", LIKELY),
    Case("redirects without end", failing(f'go: {MODULE}@{VERSION}: Get "{INFO}": stopped after 10 redirects'), "goproxy_server_5xx", "R51", LIKELY),
    Case("from https to http", failing(f'go: {MODULE}@{VERSION}: Get "http://s.example.org/x.zip": redirected from secure URL {BASE}/@v/{VERSION}.zip to insecure URL http://s.example.org/x.zip'),
         "goproxy_server_5xx", "R51", LIKELY),
    Case("not compressed, as promised", failing(f'go: {MODULE}@{VERSION}: read "{INFO}": gzip: invalid header'), "goproxy_server_5xx", "R51", LIKELY),
    Case("no HTTP", failing(f'go: {MODULE}@{VERSION}: Get "{INFO}": net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0-x"'),
         "goproxy_server_5xx", "R51", LIKELY),
    Case("an empty .info", with_answers(failing(f'go: {MODULE}@{VERSION}: invalid response from proxy "https://{PROXY}": unexpected end of JSON input'),
         answer("info", declared=0)), "goproxy_server_5xx", "R51", LIKELY),
    Case("half a zip", with_answers(failing("go: zip: not a valid zip file"), answer("info"), answer("zip", size=900, body="PK\x03\x04")), "goproxy_server_5xx", "R51", LIKELY),
    Case("a page in place of a zip", with_answers(failing("go: zip: not a valid zip file"), answer("info"), answer("zip", size=9, body="<html>")),
         "captive_portal", "R26", LIKELY),
    Case("a mirror that says nothing", with_answers(waiting(INFO), answer("info", 0, failure="first_byte_timeout", seconds=8.0)),
         "goproxy_server_5xx", "R51", LIKELY),
    Case("a mirror that says nothing, and another that does", with_runs(with_answers(waiting(INFO), answer("info", 0, failure="first_byte_timeout", seconds=8.0)),
         retest(f"GOPROXY=https://{MIRROR}")), "goproxy_server_5xx", "R51", proven=True),
    Case("nobody that is known says nothing", with_answers(replace(waiting(INFO), handshakes=()), answer("info", 0, failure="first_byte_timeout", seconds=8.0)),
         "goproxy_server_5xx", "R51", POSSIBLE),
    # R37, R38, R52
    Case("the database is away", with_answers(replace(dead(failing(f'go: {MODULE}@{VERSION}: verifying module: Get "https://{SUMDB}/lookup/{MODULE}@{VERSION}": dial tcp: i/o timeout'),
         SUMDB, "connect_timeout"), answers=()), answer("info"), answer("zip"), answer("supported", 404),
         AnswerSeen(f"https://{SUMDB}/latest", "sumdb_latest", failure="connect_timeout")), "sumdb_unreachable", "R37", proven=True),
    Case("retagged", replace(failing(f"go: verifying {MODULE}@{VERSION}: checksum mismatch\n\tdownloaded: h1:a\n\tsum.golang.org: h1:b\n\nSECURITY ERROR"),
         sums=(SumsSeen(MODULE, VERSION, sumdb="h1:b", proxy="h1:b", origin="h1:a"),)), "checksum_mismatch_retagged", "R38", proven=True),
    Case("a mirror that is no database", with_answers(replace(failing(f"go: {MODULE}@{VERSION}: verifying module: reading https://{PROXY}/sumdb/{SUMDB}/lookup/{MODULE}@{VERSION}: 502 Bad Gateway"), answers=()),
         AnswerSeen(f"https://{PROXY}/sumdb/{SUMDB}/supported", "supported", 0, 200),
         AnswerSeen(f"https://{PROXY}/sumdb/{SUMDB}/lookup/{MODULE}@{VERSION}", "lookup", 0, 502),
         AnswerSeen(f"https://{SUMDB}/lookup/{MODULE}@{VERSION}", "lookup", -1, 200)), "goproxy_sumdb_mirror_broken", "R52", proven=True),
    # R28 to R31, R45, R53, R25
    Case("port 22 is closed", replace(private(direct(GIT_SAID + "ssh: connect to host git.corp.example.com port 22: Connection timed out")),
         targets=(target("git.corp.example.com", Role.CODE_HOST, port=22, scheme="ssh"),),
         dials=(DialSeen("git.corp.example.com", "10.20.0.20", 22, 5, "connect_timeout"), DialSeen("git.corp.example.com", "10.20.0.20", 443, 0.1))),
         "git_protocol_blocked", "R28", proven=True),
    Case("insteadOf", private(direct(PUBLICKEY, git(128, "git@git.corp.example.com: Permission denied (publickey).", SECRET_GIT, "git@git.corp.example.com:team/secret"))),
         "git_insteadof_ssh", "R29"),
    Case("a key that is not accepted", private(direct(PUBLICKEY)), "git_ssh_key_refused", "R29"),
    Case("no credentials", private(direct(PROMPT, git(128, "fatal: could not read Username for 'https://git.corp.example.com': terminal prompts disabled", SECRET_GIT))),
         "git_credentials_missing", "R30", LIKELY),
    Case("GOPRIVATE is not set", with_settings(failing(f"go: {SECRET}@v0.3.0: verifying module: {SECRET}@v0.3.0: reading https://{SUMDB}/lookup/{SECRET}@v0.3.0: 404 Not Found\n\tserver response: "
         f"not found: {SECRET}@v0.3.0: invalid version: git ls-remote -q: exit status 128:\n\tfatal: could not read Username for 'https://git.corp.example.com': terminal prompts disabled"),
         requires=(f"{SECRET}@v0.3.0",)), "goprivate_not_set", "R31", LIKELY),
    Case("the import page is gone", with_answers(direct(f'go: {MODULE}@{VERSION}: unrecognized import path "{MODULE}": reading https://{MODULE}?go-get=1: 503 Service Unavailable'),
         AnswerSeen(f"https://{MODULE}?go-get=1", "go_get", status=503)), "vanity_host_down", "R45", LIKELY),
    Case("no git", direct(f'go: {MODULE}@{VERSION}: git init --bare in $GOMODCACHE/cache/vcs/0: exec: "git": executable file not found in $PATH'),
         "vcs_binary_missing", "R53"),
    Case("revocation", private(direct(GIT_SAID + "fatal: unable to access 'https://git.corp.example.com/': schannel: CertGetCertificateChain trust error CRYPT_E_REVOCATION_OFFLINE")),
         "revocation_check_slow", "R25", LIKELY),
    # R43
    Case("another path", failing(f"go: {MODULE}@{VERSION}: parsing go.mod:\n\tmodule declares its path as: example.com/other\n\t        but was required as: {MODULE}"),
         "module_path_mismatch", "R43"),
    Case("a zip that breaks the rules", failing(f"go: {MODULE}@{VERSION}: create zip: a.txt: case-insensitive file name collision"),
         "module_zip_invalid", "R43"),
    Case("a version that the mirror's list lacks", with_answers(failing(NOT_FOUND), answer("list", body="v1.0.0\n")), "unknown_revision", "R43", LIKELY),
    Case("no such revision among the tags", direct(f"go: {MODULE}@v9.9.9: invalid version: unknown revision v9.9.9",
         git(output=f"{'a' * 40}\trefs/tags/{VERSION}\n")), "unknown_revision", "R43", proven=True),
    Case("a page to sign in, which git takes for an empty repository", with_answers(
         private(direct("go: git.corp.example.com/team/secret@v0.3.0: reading git.corp.example.com/team/secret/go.mod at revision v0.3.0: unknown revision v0.3.0")),
         AnswerSeen("https://git.corp.example.com/team/secret.git/info/refs?service=git-upload-pack", "origin", status=200, body="<html><input type=password>")),
         "git_credentials_missing", "R30", LIKELY),
    Case("an import host that sends people to sign in", with_answers(
         private(direct("go: git.corp.example.com/team/secret@v0.3.0: unrecognized import path: no go-import meta tags ()")),
         AnswerSeen("https://git.corp.example.com/users/sign_in", "go_get", status=200, body="<html>Sign in", facts={"error": "no go-import tag"})),
         "git_credentials_missing", "R30", LIKELY),
    Case("a module proxy that the page names and that is gone", with_answers(
         direct(f'go: {MODULE}@{VERSION}: Get "https://gone.example.org/{MODULE}/@v/{VERSION}.info": dial tcp: lookup gone.example.org: no such host'),
         AnswerSeen(f"https://{MODULE}?go-get=1", "go_get", status=200, body="<html>", facts={"vcs": "mod", "root": "https://gone.example.org"}),
         AnswerSeen(f"https://gone.example.org/{MODULE}/@v/list", "origin", failure="dns_not_found")), "vanity_host_down", "R45", LIKELY),
    Case("the code host limits", with_answers(direct("go: fatal: unable to access 'https://git.example.org/lab/hello/': The requested URL returned error: 429"),
         AnswerSeen("https://git.example.org/lab/hello/info/refs?service=git-upload-pack", "origin", status=429, headers={"retry-after": "60"})),
         "rate_limited_429", "R36"),
    Case("a tag without its v", direct(f"go: {MODULE}@{VERSION}: invalid version: unknown revision {VERSION}",
         git(output=f"{'a' * 40}\trefs/tags/{VERSION[1:]}\n")), "unknown_revision", "R43", proven=True),
    Case("no such revision", direct(f"go: {MODULE}@v9.9.9: invalid version: unknown revision v9.9.9"), "unknown_revision", "R43"),
)  # fmt: skip


INCOMPLETE = shaken(
    failing(AUTHORITY), PROXY, wrong="incomplete", chain=(cert((PROXY,), issuer="CN=Middle"),)
)
MIDDLE = replace(cert(("Middle",), issuer="CN=Root"), is_ca=True, pem="-----BEGIN")


def best(evidence: Evidence) -> Judgement:
    return judge(evidence)[0]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_names_the_cause_that_the_evidence_shows(case: Case) -> None:
    found = best(case.evidence)
    assert (found.cause, found.rule, found.certainty, found.proven) == (
        case.cause,
        case.rule,
        case.certainty,
        case.proven,
    )


def test_details_hold_neither_words_of_libraries_nor_codes_of_failures() -> None:
    """Every failed record is given the words that asyncio has for it; nobody is shown them."""
    said = [
        str(text)
        for case in CASES
        for judgement in judge(_with_words_of_libraries(case.evidence))
        for text in (judgement.detail, *_sides(judgement))
    ]
    assert len(said) > 200
    codes = {code for code in PHRASES if "_" in code}
    assert [text for text in said if "Errno" in text or codes & set(re.findall(r"\w+", text))] == []


def _sides(judgement: Judgement) -> tuple[Text, ...]:
    proof = judgement.proof
    return () if proof is None else (proof.failing, proof.passing)


def _with_words_of_libraries(evidence: Evidence) -> Evidence:
    raw = "[Errno 111] Connect call failed ('192.0.2.1', 443)"
    groups = ("names", "dials", "handshakes", "tunnels", "answers")
    return replace(
        evidence,
        **{
            group: tuple(
                replace(record, text=raw) if record.failure and record.failure not in TELLING else record
                for record in getattr(evidence, group)
            )
            for group in groups
        },
    )


def test_every_rule_has_a_case() -> None:
    cases = {case.rule for case in CASES}
    assert {rule.code for rule in RULES} - cases <= {"R00"}


def test_every_cause_has_a_rule_but_what_only_captures_show() -> None:
    named = {cause for rule in RULES if rule.code != "R00" for cause in rule.causes}
    assert set(BY_KEY) - named == {"tls_truncated_capture"}


def test_codes_and_titles_are_unique() -> None:
    assert len({rule.code for rule in RULES}) == len({rule.title for rule in RULES}) == len(RULES)


def test_the_first_proven_fault_in_the_order_of_judging_is_the_verdict() -> None:
    evidence = with_runs(
        dead(failing(TIMEOUT, GOPROXY=f"https://{PROXY},direct"), PROXY, "connect_timeout"),
        retest(f"GOPROXY=https://{PROXY}|direct"),
    )
    found = judge(evidence)
    order = [rule.code for rule in RULES]
    proven = [order.index(judgement.rule) for judgement in found if judgement.proven]
    assert proven == sorted(proven)
    verdict = verdict_of(found, failed=True)
    assert verdict is not None
    assert (verdict.cause, verdict.certainty) == ("goproxy_host_blocked", Certainty.CERTAIN)


HOST = Subject(text=PROXY, host=PROXY)


def test_a_host_that_was_asked_about_is_judged_without_go() -> None:
    fine = replace(well(GO111MODULE="off", GOPROXY="Direct"), subject=HOST, runs=(), answers=())
    assert judge(fine) == ()
    blocked = dead(fine, PROXY, "connect_timeout")
    assert [judgement.rule for judgement in judge(blocked)] == ["R08"]
    database = replace(dead(fine, SUMDB, "connect_timeout"), subject=Subject(text=SUMDB, host=SUMDB))
    assert [judgement.cause for judgement in judge(database)] == ["sumdb_unreachable"]


def test_who_is_to_give_the_login_depends_on_who_has_none() -> None:
    (wanted,) = judge(failing(status(401, "Unauthorized")))[:1]
    assert wanted.whose is Whose.YOU
    (forbidden,) = judge(failing(status(403, "Forbidden")))[:1]
    assert forbidden.whose is Whose.MIRROR


def test_a_login_that_was_sent_is_called_refused() -> None:
    without = best(failing(status(401, "Unauthorized")))
    entry = NetrcEntry(PROXY, "me", has_password=True, place="/h/.netrc:1")
    refused = best(with_settings(failing(status(401, "Unauthorized")), netrc=(entry,)))
    assert without.detail.key != refused.detail.key


def test_the_part_that_a_chain_lacks_is_found_where_another_host_sends_it() -> None:
    by_other = best(shaken(INCOMPLETE, MIRROR, chain=(cert((MIRROR,), issuer="CN=Middle"), MIDDLE)))
    assert (by_other.cause, by_other.whose) == ("ca_bundle_missing_or_stale", Whose.MIRROR)
    assert by_other.proof is not None
    assert by_other.proof.passing.parts["host"] == MIRROR
    alone = best(INCOMPLETE)
    assert alone.proof is not None
    assert alone.proof.variable != by_other.proof.variable


FOREIGN = f'go: {MODULE}@{VERSION}: Get "{INFO}": tls: failed to verify certificate: x509: certificate is valid for www.example.net, not {PROXY}'
ELSEWHERE = shaken(failing(FOREIGN), PROXY, wrong="wrong_host", chain=(cert(("www.example.net",)),))


def test_a_foreign_certificate_at_its_own_hosts_address_is_a_lie_until_somebody_else_is_asked() -> None:
    owned = named(ELSEWHERE, "www.example.net", name("www.example.net", addresses=ADDRESSES[PROXY]))
    found = judge(owned)
    assert [(one.cause, one.certainty) for one in found[:2]] == [
        ("dns_hijacked", POSSIBLE),
        ("server_cert_wrong_host", POSSIBLE),
    ]
    assert (best(ELSEWHERE).cause, best(ELSEWHERE).certainty) == ("server_cert_wrong_host", LIKELY)
    asked = replace(owned, names=(*owned.names, name(PROXY, "public")))
    assert best(asked).cause == "server_cert_wrong_host"


def test_a_repository_that_go_still_waited_for_is_blocked() -> None:
    base = direct("")
    slow = replace(base, runs=(run(-1, seconds=12.0, trace="git fetch -f\n", times=(1.0,)),))
    refs = AnswerSeen("https://code.example.net/lab/hello/info/refs", "origin", failure="connect_timeout")
    found = best(with_answers(slow, refs))
    assert (found.cause, found.rule, found.where) == ("direct_host_blocked", "R08", "code.example.net")
    assert found.certainty is LIKELY


def test_a_download_that_only_takes_long_is_no_fault() -> None:
    at_work = replace(
        well(), runs=(run(-1, seconds=12.0, trace=f"# get {INFO}\n# get {INFO}: 200 OK (0.1s)\n"),)
    )
    assert judge(at_work) == ()
    assert not has_failed(at_work)
    stuck = replace(at_work, runs=waiting(INFO).runs)
    assert has_failed(stuck)
    in_git = replace(at_work, runs=(run(-1, seconds=12.0, trace="git fetch -f\n"),))
    assert has_failed(in_git)
    broken = replace(at_work, answers=(answer("zip", 200, failure="idle_timeout"),))
    assert has_failed(broken)


def test_where_there_is_no_go_and_nothing_to_ask_nothing_is_called_sound() -> None:
    assert has_failed(Evidence())
    assert not has_failed(replace(Evidence(), settings=replace(well().settings, go_path="/usr/bin/go")))


FETCH = "cd $GOMODCACHE/cache/vcs/0; git fetch -f\n"
IN_FETCH = f"mkdir -p $GOMODCACHE/cache/vcs/0 # git3 https://code.example.net/lab/hello\n{FETCH}"


def test_a_repository_that_sends_slowly_is_no_fault_and_one_that_has_stopped_may_be() -> None:
    base = direct("")
    cut = replace(run(-1, seconds=30.0, trace=IN_FETCH, times=(0.5, 1.0)), active=29.0, limit=12.0)
    at_work = replace(base, runs=(cut,))
    assert judge(at_work) == ()
    assert not has_failed(at_work)
    silent = replace(base, runs=(replace(cut, active=7.5, seconds=13.5),))
    found = best(silent)
    assert (found.cause, found.certainty, found.where) == (
        "direct_host_blocked",
        POSSIBLE,
        "code.example.net",
    )
    assert "https://code.example.net/lab/hello" in str(found.detail)
    awaited = replace(cut, trace=f"# get {INFO}\n", times=(1.0,))
    assert has_failed(replace(at_work, runs=(awaited,)))


def stopped(evidence: Evidence) -> Evidence:
    """The same, ended at the time limit in the middle of git's work."""
    return replace(evidence, runs=(run(-1, seconds=12.0, trace="git fetch -f\n"), *evidence.runs[1:]))


def test_a_git_that_had_no_answer_over_ssh_is_blocked_there() -> None:
    silent = direct("", git(-1, "", SECRET_GIT, "ssh://git@git.corp.example.com/team/secret"))
    found = best(private(stopped(silent)))
    assert (found.cause, found.rule, found.where) == ("git_protocol_blocked", "R28", "git.corp.example.com")
    by_https = direct("", git(-1, "", SECRET_GIT))
    assert [one for one in judge(private(stopped(by_https))) if one.rule == "R28"] == []


def test_an_import_host_that_says_nothing_is_down() -> None:
    page = AnswerSeen(f"https://{MODULE}?go-get=1", "go_get", failure="first_byte_timeout")
    found = best(with_answers(stopped(direct("")), page))
    assert (found.cause, found.rule) == ("vanity_host_down", "R45")


def test_a_reset_after_a_close_is_the_servers() -> None:
    closes = shaken(
        failing(RESET), PROXY, shake(PROXY, FOUR, hello="small", failure="closed"), failure="reset"
    )
    assert best(closes).cause == "server_closed_silently"
    resets = shaken(
        failing(RESET), PROXY, shake(PROXY, FOUR, hello="small", failure="reset"), failure="reset"
    )
    assert best(resets).cause == "middlebox_reset"
