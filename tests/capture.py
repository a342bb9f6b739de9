"""tshark as a judge of bytes: what another reader of the protocol makes of them, without any network.

A capture file is written by hand, one TCP connection with the bytes in segments of the size that a network would
cut them to, and tshark reads it.
"""

import json
import shutil
import struct
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import pytest

_RAW_IP: Final = 101
"""LINKTYPE_RAW: packets begin with their IP header."""
_CLIENT, _SERVER = bytes((192, 0, 2, 1)), bytes((192, 0, 2, 2))


def require_tshark() -> None:
    """Skips the test where there is no tshark."""
    if shutil.which("tshark") is None:
        pytest.skip("needs tshark")


def fields(data: bytes, *names: str, segment: int = 1460) -> dict[str, list[str]]:
    """All values of these fields, in the order of the capture, when a client sends `data` to port 443."""
    require_tshark()
    layers = [packet["_source"]["layers"] for packet in _read(data, segment, names)]
    return {name: [value for layer in layers for value in layer.get(name, ())] for name in names}


def _read(data: bytes, segment: int, names: tuple[str, ...]) -> list[Any]:
    wanted = [part for name in names for part in ("-e", name)]
    done = subprocess.run(
        ["tshark", "-n", "-r", "-", "-T", "json", *wanted],
        input=b"".join(_capture(data, segment)),
        capture_output=True,
        check=True,
    )
    packets: list[Any] = json.loads(done.stdout)
    return packets


def _capture(data: bytes, segment: int) -> Iterator[bytes]:
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, _RAW_IP)
    yield _packet(b"", 1000, flags=0x02)
    for start in range(0, len(data), segment):
        yield _packet(data[start : start + segment], 1001 + start, flags=0x18)


def _packet(payload: bytes, sequence: int, *, flags: int) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", 40000, 443, sequence, 0, 5 << 4, flags, 65535, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, _CLIENT, _SERVER) + tcp
    return struct.pack("<IIII", 0, 0, len(ip), len(ip)) + ip
