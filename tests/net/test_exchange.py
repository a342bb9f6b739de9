"""What we take from aiohttp below its session. All else about an exchange is in test_client.py and test_faults.py."""

import asyncio
import inspect

import aiohttp
import pytest

from goferry.net import Failure, Trace
from goferry.net.base import Timeouts
from goferry.net.exchange import Flight, Origin


def test_aiohttp_still_has_what_the_pool_hangs_on() -> None:
    """The private names of aiohttp that we use. If this fails after an update, read net/exchange.py again."""
    connector = aiohttp.BaseConnector
    for function in (connector.connect, connector._create_connection):
        assert list(inspect.signature(function).parameters) == ["self", "req", "traces", "timeout"]
    assert "self._factory" in inspect.getsource(connector.__init__)
    source = inspect.getsource(connector.connect)
    assert "req.connection_key" in source
    assert "req.url" not in source, "the pool looks at more of a request than _Wanted has"


def test_aiohttp_still_takes_what_an_exchange_sets() -> None:
    handler = aiohttp.client_proto.ResponseHandler
    assert {
        "skip_payload",
        "read_until_eof",
        "auto_decompress",
        "read_timeout",
        "read_bufsize",
        "max_line_size",
        "max_field_size",
    } <= inspect.signature(handler.set_response_params).parameters.keys()
    assert isinstance(inspect.getattr_static(handler, "upgraded"), property)


def test_an_origin_says_all_that_keeps_connections_apart() -> None:
    """Two that differ in anything must not share a connection, and aiohttp asks its key for `is_ssl`."""
    here = Origin("module.example", 443, True, "")
    others = [
        here._replace(host="other.example"),
        here._replace(port=8443),
        here._replace(is_ssl=False),
        here._replace(proxy="http://proxy.example:3128"),
    ]
    assert len({here, *others}) == 5


@pytest.mark.parametrize(
    ("first_byte", "whole", "before", "after"),
    [
        (5.0, 60.0, Failure.WHOLE_TIMEOUT, Failure.FIRST_BYTE_TIMEOUT),
        (60.0, 5.0, Failure.WHOLE_TIMEOUT, Failure.WHOLE_TIMEOUT),
        (5.0, None, Failure.WHOLE_TIMEOUT, Failure.FIRST_BYTE_TIMEOUT),
        (None, 5.0, Failure.WHOLE_TIMEOUT, Failure.WHOLE_TIMEOUT),
    ],
)
async def test_the_limit_that_was_set_is_the_one_that_ran_out(
    first_byte: float | None, whole: float | None, before: Failure, after: Failure
) -> None:
    """Before the request is out only the whole can run out. A loop with a coarse clock cuts a moment too early, so the
    time of the cut tells nothing."""
    flight = Flight(Timeouts(first_byte=first_byte, whole=whole), Trace(keep=False))
    async with asyncio.timeout_at(flight.deadline) as limit:  # noqa: ASYNC100  the limit itself is looked at
        assert flight.ran_out(limit) is before
        flight.await_head(limit)
        assert flight.ran_out(limit) is after
