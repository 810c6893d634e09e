"""`askonce import`: puts what `askonce export` has written into the cache or the request log of this installation."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from cli.checkout import settings_of_servers
from cli.console import Console
from cli.errors import CommandFailed
from cli.exit_codes import ExitCode
from cli.terminal.words import count
from cli.transfer.cache_entries import NoEntry, store, stored_of
from cli.transfer.exporting import TIMEOUT_SECONDS
from cli.transfer.files import read_jsonl, wrong_line
from cli.transfer.log_records import row_of
from cli.transfer.record_fields import WrongField
from shared.cache.purges import PurgeMarks, PurgeStore
from shared.cache.redis import RedisTier
from shared.config import Settings
from shared.db.engine import Database
from shared.redis import connect
from shared.request_log.rows import Row
from shared.request_log.writer import RequestWriter

BATCH = 1000
TRANSACTION_SECONDS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what to import, and where from."""
    parser.add_argument("what", choices=("cache", "log"), help="answers into Redis, or records into PostgreSQL")
    parser.add_argument("file", type=Path, help="what `askonce export` has written; `-` is standard input")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def run(arguments: argparse.Namespace, console: Console) -> int:
    """Import; what is there already stays. Raises CommandFailed, DatabaseUnavailable and ServerDown."""
    settings = settings_of_servers("DATABASE_URL", "REDIS_CACHE_URL")
    database = Database(settings.database_url, pool_size=1, transaction_timeout=TRANSACTION_SECONDS)
    try:
        read, new = (_import_cache if arguments.what == "cache" else _import_log)(arguments.file, settings, database)
    except DBAPIError as error:
        message = f"PostgreSQL refuses it ({type(error.orig).__name__}); has it the schema? `askonce doctor` says"
        raise CommandFailed(message) from error
    finally:
        database.close()
    if arguments.json:
        console.write_json({"read": read, "imported": new})
    else:
        console.write(f"imported {count(new)} of {count(read)}; the others are there already, or have no time left")
    return ExitCode.DONE


def _import_cache(path: Path, settings: Settings, database: Database) -> tuple[int, int]:
    tier = RedisTier(connect(settings.redis_cache_url, TIMEOUT_SECONDS))
    marks = PurgeMarks(PurgeStore(database))
    marks.refresh()
    read = new = 0
    try:
        for number, document in read_jsonl(path):
            try:
                stored = stored_of(document)
            except NoEntry as error:
                raise wrong_line(path, number, str(error)) from error
            read += 1
            new += store(stored, tier, marks)
    finally:
        tier.close()
    return read, new


def _import_log(path: Path, settings: Settings, database: Database) -> tuple[int, int]:
    del settings
    writer = RequestWriter(database)
    read = new = 0
    for last, rows in _batches(path):
        read += len(rows)
        try:
            new += writer.write(rows)
        except DBAPIError as error:
            reason = f"PostgreSQL does not take it or one of the {BATCH} before ({type(error.orig).__name__})"
            raise wrong_line(path, last, reason) from error
    return read, new


def _rows(path: Path) -> Iterator[tuple[int, Row]]:
    for number, document in read_jsonl(path):
        try:
            yield number, row_of(document)
        except WrongField as error:
            raise wrong_line(path, number, str(error)) from error


def _batches(path: Path) -> Iterator[tuple[int, list[Row]]]:
    """Yield rows, and the number of the last one's line; those before a wrong line too, before it is raised."""
    rows: list[Row] = []
    number = 0
    try:
        for number, row in _rows(path):
            rows.append(row)
            if len(rows) == BATCH:
                yield number, rows
                rows = []
    except CommandFailed:
        if rows:
            yield number, rows
        raise
    if rows:
        yield number, rows
