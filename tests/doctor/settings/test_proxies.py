"""Forward proxies: what go decides, what git decides, and what people meant."""

import asyncio
import itertools
import os
from collections.abc import Mapping

import pytest

from goferry.doctor.evidence import GitSetting, Proxying, Role, SettingsSeen, Target
from goferry.doctor.settings.hiding import hide, hide_url
from goferry.doctor.settings.proxies import (
    curl_exception,
    decide,
    for_git,
    for_go,
    near_entries,
    read_proxies,
)
from goferry.lab.forward import ForwardProxy
from goferry.net.httpproxy import ProxyConfig

HTTPS = "https://proxy.example.org/x"
HTTP = "http://proxy.example.org/x"
P = "http://p.corp:3128"
TARGET = Target("proxy.example.org", 443, "https", Role.GOPROXY, HTTPS, 0)

# (environment, URL, proxy, rule, near)
GO: list[tuple[dict[str, str], str, str, str, tuple[str, ...]]] = [
    ({}, HTTPS, "", "", ()),
    ({"HTTPS_PROXY": P}, HTTPS, P, "HTTPS_PROXY", ()),
    ({"https_proxy": P}, HTTPS, P, "https_proxy", ()),
    ({"HTTPS_PROXY": "", "https_proxy": P}, HTTPS, P, "https_proxy", ()),
    ({"HTTP_PROXY": P}, HTTP, P, "HTTP_PROXY", ()),
    ({"HTTPS_PROXY": P, "NO_PROXY": "a.corp, .EXAMPLE.org"}, HTTPS, "", ".example.org", ()),
    ({"HTTPS_PROXY": P, "NO_PROXY": "*"}, HTTPS, "", "*", ()),
    ({"HTTPS_PROXY": P}, "https://localhost:8443/", "", "loopback", ()),
    ({"HTTPS_PROXY": P}, "https://127.9.9.9/", "", "loopback", ()),
    # Variables that people trust in and that do not count.
    ({"ALL_PROXY": "socks5://s:1080"}, HTTPS, "", "", ("ALL_PROXY",)),
    ({"HTTP_PROXY": P}, HTTPS, "", "", ("HTTP_PROXY",)),
    ({"HTTPS_PROXY": " http://p"}, HTTPS, "", "", ("HTTPS_PROXY",)),
    ({"HTTPS_PROXY": "http://u:p%@p"}, HTTPS, "", "", ("HTTPS_PROXY",)),
    ({"HTTP_PROXY": P, "REQUEST_METHOD": "GET"}, HTTP, "", "REQUEST_METHOD", ("HTTP_PROXY",)),
    (
        {"HTTPS_PROXY": P, "NO_PROXY": "a.corp", "no_proxy": "proxy.example.org"},
        HTTPS,
        P,
        "HTTPS_PROXY",
        ("no_proxy=proxy.example.org",),
    ),
]


@pytest.mark.parametrize(("environ", "url", "proxy", "rule", "near"), GO)
def test_go_decides(environ: dict[str, str], url: str, proxy: str, rule: str, near: tuple[str, ...]) -> None:
    found = for_go(environ, url)
    assert (found.proxy, found.rule, found.near) == (proxy, rule, near)


# Entries that do not match for Go although somebody wrote them for this host.
NEAR = [
    ("https://proxy.example.org", "proxy.example.org"),
    ("proxy.example.org/", "proxy.example.org"),
    ("proxy.example.org.", "proxy.example.org"),
    ("proxy.example.org:8443", "proxy.example.org"),
    ("a.corp proxy.example.org", "proxy.example.org"),
    ("a.corp;proxy.example.org", "proxy.example.org"),
    ("proxy.*.org", "proxy.example.org"),
    (".barbaz.net", "barbaz.net"),
    ("*.wildcard.io", "wildcard.io"),
    ("10.1.2", "10.1.2.3"),
    ("10.*", "10.1.2.3"),
    ("10.1.2.3:443", "10.1.2.3"),
    ("[fd00::1]", "fd00::1"),
    ("gitlab", "gitlab.corp"),
]


@pytest.mark.parametrize(("entry", "host"), NEAR)
def test_an_entry_that_was_meant_for_the_host_is_near(entry: str, host: str) -> None:
    assert list(near_entries(f"other.example,{entry}", host)) == [entry]
    port = ":8443" if entry == "10.1.2.3:443" else ""
    url = f"https://[{host}]{port}/" if ":" in host else f"https://{host}{port}/"
    assert for_go({"HTTPS_PROXY": P, "NO_PROXY": entry}, url).near == (entry,)


@pytest.mark.parametrize(
    "entry", [".", ",", "", "*x", "corp", "xample.org", "10.0.0.0/8", "roxy.example.org"]
)
def test_an_entry_for_something_else_is_not_near(entry: str) -> None:
    assert list(near_entries(entry, "proxy.example.org")) == []


def test_hiding_a_password_changes_no_decision() -> None:
    users = [
        "u:p",
        "u:p%",
        "u:p#q",
        "u:p/q",
        "dom\\user:pw",
        "u:p@q",
        "u:p%40",
        "tok3n",
        "u:p?q",
        "u:ö",
        "",
        "a.b/c",
    ]
    shapes = [
        "http://{}@p.corp:3128",
        "{}@p.corp:3128",
        "https://{}@p.corp",
        "socks5://{}@p.corp:1080",
        "http:/{}@p.corp",
    ]
    for user, shape in itertools.product(users, shapes):
        value = shape.format(user)
        before, after = (ProxyConfig(https=text).proxy_for(HTTPS) for text in (value, hide_url(value)))
        assert (before.proxy is None) == (after.proxy is None), value
        if before.proxy is not None and after.proxy is not None:
            assert before.proxy.host == after.proxy.host or "p.corp" not in (
                before.proxy.host,
                after.proxy.host,
            ), value


def test_passwords_are_not_kept_in_variables_or_decisions() -> None:
    secret = "hunter2secret"
    for value in (
        f"http://me:{secret}@p:1",
        f"http://me:{secret}/x@p:1",
        f"http://{secret}@p:1",
        f"me:{secret}@p:1",
    ):
        environ = {"HTTPS_PROXY": value, "http_proxy": value}
        seen = SettingsSeen(
            proxies=read_proxies(environ), git=(GitSetting("http.proxy", hide(value), "global", "f"),)
        )
        assert secret not in repr((seen, decide(seen, [TARGET])))


def test_the_variables_are_shown_as_they_are_set() -> None:
    found = read_proxies({"HTTPS_PROXY": "", "no_proxy": "a", "HOME": "/h"})
    assert [(item.name, item.value) for item in found] == [("HTTPS_PROXY", ""), ("no_proxy", "a")]


def test_each_http_host_is_decided_once_for_those_who_talk_to_it() -> None:
    ssh = Target("code.example.org", 22, "ssh", Role.CODE_HOST, "ssh://git@code.example.org/r")
    code = Target("code.example.org", 443, "https", Role.CODE_HOST, "https://code.example.org/r")
    proxy = Target("p.corp", 3128, "http", Role.FORWARD_PROXY, P)
    seen = SettingsSeen(proxies=read_proxies({"HTTPS_PROXY": P, "http_proxy": "http://q"}))
    assert decide(seen, [TARGET, TARGET, ssh, code, proxy]) == (
        Proxying("go", HTTPS, "proxy.example.org", P, "HTTPS_PROXY"),
        Proxying("git", "https://code.example.org/r", "code.example.org", P, "HTTPS_PROXY"),
    )


# ---- git ---------------------------------------------------------------------------------------------------

# (environment without the proxy's address, git's configuration, host, through the proxy?); PROXY is the address.
GIT: list[tuple[dict[str, str], dict[str, str], str, bool]] = [
    ({}, {}, "code.example.org", False),
    ({"http_proxy": "PROXY"}, {}, "code.example.org", True),
    ({"HTTP_PROXY": "PROXY"}, {}, "code.example.org", False),
    ({"https_proxy": "PROXY"}, {}, "code.example.org", False),
    ({"ALL_PROXY": "PROXY"}, {}, "code.example.org", True),
    ({"all_proxy": "PROXY"}, {}, "code.example.org", True),
    ({"http_proxy": "", "ALL_PROXY": "PROXY"}, {}, "code.example.org", False),
    ({"http_proxy": "http://127.0.0.1:9"}, {"http.proxy": "PROXY"}, "code.example.org", True),
    ({"http_proxy": "PROXY"}, {"http.proxy": ""}, "code.example.org", False),
    ({"http_proxy": "PROXY"}, {"http.http://code.example.org/.proxy": ""}, "code.example.org", False),
    ({"http_proxy": "PROXY"}, {"http.http://other.example.org/.proxy": ""}, "code.example.org", True),
    *(
        ({"http_proxy": "PROXY", "no_proxy": entry}, {}, host, through)
        for entry, host, through in (
            ("code.example.org", "code.example.org", False),
            ("example.org", "code.example.org", False),
            (".example.org", "code.example.org", False),
            (".example.org", "example.org", False),
            ("example.org.", "code.example.org", False),
            ("CODE.example.org", "code.example.org", False),
            ("*", "code.example.org", False),
            ("a.corp,code.example.org", "code.example.org", False),
            (" a.corp , code.example.org ", "code.example.org", False),
            ("*.example.org", "code.example.org", True),
            ("*,a.corp", "code.example.org", True),
            ("code.example.org:80", "code.example.org", True),
            ("ode.example.org", "code.example.org", True),
            ("http://code.example.org", "code.example.org", True),
            ("192.0.2.0/24", "192.0.2.7", False),
            ("192.0.2.7", "192.0.2.7", False),
            ("192.0.2.7/32", "192.0.2.7", False),
            ("192.0.2", "192.0.2.7", True),
            ("198.51.100.0/24", "192.0.2.7", True),
            ("code.example.org a.corp", "code.example.org", False),
            ("a.corp, ,code.example.org", "code.example.org", False),
            ("a.corp,,code.example.org", "code.example.org", False),
            ("192.0.2.0/24,a.corp", "192.0.2.7", False),
            ("192.0.2.0/29", "192.0.2.9", True),
            (".", "code.example.org", True),
        )
    ),
    ({"http_proxy": "PROXY", "NO_PROXY": "code.example.org"}, {}, "code.example.org", False),
    ({"http_proxy": "PROXY", "NO_PROXY": "code.example.org", "no_proxy": "a"}, {}, "code.example.org", True),
]


def _git_environment(environ: Mapping[str, str], config: Mapping[str, str], proxy: str) -> dict[str, str]:
    pairs = [(key, value.replace("PROXY", proxy)) for key, value in config.items()]
    numbered = {}
    for number, (key, value) in enumerate(pairs):
        numbered |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return {
        **{name: value.replace("PROXY", proxy) for name, value in environ.items()},
        **numbered,
        "GIT_CONFIG_COUNT": str(len(pairs)),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "HOME": "/nonexistent",
        "PATH": os.environ["PATH"],
    }


@pytest.mark.parametrize(("environ", "config", "host", "through"), GIT)
def test_git_decides(environ: dict[str, str], config: dict[str, str], host: str, through: bool) -> None:
    git = [GitSetting(key.lower(), value, "global", "f") for key, value in config.items()]
    assert bool(for_git(environ, git, f"http://{host}/o/r").proxy) is through


async def test_the_real_git_goes_the_same_ways() -> None:
    """Each case is run against a proxy on loopback that refuses; a direct attempt meets a name that cannot be."""

    async def goes_through(case: tuple[dict[str, str], dict[str, str], str, bool]) -> bool:
        environ, config, host, _want = case
        # `.invalid` in place of a real domain: nobody is asked even when git goes direct.
        safe = host if host[0].isdigit() else host.replace("example.org", "example.invalid")
        safe_environ = {
            name: value.replace("example.org", "example.invalid") for name, value in environ.items()
        }
        safe_config = {key.replace("example.org", "example.invalid"): value for key, value in config.items()}
        # An address is tried on this machine's loopback network.
        safe = safe.replace("192.0.2.", "127.0.2.")
        safe_environ = {name: value.replace("192.0.2", "127.0.2") for name, value in safe_environ.items()}
        async with ForwardProxy(deny=(f"{safe}:80", f"{safe}:9")) as proxy:
            address = f"http://127.0.0.1:{proxy.port}"
            run = await asyncio.create_subprocess_exec(
                "git",
                "ls-remote",
                f"http://{safe}:9/o/r",
                env=_git_environment(safe_environ, safe_config, address),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            await run.wait()
            return bool(proxy.requests)

    cases = [case for case in GIT if not any("http://" in key for key in case[1])]
    for case in cases:
        assert await goes_through(case) is case[3], case


@pytest.mark.parametrize(
    ("no_proxy", "host", "want"),
    [
        ("a.corp code.example.org", "code.example.org", "code.example.org"),
        ("org", "code.example.org", "org"),
        ("g", "code.example.org", ""),
        ("code.example.org a.corp", "code.example.org", "code.example.org"),
        ("2001:db8::/32", "2001:db8::1", "2001:db8::/32"),
        ("", "code.example.org", ""),
        (".", "code.example.org", ""),
    ],
)
def test_the_entry_that_decided_is_told(no_proxy: str, host: str, want: str) -> None:
    assert curl_exception(no_proxy, host) == want


def test_git_says_which_key_or_variable_decided() -> None:
    key = GitSetting("http.https://code.example.org/.proxy", "http://me:pw@q:1", "global", "f")
    assert for_git({"https_proxy": P}, [key], "https://code.example.org/o/r") == Proxying(
        "git", "https://code.example.org/o/r", "code.example.org", "http://q:1", key.key
    )
    assert for_git({"ALL_PROXY": "socks5://s:1080"}, [], HTTPS).rule == "ALL_PROXY"
    assert for_git({"https_proxy": P, "no_proxy": "*.example.org"}, [], HTTPS).near == ("*.example.org",)
    assert for_git({"HTTP_PROXY": P}, [], HTTP).near == ("HTTP_PROXY",)
