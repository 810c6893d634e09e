"""Thread pools for blocking calls, with a limited number of threads and of calls that wait for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.errors import Overloaded

T = TypeVar("T")


class Lane:
    """A pool of threads with a bounded queue. Used by one event loop."""

    def __init__(self, name: str, threads: int, queue: int) -> None:
        """`queue`: how many calls may wait for a thread."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._room = threads + queue
        self._inside = 0

    @property
    def inside(self) -> int:
        """How many calls run or wait for a thread."""
        return self._inside

    async def run(self, call: Callable[[], T]) -> T:
        """Run `call` in a thread; return its result or raise its error. Raises Overloaded when the queue is full."""
        if self._inside >= self._room:
            raise Overloaded
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Accept no more calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)
