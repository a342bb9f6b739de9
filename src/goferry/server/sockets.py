"""The listening socket: opened once by the supervisor, shared by all workers, closed without cutting anybody off.

Why one shared socket and not SO_REUSEPORT: with a queue per worker, connections that wait in the queue of a worker
that leaves are reset. A shared queue outlives any worker, so a reload loses nothing; and a second server on the same
port is refused by the kernel instead of quietly taking half of the connections.
"""

import errno
import os
import socket
import struct
import sys
import time

from goferry.config import Address
from goferry.errors import ConfigError
from goferry.i18n import N_

BACKLOG = 1024
"""Connections that may wait for a worker."""

_WHY = {
    errno.EADDRINUSE: (
        N_("cannot listen on {address}: the address is already in use"),
        N_(
            "stop the program that uses it (perhaps another goferry), or choose another with --addr HOST:PORT"
        ),
    ),
    errno.EACCES: (
        N_("cannot listen on {address}: permission denied"),
        N_("ports below 1024 are reserved; choose another with --addr HOST:PORT"),
    ),
    errno.EADDRNOTAVAIL: (
        N_("cannot listen on {address}: this machine has no such address"),
        N_("choose another with --addr HOST:PORT; :PORT means every interface"),
    ),
}


def listen(address: Address) -> socket.socket:
    """A listening TCP socket. ConfigError says which address, what is wrong with it and what to do."""
    try:
        family, kind, proto, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        sock = socket.socket(family, kind, proto)
    except OSError as error:
        raise ConfigError("cannot listen on {address}: {why}", address=address, why=error.strerror) from error
    try:
        if sys.platform != "win32":
            # On Windows the same option would let two programs take one port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit it: a small answer must not wait for the client's delayed ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.bind(where)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise _cannot_listen(address, error) from error
    sock.setblocking(False)
    return sock


def _cannot_listen(address: Address, error: OSError) -> ConfigError:
    if error.errno in _WHY:
        message, hint = _WHY[error.errno]
        return ConfigError(message, hint=hint, address=address)
    return ConfigError("cannot listen on {address}: {why}", address=address, why=error.strerror)


def url_of(sock: socket.socket, *, tls: bool) -> str:
    """The URL of a listening socket for a client on this machine: every-interface addresses become loopback."""
    host, port = sock.getsockname()[:2]
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"{'https' if tls else 'http'}://{Address(host, port)}"


def park(fd: int) -> socket.socket:
    """Put a socket that nobody knows in the place of the listening socket `fd`, in this process only.

    The accept loop above it then finds no more connections; connections that it has already accepted, TLS
    handshakes among them, go on. Keep the returned socket open as long as the loop runs.
    """
    nobody = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    nobody.bind(("127.0.0.1", 0))
    nobody.listen(1)
    nobody.setblocking(False)
    os.dup2(nobody.fileno(), fd, inheritable=False)
    return nobody


# Classic BPF over the TCP header: load byte 13 (the flags), keep SYN and ACK, and drop the packet when it is a bare
# SYN. Numbers: linux/filter.h.
_DROP_SYN = (
    struct.pack("HBBI", 0x30, 0, 0, 13),
    struct.pack("HBBI", 0x54, 0, 0, 0x12),
    struct.pack("HBBI", 0x15, 0, 1, 0x02),
    struct.pack("HBBI", 0x06, 0, 0, 0),
    struct.pack("HBBI", 0x06, 0, 0, 0xFFFFFFFF),
)
_SO_ATTACH_FILTER = 26
_TCP_INFO_UNACKED = 24


def refuse_new(sock: socket.socket) -> None:
    """From now on no new connection gets in; those half-way through their handshake still do.

    A client that knocks now repeats its SYN after a second, and is then refused cleanly because the socket is closed.
    Without this, connections that reach the queue after the last accept would be reset with their request in flight.
    Linux only; elsewhere the window stays open for the few milliseconds until the socket is closed.
    """
    if sys.platform != "linux":
        return
    import ctypes

    program = ctypes.create_string_buffer(b"".join(_DROP_SYN))
    packed = struct.pack("HL", len(_DROP_SYN), ctypes.addressof(program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, packed)


def waiting(sock: socket.socket) -> int:
    """Connections in the queue that no worker has accepted yet; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 64)
    # For a listening socket the kernel puts the length of the queue into tcpi_unacked.
    return int(struct.unpack_from("I", info, _TCP_INFO_UNACKED)[0])


def empty_queue(sock: socket.socket, *, settle: float = 0.1, limit: float = 2.0) -> None:
    """Wait until the workers have accepted every connection: the queue stays empty for `settle` seconds."""
    deadline = time.monotonic() + limit
    quiet_since = time.monotonic()
    while (now := time.monotonic()) < deadline and now - quiet_since < settle:
        if waiting(sock):
            quiet_since = now
        time.sleep(0.005)
