"""The module proxy's side: refusals, outages, half answers, and trouble behind it."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import OTHER_MIRROR, ZIP, at, at_proxy, at_storage, path, proxy_says, resolver
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import (
    CODE,
    COMPANY_CODE,
    COMPANY_PROXY,
    PROXY,
    PUBLIC_MIRRORS,
    RESOLVER,
    SECRET_GO_MOD,
    STORAGE,
    company,
    public,
)
from goferry.lab.modules import HELLO
from goferry.lab.scenario import (
    Client,
    Fate,
    Http2Broken,
    Http2Trouble,
    Mend,
    Modules,
    Needs,
    Page,
    PathRule,
    Resolver,
    Scenario,
    Site,
    Tls,
    When,
)
from goferry.lab.tls import Leaf, Manners

_LOCKED: Final = at_proxy(Modules(user="developer:let-me-in"))
_HTTP1: Final = Mend(environ={"GODEBUG": "http2client=0"})
_H2: Final = Tls(manners=Manners(protocols=("h2", "http/1.1")))
_NGINX: Final = (
    "<html>\n<head><title>{0}</title></head>\n<body>\n<center><h1>{0}</h1></center>\n"
    "<hr><center>nginx</center>\n</body>\n</html>\n"
)
_UPSTREAM: Final = (
    f"not found: {HELLO}@v1.2.0: invalid version: git ls-remote -q origin in a temporary folder: exit status 128:\n"
    f"\tfatal: unable to access 'https://{CODE}/lab/hello/': Failed to connect to {CODE} port 443 after 130012 ms: "
    "Connection timed out\n"
)
_UPSTREAM_NAME: Final = (
    f'not found: {HELLO}@v1.2.0: Get "https://{CODE}/lab/hello?go-get=1": '
    f"dial tcp: lookup {CODE} on 8.8.8.8:53: no such host\n"
)
_NO_LOGIN: Final = (
    "not found: {path}: git ls-remote -q origin in a temporary folder: exit status 128:\n"
    f"\tfatal: could not read Username for 'https://{COMPANY_CODE}': terminal prompts disabled\n"
)


def _status(name: str, summary: str, expected: str, status: int, text: str = "", **headers: str) -> Scenario:
    return Scenario(
        name,
        summary,
        expected,
        sites=proxy_says(status, text, "*", **headers),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    )


def _http2(name: str, summary: str, trouble: Http2Trouble) -> Scenario:
    return Scenario(
        name,
        summary,
        "http2_server_fault",
        sites=at_proxy(Http2Broken(trouble), _H2),
        mend=_HTTP1,
        needs=Needs.LOOPBACK,
    )


def _nonsense(name: str, summary: str, trouble: Trouble, pattern: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "goproxy_server_5xx",
        sites=at_proxy(Modules((When(pattern, Fault(trouble)),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    )


_REDIRECTED: Final = at_proxy(
    Modules((When(ZIP, Fault(Trouble.REDIRECT, text=f"https://{STORAGE}/bucket/{{path}}?sig=x")),))
)
_RUN_OUT: Final = (
    "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>\n"
)

SCENARIOS: Final = (
    _status("goproxy-500", N_("The module proxy answers everything with 500."), "goproxy_server_5xx", 500),
    _status("goproxy-502", N_("The module proxy answers everything with 502."), "goproxy_server_5xx", 502),
    _status(
        "goproxy-upstream-timeout",
        N_("The module proxy says that it cannot reach the code host."),
        "goproxy_upstream_unreachable",
        404,
        _UPSTREAM,
    ),
    _status(
        "goproxy-upstream-name",
        N_("The module proxy says that it cannot find the code host."),
        "goproxy_upstream_unreachable",
        500,
        _UPSTREAM_NAME,
    ),
    Scenario(
        "goproxy-lacks-login",
        N_("The company's module proxy may not read the private repository."),
        "goproxy_lacks_vcs_credentials",
        sites=(
            Site(
                (COMPANY_PROXY,),
                Modules((When(f"{COMPANY_CODE}/*", Fault(Trouble.STATUS, 404, _NO_LOGIN)),)),
                company(10),
                inside=True,
            ),
        ),
        client=Client(
            environ={"GOPROXY": f"https://{COMPANY_PROXY}", "GONOSUMDB": COMPANY_CODE}, go_mod=SECRET_GO_MOD
        ),
        wants=N_("The people who run the module proxy have to give it a login for the repository."),
    ),
    Scenario(
        "goproxy-wants-login",
        N_("The module proxy wants a login, and the client has none."),
        "goproxy_lacks_vcs_credentials",
        sites=_LOCKED,
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "goproxy-wrong-login",
        N_("The module proxy refuses the login that netrc has."),
        "goproxy_lacks_vcs_credentials",
        sites=_LOCKED,
        client=Client(files={"{home}/.netrc": f"machine {PROXY} login developer password of-last-year\n"}),
        mend=OTHER_MIRROR,
    ),
    _status(
        "goproxy-403",
        N_("A company's module proxy answers everything with 403."),
        "goproxy_lacks_vcs_credentials",
        403,
        "not allowed\n",
    ),
    Scenario(
        "public-mirror-403",
        N_("A mirror that everybody uses answers this network with 403."),
        "goproxy_host_blocked",
        sites=(Site(PUBLIC_MIRRORS, Page(403, "not available in your region\n"), public(81)),),
        client=Client(environ={"GOPROXY": f"https://{PUBLIC_MIRRORS[0]}"}),
        mend=Mend(environ={"GOPROXY": f"https://{PROXY}"}),
    ),
    Scenario(
        "goproxy-silent",
        N_("The module proxy takes every request and never answers."),
        "goproxy_server_5xx",
        sites=at_proxy(Modules((When("*", Fault(Trouble.STALL)),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
        hangs=True,
    ),
    Scenario(
        "zip-silent",
        N_("The module proxy gives everything but the zip, whose request it never answers."),
        "goproxy_server_5xx",
        sites=at_proxy(Modules((When(ZIP, Fault(Trouble.STALL)),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
        hangs=True,
    ),
    _status(
        "goproxy-429",
        N_("The module proxy limits this client."),
        "rate_limited_429",
        429,
        "too many requests\n",
        Retry_After="30",
    ),
    Scenario(
        "zip-storage-403",
        N_("Zips are redirected to a storage host that refuses with 403."),
        "zip_storage_forbidden",
        sites=(
            *at_proxy(
                Modules(
                    (When(ZIP, Fault(Trouble.REDIRECT, text=f"https://{STORAGE}/bucket/{{path}}?sig=x")),)
                )
            ),
            *at_storage(Page(403, "<Error><Code>AccessDenied</Code></Error>\n", "application/xml")),
        ),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "zip-storage-blocked",
        N_("Zips are redirected to a storage host that is blocked here."),
        "zip_storage_forbidden",
        sites=at_proxy(
            Modules((When(ZIP, Fault(Trouble.REDIRECT, text=f"https://{STORAGE}/bucket/{{path}}?sig=x")),))
        ),
        network=path(PathRule(Fate.RESET, to=public(11))),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "zip-storage-blackhole",
        N_("Zips are redirected to a storage host, and packets to it vanish."),
        "zip_storage_forbidden",
        sites=at_proxy(
            Modules((When(ZIP, Fault(Trouble.REDIRECT, text=f"https://{STORAGE}/bucket/{{path}}?sig=x")),))
        ),
        network=path(PathRule(Fate.DROP, to=public(11))),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "zip-403",
        N_("The module proxy gives everything but zips, which it refuses with 403."),
        "zip_storage_forbidden",
        sites=proxy_says(403, "access denied\n", ZIP),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "zip-storage-token",
        N_("Zips are redirected to a storage host with a token that has run out."),
        "zip_storage_forbidden",
        sites=(*_REDIRECTED, *at_storage(Page(400, _RUN_OUT, "application/xml"))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "zip-storage-denied-name",
        N_("Zips are redirected to a storage host whose name the name server denies."),
        "dns_negative_filter",
        sites=_REDIRECTED,
        network=resolver(Resolver(RESOLVER, denies=(STORAGE,))),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "zip-storage-cert-expired",
        N_("Zips are redirected to a storage host whose certificate has expired."),
        "server_cert_expired",
        sites=(*_REDIRECTED, *at(STORAGE, 11, Modules(), Tls(leaf=Leaf.EXPIRED))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    _nonsense(
        "zip-half", N_("The module proxy keeps half a zip and sends it as a whole one."), Trouble.HALF, ZIP
    ),
    _nonsense(
        "goproxy-not-compressed",
        N_("The module proxy says that its answers are compressed, and they are not."),
        Trouble.NOT_GZIPPED,
        f"{HELLO}/*",
    ),
    Scenario(
        "goproxy-redirects-for-ever",
        N_("The module proxy redirects every request to itself."),
        "goproxy_server_5xx",
        sites=at_proxy(
            Modules((When(f"{HELLO}/*", Fault(Trouble.REDIRECT, text=f"https://{PROXY}/{{path}}")),))
        ),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "zip-redirected-to-http",
        N_("Zips are redirected from https to plain http, which go does not follow."),
        "goproxy_server_5xx",
        sites=at_proxy(Modules((When(ZIP, Fault(Trouble.REDIRECT, text=f"http://{STORAGE}/{{path}}")),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    _status("goproxy-400", N_("The module proxy answers everything with 400."), "goproxy_server_5xx", 400),
    _status(
        "goproxy-guard",
        N_("A guard before the module proxy shows this network a page and lets nothing through."),
        "goproxy_host_blocked",
        403,
        "<html><title>Attention Required!</title>Sorry, you have been blocked</html>\n",
        Server="cloudflare",
    ),
    _status(
        "goproxy-own-forward-proxy",
        N_("The forward proxy on the module proxy's own way out wants a login."),
        "goproxy_upstream_unreachable",
        407,
        "proxy authentication required\n",
    ),
    Scenario(
        "zip-login-page",
        N_("The module proxy sends a sign-in page in place of the zip."),
        "captive_portal",
        sites=at_proxy(Modules((When(ZIP, Fault(Trouble.HTML)),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    _http2(
        "http2-stream-error",
        N_("The server fails every HTTP/2 stream with an internal error."),
        Http2Trouble.RESET_STREAM,
    ),
    _http2("http2-goaway", N_("The server ends every HTTP/2 connection with GOAWAY."), Http2Trouble.GOAWAY),
    Scenario(
        "mirror-lag",
        N_("The module proxy does not know the newest version yet."),
        "mirror_lag_negative_cache",
        sites=at_proxy(
            Modules(
                (When("*/@v/list", Fault(Trouble.REPLACE, body=b"v1.0.0\nv1.1.0\n")),),
                lacks=(f"{HELLO}/@v/v1.2.0.*", f"{HELLO}/@latest"),
            )
        ),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "mirror-negative-cache",
        N_("The module proxy lists the version and still remembers that it was not there."),
        "mirror_lag_negative_cache",
        sites=at_proxy(Modules(lacks=(f"{HELLO}/@v/v1.2.0.*",))),
        mend=OTHER_MIRROR,
    ),
    _status(
        "reverse-proxy-504",
        N_("An nginx before the module proxy gave up waiting."),
        "reverse_proxy_timeout",
        504,
        _NGINX.format("504 Gateway Time-out"),
        Server="nginx",
    ),
    _status(
        "reverse-proxy-no-upstream",
        N_("Behind the load balancer of the module proxy nobody is left."),
        "reverse_proxy_no_live_upstream",
        503,
        "no healthy upstream",
        Server="envoy",
    ),
    Scenario(
        "goproxy-login-page",
        N_("The module proxy sends a sign-in page with status 200."),
        "captive_portal",
        sites=at_proxy(Modules((When("*", Fault(Trouble.HTML)),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "goproxy-sends-to-sign-in",
        N_("The module proxy sends whoever asks to a sign-in page, on a host that nobody knows here."),
        "captive_portal",
        sites=at_proxy(
            Modules((When("*", Fault(Trouble.REDIRECT, text="https://login.corp.example.com/")),))
        ),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-zip-is-none",
        N_("The module proxy sends a line of text in place of a zip."),
        "goproxy_server_5xx",
        sites=at_proxy(Modules((When(ZIP, Fault(Trouble.REPLACE, body=b"no zip\n")),))),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "goproxy-413",
        N_("The server in front of the module proxy finds the zip too large and answers 413."),
        "goproxy_server_5xx",
        sites=proxy_says(413, "<html>413 Request Entity Too Large</html>\n", ZIP),
        mend=OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
)
