"""PostgreSQL behind one class: connections and transactions. It raises our errors in place of the driver's."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Executable, Row, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.background import BackgroundLoop
from shared.breaker import Breaker
from shared.db.copying import use_copy
from shared.db.driver import Connection as DriverConnection
from shared.db.metrics import COMMITTED, FAILED, DatabaseMetrics
from shared.db.prepared import use_prepared
from shared.db.sqlstates import unavailable
from shared.db.timeouts.connection_slots import ConnectionSlots
from shared.db.timeouts.transactions import TransactionTimeouts, connection_settings
from shared.errors import DatabaseBusy, DatabaseUnavailable, ServerDown

TRANSACTION_TIMEOUT_SECONDS = 1.8
POOL_TIMEOUT_SECONDS = 2
RECYCLE_SECONDS = 240
"""Less than the five minutes after which a serverless PostgreSQL drops idle connections."""


class Database:
    """A bounded pool of connections, which are opened when they are first needed. Safe to use from many threads.

    While PostgreSQL hangs, at most `pool_size` threads wait for it, each for at most `transaction_timeout` seconds.
    Then every transaction is refused at once, until one of the probes, one a second, gets an answer. A statement that
    is only slow ends a little before that timeout, on the server too, and other transactions are not refused.
    """

    def __init__(self, url: str, pool_size: int, transaction_timeout: float = TRANSACTION_TIMEOUT_SECONDS) -> None:
        """`url`: as `addresses.database_url` returns it. `transaction_timeout`: seconds that a transaction may take."""
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            connect_args={
                "application_name": "askonce",
                "connection_factory": DriverConnection,
                **connection_settings(transaction_timeout),
            },
        )
        use_prepared(self._engine)
        use_copy(self._engine)
        self._connection_slots = ConnectionSlots(pool_size)
        self._breaker = Breaker("postgres", (DatabaseUnavailable,), self._probe, slow_seconds=transaction_timeout)
        self._timeouts = TransactionTimeouts(
            self._engine, pool_size, transaction_timeout, lambda: self._breaker.trip("overdue")
        )
        self.metrics = DatabaseMetrics(pool_size, lambda: self._connection_slots.in_use, lambda: self._breaker.is_open)

    @property
    def loops(self) -> list[BackgroundLoop]:
        """The background loops."""
        return [self._breaker.loop, self._timeouts.loop]

    @contextmanager
    def begin(self, extra_seconds: float = 0.0) -> Iterator[Connection]:
        """Open a transaction for the block, and commit it at the end.

        `extra_seconds`: added to the transaction timeout, for a transaction that transfers many bytes.

        Raises DatabaseUnavailable if PostgreSQL does not answer; the commit may have succeeded all the same. Raises a
        DatabaseBusy if PostgreSQL answers that it could not do it; then nothing was committed. Errors of the statements
        themselves, such as IntegrityError, are raised as they are.
        """
        with self._guarded(self._timeouts.watching(extra_seconds)) as connection:
            yield connection

    def run(self, statement: Executable, parameters: Mapping[str, Any] | None = None) -> Sequence[Row[Any]]:
        """Run one statement as a transaction of its own, in one round trip; return its rows. Raises as `begin` does."""
        with self.autocommit() as connection:
            result = connection.execute(statement, parameters)
            return result.all() if result.returns_rows else ()

    @contextmanager
    def autocommit(self) -> Iterator[Connection]:
        """Lend a connection to the block. Each of its statements is a transaction of its own, in one round trip.

        Raises as `begin` does.
        """
        with self._guarded(self._timeouts.watching(single=True)) as connection:
            yield connection

    def ping(self) -> None:
        """Return when PostgreSQL has answered; raise DatabaseUnavailable."""
        with self._guarded(self._timeouts.watching(trusted_seconds=0)) as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Close all connections."""
        self._breaker.close()
        self._timeouts.close()
        self._engine.dispose()

    def _refuse_if_away(self) -> None:
        try:
            self._breaker.refuse_if_open()
        except ServerDown as err:
            raise DatabaseUnavailable from err

    def _probe(self) -> None:
        with self._transaction(self._timeouts.watching(trusted_seconds=0)) as connection:
            connection.execute(text("SELECT 1"))

    @contextmanager
    def _guarded(self, watching: AbstractContextManager[None]) -> Iterator[Connection]:
        """Open a transaction, unless PostgreSQL is away; let the breaker know how it went."""
        self._refuse_if_away()
        with self._connection_slots.taken():
            began, outcome = time.perf_counter(), FAILED
            try:
                with self._transaction(watching) as connection:
                    yield connection
                outcome = COMMITTED
            except DatabaseBusy:
                raise
            except DatabaseUnavailable as err:
                self._breaker.failed(type(err.__cause__).__name__)
                raise
            finally:
                self.metrics.ended(time.perf_counter() - began, outcome)
        self._breaker.succeeded()

    @contextmanager
    def _transaction(self, watching: AbstractContextManager[None]) -> Iterator[Connection]:
        with watching:
            try:
                with self._engine.begin() as connection:
                    yield connection
            except PoolTimeoutError as err:
                raise DatabaseUnavailable from err
            except DBAPIError as err:
                if (meaning := unavailable(err)) is not None:
                    raise meaning from err
                raise
