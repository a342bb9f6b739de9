"""The pages that are not modules, without a server around them."""

from dataclasses import dataclass, field

import pytest

from goferry.errors import GoferryError
from goferry.gomod.goproxy import parse_request
from goferry.server import admin


@dataclass
class FakeSite:
    url: str = "http://127.0.0.1:8080"
    draining: bool = False
    has_metrics: bool = True
    reasons: list[str] = field(default_factory=list)

    async def problems(self) -> list[str]:
        return self.reasons

    def metrics(self) -> bytes:
        return b"x 1\n"


@pytest.mark.parametrize(
    ("site", "status", "body"),
    [
        (FakeSite(), 200, b"ready\n"),
        (FakeSite(draining=True), 503, b"draining: about to stop\n"),
        (FakeSite(reasons=["a", "b"]), 503, b"a\nb\n"),
        (FakeSite(draining=True, reasons=["a"]), 503, b"draining: about to stop\na\n"),
    ],
)
async def test_readyz_gives_every_reason(site: FakeSite, status: int, body: bytes) -> None:
    reply = await admin.readyz(site, {}, "http")
    assert (reply.status, reply.body) == (status, body)


async def test_healthz_is_fine_whatever_the_rest_is() -> None:
    assert (await admin.healthz(FakeSite(draining=True, reasons=["a"]), {}, "http")).status == 200


async def test_metrics_can_be_switched_off() -> None:
    assert (await admin.metrics(FakeSite(), {}, "http")).body == b"x 1\n"
    assert (await admin.metrics(FakeSite(has_metrics=False), {}, "http")).status == 404


@pytest.mark.parametrize(
    ("host", "url"),
    [
        (b"proxy.example.org", "https://proxy.example.org"),
        (b"proxy.example.org:8443", "https://proxy.example.org:8443"),
        (b"[2001:db8::1]:8080", "https://[2001:db8::1]:8080"),
        (b"proxy.example.org/path", "http://127.0.0.1:8080"),
        (b"a b", "http://127.0.0.1:8080"),
        (b"$(reboot)", "http://127.0.0.1:8080"),
        (b"x\xff", "http://127.0.0.1:8080"),
        (b"", "http://127.0.0.1:8080"),
    ],
)
async def test_the_lines_to_paste_hold_a_host_name_and_nothing_else(host: bytes, url: str) -> None:
    page = (await admin.front(FakeSite(), {b"host": host}, "https")).body.decode()
    assert f"export GOPROXY={url}\n" in page
    assert f"go env -w GOPROXY={url}\n" in page


def test_no_page_can_be_a_module() -> None:
    for path in admin.PAGES:
        with pytest.raises(GoferryError):
            parse_request(path)
