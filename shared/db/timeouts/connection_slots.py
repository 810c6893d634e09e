"""Limits how many threads wait for PostgreSQL, and for how long they wait for a connection."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DatabaseUnavailable

WAIT_SECONDS = 2.0
STALLED_SECONDS = 0.4


class ConnectionSlots:
    """One slot for each connection. A thread without a slot waits only while slots change hands.

    When PostgreSQL hangs, the threads that have a slot wait for it. STALLED_SECONDS later no other thread waits.
    """

    def __init__(self, count: int) -> None:
        """`count`: the number of slots, which are all free."""
        self._count = self._free = count
        self._changed = threading.Condition()
        self._moved_at = time.monotonic()

    @property
    def in_use(self) -> int:
        """How many slots are taken."""
        return self._count - self._free

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot during the block; raise DatabaseUnavailable if none becomes free in time."""
        self._take()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._moved_at = time.monotonic()
                self._changed.notify()

    def _take(self) -> None:
        came_at = time.monotonic()
        with self._changed:
            while not self._free:
                seconds = min(came_at + WAIT_SECONDS, self._moved_at + STALLED_SECONDS) - time.monotonic()
                if seconds <= 0:
                    raise DatabaseUnavailable
                self._changed.wait(seconds)
            self._free -= 1
            self._moved_at = time.monotonic()
