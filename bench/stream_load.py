"""Clients that read streams, all in one process: `python -m bench.stream_load PORT`.

Each line on stdin is a number of streams and the body that they send. Prints a line of JSON: how many streams came to
their end, and of each how many chunks came, and when the first and the last one did, in seconds after all requests were
sent.
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable
from functools import partial
from typing import Any

from bench.traffic import post

PATH = "/v1/chat/completions"
CHUNK, DONE = b"data: ", b"data: [DONE]"


class Client(asyncio.Protocol):
    """One stream. `ended`: done at the end of the stream, or of its connection."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.ended = asyncio.get_running_loop().create_future()
        self.chunks = 0
        self.first_at = self.last_at = 0.0
        self._tail = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection; the request is sent when all are connected."""
        self._transport = transport  # type: ignore[assignment]  # that of a stream

    def send(self) -> None:
        """Send the request."""
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Count the chunks."""
        data = self._tail + data
        self._tail = data[-len(DONE) + 1 :]
        # What is in the tail was not counted as a whole, and is not counted twice.
        found = data.count(CHUNK) - self._tail.count(CHUNK)
        if found:
            self.last_at = time.perf_counter()
            self.first_at = self.first_at or self.last_at
        self.chunks += found
        if DONE in data and not self.ended.done():
            self.ended.set_result(True)
            self._transport.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Note a stream that was broken off."""
        del error
        if not self.ended.done():
            self.ended.set_result(False)


async def load(port: int, requests: Iterable[bytes]) -> dict[str, Any]:
    """Open a stream for each request, all at once, and read them to their ends."""
    loop = asyncio.get_running_loop()
    clients = []
    for request in requests:
        _, client = await loop.create_connection(partial(Client, request), "127.0.0.1", port)
        clients.append(client)
    began = time.perf_counter()
    for client in clients:
        client.send()
    whole = [await client.ended for client in clients]
    return {
        "whole": sum(whole),
        "chunks": [client.chunks for client in clients],
        "first": [client.first_at - began for client in clients],
        "last": [client.last_at - began for client in clients],
    }


if __name__ == "__main__":
    groups = [line.split(b" ", 1) for line in sys.stdin.buffer.read().splitlines()]
    asked = [post(PATH, body) for count, body in groups for _ in range(int(count))]
    print(json.dumps(asyncio.run(load(int(sys.argv[1]), asked))))
