"""The lab's relay as a program: a server on loopback, as far away as one in another country: `python -m bench.relay`.

The connection itself is made at once, so the first request of each pays one round trip less than on a real way.
"""

import argparse
import asyncio

from goferry.lab.tcp import LOOPBACK, Fault, Relay


async def _serve(port: int, target: int, delay: float) -> None:
    async with Relay(target, Fault(latency=delay), listen=(LOOPBACK, port)):
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A relay on loopback that delays what passes through it.")
    parser.add_argument("--port", type=int, required=True, help="where it listens, on 127.0.0.1")
    parser.add_argument("--to", type=int, required=True, help="the port it passes on to, on 127.0.0.1")
    parser.add_argument("--delay", type=float, required=True, help="seconds, one way")
    words = parser.parse_args()
    asyncio.run(_serve(words.port, words.to, words.delay))


if __name__ == "__main__":
    main()
