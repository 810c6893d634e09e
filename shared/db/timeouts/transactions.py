"""Limits everything that a transaction waits for: connecting, each statement, a silent network, and all together."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Dialect, Engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from shared.background import BackgroundLoop
from shared.db.timeouts.connecting import Connector
from shared.db.timeouts.idle import has_news
from shared.db.timeouts.watchdog import MILLISECONDS, Watch, Watchdog
from shared.errors import DatabaseUnavailable

SILENCE_SHARE = 0.5
"""The share of the transaction timeout after which the kernel gives up a peer that acknowledges nothing. The rest is
for a new connection, in place of one that died in the pool."""

SPARE_CONNECTING = 20
"""How many attempts to connect may hang in addition to one for each connection of the pool. While a name server is
silent for half a minute, each probe leaves one behind; the first probe after that must still find a thread."""

# Sent in the same message as the statement, so that it needs no round trip; LOCAL, so that it also works behind a
# pooler. The second timeout frees the locks of a process that was frozen, or that lost its network; if that happens in
# the middle of a COPY, the server's TCP keepalive does.
BOUNDED = "SET LOCAL statement_timeout = {0}; SET LOCAL idle_in_transaction_session_timeout = {0}; {1}"
FIRST = f"BEGIN; {BOUNDED}"
SINGLE = "SET LOCAL statement_timeout = {0}; {1}"
"""For a statement that is a transaction of its own, which begins and ends with the message."""

TRUSTED_SECONDS = 1.0
"""A connection that was used within this time is not asked whether it still lives, unless it has something to say."""


def connection_settings(transaction_timeout: float) -> dict[str, int]:
    """Return libpq's settings. With them the kernel notices a peer that vanished, even if no thread waits for it.

    `transaction_timeout`: how many seconds a transaction may take.
    https://www.postgresql.org/docs/current/libpq-connect.html
    """
    return {
        "connect_timeout": 2,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(transaction_timeout * SILENCE_SHARE * MILLISECONDS),
    }


@dataclass(frozen=True, slots=True)
class _Now:
    """The transaction of a thread; see `watching`."""

    watch: Watch
    single: bool
    trusted_seconds: float


class TransactionTimeouts:
    """The timeouts of one engine. Its connections may be used only within `watching`."""

    def __init__(
        self, engine: Engine, pool_size: int, transaction_timeout: float, on_overdue: Callable[[], None]
    ) -> None:
        """`transaction_timeout`: in seconds. `on_overdue`: called before a connection is cut."""
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
        """The background loop."""
        return self._watchdog.loop

    @contextmanager
    def watching(
        self, extra_seconds: float = 0.0, *, single: bool = False, trusted_seconds: float = TRUSTED_SECONDS
    ) -> Iterator[None]:
        """Limit the time of the transaction in the block; raise DatabaseUnavailable if no thread can watch it.

        `extra_seconds`: added to the transaction timeout. `single`: every statement is a transaction of its own.
        `trusted_seconds`: a connection that was idle for longer must answer a ping first.
        """
        with self._watchdog.watching(extra_seconds) as watch:
            # The pool calls our event handlers in this thread.
            outer = getattr(self._here, "now", None)
            self._here.now = _Now(watch, single, trusted_seconds)
            try:
                yield
            finally:
                self._here.now = outer

    def close(self) -> None:
        """Stop watching."""
        self._watchdog.close()

    def _connect(
        self, dialect: Dialect, _: ConnectionPoolEntry, args: Sequence[str], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        watch = self._now().watch
        connection = self._connector.connect_within(watch.seconds_left, lambda: dialect.connect(*args, **parameters))
        watch.attach(connection)
        return connection

    def _check(self, connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        """Ping a connection that may have died since it was used last. If it has, let the pool make a new one."""
        now = self._now()
        now.watch.attach(connection)
        used_at = entry.info.get("used_at")
        if used_at is None:
            return
        try:
            if time.monotonic() - used_at >= now.trusted_seconds or has_news(connection.fileno()):
                self._dialect.do_ping(connection)
        except self._dialect.loaded_dbapi.Error as err:
            if now.watch.is_overdue:
                raise DatabaseUnavailable from err
            raise InvalidatePoolError from err

    def _bound(self, *execution: Any) -> tuple[str, Any]:  # noqa: ANN401  SQLAlchemy's, of which we touch four
        """Limit the statement on the server too: it must not run on when nobody waits for it any more."""
        connection, cursor, statement, parameters, _, is_many = execution
        now = self._now()
        form = BOUNDED
        if now.single:
            form = SINGLE
        elif not connection.connection.is_in_transaction:
            if is_many:
                cursor.execute("BEGIN")
            else:
                form = FIRST
        return form.format(now.watch.server_milliseconds, statement), parameters

    def _check_in(self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used_at"] = time.monotonic()
        self._detach(connection, entry)

    def _detach(self, connection: DBAPIConnection | None, _: ConnectionPoolEntry) -> None:
        """Keep the watchdog from this connection: another thread may have it, or its file number, from now on."""
        now: _Now | None = getattr(self._here, "now", None)
        if now is not None:
            now.watch.detach(connection)

    def _now(self) -> _Now:
        now: _Now = self._here.now
        return now
