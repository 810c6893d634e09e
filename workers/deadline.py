"""A wall-clock deadline for calls to the outside, which no peer can stretch by sending one byte at a time.

The timeouts of HTTP clients are for each read. Here a call runs in a thread of its own under one deadline:
every read and write is bounded by what is left of it (`workers/bounded_requests.py`, `workers/bounded_httpx.py`),
so that the thread ends soon, and the caller waits no longer than the deadline, even when the thread is stuck where
no timeout reaches, as in a DNS lookup.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import ContextVar, copy_context
from threading import Thread
from time import monotonic
from typing import TypeVar

T = TypeVar("T")

GRACE_SECONDS = 0.25
"""How long the caller waits beyond the deadline for the call to end by itself, with an error that says more."""

_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


def within(seconds: float, call: Callable[[], T]) -> T:
    """Return what `call` returns or raise what it raises, at the latest `seconds` and a little from now.

    Raises TimeoutError when it has not ended by then; it is left to end by itself and its outcome is dropped.
    """
    context = copy_context()
    context.run(_ends_at.set, monotonic() + seconds)
    outcome: Future[T] = Future()
    # A daemon, since a call that is stuck must not keep the process from ending.
    Thread(target=context.run, args=(_settle, outcome, call), name="outside-call", daemon=True).start()
    return outcome.result(timeout=seconds + GRACE_SECONDS)


def time_left() -> float | None:
    """Return the seconds left to the call that runs in this thread, None for no deadline.

    Raises TimeoutError when none are left.
    """
    ends_at = _ends_at.get()
    if ends_at is None:
        return None
    left = ends_at - monotonic()
    if left <= 0:
        message = "the deadline of this call has passed"
        raise TimeoutError(message)
    return left


def has_passed() -> bool:
    """Tell whether the call that runs in this thread has no time left."""
    ends_at = _ends_at.get()
    return ends_at is not None and ends_at <= monotonic()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        outcome.set_result(call())
    except BaseException as err:  # noqa: BLE001  carried over to the caller's thread, which raises it
        outcome.set_exception(err)
