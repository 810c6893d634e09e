"""Connecting within a time by the wall clock, whatever resolving and connecting wait for."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Protocol, TypeVar

from shared.errors import DatabaseUnavailable


class Closable(Protocol):
    """What we connect."""

    def close(self) -> None:
        """Give the connection up."""


T = TypeVar("T", bound=Closable)


def connect_within(seconds: float, connect: Callable[[], T]) -> T:
    """Return what `connect` returns, in a thread of its own; raise DatabaseUnavailable when it takes too long.

    libpq's own timeout has whole seconds, holds for each address of a host, and not for looking the host up.
    """
    connecting: Future[T] = Future()
    threading.Thread(target=_fulfil, args=(connecting, connect), name="connect to postgres", daemon=True).start()
    try:
        return connecting.result(seconds)
    except TimeoutError as err:
        connecting.add_done_callback(_close)
        raise DatabaseUnavailable from err


def _fulfil(connecting: "Future[T]", connect: Callable[[], T]) -> None:
    try:
        connecting.set_result(connect())
    except BaseException as err:  # noqa: BLE001  it is raised in the thread that waits
        connecting.set_exception(err)


def _close(connecting: "Future[T]") -> None:
    if connecting.exception() is None:
        connecting.result().close()
