"""Waits until PostgreSQL is back, so that a worker does not lose a fetched message or a paid answer."""

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
    """Retries writes while PostgreSQL is away. All jobs of a process share it."""

    def __init__(self, seconds: float = LONGEST_SECONDS) -> None:
        """`seconds`: how long each write is retried."""
        self._stopping = threading.Event()
        self._seconds = seconds
        self._retrying = Retrying(
            retry=retry_if_exception_type(DatabaseUnavailable),
            stop=stop_after_delay(seconds) | stop_when_event_set(self._stopping),
            wait=wait_fixed(RETRY_SECONDS),
            sleep=sleep_using_event(self._stopping),
            reraise=True,
        )

    def retry_while_unavailable(self, write: Callable[[], T]) -> T:
        """Return what `write` returns. Try again while it raises DatabaseUnavailable, and raise that in the end.

        A write whose commit was not confirmed is tried again too, so doing it twice must have the effect of once.
        """
        try:
            return write()
        except DatabaseUnavailable:
            if self._seconds <= 0 or self._stopping.wait(RETRY_SECONDS):
                raise
        return self._retrying(write)

    def stop(self) -> None:
        """Retry no more, because the process ends."""
        self._stopping.set()


class HasOutageRetry(Protocol):
    """An object with methods that are retried while PostgreSQL is away."""

    outage_retry: OutageRetry


S = TypeVar("S", bound=HasOutageRetry)


def retried_while_unavailable(write: Callable[Concatenate[S, P], T]) -> Callable[Concatenate[S, P], T]:
    """Decorate a method so that its object's `outage_retry` retries it while PostgreSQL is away."""

    @wraps(write)
    def retried(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.outage_retry.retry_while_unavailable(lambda: write(self, *args, **kwargs))

    return retried
