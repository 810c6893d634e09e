"""The figures of the queues, read from a real PostgreSQL."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from shared.db.engine import Database
from shared.jobs.job import Job
from shared.operation import queues
from shared.operation.queues import QueueState, read_queues
from tests.installation import Installation
from workers.jobs.claims import Claims

NAMES = ("text", "image")


def text_queue(database: Database) -> QueueState:
    found, empty = read_queues(database, NAMES)
    assert (found.queue, empty) == ("text", QueueState("image"))
    return found


def test_a_queue_without_jobs_is_empty(database: Database) -> None:
    assert read_queues(database, NAMES) == (QueueState("text"), QueueState("image"))


def test_a_new_job_is_due_and_ages(database: Database, new_job: Callable[[], Job]) -> None:
    new_job()
    with database.begin() as connection:
        connection.execute(text("UPDATE jobs SET not_before = now() - interval '90 seconds'"))
    new_job()
    found = text_queue(database)
    assert (found.due, found.delayed, found.waiting, found.running) == (2, 0, 2, 0)
    assert 90 <= found.oldest_due_seconds < 600


def test_a_job_that_has_to_wait_is_delayed_and_does_not_age(
    database: Database, claims: Claims, claimed: Callable[[], Job]
) -> None:
    claims.requeue(claimed(), 60, counted=True)
    assert text_queue(database) == QueueState("text", due=0, delayed=1, running=0, oldest_due_seconds=0.0)


def test_a_claimed_job_runs(database: Database, claimed: Callable[[], Job]) -> None:
    claimed()
    assert text_queue(database) == QueueState("text", running=1)


def test_a_job_that_has_ended_is_not_counted(installation: Installation, claimed: Callable[[], Job]) -> None:
    claimed()
    with installation.database.begin() as connection:
        connection.execute(text("UPDATE jobs SET status = 'cancelled', lease_until = NULL, completed_at = now()"))
    assert text_queue(installation.database) == QueueState("text")


def test_no_more_is_counted_than_can_be_counted_quickly(
    database: Database, new_job: Callable[[], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_job()
    monkeypatch.setattr(queues, "MOST_COUNTED", 0)
    assert text_queue(database).waiting == 0


def test_jobs_that_have_ended_are_not_read(database: Database) -> None:
    with database.begin() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        statement = str(queues._READ).rpartition(";")[2].replace(":most", "1000000")  # noqa: SLF001  the plan is the point
        plan = "\n".join(row[0] for row in connection.execute(text(f"EXPLAIN {statement}")))
    assert "Seq Scan on jobs" not in plan
