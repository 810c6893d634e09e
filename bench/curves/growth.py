"""What everything costs on tables of ten thousand to ten million ended jobs: it should not grow with them."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.arena import open_arena
from bench.curves.table import Table
from bench.growth.costs import Cost, Meter, costs
from bench.growth.ended_jobs import TABLES, write_ended_jobs
from bench.growth.postgres import CountingPostgres, Statements
from bench.growth.report import Measured, tables_of
from bench.growth.sweeps import costs_of_sweeps
from local.servers.postgres import DATABASE
from shared.db.migrate import migrate
from shared.environment.addresses import database_url
from tests.freezing import frozen_process

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DAYS = 89
"""A day less than RETENTION_DAYS."""

MEGABYTES = "SELECT count(*), pg_total_relation_size('{0}') / 1000000.0 FROM {0}"


def growth(sizes: Sequence[int] = SIZES) -> list[Table]:
    """Measure everything at each of these numbers of jobs, on servers of its own each time."""
    found: list[Measured] = []
    for jobs in sizes:
        found.append(_measured(jobs))
        tables = tables_of(found)
        print("", *(table.as_text() for table in tables), sep="\n\n", flush=True)
    return tables


def _measured(jobs: int) -> Measured:
    with tempfile.TemporaryDirectory(prefix="askonce-growth-") as folder, ExitStack() as ending:
        server = CountingPostgres(Path(folder) / "postgres")
        ending.callback(server.stop)
        # The arena keeps this process off one core; the next one needs both again.
        ending.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
        server.start()
        server.create_database(DATABASE)
        url = server.url(DATABASE)
        migrate(database_url(url))
        write_ended_jobs(url, jobs, DAYS, lambda said: print(f"  {said}", flush=True))
        statements = Statements(server)
        rows = {table: statements.sql(MEGABYTES.format(table))[0] for table in TABLES}
        arena = ending.enter_context(open_arena({"DATABASE_URL": url}))
        meter = Meter(arena, server.pid or 0, statements)
        with frozen_process(arena.stack.pid("worker-maintenance")):
            found: Mapping[str, Cost] = {**costs(meter, jobs), **costs_of_sweeps(meter)}
        return Measured(jobs, rows, found)
