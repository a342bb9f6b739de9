"""What the client promises beyond naming faults: redirects, secrets, the pool, limits, and leaving nothing behind."""

import asyncio
import os
from typing import Any

import pytest

from goferry import __version__
from goferry.errors import InvalidInput
from goferry.lab.dns import DnsServer
from goferry.lab.forward import ForwardProxy
from goferry.lab.tcp import STALL, Fault, Listener, Relay
from goferry.lab.tls import Authority
from goferry.net import Client, ClientOptions, Failure, NetError, State, Step, Trace
from goferry.net.client import MAX_REDIRECTS
from goferry.net.httpproxy import ProxyConfig
from net.clients import client_for
from net.web import Request, Web, answer, moved, ok

HOSTS = ["module.example=127.0.0.1", "other.example=127.0.0.1"]


async def fetch(client: Client, url: str, **options: Any) -> tuple[int, bytes, str]:
    """Status, body and last URL."""
    async with client.get(url, **options) as response:
        return response.status, await response.read(1 << 20), response.url


# --- requests ---------------------------------------------------------------------------------------------------------


async def test_the_request_is_sent_as_written(make_client: Any) -> None:
    async with Web(lambda _: ok()) as web:
        target = "/github.com/!azure/go%2dsdk/@v/v1.0.0+incompatible.info?a=%20b"
        assert await fetch(make_client(), web.url + target) == (200, b"hello", web.url + target)
    (request,) = web.requests
    assert request.target == target
    assert request.headers["user-agent"] == f"goferry/{__version__}"
    assert request.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/x",
        "ftp://module.example/",
        "http://",
        "http://host:port/",
        "http://module.example/a b",
        "http://a/\r\nX: y",
    ],
)
async def test_what_is_no_web_address_is_the_askers_fault(make_client: Any, url: str) -> None:
    with pytest.raises(InvalidInput):
        await fetch(make_client(), url)


async def send(client: Client, method: str, url: str, **options: Any) -> tuple[int, bytes]:
    async with client.send(method, url, **options) as response:
        return response.status, await response.read(1 << 20)


async def test_a_body_is_sent_with_its_method_and_headers(make_client: Any) -> None:
    async with Web(
        lambda request: answer("201 Created", f"{request.method} {len(request.body)}".encode())
    ) as web:
        client = make_client()
        assert await send(
            client, "POST", web.url + "/hook", body=b"{}", headers={"Content-Type": "application/json"}
        ) == (201, b"POST 2")
        large = b"x" * 3_000_000
        assert await send(client, "PATCH", web.url + "/hook", body=large) == (201, b"PATCH 3000000")
    assert web.requests[1].body == large
    assert web.requests[0].headers["content-type"] == "application/json"
    assert web.connections == 1


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [("GET", None, None), ("POST", None, "0"), ("POST", b"", "0"), ("PUT", b"ab", "2")],
)
async def test_how_long_the_body_is_is_said_where_there_could_be_one(
    make_client: Any, method: str, body: bytes | None, length: str | None
) -> None:
    async with Web(lambda _: ok()) as web:
        await send(make_client(), method, web.url, body=body)
    assert web.requests[0].headers.get("content-length") == length


async def test_what_the_asker_says_of_itself_takes_the_place_of_the_usual(make_client: Any) -> None:
    async with Web(lambda _: ok()) as web:
        await fetch(
            make_client(),
            web.url,
            headers={"accept": "text/plain", "USER-AGENT": "somebody/1", "Host": "a.b"},
        )
    assert {name: web.requests[0].headers[name] for name in ("accept", "user-agent", "host")} == {
        "accept": "text/plain",
        "user-agent": "somebody/1",
        "host": "a.b",
    }
    assert len(web.requests[0].headers) == 4  # and accept-encoding


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nX: y", "a\rb", "a\0b"])
async def test_a_header_can_not_smuggle_in_another_one(make_client: Any, value: str) -> None:
    async with Web(lambda _: ok()) as web:
        client = make_client()
        with pytest.raises(InvalidInput) as caught:
            await fetch(client, web.url, headers={"Authorization": value})
        assert value not in str(caught.value)
        assert web.requests == []


async def test_what_changes_something_is_not_sent_on_to_where_a_redirect_points(make_client: Any) -> None:
    async with Web(lambda _: moved("/elsewhere", "307 Temporary Redirect")) as web:
        status, _body = await send(make_client(), "POST", web.url, body=b"{}")
    assert (status, len(web.requests)) == (307, 1)


async def test_what_changes_something_is_never_sent_twice_by_itself(make_client: Any) -> None:
    """The server takes the second request and closes: a GET would be asked again, a POST must not be."""
    async with Web(lambda request: ok() if request.target == "/first" else b"", close_after=2) as web:
        client = make_client()
        await fetch(client, web.url + "/first")
        with pytest.raises(NetError) as caught:
            await send(client, "POST", web.url + "/second", body=b"{}")
    assert caught.value.kind is Failure.NO_ANSWER
    assert [request.target for request in web.requests] == ["/first", "/second"]


async def test_any_status_is_an_answer(make_client: Any) -> None:
    async with Web(lambda _: answer("404 Not Found", b"not found: unknown revision")) as web:
        assert await fetch(make_client(), web.url) == (404, b"not found: unknown revision", web.url)


async def test_an_answer_without_a_body_leaves_its_connection_to_others(make_client: Any) -> None:
    async with Web(lambda request: ok() if request.method == "GET" else ok()[:-5]) as web:
        client = make_client()
        async with client.send("HEAD", web.url) as response:
            assert (response.status, response.headers["Content-Length"]) == (200, "5")
            assert await response.read(10) == b""
        assert (await fetch(client, web.url))[1] == b"hello"
        assert web.connections == 1


async def test_what_only_announces_the_answer_is_not_the_answer(make_client: Any) -> None:
    async with Web(lambda _: b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok()) as web:
        client = make_client()
        for _ in range(2):
            assert (await fetch(client, web.url))[:2] == (200, b"hello")
        assert web.connections == 1


async def test_cookies_are_not_sent_back(make_client: Any) -> None:
    async with Web(lambda _: ok(Set_Cookie="session=1")) as web:
        client = make_client()
        await fetch(client, web.url)
        await fetch(client, web.url)
    assert [request.headers.get("cookie") for request in web.requests] == [None, None]


async def test_the_body_comes_in_pieces_and_whole(make_client: Any) -> None:
    body = os.urandom(3_000_000)
    async with Web(lambda _: ok(body)) as web, make_client().get(web.url) as response:
        pieces = [piece async for piece in response.chunks()]
        assert len(pieces) > 1
        assert b"".join(pieces) == body


async def test_a_body_that_grows_beyond_the_limit_is_cut_off_unread(make_client: Any) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    async with Listener(chunked) as server:
        async with make_client().get(server.url) as response:
            with pytest.raises(NetError) as caught:
                await response.read(4)
        assert caught.value.kind is Failure.BODY_TOO_LARGE
        async with make_client().get(server.url) as response:
            assert await response.read(5) == b"hello"


# --- secrets ----------------------------------------------------------------------------------------------------------


async def test_a_password_in_the_url_becomes_basic_authorization(
    make_client: Any, authority: Authority
) -> None:
    async with Web(lambda _: ok(), tls=authority.server_context()) as web:
        url = web.url.replace("//", "//us%40er:p%2Fw@") + "/x"
        assert (await fetch(make_client(), url))[2] == web.url + "/x"
        await fetch(make_client(), url, headers={"authorization": "Bearer token"})
    sent = [request.headers["authorization"] for request in web.requests]
    assert sent == ["Basic dXNAZXI6cC93", "Bearer token"]


async def test_secrets_stay_at_home_and_a_range_travels(make_client: Any) -> None:
    def reply(request: Request) -> bytes:
        if request.target == "/home":
            return moved("/same")
        if request.target == "/same":
            return moved(f"http://other.example:{web.port}/abroad", "307 Temporary Redirect")
        return ok()

    async with Web(reply) as web:
        url = f"http://module.example:{web.port}/home"
        headers = {"Authorization": "Bearer token", "Cookie": "a=b", "Range": "bytes=5-"}
        status, _, last = await fetch(make_client(hosts=HOSTS), url, headers=headers)
    assert (status, last) == (200, f"http://other.example:{web.port}/abroad")
    home, same, abroad = web.requests
    assert home.headers["authorization"] == same.headers["authorization"] == "Bearer token"
    assert same.headers["cookie"] == "a=b"
    assert not {"authorization", "cookie"} & abroad.headers.keys()
    assert {request.headers["range"] for request in web.requests} == {"bytes=5-"}


# --- redirects --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "303 See Other", "307 T", "308 P"])
async def test_redirects_are_followed(make_client: Any, status: str) -> None:
    async with Web(lambda r: ok() if r.target == "/b/d?x=1" else moved("d?x=1#top", status)) as web:
        trace = Trace()
        assert await fetch(make_client(), web.url + "/b/c", trace=trace) == (
            200,
            b"hello",
            web.url + "/b/d?x=1",
        )
    redirects = [event.detail for event in trace.events if event.step is Step.REDIRECT]
    assert redirects == [{"status": int(status[:3]), "url": web.url + "/b/d?x=1"}]


async def test_ten_redirects_are_followed_and_no_more(make_client: Any) -> None:
    def reply(request: Request) -> bytes:
        left = int(request.target[1:])
        return moved(f"/{left - 1}") if left else ok()

    async with Web(reply) as web:
        assert (await fetch(make_client(), f"{web.url}/{MAX_REDIRECTS}"))[0] == 200
        with pytest.raises(NetError) as caught:
            await fetch(make_client(), f"{web.url}/{MAX_REDIRECTS + 1}")
    assert caught.value.kind is Failure.TOO_MANY_REDIRECTS


async def test_a_redirect_is_an_answer_like_any_other_for_who_does_not_follow(make_client: Any) -> None:
    async with Web(lambda _request: moved("/b")) as web, make_client().get(web.url, follow=False) as response:
        assert (response.status, response.headers["Location"]) == (302, "/b")
    assert len(web.requests) == 1


async def test_a_redirect_to_nowhere_is_the_answer_itself(make_client: Any) -> None:
    async with Web(lambda _: answer("302 Found", b"choose")) as web:
        assert await fetch(make_client(), web.url + "/") == (302, b"choose", web.url + "/")


async def test_a_refused_redirect_frees_its_connection(make_client: Any) -> None:
    def reply(request: Request) -> bytes:
        return (
            answer("302 Found", bytes(4_000_000), Location="ftp://a/") if request.target == "/bad" else ok()
        )

    async with Web(reply) as web:
        client = make_client(connections_per_host=1)
        with pytest.raises(NetError) as caught:
            await fetch(client, web.url + "/bad")
        assert caught.value.kind is Failure.BAD_REDIRECT
        assert (await fetch(client, web.url + "/good"))[0] == 200  # would wait for ever for the lost one


async def test_http_may_lead_to_https(make_client: Any, authority: Authority) -> None:
    context = authority.server_context(["module.example"])
    async with Web(lambda _: ok(), tls=context) as secure:
        target = f"https://module.example:{secure.port}/x"
        async with Web(lambda _: moved(target)) as web:
            assert await fetch(make_client(hosts=HOSTS), web.url) == (200, b"hello", target)


# --- the pool ---------------------------------------------------------------------------------------------------------


async def test_connections_are_used_again(make_client: Any) -> None:
    async with Web(lambda _: ok()) as web:
        client = make_client()
        for _ in range(3):
            await fetch(client, web.url)
        assert (web.connections, len(web.requests)) == (1, 3)


async def test_a_body_left_unread_costs_the_connection_and_nothing_else(make_client: Any) -> None:
    async with Web(lambda _: ok(bytes(4_000_000))) as web:
        client = make_client()
        async with client.get(web.url):
            pass
        async with client.get(web.url) as response:
            assert sum([len(piece) async for piece in response.chunks()]) == 4_000_000
        assert web.connections == 2


async def test_a_connection_closed_while_it_was_pooled_is_replaced_silently(make_client: Any) -> None:
    """The server closes right after its answer: our next request may still find the dead connection in the pool."""
    async with Web(lambda _: ok(), close_after=1) as web:
        client = make_client()
        for _ in range(20):
            assert (await fetch(client, web.url))[0] == 200
        assert len(web.requests) == 20


async def test_a_fresh_connection_that_dies_is_not_asked_again(make_client: Any) -> None:
    """How often to repeat is the caller's decision, so exactly one request may reach the server."""
    async with Listener(b"HTTP/1.1 200 OK\r\n\r\n", Fault(cut_after=0)) as server:
        with pytest.raises(NetError) as caught:
            await fetch(make_client(), server.url)
        assert caught.value.kind is Failure.NO_ANSWER
        assert (server.connections, len(server.requests)) == (1, 1)


async def test_no_more_connections_to_a_host_than_allowed(make_client: Any) -> None:
    async with Web(lambda _: ok(), delay=0.01) as web:
        client = make_client(connections_per_host=2)
        await asyncio.gather(*(fetch(client, web.url) for _ in range(12)))
        assert (web.connections, len(web.requests)) == (2, 12)


# --- limits -----------------------------------------------------------------------------------------------------------


async def test_the_idle_limit_does_not_cut_the_wait_for_the_head(make_client: Any) -> None:
    async with Web(lambda _: ok(), delay=0.3) as web:
        assert (await fetch(make_client(idle=0.05), web.url))[0] == 200


async def test_a_slow_but_steady_body_is_not_idle(make_client: Any) -> None:
    data = ok(bytes(200))
    async with Listener(data, Fault(rate=800)) as server:
        assert len((await fetch(make_client(idle=0.2), server.url))[1]) == 200


async def test_a_slow_reader_is_not_an_idle_server(make_client: Any) -> None:
    async with Web(lambda _: ok(bytes(8_000_000))) as web, make_client(idle=0.05).get(web.url) as response:
        size = 0
        async for piece in response.chunks():
            if not size:
                await asyncio.sleep(0.2)  # four times the limit, while the buffers are full
            size += len(piece)
        assert size == 8_000_000


async def test_the_whole_limit_spans_redirects(make_client: Any) -> None:
    async with Web(lambda _: moved("/again"), delay=0.05) as web:
        with pytest.raises(NetError) as caught:
            await fetch(make_client(whole=0.2), web.url)
    assert caught.value.kind is Failure.WHOLE_TIMEOUT
    assert 1 < len(web.requests) < MAX_REDIRECTS


async def test_limits_of_one_request_replace_those_of_the_client(make_client: Any) -> None:
    async with Listener(ok(), STALL) as server:
        client = make_client()
        limits = make_client(first_byte=0.05).options.timeouts
        with pytest.raises(NetError) as caught:
            await fetch(client, server.url, timeouts=limits)
    assert caught.value.kind is Failure.FIRST_BYTE_TIMEOUT


# --- names ------------------------------------------------------------------------------------------------------------


async def test_a_fixed_name_is_never_looked_up(make_client: Any) -> None:
    async with DnsServer() as dns, Web(lambda _: ok()) as web:
        client = make_client(hosts=HOSTS, nameservers=[dns.address])
        assert (await fetch(client, f"http://Module.Example:{web.port}/"))[0] == 200
        assert dns.queries == []
    assert web.requests[0].headers["host"].lower() == f"module.example:{web.port}"


async def test_our_own_name_server_is_asked_once_for_many_requests(make_client: Any) -> None:
    async with DnsServer({"module.example": ["127.0.0.1"]}) as dns, Web(lambda _: ok()) as web:
        client = make_client(nameservers=[dns.address])
        await asyncio.gather(*(fetch(client, f"http://module.example:{web.port}/") for _ in range(8)))
        assert sorted(dns.queries) == [("module.example", "A"), ("module.example", "AAAA")]


# --- proxies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proxy_tls", [False, True], ids=["http-proxy", "https-proxy"])
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_tls_goes_through_a_tunnel(proxy_tls: bool, loop: str, authority: Authority) -> None:
    """With an https proxy this is TLS inside TLS."""

    async def run() -> None:
        context = authority.server_context() if proxy_tls else None
        async with Web(lambda _: ok(), tls=authority.server_context(["module.example"])) as web:
            routes = {"module.example:443": ("127.0.0.1", web.port)}
            async with ForwardProxy(auth=("us@er", "p:w"), routes=routes, tls=context) as proxy:
                value = proxy.url.replace("//", "//us%40er:p:w@")
                client = client_for(authority, environ={"HTTPS_PROXY": value})
                trace = Trace()
                for _ in range(2):
                    assert await fetch(client, "https://module.example/x", trace=trace) == (
                        200,
                        b"hello",
                        "https://module.example/x",
                    )
                await client.close()
                assert [(r.method, r.target) for r in proxy.requests] == [("CONNECT", "module.example:443")]
                assert "proxy-authorization" not in web.requests[0].headers
                steps = [event.step for event in trace.events if event.state is State.COMPLETE]
                outer = [Step.CONNECT, Step.TLS] if proxy_tls else [Step.CONNECT]
                assert steps[: len(outer) + 2] == [*outer, Step.PROXY_CONNECT, Step.TLS]

    factory = asyncio.new_event_loop if loop == "asyncio" else pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


async def test_plain_requests_go_to_the_proxy_in_absolute_form(make_client: Any) -> None:
    async with Web(lambda _: ok()) as web:
        routes = {"module.example:80": ("127.0.0.1", web.port)}
        async with ForwardProxy(auth=("user", "secret"), routes=routes) as proxy:
            client = make_client(environ={"http_proxy": proxy.url.replace("//", "//user:secret@")})
            assert (await fetch(client, "http://module.example/a!b?c=d"))[0] == 200
    assert [(r.method, r.target) for r in proxy.requests] == [("GET", "http://module.example/a!b?c=d")]
    assert [r.target for r in web.requests] == ["/a!b?c=d"]


async def test_loopback_and_exceptions_go_past_the_proxy(make_client: Any) -> None:
    async with ForwardProxy() as proxy, Web(lambda _: ok()) as web:
        environ = {"HTTP_PROXY": proxy.url, "NO_PROXY": "other.example,module.example"}
        client = make_client(environ=environ, hosts=HOSTS)
        assert (await fetch(client, web.url))[0] == 200
        assert (await fetch(client, f"http://module.example:{web.port}/"))[0] == 200
        assert proxy.requests == []


@pytest.mark.parametrize(
    "value",
    ["http//p:3128", '"http://p:3128"', "//p:3128", "http://u:p#q@p"],
    ids=["host http", "quoted", "no host", "#"],
)
async def test_a_nonsense_proxy_is_an_error_and_never_a_direct_connection(
    make_client: Any, value: str
) -> None:
    async with Web(lambda _: ok()) as web, DnsServer() as dns:
        client = make_client(environ={"HTTP_PROXY": value}, hosts=HOSTS, nameservers=[dns.address])
        with pytest.raises(NetError) as caught:
            await fetch(client, f"http://module.example:{web.port}/")
        assert caught.value.kind is Failure.PROXY_UNREACHABLE
        assert web.requests == []


# --- events and leftovers ---------------------------------------------------------------------------------------------


async def test_every_step_says_started_and_complete(make_client: Any, authority: Authority) -> None:
    seen: list[Any] = []
    context = authority.server_context(["module.example"])
    async with DnsServer({"module.example": ["127.0.0.1"]}) as dns, Web(lambda _: ok(), tls=context) as web:
        client = make_client(nameservers=[dns.address], observers=[seen.append])
        trace = Trace()
        await fetch(client, f"https://module.example:{web.port}/x", trace=trace)
    steps = [Step.RESOLVE, Step.CONNECT, Step.TLS, Step.REQUEST, Step.FIRST_BYTE, Step.BODY]
    assert [(event.step, event.state) for event in seen] == [
        (step, state) for step in steps for state in (State.STARTED, State.COMPLETE)
    ]
    assert trace.events == seen
    assert [event.at for event in seen] == sorted(event.at for event in seen)
    details = {event.step: event.detail for event in seen if event.state is State.COMPLETE}
    assert details[Step.RESOLVE]["addresses"] == ("127.0.0.1",)
    assert details[Step.TLS]["version"] == "TLSv1.3"
    assert details[Step.BODY]["size"] == 5


async def test_a_delay_on_the_way_shows_in_the_right_step(make_client: Any) -> None:
    async with Web(lambda _: ok()) as web, Relay(web.port, Fault(latency=0.05)) as relay:
        trace = Trace()
        await fetch(make_client(), relay.url, trace=trace)
    waited = trace.seconds(Step.FIRST_BYTE)
    assert waited is not None
    assert waited >= 0.1  # both directions were late


def sockets() -> set[str]:
    """The sockets that this process holds."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="sockets are counted in /proc")
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize("stage", [Step.TLS, Step.FIRST_BYTE, Step.BODY])
def test_cancellation_leaves_no_task_and_no_socket(authority: Authority, stage: Step, loop: str) -> None:
    async def run() -> None:
        tasks, before = asyncio.all_tasks(), sockets()
        reached = asyncio.Event()
        trace = Trace([lambda event: reached.set() if event.step is stage else None])
        fault = Fault(stall_after=len(ok()) - 2) if stage is Step.BODY else STALL
        async with Listener(ok(), fault) as server:
            client = client_for(authority)
            url = server.url.replace("http:", "https:") if stage is Step.TLS else server.url
            task = asyncio.ensure_future(fetch(client, url, trace=trace))
            await reached.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await client.close()
        for _ in range(20):  # closing a transport takes the loop a few turns
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks
        assert sockets() == before

    factory = asyncio.new_event_loop if loop == "asyncio" else pytest.importorskip("uvloop").new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(run())


@pytest.mark.parametrize("stage", [Step.TLS, Step.FIRST_BYTE, Step.BODY])
async def test_closing_the_client_ends_its_requests(make_client: Any, stage: Step) -> None:
    fault = Fault(stall_after=len(ok()) - 2) if stage is Step.BODY else STALL
    async with Listener(ok(), fault) as server:
        client = make_client(tls=0.1)
        started = asyncio.Event()
        trace = Trace([lambda event: started.set() if event.step is stage else None])
        url = server.url.replace("http:", "https:") if stage is Step.TLS else server.url
        task = asyncio.ensure_future(fetch(client, url, trace=trace))
        await started.wait()
        await client.close()
        with pytest.raises(NetError) as caught:
            await task
        assert caught.value.kind is Failure.CANCELLED
        with pytest.raises(NetError) as later:
            await fetch(client, server.url)
        assert later.value.kind is Failure.CANCELLED


async def test_no_password_shows_in_a_refusal_or_a_setting(make_client: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        await fetch(make_client(), "https://user:secret@host:port/")
    assert "secret" not in str(caught.value)
    environ = {"HTTPS_PROXY": "http://user:secret@p.corp"}
    assert "secret" not in repr(ClientOptions(environ=environ)) + repr(ProxyConfig.from_env(environ).https)
