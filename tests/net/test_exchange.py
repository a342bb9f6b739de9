"""What we take from aiohttp below its session. All else about an exchange is in test_client.py and test_faults.py."""

import inspect

import aiohttp

from goferry.net.exchange import Origin


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
