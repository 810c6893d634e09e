"""Statements that a session plans once, and what becomes of them behind a pooler."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Uuid, bindparam, make_url, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import ProgrammingError

from shared.db.engine import Database
from shared.db.prepared import BY_INDEX, prepared
from shared.times import new_id
from tests.installation import Installation
from tests.integration.bad_line import bad_line
from tests.integration.overheard import Heard

SUM = prepared(text("SELECT CAST(:first AS int) + CAST(:second AS int) + :first AS sum"), "add")
WRITE = prepared(text("INSERT INTO purges VALUES (:namespace, '', now()) RETURNING namespace"), "write_purge", BY_INDEX)
NAMES = text("SELECT name FROM pg_prepared_statements ORDER BY name")

KEY_DATA = re.compile(rb"K\x00\x00\x00\x0c(.{4})", re.DOTALL)
"""What a server tells a new client of its session: process id and secret (PostgreSQL 17, section 53.7)."""


@pytest.fixture
def session(installation: Installation) -> Database:
    """A database with one session, which has prepared nothing."""
    database = installation.open_database(installation.heard.url, pool_size=1)
    database.ping()
    return database


@pytest.fixture
def pooled(installation: Installation) -> Iterator[Database]:
    """A database whose clients are told of other process ids than those of its sessions, as poolers do."""
    url = make_url(installation.settings.database_url)
    with bad_line((url.host or "", url.port or 0)) as line:
        line.spoil = lambda said: KEY_DATA.sub(lambda _: b"K\x00\x00\x00\x0c\x00\x00\x00\x07", said, count=1)
        through = url.set(host="127.0.0.1", port=line.port).update_query_dict({"sslmode": "disable"})
        yield installation.open_database(through.render_as_string(hide_password=False), pool_size=1)


def add(database: Database, first: int = 1, second: int = 2) -> int:
    ((found,),) = database.run(SUM, {"first": first, "second": second})
    return int(found)


def names(database: Database) -> list[str]:
    return [name for (name,) in database.run(NAMES)]


def test_a_session_prepares_a_statement_when_it_first_needs_it(heard: Heard, session: Database) -> None:
    whose, prepare, execute = heard.during(lambda: add(session))
    assert whose == "SELECT pg_backend_pid()"
    assert "PREPARE add AS SELECT CAST($1 AS int) + CAST($2 AS int) + $1 AS sum" in prepare
    assert execute.endswith("; EXECUTE add (1, 2)")


def test_a_prepared_statement_is_one_message(heard: Heard, session: Database) -> None:
    add(session)
    (message,) = heard.during(lambda: add(session, 3, 4))
    assert message.endswith("; EXECUTE add (3, 4)")


def test_a_second_statement_is_prepared_without_another_question(heard: Heard, session: Database) -> None:
    add(session)
    assert len(heard.during(lambda: session.run(WRITE, {"namespace": "a"}))) == 2


def test_each_execution_has_its_own_values(session: Database) -> None:
    assert [add(session, number, 10) for number in range(7)] == [2 * number + 10 for number in range(7)]


def test_hints_are_sent_with_each_execution(heard: Heard, session: Database) -> None:
    session.run(WRITE, {"namespace": "a"})
    (message,) = heard.during(lambda: session.run(WRITE, {"namespace": "b"}))
    assert f"; {BY_INDEX}EXECUTE write_purge ('b')" in message


def test_what_a_prepared_statement_wrote_is_committed(session: Database, database: Database) -> None:
    session.run(WRITE, {"namespace": "kept"})
    assert database.run(text("SELECT namespace FROM purges")) == [("kept",)]


def test_a_prepared_statement_is_rolled_back_with_its_transaction(session: Database, database: Database) -> None:
    def write_and_fail() -> None:
        with session.begin() as connection:
            connection.execute(WRITE, {"namespace": "lost"})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert database.run(text("SELECT namespace FROM purges")) == []


def test_nothing_is_prepared_in_the_middle_of_a_transaction(session: Database) -> None:
    with session.begin() as connection:
        connection.execute(text("SELECT 1"))
        assert connection.execute(SUM, {"first": 1, "second": 2}).scalar_one() == 4
    assert names(session) == []


def test_nothing_is_prepared_behind_a_pooler(pooled: Database) -> None:
    assert [add(pooled), add(pooled, 5, 5)] == [4, 15]
    assert pooled.run(WRITE, {"namespace": "a"}) == [("a",)]
    assert names(pooled) == []


def test_a_session_behind_a_pooler_keeps_no_setting(pooled: Database) -> None:
    add(pooled)
    assert pooled.run(text("SHOW plan_cache_mode")) == [("auto",)]


def test_a_statement_that_cannot_be_prepared_says_why_itself(session: Database) -> None:
    wrong = prepared(text("SELECT * FROM nowhere"), "wrong")
    for _ in range(2):
        with pytest.raises(ProgrammingError, match="nowhere"):
            session.run(wrong)
    assert add(session) == 4


def test_a_new_session_prepares_anew(installation: Installation, database: Database) -> None:
    session = installation.open_database(installation.settings.database_url, pool_size=1)
    add(session)
    ((pid,),) = session.run(text("SELECT pg_backend_pid()"))
    database.run(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    assert add(session) == 4
    assert names(session) == ["add"]


def test_a_prepared_statement_outlives_a_change_of_its_table(session: Database, database: Database) -> None:
    statement = prepared(
        text(
            "WITH added AS (INSERT INTO purges VALUES (:namespace, '', now()) RETURNING *) SELECT namespace FROM added"
        ),
        "write_and_return",
    )
    session.run(statement, {"namespace": "before"})
    database.run(text("ALTER TABLE purges ADD COLUMN later int"))
    try:
        assert session.run(statement, {"namespace": "after"}) == [("after",)]
    finally:
        database.run(text("ALTER TABLE purges DROP COLUMN later"))


def test_a_percent_sign_stays_one(session: Database) -> None:
    statement = prepared(text("SELECT '10%' || CAST(:unit AS text) || 17 % 10"), "percent")
    assert session.run(statement, {"unit": "s"}) == [("10%s7",)]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_ids_may_be_given_as_texts(session: Database, count: int) -> None:
    ids: list[UUID] = [new_id() for _ in range(count)]
    statement = prepared(
        text("SELECT coalesce(array_length(:ids, 1), 0)").bindparams(bindparam("ids", type_=ARRAY(Uuid))), "count_ids"
    )
    for given in (ids, [str(each) for each in ids]):
        assert session.run(statement, {"ids": given}) == [(count,)]
