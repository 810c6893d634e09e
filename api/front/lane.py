"""Thread pools for blocking calls, with a limited number of threads and of calls that wait for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from api.front.bodies import ClientGone
from shared.errors import Overloaded

T = TypeVar("T")


class Lane:
    """A pool of threads with a bounded queue. Used by one event loop."""

    def __init__(self, name: str, threads: int, queue: int) -> None:
        """`queue`: how many calls may wait for a thread."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._threads = threads
        self._room = threads + queue
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many calls run or wait for a thread."""
        return self._inside

    @property
    def is_busy(self) -> bool:
        """Whether one more call would have to wait for a thread."""
        return self._inside >= self._threads

    async def run(self, call: Callable[[], T], gone: "asyncio.Future[None] | None" = None) -> T:
        """Run `call` in a thread; return its result or raise its error. Raises Overloaded when the queue is full.

        `gone` is done when the client has disconnected. A call that still waits for a thread then never runs, and
        raises ClientGone.
        """
        if self._inside >= self._room:
            raise Overloaded
        self._inside += 1
        try:
            running = self._pool.submit(call)
            result = asyncio.wrap_future(running)
            if gone is not None:
                await asyncio.wait((result, gone), return_when=asyncio.FIRST_COMPLETED)
                if gone.done() and running.cancel():
                    raise ClientGone
            return await result
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Accept no more calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)
