"""A connection without a socket, and what it does with its transport."""

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from api.http1.connection import Connection, Serve, Shared
from api.http1.exchange import Exchange
from api.http1.head import Head
from api.http1.known_heads import KnownHeads
from api.http1.wire import Dates

T = TypeVar("T")
ADDRESSES = {"peername": ("10.0.0.1", 5000), "sockname": ("::1", 8000, 0, 0)}
UNREAD_SECONDS = 20.0
ESTABLISHED, CLOSED = 1, 7
TAKEN_BEFORE = 1_000_000


class Transport:
    """What is sent is taken at once, unless the client is told to read nothing.

    `untaken`: how much of what was sent the client's system has not taken yet.
    """

    def __init__(self) -> None:
        self.sent = b""
        self.unread = self.untaken = 0
        self.state = ESTABLISHED
        self.reads_nothing = self.is_paused = self.has_eof = self.is_closed = self.is_aborted = self.is_reset = False

    def get_extra_info(self, name: str) -> Any:
        return self if name == "socket" else ADDRESSES[name]

    def getsockopt(self, level: int, option: int, size: int) -> bytes:
        """Return `struct tcp_info`."""
        assert (level, option) == (socket.IPPROTO_TCP, socket.TCP_INFO)
        packets = (self.untaken + 1399) // 1400
        fields = self.state, packets, TAKEN_BEFORE + len(self.sent) - self.untaken, 0
        return struct.pack("=B23xI92xQ16xI", *fields)[:size]

    def setsockopt(self, level: int, option: int, value: bytes) -> None:
        assert (level, option, value) == (socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.is_reset = True

    def set_write_buffer_limits(self, high: int, low: int) -> None:
        assert low <= high

    def write(self, data: bytes) -> None:
        assert not self.has_eof
        self.sent += data
        self.unread += len(data) if self.reads_nothing else 0

    def get_write_buffer_size(self) -> int:
        return self.unread

    def pause_reading(self) -> None:
        assert not self.is_paused
        self.is_paused = True

    def resume_reading(self) -> None:
        assert self.is_paused
        self.is_paused = False

    def write_eof(self) -> None:
        self.has_eof = True

    def is_closing(self) -> bool:
        return self.is_closed or self.is_aborted

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    @property
    def is_open(self) -> bool:
        return not (self.has_eof or self.is_closed or self.is_aborted)


class Client:
    """A connection in a running event loop, as its client and its event loop see it."""

    def __init__(self, serve: Serve) -> None:
        self.transport = Transport()
        self.lost: list[Connection] = []
        self._buffer = memoryview(bytearray(1 << 16))
        self.connection = Connection(
            serve, Shared(self._buffer, Dates(), KnownHeads(), UNREAD_SECONDS), self.lost.append
        )

    def connect(self) -> None:
        self.connection.connection_made(cast("asyncio.Transport", self.transport))

    async def send(self, data: bytes) -> None:
        """Let this arrive at once, and serve what can be served."""
        self._buffer[: len(data)] = data
        self.connection.buffer_updated(len(data))
        await settled()

    async def read_all(self) -> None:
        """Read what was sent, after having read nothing."""
        self.transport.unread = 0
        self.connection.resume_writing()
        await settled()

    @property
    def statuses(self) -> list[int]:
        return [int(status) for status in re.findall(rb"HTTP/1.1 (\d+)", self.transport.sent)]


async def settled() -> None:
    """Let all tasks run that wait for nothing else."""
    for _ in range(10):
        await asyncio.sleep(0)


async def at_once(head: Head, exchange: Exchange) -> None:
    """Answer with the body of a request, or with its path if it has none."""
    body = b""
    while chunk := await anext(exchange):
        body += chunk
    exchange.respond(200 if exchange.is_complete else 400, [], body or head.path.encode())


def served(call: Callable[[Client], Coroutine[Any, Any, T]], serve: Serve = at_once) -> T:
    """Run a test with a client that is connected."""

    async def run() -> T:
        client = Client(serve)
        client.connect()
        return await call(client)

    return asyncio.run(asyncio.wait_for(run(), 30))
