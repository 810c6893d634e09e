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

from shared.errors import DatabaseUnavailable


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
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def watching(self) -> Iterator[Watch]:
        """Watch over the block, whose connection has to be given to the watch."""
        watch = Watch(time.monotonic() + self._patience)
        with self._changed:
            self._watches[id(watch)] = watch
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="database watchdog", daemon=True)
                self._thread.start()
            elif len(self._watches) == 1:
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

    def _run(self) -> None:
        while (watch := self._next_overdue()) is not None:
            self._on_overdue()
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
