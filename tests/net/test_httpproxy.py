"""Proxy variables mean what they mean to Go: its own test tables, measured cases, and the real code as oracle."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from goferry.errors import Refused
from goferry.net.httpproxy import ProxyConfig, ProxyReason, basic_credentials, split_host_port
from sizes import size

# Vectors: facts from golang/net http/httpproxy/proxy_test.go (BSD-3-Clause), and measured with the go command.
P = "http://p.corp:3128"
HTTP = "http://example.com"
HTTPS = "https://proxy.example.org/x"

# (environment, URL asked for, the proxy's URL or None)
CHOICES: list[tuple[dict[str, str], str, str | None]] = [
    ({"HTTP_PROXY": "127.0.0.1:8080"}, HTTP, "http://127.0.0.1:8080"),
    ({"HTTP_PROXY": "cache.corp.example.com:1234"}, HTTP, "http://cache.corp.example.com:1234"),
    ({"HTTP_PROXY": "cache.corp.example.com"}, HTTP, "http://cache.corp.example.com"),
    ({"HTTP_PROXY": "localhost"}, HTTP, "http://localhost"),
    ({"HTTP_PROXY": "https://cache.corp.example.com"}, HTTP, "https://cache.corp.example.com"),
    ({"HTTP_PROXY": "http://127.0.0.1:8080"}, HTTP, "http://127.0.0.1:8080"),
    ({"HTTP_PROXY": "https://127.0.0.1:8080"}, HTTP, "https://127.0.0.1:8080"),
    ({"HTTP_PROXY": "socks5://127.0.0.1"}, HTTP, "socks5://127.0.0.1"),
    ({"HTTP_PROXY": "foo://host"}, HTTP, "foo://host"),
    ({}, HTTP, None),
    ({"HTTP_PROXY": "a", "HTTPS_PROXY": "b"}, "http://insecure.tld/", "http://a"),
    ({"HTTP_PROXY": "a", "HTTPS_PROXY": "b"}, "https://secure.tld/", "http://b"),
    ({"HTTP_PROXY": "a", "HTTPS_PROXY": "https://b"}, "https://secure.tld/", "https://b"),
    ({"HTTP_PROXY": "a"}, "https://secure.tld/", None),
    ({"HTTP_PROXY": "a"}, "ftp://secure.tld/", None),
    ({"HTTPS_PROXY": "b", "REQUEST_METHOD": "GET"}, "https://secure.tld/", "http://b"),
    ({"HTTP_PROXY": "p", "NO_PROXY": "example.com"}, HTTP, None),
    ({"HTTP_PROXY": "p", "NO_PROXY": ".example.com"}, HTTP, "http://p"),
    ({"HTTP_PROXY": "p", "NO_PROXY": "ample.com"}, HTTP, "http://p"),
    ({"HTTP_PROXY": "p", "NO_PROXY": "example.com"}, "http://foo.example.com", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": ".foo.com"}, HTTP, "http://p"),
    ({"HTTP_PROXY": "p", "NO_PROXY": ".示例.com"}, "http://www.示例.com", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": ".示例.com"}, "http://www.xn--fsq092h.com", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": "xn--fsq092h.com"}, "http://www.示例.com", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": "示例.com"}, "http://www.xn--fsq092h.com", None),
    ({"HTTP_PROXY": "p", "NO_PROXY": "example.com"}, "http://[1000::%25.example.com]:123", "http://p"),
    ({"HTTP_PROXY": "p", "NO_PROXY": ":1"}, HTTP, "http://p"),
    ({"HTTPS_PROXY": "P", "https_proxy": "Q"}, HTTPS, "http://P"),
    ({"HTTPS_PROXY": "", "https_proxy": "Q"}, HTTPS, "http://Q"),
    ({"HTTPS_PROXY": P, "NO_PROXY": "a.corp", "no_proxy": "proxy.example.org"}, HTTPS, P),
    ({"ALL_PROXY": "socks5://s:1080"}, HTTPS, None),
    ({"HTTP_PROXY": P}, HTTPS, None),
    ({"HTTPS_PROXY": " http://p"}, HTTPS, None),
    ({"HTTPS_PROXY": "http://u:p%@p"}, HTTPS, None),
    # Nonsense that still is a proxy: go then says that it cannot look up the host `http`.
    ({"HTTPS_PROXY": "http//p:3128"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": "http:/p:3128"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": '"http://p:3128"'}, HTTPS, 'http://"http'),
    ({"HTTPS_PROXY": "http://u:p#q@p"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": "http://u:p/q@p"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": "http://dom\\user:pw@p"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": "http://p:abc"}, HTTPS, "http://http"),
    ({"HTTPS_PROXY": "//p:3128"}, HTTPS, "http://"),
    ({"HTTPS_PROXY": "http://u:p@q@p.corp:3128"}, HTTPS, P),
    ({"HTTPS_PROXY": "socks5h://s:1080"}, HTTPS, "socks5h://s:1080"),
    ({"HTTPS_PROXY": "http://[2001:db8::1]:3128"}, HTTPS, "http://[2001:db8::1]:3128"),
]

LIST = (
    "foobar.com, .barbaz.net, *.wildcard.io, 192.168.1.1, 192.168.1.2:81, 192.168.1.3:80, 10.0.0.0/30, "
    "2001:db8::52:0:1, [2001:db8::52:0:2]:443, [2001:db8::52:0:3]:80, 2002:db8:a::45/64"
)
LIST_DIRECT = """
    localhost 127.0.0.1 127.0.0.2 [::1] 192.168.1.1 192.168.1.3 10.0.0.2 [2001:db8::52:0:1] [2001:db8::52:0:3]
    [2002:db8:a::123] www.barbaz.net foobar.com www.foobar.com nested.wildcard.io
"""
LIST_PROXY = """
    [::2] 192.168.1.2 192.168.1.4 [2001:db8::52:0:2] [fe80::424b:c8be:1643:a1b6] barbaz.net foofoobar.com baz.com
    localhost.net local.localhost barbarbaz.net wildcard.io awildcard.io
"""

# (NO_PROXY, host with port if it is not 443, whether the request goes past the proxy)
ENTRIES: list[tuple[str, str, bool]] = [
    *(
        (entry, "proxy.example.org", True)
        for entry in (
            "proxy.example.org",
            "example.org",
            ".example.org",
            "*.example.org",
            "org",
            "PROXY.EXAMPLE.ORG",
            "proxy.example.org:443",
            "*",
            "*,a.corp",
            "a.corp,*",
            " a.corp , proxy.example.org ",
        )
    ),
    *(
        (entry, "proxy.example.org", False)
        for entry in (
            "https://proxy.example.org",
            "proxy.example.org/",
            "proxy.example.org.",
            "proxy.example.org:8443",
            "a.corp proxy.example.org",
            "a.corp;proxy.example.org",
            "proxy.*.org",
            "142.250.0.0/15",
            ".",
            ",",
        )
    ),
    ("10.0.0.0/8", "10.1.2.3", True),
    ("10.1.2.3", "10.1.2.3", True),
    ("10.1.2.3", "10.1.2.3:8443", True),
    ("fd00::/8", "[fd00::1]", True),
    ("fd00::1", "[fd00::1]", True),
    ("gitlab", "gitlab", True),
    ("corp", "gitlab.corp", True),
    ("10.1.2", "10.1.2.3", False),
    ("10.*", "10.1.2.3", False),
    ("10.1.2.3:443", "10.1.2.3:8443", False),
    ("[fd00::1]", "[fd00::1]", False),
    ("gitlab", "gitlab.corp", False),
    ("", "foo.localhost", False),
    ("", "0.0.0.0", False),
    ("", "host.docker.internal", False),
]


@pytest.mark.parametrize(("env", "url", "want"), CHOICES)
def test_the_variables_choose_as_in_go(env: dict[str, str], url: str, want: str | None) -> None:
    assert ProxyConfig.from_env(env).proxy_for(url).url == want


@pytest.mark.parametrize(
    ("host", "direct"), [(h, True) for h in LIST_DIRECT.split()] + [(h, False) for h in LIST_PROXY.split()]
)
def test_a_list_of_exceptions_holds_for_hosts(host: str, direct: bool) -> None:
    choice = ProxyConfig(http="p", no_proxy=LIST).proxy_for(f"http://{host}/")
    assert (choice.proxy is None) is direct


@pytest.mark.parametrize(("entry", "host", "direct"), ENTRIES)
def test_a_single_exception_holds_as_in_go(entry: str, host: str, direct: bool) -> None:
    choice = ProxyConfig(https=P, no_proxy=entry).proxy_for(f"https://{host}/x")
    assert (choice.proxy is None) is direct


def test_a_cgi_program_refuses_the_variable_that_a_header_can_set() -> None:
    config = ProxyConfig.from_env({"HTTP_PROXY": "http://127.0.0.1:8080", "REQUEST_METHOD": "POST"})
    with pytest.raises(Refused, match="CGI"):
        config.proxy_for(HTTP)


def test_the_choice_says_why() -> None:
    config = ProxyConfig(https=P, no_proxy="a.corp, Example.org")
    why = {
        url: (c.reason, c.matched)
        for url in (HTTPS, "https://other.net", "https://[::1]:8", HTTP)
        if (c := config.proxy_for(url))
    }
    assert why == {
        HTTPS: (ProxyReason.NO_PROXY, "example.org"),
        "https://other.net": (ProxyReason.PROXY, ""),
        "https://[::1]:8": (ProxyReason.LOOPBACK, ""),
        HTTP: (ProxyReason.NOT_CONFIGURED, ""),
    }


def test_the_last_at_ends_the_password_and_escapes_are_undone() -> None:
    proxy = ProxyConfig(https="http://us%40er:p@q%2F@p.corp:3128").https
    assert proxy is not None
    assert (proxy.user, proxy.password, proxy.host, proxy.effective_port) == (
        "us@er",
        "p@q/",
        "p.corp",
        "3128",
    )
    assert "p@q" not in str(proxy)
    assert basic_credentials("us@er", "p@q/") == "Basic dXNAZXI6cEBxLw=="


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a:1", ("a", "1")),
        (":1", ("", "1")),
        ("a:", ("a", "")),
        ("[::1]:80", ("::1", "80")),
        ("a", None),
        ("::1", None),
        ("[::1]", None),
        ("[::1]x:80", None),
        ("[a[:80", None),
        ("a]:80", None),
    ],
)
def test_host_and_port_are_split_as_in_go(text: str, want: tuple[str, str] | None) -> None:
    assert split_host_port(text) == want


# --- the real code as oracle ------------------------------------------------------------------------------------------

Ask = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def go_rules(tmp_path_factory: pytest.TempPathFactory) -> Ask:
    """httpproxy as vendored in GOROOT, compiled in a GOPATH of its own because nothing outside std may import it."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs the go command with its sources")
    gopath = tmp_path_factory.mktemp("gopath")
    root = subprocess.run([go, "env", "GOROOT"], capture_output=True, text=True, check=True).stdout.strip()
    shutil.copytree(Path(root, "src", "vendor", "golang.org"), gopath / "src" / "golang.org")
    program = gopath / "proxy"
    source = Path(__file__).parent / "oracle" / "proxy.go"
    env = {**os.environ, "GOPATH": str(gopath), "GO111MODULE": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    subprocess.run([go, "build", "-o", program, source], env=env, check=True)

    def ask(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
        lines = "".join(json.dumps(question) + "\n" for question in questions)
        # A program from a GOPATH gets the compatibility settings of old Go; the go command itself runs with this one.
        env = {**os.environ, "GODEBUG": "urlstrictcolons=1"}
        run = subprocess.run([program], input=lines, capture_output=True, text=True, check=True, env=env)
        return [json.loads(line) for line in run.stdout.splitlines()]

    return ask


def ours(question: dict[str, Any]) -> dict[str, Any]:
    """Our answer in the words of the oracle."""
    blank = {"Scheme": "", "Host": "", "Port": "", "User": "", "Password": ""}
    flags = {"Direct": False, "HasUser": False, "HasPassword": False, "BadURL": False, "Refused": False}
    config = ProxyConfig(question["HTTP"], question["HTTPS"], question["No"], cgi=question["CGI"])
    try:
        proxy = config.proxy_for(question["URL"]).proxy
    except Refused:
        return {**blank, **flags, "Refused": True}
    if proxy is None:
        return {**blank, **flags, "Direct": True}
    named = {"Scheme": proxy.scheme, "Host": _shown(proxy.host), "Port": proxy.port}
    secret = {"User": _shown(proxy.user or ""), "Password": _shown(proxy.password or "")}
    return {
        **named,
        **secret,
        **flags,
        "HasUser": proxy.user is not None,
        "HasPassword": proxy.password is not None,
    }


def _shown(text: str) -> str:
    """As JSON shows it: bytes that are no UTF-8 become a replacement character each."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text)


_NAMES = """
    example.org proxy.example.org example.org. a.corp a_b.corp localhost LOCALHOST foo.localhost 127.0.0.1 10.1.2.3
    010.1.2.3 1.2.3 [::1] [fd00::1] [::ffff:10.1.2.3] [::ffff:127.0.0.1] [fe80::1%25eth0]
    示例.com www.示例.com xn--fsq092h.com
"""
_HOSTS = st.sampled_from(_NAMES.split())
_PORTS = st.sampled_from(["", ":80", ":443", ":8443", ":"])
_TARGETS = st.builds(
    lambda s, h, p: f"{s}://{h}{p}/x", st.sampled_from(["http", "https", "ftp"]), _HOSTS, _PORTS
)
_ODD = st.text(st.sampled_from("ab.:/@[]%25#?*,; \\\"'1é0_-+\t"), max_size=14)
_ENTRY = st.one_of(
    st.builds(lambda a, h, b: a + h + b, st.sampled_from(["", ".", "*.", " ", "*"]), _HOSTS, _PORTS),
    st.sampled_from(
        [
            "10.0.0.0/8",
            "fd00::/8",
            "::ffff:10.0.0.0/104",
            "::ffff:0:0/8",
            "0.0.0.0/0",
            "::/0",
            "10.1.2.3/33",
            "10.0.0.0/08",
        ]
    ),
    st.sampled_from(
        [
            "*",
            "org",
            "::ffff:10.1.2.3",
            "fd00::1",
            "fe80::1%eth0",
            "[10.1.2.3]:80",
            "[fd00::1]:443",
            "corp:8443",
        ]
    ),
    _ODD,
)
_VECTOR_VALUES = [
    env[name] for env, _, _ in CHOICES for name in sorted(env.keys() & {"HTTP_PROXY", "HTTPS_PROXY"})
]
_VECTOR_VALUES = [
    env[name] for env, _, _ in CHOICES for name in sorted(env.keys() & {"HTTP_PROXY", "HTTPS_PROXY"})
]
_VALUE = st.one_of(
    st.just(""),
    st.sampled_from(_VECTOR_VALUES),
    st.builds(
        lambda scheme, user, host, port: scheme + user + host + port,
        st.sampled_from(["http://", "https://", "HTTP://", "", "//"]),
        st.sampled_from(["", "u@", "u:p@", "u:@", "u%41:p%2f@", "a b@"]),
        _HOSTS,
        _PORTS,
    ),
    _ODD,
    st.builds(lambda odd: "http://" + odd, _ODD),
)
QUESTIONS = st.fixed_dictionaries(
    {
        "HTTP": _VALUE,
        "HTTPS": _VALUE,
        "No": st.lists(_ENTRY, max_size=3).map(",".join),
        "URL": _TARGETS,
        "CGI": st.just(False) | st.booleans(),
    }
)


@pytest.mark.go
def test_whatever_is_set_we_agree_with_go(go_rules: Ask) -> None:
    questions = _sample(QUESTIONS, size(2000, 30_000))
    told = go_rules(questions)
    wrong = [
        (question, answer, mine)
        for question, answer in zip(questions, told, strict=True)
        if not answer["BadURL"] and (mine := ours(question)) != answer
    ]
    assert wrong[:5] == []
    decisions = [answer["Direct"] for answer in told]
    assert 0.1 < sum(decisions) / len(decisions) < 0.9, "the sample must show both decisions often"


def _sample(strategy: st.SearchStrategy[dict[str, Any]], count: int) -> list[dict[str, Any]]:
    """So many examples, the same each time; one process then answers all of them."""
    found: list[dict[str, Any]] = []

    @seed(20260101)
    @settings(max_examples=count, database=None, phases=[Phase.generate], derandomize=False)
    @given(strategy)
    def collect(question: dict[str, Any]) -> None:
        found.append(question)

    collect()
    return found
