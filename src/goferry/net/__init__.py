"""One network stack, traced; used alike by the server, the doctor and the bench.

`Client` and `ClientOptions` load aiohttp, so they are fetched when first asked for; the rest is light.
"""

from typing import TYPE_CHECKING, Any

from goferry.net.base import HttpClient, Response, Timeouts
from goferry.net.failure import Failure, NetError, NetTimeout, classify
from goferry.net.trace import Event, Observer, State, Step, Trace

if TYPE_CHECKING:
    from goferry.net.client import Client, ClientOptions

__all__ = [
    "Client",
    "ClientOptions",
    "Event",
    "Failure",
    "HttpClient",
    "NetError",
    "NetTimeout",
    "Observer",
    "Response",
    "State",
    "Step",
    "Timeouts",
    "Trace",
    "classify",
]


def __getattr__(name: str) -> Any:
    if name in ("Client", "ClientOptions"):
        from goferry.net import client

        return getattr(client, name)
    raise AttributeError(name)
