"""Clients that do not read their response: how many bytes of large ones may wait for them."""

import asyncio

from api.front.exchange import Exchange
from api.front.wsgi import Response
from shared.errors import Overloaded


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

    def send(self, exchange: Exchange, response: Response) -> None:
        """Send; raise Overloaded when too many bytes are unread."""
        size = len(response.body)
        if not self.budget.take(size):
            raise Overloaded
        exchange.respond(*response)
        # Keep a reference: otherwise nobody holds the task.
        reading = asyncio.ensure_future(self._read(exchange, size))
        self._sending.add(reading)
        reading.add_done_callback(self._sending.discard)

    async def _read(self, exchange: Exchange, size: int) -> None:
        """Wait until the client has read everything, or is gone."""
        try:
            await exchange.drained()
        finally:
            self.budget.give_back(size)
