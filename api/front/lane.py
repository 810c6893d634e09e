"""Threads for what blocks: a bounded number of them, and of calls that wait for one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from shared.errors import Overloaded

T = TypeVar("T")


class Lane:
    """A pool of threads with a bounded queue. Belongs to one event loop."""

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
        """Return what `call` returns in one of the threads, or raise what it raises; Overloaded when all is full."""
        if self._inside >= self._room:
            raise Overloaded
        self._inside += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        finally:
            self._inside -= 1

    def close(self) -> None:
        """Take no more calls."""
        self._pool.shutdown(wait=False, cancel_futures=True)
