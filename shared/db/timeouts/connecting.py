"""Connecting to PostgreSQL within a time by the wall clock, which includes looking up the host."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from shared.errors import DatabaseUnavailable


class Closable(Protocol):
    """A connection."""

    def close(self) -> None:
        """Close the connection."""


T = TypeVar("T", bound=Closable)


class Connector:
    """Connects in threads of its own, so that its callers wait no longer than they want to.

    libpq's own timeout is not enough: it counts whole seconds, begins anew for each address of a host, and does not
    limit the lookup of the host.
    """

    def __init__(self, limit: int) -> None:
        """`limit`: the most threads at a time, including those that still hang after their callers gave up."""
        self._free = threading.BoundedSemaphore(limit)

    def connect_within(self, seconds: float, connect: Callable[[], T]) -> T:
        """Return what `connect` returns; raise what it raises.

        Raises DatabaseUnavailable if that takes longer than `seconds`, or if there is no thread for it.
        """
        if not self._free.acquire(blocking=False):
            message = "too many attempts to connect hang"
            raise DatabaseUnavailable from TimeoutError(message)
        connecting: Future[T] = Future()
        try:
            self._start(connecting, connect)
        except RuntimeError as err:
            self._free.release()
            raise DatabaseUnavailable from err
        try:
            return connecting.result(seconds)
        except TimeoutError as err:
            connecting.add_done_callback(_close)
            raise DatabaseUnavailable from err

    def _start(self, connecting: "Future[T]", connect: Callable[[], T]) -> None:
        arguments = (connecting, connect)
        threading.Thread(target=self._fulfil, args=arguments, name="connect to postgres", daemon=True).start()

    def _fulfil(self, connecting: "Future[T]", connect: Callable[[], T]) -> None:
        try:
            connection = connect()
        except BaseException as err:  # noqa: BLE001  it is raised in the thread that waits
            self._free.release()
            connecting.set_exception(err)
        else:
            self._free.release()
            connecting.set_result(connection)


def _close(connecting: "Future[T]") -> None:
    if connecting.exception() is None:
        connecting.result().close()
