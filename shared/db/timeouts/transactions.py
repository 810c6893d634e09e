"""Bounds whatever a transaction waits for: connecting, each statement, the way to the server, and all of it."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from shared.background import BackgroundLoop
from shared.db.timeouts.connecting import Connector
from shared.db.timeouts.watchdog import MILLISECONDS, Watch, Watchdog
from shared.errors import DatabaseUnavailable

SILENCE_SHARE = 0.5
"""Of the time of a transaction, after which the kernel gives up a peer that acknowledges nothing, so that a connection
that died in the pool leaves time for a new one."""

SPARE_CONNECTING = 20
"""How many attempts to connect may hang beside one for each connection of the pool: a probe's, while a name server is
silent for half a minute, so that the first one after it has come back finds a thread."""

# In the message of the statement itself, so without a round trip; for this transaction only, so also behind a pooler.
# The second is for locks that a process leaves behind which was frozen, or cut off without a word.
BOUNDED = "SET LOCAL statement_timeout = {0}; SET LOCAL idle_in_transaction_session_timeout = {0}; {1}"


def connection_settings(transaction_timeout: float) -> dict[str, int]:
    """Return libpq's settings: a peer that vanished without a word is noticed, whether anybody waits for it or not.

    `transaction_timeout`: how many seconds a transaction may take.
    """
    return {
        "connect_timeout": 2,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(transaction_timeout * SILENCE_SHARE * MILLISECONDS),
    }


class TransactionTimeouts:
    """The timeouts of one engine, whose connections are used within `watching` only."""

    def __init__(
        self, engine: Engine, pool_size: int, transaction_timeout: float, on_overdue: Callable[[], None]
    ) -> None:
        """`transaction_timeout` in seconds; `on_overdue` is called before a connection is cut."""
        self._dialect = engine.dialect
        self._watchdog = Watchdog(transaction_timeout, on_overdue)
        self._connector = Connector(pool_size + SPARE_CONNECTING)
        self._here = threading.local()
        event.listen(engine, "do_connect", self._connect)
        event.listen(engine, "checkout", self._check)
        event.listen(engine, "checkin", self._check_in)
        event.listen(engine, "close", self._detach)
        event.listen(engine, "before_cursor_execute", self._bound, retval=True)

    @property
    def loop(self) -> BackgroundLoop:
        """What runs in the background."""
        return self._watchdog.loop

    @contextmanager
    def watching(self, extra_seconds: float) -> Iterator[None]:
        """Bound the transaction that the block makes; raise DatabaseUnavailable when there is no thread to watch it."""
        with self._watchdog.watching(extra_seconds) as watch:
            # The pool's events come in this thread.
            outer = getattr(self._here, "watch", None)
            self._here.watch = watch
            try:
                yield
            finally:
                self._here.watch = outer

    def close(self) -> None:
        """Watch no more."""
        self._watchdog.close()

    def _connect(
        self, dialect: Dialect, _: ConnectionPoolEntry, args: Sequence[str], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        watch: Watch = self._here.watch
        connection = self._connector.connect_within(watch.seconds_left, lambda: dialect.connect(*args, **parameters))
        watch.attach(connection)
        return connection

    def _check(self, connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        """Ask a connection that was idle whether it still is one; if not, the pool makes a new one."""
        watch: Watch = self._here.watch
        watch.attach(connection)
        if "used" not in entry.info:
            return
        try:
            self._dialect.do_ping(connection)
        except self._dialect.loaded_dbapi.Error as err:
            if watch.is_overdue:
                raise DatabaseUnavailable from err
            raise InvalidatePoolError from err

    def _bound(self, *execution: Any) -> tuple[str, Any]:  # noqa: ANN401  SQLAlchemy's, of which we touch two
        """Let the server give a statement up in time: what we do not wait for must not run on."""
        _, _, statement, parameters, *_ = execution
        watch: Watch = self._here.watch
        return BOUNDED.format(watch.server_milliseconds, statement), parameters

    def _check_in(self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used"] = True
        self._detach(connection, entry)

    def _detach(self, connection: DBAPIConnection | None, _: ConnectionPoolEntry) -> None:
        """Keep the watchdog from a connection that is another's from now on, or whose number is."""
        watch: Watch | None = getattr(self._here, "watch", None)
        if watch is not None:
            watch.detach(connection)
