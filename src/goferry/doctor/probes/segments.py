"""A way out with small packets, for programs that know nothing of packets: a forward proxy on loopback.

What a smaller MTU would do can so be tried without it: nothing of this machine is changed, and no rights are needed.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.probes.streams import Stream, Unreached, connect
from goferry.lab.forward import ForwardProxy
from goferry.net.resolver import system_addresses

_NAMES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@asynccontextmanager
async def small_segments(world: World, segment: int) -> AsyncIterator[dict[str, str | None]]:
    """The variables with which a program connects in segments of at most so many bytes."""

    async def reach(host: str, port: int) -> Stream:
        for address in await system_addresses(host):
            try:
                sock = await connect(address, port, world.limits.connect, mss=segment)
            except Unreached:
                continue
            return await asyncio.open_connection(sock=sock)
        raise OSError(host)

    unset: dict[str, str | None] = {spelt: None for name in _NAMES for spelt in (name, name.lower())}
    async with ForwardProxy(connect=reach) as proxy:
        yield {**unset, "HTTPS_PROXY": proxy.url, "https_proxy": proxy.url}
