"""What a connection's socket knows of it."""

import asyncio
import socket
import struct
from typing import Any, NamedTuple

TCP_ESTABLISHED = 1

# Of `struct tcp_info` in linux/tcp.h: tcpi_unacked, tcpi_bytes_acked and tcpi_notsent_bytes.
_INFO = struct.Struct("=24xI92xQ16xI")


class Taken(NamedTuple):
    """What a client's system has taken: how many bytes so far, and whether that is all that ours was given."""

    size: int
    is_all: bool


def address(name: Any) -> str:  # noqa: ANN401  as the socket module has addresses
    """Return an address with its port; a client that is gone already has none."""
    if not name:
        return ":0"
    host = f"[{name[0]}]" if ":" in name[0] else name[0]
    return f"{host}:{name[1]}"


def has_shut_down(transport: asyncio.Transport) -> bool:
    """Whether the client has closed its side, also where what it sent before was not read (tcp(7), TCP_INFO)."""
    connected: socket.socket = transport.get_extra_info("socket")
    return connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] != TCP_ESTABLISHED


def taken(transport: asyncio.Transport) -> Taken:
    """Return what the client's system has acknowledged (tcp(7), TCP_INFO)."""
    connected: socket.socket = transport.get_extra_info("socket")
    packets, size, not_sent = _INFO.unpack(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size))
    return Taken(size, is_all=not packets and not not_sent)
