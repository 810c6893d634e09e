"""A wall-clock deadline for calls to the outside, which no peer can stretch by sending one byte at a time.

The timeouts of HTTP clients are for each read. Here a call runs in a thread of its own under one deadline:
every read and write is bounded by what is left of it (`requests_session.py`, `httpx_client.py`),
so that the thread ends soon, and the caller waits no longer than the deadline, even when the thread is stuck where
no timeout reaches, as in a DNS lookup.
"""

import socket
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from contextvars import ContextVar, copy_context
from threading import Thread
from time import monotonic
from typing import TypeVar

from workers.jobs.stop import ClaimLost, Stop

T = TypeVar("T")

GRACE_SECONDS = 0.25
"""How long the caller waits beyond the deadline for the call to end by itself, with an error that says more."""


class _Deadline:
    """When a call has to end, and the socket on which it may be waiting."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = monotonic() + seconds
        self.socket: socket.socket | None = None

    def end_now(self) -> None:
        self.ends_at = monotonic()
        if self.socket is not None:
            # A thread that waits on it gets an error at once.
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


def within(seconds: float, call: Callable[[], T], stop: Stop | None = None) -> T:
    """Return what `call` returns or raise what it raises, at the latest `seconds` and a little from now.

    Raises TimeoutError when it has not ended by then, and ClaimLost as soon as `stop` is set; it is left to end by
    itself and its outcome is dropped.
    """
    deadline = _Deadline(seconds)
    context = copy_context()
    context.run(_deadline.set, deadline)
    outcome: Future[T] = Future()

    def give_up() -> None:
        with suppress(InvalidStateError):
            outcome.set_exception(ClaimLost())
        deadline.end_now()

    with (stop or Stop()).calling(give_up):
        # A daemon, since a call that is stuck must not keep the process from ending.
        Thread(target=context.run, args=(_settle, outcome, call), name="outside-call", daemon=True).start()
        return outcome.result(timeout=seconds + GRACE_SECONDS)


def time_left() -> float | None:
    """Return the seconds left to the call that runs in this thread, None for no deadline.

    Raises TimeoutError when none are left.
    """
    deadline = _deadline.get()
    if deadline is None:
        return None
    left = deadline.ends_at - monotonic()
    if left <= 0:
        message = "the deadline of this call has passed"
        raise TimeoutError(message)
    return left


def waits_on(sock: socket.socket) -> None:
    """Name the socket that the call in this thread is about to wait on: it is shut down if the call has to stop."""
    deadline = _deadline.get()
    if deadline is not None:
        deadline.socket = sock


def has_passed() -> bool:
    """Tell whether the call that runs in this thread has no time left."""
    deadline = _deadline.get()
    return deadline is not None and deadline.ends_at <= monotonic()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        answer = call()
    except BaseException as err:  # noqa: BLE001  carried over to the caller's thread, which raises it
        with suppress(InvalidStateError):
            outcome.set_exception(err)
    else:
        with suppress(InvalidStateError):
            outcome.set_result(answer)
