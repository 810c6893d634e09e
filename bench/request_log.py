"""`make figures`: the request log on ten million rows, or as many as the first argument says.

Starts servers of its own in a temporary folder, writes a history (`bench/history.py`), and measures how large it is,
how quickly records are written, and how long statistics and pages of requests take by HTTP.
"""

import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing import get_context
from pathlib import Path
from typing import TypeVar

import psycopg2
import requests

from bench.history import write_history
from bench.insert_rate import write_records
from local.servers.memcached import MemcachedServer
from local.servers.postgres import DATABASE, Postgres
from local.servers.valkey import Valkey
from local.supervisor.base import Service
from shared.db.engine import Database
from shared.db.migrate import migrate
from shared.environment.addresses import database_url
from tests.api_process import ApiProcess, api_process
from workers.maintenance.folding import fold_provider_calls

S = TypeVar("S", bound=Service)

ROWS, DAYS = 10_000_000, 90
RECORDS = 150_000
ROUNDS = 100
TABLES = ("requests", "jobs", "provider_calls", "hourly_statistics", "daily_statistics")
ANSWERS = (
    *("statistics?days=30", "statistics?days=90", "statistics?days=30&task_type=chat", "statistics?days=7&bucket=hour"),
    *("statistics?days=30&bucket=hour", "requests", "requests?limit=100", "requests?outcome=memcached"),
    *("requests?outcome=error", "requests?outcome=joined", "requests?status=202", "requests?status=422"),
    *("requests?status=503", "requests?client=anonymous", "requests?client=nobody", "requests?task_type=chat"),
    *("requests?task_type=chat&outcome=error", "requests?task_type=image_captioning&outcome=joined"),
    *("requests?task_type=image_captioning&status=202", "requests?outcome=redis&status=202"),
    *("requests?from={past}&to={later}", "requests?from={past}&to={later}&outcome=bypass", "requests?to={past}"),
    *("requests?cursor={id}", "requests?cursor={id}&task_type=chat", "requests?job_id={job_id}", "requests/{id}"),
)


def main() -> None:
    """Write the history, measure, print."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        postgres = _started(Postgres(Path(folder) / "postgres"), stack)
        valkey = _started(Valkey(Path(folder) / "valkey"), stack)
        memcached = _started(MemcachedServer(Path(folder) / "memcached"), stack)
        postgres.create_database(DATABASE)
        url = postgres.url(DATABASE)
        migrate(database_url(url))
        write_history(url, rows, DAYS, print)
        _fold(url)
        _print_sizes(url, rows)
        _print_insert_rates(url, valkey.url(0))
        environment = {
            "DATABASE_URL": url,
            "REDIS_CACHE_URL": valkey.url(0),
            "CELERY_BROKER_URL": valkey.url(1),
            "MEMCACHED_SERVERS": f"127.0.0.1:{memcached.port}",
        }
        with api_process(environment, Path(folder)) as api:
            _print_answers(api, _places(url))


def _started(server: S, stack: ExitStack) -> S:
    stack.callback(server.stop)
    server.start()
    return server


def _fold(url: str) -> None:
    database = Database(database_url(url), pool_size=1)
    folded, started = 0, time.monotonic()
    for count in fold_provider_calls(database):
        folded += count
    database.close()
    print(f"{folded:,} provider calls folded, {folded / (time.monotonic() - started):,.0f} a second")


def _print_sizes(url: str, rows: int) -> None:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        print(f"\nMB a million requests{'rows':>14}{'table':>8}{'indexes':>9}")
        for table in TABLES:
            cursor.execute(f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}")  # noqa: S608  a constant
            ((count, size, indexes),) = cursor.fetchall()
            print(f"{table:21}{count:14,}{size / rows:8.1f}{indexes / rows:9.1f}")


def _print_insert_rates(url: str, redis_url: str) -> None:
    print("\nrecords written a second")
    for processes in (1, 2):
        with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
            times = list(pool.map(write_records, *zip(*[(url, redis_url, RECORDS)] * processes, strict=True)))
        seconds = max(ended for _, ended in times) - min(started for started, _ in times)
        print(f"{processes} at once {processes * RECORDS / seconds:10,.0f}")


def _places(url: str) -> dict[str, str]:
    """Return what stands for the names in braces: a record in the middle of the history, and its time."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, job_id, to_char(at, 'YYYY-MM-DD\"T\"HH24:MI:SSZ'),"
            " to_char(at + interval '1 day', 'YYYY-MM-DD\"T\"HH24:MI:SSZ') FROM requests"
            " WHERE at > now() - interval '45 days' AND job_id IS NOT NULL ORDER BY id LIMIT 1"
        )
        (found,) = cursor.fetchall()
        return dict(zip(("id", "job_id", "past", "later"), map(str, found), strict=True))


def _print_answers(api: ApiProcess, places: dict[str, str]) -> None:
    print(f"\nmilliseconds by HTTP, {ROUNDS} times each{'p50':>22}{'p95':>8}{'max':>8}")
    with requests.Session() as session:
        for answer in ANSWERS:
            times = sorted(_milliseconds(session, f"{api.url}/api/v1/{answer.format(**places)}") for _ in range(ROUNDS))
            p50, p95 = times[ROUNDS // 2], times[ROUNDS * 95 // 100]
            print(f"{answer:52}{p50:8.1f}{p95:8.1f}{times[-1]:8.1f}")


def _milliseconds(session: requests.Session, url: str) -> float:
    started = time.perf_counter()
    session.get(url, timeout=60).raise_for_status()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    main()
