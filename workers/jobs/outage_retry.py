"""Waiting until PostgreSQL is back, rather than throwing away what a worker has in hand."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from shared.errors import DatabaseUnavailable

ENDURANCE_SECONDS = 600.0
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)
T = TypeVar("T")


class OutageRetry:
    """How long the jobs of this process wait for PostgreSQL: a fetched message, or an answer that was paid for."""

    def __init__(self, seconds: float = ENDURANCE_SECONDS) -> None:
        """`seconds`: for each write."""
        self._seconds = seconds
        self._stopping = threading.Event()

    def retry_while_unavailable(self, write: Callable[[], T]) -> T:
        """Return what `write` returns, trying again while PostgreSQL is away; raise DatabaseUnavailable in the end.

        A commit whose confirmation got lost is tried again too, so `write` has to bear being done twice.
        """
        until = time.monotonic() + self._seconds
        while True:
            try:
                return write()
            except DatabaseUnavailable:
                if self._stopping.is_set() or time.monotonic() > until:
                    raise
            self._stopping.wait(RETRY_SECONDS)

    def stop(self) -> None:
        """Wait no more: the process ends."""
        self._stopping.set()
