"""What a connection's socket knows of it."""

import asyncio
import socket
import struct
from typing import Any, NamedTuple

TCP_ESTABLISHED, TCP_CLOSE = 1, 7

# Of `struct tcp_info` in linux/tcp.h: tcpi_state, tcpi_unacked, tcpi_bytes_acked and tcpi_notsent_bytes.
_INFO = struct.Struct("=B23xI92xQ16xI")
_RESET = struct.pack("ii", 1, 0)


class Taken(NamedTuple):
    """What a client's system has taken: how many bytes so far, and whether that is all that it can be given."""

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
    info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
    state, packets, size, not_sent = _INFO.unpack(info)
    # A client that has reset the connection is told nothing more. Without a read or a write nobody else notices that.
    return Taken(size, is_all=state == TCP_CLOSE or not (packets or not_sent))


def cut(transport: asyncio.Transport) -> None:
    """Reset the connection: our system forgets what the client has not taken (socket(7), SO_LINGER)."""
    connected: socket.socket = transport.get_extra_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
