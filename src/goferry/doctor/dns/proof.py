"""The one proof that an address is a host's: a TLS handshake for its name that verifies.

However different two answers look, each address on which this succeeds is right (OONI calls it the TLS-undo rule: it
undoes the suspicion). Where a company signs traffic anew and its root is trusted here, that proof is the company's.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from goferry.doctor.base import Limits
from goferry.findings import Text
from goferry.net.base import Timeouts
from goferry.net.dial import Dialer, Endpoint
from goferry.net.failure import NetError
from goferry.net.resolver import Names, SystemResolver
from goferry.net.trace import Trace

HTTPS = 443


@dataclass(frozen=True, slots=True)
class Handshake:
    """One verified handshake, or why there was none: failure is "" or a value of `net.failure.Failure`."""

    name: str
    address: str
    seconds: float
    failure: str = ""
    said: Text | None = None
    """The failure in words."""

    @property
    def proves(self) -> bool:
        """Whether the address is the host's."""
        return not self.failure


async def handshake(
    name: str, address: str, tls: Callable[[], ssl.SSLContext], limits: Limits, *, port: int = HTTPS
) -> Handshake:
    """Connects to the address and verifies its certificate for the name, with the roots of `tls`. Never raises."""
    start = time.monotonic()
    dialer = Dialer(Names(SystemResolver(), {name: (address,)}), tls)
    timeouts = Timeouts(connect=limits.connect, tls=limits.handshake)
    try:
        transport, _ = await dialer.dial(
            asyncio.Protocol, Endpoint(name, port, True), timeouts, Trace(keep=False)
        )
    except NetError as error:
        return Handshake(
            name, address, time.monotonic() - start, error.kind, Text(error.message, **error.parts)
        )
    transport.abort()
    return Handshake(name, address, time.monotonic() - start)


async def handshakes(
    pairs: Iterable[tuple[str, str]], tls: Callable[[], ssl.SSLContext], limits: Limits, *, port: int = HTTPS
) -> tuple[Handshake, ...]:
    """The same for many pairs of name and address, side by side, each pair once."""
    unique = tuple(dict.fromkeys(pairs))
    return tuple(
        await asyncio.gather(*(handshake(name, address, tls, limits, port=port) for name, address in unique))
    )
