"""How many messages a transaction needs."""

import time
from contextlib import suppress

import pytest
from sqlalchemy import text

from shared.db.engine import Database
from shared.db.timeouts.transactions import TRUSTED_SECONDS
from tests.installation import Installation
from tests.integration.overheard import Heard

ONE = text("SELECT 1")


@pytest.fixture
def listened_to(installation: Installation) -> Database:
    """A database with a connection in its pool."""
    database = installation.open_database(installation.heard.url, pool_size=1)
    database.ping()
    return database


def in_one_transaction(database: Database, statements: int) -> None:
    with database.begin() as connection:
        for _ in range(statements):
            connection.execute(ONE)


def test_a_transaction_begins_with_its_first_statement(heard: Heard, listened_to: Database) -> None:
    first, second, commit = heard.during(lambda: in_one_transaction(listened_to, 2))
    assert first.startswith("BEGIN; SET LOCAL ")
    assert first.endswith("; SELECT 1")
    assert second.startswith("SET LOCAL ")
    assert commit == "COMMIT"


def test_a_transaction_without_a_statement_sends_nothing(heard: Heard, listened_to: Database) -> None:
    assert heard.during(lambda: in_one_transaction(listened_to, 0)) == []


def test_a_statement_that_is_run_alone_takes_one_message(heard: Heard, listened_to: Database) -> None:
    (message,) = heard.during(lambda: listened_to.run(ONE))
    assert message.startswith("SET LOCAL statement_timeout = ")
    assert message.endswith("; SELECT 1")


def test_a_connection_that_was_idle_for_long_is_asked_whether_it_lives(heard: Heard, listened_to: Database) -> None:
    time.sleep(TRUSTED_SECONDS)
    assert len(heard.during(lambda: in_one_transaction(listened_to, 1))) == 3


def test_a_connection_that_has_something_to_say_is_asked_whether_it_lives(
    heard: Heard, listened_to: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.timeouts.transactions.has_news", lambda _: True)
    assert len(heard.during(lambda: in_one_transaction(listened_to, 1))) == 3


def test_a_failed_transaction_is_rolled_back_in_one_message(heard: Heard, listened_to: Database) -> None:
    def fail() -> None:
        with suppress(ZeroDivisionError), listened_to.begin() as connection:
            connection.execute(ONE)
            raise ZeroDivisionError

    assert heard.during(fail)[1:] == ["ROLLBACK"]


def test_several_rows_are_written_in_one_transaction(heard: Heard, listened_to: Database) -> None:
    def write() -> None:
        with listened_to.begin() as connection:
            rows = [{"namespace": name} for name in "ab"]
            connection.execute(text("INSERT INTO purges VALUES (:namespace, '', now())"), rows)

    messages = heard.during(write)
    assert [messages[0], messages[-1]] == ["BEGIN", "COMMIT"]


def test_what_a_statement_alone_has_written_is_committed(listened_to: Database, database: Database) -> None:
    statement = text("INSERT INTO purges VALUES (:namespace, '', now()) RETURNING namespace")
    assert listened_to.run(statement, {"namespace": "alone"}) == [("alone",)]
    assert database.run(text("SELECT namespace FROM purges")) == [("alone",)]


def test_a_connection_that_is_closed_already_is_replaced_unnoticed(listened_to: Database) -> None:
    with listened_to.begin() as connection:
        closed = connection.connection.dbapi_connection
    assert closed is not None
    closed.close()
    in_one_transaction(listened_to, 1)
