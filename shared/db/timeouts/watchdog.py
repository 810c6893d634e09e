"""The last resort: cuts the connection of a transaction that takes too long.

psycopg2 has no read timeout, and a frozen server still acknowledges what it is sent, so TCP's timeouts don't end the
wait for it.
"""

import contextlib
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
"""Of the time of a transaction, after which the server gives its statement up by itself, and keeps the connection."""

MILLISECONDS = 1000
CLOSE_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Watch:
    """One transaction, from before its connection is there until after its commit.

    A connection is cut only while it is attached: attaching, detaching and aborting exclude each other.
    """

    deadline: float
    server_deadline: float
    _connection: DBAPIConnection | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def attach(self, connection: DBAPIConnection) -> None:
        """Be responsible for this connection; raise DatabaseUnavailable when it comes too late."""
        with self._lock:
            if self.is_overdue:
                raise DatabaseUnavailable
            self._connection = connection

    def detach(self, connection: DBAPIConnection | None) -> None:
        """Be responsible no more, before anybody else can have this connection; for another one this means nothing."""
        with self._lock:
            if self._connection is connection:
                self._connection = None

    def end(self) -> None:
        """Be responsible for nothing any more."""
        with self._lock:
            self._connection = None

    def abort(self) -> None:
        """Shut the socket down: the thread that waits on it gets an error at once, as from a server that is gone."""
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
        """How long the transaction may still take, not below 0."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def server_milliseconds(self) -> int:
        """How long the server may work on the next statement, not below 1."""
        return max(1, int((self.server_deadline - time.monotonic()) * MILLISECONDS))


class Watchdog:
    """One thread for all transactions of a pool."""

    def __init__(self, transaction_timeout: float, on_overdue: Callable[[], None]) -> None:
        """`transaction_timeout`: how many seconds a transaction may take."""
        self._transaction_timeout = transaction_timeout
        self._on_overdue = on_overdue
        self._watches: dict[int, Watch] = {}
        self._changed = threading.Condition()
        self._closed = False
        self.loop = BackgroundLoop("database_watchdog", self._abort_next_overdue)

    @contextmanager
    def watching(self, extra_seconds: float = 0.0) -> Iterator[Watch]:
        """Watch over the block, whose connection has to be attached to the watch; give it so much more time.

        Raises DatabaseUnavailable when the system has no thread to watch with: a transaction could wait for ever.
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
            if self._first() is watch:
                self._changed.notify()
        try:
            yield watch
        finally:
            with self._changed:
                self._watches.pop(id(watch), None)
            watch.end()

    def close(self) -> None:
        """Watch no more."""
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
                if first is None:
                    self._changed.wait()
                elif first.deadline > time.monotonic():
                    self._changed.wait(first.deadline - time.monotonic())
                else:
                    return self._watches.pop(id(first))
        return None

    def _first(self) -> Watch | None:
        """Return the watch that is overdue first."""
        return min(self._watches.values(), key=lambda watch: watch.deadline, default=None)


def _shut_down(file_number: int) -> None:
    with socket.socket(fileno=os.dup(file_number)) as own:
        own.shutdown(socket.SHUT_RDWR)
