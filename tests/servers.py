"""PostgreSQL, Valkey and memcached of a test session: started when a test first needs them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pymemcache.client.base import Client as MemcachedClient
from redis import Redis
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError

from local.servers.memcached import MemcachedServer
from local.servers.postgres import Postgres
from local.servers.valkey import Valkey
from shared.db.migrate import migrate
from shared.db.tables import metadata
from shared.environment.addresses import database_url
from tests.at_the_end import AT_THE_END

TEMPLATE = "migrated"


@dataclass(frozen=True)
class Servers:
    """PostgreSQL, Valkey and memcached of this test session."""

    postgres: Postgres
    valkey: Valkey
    memcached: MemcachedServer
    emptied: list["OwnDatabase"] = field(default_factory=list)
    """Migrated databases that earlier tests are done with: one that is emptied is quicker to have than a new one."""

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

    @contextmanager
    def lent(self) -> Iterator[dict[str, str]]:
        """Lend the variables for an application with an empty, migrated database of its own and empty caches."""
        database = self.emptied.pop() if self.emptied else self._create_database()
        self.empty()
        yield self.environment(database.name)
        if database.is_emptied():
            self.emptied.append(database)

    def _create_database(self) -> "OwnDatabase":
        name = f"test_{uuid.uuid4().hex}"
        engine = create_engine(database_url(self.postgres.url("postgres")), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE}')
        engine.dispose()
        return OwnDatabase(name, self.postgres.url(name))


class OwnDatabase:
    """A migrated database, with a connection that is kept: the first statements of a new one cost PostgreSQL most."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self._engine = create_engine(database_url(url), pool_pre_ping=True)

    def is_emptied(self) -> bool:
        """Delete every row; False for a database whose tables are no longer what they were."""
        try:
            with self._engine.begin() as connection:
                connection.exec_driver_sql(_empty_all())
        except DBAPIError:
            self._engine.dispose()
            return False
        return True


@cache
def _empty_all() -> str:
    deletions = (f"DELETE FROM {table.name}" for table in reversed(metadata.sorted_tables))  # noqa: S608  our own
    return ";".join(["SET LOCAL lock_timeout = '1s'", *deletions])


@cache
def session_servers() -> Servers:
    directory = Path(AT_THE_END.enter_context(TemporaryDirectory(prefix="askonce-tests-")))
    servers = Servers(
        Postgres(directory / "postgres", durable=False),
        Valkey(directory / "valkey"),
        MemcachedServer(directory / "memcached"),
    )
    for server in (servers.postgres, servers.valkey, servers.memcached):
        AT_THE_END.callback(server.stop)
        server.start()
    servers.postgres.create_database(TEMPLATE)
    migrate(database_url(servers.postgres.url(TEMPLATE)))
    return servers
