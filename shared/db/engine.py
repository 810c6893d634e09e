"""PostgreSQL behind one class: connections, transactions, and its errors as ours."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.errors import DatabaseUnavailable

CONNECT_TIMEOUT_SECONDS = 2
POOL_TIMEOUT_SECONDS = 2
RECYCLE_SECONDS = 240
"""Below the five minutes after which a serverless PostgreSQL drops idle connections."""


class Database:
    """A bounded pool of connections; none is made before the first use. Safe to use from many threads."""

    def __init__(self, url: str, pool_size: int) -> None:
        """`url` as `shared.addresses.database_url` returns it."""
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,
            pool_timeout=POOL_TIMEOUT_SECONDS,
            pool_recycle=RECYCLE_SECONDS,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_TIMEOUT_SECONDS, "application_name": "askonce"},
        )

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction, commit it at the end; raise DatabaseUnavailable when PostgreSQL can't be reached.

        What the statements themselves do wrong (an IntegrityError, say) is raised as it is.
        """
        try:
            with self._engine.begin() as connection:
                yield connection
        except (OperationalError, InterfaceError, InternalError, PoolTimeoutError) as err:
            raise DatabaseUnavailable from err
        except DBAPIError as err:
            if err.connection_invalidated:
                raise DatabaseUnavailable from err
            raise

    def ping(self) -> None:
        """Return once PostgreSQL has answered; raise DatabaseUnavailable."""
        with self.begin() as connection:
            connection.execute(text("SELECT 1"))

    def close(self) -> None:
        """Give up all connections."""
        self._engine.dispose()
