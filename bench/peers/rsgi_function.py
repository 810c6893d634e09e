"""What granian takes by itself: a body is read, memcached is asked once on one pipelined connection, no more.

Run by granian's RSGI mode with uvloop. It records nothing, reads no header and knows one answer.
"""

import asyncio
import json
from collections import deque
from typing import Any

from cached_answer import ANSWER, SECONDS, memcached
from pymemcache.client.base import Client

KEY = "rsgi"
COMMAND, END = f"get {KEY}\r\n".encode(), b"END\r\n"
COMMON = [("Content-Type", "application/json")]
HIT = [*COMMON, ("X-Cache", "hit")]
BODY = json.dumps(ANSWER).encode()

cache = Client(memcached())


class _Memcached(asyncio.Protocol):
    """Commands of the same turn of the event loop share a write; answers come in order."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: Any = None
        self._asked = 0
        self._waiting: deque[asyncio.Future[bytes]] = deque()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def get(self) -> "asyncio.Future[bytes]":
        if not self._asked:
            self._loop.call_soon(self._flush)
        self._asked += 1
        waiting: asyncio.Future[bytes] = self._loop.create_future()
        self._waiting.append(waiting)
        return waiting

    def _flush(self) -> None:
        self._transport.write(COMMAND * self._asked)
        self._asked = 0

    def data_received(self, data: bytes) -> None:
        # The answer is JSON, so this can only be what ends a reply; without a value it is all of one.
        *whole, self._received = (self._received + data).split(END)
        for reply in whole:
            self._waiting.popleft().set_result(reply[reply.index(b"\r\n") + 2 : -2] if reply else b"")


class _App:
    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Connect."""
        _, self._memcached = loop.run_until_complete(loop.create_connection(lambda: _Memcached(loop), *memcached()))

    async def __rsgi__(self, scope: object, protocol: Any) -> None:  # noqa: ANN401  granian's own
        """Answer a call; one that finds nothing stores the answer."""
        await protocol()
        found = await self._memcached.get()
        if not found:
            cache.set(KEY, BODY, expire=SECONDS, noreply=False)
        protocol.response_bytes(200, HIT if found else COMMON, found or BODY)


app = _App()
