"""Waiting until PostgreSQL is back, rather than throwing away what a worker has in hand."""

import threading
from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, stop_when_event_set, wait_fixed
from tenacity.nap import sleep_using_event

from shared.errors import DatabaseUnavailable

LONGEST_SECONDS = 600.0
RETRY_SECONDS = 0.5

P = ParamSpec("P")
T = TypeVar("T")


class OutageRetry:
    """How long the jobs of this process wait for PostgreSQL: a fetched message, or an answer that was paid for."""

    def __init__(self, seconds: float = LONGEST_SECONDS) -> None:
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


class HasOutageRetry(Protocol):
    """What has methods that wait for PostgreSQL."""

    outage_retry: OutageRetry


S = TypeVar("S", bound=HasOutageRetry)


def retried_while_unavailable(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Let a method try again while PostgreSQL is away, within its object's `outage_retry`."""

    @wraps(write)
    def retried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.outage_retry.retry_while_unavailable(lambda: write(self, *args, **kwargs))

    return retried
