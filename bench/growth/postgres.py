"""A PostgreSQL that counts the pages that each statement reads: unlike times, they don't depend on the machine."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import psycopg2.extensions

from local.servers.postgres import DATABASE, Postgres
from local.supervisor.processes import Command

COUNTING = {
    "shared_preload_libraries": "pg_stat_statements",
    # Else it would tidy up in the middle of one measurement and not of another. What was written is tidied up at once.
    "autovacuum": "off",
    "maintenance_work_mem": "256MB",
    "shared_buffers": "256MB",
}
READ = """
    SELECT query, sum(calls)::bigint, sum(shared_blks_hit + shared_blks_read)::bigint FROM pg_stat_statements
    WHERE query !~ 'pg_stat_statements|^SELECT FROM jobs|^SELECT EXISTS' GROUP BY query
"""
"""Without what only the benchmark asks: whether anything is left to do."""


class CountingPostgres(Postgres):
    """A server with the extension pg_stat_statements, which comes with PostgreSQL."""

    def command(self) -> Command:
        """Run with further settings."""
        command = super().command()
        options = [part for name, value in COUNTING.items() for part in ("-c", f"{name}={value}")]
        return replace(command, arguments=(*command.arguments, *options))


@dataclass(frozen=True, slots=True)
class Reads:
    """Of a statement: how often it was executed, and the pages of tables and indexes that it read in all."""

    calls: int
    pages: int


class Statements:
    """The statements that others send to a server."""

    def __init__(self, server: CountingPostgres) -> None:
        self.url = server.url(DATABASE)
        self.sql("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")

    def sql(self, query: str, parameters: tuple[object, ...] | None = None) -> list[tuple[Any, ...]]:
        """Execute one of our own; return its rows."""
        with closing(psycopg2.connect(self.url)) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(query, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def reset(self) -> None:
        """Count from zero."""
        self.sql("SELECT pg_stat_statements_reset()")

    def read(self) -> Mapping[str, Reads]:
        """Return what each statement has read since."""
        return {query: Reads(calls, pages) for query, calls, pages in self.sql(READ)}
