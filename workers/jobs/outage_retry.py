"""Waiting until PostgreSQL is back, rather than throwing away what a worker has in hand."""

import logging
import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from shared.errors import DatabaseUnavailable

ENDURANCE_SECONDS = 600.0
RETRY_SECONDS = 0.5

logger = logging.getLogger(__name__)
P = ParamSpec("P")
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


class Retrying(Protocol):
    """What has methods that wait for PostgreSQL."""

    outage_retry: OutageRetry


S = TypeVar("S", bound=Retrying)


def retried_while_unavailable(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a method try again while PostgreSQL is away, within its object's `outage_retry`."""

    @wraps(write)
    def retried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.outage_retry.retry_while_unavailable(lambda: write(self, *args, **kwargs))

    return retried
