"""Finding jobs that nobody would end otherwise."""

import json
from collections.abc import Callable
from itertools import takewhile
from uuid import UUID

from sqlalchemy import TextClause, text

from shared.db.engine import Database
from shared.job_errors import AttemptsExhausted, DeadlineExceeded, JobError

MAX_REPUBLISH_SECONDS = 900

_FAIL = """
    UPDATE jobs SET status = 'failed', error = CAST(:error AS jsonb), completed_at = now(), lease_until = NULL,
        request = coalesce(redacted_request, request)
    WHERE {which} RETURNING id
"""

_FAIL_OVERDUE = text(_FAIL.format(which="status = 'queued' AND deadline_at < now()"))

_FAIL_POISONOUS = text(
    _FAIL.format(which="status = 'in_progress' AND lease_until < now() AND attempts >= :max_attempts")
)

_RESCUE = text("""
    UPDATE jobs SET status = 'queued', not_before = now(), publish_at = now(), lease_until = NULL, paying_key = NULL
    WHERE status = 'in_progress' AND lease_until < now()
""")

# A job whose message is published and not yet consumed comes again, each time after twice as long, so that a long
# backlog is not published over and over.
_TAKE_DUE = text("""
    WITH due AS (
        SELECT id, publish_at FROM jobs WHERE status = 'queued' AND publish_at <= now()
        ORDER BY publish_at, id LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET publishes = publishes + 1, publish_at = now() + make_interval(secs =>
        least(:longest, :first * power(2, least(publishes, 16))))
    FROM due WHERE jobs.id = due.id
    RETURNING jobs.id, queue, due.publish_at AS due_since
""")

_STILL_DUE = text("""
    UPDATE jobs SET publishes = publishes - 1, publish_at = now() WHERE id = ANY(:ids) AND status = 'queued'
""")

# When it ended nobody knows: it counts no time, rather than all until it was noticed.
_CLOSE_LOST_CALLS = text("""
    UPDATE provider_calls SET outcome = 'failed', error_code = 'worker_lost', ended_at = started_at
    WHERE outcome = 'started' AND started_at < now() - make_interval(secs => :seconds)
""")


class Sweeps:
    """Bounded sweeps over the table `jobs`. Raises DatabaseUnavailable when PostgreSQL is away."""

    def __init__(self, database: Database, republish_seconds: float) -> None:
        """`republish_seconds`: after how long a message is taken for lost, the first time."""
        self._database = database
        self._republish_seconds = republish_seconds

    def fail_overdue(self) -> list[UUID]:
        """End queued jobs that are past their deadline; return their ids."""
        return self._fail(DeadlineExceeded(), _FAIL_OVERDUE)

    def fail_poisonous(self, max_attempts: int) -> list[UUID]:
        """End jobs whose last allowed attempt lost its worker; return their ids."""
        return self._fail(AttemptsExhausted(), _FAIL_POISONOUS, max_attempts=max_attempts)

    def rescue_lost(self) -> int:
        """Queue jobs again whose lease ran out; return how many."""
        with self._database.begin() as connection:
            return connection.execute(_RESCUE).rowcount

    def close_lost_calls(self, seconds: float) -> int:
        """End calls to providers that began so long ago that their worker must have died; return how many."""
        with self._database.begin() as connection:
            return connection.execute(_CLOSE_LOST_CALLS, {"seconds": seconds}).rowcount

    def publish_due(self, batch: int, publish: Callable[[UUID, str], bool]) -> int:
        """Publish queued jobs whose time has come, oldest first; return how many. Stops at the first refusal.

        They are marked as published before they are: no row is locked while we wait for the broker. What this
        process dies on is published again after the pause.
        """
        pauses = {"first": self._republish_seconds, "longest": MAX_REPUBLISH_SECONDS}
        with self._database.begin() as connection:
            rows = connection.execute(_TAKE_DUE, {"batch": batch, **pauses}).all()
        taken = sorted(rows, key=lambda row: (row.due_since, row.id))
        published = sum(1 for _ in takewhile(lambda row: publish(row.id, row.queue), taken))
        if left := [row.id for row in taken[published:]]:
            with self._database.begin() as connection:
                connection.execute(_STILL_DUE, {"ids": left})
        return published

    def _fail(self, error: JobError, statement: TextClause, **parameters: int) -> list[UUID]:
        failure = {"code": error.code, "title": error.title, "detail": error.detail, "retryable": error.retryable}
        with self._database.begin() as connection:
            rows = connection.execute(statement, {"error": json.dumps(failure), **parameters}).all()
        return [row.id for row in rows]
