"""Sweeps: find rows that nobody else would publish or end, in short transactions."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text

from shared.db.engine import Database
from shared.jobs.errors import AttemptsExhausted, DeadlineExceeded, JobError
from shared.jobs.job import JobFailure
from shared.jobs.ledger import settle
from shared.jobs.transitions import FAIL_EXHAUSTED, FAIL_OVERDUE, PUBLISH, RESCUE
from workers.jobs.planner import IN_INDEX_ORDER

BATCH = 1000
MAX_REPUBLISH_SECONDS = 900

FIRST_TIME = "-infinity"
"""Where a sweep begins. Each later batch begins where the last one ended: rows that are done stay in the index until
VACUUM, and to read them again with every batch would take a time that grows with the square of the backlog."""

_ENDED = {
    "error": "CAST(:error AS jsonb)",
    "completed_at": "now()",
    "request": "coalesce(redacted_request, request)",
}

_FAIL_OVERDUE = text(f"""{IN_INDEX_ORDER}
    WITH overdue AS MATERIALIZED (
        SELECT id FROM jobs
        WHERE {FAIL_OVERDUE.condition} AND deadline_at < now()
            AND deadline_at >= CAST(:after AS timestamptz)
        ORDER BY deadline_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET {FAIL_OVERDUE.assignments(**_ENDED)}
    FROM overdue WHERE jobs.id = overdue.id RETURNING jobs.id, deadline_at AS at
""")  # noqa: S608  built of constants

_TAKE_BACK_LOST = text(f"""{IN_INDEX_ORDER}
    WITH lost AS MATERIALIZED (
        SELECT id, lease_until FROM jobs
        WHERE {RESCUE.condition} AND lease_until < now()
            AND lease_until >= CAST(:after AS timestamptz)
        ORDER BY lease_until LIMIT :batch FOR UPDATE SKIP LOCKED
    ), failed AS (
        UPDATE jobs SET {FAIL_EXHAUSTED.assignments(**_ENDED)}
        FROM lost WHERE jobs.id = lost.id AND attempts >= :max_attempts RETURNING jobs.id
    ), rescued AS (
        UPDATE jobs SET {RESCUE.assignments(not_before="now()", publish_at="now()")}
        FROM lost WHERE jobs.id = lost.id AND attempts < :max_attempts
    )
    SELECT lost.id, lease_until AS at, failed.id IS NOT NULL AS failed FROM lost LEFT JOIN failed ON failed.id = lost.id
""")  # noqa: S608  built of constants

_AFTER_A_PAUSE = "now() + make_interval(secs => least(:longest, :first * power(2, least(publishes, 16))))"

# A job whose message has not been consumed is published again, each time after a pause twice as long, so that a long
# backlog is not published over and over.
_TAKE_DUE = text(f"""{IN_INDEX_ORDER}
    WITH due AS MATERIALIZED (
        SELECT id, publish_at FROM jobs
        WHERE {PUBLISH.condition} AND queue = :queue AND publish_at <= now()
            AND publish_at >= CAST(:after AS timestamptz)
        ORDER BY publish_at, id LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE jobs SET {PUBLISH.assignments(publishes="publishes + 1", publish_at=_AFTER_A_PAUSE)}
    FROM due WHERE jobs.id = due.id
    RETURNING jobs.id, due.publish_at AS at
""")  # noqa: S608  built of constants

_STILL_DUE = text(f"""
    UPDATE jobs SET {PUBLISH.assignments(publishes="publishes - 1", publish_at="now()")}
    WHERE id = ANY(:ids) AND {PUBLISH.condition}
""")  # noqa: S608  built of constants

# Nobody knows when such a call ended, so it gets a duration of 0 rather than the time until it was noticed.
_CLOSE_LOST_CALLS = text(f"""{IN_INDEX_ORDER}
    WITH lost AS MATERIALIZED (
        SELECT id FROM provider_calls
        WHERE outcome = 'started' AND started_at < now() - make_interval(secs => :seconds)
            AND (started_at < now() - make_interval(secs => :stream_seconds)
                OR NOT EXISTS (SELECT FROM jobs WHERE jobs.id = provider_calls.job_id AND jobs.streams))
            AND started_at >= CAST(:after AS timestamptz)
        ORDER BY started_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE provider_calls SET outcome = 'failed', error_code = 'worker_lost', ended_at = started_at
    FROM lost WHERE provider_calls.id = lost.id RETURNING job_id AS id, started_at AS at
""")  # noqa: S608  built of constants


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The jobs of one batch whose lease expired.

    `failed`: ids of jobs that have used up their attempts. `rescued`: how many jobs are queued again.
    """

    failed: list[UUID]
    rescued: int


class Sweeps:
    """Sweeps over the tables `jobs` and `provider_calls`. Each is a generator, and each of its steps one transaction.

    A step takes at most `batch` rows and skips locked ones, so that a sweep never waits for another transaction. A
    sweep may be stopped between two steps, and two at once are safe. Steps raise DatabaseUnavailable.
    """

    def __init__(self, database: Database, republish_seconds: float, batch: int = BATCH) -> None:
        """`republish_seconds`: after how many seconds a message counts as lost, the first time."""
        self._database = database
        self._republish_seconds = republish_seconds
        self._batch = batch

    def fail_overdue(self) -> Iterator[list[UUID]]:
        """Fail queued jobs that are past their deadline; yield the ids of each batch."""
        for rows in self._batches(_FAIL_OVERDUE, {"error": _as_json(DeadlineExceeded())}, settles=True):
            yield [row.id for row in rows]

    def take_back_lost(self, max_attempts: int) -> Iterator[TakenBack]:
        """Queue jobs again whose lease expired, and fail those that have used up their attempts; yield each batch."""
        parameters = {"error": _as_json(AttemptsExhausted()), "max_attempts": max_attempts}
        for rows in self._batches(_TAKE_BACK_LOST, parameters, settles=True):
            failed = [row.id for row in rows if row.failed]
            yield TakenBack(failed, len(rows) - len(failed))

    def close_lost_calls(self, seconds: float, stream_seconds: float) -> Iterator[int]:
        """Fail provider calls that began more than `seconds` ago, because their worker must have died.

        `stream_seconds`: the same for those that may be streamed. Yields how many each batch has.
        """
        parameters = {"seconds": seconds, "stream_seconds": stream_seconds}
        for rows in self._batches(_CLOSE_LOST_CALLS, parameters, settles=True):
            yield len(rows)

    def publish_due(self, queue: str, publish: Callable[[Sequence[UUID], str], bool]) -> Iterator[int]:
        """Publish the due jobs of a queue, oldest first; yield how many each batch has. Ends when a batch is refused.

        Jobs are marked as published before they are, so that no row is locked while the broker is slow. If this process
        dies in between, they are published again after the pause. All jobs of a refused batch stay due: a message that
        the broker accepted all the same is sent twice, and the second one finds nothing to claim.
        """
        pauses = {"first": self._republish_seconds, "longest": MAX_REPUBLISH_SECONDS}
        for rows in self._batches(_TAKE_DUE, {"queue": queue, **pauses}):
            taken = [row.id for row in sorted(rows, key=lambda row: (row.at, row.id))]
            if not publish(taken, queue):
                with self._database.begin() as connection:
                    connection.execute(_STILL_DUE, {"ids": taken})
                return
            yield len(taken)

    def _batches(
        self, statement: TextClause, parameters: Mapping[str, object], *, settles: bool = False
    ) -> Iterator[Sequence[Row[Any]]]:
        """Execute the statement for one batch after another, until a batch is not full; yield the rows of each.

        `settles`: whether the ids are of jobs that ended, or whose calls did, so that budgets must know.
        """
        after: object = FIRST_TIME
        while True:
            with self._database.begin() as connection:
                rows = connection.execute(statement, {**parameters, "after": after, "batch": self._batch}).all()
                if settles:
                    settle(connection, [row.id for row in rows])
            if rows:
                yield rows
            if len(rows) < self._batch:
                return
            after = max(row.at for row in rows)


def _as_json(error: JobError) -> str:
    return json.dumps(asdict(JobFailure.of(error)))
