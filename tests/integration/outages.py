"""Real outages: a server that is frozen, a database that nobody can reach."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url

from local.service import Service
from tests.integration.eventually import eventually


@contextmanager
def frozen(server: Service) -> Iterator[None]:
    """Stop a process as a hung machine would: its sockets stay open and nothing answers."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    eventually(lambda: _is_stopped(server.pid))
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def _is_stopped(pid: int | None) -> bool:
    """Tell whether every thread has stopped: the signal takes effect a moment after it was sent."""
    states = [stat.read_text().rpartition(")")[2].split()[0] for stat in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(state == "T" for state in states)


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
