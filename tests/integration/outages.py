"""Real outages: a server that is frozen, a database that nobody can reach."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from local.supervisor.base import Service
from tests.freezing import frozen_process


@contextmanager
def frozen(server: Service) -> Iterator[None]:
    """Stop a server as a hung machine would: its sockets stay open and nothing answers."""
    assert server.pid is not None
    with frozen_process(server.pid):
        yield


@contextmanager
def database_away(url: str) -> Iterator[None]:
    """Cut every connection to one database and let no new one in."""
    with _administrator(url) as connection:
        name = make_url(url).database
        connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false'))
        connection.execute(
            text("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = :name"), {"name": name}
        )
        try:
            yield
        finally:
            connection.execute(text(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true'))


@contextmanager
def _administrator(url: str) -> Iterator[Connection]:
    engine = create_engine(make_url(url).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection
    engine.dispose()
