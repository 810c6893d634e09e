"""Replies about jobs that have ended, kept for a short while."""

import time
from typing import Generic, TypeVar

from api.http.reply import Reply

K = TypeVar("K")

OVERHEAD_BYTES = 1_000


class EndedJobs(Generic[K]):
    """Replies by what they are about. Used by one event loop."""

    def __init__(self, limit: int, seconds: float) -> None:
        """`limit`: of their bytes. `seconds`: how long each is kept, at most."""
        self._limit, self._seconds = limit, seconds
        self._size = 0
        # In the order of their time.
        self._replies: dict[K, tuple[float, Reply]] = {}

    def find(self, key: K) -> Reply | None:
        """Return the reply, if it is young enough."""
        found = self._replies.get(key)
        if found is None:
            return None
        until, reply = found
        if time.monotonic() < until:
            return reply
        self._drop(key)
        return None

    def keep(self, key: K, reply: Reply) -> None:
        """Keep a reply; forget those that are too old or for which there is no room any more."""
        if key in self._replies:
            self._drop(key)
        moment = time.monotonic()
        self._replies[key] = (moment + self._seconds, reply)
        self._size += _size_of(reply)
        while self._replies:
            oldest, (until, _) = next(iter(self._replies.items()))
            if self._size <= self._limit and moment < until:
                return
            self._drop(oldest)

    def _drop(self, key: K) -> None:
        _, reply = self._replies.pop(key)
        self._size -= _size_of(reply)


def _size_of(reply: Reply) -> int:
    return len(reply.body) + OVERHEAD_BYTES
