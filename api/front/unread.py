"""Clients that do not read their response: granian has no timeout for them, the kernel has."""

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

UNREAD_MILLISECONDS = 20_000
"""After so long a connection whose other end takes nothing is cut."""

LOOK_SECONDS = 0.05


async def cut_unread_connections() -> None:
    """Wait until this process listens, and let the kernel cut connections that are not read (TCP_USER_TIMEOUT, tcp(7)).

    A connection inherits the option from the socket that accepts it.
    """
    while not (listening := list(_listening_sockets())):  # noqa: ASYNC110  granian has no event for it
        await asyncio.sleep(LOOK_SECONDS)
    for descriptor in listening:
        with socket.socket(fileno=os.dup(descriptor)) as own:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MILLISECONDS)


def _listening_sockets() -> Iterator[int]:
    for file in Path("/proc/self/fd").iterdir():
        with suppress(OSError), socket.socket(fileno=os.dup(int(file.name))) as own:
            if own.family in {socket.AF_INET, socket.AF_INET6} and own.getsockopt(
                socket.SOL_SOCKET, socket.SO_ACCEPTCONN
            ):
                yield int(file.name)


class LargeResponses:
    """Sends large responses, and bounds how many bytes of them are on their way. Belongs to one event loop."""

    def __init__(self, total: int) -> None:
        """`total`: bytes that clients may leave unread, all together."""
        self._free = total
        self._sending: set[asyncio.Task[None]] = set()

    def send(self, protocol: Any, response: Response) -> None:  # noqa: ANN401  granian's own
        """Begin to send; raise Overloaded when too much is on its way. The response tells its Content-Length."""
        size = len(response.body)
        if size > self._free:
            raise Overloaded
        self._free -= size
        # Nobody else holds the task once the head has been sent.
        task = asyncio.ensure_future(self._sent(protocol.response_stream(response.status, response.headers), response))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, stream: Any, response: Response) -> None:  # noqa: ANN401  as above
        """Wait until the client has read it all, or is gone: then granian takes nothing more."""
        body = response.body
        try:
            await stream.send_bytes(body)
            while True:
                await asyncio.sleep(LOOK_SECONDS)
                await stream.send_bytes(b"")
        except RSGIProtocolClosed:
            pass
        finally:
            self._free += len(body)
