"""Clients that do not read their response: granian has no timeout for them, but the kernel has."""

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from granian.rsgi import ProtocolClosed as RSGIProtocolClosed  # type: ignore[attr-defined]  # not in its __all__

from api.front.wsgi import Response
from shared.errors import Overloaded

MILLISECONDS = 1000
LOOK_SECONDS = 0.05


async def cut_unread_connections(seconds: float) -> None:
    """Wait until this process listens, then let the kernel cut connections whose client accepts no data for `seconds`.

    Sets TCP_USER_TIMEOUT (tcp(7)) on the listening sockets; accepted connections inherit it.
    """
    while not (listening := list(_listening_sockets())):  # noqa: ASYNC110  granian has no event for it
        await asyncio.sleep(LOOK_SECONDS)
    for descriptor in listening:
        with socket.socket(fileno=os.dup(descriptor)) as own:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * MILLISECONDS))


def _listening_sockets() -> Iterator[int]:
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as own:
            if own.family in {socket.AF_INET, socket.AF_INET6} and own.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN
            ):
                yield int(file.name)


class UnreadBytes:
    """Limits how many bytes clients may leave unread. Used by one event loop."""

    def __init__(self, total: int) -> None:
        """`total`: of all clients together."""
        self._total = self._free = total

    @property
    def unread(self) -> int:
        """How many bytes clients have not read yet."""
        return self._total - self._free

    def take(self, size: int) -> bool:
        """Count bytes as unread; return False, and count nothing, if these are too many."""
        if size > self._free:
            return False
        self._free -= size
        return True

    def give_back(self, size: int) -> None:
        """Count bytes no longer."""
        self._free += size


class LargeResponses:
    """Sends large responses, and limits how many bytes of them are unread. Used by one event loop."""

    def __init__(self, budget: UnreadBytes) -> None:
        self.budget = budget
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, protocol: Any, response: Response) -> None:  # noqa: ANN401  granian's own
        """Begin to send; raise Overloaded when too many bytes are unread."""
        if not self.budget.take(len(response.body)):
            raise Overloaded
        # Keep a reference: otherwise nobody holds the task once the head has been sent.
        stream = protocol.response_stream(response.status, _with_length(response))
        task = asyncio.ensure_future(self._sent(stream, response))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, stream: Any, response: Response) -> None:  # noqa: ANN401  as above
        """Wait until the client has read everything, or is gone and granian accepts no more data."""
        body = response.body
        try:
            await stream.send_bytes(body)
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await stream.send_bytes(b"")
        except RSGIProtocolClosed:
            pass
        finally:
            self.budget.give_back(len(body))


def _with_length(response: Response) -> list[tuple[str, str]]:
    """Return the headers with the body's length: without it granian sends chunks, and the last one never comes."""
    others = [pair for pair in response.headers if pair[0].lower() != "content-length"]
    return [*others, ("Content-Length", str(len(response.body)))]
