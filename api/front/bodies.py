"""Reads request bodies in coroutines: within a deadline, above a minimum rate, and within a budget of bytes.

The iteration of a body ends also where it breaks off: the client has disconnected, or has sent a malformed chunk.
"""

import asyncio
from dataclasses import dataclass
from time import monotonic as now
from typing import Any

from api.front.budget import ByteBudget
from api.front.exchange import BodyStream
from shared.errors import MalformedRequest, Overloaded, RequestTimedOut

SMALL_BYTES = 64 * 1024
"""Largest small body. Almost every request that may be a hit is small."""

SMALL_SHARE = 4
"""One part in this many of the budget is kept for small bodies, which do not queue for it."""

TURN_SECONDS = 30.0
"""How long a large body waits for its share of the budget. Meanwhile it is not read."""

DRAIN_SECONDS = 5.0
"""How long an unwanted body is read and discarded: a client that is still sending would not see its response."""

DRAIN_PAUSE_SECONDS = 0.5
"""After a pause of this length the client is assumed to be waiting for its response."""

WINDOW_SECONDS = 4.0
WINDOW_BYTES = 1024
"""The minimum rate: in every window this many bytes must arrive, or the body must end."""

LOOK_SECONDS = 0.25
"""How often overdue bodies are looked for: one timer for all of them costs less than one for each."""


BROKEN_OFF = "The body breaks off before its last chunk. Send it whole, with a chunk of length 0 at its end."

LATE_SECONDS = 0.05
"""A look that comes later than this is that of a loop that was held up: its timers run before it reads its sockets."""


class ClientGone(Exception):
    """The client has disconnected; there is nobody to answer."""


@dataclass(slots=True)
class Body:
    """What has arrived. `whole`: all of it. `small` and `taken`: its bytes in the budget until `let_go`."""

    content: bytes = b""
    whole: bool = True
    small: int = 0
    taken: int = 0

    @property
    def is_large(self) -> bool:
        """Whether it had to wait for its share of the budget."""
        return self.taken > 0


class _Arrival:
    """A body that is arriving. `size`: bytes so far. `reader` is cancelled with an `error` when it takes too long."""

    __slots__ = ("chunks", "error", "expires_at", "length", "limit", "reader", "size")

    def __init__(self, limit: int, length: int | None) -> None:
        self.limit, self.length = limit, length
        self.reader: asyncio.Task[Any] | None = asyncio.current_task()
        self.chunks: list[bytes] = []
        self.size = 0
        self.expires_at = 0.0
        self.error: RequestTimedOut | Overloaded | None = None

    @property
    def is_complete(self) -> bool:
        return self.size > self.limit or (self.length is not None and self.size >= self.length)

    def give_up(self, error: RequestTimedOut | Overloaded) -> None:
        """Let the reader raise this error."""
        if self.error is None and self.reader is not None:
            self.error = error
            self.reader.cancel()


class Bodies:
    """All bodies of a process. Used by one event loop."""

    def __init__(self, budget_bytes: int, seconds: float, max_arriving: int) -> None:
        """`budget_bytes`: for all bodies together, until they are served. `seconds`: for one body to arrive.

        `max_arriving`: how many small bodies may arrive at once; one more, and the oldest of them is refused.
        """
        self._max_arriving = max_arriving
        self._small_total = self._small_free = budget_bytes // SMALL_SHARE
        self._budget = ByteBudget(budget_bytes - self._small_free)
        self._seconds = seconds
        self._arriving: dict[_Arrival, None] = {}
        self._growing: dict[_Arrival, None] = {}
        self._looking = False
        self._look_at = 0.0

    @property
    def arriving(self) -> int:
        """The number of bodies that are arriving now."""
        return len(self._arriving) + len(self._growing)

    @property
    def taken(self) -> int:
        """The bytes of the budget that bodies occupy now."""
        return self._small_total - self._small_free + self._budget.taken

    def take(self, content: bytes) -> Body:
        """Return a small body that is here as a whole. Raises Overloaded."""
        body = Body(content)
        self._occupy(len(content), body)
        return body

    async def read(self, stream: BodyStream, length: int | None, limit: int) -> Body:
        """Read a body, of `length` bytes if known, but at most one byte more than `limit`.

        A body that announces a greater length is discarded. Raises RequestTimedOut, Overloaded, ClientGone, and
        MalformedRequest where chunks break off.
        """
        body = Body()
        if length is not None and length > limit:
            body.whole = await _drain(aiter(stream))
            return body
        chunks, arrival = aiter(stream), _Arrival(limit, length)
        if len(self._arriving) >= self._max_arriving:
            oldest = next(iter(self._arriving))
            del self._arriving[oldest]
            oldest.give_up(Overloaded())
        left = await self._receive(SMALL_BYTES, chunks, arrival, self._seconds, self._arriving)
        if arrival.is_complete or left is None:
            self._occupy(arrival.size, body)
        else:
            await self._receive_large(chunks, arrival, left, body)
        body.content = arrival.chunks[0] if len(arrival.chunks) == 1 else b"".join(arrival.chunks)
        if arrival.size > limit:
            body.whole = await _drain(chunks)
        return body

    def let_go(self, body: Body) -> None:
        """Return the bytes that a body occupies to the budget."""
        if body.taken:
            self._budget.give_back(body.taken)
        self._small_free += body.small
        body.small = body.taken = 0

    async def _receive_large(self, chunks: BodyStream, arrival: _Arrival, left: float, body: Body) -> None:
        """Read the rest, once there is room for it in the budget."""
        try:
            body.taken = await self._budget.take(arrival.length or arrival.limit, TURN_SECONDS)
        except Overloaded:
            await _drain(chunks)
            raise
        try:
            await self._receive(arrival.limit, chunks, arrival, left, self._growing)
        except BaseException:
            self.let_go(body)
            raise

    def _occupy(self, size: int, body: Body) -> None:
        if size > self._small_free:
            raise Overloaded
        self._small_free -= size
        body.small = size

    async def _receive(
        self, size: int, chunks: BodyStream, arrival: _Arrival, seconds: float, others: dict[_Arrival, None]
    ) -> float | None:
        """Read until more than `size` bytes are there; return the remaining seconds, None when the body has ended."""
        began_at = now()
        deadline = began_at + seconds
        expected = arrival.size + WINDOW_BYTES
        arrival.expires_at = min(deadline, began_at + WINDOW_SECONDS)
        others[arrival] = None
        if not self._looking:
            self._look_for_overdue()
        try:
            while chunk := await anext(chunks):
                arrival.chunks.append(chunk)
                arrival.size += len(chunk)
                if arrival.is_complete or arrival.size > size:
                    return deadline - now()
                if arrival.size >= expected:
                    expected = arrival.size + WINDOW_BYTES
                    arrival.expires_at = min(deadline, now() + WINDOW_SECONDS)
        except asyncio.CancelledError:
            if arrival.error is None or arrival.reader is None:
                raise
            arrival.reader.uncancel()
            raise arrival.error from None
        finally:
            others.pop(arrival, None)
        if not chunks.is_complete:
            raise ClientGone if arrival.length is not None else MalformedRequest(BROKEN_OFF)
        return None

    def _look_for_overdue(self) -> None:
        """Look again and again, as long as bodies arrive."""
        self._looking = True
        self._look_at = now() + LOOK_SECONDS
        asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        """Give up what is overdue; an event loop that is late first reads what has arrived meanwhile."""
        if now() - self._look_at > LATE_SECONDS:
            asyncio.get_running_loop().call_later(LATE_SECONDS, self._give_up_overdue)
        else:
            self._give_up_overdue()

    def _give_up_overdue(self) -> None:
        self._looking = False
        moment = now()
        for arrival in (*self._arriving, *self._growing):
            if moment >= arrival.expires_at:
                arrival.give_up(RequestTimedOut())
        if self._arriving or self._growing:
            self._look_for_overdue()


async def _drain(chunks: BodyStream) -> bool:
    """Read the rest of a body and discard it; return whether it ended in time."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + DRAIN_SECONDS
    try:
        async with asyncio.timeout(DRAIN_PAUSE_SECONDS) as pause:
            while await anext(chunks):
                pause.reschedule(min(deadline, loop.time() + DRAIN_PAUSE_SECONDS))
    except TimeoutError:
        return False
    except StopAsyncIteration:
        pass
    return True
