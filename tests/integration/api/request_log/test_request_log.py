import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from api.jobs.store import JobStore
from api.request_log.buffer import BATCH, RequestLog
from api.request_log.records import RequestRecord, Saved
from api.request_log.refusals import RefusedCalls
from api.statistics.report import OUTCOMES
from shared.config import Settings
from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.redis import connect
from shared.request_log.aggregates import LATENCY_BOUNDS_MS
from shared.request_log.overflow import RequestOverflow
from shared.request_log.writer import RequestWriter
from shared.times import moment_of, now
from tests.installation import Installation
from tests.integration.asking import accepted, an_answer, an_id, ask, ask_about_picture, png, row, rows
from tests.integration.eventually import eventually
from tests.integration.outages import database_away
from workers.jobs.claims import Claims
from workers.maintenance.overflow import drain

SECONDS_TO_COME_BACK = 8
EACH = 1_000_000
"""As many refused calls a second as nobody makes: each gets a record."""

NOBODY = "redis://127.0.0.1:9/0"


def a_log(database: Database, settings: Settings, redis: str | None = None, **how: Any) -> RequestLog:
    overflow = RequestOverflow(connect(redis or settings.redis_cache_url))
    return RequestLog(RequestWriter(database), overflow, RefusedCalls(EACH), **how)


@pytest.fixture
def log(installation: Installation) -> RequestLog:
    """A log that is only written when a test says so."""
    return a_log(installation.database, installation.settings)


@pytest.fixture
def running(installation: Installation) -> Iterator[RequestLog]:
    log = a_log(installation.database, installation.settings)
    log.start()
    yield log
    log.close()


def a_record(at: datetime | None = None, **values: Any) -> RequestRecord:
    defaults = {
        "id": str(an_id(at or now())),
        "client": "anonymous",
        "tenant": "default",
        "outcome": "miss",
        "status": 202,
    }
    return RequestRecord(**{**defaults, "latency_ms": 4.2, "task_type": "chat", **values})


def count(database: Database) -> int:
    return int(row(database, "SELECT count(*) AS count FROM requests").count)


def random_record(seed: random.Random) -> RequestRecord:
    hour = datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=seed.randrange(300))
    return a_record(
        at=hour,
        outcome=seed.choice(OUTCOMES),
        task_type=seed.choice(["chat", "sentiment", None]),
        latency_ms=seed.choice([*LATENCY_BOUNDS_MS, 0.0, 1e6, seed.uniform(0, 100)]),
    )


def test_a_record_is_in_postgresql_a_moment_later(running: RequestLog, database: Database) -> None:
    record = a_record(cache_key="a" * 64, job_id=str(uuid.uuid4()), request={"input": "https://example.com/ž.png"})
    running.record(record)
    found = eventually(lambda: rows(database, "SELECT * FROM requests"))[0]
    expected = {
        **record._asdict(),
        "id": UUID(record.id),
        "job_id": UUID(record.job_id),
        "at": moment_of(UUID(record.id)),
    }
    del expected["saved"], expected["calls"]
    assert {name: getattr(found, name) for name in expected} == expected


def test_what_a_hit_saved_is_on_record(log: RequestLog, database: Database) -> None:
    log.record(a_record(outcome="redis", saved=Saved(Usage(3, 2, 5, 1), Decimal("0.0000125"), 740)))
    log.flush()
    found = row(
        database,
        """SELECT saved_prompt_tokens, saved_completion_tokens, saved_total_tokens, saved_cached_tokens,
               saved_cost, saved_ms
           FROM requests""",
    )
    assert tuple(found) == (3, 2, 5, 1, Decimal("0.0000125"), 740)


def test_closing_writes_the_rest(log: RequestLog, database: Database) -> None:
    log.record(a_record())
    log.close()
    assert count(database) == 1


def test_a_record_that_comes_twice_counts_once(log: RequestLog, database: Database) -> None:
    record = a_record()
    for _ in range(2):
        log.record(record)
        log.flush()
    log.record(record)
    log.record(record)
    log.flush()
    assert count(database) == 1
    assert row(database, "SELECT sum(requests) AS sum FROM hourly_statistics").sum == 1


@pytest.mark.parametrize("wrong", [{"client": "\ud800"}, {"client": ["no", "text"]}, {"id": "no id"}], ids=str)
def test_a_record_that_nobody_can_write_holds_up_no_other(
    log: RequestLog, database: Database, settings: Settings, wrong: dict[str, Any]
) -> None:
    for record in (a_record(), a_record(**wrong), a_record()):
        log.record(record)
    assert log.flush()
    overflow = RequestOverflow(connect(settings.redis_cache_url))
    list(drain(overflow, RequestWriter(database)))
    overflow.close()
    assert count(database) == 2


def test_more_records_than_a_batch_are_all_written(log: RequestLog, database: Database) -> None:
    for _ in range(BATCH + 10):
        log.record(a_record())
    assert log.flush()
    assert count(database) == BATCH + 10


def test_many_threads_lose_no_record(running: RequestLog, database: Database) -> None:
    with ThreadPoolExecutor(16) as pool:
        for _ in range(800):
            pool.submit(running.record, a_record())
    eventually(lambda: count(database) == 800)


def test_records_are_put_aside_while_postgresql_is_away(
    log: RequestLog, overflow: RequestOverflow, settings: Settings
) -> None:
    with database_away(settings.database_url):
        log.record(a_record())
        assert log.flush()
    assert (log.backlog, overflow.length(), log.overflowed_total) == (0, 1, 1)


def test_records_wait_in_memory_while_redis_is_away_too(database: Database, settings: Settings) -> None:
    log = a_log(database, settings, redis=NOBODY)
    with database_away(settings.database_url):
        log.record(a_record())
        assert not log.flush()
    assert log.backlog == 1


def test_records_are_written_once_when_postgresql_is_back(database: Database, settings: Settings) -> None:
    running = a_log(database, settings, redis=NOBODY)
    running.start()
    with database_away(settings.database_url):
        for _ in range(20):
            running.record(a_record())
    eventually(lambda: running.backlog == 0, SECONDS_TO_COME_BACK)
    running.close()
    assert count(database) == 20


def test_waiting_records_keep_their_order(database: Database, settings: Settings) -> None:
    log = a_log(database, settings, redis=NOBODY)
    records = [a_record() for _ in range(5)]
    with database_away(settings.database_url):
        for record in records[:3]:
            log.record(record)
        log.flush()
        for record in records[3:]:
            log.record(record)
    assert list(log._buffer) == records  # noqa: SLF001  what overflows is dropped by this order


def test_what_does_not_fit_is_dropped_oldest_first_and_counted(database: Database, settings: Settings) -> None:
    log = a_log(database, settings, redis=NOBODY, capacity=3)
    records = [a_record() for _ in range(5)]
    with database_away(settings.database_url):
        for record in records:
            log.record(record)
        log.flush()
    assert (log.backlog, log.dropped_total) == (3, 2)
    log.flush()
    kept = {str(found.id) for found in rows(database, "SELECT id FROM requests")}
    assert kept == {record.id for record in records[2:]}


def test_what_neither_server_takes_at_the_end_is_counted_as_dropped(database: Database, settings: Settings) -> None:
    log = a_log(database, settings, redis=NOBODY)
    with database_away(settings.database_url):
        log.record(a_record())
        log.close()
    assert log.dropped_total == 1


def test_recording_does_not_wait_for_a_database_that_is_away(log: RequestLog, settings: Settings) -> None:
    with database_away(settings.database_url):
        started = now()
        log.record(a_record())
        assert now() - started < timedelta(seconds=0.1)


def test_a_durable_record_is_written_before_anything_else(database: Database, settings: Settings) -> None:
    a_log(database, settings, durable=True).record(a_record())
    assert count(database) == 1


def test_a_durable_record_is_put_aside_while_postgresql_is_away(
    database: Database, overflow: RequestOverflow, settings: Settings
) -> None:
    log = a_log(database, settings, durable=True)
    with database_away(settings.database_url):
        assert log.record(a_record())
    assert overflow.length() == 1


def test_a_durable_record_that_can_be_kept_nowhere_is_refused(database: Database, settings: Settings) -> None:
    log = a_log(database, settings, redis=NOBODY, durable=True)
    with database_away(settings.database_url):
        assert not log.record(a_record())
    assert log.backlog == 0


def test_the_writer_survives_a_table_that_is_missing_for_a_while(
    running: RequestLog, overflow: RequestOverflow, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE requests RENAME TO elsewhere")
    running.record(a_record())
    eventually(lambda: _tried(caplog) or not _runs(running))
    assert _runs(running)
    with database.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO requests")
    running.record(a_record())
    eventually(lambda: count(database) >= 1, SECONDS_TO_COME_BACK)
    eventually(lambda: _count_with_overflow(overflow, database) == 2, SECONDS_TO_COME_BACK)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_sums_equal_a_recount(log: RequestLog, database: Database, seed: int) -> None:
    random_numbers = random.Random(seed)
    records = [random_record(random_numbers) for _ in range(300)]
    for start in range(0, 300, 37):
        for record in records[start : start + 37]:
            log.record(record)
        log.flush()
    kept = {
        (found.hour, found.task_type, found.outcome): (found.requests, pytest.approx(found.latency_ms_sum))
        for found in rows(database, "SELECT * FROM hourly_statistics")
    }
    counted: dict[Any, tuple[int, float]] = {}
    for record in records:
        key = (moment_of(UUID(record.id)).replace(minute=0), record.task_type or "", record.outcome)
        number, total = counted.get(key, (0, 0.0))
        counted[key] = (number + 1, total + record.latency_ms)
    assert kept == counted


def test_the_histogram_equals_a_recount(log: RequestLog, database: Database) -> None:
    random_numbers = random.Random(4)
    records = [random_record(random_numbers) for _ in range(300)]
    for record in records:
        log.record(record)
        if random_numbers.random() < 0.1:
            log.flush()
    log.flush()
    found = rows(
        database,
        """SELECT number, sum(count)::int AS count
           FROM hourly_statistics, unnest(latency_histogram) WITH ORDINALITY AS bucket (count, number)
           GROUP BY number ORDER BY number""",
    )
    counted = [0] * (len(LATENCY_BOUNDS_MS) + 1)
    for record in records:
        counted[sum(record.latency_ms >= bound for bound in LATENCY_BOUNDS_MS)] += 1
    assert [bucket.count for bucket in found] == counted


def test_writers_at_once_sum_up_everything(database: Database, settings: Settings) -> None:
    def write(number: int) -> None:
        log = a_log(database, settings)
        random_numbers = random.Random(number)
        for _ in range(20):
            for _ in range(5):
                log.record(random_record(random_numbers))
            log.flush()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    assert row(database, "SELECT sum(requests) AS sum FROM hourly_statistics").sum == 400


def test_the_view_shows_each_request_with_its_response(
    log: RequestLog, jobs: JobStore, claims: Claims, settings: Settings, database: Database
) -> None:
    request = ask(settings)
    job = claims.claim(accepted(jobs, request).id)
    assert job is not None
    answer = an_answer(job_id=job.id)
    claims.complete(job, answer, None)
    for outcome in ("miss", "memcached"):
        log.record(a_record(outcome=outcome, job_id=str(job.id)))
    log.flush()
    shown = rows(database, "SELECT request, response FROM request_log")
    assert [tuple(each) for each in shown] == [(request.as_body(), answer.result)] * 2


def test_the_view_shows_an_uploaded_picture_by_its_digest(
    log: RequestLog, jobs: JobStore, settings: Settings, database: Database
) -> None:
    content = png()
    job = accepted(jobs, ask_about_picture(settings, content))
    log.record(a_record(job_id=str(job.id)))
    log.flush()
    assert row(database, "SELECT request FROM request_log").request["input"] == {
        "sha256": job.picture_sha256,
        "bytes": len(content),
        "media_type": "image/png",
    }


def test_the_view_shows_a_refused_request(log: RequestLog, database: Database) -> None:
    refused = {"bytes": 3, "sha256": "0" * 64, "error": "malformed_request"}
    log.record(a_record(outcome="error", status=400, task_type=None, request=refused))
    log.flush()
    assert tuple(row(database, "SELECT request, response FROM request_log")) == (refused, None)


def _tried(caplog: pytest.LogCaptureFixture) -> bool:
    return any(record.name == "api.request_log.buffer" for record in caplog.records)


def _runs(log: RequestLog) -> bool:
    return log.loop.is_running


def _count_with_overflow(overflow: RequestOverflow, database: Database) -> int:
    list(drain(overflow, RequestWriter(database)))
    return count(database)
