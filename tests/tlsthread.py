"""TLS servers that run beside a synchronous test, each on a loopback address of its own and all on one port."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def tls_servers(contexts: Mapping[str, ssl.SSLContext]) -> Iterator[int]:
    """Serves each context on its address; yields the port. Connections are closed after the handshake."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    servers: list[asyncio.Server] = []

    async def start() -> int:
        port = 0
        for address, context in contexts.items():
            server = await asyncio.start_server(_close, address, port, ssl=context)
            servers.append(server)
            port = server.sockets[0].getsockname()[1]
        return port

    async def stop() -> None:
        for server in servers:
            server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    loop.set_exception_handler(
        lambda _loop, _context: None
    )  # clients that refuse the certificate are the point
    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result(10)
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _close(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
