"""Servers that run beside a synchronous test, in a thread with a loop of its own."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

T = TypeVar("T")


@contextlib.contextmanager
def background(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What the asynchronous context manager gives, while it is open in another thread."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(
        lambda _loop, _context: None
    )  # clients that refuse a certificate are the point
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def stop() -> None:
        await server.__aexit__(None, None, None)
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def tls_servers(contexts: Mapping[str, ssl.SSLContext]) -> AbstractAsyncContextManager[int]:
    """A TLS server for each loopback address, all on one port, which is given. They close after the handshake."""

    @contextlib.asynccontextmanager
    async def running() -> AsyncIterator[int]:
        servers: list[asyncio.Server] = []
        port = 0
        for address, context in contexts.items():
            servers.append(await asyncio.start_server(_close, address, port, ssl=context))
            port = servers[-1].sockets[0].getsockname()[1]
        yield port
        for server in servers:
            server.close()

    return running()


async def _close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
