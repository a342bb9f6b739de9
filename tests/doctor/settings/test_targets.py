"""What is asked about, and which hosts have to be looked at for it."""

from dataclasses import replace

import pytest

from goferry.doctor.evidence import GitSetting, Role, Setting, SettingsSeen, Subject, Target
from goferry.doctor.settings import parse_subject, plan_targets
from goferry.doctor.settings.proxies import read_proxies
from goferry.doctor.settings.repository import Repository, repository_of
from goferry.doctor.settings.targets import target_of
from goferry.errors import InvalidInput

# ---- subjects ----------------------------------------------------------------------------------------------

SUBJECTS: list[tuple[str, Subject]] = [
    ("", Subject()),
    ("rsc.io/quote", Subject("rsc.io/quote", module="rsc.io/quote")),
    ("rsc.io/quote@v1.5.2", Subject("rsc.io/quote@v1.5.2", module="rsc.io/quote", version="v1.5.2")),
    ("rsc.io/quote/...@latest", Subject("rsc.io/quote/...@latest", module="rsc.io/quote", version="latest")),
    ("rsc.io/quote/", Subject("rsc.io/quote/", module="rsc.io/quote")),
    ("example.org@main", Subject("example.org@main", module="example.org", version="main")),
    ("go@1.99", Subject("go@1.99", module="go", version="1.99")),
    ("example.org", Subject("example.org", host="example.org")),
    ("example.org.", Subject("example.org.", host="example.org.")),
    ("gitlab", Subject("gitlab", host="gitlab")),
    ("example.org:8443", Subject("example.org:8443", url="https://example.org:8443/", host="example.org")),
    ("192.0.2.7", Subject("192.0.2.7", host="192.0.2.7")),
    ("2001:db8::7", Subject("2001:db8::7", host="2001:db8::7")),
    ("[2001:db8::7]:443", Subject("[2001:db8::7]:443", url="https://[2001:db8::7]:443/", host="2001:db8::7")),
    (
        "https://a.example.org/x",
        Subject("https://a.example.org/x", url="https://a.example.org/x", host="a.example.org"),
    ),
    (
        "git@code.example.org:o/r",
        Subject("git@code.example.org:o/r", url="git@code.example.org:o/r", host="code.example.org"),
    ),
    (
        "https://me:pw@a.example.org/",
        Subject("https://xxxxx@a.example.org/", url="https://xxxxx@a.example.org/", host="a.example.org"),
    ),
]


@pytest.mark.parametrize(("text", "want"), SUBJECTS)
def test_a_subject_is_what_a_person_means(text: str, want: Subject) -> None:
    assert parse_subject(text) == want


@pytest.mark.parametrize(
    "text",
    [
        "./x",
        "/etc/hosts",
        "~/go",
        "a b",
        "@v1",
        "https://",
        "http://[::1",
        "a_:x",
        "-x",
        "a.example:port",
        "x\x1b[0m",
    ],
)
def test_what_can_be_none_of_them_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_subject(text)


# ---- repositories ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "want"),
    [
        ("github.com/o/r/v2/sub", Repository("github.com/o/r", "https://github.com/o/r", "git")),
        ("github.com/o", None),
        ("bitbucket.org/o/r", Repository("bitbucket.org/o/r", "https://bitbucket.org/o/r", "git")),
        (
            "code.example.org/o/r.git/sub",
            Repository(
                "code.example.org/o/r.git",
                "https://code.example.org/o/r",
                "git",
                ("git", "https", "http", "git+ssh", "ssh"),
            ),
        ),
        (
            "code.example.org/o/r.hg",
            Repository(
                "code.example.org/o/r.hg", "https://code.example.org/o/r", "hg", ("https", "http", "ssh")
            ),
        ),
        (
            "chiselapp.com/user/me/repository/x",
            Repository(
                "chiselapp.com/user/me/repository/x", "https://chiselapp.com/user/me/repository/x", "fossil"
            ),
        ),
        ("rsc.io/quote", None),
        ("golang.org/x/text", None),
        ("githubXcom/o/r", None),
    ],
)
def test_some_repositories_are_known_without_asking(path: str, want: Repository | None) -> None:
    assert repository_of(path) == want


# ---- targets -----------------------------------------------------------------------------------------------

MIRROR = Target("mirror.example.org", 443, "https", Role.GOPROXY, "https://mirror.example.org", 0)
SUMDB = Target("sum.golang.org", 443, "https", Role.SUMDB, "https://sum.golang.org")
GITHUB = Target("github.com", 443, "https", Role.CODE_HOST, "https://github.com/o/r")
RSC = Target("rsc.io", 443, "https", Role.IMPORT_HOST, "https://rsc.io/quote?go-get=1")


def seen(
    git: tuple[GitSetting, ...] = (), environ: dict[str, str] | None = None, **values: str
) -> SettingsSeen:
    defaults = {"GOPROXY": "https://mirror.example.org,direct", "GOSUMDB": "sum.golang.org"}
    settings = {**defaults, **values}
    return SettingsSeen(
        go=tuple(Setting(name, value, "environment") for name, value in settings.items()),
        git=git,
        proxies=read_proxies(environ or {}),
    )


def test_without_a_subject_the_environments_own_hosts_are_needed() -> None:
    assert plan_targets(seen(), Subject()) == (MIRROR, SUMDB)


def test_the_origin_follows_when_the_list_allows_it() -> None:
    assert plan_targets(seen(), parse_subject("rsc.io/quote")) == (MIRROR, SUMDB, RSC)
    assert plan_targets(seen(GOPROXY="https://mirror.example.org"), parse_subject("rsc.io/quote")) == (
        MIRROR,
        SUMDB,
    )


def test_a_private_module_needs_its_origin_alone() -> None:
    private = seen(GONOPROXY="github.com/o", GONOSUMDB="github.com/o")
    assert plan_targets(private, parse_subject("github.com/o/r@v1.0.0")) == (GITHUB,)


def test_a_private_module_whose_sums_are_checked_needs_the_mirror_for_that() -> None:
    assert plan_targets(seen(GONOPROXY="github.com/o"), parse_subject("github.com/o/r")) == (
        MIRROR,
        SUMDB,
        GITHUB,
    )


def test_in_gopath_mode_no_mirror_is_asked() -> None:
    assert plan_targets(seen(GO111MODULE="off"), parse_subject("github.com/o/r")) == (GITHUB,)


@pytest.mark.parametrize(
    ("goproxy", "want"),
    [
        ("off", []),
        ("direct", []),
        ("file:///srv/mirror,https://b.example.org:8443/go|direct", [("b.example.org", 8443, 1)]),
        ("http://127.0.0.1:3000", [("127.0.0.1", 3000, 0)]),
        ("direct,https://late.example.org", []),
        ("mirror.example.org", [("mirror.example.org", 443, 0)]),
        ("Direct,https://b.example.org", [("b.example.org", 443, 1)]),
        ('"https://a.example.org",https://b.example.org', [("b.example.org", 443, 1)]),
        (",", []),
        ("", []),
    ],
)
def test_mirrors_are_the_hosts_of_the_list(goproxy: str, want: list[tuple[str, int, int]]) -> None:
    found = [
        target for target in plan_targets(seen(GOPROXY=goproxy), Subject()) if target.role is Role.GOPROXY
    ]
    assert [(target.host, target.port, target.entry) for target in found] == want


@pytest.mark.parametrize(
    ("gosumdb", "want"),
    [
        ("off", []),
        ("sum.golang.google.cn", ["sum.golang.google.cn"]),
        ("sum.golang.org https://sums.example.org/x", ["sums.example.org"]),
        ("nonsense", []),
    ],
)
def test_the_database_is_the_one_that_is_named(gosumdb: str, want: list[str]) -> None:
    found = plan_targets(seen(GOSUMDB=gosumdb), Subject())
    assert [target.host for target in found if target.role is Role.SUMDB] == want


def test_gits_rewriting_moves_the_code_host() -> None:
    def rule(base: str) -> tuple[GitSetting, ...]:
        return (GitSetting(f"url.{base}.insteadof", "https://github.com/", "global", "f"),)

    subject = parse_subject("github.com/o/r")
    moved = [
        plan_targets(seen(git=rule(base)), subject)[-1]
        for base in ("git@github.com:", "git://m.example.org/")
    ]
    assert [(target.host, target.port, target.scheme) for target in moved] == [
        ("github.com", 22, "ssh"),
        ("m.example.org", 9418, "git"),
    ]


def test_a_host_or_url_stands_alone_with_the_role_it_has_here() -> None:
    assert plan_targets(seen(), parse_subject("mirror.example.org")) == (MIRROR,)
    assert plan_targets(seen(), parse_subject("https://x.example.org:8443/y")) == (
        Target("x.example.org", 8443, "https", Role.IMPORT_HOST, "https://x.example.org:8443/y"),
    )


def test_forward_proxies_on_the_way_come_last_and_without_credentials() -> None:
    found = plan_targets(seen(environ={"HTTPS_PROXY": "http://me:pw@p.corp:3128"}), Subject())
    assert found == (MIRROR, SUMDB, Target("p.corp", 3128, "http", Role.FORWARD_PROXY, "http://p.corp:3128"))
    bypassed = seen(environ={"HTTPS_PROXY": "p.corp:3128", "NO_PROXY": "*"})
    assert plan_targets(bypassed, Subject()) == (MIRROR, SUMDB)


def test_what_the_go_mod_requires_is_looked_at_when_it_goes_direct() -> None:
    here = replace(
        seen(GOPROXY="direct", GOSUMDB="off"), requires=("github.com/o/r@v1.0.0", "rsc.io/quote@v1.5.2")
    )
    assert plan_targets(here, Subject()) == (GITHUB, RSC)
    many = replace(here, requires=tuple(f"h{number}.example.org/m@v1.0.0" for number in range(100)))
    assert len(plan_targets(many, Subject())) == 8


@pytest.mark.parametrize(
    ("url", "want"),
    [
        ("https://me:pw@a.example.org/x", ("a.example.org", 443, "https://a.example.org/x")),
        ("ssh://git@a.example.org:2222/r", ("a.example.org", 2222, "ssh://a.example.org:2222/r")),
        ("git@a.example.org:o/r", ("a.example.org", 22, "git@a.example.org:o/r")),
        ("https://[::1]:8443/", ("::1", 8443, "https://[::1]:8443/")),
        ("file:///srv", None),
        ("/srv/r", None),
        ("https://[", None),
    ],
)
def test_a_target_is_made_of_a_url(url: str, want: tuple[str, int, str] | None) -> None:
    found = target_of(url, Role.CODE_HOST)
    assert (None if found is None else (found.host, found.port, found.url)) == want
