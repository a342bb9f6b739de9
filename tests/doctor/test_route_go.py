"""Routes against the real go and git: whoever the route names is asked, in that order, and nobody else.

Mirrors and the forward proxy are on loopback. The forward proxy refuses every request and writes down for whom it was,
so nothing leaves this machine.
"""

import asyncio
import os
import random
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from goferry.doctor.base import World
from goferry.doctor.evidence import Context, SettingsSeen, Subject
from goferry.doctor.route import Route, trace
from goferry.doctor.settings import parse_subject, read_settings
from goferry.errors import InvalidInput
from goferry.lab.goproxy import Fault, LabProxy, Trouble, running
from goferry.lab.tls import Authority
from modtree import module
from oracle import go_command
from sizes import size

pytestmark = pytest.mark.go


@dataclass(slots=True)
class Refuser:
    """A forward proxy that refuses. `wanted`: host:port of each request, in order."""

    url: str = ""
    wanted: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, _version = head.partition("\r\n")[0].split(" ")
        plain = target.partition("://")[2].partition("/")[0]
        self.wanted.append(target if method == "CONNECT" else plain if ":" in plain else f"{plain}:80")
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def refusing() -> AsyncIterator[Refuser]:
    refuser = Refuser()
    server = await asyncio.start_server(refuser.serve, "127.0.0.1", 0)
    async with server:
        refuser.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield refuser


@dataclass(frozen=True, slots=True)
class Case:
    """`GOPROXY` may name mirrors as {404}, {500}, {good}…: what each answers. git: lines for ~/.gitconfig."""

    module: str
    goproxy: str
    environ: Mapping[str, str] = field(default_factory=dict)
    git: str = ""
    fails_with: str = ""
    """A part of go's output."""


INSTEAD = '[url "https://moved.invalid/"]\ninsteadOf = https://github.com/\n'
CASES = [
    Case("rsc.invalid/quote@v1.5.2", "{good}"),
    Case("rsc.invalid/quote@v1.5.2", "{404},{good}"),
    Case("rsc.invalid/quote@v1.5.2", "{404},{410},{good},direct"),
    Case("rsc.invalid/quote@v1.5.2", "{403},{good}", fails_with="403 Forbidden"),
    Case("rsc.invalid/quote@v1.5.2", "{500},direct", fails_with="500 Internal Server Error"),
    Case("rsc.invalid/quote@v1.5.2", "{500}|{good}"),
    Case("rsc.invalid/quote@v1.5.2", "{403}|direct"),
    Case("rsc.invalid/quote@v1.5.2", "{404},{410}", fails_with="410 Gone"),
    Case("rsc.invalid/quote@v1.5.2", "{404},direct"),
    Case("rsc.invalid/quote@v1.5.2", "direct,{good}"),
    Case("rsc.invalid/quote@v1.5.2", "off", fails_with="module lookup disabled by GOPROXY=off"),
    Case("rsc.invalid/quote@v1.5.2", "{404},off,{good}", fails_with="GOPROXY=off"),
    Case("rsc.invalid/quote@v1.5.2", ",", fails_with="contains no entries"),
    Case("rsc.invalid/quote@v1.5.2", "Direct", fails_with="missing scheme: Direct"),
    Case("rsc.invalid/quote@v1.5.2", '"{good}"', fails_with="first path segment in URL cannot contain colon"),
    Case("rsc.invalid/quote@v1.5.2", "{404}/x;direct", fails_with="404 Not Found"),
    Case("rsc.invalid/quote@v1.5.2", " {404} , direct "),
    Case("rsc.invalid/quote@v1.5.2", "{404},,|direct"),
    Case("rsc.invalid/quote@v1.5.2", "mirror.invalid,direct"),
    Case("rsc.invalid/quote@v1.5.2", "mirror.invalid/go|direct"),
    Case("rsc.invalid/quote@v1.5.2", "noproxy", fails_with="missing scheme: noproxy"),
    Case("rsc.invalid/quote@v1.5.2", "ftp://mirror.invalid", fails_with="must be https, http, file"),
    Case("rsc.invalid/quote@v1.5.2", "file:///nonexistent", fails_with="no such file"),
    # Flags that come before everything else.
    Case("rsc.invalid/quote@v1.5.2", "{good}", {"GOFLAGS": "-mod=vendor"}),
    Case("rsc.invalid/quote@v1.5.2", "{good}", {"GOFLAGS": "-mod mod"}, fails_with='non-flag "mod"'),
    Case(
        "rsc.invalid/quote@v1.5.2", "{good}", {"GOFLAGS": "'-modcacherw"}, fails_with="unterminated ' string"
    ),
    Case("rsc.invalid/quote@v1.5.2", "{good}", {"GOFLAGS": "'-modcacherw' --mod=mod"}),
    Case("rsc.invalid/quote@v1.5.2", "direct", {"GO111MODULE": "off"}, fails_with="modules disabled"),
    # Private patterns, well written and badly.
    *(
        Case("git.corp.invalid/team/x@v1.0.0", "{404}", {"GOPRIVATE": pattern})
        for pattern in (
            "*.corp.invalid",
            "git.corp.invalid/team",
            "git.corp.invalid/*/x",
            "*/team",
            "*",
            "https://git.corp.invalid",
            "a.invalid, git.corp.invalid",
            "Git.corp.invalid",
            "git.corp.invalid/team/",
            "git.corp.invalid/...",
            ".corp.invalid",
            "corp.invalid",
            "git.corp.invalid:443",
        )
    ),
    Case("corp.invalid/x@v1.0.0", "{404}", {"GOPRIVATE": "*.corp.invalid"}),
    Case("git.corp.invalid/x@v1.0.0", "{404}", {"GOPRIVATE": "*.corp.invalid", "GONOPROXY": "other.invalid"}),
    Case("git.corp.invalid/x@v1.0.0", "{404}", {"GOPRIVATE": "*.corp.invalid", "GONOPROXY": "none"}),
    Case("git.corp.invalid/x@v1.0.0", "off", {"GONOPROXY": "*.corp.invalid"}),
    # The code host is known by the path, so git is started at once, if it may.
    Case("github.com/o/r@v1.0.0", "direct"),
    Case("github.com/o/r/v2@v2.0.0", "{404},direct"),
    Case(
        "github.com/o/r@v1.0.0", "direct", {"GOVCS": "github.com:hg"}, fails_with="GOVCS disallows using git"
    ),
    Case("github.com/o/r@v1.0.0", "direct", {"GOVCS": "public:off,private:all", "GOPRIVATE": "github.com/o"}),
    Case("github.com/o/r@v1.0.0", "direct", {"GOVCS": "x"}, fails_with="missing colon"),
    Case("github.com/o@v1.0.0", "direct", fails_with="invalid github.com import path"),
    Case("github.com/o/r@v1.0.0", "direct", git=INSTEAD),
    Case(
        "github.com/o/r@v1.0.0", "direct", git=INSTEAD.replace("https://github.com/", "https://GitHub.com/")
    ),
    Case("github.com/o/r@v1.0.0", "direct", git='[includeIf "gitdir:{cwd}/"]\npath = {home}/inc\n'),
    Case("code.invalid/o/r.git@v1.0.0", "direct"),
    # GOINSECURE adds plain http for the origin and for nobody else.
    Case("rsc.invalid/quote@v1.5.2", "direct", {"GOINSECURE": "rsc.invalid"}),
    Case("rsc.invalid/quote@v1.5.2", "direct", {"GOINSECURE": "Rsc.invalid"}),
    # Exceptions that people expect to match: the forward proxy is asked all the same.
    *(
        Case("rsc.invalid/quote@v1.5.2", "direct", {"NO_PROXY": entry, "no_proxy": "rsc.invalid"})
        for entry in (
            "https://rsc.invalid",
            "rsc.invalid.",
            "*.rsc.invalid",
            "rsc.invalid:8443",
            "a;rsc.invalid",
        )
    ),
]


WORDS = ("good", "403", "404", "410", "500")


class Bench:
    """Mirrors by what they answer, the forward proxy, and a home for go."""

    def __init__(self, case: Case, folder: Path) -> None:
        self.case = case
        self.home = folder / "home"
        self.cwd = folder / "project"
        for place in (self.home, self.cwd):
            place.mkdir()
        self.mirrors: dict[str, LabProxy] = {}

    def environ(self, refuser: Refuser) -> dict[str, str]:
        """Nothing of this machine's own settings but PATH."""
        return {
            "HOME": str(self.home),
            "PATH": os.environ["PATH"],
            "GOPROXY": self.goproxy(),
            "GOSUMDB": "off",
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw",
            "GIT_CONFIG_NOSYSTEM": "1",
            "HTTPS_PROXY": refuser.url,
            "http_proxy": refuser.url,
            **self.case.environ,
        }

    def goproxy(self) -> str:
        text = self.case.goproxy
        for word, mirror in self.mirrors.items():
            text = text.replace(f"{{{word}}}", mirror.url)
        return text

    def write_git(self) -> None:
        config = self.case.git.replace("{cwd}", str(self.cwd)).replace("{home}", str(self.home))
        (self.home / ".gitconfig").write_text(config)
        (self.home / "inc").write_text(INSTEAD)

    def expected(self, route: Route) -> list[str]:
        """Who is asked, given what the mirrors answer and that the forward proxy refuses everybody."""
        asked = []
        for hop in route.hops:
            word = next((word for word, mirror in self.mirrors.items() if hop.url.startswith(mirror.url)), "")
            if hop.kind in ("off", "file"):
                break
            if hop.scheme not in ("http", "https"):
                continue  # ssh and git:// use no forward proxy, so nobody writes them down
            asked.append(word or f"{hop.host}:{hop.port}")
            if word == "good":
                break
            missing = word in ("404", "410")
            if not (hop.moves_on == "any_error" or (missing and hop.moves_on == "not_found")):
                break
        return asked


async def go(environ: Mapping[str, str], cwd: Path, *arguments: str) -> str:
    assert go_command() is not None
    run = await asyncio.create_subprocess_exec(
        "go",
        *arguments,
        env=environ,
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _nothing = await run.communicate()
    return output.decode()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.goproxy} {case.module} {dict(case.environ)}")
async def test_who_is_asked_is_what_the_route_says(case: Case, tmp_path: Path) -> None:
    name, _at, version = case.module.partition("@")
    bench = Bench(case, tmp_path)
    bench.write_git()
    tree = module(name, version)
    async with AsyncExitStack() as stack:
        refuser = await stack.enter_async_context(refusing())
        for word in WORDS:
            if f"{{{word}}}" in case.goproxy:
                fault = None if word == "good" else Fault(Trouble.STATUS, int(word), "no")
                bench.mirrors[word] = await stack.enter_async_context(
                    running(tree, lambda _p, _c, f=fault: f)
                )
        environ = bench.environ(refuser)
        seen, context, _skipped = read_settings(World(environ, bench.cwd, bench.home))
        output = await go(environ, bench.cwd, "mod", "download", case.module)
        observed = [word for word in bench.mirrors if bench.mirrors[word].asked]
        observed += list(dict.fromkeys(refuser.wanted))
    route = trace(seen, context, parse_subject(case.module))
    assert sorted(observed) == sorted(dict.fromkeys(bench.expected(route))), (output, route)
    assert case.fails_with in output


@pytest.mark.parametrize("path", ["nohost/x", "example.org/x/v1", "example.org/a b", "Example.org/x"])
async def test_a_path_that_go_refuses_has_no_route(path: str, tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GOPROXY": "off", "GOTOOLCHAIN": "local"}
    assert "malformed module path" in await go(environ, tmp_path, "mod", "download", f"{path}@v1.0.0")
    with pytest.raises(InvalidInput):
        trace(SettingsSeen(), Context(), Subject(module=path))


# (GOSUMDB, further variables, whether the mirror has the database, who hears of the module)
SUMS: list[tuple[str, dict[str, str], bool, list[str]]] = [
    ("sum.golang.org", {}, False, ["mirror", "sum.golang.org:443"]),
    ("sum.golang.org", {}, True, ["mirror"]),
    ("sum.golang.org", {"GONOSUMDB": "rsc.invalid"}, False, []),
    ("sum.golang.org", {"GONOSUMDB": "https://rsc.invalid"}, False, ["mirror", "sum.golang.org:443"]),
    ("off", {}, False, []),
    ("sum.golang.google.cn", {}, True, ["sum.golang.google.cn:443"]),
    ("sum.golang.org https://sums.invalid/x", {}, True, ["sums.invalid:443"]),
]


@pytest.mark.parametrize(("gosumdb", "environ", "has_database", "want"), SUMS)
async def test_who_hears_of_sums_is_what_the_route_says(
    gosumdb: str, environ: dict[str, str], has_database: bool, want: list[str], tmp_path: Path
) -> None:
    bench = Bench(Case("rsc.invalid/quote@v1.5.2", "{good}", {**environ, "GOSUMDB": gosumdb}), tmp_path)
    tree = module("rsc.invalid/quote", "v1.5.2")
    if has_database:
        tree["sumdb/sum.golang.org/supported"] = b""
    async with refusing() as refuser, running(tree) as mirror:
        bench.mirrors["good"] = mirror
        environment = bench.environ(refuser)
        seen, context, _skipped = read_settings(World(environment, bench.cwd, bench.home))
        await go(environment, bench.cwd, "mod", "download", "rsc.invalid/quote@v1.5.2")
        asked = ["mirror"] if any(path.startswith("sumdb/") for path in mirror.asked) else []
        assert [*asked, *dict.fromkeys(refuser.wanted)] == want
    sums = trace(seen, context, parse_subject("rsc.invalid/quote@v1.5.2")).sums
    expected = ["mirror"] * bool(sums.mirrors)
    if sums.used and not (sums.mirrors and has_database):
        expected.append(f"{sums.url.partition('://')[2].partition('/')[0]}:443")
    assert expected == want


async def test_credentials_are_refused_over_plain_http(tmp_path: Path) -> None:
    bench = Bench(Case("rsc.invalid/quote@v1.5.2", "{good}"), tmp_path)
    async with refusing() as refuser, running({}) as mirror:
        environ = {**bench.environ(refuser), "GOPROXY": mirror.url.replace("//", "//me:s3cret@")}
        output = await go(environ, bench.cwd, "mod", "download", "rsc.invalid/quote@v1.5.2")
        assert not mirror.asked
    assert "refusing to pass credentials to insecure URL" in output
    seen, context, _skipped = read_settings(World(environ, bench.cwd, bench.home))
    route = trace(seen, context, parse_subject("rsc.invalid/quote@v1.5.2"))
    assert "credentials_over_http" in [trap.code for trap in route.traps]
    assert "s3cret" not in repr(route)


@dataclass(slots=True)
class Guarded:
    """A mirror over TLS that has nothing. `authorized`: whether a request brought credentials."""

    authorized: bool = False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.authorized = self.authorized or "\r\nauthorization: basic " in head.lower()
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


# (path of the mirror, entry of netrc, GOAUTH, whether go sends credentials)
NETRC: list[tuple[str, str, str, bool]] = [
    ("", "machine {host} login me password s3cret", "netrc", True),
    ("/go", "machine {host} login me password s3cret", "netrc", True),
    ("/go/v2", "machine {host}/go login me password s3cret", "netrc", True),
    ("/go", "machine {host}/other login me password s3cret", "netrc", False),
    ("", "machine 127.0.0.1 login me password s3cret", "netrc", False),
    ("", "machine {host} login me", "netrc", False),
    ("", "machine {host} password s3cret", "netrc", False),
    ("", "default login me password s3cret", "netrc", False),
    ("", "machine {host} login me password s3cret", "off", False),
]


@pytest.mark.parametrize(("path", "netrc", "goauth", "want"), NETRC)
async def test_credentials_are_those_that_the_route_names(
    path: str, netrc: str, goauth: str, want: bool, tmp_path: Path
) -> None:
    authority, guarded = Authority(), Guarded()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    server = await asyncio.start_server(
        guarded.serve, "127.0.0.1", 0, ssl=authority.server_context(("127.0.0.1",))
    )
    async with server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        (tmp_path / ".netrc").write_text(netrc.format(host=host) + "\n")
        environ = {
            "HOME": str(tmp_path),
            "PATH": os.environ["PATH"],
            "GOPROXY": f"https://{host}{path}",
            "GOSUMDB": "off",
            "GOAUTH": goauth,
            "GOTOOLCHAIN": "local",
            "GOFLAGS": "-modcacherw",
            "SSL_CERT_FILE": str(tmp_path / "ca.pem"),
        }
        output = await go(environ, tmp_path, "mod", "download", "rsc.invalid/quote@v1.5.2")
    assert "404 Not Found" in output
    seen, context, _skipped = read_settings(World(environ, tmp_path, tmp_path))
    hop = trace(seen, context, parse_subject("rsc.invalid/quote@v1.5.2")).hops[0]
    assert guarded.authorized is want
    assert any(item.used for item in hop.credentials) is want
    assert str(tmp_path / "ca.pem") in hop.roots


def test_git_and_the_route_agree_on_who_is_asked(tmp_path: Path) -> None:
    """`git ls-remote --get-url` in the very folder where go runs git."""
    (tmp_path / ".gitconfig").write_text(INSTEAD)
    environ = {
        "HOME": str(tmp_path),
        "PATH": os.environ["PATH"],
        "GIT_CONFIG_NOSYSTEM": "1",
        "GOPROXY": "direct",
    }
    seen, context, _skipped = read_settings(World(environ, tmp_path, tmp_path))
    hop = trace(seen, context, parse_subject("github.com/o/r")).hops[0]
    asked = ["git", "ls-remote", "--get-url", "https://github.com/o/r"]
    real = subprocess.run(asked, env=environ, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert real.stdout.strip() == hop.url == "https://moved.invalid/o/r"


# ---- environments that nobody thought of -------------------------------------------------------------------

PATHS = (
    "rsc.invalid/quote@v1.5.2",
    "git.corp.invalid/team/x@v1.0.0",
    "corp.invalid/x/v2@v2.0.0",
    "github.com/o/r@v1.0.0",
    "github.com/Acme/Tool/v3@v3.1.4",
    "bitbucket.org/o/r/sub@v1.0.0",
    "code.invalid/o/r.git/sub@v1.0.0",
)
GLOBS = (
    "", ",", "/", "none", "*", "*/*", "*.invalid", ".invalid", "rsc.invalid", "rsc.invalid/", "Rsc.invalid", "rsc*",
    "*/quote", "*/quo??", "*quo*", "git.corp.invalid/team", "git.corp.invalid/*/x", "*.corp.invalid", "corp.invalid",
    "https://rsc.invalid", "rsc.invalid:443", "rsc.invalid/...", " rsc.invalid", "github.com/o", "github.com/*/r",
    "GitHub.com/o", "github.com/acme", "github.com/Acme", "github.com/[A-Z]cme", "github.com/[", "bitbucket.org",
    "code.invalid/o/*.git", "*/*/v2", "*/*/*/*",
)  # fmt: skip
LISTS = (
    "{good}",
    "{404}",
    "{410}",
    "{403}",
    "{500}",
    "direct",
    "off",
    "mirror.invalid",
    "mirror.invalid/go",
    "",
)
EXCEPTIONS = (
    "", "rsc.invalid.", "https://rsc.invalid", "github.com:8443", "*.github.com", "192.0.2.0/24", "mirror.invalid;x",
)  # fmt: skip
RULES = (
    '[url "https://moved.invalid/"]\ninsteadOf = {}\n',
    '[url "https://tok3n@moved.invalid/acme/"]\ninsteadOf = {}\n',
    '[url "http://plain.invalid:3000/"]\ninsteadOf = {}\n',
    '[url "https://pushed.invalid/"]\npushInsteadOf = {}\n',
    '[includeIf "gitdir:~/**"]\npath = inc\n',
    '[includeIf "gitdir:{{cwd}}/"]\npath = {{home}}/inc\n',
    '[includeIf "hasconfig:remote.*.url:https://github.com/**"]\npath = inc\n',
    "[include]\npath = ~/inc\n",
)
PREFIXES = (
    "https://github.com/", "https://github.com", "https://github.com/o", "https://github.com/Acme/", "https://GitHub.com/",
    "https://bitbucket.org/", "https://", "https://code.invalid/o/",
)  # fmt: skip


def random_case(seed: int) -> Case:
    """Settings thrown together: most of them do not fit the module, as in a real home."""
    dice = random.Random(seed)

    def globs() -> str:
        return ",".join(dice.choices(GLOBS, k=dice.randint(1, 3)))

    goproxy = "".join(
        part for _ in range(dice.randint(1, 4)) for part in (dice.choice(LISTS), dice.choice(",,|"))
    )
    makers = {
        "GOPRIVATE": globs,
        "GONOPROXY": globs,
        "GOINSECURE": globs,
        "GOVCS": lambda: dice.choice(
            ["*:all", "*:hg", "public:off", "private:git,public:hg", f"{dice.choice(GLOBS[8:])}:git|hg", "x"]
        ),
        "GOFLAGS": lambda: dice.choice(["-mod=mod", "'-modcacherw' -v", "-mod vendor", "-x -modcacherw", ""]),
        "NO_PROXY": lambda: dice.choice(EXCEPTIONS),
        "GOAUTH": lambda: dice.choice(["netrc", "off"]),
    }
    chosen = dice.sample(sorted(makers), dice.randint(0, 4))
    rules = dice.choices(RULES, k=dice.choice([0, 1, 1, 2, 3]))
    git = "".join(rule.format(dice.choice(PREFIXES)) for rule in rules)
    return Case(dice.choice(PATHS), goproxy.rstrip(",|"), {name: makers[name]() for name in chosen}, git=git)


@pytest.mark.parametrize("seed", range(size(20, 600)))
async def test_whatever_is_set_the_route_and_go_agree(seed: int, tmp_path: Path) -> None:
    await test_who_is_asked_is_what_the_route_says(random_case(seed), tmp_path)
