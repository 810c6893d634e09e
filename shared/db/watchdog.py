"""Cuts off what PostgreSQL takes too long over: psycopg2 has no read timeout and would wait for a frozen server."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2 import InterfaceError
from sqlalchemy.engine.interfaces import DBAPIConnection

from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable

CLOSE_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Watch:
    """One transaction, from before its connection is there until after its commit."""

    deadline: float
    connection: DBAPIConnection | None = None
    overdue: bool = False

    def take(self, connection: DBAPIConnection) -> None:
        """Be responsible for this connection; raise DatabaseUnavailable when it comes too late."""
        self.connection = connection
        if self.overdue:
            raise DatabaseUnavailable

    @property
    def seconds_left(self) -> float:
        """How long the transaction may still take, not below 0."""
        return 0.0 if self.overdue else max(0.0, self.deadline - time.monotonic())


class Watchdog:
    """One thread for all transactions of a pool, which are overdue in the order in which they began."""

    def __init__(self, patience: float, on_overdue: Callable[[], None]) -> None:
        """`patience`: how many seconds a transaction may take."""
        self._patience = patience
        self._on_overdue = on_overdue
        self._watches: dict[int, Watch] = {}
        self._changed = threading.Condition()
        self._closed = False
        self.loop = BackgroundLoop("database_watchdog", self._cut_next_overdue)

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Watch over the block, whose connection has to be given to the watch.

        Raises DatabaseUnavailable when the system has no thread to watch with: a transaction could wait for ever.
        """
        try:
            self.loop.start()
        except RuntimeError as err:
            raise DatabaseUnavailable from err
        watch = Watch(time.monotonic() + self._patience)
        with self._changed:
            self._watches[id(watch)] = watch
            if len(self._watches) == 1:
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._watches.pop(id(watch), None)

    def close(self) -> None:
        """Watch no more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.loop.stop(CLOSE_SECONDS)

    def _cut_next_overdue(self) -> None:
        watch = self._next_overdue()
        if watch is None:
            return
        try:
            self._on_overdue()
        finally:
            _cut(watch)

    def _next_overdue(self) -> Watch | None:
        with self._changed:
            while not self._closed:
                first = next(iter(self._watches.values()), None)
                if first is None:
                    self._changed.wait()
                elif first.deadline > time.monotonic():
                    self._changed.wait(first.deadline - time.monotonic())
                else:
                    first.overdue = True
                    return self._watches.pop(id(first))
        return None


def _cut(watch: Watch) -> None:
    """Shut the socket down: the thread that waits on it gets an error at once, as from a server that is gone."""
    if watch.connection is None:
        return
    with contextlib.suppress(InterfaceError, OSError), socket.socket(fileno=os.dup(watch.connection.fileno())) as own:
        own.shutdown(socket.SHUT_RDWR)
