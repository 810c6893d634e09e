"""Real servers for the tests that need them: started once a session, emptied for each test."""

import signal
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from pymemcache.client.base import Client as MemcachedClient
from redis import Redis
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from local.servers.memcached import MemcachedServer
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from shared.config import Settings, load_settings
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.db.tables import metadata
from shared.environment.addresses import database_url
from tests.drill_table import pytest_terminal_summary  # noqa: F401  pytest finds it by its name
from tests.stack import Stack, start_stack, stop_stack

TEMPLATE = "migrated"


def pytest_configure() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C, and what we start would inherit that.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Servers:
    """PostgreSQL, Valkey and memcached of this test session."""

    postgres: Postgres
    valkey: Valkey
    memcached: MemcachedServer

    def environment(self, database: str) -> dict[str, str]:
        """Return the variables that point an application at these servers."""
        return {
            "DATABASE_URL": self.postgres.url(database),
            "REDIS_CACHE_URL": self.valkey.url(0),
            "CELERY_BROKER_URL": self.valkey.url(1),
            "MEMCACHED_SERVERS": self.memcached.address,
            "SIMULATOR_URL": "http://127.0.0.1:9",
        }

    def empty(self) -> None:
        """Forget everything in Valkey and memcached."""
        with Redis.from_url(self.valkey.url(0)) as client:
            client.flushall()
        host, port = self.memcached.address.split(":")
        client = MemcachedClient((host, int(port)), timeout=5)
        client.flush_all(noreply=False)
        client.close()


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    directory = tmp_path_factory.mktemp("servers")
    postgres = Postgres(directory / "postgres", durable=False)
    valkey = Valkey(directory / "valkey")
    memcached = MemcachedServer(directory / "memcached")
    with ExitStack() as stack:
        for server in (postgres, valkey, memcached):
            stack.callback(server.stop)
            server.start()
        postgres.create_database(TEMPLATE)
        migrate(database_url(postgres.url(TEMPLATE)))
        yield Servers(postgres, valkey, memcached)


@pytest.fixture(scope="session")
def empty_databases() -> list[str]:
    """Migrated databases that earlier tests are done with: one that is emptied is quicker to have than a new one."""
    return []


@pytest.fixture
def environment(servers: Servers, empty_databases: list[str]) -> Iterator[dict[str, str]]:
    """Variables for an application with an empty, migrated database of its own and empty caches."""
    name = empty_databases.pop() if empty_databases else _create_database(servers)
    servers.empty()
    yield servers.environment(name)
    if _is_emptied(servers, name):
        empty_databases.append(name)


def _create_database(servers: Servers) -> str:
    name = f"test_{uuid.uuid4().hex}"
    engine = create_engine(database_url(servers.postgres.url("postgres")), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
    engine.dispose()
    return name


def _is_emptied(servers: Servers, name: str) -> bool:
    """Delete every row; False for a database whose tables are no longer what they were."""
    engine = create_engine(database_url(servers.postgres.url(name)))
    try:
        with engine.begin() as connection:
            connection.exec_driver_sql("SET LOCAL lock_timeout = '1s'")
            for table in metadata.tables.values():
                connection.execute(table.delete())
    except DBAPIError:
        return False
    finally:
        engine.dispose()
    return True


@pytest.fixture
def settings(environment: dict[str, str]) -> Settings:
    return load_settings(environment)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings.database_url, pool_size=10)
    yield database
    database.close()


@pytest.fixture(scope="session")
def whole_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = start_stack(tmp_path_factory.mktemp("stack"))
    yield stack
    stop_stack(stack)


@pytest.fixture
def stack(whole_stack: Stack) -> Iterator[Stack]:
    """The running stack, without faults and with its counters at zero."""
    whole_stack.calm()
    yield whole_stack
    whole_stack.calm()
