"""A deadline by the wall clock for calls to other machines. No peer can extend it by sending one byte at a time.

The timeouts of HTTP clients begin anew with each read. Here a call has one deadline, and the HTTP clients
(`requests_session.py`, `httpx_client.py`) limit every read and write to the time that is left. `within` runs the call
in a thread of its own: its caller does not wait longer than the deadline, even if the thread hangs where no timeout
applies, such as in a DNS lookup. `deadline` is for a call that hangs nowhere else.
"""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from threading import Thread
from time import monotonic
from typing import TypeVar

from workers.jobs.stop import ClaimLost, Stop

T = TypeVar("T")

GRACE_SECONDS = 0.25
"""How long the caller waits after the deadline for the call to end by itself, with an error that says more."""


class _Deadline:
    """When a call began, when it must end, and the socket on which it may be waiting."""

    def __init__(self, seconds: float) -> None:
        self.began_at = monotonic()
        self.ends_at = self.began_at + seconds
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
    ends = _Deadline(seconds)
    context = copy_context()
    context.run(_deadline.set, ends)
    outcome: Future[T] = Future()

    def give_up() -> None:
        with suppress(InvalidStateError):
            outcome.set_exception(ClaimLost())
        ends.end_now()

    with (stop or Stop()).calling(give_up):
        # A daemon thread, because a call that hangs must not keep the process from ending.
        Thread(target=context.run, args=(_settle, outcome, call), name="outside-call", daemon=True).start()
        while ends.ends_at + GRACE_SECONDS > monotonic() and not outcome.done():
            # The call may have prolonged its deadline meanwhile.
            wait([outcome], timeout=ends.ends_at + GRACE_SECONDS - monotonic())
        return outcome.result(timeout=0)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Give the calls in the block, in this thread, `seconds` in all. Their client heeds `time_left` in every wait."""
    outer = _deadline.set(_Deadline(seconds))
    try:
        yield
    finally:
        _deadline.reset(outer)


def prolong(seconds: float, within: float) -> None:
    """Give the call in this thread `seconds` from now, but not more than `within` seconds from its beginning in all.

    For a peer that has sent a whole part of its answer. Does nothing for a call without a deadline.
    """
    ends = _deadline.get()
    if ends is not None and ends.ends_at > monotonic():
        ends.ends_at = max(ends.ends_at, min(monotonic() + seconds, ends.began_at + within))


def time_left() -> float | None:
    """Return how many seconds the call in this thread has left; None if it has no deadline.

    Raises TimeoutError if it has none left.
    """
    ends = _deadline.get()
    if ends is None:
        return None
    left = ends.ends_at - monotonic()
    if left <= 0:
        message = "the deadline of this call has passed"
        raise TimeoutError(message)
    return left


def waits_on(sock: socket.socket) -> None:
    """Register the socket on which the call in this thread will wait: it is shut down when the call must stop."""
    ends = _deadline.get()
    if ends is not None:
        ends.socket = sock


def has_passed() -> bool:
    """Return whether the call in this thread has no time left."""
    ends = _deadline.get()
    return ends is not None and ends.ends_at <= monotonic()


def _settle(outcome: Future[T], call: Callable[[], T]) -> None:
    try:
        answer = call()
    except BaseException as err:  # noqa: BLE001  carried over to the caller's thread, which raises it
        with suppress(InvalidStateError):
            outcome.set_exception(err)
    else:
        with suppress(InvalidStateError):
            outcome.set_result(answer)
