"""Limits how many bytes of bodies this process holds at once."""

import asyncio
from collections import deque

from shared.errors import Overloaded


class ByteBudget:
    """A number of bytes that callers take in turn. Used by one event loop."""

    def __init__(self, total: int) -> None:
        """`total`: the number of bytes, all free at first."""
        self._total = total
        self._free = total
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def taken(self) -> int:
        """How many bytes are taken now."""
        return self._total - self._free

    async def take(self, size: int, seconds: float) -> int:
        """Wait for a turn and take `size` bytes, or `total` if that is less; return how many, for `give_back`.

        Raises Overloaded after `seconds`.
        """
        size = min(size, self._total)
        if not self._queue and size <= self._free:
            self._free -= size
            return size
        turn = asyncio.get_running_loop().create_future()
        self._queue.append((size, turn))
        try:
            async with asyncio.timeout(seconds):
                await turn
        except TimeoutError as err:
            if turn.cancelled():
                self._grant()
                message = "Too many large bodies arrive at once. Send this one again a little later."
                raise Overloaded(message) from err
        return size

    def give_back(self, size: int) -> None:
        """Free bytes that were taken."""
        self._free += size
        self._grant()

    def _grant(self) -> None:
        while self._queue and (self._queue[0][1].done() or self._queue[0][0] <= self._free):
            size, turn = self._queue.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)
