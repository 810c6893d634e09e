"""PostgreSQL behind one class: connections, transactions, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.db.sqlstates import unavailable
from shared.db.timeouts.connection_slots import ConnectionSlots
from shared.db.timeouts.transactions import TransactionTimeouts, connection_settings
from shared.errors import DatabaseBusy, DatabaseUnavailable, ServerDown

TRANSACTION_TIMEOUT_SECONDS = 1.8
POOL_TIMEOUT_SECONDS = 2
RECYCLE_SECONDS = 240
"""Below the five minutes after which a serverless PostgreSQL drops idle connections."""


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
            connect_args={"application_name": "askonce", **connection_settings(transaction_timeout)},
        )
        self._connection_slots = ConnectionSlots(pool_size)
        self._breaker = Breaker("postgres", (DatabaseUnavailable,), self._probe, slow_seconds=transaction_timeout)
        self._timeouts = TransactionTimeouts(
            self._engine, pool_size, transaction_timeout, lambda: self._breaker.trip("overdue")
        )

    @property
    def loops(self) -> list[BackgroundLoop]:
        """What runs in the background."""
        return [self._breaker.loop, self._timeouts.loop]

    @contextmanager
    def begin(self, extra_seconds: float = 0.0) -> Iterator[Connection]:
        """Open a transaction, commit it at the end; raise DatabaseUnavailable when PostgreSQL can't be reached.

        `extra_seconds`: what it may take beyond the transaction timeout, because it carries much.
        Where PostgreSQL answers, but could not do it, that is one of the DatabaseBusy: nothing was committed then. What
        the statements themselves do wrong (an IntegrityError, say) is raised as it is.
        """
        self._refuse_if_away()
        with self._connection_slots.taken():
            try:
                with self._transaction(extra_seconds) as connection:
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
        self._timeouts.close()
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
    def _transaction(self, extra_seconds: float = 0.0) -> Iterator[Connection]:
        with self._timeouts.watching(extra_seconds):
            try:
                with self._engine.begin() as connection:
                    yield connection
            except PoolTimeoutError as err:
                raise DatabaseUnavailable from err
            except DBAPIError as err:
                if (meaning := unavailable(err)) is not None:
                    raise meaning from err
                raise
