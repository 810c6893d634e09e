"""A deadline by the wall clock for calls to other machines. No peer can extend it by sending one byte at a time.

The timeouts of HTTP clients begin anew with each read. Here a call runs in a thread of its own under one deadline. The
HTTP clients (`requests_session.py`, `httpx_client.py`) limit every read and write to the time that is left, so that the
thread ends soon. The caller does not wait longer than the deadline, even if the thread hangs where no timeout applies,
such as in a DNS lookup.
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
"""How long the caller waits after the deadline for the call to end by itself, with an error that says more."""


class _Deadline:
    """The time at which a call must end, and the socket on which it may be waiting."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = monotonic() + seconds
        self.socket: socket.socket | None = None

    def end_now(self) -> None:
        self.ends_at = monotonic()
        if self.socket is not None:
            # The thread that waits on the socket gets an error at once.
            with suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)


_deadline: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


def within(seconds: float, call: Callable[[], T], stop: Stop | None = None) -> T:
    """Return what `call` returns, or raise what it raises.

    Raises TimeoutError if it has not ended after `seconds` and GRACE_SECONDS, and ClaimLost as soon as `stop` is set.
    Then the call ends by itself, and its result is dropped.
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
        # A daemon thread, because a call that hangs must not keep the process from ending.
        Thread(target=context.run, args=(_settle, outcome, call), name="outside-call", daemon=True).start()
        return outcome.result(timeout=seconds + GRACE_SECONDS)


def time_left() -> float | None:
    """Return how many seconds the call in this thread has left; None if it has no deadline.

    Raises TimeoutError if it has none left.
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
    """Register the socket on which the call in this thread will wait: it is shut down when the call must stop."""
    deadline = _deadline.get()
    if deadline is not None:
        deadline.socket = sock


def has_passed() -> bool:
    """Return whether the call in this thread has no time left."""
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
