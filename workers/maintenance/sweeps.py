"""Finding what nobody would end otherwise, a short transaction at a time."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text

from shared.db.engine import Database
from shared.jobs.errors import AttemptsExhausted, DeadlineExceeded, JobError
from shared.jobs.transitions import FAIL_EXHAUSTED, FAIL_OVERDUE, PUBLISH, RESCUE
from workers.maintenance.planner import IN_INDEX_ORDER

BATCH = 1000
MAX_REPUBLISH_SECONDS = 900

FIRST_TIME = "-infinity"
"""Where a sweep begins. Then each batch begins where the last one ended, for what was done is dead weight in its index
until VACUUM comes: reading it again with every batch would take a time that grows with the square of the backlog."""

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

# A job whose message is published and not yet consumed comes again, each time after twice as long, so that a long
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

# When it ended nobody knows: it counts no time, rather than all until it was noticed.
_CLOSE_LOST_CALLS = text(f"""{IN_INDEX_ORDER}
    WITH lost AS MATERIALIZED (
        SELECT id FROM provider_calls
        WHERE outcome = 'started' AND started_at < now() - make_interval(secs => :seconds)
            AND started_at >= CAST(:after AS timestamptz)
        ORDER BY started_at LIMIT :batch FOR UPDATE SKIP LOCKED
    )
    UPDATE provider_calls SET outcome = 'failed', error_code = 'worker_lost', ended_at = started_at
    FROM lost WHERE provider_calls.id = lost.id RETURNING started_at AS at
""")  # noqa: S608  built of constants


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Jobs whose worker was lost: those that have had all their attempts, and how many are queued again."""

    failed: list[UUID]
    rescued: int


class Sweeps:
    """Sweeps over the tables `jobs` and `provider_calls`: generators, whose every step is a transaction of its own.

    A step takes at most `batch` rows, and none that somebody else holds: nobody waits for a sweep, nor a sweep for
    anybody. The last one took what was left. A sweep may be left off between any two steps, and done twice at once.
    Steps raise DatabaseUnavailable.
    """

    def __init__(self, database: Database, republish_seconds: float, batch: int = BATCH) -> None:
        """`republish_seconds`: after how long a message is taken for lost, the first time."""
        self._database = database
        self._republish_seconds = republish_seconds
        self._batch = batch

    def fail_overdue(self) -> Iterator[list[UUID]]:
        """End queued jobs that are past their deadline; yield the ids of each batch."""
        for rows in self._batches(_FAIL_OVERDUE, error=_as_json(DeadlineExceeded())):
            yield [row.id for row in rows]

    def take_back_lost(self, max_attempts: int) -> Iterator[TakenBack]:
        """Queue jobs again whose lease ran out; end those whose last allowed attempt it was."""
        parameters = {"error": _as_json(AttemptsExhausted()), "max_attempts": max_attempts}
        for rows in self._batches(_TAKE_BACK_LOST, **parameters):
            failed = [row.id for row in rows if row.failed]
            yield TakenBack(failed, len(rows) - len(failed))

    def close_lost_calls(self, seconds: float) -> Iterator[int]:
        """End calls to providers that began so long ago that their worker must have died; yield how many."""
        for rows in self._batches(_CLOSE_LOST_CALLS, seconds=seconds):
            yield len(rows)

    def publish_due(self, queue: str, publish: Callable[[Sequence[UUID], str], bool]) -> Iterator[int]:
        """Publish a queue's jobs whose time has come, oldest first; yield how many. Ends at the first refusal.

        They are marked as published before they are: no row is locked while we wait for the broker. What this
        process dies on is published again after the pause. A batch that is refused stays due as a whole: what the
        broker took of it all the same comes twice, and finds nothing to claim.
        """
        pauses = {"first": self._republish_seconds, "longest": MAX_REPUBLISH_SECONDS}
        for rows in self._batches(_TAKE_DUE, queue=queue, **pauses):
            taken = [row.id for row in sorted(rows, key=lambda row: (row.at, row.id))]
            if not publish(taken, queue):
                with self._database.begin() as connection:
                    connection.execute(_STILL_DUE, {"ids": taken})
                return
            yield len(taken)

    def _batches(self, statement: TextClause, **parameters: object) -> Iterator[Sequence[Row[Any]]]:
        """Execute again and again, each time from where the last one ended, until a batch is not full."""
        after: object = FIRST_TIME
        while True:
            with self._database.begin() as connection:
                rows = connection.execute(statement, {**parameters, "after": after, "batch": self._batch}).all()
            if rows:
                yield rows
            if len(rows) < self._batch:
                return
            after = max(row.at for row in rows)


def _as_json(error: JobError) -> str:
    return json.dumps({"code": error.code, "title": error.title, "detail": error.detail, "retryable": error.retryable})
