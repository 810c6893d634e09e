"""Reads that arrive together and are made together, for one event loop. It knows nothing of what is read."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Generic, TypeVar

from api.front.lane import Lane
from shared.errors import AskOnceError, Overloaded

PATIENCE_SECONDS = 0.2
"""Who has waited this long for the read under way begins another one beside it, if there is a thread."""

MAX_KEYS = 100
"""In one read, unless a limit is given."""

Key = TypeVar("Key")
Value = TypeVar("Value")


class ReadTogether(Generic[Key, Value]):
    """Reads the values of keys in a thread, many at once.

    A key that finds no read under way is read at once, alone. Those that come meanwhile are read together afterwards.
    So a value is never older than the call that asked for it.
    """

    def __init__(
        self, read: Callable[[Sequence[Key]], Mapping[Key, Value]], lane: Lane, limit: int, most: int = MAX_KEYS
    ) -> None:
        """`read`: returns the values that it found, and may block. `limit`: of the calls that may wait at once.

        `most`: keys in one read.
        """
        self._read = read
        self._lane = lane
        self._limit = limit
        self._most = most
        self._calls = 0
        self._reads = 0
        self._waiting: dict[Key, asyncio.Future[Mapping[Key, Value] | AskOnceError]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: Key) -> Value | None:
        """Return the value of a key, None without one.

        Raises what `read` raises, and Overloaded when too many calls wait already.
        """
        if self._calls >= self._limit:
            raise Overloaded
        future = self._waiting.get(key)
        if future is None:
            future = self._waiting[key] = asyncio.get_running_loop().create_future()
            if not self._reads:
                self._begin()
            elif len(self._waiting) == 1:
                asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._hurry, future)
        self._calls += 1
        try:
            # Others may wait for the same future, and must not be cancelled with this call.
            found = await asyncio.shield(future)
        finally:
            self._calls -= 1
        if isinstance(found, AskOnceError):
            raise found
        return found.get(key)

    def _begin(self) -> None:
        """Begin to read what waits."""
        batch = dict(islice(self._waiting.items(), self._most))
        for key in batch:
            del self._waiting[key]
        self._reads += 1
        task = asyncio.get_running_loop().create_task(self._read_batch(batch))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _hurry(self, future: "asyncio.Future[Mapping[Key, Value] | AskOnceError]") -> None:
        if not self._lane.is_busy and any(each is future for each in self._waiting.values()):
            self._begin()

    async def _read_batch(self, batch: "dict[Key, asyncio.Future[Mapping[Key, Value] | AskOnceError]]") -> None:
        try:
            found: Mapping[Key, Value] | AskOnceError = await self._lane.run(partial(self._read, list(batch)))
        except AskOnceError as err:
            found = err
        except Exception as err:  # noqa: BLE001  every call raises it
            for future in batch.values():
                future.set_exception(err)
            found = {}
        finally:
            self._reads -= 1
            if self._waiting and not self._reads:
                self._begin()
        for future in batch.values():
            if not future.done():
                future.set_result(found)
