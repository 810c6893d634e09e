"""What is sent to a client, and whether it reads that."""

import asyncio

from api.http1.sockets import taken

LEAST_BYTES = 1024
"""A client that takes less is one that takes nothing."""


class Outflow:
    """What a connection has sent and still has to send. Used by one event loop."""

    __slots__ = ("_drained", "_is_last", "_is_taken", "_since", "_size", "_transport", "is_free")

    def __init__(self) -> None:
        self.is_free = True
        """Whether the client has left no more unread than a connection may keep."""
        self._transport: asyncio.Transport | None = None
        self._drained: asyncio.Future[None] | None = None
        self._is_last = False
        self._is_taken = True
        self._size = 0
        self._since: float | None = None

    def open(self, transport: asyncio.Transport) -> None:
        """Send by this."""
        self._transport = transport

    def lose(self) -> None:
        """Forget all that is sent from now on: the client is gone."""
        self._transport = None
        self.free()

    def leave_to_system(self) -> None:
        """Wait for no client to take what our system has: this process ends."""
        self._is_last = True

    def write(self, data: bytes) -> None:
        """Send; forget it when the client is gone."""
        # A transport that is closing, because its client has shut down its side, takes nothing any more.
        if self._transport is not None and not self._transport.is_closing():
            self._is_taken = False
            self._transport.write(data)

    @property
    def unread(self) -> int:
        """How many bytes were sent that our system has not taken yet."""
        return 0 if self._transport is None else self._transport.get_write_buffer_size()

    def untaken_seconds(self, moment: float) -> float | None:
        """Return for how long the client has taken nothing of what was sent, by the looks; None if nothing is left."""
        if self._is_taken or self._transport is None or (self._is_last and not self.unread):
            return None
        by_client = taken(self._transport)
        self._is_taken = by_client.is_all and not self.unread
        if self._is_taken:
            self._since = None
            return None
        if self._since is None or by_client.size - self._size >= LEAST_BYTES:
            self._size, self._since = by_client.size, moment
        return moment - self._since

    def block(self) -> None:
        """Take note that the client leaves too much unread."""
        self.is_free = False

    def free(self) -> None:
        """Take note that it has read everything, or is gone."""
        self.is_free = True
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    async def drained(self) -> None:
        """Wait until it has."""
        if self.is_free:
            return
        if self._drained is None:
            self._drained = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._drained)
