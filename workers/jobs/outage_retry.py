"""Waiting until PostgreSQL is back, rather than throwing away what a worker has in hand."""

import threading
from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, stop_when_event_set, wait_fixed
from tenacity.nap import sleep_using_event

from shared.errors import DatabaseUnavailable

ENDURANCE_SECONDS = 600.0
RETRY_SECONDS = 0.5

T = TypeVar("T")


class OutageRetry:
    """How long the jobs of this process wait for PostgreSQL: a fetched message, or an answer that was paid for."""

    def __init__(self, seconds: float = ENDURANCE_SECONDS) -> None:
        """`seconds`: for each write."""
        self._stopping = threading.Event()
        self._retrying = Retrying(
            retry=retry_if_exception_type(DatabaseUnavailable),
            stop=stop_after_delay(seconds) | stop_when_event_set(self._stopping),
            wait=wait_fixed(RETRY_SECONDS),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )

    def retry_while_unavailable(self, write: Callable[[], T]) -> T:
        """Return what `write` returns, trying again while PostgreSQL is away; raise DatabaseUnavailable in the end.

        A commit whose confirmation got lost is tried again too, so `write` has to bear being done twice.
        """
        return self._retrying(write)

    def stop(self) -> None:
        """Wait no more: the process ends."""
        self._stopping.set()
