"""Replies about jobs that have ended, kept for a short while."""

import time

from api.http.reply import Reply

OVERHEAD_BYTES = 1_000


class EndedJobs:
    """Replies by the ids of their jobs. Used by one event loop."""

    def __init__(self, limit: int, seconds: float) -> None:
        """`limit`: of their bytes. `seconds`: how long each is kept, at most."""
        self._limit, self._seconds = limit, seconds
        self._size = 0
        # In the order of their time.
        self._replies: dict[str, tuple[float, Reply]] = {}

    def find(self, job_id: str) -> Reply | None:
        """Return the reply about a job, if it is young enough."""
        found = self._replies.get(job_id)
        if found is None:
            return None
        until, reply = found
        if time.monotonic() < until:
            return reply
        self._drop(job_id)
        return None

    def keep(self, job_id: str, reply: Reply) -> None:
        """Keep a reply; forget those that are too old or for which there is no room any more."""
        if job_id in self._replies:
            self._drop(job_id)
        moment = time.monotonic()
        self._replies[job_id] = (moment + self._seconds, reply)
        self._size += _size_of(reply)
        while self._replies:
            oldest, (until, _) = next(iter(self._replies.items()))
            if self._size <= self._limit and moment < until:
                return
            self._drop(oldest)

    def _drop(self, job_id: str) -> None:
        _, reply = self._replies.pop(job_id)
        self._size -= _size_of(reply)


def _size_of(reply: Reply) -> int:
    return len(reply.body) + OVERHEAD_BYTES
