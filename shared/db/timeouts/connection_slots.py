"""Who may wait for a connection, and for how long."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.errors import DatabaseUnavailable

WAIT_SECONDS = 2.0
STALLED_SECONDS = 0.4


class ConnectionSlots:
    """As many as there are connections. Others queue only while slots change hands.

    When PostgreSQL hangs, those who have a slot wait for it, and soon nobody else does.
    """

    def __init__(self, count: int) -> None:
        """All are free."""
        self._free = count
        self._changed = threading.Condition()
        self._moved_at = time.monotonic()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold a slot while the block runs; raise DatabaseUnavailable when there is none to be had in time."""
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
