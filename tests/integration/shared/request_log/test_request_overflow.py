"""Records that waited in Redis come into PostgreSQL, each exactly once."""

import random
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from local.servers.valkey import Valkey
from shared.config import Settings
from shared.db.engine import Database
from shared.errors import ServerDown
from shared.redis import connect
from shared.request_log.overflow import (
    BATCH_BYTES,
    BATCH_RECORDS,
    CAPACITY,
    LENGTH,
    MAX_JSON_BYTES,
    MAX_ROWS,
    STREAM,
    RequestOverflow,
)
from shared.request_log.rows import row_of
from shared.request_log.writer import RequestWriter
from tests.installation import Installation
from tests.integration.asking import row
from tests.integration.outages import frozen
from tests.integration.records import records
from workers.maintenance.overflow import drain


@pytest.fixture
def writer(installation: Installation) -> RequestWriter:
    return RequestWriter(installation.database)


def counts(database: Database) -> tuple[int, int]:
    """Return the rows of the log, and what the aggregates make of them."""
    found = row(
        database,
        "SELECT (SELECT count(*) FROM requests), (SELECT coalesce(sum(requests), 0)::int FROM hourly_statistics)",
    )
    return tuple(found)


def test_what_was_put_aside_is_written(overflow: RequestOverflow, writer: RequestWriter, database: Database) -> None:
    overflow.add(records(3))
    overflow.add(records(2))
    assert overflow.length() == 5
    assert sum(drain(overflow, writer)) == 5
    assert (counts(database), overflow.length()) == ((5, 5), 0)


def test_a_drainer_that_dies_after_the_commit_leaves_nothing_to_count_twice(
    overflow: RequestOverflow, writer: RequestWriter, database: Database
) -> None:
    overflow.add(records(3))

    def write_and_die(rows: list[dict[str, Any]]) -> None:
        writer.write(map(row_of, rows))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(overflow.drain(write_and_die))
    assert overflow.length() == 3
    list(drain(overflow, writer))
    assert (counts(database), overflow.length()) == ((3, 3), 0)


def test_two_drainers_at_once_count_each_record_once(
    overflow: RequestOverflow, writer: RequestWriter, database: Database
) -> None:
    for _ in range(30):
        overflow.add(records(4))
    together = threading.Barrier(2)

    def drain_together(_: int) -> int:
        together.wait()
        return sum(drain(overflow, writer))

    with ThreadPoolExecutor(2) as pool:
        drained = list(pool.map(drain_together, range(2)))
    assert sum(drained) == 120
    assert (counts(database), overflow.length()) == ((120, 120), 0)


def test_a_record_that_postgresql_refuses_does_not_block_the_others(
    overflow: RequestOverflow, writer: RequestWriter, database: Database
) -> None:
    batch = records(5)
    batch[2]["outcome"] = "nonsense"
    overflow.add(batch)
    list(drain(overflow, writer))
    assert (counts(database), overflow.length()) == ((4, 4), 0)


def test_beyond_its_capacity_nothing_more_is_taken(overflow: RequestOverflow, settings: Settings) -> None:
    with Redis.from_url(settings.redis_cache_url) as client:
        client.set(LENGTH, CAPACITY)
    assert not overflow.add(records(1))


def test_a_frozen_redis_is_down(own_valkey: Valkey) -> None:
    overflow = RequestOverflow(connect(own_valkey.url(0)))
    with frozen(own_valkey):
        for call in (overflow.length, lambda: overflow.add(records(1)), lambda: next(overflow.drain(print))):
            with pytest.raises(ServerDown):
                call()
    overflow.close()


def test_records_survive_what_compression_does_to_them(
    overflow: RequestOverflow, writer: RequestWriter, database: Database
) -> None:
    overflow.add(records(1, request={"input": "https://example.com/ž☃.png"}))
    list(drain(overflow, writer))
    assert row(database, "SELECT request FROM requests").request == {"input": "https://example.com/ž☃.png"}


def test_a_million_records_are_never_in_memory_at_once(overflow: RequestOverflow) -> None:
    for _ in range(5):
        overflow.add(records(BATCH_RECORDS))
    taken: list[int] = []
    assert list(overflow.drain(lambda rows: taken.append(len(rows)))) == [BATCH_RECORDS] * 5
    assert taken == [BATCH_RECORDS] * 5


def test_batches_that_are_large_are_taken_one_by_one(overflow: RequestOverflow) -> None:
    for _ in range(3):
        overflow.add(records(1, request={"input": random.randbytes(BATCH_BYTES).hex()}))
    assert list(overflow.drain(lambda _: None)) == [1, 1, 1]


def test_records_that_were_put_aside_one_by_one_are_written_together(
    overflow: RequestOverflow, writer: RequestWriter, database: Database
) -> None:
    for _ in range(BATCH_RECORDS + 5):
        overflow.add(records(1))
    assert list(drain(overflow, writer)) == [BATCH_RECORDS, 5]
    assert (counts(database), overflow.length()) == ((BATCH_RECORDS + 5, BATCH_RECORDS + 5), 0)


@pytest.mark.parametrize(
    "fields", [{"records": b"no zlib", "count": 2}, {"count": 2}, {"records": zlib.compress(b"{"), "count": "x"}]
)
def test_an_unreadable_batch_does_not_block_the_others(
    overflow: RequestOverflow, writer: RequestWriter, settings: Settings, fields: dict[Any, Any]
) -> None:
    with Redis.from_url(settings.redis_cache_url) as client:
        client.xadd(STREAM, fields)
        client.incrby(LENGTH, 2 if fields["count"] == 2 else 0)
    overflow.add(records(3))
    assert sum(drain(overflow, writer)) == (5 if fields["count"] == 2 else 3)
    assert overflow.length() == 0


HOSTILE = {
    "lists without end": b"[" * 100_000,
    "more JSON than the log writes": b"[" + b" " * MAX_JSON_BYTES + b"]",
    "more rows than the log writes": b"[" + b"{}," * MAX_ROWS + b"{}]",
}


@pytest.mark.parametrize("written", HOSTILE.values(), ids=HOSTILE)
def test_a_batch_that_was_made_to_be_costly_is_passed_over(
    overflow: RequestOverflow, writer: RequestWriter, settings: Settings, written: bytes
) -> None:
    with Redis.from_url(settings.redis_cache_url) as client:
        client.xadd(STREAM, {"records": zlib.compress(written), "count": 0})
    overflow.add(records(3))
    assert sum(drain(overflow, writer)) == 3


UNWRITABLE: dict[str, Any] = {"NUL": "a\0b", "a lone surrogate": "a\ud800b", "a list": ["mine", "and yours"]}


@pytest.mark.parametrize("tenant", UNWRITABLE.values(), ids=UNWRITABLE)
def test_a_record_that_the_driver_does_not_accept_does_not_block_the_others(
    overflow: RequestOverflow, writer: RequestWriter, database: Database, tenant: Any
) -> None:
    overflow.add([*records(2), *records(1, tenant=tenant), *records(2, tenant="theirs")])
    assert sum(drain(overflow, writer)) == 5
    assert (counts(database), overflow.length()) == ((4, 4), 0)
    assert row(database, "SELECT count(*) FROM requests WHERE tenant = 'theirs'").count == 2


def test_a_batch_that_is_longer_than_may_be_read_is_written_in_parts(
    overflow: RequestOverflow, writer: RequestWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.request_log.overflow.MAX_JSON_BYTES", 500)
    overflow.add(records(7))
    assert sum(drain(overflow, writer)) == 7
    assert counts(database) == (7, 7)


def test_a_batch_for_which_redis_has_no_memory_is_not_taken(
    overflow: RequestOverflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert overflow.add(records(100))
    monkeypatch.setattr("shared.request_log.overflow.CAPACITY_BYTES", 1000)
    assert not overflow.add(records(1))
    assert overflow.length() == 100
