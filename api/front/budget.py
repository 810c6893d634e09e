"""How many bytes of bodies may be in this process at once."""

import asyncio
from collections import deque

from shared.errors import Overloaded


class ByteBudget:
    """Bytes to be had in turn. Belongs to one event loop."""

    def __init__(self, total: int) -> None:
        """`total`: so many, all free."""
        self._total = total
        self._free = total
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def take(self, size: int, seconds: float) -> int:
        """Wait for one's turn; return how many were taken, `size` or all there are, for `give_back`.

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
        """Let others have them."""
        self._free += size
        self._grant()

    def _grant(self) -> None:
        while self._queue and (self._queue[0][1].done() or self._queue[0][0] <= self._free):
            size, turn = self._queue.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)
