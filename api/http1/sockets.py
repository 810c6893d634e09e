"""What a connection's socket knows of it."""

import asyncio
import socket
from typing import Any

TCP_ESTABLISHED = 1


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
