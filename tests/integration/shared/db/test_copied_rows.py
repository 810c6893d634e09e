"""Rows that go to PostgreSQL by COPY."""

import json
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DataError

from shared.db.copying import with_rows
from shared.db.engine import Database
from tests.installation import Installation
from tests.integration.overheard import Heard

MANY = 5_000

# What PostgreSQL itself can't store is no text of ours.
texts = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])) | st.sampled_from(
    ["\\N", "\\.", "\\", "", "\t", "\r\n", "NULL", "a\tb", " a "]
)
numbers = st.integers(-(2**31), 2**31 - 1)
documents = st.dictionaries(texts, texts | numbers | st.none(), max_size=3)
rows = st.lists(st.tuples(st.none() | texts, st.none() | numbers, st.none() | documents), min_size=1, max_size=5)


def read_back(database: Database, given_rows: Any) -> list[tuple[Any, ...]]:
    """Copy rows into a table of a text, a number and a document, and read it."""
    with database.begin() as connection:
        connection.execute(
            text("CREATE TEMP TABLE copied (number serial, a text, b bigint, c jsonb, d float8) ON COMMIT DROP")
        )
        connection.execute(with_rows(text("COPY copied (a, b, c) FROM STDIN"), given_rows))
        return [tuple(row) for row in connection.execute(text("SELECT a, b, c FROM copied ORDER BY number"))]


@hypothesis_settings(deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_rows=rows)
def test_rows_are_read_back_as_they_were(database: Database, given_rows: list[tuple[Any, ...]]) -> None:
    assert read_back(database, given_rows) == given_rows


def test_many_rows_are_read_back_as_they_were(database: Database) -> None:
    given_rows = [(f"text {number}", number, None) for number in range(MANY)]
    assert read_back(database, given_rows) == given_rows


@pytest.mark.parametrize("number", [Decimal("0.0000585"), 1.5e-300, float("inf")], ids=str)
def test_numbers_are_written_as_postgresql_reads_them(database: Database, number: object) -> None:
    ((read, _, _),) = read_back(database, [(str(number), None, None)])
    ((found, _, _),) = read_back(database, [(number, None, None)])
    assert found == read


def test_a_member_of_an_enumeration_is_its_number(database: Database) -> None:
    assert read_back(database, [(None, HTTPStatus.OK, None)]) == [(None, 200, None)]


@pytest.mark.parametrize("value", [["a,b"], ("a",), {"a"}, b"a"], ids=["a list", "a tuple", "a set", "bytes"])
def test_what_is_neither_text_nor_number_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        with_rows(text("COPY copied FROM STDIN"), [("before", value), ("behind", "it")])


def test_rows_that_postgresql_does_not_take_raise_the_error_of_a_statement(database: Database) -> None:
    with pytest.raises(DataError):
        read_back(database, [("a\0b", 1, None)])
    assert read_back(database, [("after it", 1, None)]) == [("after it", 1, None)]


def test_a_transaction_begins_with_its_copy(installation: Installation, heard: Heard) -> None:
    database = installation.open_database(heard.url, 1)
    database.run(text("CREATE TEMP TABLE copied_once (a text)"))

    def copy() -> None:
        with database.begin() as connection:
            connection.execute(with_rows(text("COPY copied_once FROM STDIN"), [(json.dumps([1]),)]))

    copied, commit = heard.during(copy)
    assert copied.startswith("BEGIN; ")
    assert copied.endswith("COPY copied_once FROM STDIN")
    assert commit == "COMMIT"
