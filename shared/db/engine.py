"""PostgreSQL behind one class: connections, transactions, and its errors as ours."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Dialect, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InvalidatePoolError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.db.connecting import Connector
from shared.db.connection_slots import ConnectionSlots
from shared.db.sqlstates import unavailable
from shared.db.timeouts import Watch, Watchdog
from shared.errors import DatabaseBusy, DatabaseUnavailable, ServerDown

TRANSACTION_TIMEOUT_SECONDS = 1.8
POOL_TIMEOUT_SECONDS = 2
SPARE_CONNECTING = 20
"""How many attempts to connect may hang beside one for each connection of the pool: a probe's, while a name server is
silent for half a minute, so that the first one after it has come back finds a thread."""

RECYCLE_SECONDS = 240
"""Below the five minutes after which a serverless PostgreSQL drops idle connections."""

CONNECTION = {
    "application_name": "askonce",
    "connect_timeout": 2,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's settings: also a peer that vanished without a word is noticed."""

# In the message of the statement itself, so without a round trip; for this transaction only, so also behind a pooler.
# The second is for locks that a process leaves behind which was frozen, or cut off without a word.
BOUNDED = "SET LOCAL statement_timeout = {0}; SET LOCAL idle_in_transaction_session_timeout = {0}; {1}"


class Database:
    """A bounded pool of connections; none is made before the first use. Safe to use from many threads.

    While PostgreSQL hangs, at most `pool_size` threads wait for it, each for at most `transaction_timeout` seconds;
    then every transaction is refused at once until a probe, once a second, has got through. A statement that is only
    slow ends a little earlier, on the server too, and others go on.
    """

    def __init__(self, url: str, pool_size: int, transaction_timeout: float = TRANSACTION_TIMEOUT_SECONDS) -> None:
        """`url` as `addresses.database_url` returns it; `transaction_timeout`: how long a transaction may take."""
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            connect_args=CONNECTION,
        )
        event.listen(self._engine, "do_connect", self._connect)
        event.listen(self._engine, "checkout", self._check)
        event.listen(self._engine, "checkin", self._check_in)
        event.listen(self._engine, "close", self._give_back)
        event.listen(self._engine, "before_cursor_execute", self._bound, retval=True)
        self._connection_slots = ConnectionSlots(pool_size)
        self._breaker = Breaker("postgres", (DatabaseUnavailable,), self._probe, slow_seconds=transaction_timeout)
        self._watchdog = Watchdog(transaction_timeout, lambda: self._breaker.trip("overdue"))
        self._connector = Connector(pool_size + SPARE_CONNECTING)
        self._here = threading.local()

    @property
    def loops(self) -> list[BackgroundLoop]:
        """What runs in the background."""
        return [self._breaker.loop, self._watchdog.loop]

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, commit it at the end; raise DatabaseUnavailable when PostgreSQL can't be reached.

        Where PostgreSQL answers, but could not do it, that is one of the DatabaseBusy: nothing was committed then. What
        the statements themselves do wrong (an IntegrityError, say) is raised as it is.
        """
        self._refuse_if_away()
        with self._connection_slots.taken():
            try:
                with self._transaction() as connection:
                    yield connection
            except DatabaseBusy:
                raise
            except DatabaseUnavailable as err:
                self._breaker.failed(type(err.__cause__).__name__)
                raise
        self._breaker.succeeded()

    def ping(self) -> None:
        """Return once PostgreSQL has answered; raise DatabaseUnavailable."""
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give up all connections."""
        self._breaker.close()
        self._watchdog.close()
        self._engine.dispose()

    def _refuse_if_away(self) -> None:
        try:
            self._breaker.refuse_if_open()
        except ServerDown as err:
            raise DatabaseUnavailable from err

    def _probe(self) -> None:
        with self._transaction() as connection:
            connection.execute(text("SELECT 1"))

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        with self._watchdog.watching() as watch, self._watched_here(watch):
            try:
                with self._engine.begin() as connection:
                    yield connection
            except PoolTimeoutError as err:
                raise DatabaseUnavailable from err
            except DBAPIError as err:
                if (meaning := unavailable(err)) is not None:
                    raise meaning from err
                raise

    @contextmanager
    def _watched_here(self, watch: Watch) -> Iterator[None]:
        """Let the pool's events, which come in this thread, know their watch."""
        outer = getattr(self._here, "watch", None)
        self._here.watch = watch
        try:
            yield
        finally:
            self._here.watch = outer

    def _connect(
        self, dialect: Dialect, _: ConnectionPoolEntry, args: Sequence[str], parameters: dict[str, Any]
    ) -> DBAPIConnection:
        watch: Watch = self._here.watch
        connection = self._connector.connect_within(watch.seconds_left, lambda: dialect.connect(*args, **parameters))
        watch.take(connection)
        return connection

    def _check(self, connection: DBAPIConnection, entry: ConnectionPoolEntry, _: PoolProxiedConnection) -> None:
        """Ask a connection that was idle whether it still is one; if not, the pool makes a new one."""
        watch: Watch = self._here.watch
        watch.take(connection)
        if "used" not in entry.info:
            return
        try:
            self._engine.dialect.do_ping(connection)
        except self._engine.dialect.loaded_dbapi.Error as err:
            if watch.overdue:
                raise DatabaseUnavailable from err
            raise InvalidatePoolError from err

    def _bound(self, *execution: Any) -> tuple[str, Any]:  # noqa: ANN401  SQLAlchemy's, of which we touch two
        """Let the server give a statement up in time: what we do not wait for must not run on."""
        _, _, statement, parameters, *_ = execution
        watch: Watch = self._here.watch
        return BOUNDED.format(watch.server_milliseconds, statement), parameters

    def _check_in(self, connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info["used"] = True
        self._give_back(connection, entry)

    def _give_back(self, connection: DBAPIConnection | None, _: ConnectionPoolEntry) -> None:
        """Keep the watchdog from a connection that is another's from now on, or whose number is."""
        watch: Watch | None = getattr(self._here, "watch", None)
        if watch is not None:
            watch.give_back(connection)
