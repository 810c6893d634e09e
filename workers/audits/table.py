"""The table `audits`: taken by one worker at a time, and turned into counts of drift at the end."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db.engine import Database
from shared.domain.drift import Verdict, age_class
from shared.domain.routes import Route
from shared.times import first_id_at, now
from shared.traces.context import TraceContext, parse_traceparent
from workers.audits.drift_sql import COUNT_ENDED

EXPIRES_SECONDS = 3600
"""An audit that has waited for so long is given up: nobody's text is kept for longer than it takes."""

BATCH = 100

_TAKE = text("""
    WITH next AS (
        SELECT id FROM audits WHERE queue = :queue AND due_at <= now() AND id >= :oldest
            AND NOT EXISTS (SELECT FROM jobs WHERE jobs.queue = :queue AND jobs.status = 'queued')
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE audits SET attempts = attempts + 1, due_at = now() + :lease FROM next WHERE audits.id = next.id
    RETURNING audits.*, (SELECT traceparent FROM jobs WHERE jobs.id = audits.job_id) AS traceparent
""")

_PUT_BACK = text("""
    UPDATE audits SET attempts = attempts - 1, due_at = now() + :pause WHERE id = :id AND attempts = :attempts
""")

_END = text(f"""
    WITH gone AS (DELETE FROM audits WHERE id = :id AND attempts = :attempts RETURNING tenant, task_type),
    ended AS (SELECT gone.*, CAST(:age AS int) AS age, :verdict AS verdict, CAST(:dollars AS numeric) AS dollars
        FROM gone),
    {COUNT_ENDED}
    SELECT count(*) FROM ended
""")  # noqa: S608  built of constants


_EXPIRE = text(f"""
    WITH expired AS MATERIALIZED (
        SELECT id FROM audits WHERE id < :oldest AND due_at <= now() ORDER BY id LIMIT :batch FOR UPDATE SKIP LOCKED
    ), ended AS (
        DELETE FROM audits WHERE id IN (SELECT id FROM expired)
        RETURNING tenant, task_type, 0 AS age, '{Verdict.EXPIRED}' AS verdict, 0::numeric AS dollars
    ), {COUNT_ENDED}
    SELECT count(*) FROM ended
""")  # noqa: S608  built of constants


@dataclass(frozen=True, slots=True)
class Audit:
    """A hit that is asked again. `request`: with input and options. `result`: what was served.

    `attempts`: which attempt this is, from 1. It fences what this worker writes. `trace`: of the job that made the
    answer, if that is known.
    """

    id: UUID
    namespace: str
    task_type: str
    route: Route
    request: Mapping[str, Any]
    result: Mapping[str, Any]
    started_at: datetime
    completed_at: datetime
    attempts: int
    trace: TraceContext | None


class AuditTable:
    """The audits that wait for the workers of a queue. Methods raise DatabaseUnavailable."""

    def __init__(self, database: Database, queue: str, lease_seconds: float) -> None:
        """`lease_seconds`: after which an audit without an end is taken from its worker; longer than any takes."""
        self._database = database
        self._queue = queue
        self._lease = timedelta(seconds=lease_seconds)

    def take(self) -> Audit | None:
        """Take the oldest audit that is due; None if there is none, or a client's job is queued in this queue."""
        with self._database.begin() as connection:
            row = connection.execute(_TAKE, {"queue": self._queue, "lease": self._lease, "oldest": _oldest()}).first()
        if row is None:
            return None
        return Audit(
            id=row.id,
            namespace=row.namespace,
            task_type=row.task_type,
            route=Route(row.provider, row.model),
            request=row.request,
            result=row.result,
            started_at=row.started_at,
            completed_at=row.completed_at,
            attempts=row.attempts,
            trace=parse_traceparent(row.traceparent),
        )

    def put_back(self, audit: Audit, seconds: float) -> None:
        """Let the audit, which has cost nothing, wait for so long; this attempt does not count."""
        self._database.run(_PUT_BACK, {**_fence(audit), "pause": timedelta(seconds=seconds)})

    def end(self, audit: Audit, verdict: Verdict, age_seconds: float, dollars: Decimal) -> bool:
        """Delete the audit with all it holds, and count its verdict; return False if another worker has it by now."""
        counted = {"age": age_class(age_seconds), "verdict": verdict, "dollars": dollars}
        ((ended,),) = self._database.run(_END, {**_fence(audit), **counted})
        return bool(ended)


def give_up_expired(database: Database, batch: int = BATCH) -> Iterator[int]:
    """Delete audits that have waited for too long and count them; yield how many of each batch.

    Raises DatabaseUnavailable.
    """
    expired = batch
    while expired == batch:
        with database.begin() as connection:
            expired = int(connection.execute(_EXPIRE, {"oldest": _oldest(), "batch": batch}).scalar_one())
        if expired:
            yield expired


def _oldest() -> UUID:
    """Return the least id of an audit that has not expired."""
    return first_id_at(now() - timedelta(seconds=EXPIRES_SECONDS))


def _fence(audit: Audit) -> dict[str, object]:
    return {"id": audit.id, "attempts": audit.attempts}
