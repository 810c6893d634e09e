"""Backlogs of any size: short transactions that wait for nobody, until nothing is left."""

import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from redis import Redis
from sqlalchemy import text

from api.bootstrap import ApiServices
from shared.config import Settings
from shared.db.engine import Database
from shared.jobs import queue as queue_module
from shared.jobs.job import Job
from shared.jobs.notifier import CHANNEL
from tests.installation import Installation
from tests.integration.asking import row, rows, write
from workers.bootstrap import WorkerServices
from workers.jobs.claims import Claims
from workers.maintenance import rounds as maintenance_module
from workers.maintenance import sweeps as sweeps_module
from workers.maintenance.folding import fold_provider_calls
from workers.maintenance.pruning import Pruning
from workers.maintenance.sweeps import Sweeps

OpenServices = Callable[[Settings], ApiServices]

JOBS, BATCH = 35, 10
IN_BATCHES = [10, 10, 10, 5]
DAYS = 90

INSERT_JOBS = """
    INSERT INTO jobs (id, client, namespace, task_type, queue, provider, model, cache_key, sharable, refresh, status,
        request, publish_at, not_before, deadline_at, lease_until, attempts, claims, completed_at, result,
        redacted_request)
    SELECT gen_random_uuid(), 'anonymous', 'default', 'sentiment', 'text', 'simulated', 'm', md5(n::text), true, false,
        :status, '{}', now() + make_interval(secs => :publish_in), now(), now() + make_interval(secs => :deadline_in),
        now() - interval '1 s', 1, 1, CASE WHEN :status = 'completed' THEN now() - interval '1000 days' END,
        CASE WHEN :status = 'completed' THEN '{}'::jsonb END, CASE WHEN :status = 'completed' THEN '{}'::jsonb END
    FROM generate_series(1, :count) AS n
"""

INSERT_CALLS = """
    INSERT INTO provider_calls (id, job_id, attempt, task_type, provider, model, outcome, started_at, ended_at, folded)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, 'chat', 'groq', 'm', :outcome, now() - interval '1 hour',
        CASE WHEN :outcome <> 'started' THEN now() - interval '1 hour' END, false
    FROM generate_series(1, :count)
"""

INSERT_REQUESTS = """
    INSERT INTO requests (id, at, client, outcome, status, latency_ms)
    SELECT ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, now(), 'anonymous', 'miss', 202, 1
    FROM generate_series(1, :count) AS n
"""


def insert_jobs(
    database: Database, status: str, *, count: int = JOBS, deadline_in: float = 3600, publish_in: float = 3600
) -> None:
    given = {"status": status, "count": count, "deadline_in": deadline_in, "publish_in": publish_in}
    with database.begin(extra_seconds=60) as connection:
        connection.execute(text(INSERT_JOBS.replace(":status", "CAST(:status AS text)")), given)


def insert_calls(database: Database, outcome: str, count: int = JOBS) -> None:
    write(database, INSERT_CALLS.replace(":outcome", "CAST(:outcome AS text)"), outcome=outcome, count=count)


def statuses(database: Database) -> dict[str, int]:
    return {found.status: found.count for found in rows(database, "SELECT status, count(*) FROM jobs GROUP BY 1")}


@pytest.fixture
def sweeps(installation: Installation) -> Sweeps:
    return Sweeps(installation.database, 15, BATCH)


@pytest.fixture
def pruning(installation: Installation) -> Pruning:
    return Pruning(installation.database, DAYS, 3600, BATCH)


def test_overdue_jobs_end_batch_by_batch(sweeps: Sweeps, database: Database) -> None:
    insert_jobs(database, "queued", deadline_in=-1)
    assert [len(ids) for ids in sweeps.fail_overdue()] == IN_BATCHES
    assert statuses(database) == {"failed": JOBS}


def test_lost_jobs_are_taken_back_batch_by_batch(sweeps: Sweeps, database: Database) -> None:
    insert_jobs(database, "in_progress")
    assert [batch.rescued for batch in sweeps.take_back_lost(max_attempts=5)] == IN_BATCHES
    assert statuses(database) == {"queued": JOBS}


def test_due_jobs_are_published_batch_by_batch(sweeps: Sweeps, database: Database) -> None:
    insert_jobs(database, "queued", publish_in=-1)
    published = []
    assert list(sweeps.publish_due("text", lambda ids, _: not published.extend(ids))) == IN_BATCHES
    assert len(set(published)) == JOBS


def test_lost_calls_are_closed_batch_by_batch(sweeps: Sweeps, database: Database) -> None:
    insert_calls(database, "started")
    assert list(sweeps.close_lost_calls(60, 600)) == IN_BATCHES


@pytest.mark.parametrize("kind", ["delete_jobs", "forget_results"])
def test_old_jobs_go_batch_by_batch(pruning: Pruning, database: Database, kind: str) -> None:
    insert_jobs(database, "completed")
    assert list(getattr(pruning, kind)()) == IN_BATCHES


def test_old_requests_go_batch_by_batch(pruning: Pruning, database: Database) -> None:
    write(database, INSERT_REQUESTS, count=JOBS)
    assert list(pruning.delete_requests()) == IN_BATCHES


def test_old_pictures_go_batch_by_batch(pruning: Pruning, database: Database) -> None:
    insert_pictures(database, JOBS)
    assert list(pruning.delete_pictures()) == IN_BATCHES


def insert_pictures(database: Database, count: int) -> None:
    write(
        database,
        """INSERT INTO pictures SELECT md5(n::text), '', 'image/png', now() - interval '1 hour'
           FROM generate_series(1, :count) AS n""",
        count=count,
    )


def test_jobs_that_have_to_stay_do_not_hold_up_the_pruning_of_others(pruning: Pruning, database: Database) -> None:
    insert_jobs(database, "completed")
    write(
        database,
        """INSERT INTO requests (id, at, client, outcome, status, latency_ms, job_id)
           SELECT gen_random_uuid(), now(), 'anonymous', 'miss', 202, 1, id FROM (
               SELECT id FROM jobs ORDER BY completed_at, id LIMIT :kept) AS oldest""",
        kept=BATCH + 5,
    )
    assert list(pruning.delete_jobs()) == [0, 5, 10, 5]


@contextmanager
def locked(database: Database, statement: str) -> Iterator[None]:
    """Hold the rows of a statement while the block runs."""
    with database.begin() as connection:
        connection.execute(text(statement))
        yield


@pytest.mark.parametrize("kind", ["fail_overdue", "publish_due", "take_back_lost"])
def test_a_sweep_of_jobs_waits_for_nobodys_row(sweeps: Sweeps, database: Database, kind: str) -> None:
    insert_jobs(database, "in_progress" if kind == "take_back_lost" else "queued", deadline_in=-1, publish_in=-1)
    steps: dict[str, Callable[[], Iterator[object]]] = {
        "fail_overdue": sweeps.fail_overdue,
        "publish_due": lambda: sweeps.publish_due("text", lambda *_: True),
        "take_back_lost": lambda: sweeps.take_back_lost(5),
    }
    with locked(database, "SELECT FROM jobs WHERE cache_key = md5('7') FOR UPDATE"):
        assert len(list(steps[kind]())) == len(IN_BATCHES)
    assert row(database, "SELECT count(*) AS n FROM jobs WHERE lease_until < now() AND publishes = 0").n in {1, JOBS}


@pytest.mark.parametrize("table", ["requests", "pictures", "jobs", "provider_calls"])
def test_pruning_waits_for_nobodys_row(pruning: Pruning, database: Database, table: str) -> None:
    write(database, INSERT_REQUESTS, count=1)
    insert_pictures(database, 1)
    insert_jobs(database, "completed", count=1)
    insert_calls(database, "completed", 1)
    write(database, "UPDATE provider_calls SET folded = true, id = '00000000-0000-7000-8000-000000000000'")
    with locked(database, f"SELECT FROM {table} FOR UPDATE"):
        assert sum(getattr(pruning, f"delete_{table}")()) == 0
    assert sum(getattr(pruning, f"delete_{table}")()) == 1


def test_two_sweepers_at_once_share_a_backlog(database: Database) -> None:
    insert_jobs(database, "queued", deadline_in=-1, count=400)
    together = threading.Barrier(4)

    def sweep(_: int) -> list[uuid.UUID]:
        together.wait()
        return [job_id for ids in Sweeps(database, 15, 7).fail_overdue() for job_id in ids]

    with ThreadPoolExecutor(4) as pool:
        ended = [job_id for ids in pool.map(sweep, range(4)) for job_id in ids]
    assert len(ended) == len(set(ended))
    list(Sweeps(database, 15).fail_overdue())
    assert statuses(database) == {"failed": 400}


def test_a_live_job_is_served_while_a_backlog_ends(
    worker: WorkerServices, new_job: Callable[[], Job], database: Database
) -> None:
    insert_jobs(database, "queued", deadline_in=-1, count=5_000)
    job = new_job()
    served = threading.Event()

    def claim() -> None:
        assert worker.claims.claim(job.id) is not None
        served.set()

    steps = Sweeps(worker.services.database, 15, BATCH).fail_overdue()
    next(steps)
    with ThreadPoolExecutor(1) as pool:
        claiming = pool.submit(claim)
        while not served.is_set():
            next(steps)
        claiming.result()
    assert statuses(database)["queued"] > 0


def test_a_round_ends_overdue_jobs_of_several_batches_and_wakes_who_waits(worker: WorkerServices) -> None:
    services = worker.services
    insert_jobs(services.database, "queued", deadline_in=-1, count=2 * sweeps_module.BATCH + 1)
    client = Redis.from_url(services.settings.redis_cache_url)
    with client, client.pubsub() as subscription:
        subscription.subscribe(CHANNEL)
        while statuses(services.database).get("queued"):
            worker.maintenance.sweep_jobs()
        first = [subscription.get_message(timeout=5) for _ in range(3)]
    assert [message is not None and message["type"] for message in first] == ["subscribe", "message", "message"]


def test_calls_are_folded_until_none_is_left(worker: WorkerServices, database: Database) -> None:
    insert_calls(database, "completed", 2500)
    worker.maintenance.fold_statistics()
    assert row(database, "SELECT sum(provider_calls) AS n FROM hourly_statistics").n == 2500


def test_a_sweep_that_fails_keeps_no_other_from_its_turn(
    worker: WorkerServices, new_job: Callable[[], Job], claims: Claims, database: Database
) -> None:
    lost = new_job()
    claims.claim(lost.id)
    write(database, "UPDATE jobs SET lease_until = now() - interval '1 s'")
    insert_jobs(database, "queued", deadline_in=-1, count=1)
    write(database, "ALTER TABLE jobs ADD CONSTRAINT none_fails CHECK (status <> 'failed')")
    try:
        worker.maintenance.sweep_jobs()
        assert row(database, "SELECT status, publishes FROM jobs WHERE id = :id", id=lost.id) == ("queued", 1)
    finally:
        write(database, "ALTER TABLE jobs DROP CONSTRAINT none_fails")


def test_a_round_that_still_runs_is_not_begun_again(
    worker: WorkerServices, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave = threading.Semaphore(0), threading.Event()

    def slow_fold(database: Database) -> Iterator[int]:
        entered.release()
        leave.wait(20)
        return fold_provider_calls(database)

    monkeypatch.setattr(maintenance_module, "fold_provider_calls", slow_fold)
    insert_calls(database, "completed")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(worker.maintenance.fold_statistics)
        assert entered.acquire(timeout=20)
        worker.maintenance.fold_statistics()
        assert not entered.acquire(blocking=False)
        leave.set()
        running.result()
    assert row(database, "SELECT sum(provider_calls) AS n FROM hourly_statistics").n == JOBS


def test_a_batch_is_published_to_a_real_broker(services: ApiServices, settings: Settings) -> None:
    assert services.queue.publish_all([uuid.uuid4() for _ in range(3)], "text")
    with Redis.from_url(settings.celery_broker_url) as client:
        assert client.llen("text") == 3


def test_what_a_broker_refuses_is_not_published(
    configure: Callable[..., Settings], open_services: OpenServices
) -> None:
    services = open_services(configure(CELERY_BROKER_URL="redis://127.0.0.1:9/0"))
    assert not services.queue.publish_all([uuid.uuid4()], "text")


def test_a_full_queue_is_not_filled_further_and_another_one_is(
    worker: WorkerServices, database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue_module, "FULL", 3)
    with Redis.from_url(settings.celery_broker_url) as client:
        client.rpush("text", *"abc")
    insert_jobs(database, "queued", publish_in=-1)
    write(database, "UPDATE jobs SET queue = 'image' WHERE cache_key IN (md5('1'), md5('2'))")
    worker.maintenance.sweep_jobs()
    due = rows(database, "SELECT queue, count(*) FROM jobs WHERE publish_at <= now() GROUP BY 1")
    assert [tuple(found) for found in due] == [("text", JOBS - 2)]


PLANNED = {
    "due": (sweeps_module._TAKE_DUE, "ix_jobs_queue_publish_at_id"),  # noqa: SLF001  its plan is what is tested
    "overdue": (sweeps_module._FAIL_OVERDUE, "ix_jobs_deadline_at"),  # noqa: SLF001  as above
    "lost": (sweeps_module._TAKE_BACK_LOST, "ix_jobs_lease_until"),  # noqa: SLF001  as above
}
PARAMETERS = {
    "after": "-infinity",
    "batch": 1000,
    "queue": "text",
    "first": 1,
    "longest": 1,
    "error": "{}",
    "max_attempts": 5,
}


@pytest.mark.parametrize("name", PLANNED)
def test_a_backlog_that_analyze_has_not_seen_is_read_in_the_order_of_its_index(database: Database, name: str) -> None:
    statement, index = PLANNED[name]
    insert_jobs(database, "completed", count=1000)
    with database.begin() as connection:
        connection.execute(text("ANALYZE jobs"))
    insert_jobs(database, "in_progress" if name == "lost" else "queued", count=5000, deadline_in=-1, publish_in=-1)
    explained = str(statement).replace("WITH", "EXPLAIN WITH", 1)
    with database.begin() as connection:
        plan = "\n".join(line for (line,) in connection.execute(text(explained), PARAMETERS))
    assert f"Index Scan using {index}" in plan
    assert "Sort" not in plan
