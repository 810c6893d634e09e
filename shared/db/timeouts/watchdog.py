"""Cuts the connection of a transaction that takes too long, when no other timeout has ended it.

psycopg2 has no read timeout. TCP's timeouts do not help against a frozen server, whose kernel still acknowledges what
it receives.
"""

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from psycopg2 import InterfaceError
from sqlalchemy.engine.interfaces import DBAPIConnection

from shared.background import BackgroundLoop
from shared.errors import DatabaseUnavailable

SERVER_SHARE = 0.9
"""The share of the transaction timeout after which the server itself ends the statement, and keeps the connection."""

MILLISECONDS = 1000
CLOSE_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Watch:
    """The watch over one transaction, which begins before it has a connection, and ends after its commit.

    A connection is cut only while it is attached: attaching, detaching and aborting exclude each other. `deadline` and
    `server_deadline`: by `time.monotonic()`.
    """

    deadline: float
    server_deadline: float
    _connection: DBAPIConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, connection: DBAPIConnection) -> None:
        """Watch this connection from now on; raise DatabaseUnavailable if the transaction has no time left."""
        with self._lock:
            if self.is_overdue:
                raise DatabaseUnavailable
            self._connection = connection

    def detach(self, connection: DBAPIConnection | None) -> None:
        """Stop watching this connection; do nothing for another one. To be called before another thread can have it."""
        with self._lock:
            if self._connection is connection:
                self._connection = None

    def end(self) -> None:
        """Stop watching."""
        with self._lock:
            self._connection = None

    def abort(self) -> None:
        """Shut down the connection's socket: the thread that waits on it gets an error at once."""
        with self._lock:
            if self._connection is None:
                return
            with contextlib.suppress(InterfaceError, OSError):
                _shut_down(self._connection.fileno())

    @property
    def is_overdue(self) -> bool:
        """Whether the transaction has no time left."""
        return time.monotonic() >= self.deadline

    @property
    def seconds_left(self) -> float:
        """How many seconds the transaction may still take, at least 0."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def server_milliseconds(self) -> int:
        """How many milliseconds the server may work on the next statement, at least 1."""
        return max(1, int((self.server_deadline - time.monotonic()) * MILLISECONDS))


class Watchdog:
    """Watches all transactions of a pool, in one thread."""

    def __init__(self, transaction_timeout: float, on_overdue: Callable[[], None]) -> None:
        """`transaction_timeout`: how many seconds a transaction may take. `on_overdue`: called before each cut."""
        self._transaction_timeout = transaction_timeout
        self._on_overdue = on_overdue
        self._watches: dict[int, Watch] = {}
        self._wakes_at = math.inf
        self._changed = threading.Condition()
        self._closed = False
        self.loop = BackgroundLoop("database_watchdog", self._abort_next_overdue)

    @contextmanager
    def watching(self, extra_seconds: float = 0.0) -> Iterator[Watch]:
        """Watch the transaction in the block, which must attach its connection to the watch.

        `extra_seconds`: added to the transaction timeout. Raises DatabaseUnavailable if the system can't start the
        thread, because a transaction without a watch could wait for ever.
        """
        try:
            self.loop.start()
        except RuntimeError as err:
            raise DatabaseUnavailable from err
        started = time.monotonic()
        seconds = self._transaction_timeout + extra_seconds
        watch = Watch(started + seconds, started + seconds * SERVER_SHARE)
        with self._changed:
            self._watches[id(watch)] = watch
            # Most transactions end long before their deadline. The thread sleeps on over those that came after the one
            # that it waits for, and must not be woken for each: it would compete with the thread that has work.
            if watch.deadline < self._wakes_at:
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._watches.pop(id(watch), None)
            watch.end()

    def close(self) -> None:
        """Stop watching."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self.loop.stop(CLOSE_SECONDS)

    def _abort_next_overdue(self) -> None:
        watch = self._next_overdue()
        if watch is None:
            return
        try:
            self._on_overdue()
        finally:
            watch.abort()

    def _next_overdue(self) -> Watch | None:
        with self._changed:
            while not self._closed:
                first = self._first()
                if first is not None and first.is_overdue:
                    return self._watches.pop(id(first))
                self._wakes_at = math.inf if first is None else first.deadline
                self._changed.wait(None if first is None else first.seconds_left)
                self._wakes_at = -math.inf
        return None

    def _first(self) -> Watch | None:
        """Return the watch that is overdue first."""
        return min(self._watches.values(), key=lambda watch: watch.deadline, default=None)


def _shut_down(file_number: int) -> None:
    with socket.socket(fileno=os.dup(file_number)) as own:
        own.shutdown(socket.SHUT_RDWR)
