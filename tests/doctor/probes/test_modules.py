import io
import ssl
import subprocess
import zipfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry import i18n
from goferry.doctor.evidence import AnswerSeen, HostsLine, SettingsSeen, Subject
from goferry.doctor.probes.modules import look_at_modules, probe_modules, probe_sums, repository_urls
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.sumdb.memlog import MemLog
from goferry.lab import goproxy as lab
from goferry.lab import sumdb as labsumdb
from goferry.lab.forward import ForwardProxy
from goferry.lab.goproxy import Fault, Faults, LabProxy, Trouble, no_faults
from goferry.lab.http2 import Http2Front
from goferry.lab.scenario import Http2Trouble
from goferry.lab.sumdb import LabSumdb, sums_of_tree
from goferry.lab.tcp import refused_port
from goferry.lab.tls import Authority
from goferry.net import Failure
from modtree import module, noise

MODULE = "example.com/quote"
VERSION = "v1.2.3"
SUBJECT = Subject(module=MODULE, version=VERSION)
TREE = module(MODULE, "v1.0.0", VERSION)
SEEN = SettingsSeen()
DATABASE = "sum.example.org"
PURPOSES = ("list", "latest", "info", "mod", "zip")


def key(kind: Kind, version: str = VERSION) -> str:
    return request_path(kind, MODULE, "" if kind in (Kind.LIST, Kind.LATEST) else version)


ZIP = key(Kind.ZIP)


def h1(tree: Mapping[str, bytes] = TREE) -> str:
    with zipfile.ZipFile(io.BytesIO(tree[ZIP])) as archive:
        return dirhash.hash1(archive.namelist(), lambda name: archive.open(name))  # type: ignore[arg-type]


def of(answers: tuple[AnswerSeen, ...], purpose: str, entry: int | None = None) -> list[AnswerSeen]:
    """The answers to one kind of question, of one entry or of all."""
    return [each for each in answers if each.purpose == purpose and entry in (None, each.entry)]


def fault_at(path: str, fault: Fault, *, times: int = 99) -> Faults:
    return lambda asked, count: fault if asked == path and count < times else None


class Database:
    """A checksum database below a mirror, and by itself."""

    def __init__(self, tree: Mapping[str, bytes] = TREE) -> None:
        self.log = MemLog(DATABASE, sums=sums_of_tree(tree))
        self.lab = LabSumdb(self.log)

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(labsumdb.routes(self.lab, DATABASE))
        return app


# ---- a mirror that is well ---------------------------------------------------------------------------------


async def test_every_kind_of_question_is_asked_once_and_kept(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        answers = await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT)
    assert sorted(each.purpose for each in answers) == sorted(PURPOSES)
    assert {(each.status, each.failure, each.entry, each.protocol) for each in answers} == {
        (200, "", 0, "HTTP/1.1")
    }
    (archive,) = of(answers, "zip")
    assert archive.size == archive.declared == len(TREE[ZIP])
    (listed,) = of(answers, "list")
    assert listed.url == f"{proxy.url}/{MODULE}/@v/list"
    assert listed.body == "v1.0.0\nv1.2.3\n"
    assert "server" in listed.headers
    assert max(proxy.asked.values()) == 1


@pytest.mark.parametrize("wanted", ["", "latest", "v1", "v1.2", "v1.2.3"])
async def test_without_an_exact_version_the_one_that_go_would_take_is_looked_at(
    wanted: str, tmp_path: Path
) -> None:
    async with lab.running(TREE) as proxy:
        await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, Subject(module=MODULE, version=wanted))
    assert proxy.asked[ZIP] == 1


async def test_a_branch_is_asked_as_a_revision_and_its_version_after_that(tmp_path: Path) -> None:
    tree = TREE | {f"{MODULE}/@v/main.info": TREE[key(Kind.INFO)]}
    async with lab.running(tree) as proxy:
        await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, Subject(module=MODULE, version="main"))
    assert (proxy.asked[f"{MODULE}/@v/main.info"], proxy.asked[ZIP]) == (1, 1)


@pytest.mark.parametrize("wanted", ["v2", "v1.9", "v9.9.9", "no-such-branch"])
async def test_a_revision_that_the_mirror_does_not_know_is_none_of_its_others(
    wanted: str, tmp_path: Path
) -> None:
    async with lab.running(TREE) as proxy:
        subject = Subject(module=MODULE, version=wanted)
        answers = await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, subject)
    assert of(answers, "zip") == []
    assert of(answers, "list")[0].status == 200


async def test_each_entry_of_the_list_is_asked_and_known_by_its_place(tmp_path: Path) -> None:
    async with lab.running({}) as empty, lab.running(TREE) as full:
        answers = await probe_modules(world(tmp_path, GOPROXY=f"{empty.url},{full.url},off"), SEEN, SUBJECT)
    assert [each.status for each in of(answers, "zip")] == [404, 200]
    assert {(each.entry, each.status) for each in answers} == {(0, 404), (1, 200)}


async def test_a_file_tree_is_read_in_the_words_of_http(tmp_path: Path) -> None:
    for path, body in TREE.items():
        place = tmp_path / "tree" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)
    here = world(tmp_path, GOPROXY=(tmp_path / "tree").as_uri())
    answers = await probe_modules(here, SEEN, SUBJECT)
    assert {each.purpose: each.status for each in answers} == dict.fromkeys(PURPOSES, 200)
    missing = await probe_modules(here, SEEN, Subject(module=MODULE, version="v1.9.9"))
    assert of(missing, "zip")[0].status == 404


async def test_without_a_subject_only_whether_the_mirror_answers_is_asked(tmp_path: Path) -> None:
    database = Database()
    async with lab.running(TREE, app=database.app()) as proxy, labsumdb.running(database.log) as direct:
        here = world(tmp_path, GOPROXY=proxy.url)
        without = await probe_modules(here, SEEN, Subject())
        settings = f"{database.log.verifier_key} {direct.url}"
        both = await probe_modules(world(tmp_path, GOPROXY=proxy.url, GOSUMDB=settings), SEEN, Subject())
    assert [each.purpose for each in without] == ["root"]
    assert {each.purpose: each.entry for each in both} == {"root": 0, "sumdb_latest": -1}


# ---- what may not be asked ---------------------------------------------------------------------------------


async def test_a_private_module_is_named_to_no_mirror_and_no_database(tmp_path: Path) -> None:
    database = Database()
    async with lab.running(TREE, app=database.app()) as proxy:
        here = world(
            tmp_path, GOPROXY=proxy.url, GOSUMDB=database.log.verifier_key, GOPRIVATE="example.com", **CLOSED
        )
        await probe_modules(here, SEEN, SUBJECT)
        await probe_sums(here, SEEN, SUBJECT)
    assert not proxy.asked
    assert set(database.lab.asked) == {"supported"}


CLOSED = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}


# ---- what can be wrong -------------------------------------------------------------------------------------

FAULTS = [
    (Fault(Trouble.STATUS, 403, "denied by policy"), 403, "", "denied by policy", 1),
    (Fault(Trouble.STATUS, 429, "slow down", headers={"Retry-After": "30"}), 429, "", "slow down", 1),
    (Fault(Trouble.STATUS, 410, "gone"), 410, "", "gone", 1),
    (Fault(Trouble.STATUS, 502, "no upstream"), 502, "", "no upstream", 2),
    (Fault(Trouble.HTML), 200, "", "<html>please log in</html>", 1),
    (Fault(Trouble.GZIPPED), 200, "", "", 1),
    (Fault(Trouble.CUT), 200, Failure.BODY_TRUNCATED, "", 2),
    (Fault(Trouble.STALL), 0, Failure.FIRST_BYTE_TIMEOUT, "", 2),
]


@pytest.mark.parametrize(("fault", "status", "failure", "body", "attempts"), FAULTS)
async def test_an_answer_that_is_wrong_is_kept_as_it_came(
    fault: Fault, status: int, failure: str, body: str, attempts: int, tmp_path: Path
) -> None:
    async with lab.running(TREE, fault_at(ZIP, fault)) as proxy:
        here = world(tmp_path, {"first_byte": 0.3}, GOPROXY=proxy.url)
        answers = await probe_modules(here, SEEN, SUBJECT)
    archives = of(answers, "zip")
    assert [each.attempt for each in archives] == [1, 2][:attempts]
    assert {(each.status, each.failure) for each in archives} == {(status, failure)}
    assert body in archives[-1].body
    assert [each.status for each in of(answers, "info")] == [200]


async def test_retry_after_is_among_the_headers_that_are_kept(tmp_path: Path) -> None:
    fault = Fault(
        Trouble.STATUS, 429, "slow down", headers={"Retry-After": "30", "X-Cache": "HIT", "X-Odd": "1"}
    )
    async with lab.running(TREE, fault_at(ZIP, fault)) as proxy:
        (archive,) = of(await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT), "zip")
    assert (archive.headers["retry-after"], archive.headers["x-cache"]) == ("30", "HIT")
    assert "x-odd" not in archive.headers


async def test_a_fault_that_passes_is_told_from_one_that_lasts(tmp_path: Path) -> None:
    async with lab.running(TREE, fault_at(ZIP, Fault(Trouble.STATUS, 503), times=1)) as proxy:
        archives = of(await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT), "zip")
    assert [(each.attempt, each.status) for each in archives] == [(1, 503), (2, 200)]


async def test_a_truncated_body_says_how_much_came(tmp_path: Path) -> None:
    tree = module(MODULE, VERSION, extra={"noise": noise(200_000)})
    async with lab.running(tree, fault_at(ZIP, Fault(Trouble.CUT, share=0.5))) as proxy:
        archive = of(await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT), "zip")[0]
    assert archive.declared == len(tree[ZIP])
    assert archive.size == archive.declared // 2


async def test_a_zip_that_is_too_large_is_left_after_its_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = module(MODULE, VERSION, extra={"noise": noise(300_000)})
    monkeypatch.setattr("goferry.doctor.probes.modules.WHOLE_ZIP", 200_000)
    async with lab.running(tree) as proxy:
        seen = await look_at_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT)
    (archive,) = of(seen.answers, "zip")
    assert (archive.size, archive.declared, archive.failure) == (64 * 1024, len(tree[ZIP]), "")
    assert seen.sums == ()


async def test_a_slow_body_that_flows_is_left_without_being_called_a_fault(tmp_path: Path) -> None:
    async with dripping() as (url, drip):
        here = world(tmp_path, {"body": 0.4}, GOPROXY=url)
        (archive,) = of(await probe_modules(here, SEEN, SUBJECT), "zip")
        drip.clear()
    assert (archive.status, archive.failure, archive.declared) == (200, "", 1_000_000)
    assert 0 < archive.size < archive.declared


@asynccontextmanager
async def dripping() -> AsyncIterator[tuple[str, list[bool]]]:
    """A mirror whose zips never end in time."""
    import asyncio

    going = [True]

    async def handle(request: web.Request) -> web.StreamResponse:
        if not request.path.endswith(".zip"):
            return web.Response(body=TREE.get(request.path.lstrip("/"), b""))
        response = web.StreamResponse()
        response.content_length = 1_000_000
        await response.prepare(request)
        while going:
            await response.write(b"x" * 10)
            await asyncio.sleep(0.02)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", going
    finally:
        await runner.cleanup()


async def test_a_mirror_that_is_not_there_is_a_failure_of_every_question(tmp_path: Path) -> None:
    with refused_port() as port:
        answers = await probe_modules(world(tmp_path, GOPROXY=f"http://127.0.0.1:{port}"), SEEN, SUBJECT)
    assert {(each.status, each.failure) for each in answers} == {(0, Failure.CONNECT_REFUSED)}
    assert {each.purpose for each in answers} == set(PURPOSES)


async def test_a_name_that_does_not_exist_is_not_asked_twice(tmp_path: Path) -> None:
    here = world(tmp_path, GOPROXY="http://mirror.invalid")
    answers = await probe_modules(here, SEEN, SUBJECT)
    assert {(each.attempt, each.status) for each in answers} == {(1, 0)}
    assert all(each.failure.startswith("dns_") for each in answers)


@pytest.mark.parametrize("path", ["bad path", "https://example.com/x", "example.com/../x"])
async def test_a_path_that_go_refuses_is_asked_of_nobody(path: str, tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url)
        answers = await probe_modules(here, SEEN, Subject(module=path, version=VERSION))
    assert {each.purpose for each in answers} == {"root"}


@pytest.mark.parametrize("trouble", list(Http2Trouble))
async def test_a_fault_of_http2_alone_stands_beside_answers_that_are_well(
    trouble: Http2Trouble, tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    async with lab.running(TREE) as proxy:
        port = int(proxy.url.rpartition(":")[2])
        tls = authority.server_context()
        tls.set_alpn_protocols(["h2", "http/1.1"])
        async with Http2Front(port, trouble, tls=tls) as front:
            answers = await probe_modules(world(tmp_path, GOPROXY=front.url, **trusted), SEEN, SUBJECT)
    (over_http2,) = of(answers, "http2")
    assert (over_http2.protocol, over_http2.failure) == ("HTTP/2", Failure.HTTP_PROTOCOL)
    assert "INTERNAL_ERROR" in over_http2.text
    assert {each.status for each in answers if each.protocol == "HTTP/1.1"} == {200}


# ---- redirects ---------------------------------------------------------------------------------------------

SIGNED = "X-Goog-Algorithm=A&X-Goog-Credential=me&X-Goog-Signature=0123456789abcdef"


async def test_the_storage_behind_a_redirect_has_its_own_record_without_the_signature(tmp_path: Path) -> None:
    denied = f"<Error>AccessDenied for /zip?{SIGNED}</Error>"
    async with lab.running({}, lambda _path, _count: Fault(Trouble.STATUS, 403, denied)) as storage:
        away = Fault(Trouble.REDIRECT, text=f"{storage.url}/bucket/zip?{SIGNED}")
        async with lab.running(TREE, fault_at(ZIP, away)) as proxy:
            answers = await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT)
    first, second = of(answers, "zip")
    assert (first.status, first.redirect) == (302, f"{storage.url}/bucket/zip")
    assert (second.status, second.url) == (403, f"{storage.url}/bucket/zip")
    assert "AccessDenied" in second.body
    assert has_no_secret(answers, "0123456789abcdef", "X-Goog-Credential")


async def test_redirects_in_a_circle_come_to_an_end(tmp_path: Path) -> None:
    async with lab.running(TREE, fault_at(ZIP, Fault(Trouble.REDIRECT, text="?"))) as proxy:
        archives = of(await probe_modules(world(tmp_path, GOPROXY=proxy.url), SEEN, SUBJECT), "zip")
    assert archives[-1].failure == Failure.TOO_MANY_REDIRECTS
    assert len(archives) == 11


# ---- credentials -------------------------------------------------------------------------------------------


@asynccontextmanager
async def private_mirror(authority: Authority, away: str = "") -> AsyncIterator[tuple[str, list[str | None]]]:
    """A mirror with TLS that wants a password, as `https://mirror.example.org:PORT`; what it was sent. The zip leads
    away, if there is a place."""
    sent: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Authorization"))
        if sent[-1] is None:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
        if away and request.path.endswith(".zip"):
            return web.Response(status=302, headers={"Location": away})
        body = TREE.get(request.path.lstrip("/"))
        return web.Response(status=404) if body is None else web.Response(body=body)

    async with tls_server(handle, authority.server_context(("mirror.example.org",))) as port:
        yield f"https://mirror.example.org:{port}", sent


@asynccontextmanager
async def elsewhere(authority: Authority) -> AsyncIterator[tuple[str, list[str | None]]]:
    """Another host with a zip; what it was sent."""
    sent: list[str | None] = []

    async def handle(request: web.Request) -> web.Response:
        sent.append(request.headers.get("Authorization"))
        return web.Response(body=TREE[ZIP])

    async with tls_server(handle, authority.server_context(("code.example.org",))) as port:
        yield f"https://code.example.org:{port}/zip", sent


async def test_a_redirect_from_https_to_http_is_not_followed_as_go_does_not(
    tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    async with lab.running({}) as plain, private_mirror(authority, f"{plain.url}/zip") as (url, _sent):
        (tmp_path / ".netrc").write_text(f"machine {url.removeprefix('https://')} login me password x\n")
        answers = await probe_modules(world(tmp_path, GOPROXY=url, **trusted), LOCAL, SUBJECT)
    (archive,) = of(answers, "zip")
    assert (archive.status, archive.failure) == (302, Failure.INSECURE_REDIRECT)
    assert not plain.asked


@asynccontextmanager
async def tls_server(handle: Any, context: ssl.SSLContext) -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


LOCAL = SettingsSeen(
    hosts=tuple(HostsLine("127.0.0.1", (f"{name}.example.org",), 1) for name in ("mirror", "code"))
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def trusted(tmp_path: Path, authority: Authority) -> dict[str, str]:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    return {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}


@pytest.mark.parametrize("place", ["url", "netrc"])
async def test_a_private_mirror_gets_the_password_that_go_would_send_and_nobody_else(
    place: str, tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    async with (
        elsewhere(authority) as (away, sent_away),
        private_mirror(authority, away) as (url, sent),
    ):
        if place == "url":
            url = url.replace("https://", f"https://me:{PASSWORD}@".replace("$", "%24"))
        else:
            (tmp_path / ".netrc").write_text(
                f"machine {url.removeprefix('https://')} login me password {PASSWORD}\n"
            )
        answers = await probe_modules(world(tmp_path, GOPROXY=url, **trusted), LOCAL, SUBJECT)
    assert set(sent) == {"Basic bWU6aHVudGVyMi1QYSRzdzByZA=="}
    assert sent_away == [None]
    assert {each.status for each in answers} == {200, 302}
    assert has_no_secret(answers, "hunter2", "bWU6aHVudGVyMi1QYSRzdzByZA")


async def test_without_the_password_the_mirrors_401_is_what_is_seen(
    tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    async with private_mirror(authority) as (url, sent):
        (tmp_path / ".netrc").write_text(f"machine {url.removeprefix('https://')} login me password x\n")
        answers = await probe_modules(world(tmp_path, GOPROXY=url, GOAUTH="off", **trusted), LOCAL, SUBJECT)
    assert set(sent) == {None}
    assert {(each.status, each.headers["www-authenticate"]) for each in answers} == {(401, "Basic")}


async def test_a_password_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        url = proxy.url.replace("http://", f"http://me:{PASSWORD.replace('$', '%24')}@")
        answers = await probe_modules(world(tmp_path, GOPROXY=url), SEEN, SUBJECT)
    assert {each.failure for each in answers} == {Failure.INSECURE_CREDENTIALS}
    assert not proxy.asked
    assert has_no_secret(answers)


async def test_an_untrusted_certificate_is_named(tmp_path: Path, authority: Authority) -> None:
    async with private_mirror(authority) as (url, _sent):
        answers = await probe_modules(world(tmp_path, GOPROXY=url), LOCAL, SUBJECT)
    assert {each.failure for each in answers} == {Failure.TLS_UNKNOWN_AUTHORITY}


async def test_the_forward_proxy_on_the_way_is_named(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        place = ("127.0.0.1", int(proxy.url.rpartition(":")[2]))
        async with ForwardProxy(routes={"plain.example.org:80": place}) as forward:
            here = world(tmp_path, GOPROXY="http://plain.example.org", HTTP_PROXY=forward.url)
            answers = await probe_modules(here, SEEN, SUBJECT)
    assert {(each.status, each.via) for each in answers} == {(200, forward.url)}


async def test_what_is_kept_is_in_the_same_words_whatever_language_is_spoken(tmp_path: Path) -> None:
    i18n.activate("zh")
    with refused_port() as port:
        here = world(tmp_path, GOPROXY="https://proxy.example.org", HTTPS_PROXY=f"http://127.0.0.1:{port}")
        answers = await probe_modules(here, SEEN, SUBJECT)
    assert {each.failure for each in answers} == {Failure.PROXY_UNREACHABLE}
    assert all(each.text.startswith("connect_refused: [Errno ") for each in answers)


# ---- checksums ---------------------------------------------------------------------------------------------


async def test_the_database_is_asked_through_the_mirror_and_by_itself(
    tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    database = Database()
    async with lab.running(TREE, app=database.app()) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url, GOSUMDB=database.log.verifier_key)
        seen = SettingsSeen(hosts=(HostsLine("127.0.0.1", (DATABASE,), 1),))
        answers = await probe_modules(here, seen, SUBJECT)
    assert [each.status for each in of(answers, "supported")] == [200]
    through, *direct = of(answers, "lookup")
    assert (through.entry, through.status) == (0, 200)
    assert {(each.entry, each.status) for each in direct} == {(-1, 0)}
    assert {each.url for each in of(answers, "sumdb_latest")} == {f"https://{DATABASE}/latest"}


async def test_a_database_with_a_url_of_its_own_is_asked_there_alone(tmp_path: Path) -> None:
    database = Database()
    async with lab.running(TREE, app=database.app()) as proxy, labsumdb.running(database.log) as direct:
        gosumdb = f"{database.log.verifier_key} {direct.url}"
        answers = await probe_modules(world(tmp_path, GOPROXY=proxy.url, GOSUMDB=gosumdb), SEEN, SUBJECT)
    assert [(each.entry, each.status) for each in of(answers, "lookup")] == [(-1, 200)]
    assert not database.lab.asked


async def test_hashes_that_agree_are_one_record(tmp_path: Path) -> None:
    database = Database()
    (tmp_path / "go.mod").write_text("module example.com/main\n")
    (tmp_path / "go.sum").write_text(f"{MODULE} {VERSION} {h1()}\n")
    async with lab.running(TREE, app=database.app()) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url, GOSUMDB=database.log.verifier_key)
        (sums,) = await probe_sums(here, SEEN, SUBJECT)
    assert (sums.module, sums.version, sums.entry) == (MODULE, VERSION, 0)
    assert (sums.go_sum, sums.sumdb, sums.proxy, sums.origin) == (h1(), h1(), h1(), "")


async def test_each_mirror_speaks_for_itself_and_the_origin_is_asked_when_they_differ(tmp_path: Path) -> None:
    other = module(MODULE, VERSION, extra={"evil.go": b"package quote\n"})
    async with lab.running(TREE) as honest, lab.running(other) as changed:
        here = world(tmp_path, GOPROXY=f"{honest.url},{changed.url}", **CLOSED)
        sums = (await look_at_modules(here, SEEN, SUBJECT)).sums
    assert [(each.entry, each.proxy) for each in sums] == [(0, h1()), (1, h1(other))]
    assert {each.origin for each in sums} == {""}


async def test_the_origin_tells_which_of_two_mirrors_changed_something(tmp_path: Path) -> None:
    path = "github.com/example/quote"
    subject = Subject(module=path, version=VERSION)
    true, changed = module(path, VERSION), module(path, VERSION, extra={"evil.go": b"package quote\n"})
    repository = tmp_path / "repository"
    commit(repository, true[request_path(Kind.ZIP, path, VERSION)], VERSION)
    rewrite = {
        "GIT_CONFIG_KEY_0": f"url.{repository.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://{path}",
    }
    async with lab.running(true) as honest, lab.running(changed) as lying:
        here = world(tmp_path, GOPROXY=f"{honest.url},{lying.url}", GIT_CONFIG_COUNT="1", **rewrite, **CLOSED)
        first, second = await probe_sums(here, SEEN, subject)
    assert first.proxy != second.proxy
    assert (first.origin, second.origin) == (first.proxy, first.proxy)


def commit(folder: Path, archive: bytes, tag: str) -> None:
    """A repository with the files of a module zip, tagged."""
    folder.mkdir()
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for name in files.namelist():
            (folder / name.partition("@")[2].partition("/")[2]).write_bytes(files.read(name))
    person = ("-c", "user.name=Lab", "-c", "user.email=lab@example.org")
    for words in (("init", "-q"), ("add", "."), (*person, "commit", "-q", "-m", "all"), ("tag", tag)):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


async def test_the_project_s_own_hash_is_known_without_a_mirror(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.com/main\n")
    (tmp_path / "go.sum").write_text(f"{MODULE} {VERSION} {h1()}\n")
    (sums,) = await probe_sums(world(tmp_path, GOPROXY="off"), SEEN, SUBJECT)
    assert (sums.go_sum, sums.proxy, sums.entry) == (h1(), "", -1)


async def test_a_zip_that_is_none_and_a_record_that_is_none_have_no_hash(tmp_path: Path) -> None:
    async with lab.running(TREE, fault_at(ZIP, Fault(Trouble.HTML))) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url)
        assert await probe_sums(here, SEEN, SUBJECT) == ()
        assert await probe_sums(here, SEEN, Subject()) == ()


# ---- the origin --------------------------------------------------------------------------------------------


@asynccontextmanager
async def import_host(
    authority: Authority, page: str, status: int = 200
) -> AsyncIterator[tuple[dict[str, str], list[str]]]:
    """An import host with one page for all paths: the variables that lead to it, and what it was asked."""
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path_qs)
        if "service" in request.query:
            return web.Response(status=401, headers={"WWW-Authenticate": "Basic"})
        return web.Response(status=status, text=page, content_type="text/html")

    async with tls_server(handle, authority.server_context(("code.example.org",))) as port:
        routes = {"code.example.org:443": ("127.0.0.1", port)}
        async with ForwardProxy(routes=routes) as proxy:
            yield {"HTTPS_PROXY": proxy.url}, asked


LIB = Subject(module="code.example.org/lib", version=VERSION)
ROOT = "https://code.example.org/lib.git"
PAGE = f'<head><meta name="go-import" content="{LIB.module} git {ROOT}"></head>'


async def test_go_import_and_the_repository_are_seen_when_go_could_get_there(
    tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    subject = Subject(module=f"{LIB.module}/sub", version=VERSION)
    async with import_host(authority, PAGE) as (way, asked):
        here = world(tmp_path, GOPROXY="direct", **way, **trusted)
        answers = await probe_modules(here, SEEN, subject)
    assert asked == ["/lib/sub?go-get=1", "/lib?go-get=1", "/lib.git/info/refs?service=git-upload-pack"]
    page = of(answers, "go_get")[0]
    assert page.facts == {"prefix": LIB.module, "vcs": "git", "root": ROOT, "subdir": ""}
    assert [each.status for each in of(answers, "origin")] == [401]
    assert repository_urls(subject, answers) == (ROOT,)


PAGES = [
    ("<html>nothing</html>", 200, "no go-import tag is for"),
    ("<a href=/x>" + PAGE, 200, "expected an attribute name"),
    (PAGE.replace("code.example.org/lib git", "other.example.org git"), 200, "no go-import tag is for"),
    ("<html>not found</html>", 404, "no go-import tag is for"),
]


@pytest.mark.parametrize(("page", "status", "error"), PAGES)
async def test_a_page_that_names_no_repository_says_why(
    page: str, status: int, error: str, tmp_path: Path, authority: Authority, trusted: dict[str, str]
) -> None:
    async with import_host(authority, page, status) as (way, asked):
        answers = await probe_modules(world(tmp_path, GOPROXY="direct", **way, **trusted), SEEN, LIB)
    (seen,) = of(answers, "go_get")
    assert seen.status == status
    assert error in seen.facts["error"]
    assert asked == ["/lib?go-get=1"]
    assert repository_urls(LIB, answers) == ()


MIRRORS = [
    ({}, None, True),
    (module(LIB.module, "v1.0.0"), None, True),  # it has not seen the new version yet
    (module(LIB.module, VERSION), None, False),
    ({}, 403, False),
]


@pytest.mark.parametrize(("tree", "status", "is_asked"), MIRRORS)
async def test_the_origin_is_asked_without_direct_only_when_no_mirror_has_the_module(
    tree: dict[str, bytes],
    status: int | None,
    is_asked: bool,
    tmp_path: Path,
    authority: Authority,
    trusted: dict[str, str],
) -> None:
    faults = no_faults if status is None else lambda _path, _count: Fault(Trouble.STATUS, status)
    async with import_host(authority, PAGE) as (way, asked), lab.running(tree, faults) as mirror:
        await probe_modules(world(tmp_path, GOPROXY=mirror.url, **way, **trusted), SEEN, LIB)
    assert bool(asked) == is_asked


async def test_plain_http_is_tried_only_for_what_goinsecure_names(tmp_path: Path) -> None:
    async with lab.running({"lib": PAGE.encode()}) as server:
        place = ("127.0.0.1", int(server.url.rpartition(":")[2]))
        async with ForwardProxy(routes={"code.example.org:80": place}) as proxy:
            way = {"HTTP_PROXY": proxy.url, "HTTPS_PROXY": "http://127.0.0.1:9", "GOPROXY": "direct"}
            strict = await probe_modules(world(tmp_path, **way), SEEN, LIB)
            lax = await probe_modules(world(tmp_path, GOINSECURE="code.example.org", **way), SEEN, LIB)
    assert {each.url.partition(":")[0] for each in of(strict, "go_get")} == {"https"}
    assert of(lax, "go_get")[-1].url == "http://code.example.org/lib?go-get=1"
    assert of(lax, "go_get")[-1].facts["root"] == ROOT


async def test_a_code_host_that_go_knows_is_asked_for_no_page(tmp_path: Path) -> None:
    here = world(tmp_path, GOPROXY="direct", **CLOSED)
    subject = Subject(module="github.com/example/lib/v2", version="v2.0.0")
    answers = await probe_modules(here, SEEN, subject)
    assert {each.purpose for each in answers} == {"origin"}
    assert repository_urls(subject, answers) == ("https://github.com/example/lib",)


async def test_all_stays_within_its_share_of_the_time(tmp_path: Path) -> None:
    async with stalled() as proxy:
        here = world(tmp_path, {"look": 2.0, "first_byte": 30.0}, GOPROXY=proxy.url)
        answers = await probe_modules(here, SEEN, SUBJECT)
    assert {each.failure for each in answers} == {Failure.WHOLE_TIMEOUT}


@asynccontextmanager
async def stalled() -> AsyncIterator[LabProxy]:
    async with lab.running(TREE, lambda _path, _count: Fault(Trouble.STALL)) as proxy:
        yield proxy
        proxy.released.set()
