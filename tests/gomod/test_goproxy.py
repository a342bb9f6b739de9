"""The GOPROXY list and the URLs below a proxy, both ways; what is refused, and with which family of error."""

import string
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.errors import GoferryError, InvalidInput, NotFound, Refused
from goferry.gomod import goproxy, gourl, module
from goferry.gomod.goproxy import Entry, InvalidProxyList, Kind, Request, SumDBRequest
from oracle import Oracle, go_env, go_root
from sizes import size


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("direct", [Entry("direct")]),
        ("off", [Entry("off")]),
        ("https://a.example/x", [Entry("https://a.example/x")]),
        (
            "https://a.example|https://b.example,direct",
            [Entry("https://a.example", True), Entry("https://b.example"), Entry("direct")],
        ),
        (" https://a.example , direct ", [Entry("https://a.example"), Entry("direct")]),
        (",,https://a.example||", [Entry("https://a.example", True)]),
        ("direct,https://never.example", [Entry("direct")]),
        ("direct|https://never.example", [Entry("direct")]),
        ("off,%%%", [Entry("off")]),
        ("a.example", [Entry("https://a.example")]),
        ("a.example:8080/go", [Entry("https://a.example:8080/go")]),
        ("a/b", [Entry("https://a/b")]),
        ("file:///srv/go", [Entry("file:///srv/go")]),
        ("https://a;direct", [Entry("https://a;direct")]),
        ("https:/a.example", [Entry("https:/a.example")]),
        ("HTTPS://a.example", [Entry("HTTPS://a.example")]),
    ],
)
def test_a_list_is_read_as_the_go_command_reads_it(text: str, want: list[Entry]) -> None:
    assert goproxy.parse_list(text) == tuple(want)


BAD_LISTS = [
    (",", "GOPROXY list is not the empty string, but contains no entries"),
    (" ", "GOPROXY list is not the empty string, but contains no entries"),
    ("Direct", "invalid proxy URL missing scheme: Direct"),
    ("direct;", "invalid proxy URL missing scheme: direct;"),
    ("/srv/go", "invalid proxy URL missing scheme: /srv/go"),
    ("ftp://a.example", "invalid proxy URL scheme (must be https, http, file): ftp://a.example"),
    ("C:/go", "invalid proxy URL scheme (must be https, http, file): "),
    ("file://host.example/srv", "invalid file:// proxy URL with non-path elements: file://host.example/srv"),
    ("file:/srv/go", "invalid file:// proxy URL with non-path elements: file:/srv/go"),
    ("file:///srv?x", "invalid file:// proxy URL with non-path elements: file:///srv?x"),
    ('"https://a.example"', "first path segment in URL cannot contain colon"),
    ("https://a b/", "in host name"),
    ("https://a.example:port", 'invalid port ":port" after host'),
    ("https://a.example/%zz", 'invalid URL escape "%zz"'),
    ("https://a.example,http://[::1", "missing ']' in host"),
    ("://a", "missing protocol scheme"),
]


@pytest.mark.parametrize(("text", "why"), BAD_LISTS)
def test_a_bad_list_is_refused_with_the_reason(text: str, why: str) -> None:
    with pytest.raises(InvalidProxyList) as raised:
        goproxy.parse_list(text)
    assert why in str(raised.value)


@pytest.mark.go
@pytest.mark.parametrize(("text", "why"), BAD_LISTS)
def test_go_refuses_the_same_lists_in_the_same_words(text: str, why: str, tmp_path: Path) -> None:
    if go_root() is None:
        pytest.skip("needs the go command")
    run = subprocess.run(
        ["go", "list", "-m", "x.example/y@v1.0.0"],
        cwd=tmp_path,
        env=go_env(GOPROXY=text, GOMODCACHE=str(tmp_path / "cache")),
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode != 0
    assert why in run.stderr


def test_credentials_are_hidden_where_people_read() -> None:
    (entry,) = goproxy.parse_list("https://user:s3cret@a.example/go")
    assert entry.url == "https://user:s3cret@a.example/go"
    assert entry.name == "https://xxxxx@a.example/go"
    assert goproxy.redact("https://t0ken@a.example,http://u:p@b.example|direct") == (
        "https://xxxxx@a.example,http://xxxxx@b.example|direct"
    )
    assert goproxy.redact("user:pw@a.example|https://b.example/x.y/z/@v/list") == (
        "xxxxx@a.example|https://b.example/x.y/z/@v/list"
    )
    for text in (
        "https://user:s3cret@a.example:port",
        "https://user:x/s3cret@a.example",
        "ftp://s3cret@a.example",
    ):
        with pytest.raises(InvalidProxyList) as raised:
            goproxy.parse_list(text)
        assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("text", ["http://user:pw@a.example", "http://user@127.0.0.1:1/x"])
def test_credentials_are_not_sent_in_the_clear(text: str) -> None:
    (entry,) = goproxy.parse_list(text)
    with pytest.raises(Refused, match="refusing to pass credentials to insecure URL: http://xxxxx@"):
        goproxy.check_credentials(entry)


@pytest.mark.parametrize("text", ["https://user:pw@a.example", "http://a.example/@v", "direct", "off"])
def test_credentials_are_fine_otherwise(text: str) -> None:
    (entry,) = goproxy.parse_list(text)
    goproxy.check_credentials(entry)


TOML = "github.com/BurntSushi/toml"
ESCAPED_TOML = "github.com/!burnt!sushi/toml"
TOOLCHAIN = "golang.org/toolchain"


@pytest.mark.parametrize(
    ("path", "kind", "module_path", "version", "exact"),
    [
        (f"{ESCAPED_TOML}/@v/list", Kind.LIST, TOML, "", False),
        (f"{ESCAPED_TOML}/@latest", Kind.LATEST, TOML, "", False),
        (f"{ESCAPED_TOML}/@v/v1.0.0.info", Kind.INFO, TOML, "v1.0.0", True),
        (f"{ESCAPED_TOML}/@v/v1.0.0.mod", Kind.MOD, TOML, "v1.0.0", True),
        (f"{ESCAPED_TOML}/@v/v1.0.0-!r!c1.zip", Kind.ZIP, TOML, "v1.0.0-RC1", True),
        (f"{ESCAPED_TOML}/@v/v2.0.0+incompatible.zip", Kind.ZIP, TOML, "v2.0.0+incompatible", True),
        (f"{ESCAPED_TOML}/@v/master.info", Kind.INFO, TOML, "master", False),
        (f"{ESCAPED_TOML}/@v/v1.info", Kind.INFO, TOML, "v1", False),
        (f"{ESCAPED_TOML}/@v/v2.0.0.info", Kind.INFO, TOML, "v2.0.0", False),
        (f"{ESCAPED_TOML}/@v/release.info.info", Kind.INFO, TOML, "release.info", False),
        (
            f"{TOOLCHAIN}/@v/v0.0.1-go1.21.0.linux-amd64.zip",
            Kind.ZIP,
            TOOLCHAIN,
            "v0.0.1-go1.21.0.linux-amd64",
            True,
        ),
        (
            "gopkg.in/check.v1/@v/v0.0.0-20160102150405-abcdef123456.mod",
            Kind.MOD,
            "gopkg.in/check.v1",
            "v0.0.0-20160102150405-abcdef123456",
            True,
        ),
    ],
)
def test_a_url_path_is_understood(path: str, kind: Kind, module_path: str, version: str, exact: bool) -> None:
    request = goproxy.parse_request(path)
    assert request == Request(kind, module_path, version, path, exact)
    assert request.module == module.Version(module_path, version)
    assert goproxy.request_path(kind, module_path, version) == path


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x.y/z",
        "x.y/z/@v",
        "x.y/z/@v/",
        "x.y/z/@v/v1.0.0",
        "x.y/z/@v/v1.0.0.ziphash",
        "x.y/z/@v/v1.0.0.lock",
        "x.y/z/@v/.zip.txt",
        "x.y/z/@w/list",
        "x.y/z/@latest/",
        "x.y/z/@v/list/",
        "x.y/z/@latest.info",
        "x.y/z/@v/latest.info",
        "x.y/z/@v/upgrade.info",
        "x.y/z/@v/patch.info",
        "github.com/BurntSushi/toml/@v/list",
        "github.com/!!burnt/@v/list",
        "github.com/!Burnt/@v/list",
        "github.com/burnt!/@v/list",
        "x.y/z/@v/v1.0.0-RC1.info",
        "x.y/z/@v/v1.0.0-!.info",
        "x.y/ü/@v/list",
        "x.y/z/@v/v1.zip",
        "x.y/z/@v/v1.0.0+meta.zip",
        "x.y/z/@v/v2.0.0.mod",
        "x.y/z/v2/@v/v1.0.0.zip",
        "x.y/z/@v/master.mod",
    ],
)
def test_what_no_module_has_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        goproxy.parse_request(path)


@pytest.mark.parametrize(
    "path",
    [
        "/@v/list",
        "/x.y/z/@v/list",
        "x/@v/list",
        "x.y/../z/@v/list",
        "x.y/./z/@v/list",
        "x.y//z/@v/list",
        "x.y/z//@v/list",
        "x.y/z\0/@v/list",
        "x.y/z\n/@latest",
        "x.y/z%2fw/@v/list",
        "x.y/a b/@v/list",
        "x.y/con/@v/list",
        "x.y/z/v1/@v/list",
        "x.y/z/@v/../../secret.info",
        "x.y/z/@v/feature/x.info",
        "x.y/z/@v/v1.0.0\0.info",
        "x.y/z/@v/.info",
        "x.y/z/@v/...zip",
        "x.y/" + "a" * 256 + "/@v/list",
        "x.y/" + "a/" * 1100 + "@v/list",
        "x.y/z/@v/v1.0.0-" + "a" * 250 + ".zip",
    ],
)
def test_what_is_malformed_is_refused_in_one_line(path: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        goproxy.parse_request(path)
    assert raised.value.status == 400
    assert str(raised.value).isprintable()


def test_a_branch_with_a_slash_cannot_be_asked_of_a_proxy() -> None:
    with pytest.raises(module.InvalidVersion, match="disallowed version string"):
        goproxy.request_path(Kind.INFO, "x.y/z", "feature/x")


def test_a_key_is_written_into_urls_as_go_writes_it() -> None:
    assert goproxy.url_path(f"{ESCAPED_TOML}/@v/v2.0.0+incompatible.zip") == (
        "github.com/%21burnt%21sushi/toml/@v/v2.0.0+incompatible.zip"
    )


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("sumdb/sum.golang.org/supported", SumDBRequest("sum.golang.org", "supported")),
        (
            "sumdb/sum.golang.org/tile/8/0/x001/234.p/5",
            SumDBRequest("sum.golang.org", "tile/8/0/x001/234.p/5"),
        ),
        ("sumdb/a.example/db/latest", SumDBRequest("a.example/db", "latest")),
        ("sumdb/a.example/latest", SumDBRequest("a.example", "latest")),
        (
            f"sumdb/sum.golang.org/lookup/{ESCAPED_TOML}@v1.0.0",
            SumDBRequest("sum.golang.org", f"lookup/{ESCAPED_TOML}@v1.0.0"),
        ),
    ],
)
def test_a_database_is_found_by_its_longest_name(path: str, want: SumDBRequest) -> None:
    request = goproxy.parse_sumdb_path(path, ["a.example", "sum.golang.org", "a.example/db"])
    assert request == want
    assert request.key == path


@pytest.mark.parametrize(
    "path",
    [
        "sumdb/other.example/latest",
        "sumdb/sum.golang.org",
        "sumdb/sum.golang.organism/latest",
        "x/sum.golang.org/latest",
    ],
)
def test_an_unknown_database_is_not_found(path: str) -> None:
    with pytest.raises(NotFound):
        goproxy.parse_sumdb_path(path, ["sum.golang.org"])


@pytest.mark.parametrize(
    "rest", ["", "../x", "tile/../../x", "tile//8", "tile/./8", "tile/8/", "a\0", "a\\b", "a b", "x" * 300]
)
def test_a_path_that_is_none_is_refused_below_a_database(rest: str) -> None:
    with pytest.raises(InvalidInput):
        goproxy.parse_sumdb_path(f"sumdb/sum.golang.org/{rest}", ["sum.golang.org"])


@pytest.mark.parametrize(
    "path",
    [
        "github.com",
        "github.com/x",
        "gitlab.com",
        "gitlab.com/x",
        "bitbucket.org/x",
        "golang.org",
        "golang.org/x",
        "gopkg.in",
    ],
)
def test_hosts_and_users_are_no_modules(path: str) -> None:
    assert goproxy.never_a_module(path)


@pytest.mark.parametrize(
    "path",
    [
        "github.com/x/y",
        "gitlab.com/x/y/z",
        "golang.org/x/mod",
        "golang.org/toolchain",
        "gopkg.in/yaml.v3",
        "rsc.io/quote",
        "go.uber.org/zap",
        "example.com",
    ],
)
def test_what_may_be_a_module_is_asked_for(path: str) -> None:
    assert not goproxy.never_a_module(path)


_elements = st.text(string.ascii_letters + string.digits + "-._~", min_size=1, max_size=8)
_paths = st.lists(_elements, max_size=4).map(lambda parts: "/".join(["x.y", *parts]))
_versions = st.sampled_from(
    ["v1.0.0", "v1.2.3-RC.1", "v2.0.0+incompatible", "v0.0.0-20160102150405-abcdef123456"]
)


@given(_paths, _versions | _elements, st.sampled_from(Kind))
def test_request_path_and_parse_request_are_twins(path: str, version: str, kind: Kind) -> None:
    if kind in (Kind.LIST, Kind.LATEST):
        version = ""
    try:
        key = goproxy.request_path(kind, path, version)
        request = goproxy.parse_request(key)
    except GoferryError:
        return
    assert (request.kind, request.path, request.version, request.key) == (kind, path, version, key)
    assert goproxy.request_path(request.kind, request.path, request.version) == key


@given(st.text(string.ascii_letters + "!./@v-+%\0é", max_size=30) | st.text(max_size=20))
def test_whatever_is_parsed_has_that_one_spelling(path: str) -> None:
    for candidate in (path, f"x.y/{path}/@v/list", f"x.y/z/@v/{path}.info", f"x.y/z/@v/{path}.zip"):
        try:
            request = goproxy.parse_request(candidate)
        except (InvalidInput, NotFound):
            continue
        assert goproxy.request_path(request.kind, request.path, request.version) == candidate


_entries = st.builds(
    Entry, st.sampled_from(["https://a.example", "http://b.example:8080/x", "file:///srv/go"]), st.booleans()
)
_ends = st.sampled_from([(), (Entry("direct"),), (Entry("off"),)])


@given(st.lists(_entries, min_size=1), _ends)
def test_parse_and_format_of_a_list_are_twins(entries: list[Entry], end: tuple[Entry, ...]) -> None:
    assert goproxy.parse_list(goproxy.format_list([*entries, *end])) == (*entries, *end)


_url_chars = st.text(
    string.ascii_letters + string.digits + ":/?#[]@!$&'()*+,;=-._~% \"<>|\\^`{}\x7fé", max_size=6
)
_hosts = st.sampled_from(
    ["a.example", "[::1]", "[fe80::1%25en0]", "[1.2.3.4]", "a:80", "a:b", "a:1:2", "[::1", "", "%41", "a%2fb"]
)
urls = st.builds(
    "{}{}{}{}{}{}".format,
    st.sampled_from(["https:", "http:", "file:", "x:", ":", "1:", "", "HTTP:", "a+b:"]),
    st.sampled_from(["//", "/", "///", ""]),
    st.sampled_from(["", "", "u@", "u:p@", "u%41@", "u%@", "u p@", "a@b@", "@"]),
    _hosts | _url_chars,
    st.sampled_from(["", "/", "/x/y", "/%zz", "/a%20b", "/a b", "?q", "?", "?a?", "#f", "#%z"]),
    st.just("") | _url_chars,
)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_urls_are_taken_apart_as_go_takes_them(oracle: Oracle, data: st.DataObject) -> None:
    batch = [(text,) for text in data.draw(st.lists(urls, min_size=size(20, 100), max_size=200))]
    for (text,), answer in zip(batch, oracle.ask_all("url.Parse", batch), strict=True):
        try:
            ours = gourl.parse(text)
        except gourl.InvalidURL:
            assert not answer.ok, (text, answer)
            continue
        assert answer.ok, (text, answer)
        theirs = answer.value
        assert (ours.scheme, ours.opaque, ours.omit_host) == (
            theirs["Scheme"],
            theirs["Opaque"],
            theirs["OmitHost"],
        ), text
        assert (ours.query or "", ours.user_info is None) == (theirs["RawQuery"], theirs["User"] is None), (
            text
        )
        assert (ours.host == "", ours.path == "") == (theirs["Host"] == "", theirs["EscapedPath"] == ""), text


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_keys_are_written_into_urls_as_go_writes_them(oracle: Oracle, data: st.DataObject) -> None:
    elements = st.text(string.printable + "é", max_size=8).filter(lambda text: "/" not in text)
    batch = data.draw(st.lists(elements, min_size=20, max_size=100))
    for text, answer in zip(batch, oracle.ask_all("url.PathEscape", [(t,) for t in batch]), strict=True):
        assert goproxy.url_path(text) == answer.value, text
