"""Users of PostgreSQL and Valkey with passwords of their own, on the servers of the session."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg2
from psycopg2 import sql
from redis import Redis

from tests.e2e.planted import Secret
from tests.servers import Servers

OTHER_PASSWORD = "changed"


@dataclass(frozen=True)
class OwnUsers:
    """One user for each address. `passwords`: by the setting that the user's address belongs to."""

    servers: Servers
    database: str
    passwords: dict[str, Secret]

    def settings(self) -> dict[str, str]:
        """Return the settings with the addresses."""
        database = f"{self.servers.postgres.address}/{self.database}"
        valkey = self.servers.valkey.address
        return {
            "DATABASE_URL": f"postgresql://{self._login('DATABASE_URL')}@{database}",
            "MIGRATION_DATABASE_URL": f"postgresql://{self._login('MIGRATION_DATABASE_URL')}@{database}",
            "REDIS_CACHE_URL": f"redis://{self._login('REDIS_CACHE_URL')}@{valkey}/0",
            "CELERY_BROKER_URL": f"redis://{self._login('CELERY_BROKER_URL')}@{valkey}/1",
        }

    def create(self) -> None:
        """Let each user do what the owner may."""
        for role in map(_user, self._of_postgres()):
            self._postgres("CREATE ROLE {} LOGIN IN ROLE askonce", role)
        for name in self._of_postgres():
            self._postgres("ALTER ROLE {} PASSWORD %s", _user(name), self.passwords[name].value)
        with self._valkey() as valkey:
            for name in self._of_valkey():
                password = self.passwords[name].value
                valkey.execute_command("ACL", "SETUSER", _user(name), "on", f">{password}", "~*", "&*", "+@all")

    def change_passwords(self) -> None:
        """Let no password fit any more, and end every connection."""
        for role in map(_user, self._of_postgres()):
            self._postgres("ALTER ROLE {} PASSWORD %s", role, OTHER_PASSWORD)
        self._postgres(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", None, "database_url"
        )
        with self._valkey() as valkey:
            for user in map(_user, self._of_valkey()):
                valkey.execute_command("ACL", "SETUSER", user, "resetpass", f">{OTHER_PASSWORD}")
                valkey.execute_command("CLIENT", "KILL", "USER", user)

    def drop(self) -> None:
        """Leave the servers as they were."""
        for role in map(_user, self._of_postgres()):
            self._postgres("DROP ROLE {}", role)
        with self._valkey() as valkey:
            valkey.execute_command("ACL", "DELUSER", *map(_user, self._of_valkey()))

    def _of_postgres(self) -> list[str]:
        return [name for name in self.passwords if "DATABASE" in name]

    def _of_valkey(self) -> list[str]:
        return [name for name in self.passwords if "DATABASE" not in name]

    def _login(self, name: str) -> str:
        return f"{_user(name)}:{self.passwords[name].in_url}"

    def _postgres(self, statement: str, role: str | None, *values: str) -> None:
        with closing(psycopg2.connect(self.servers.postgres.url(self.database))) as connection, connection:
            composed = sql.SQL(statement).format(sql.Identifier(role)) if role else sql.SQL(statement)
            connection.cursor().execute(composed, values)

    @contextmanager
    def _valkey(self) -> Iterator["Redis"]:
        with Redis.from_url(self.servers.valkey.url(0)) as client:
            yield client


def _user(name: str) -> str:
    return name.lower()
