"""What PostgreSQL refuses has a name of its own, and is no reason to leave PostgreSQL alone."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.config import Settings
from shared.db.engine import Database
from shared.errors import (
    DatabaseBusy,
    DatabaseExhausted,
    DatabaseUnavailable,
    StatementOverdue,
    TransactionConflict,
)
from tests.installation import Installation
from tests.integration.eventually import eventually

TRANSACTION_TIMEOUT_SECONDS = 1.0
WAIT_SECONDS = 20.0
FAILURES_TO_OPEN = 3


@pytest.fixture
def short_timeouts(installation: Installation) -> Iterator[Database]:
    database = Database(
        installation.settings.database_url, pool_size=3, transaction_timeout=TRANSACTION_TIMEOUT_SECONDS
    )
    database.ping()
    yield database
    database.close()


def run(database: Database, statement: str) -> None:
    with database.begin() as connection:
        connection.execute(text(statement))


def raising(code: str) -> str:
    return f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"


def running(database: Database, mark: str) -> int:
    """Return how many statements with this mark the server works on, or waits with."""
    with database.begin() as connection:
        return int(
            connection.scalar(
                text(
                    "SELECT count(*) FROM pg_stat_activity"
                    " WHERE query LIKE :mark AND pid <> pg_backend_pid() AND state <> 'idle'"
                ),
                {"mark": f"%{mark}%"},
            )
        )


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("57014", StatementOverdue),
        ("40001", TransactionConflict),
        ("40P01", TransactionConflict),
        ("55P03", TransactionConflict),
        ("53100", DatabaseExhausted),
        ("53200", DatabaseExhausted),
        ("53300", DatabaseExhausted),
        ("57P01", DatabaseUnavailable),
        ("57P03", DatabaseUnavailable),
        ("08006", DatabaseUnavailable),
        ("XX000", DatabaseUnavailable),
    ],
)
def test_an_error_is_named_by_its_code(short_timeouts: Database, code: str, error: type[DatabaseUnavailable]) -> None:
    with pytest.raises(DatabaseUnavailable) as raised:
        run(short_timeouts, raising(code))
    assert type(raised.value) is error


@pytest.mark.parametrize("code", ["23505", "22P05", "42P01", "54000"])
def test_what_a_statement_does_wrong_is_raised_as_it_is(short_timeouts: Database, code: str) -> None:
    with pytest.raises(DBAPIError):
        run(short_timeouts, raising(code))


@pytest.mark.parametrize("code", ["57014", "40P01", "53100", "23505"])
def test_what_postgresql_refuses_is_no_outage_however_often(short_timeouts: Database, code: str) -> None:
    for _ in range(FAILURES_TO_OPEN + 1):
        with pytest.raises((DatabaseBusy, IntegrityError)):
            run(short_timeouts, raising(code))
    short_timeouts.ping()


def test_a_slow_statement_ends_on_the_server_too(short_timeouts: Database, database: Database) -> None:
    mark = f"slow_{uuid.uuid4().hex}"
    with pytest.raises(StatementOverdue):
        run(short_timeouts, f"SELECT pg_sleep(600) AS {mark}")
    assert running(database, mark) == 0


def test_a_slow_statement_keeps_nobody_else_from_postgresql(short_timeouts: Database) -> None:
    with pytest.raises(StatementOverdue):
        run(short_timeouts, "SELECT pg_sleep(600)")
    short_timeouts.ping()


def test_a_later_statement_has_only_what_is_left_of_the_transactions_time(database: Database) -> None:
    def timeout(connection: Connection) -> int:
        return int(connection.scalar(text("SELECT setting FROM pg_settings WHERE name = 'statement_timeout'")))

    with database.begin() as connection:
        first = timeout(connection)
        connection.execute(text("SELECT pg_sleep(0.2)"))
        assert timeout(connection) <= first - 200


def test_nothing_is_left_of_it_after_the_transaction(database: Database) -> None:
    with database.begin() as connection:
        dbapi = connection.connection.dbapi_connection
        connection.execute(text("SELECT 1"))
    with database.begin() as connection:
        assert connection.connection.dbapi_connection is dbapi
        with connection.connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def test_a_transaction_whose_process_hangs_loses_its_locks_in_time(
    short_timeouts: Database, database: Database
) -> None:
    mark = uuid.uuid4().hex
    short_timeouts._timeouts.close()  # noqa: SLF001  in a process that hangs its watchdog hangs too
    with pytest.raises(DatabaseUnavailable):
        hang_with_a_lock(short_timeouts, mark, lambda: running(database, mark) == 0)


def hang_with_a_lock(database: Database, mark: str, until: Callable[[], bool]) -> None:
    with database.begin() as connection:
        connection.execute(text(f"LOCK TABLE pictures /* {mark} */"))
        eventually(until, WAIT_SECONDS)
        connection.execute(text("SELECT 1"))


def test_a_deadlock_costs_one_of_the_two_a_conflict(settings: Settings) -> None:
    database = Database(settings.database_url, pool_size=2, transaction_timeout=WAIT_SECONDS)
    run(database, "INSERT INTO purges VALUES ('a', '', now()), ('b', '', now())")
    together = threading.Barrier(2)

    def touch(name: str, connection: Connection) -> None:
        connection.execute(text("UPDATE purges SET purged_at = now() WHERE namespace = :name"), {"name": name})

    def lock(first: str, second: str) -> str:
        try:
            with database.begin() as connection:
                touch(first, connection)
                together.wait(WAIT_SECONDS)
                touch(second, connection)
        except TransactionConflict:
            return "conflict"
        return "committed"

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(lock, "ab", "ba")) == ["committed", "conflict"]
    database.close()
