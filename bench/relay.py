"""A TCP relay that makes a server on loopback as far away as one in another country: `python -m bench.relay`.

Every piece of bytes arrives `--delay` seconds later, in both directions; how many are under way at once is not limited.
The connection itself is made at once, so the first request of each pays one round trip less than on a real way.
"""

import argparse
import asyncio
import contextlib

_CHUNK = 256 * 1024


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay: float) -> None:
    """Passes bytes on in their order, each `delay` after it came."""
    loop = asyncio.get_running_loop()
    under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1024)

    async def arrive() -> None:
        while True:
            when, data = await under_way.get()
            await asyncio.sleep(when - loop.time())
            if not data:
                break
            writer.write(data)
            await writer.drain()
        writer.close()

    arriving = asyncio.create_task(arrive())
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            await under_way.put((loop.time() + delay, data))
    await under_way.put((loop.time() + delay, b""))
    with contextlib.suppress(OSError):
        await arriving


async def _serve(port: int, target: int, delay: float) -> None:
    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", target, limit=_CHUNK)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_carry(reader, far_writer, delay), _carry(far_reader, writer, delay))

    server = await asyncio.start_server(accept, "127.0.0.1", port, limit=_CHUNK)
    async with server:
        await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A relay on loopback that delays what passes through it.")
    parser.add_argument("--port", type=int, required=True, help="where it listens, on 127.0.0.1")
    parser.add_argument("--to", type=int, required=True, help="the port it passes on to, on 127.0.0.1")
    parser.add_argument("--delay", type=float, required=True, help="seconds, one way")
    words = parser.parse_args()
    asyncio.run(_serve(words.port, words.to, words.delay))


if __name__ == "__main__":
    main()
