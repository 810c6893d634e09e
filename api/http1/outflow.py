"""Whether a client reads what is sent to it."""

import asyncio


class Outflow:
    """What a connection still has to send. Used by one event loop."""

    __slots__ = ("_drained", "is_free")

    def __init__(self) -> None:
        self.is_free = True
        """Whether the client has left no more unread than a connection may keep."""
        self._drained: asyncio.Future[None] | None = None

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
