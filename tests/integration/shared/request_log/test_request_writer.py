"""Batches of request records in PostgreSQL, with their sums."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.exc import DataError, IntegrityError

from shared.db.engine import Database
from shared.request_log.rows import COLUMNS, Row
from shared.request_log.writer import RequestWriter
from shared.times import first_id_at, new_id_text
from tests.installation import Installation
from tests.integration.asking import row
from tests.integration.overheard import Heard

SIZE = 50
WRITERS = 8


@pytest.fixture
def writer(installation: Installation) -> RequestWriter:
    return RequestWriter(installation.database)


def record(id_: str | None = None, **values: object) -> Row:
    usual = {"id": id_ or new_id_text(), "client": "anonymous", "tenant": "default", "outcome": "memcached"}
    known = {**usual, "status": 200, "latency_ms": 1.5, **values}
    return [known.get(name) for name in COLUMNS]


def batch() -> list[Row]:
    return [record() for _ in range(SIZE)]


def recorded(database: Database) -> tuple[int, int]:
    """Return how many records there are, and how many are in the sums."""
    sums = "SELECT coalesce(sum(requests), 0) FROM hourly_statistics"
    found = row(database, f"SELECT (SELECT count(*) FROM requests) AS rows, ({sums}) AS sums")  # noqa: S608  constants
    return found.rows, int(found.sums)


def test_a_batch_takes_three_messages(installation: Installation, heard: Heard) -> None:
    writer = RequestWriter(installation.open_database(heard.url, 1))
    writer.write(batch())
    copy, add, commit = heard.during(lambda: writer.write(batch()))
    assert "COPY requests" in copy
    assert "EXECUTE add_requests" in add
    assert commit == "COMMIT"


def test_a_record_has_the_time_of_its_id(writer: RequestWriter, database: Database) -> None:
    moment = datetime(2026, 3, 1, 12, 30, 15, 123000, tzinfo=UTC)
    assert writer.write([record(str(first_id_at(moment)))]) == 1
    assert row(database, "SELECT at FROM requests").at == moment


@pytest.mark.parametrize("known", [1, SIZE - 1, SIZE])
def test_of_a_batch_that_is_partly_there_only_the_rest_is_new(
    writer: RequestWriter, database: Database, known: int
) -> None:
    records = batch()
    writer.write(records[:known])
    assert writer.write(records) == SIZE - known
    assert recorded(database) == (SIZE, SIZE)


def test_a_record_that_is_twice_in_a_batch_counts_once(writer: RequestWriter, database: Database) -> None:
    records = batch()
    assert writer.write([*records, records[0], record(str(records[1][0]).upper())]) == SIZE
    assert recorded(database) == (SIZE, SIZE)


def test_writers_of_one_batch_at_the_same_time_count_it_once(writer: RequestWriter, database: Database) -> None:
    records = batch()
    with ThreadPoolExecutor(WRITERS) as pool:
        assert sum(pool.map(writer.write, [records] * WRITERS)) == SIZE
    assert recorded(database) == (SIZE, SIZE)


def test_writers_of_what_overlaps_count_each_record_once(writer: RequestWriter, database: Database) -> None:
    records = batch()
    # In one order, as they are in the overflow.
    parts: Sequence[list[Row]] = [records[start : start + SIZE // 2] for start in range(0, SIZE // 2, 5)]
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(writer.write, parts))
    there = SIZE // 2 + 20
    assert recorded(database) == (there, there)


def test_records_of_all_times_are_in_the_sums(writer: RequestWriter, database: Database) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number * 7) for number in range(SIZE)]
    random.Random(1).shuffle(moments)
    writer.write([record(str(first_id_at(moment)).upper()) for moment in moments])
    assert recorded(database) == (SIZE, SIZE)


def test_nothing_is_written_of_no_records(writer: RequestWriter) -> None:
    assert writer.write([]) == 0


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"id_": "no id"}, ValueError),
        ({"id_": "ffffffff-ffff-7000-8000-000000000000"}, ValueError),
        ({"id_": "019ac7c0-0000-no-uuid"}, DataError),
        ({"outcome": "unheard of"}, IntegrityError),
        ({"client": None}, IntegrityError),
        ({"client": "a\0b"}, DataError),
        ({"client": "\ud800"}, ValueError),
        ({"client": ["a", "b"]}, TypeError),
        ({"job_id": "no id"}, DataError),
    ],
    ids=str,
)
def test_a_batch_with_what_is_no_record_is_refused_as_a_whole(
    writer: RequestWriter, database: Database, wrong: dict[str, object], error: type[Exception]
) -> None:
    with pytest.raises(error):
        writer.write([*batch(), record(**wrong)])  # type: ignore[arg-type]  # that is the point
    assert recorded(database) == (0, 0)


def test_an_id_that_is_no_text_is_refused(writer: RequestWriter) -> None:
    with pytest.raises(ValueError, match="UUID"):
        writer.write([[None, *record()[1:]]])
