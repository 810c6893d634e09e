"""Who asked what and what they got: every call of predict, written in batches so that no answer waits for it."""

import json
import logging
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.db.engine import Database
from shared.errors import DatabaseUnavailable
from shared.statistics import BUCKET, HISTOGRAM_OF_GROUP
from shared.times import rfc3339

FLUSH_INTERVAL_SECONDS = 0.05
RETRY_INTERVAL_SECONDS = 1.0
BATCH = 1000
CAPACITY = 50_000

logger = logging.getLogger(__name__)

# One statement, so that a batch and its sums are committed together or not at all. The rows come as one JSON
# parameter, which needs no temporary table and so also works behind a transaction pooler.
_WRITE = text(f"""
    WITH added AS (
        INSERT INTO requests (id, at, client, task_type, cache_key, outcome, status, latency_ms, job_id, request)
        SELECT id, at, client, task_type, cache_key, outcome, status, latency_ms, job_id, request
        FROM jsonb_to_recordset(CAST(:records AS jsonb)) AS record (
            id uuid, at timestamptz, client text, task_type text, cache_key text, outcome text,
            status smallint, latency_ms float8, job_id uuid, request jsonb)
        ON CONFLICT (id) DO NOTHING
        RETURNING at, task_type, outcome, latency_ms, {BUCKET} AS bucket
    )
    INSERT INTO hourly_statistics AS hourly (hour, task_type, outcome, requests, latency_ms_sum, latency_histogram)
    SELECT date_trunc('hour', at, 'UTC'), coalesce(task_type, ''), outcome, count(*), sum(latency_ms),
        {HISTOGRAM_OF_GROUP}
    FROM added GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
    ON CONFLICT (hour, task_type, outcome) DO UPDATE SET
        requests = hourly.requests + excluded.requests,
        latency_ms_sum = hourly.latency_ms_sum + excluded.latency_ms_sum,
        latency_histogram = ARRAY(
            SELECT coalesce(old, 0) + coalesce(new, 0)
            FROM unnest(hourly.latency_histogram, excluded.latency_histogram) WITH ORDINALITY AS pair (old, new, number)
            ORDER BY number)
""")  # noqa: S608  built of constants


@dataclass(frozen=True, slots=True)
class Record:
    """One call of predict, with exactly one outcome. `request` is small: what the job's row does not say."""

    id: UUID
    at: datetime
    client: str
    outcome: str
    status: int
    latency_ms: float
    task_type: str | None = None
    cache_key: str | None = None
    job_id: UUID | None = None
    request: Mapping[str, Any] | None = None


class RequestLog:
    """A bounded buffer and the thread that empties it every 50 ms.

    While PostgreSQL is away the buffer waits; what no longer fits is dropped, oldest first, and counted.
    """

    def __init__(self, database: Database, *, durable: bool = False, capacity: int = CAPACITY) -> None:
        """`durable`: write each record before `record` returns, so that nothing is ever lost."""
        self._database = database
        self._durable = durable
        self._capacity = capacity
        self._buffer: deque[Record] = deque()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.dropped_total = 0

    @property
    def backlog(self) -> int:
        """How many records wait to be written."""
        return len(self._buffer)

    def start(self) -> None:
        """Begin to write in the background."""
        self._thread = threading.Thread(target=self._run, name="request log", daemon=True)
        self._thread.start()

    def record(self, record: Record) -> None:
        """Take a record; never raises and, unless durable, never waits."""
        if self._durable and self._write([record]):
            return
        with self._lock:
            self._buffer.append(record)
            while len(self._buffer) > self._capacity:
                self._buffer.popleft()
                self.dropped_total += 1

    def flush(self) -> bool:
        """Write what is buffered now; False when PostgreSQL is away."""
        while self._buffer:
            with self._lock:
                batch = [self._buffer.popleft() for _ in range(min(BATCH, len(self._buffer)))]
            if not self._write(batch):
                with self._lock:
                    self._buffer.extendleft(reversed(batch))
                return False
        return True

    def close(self) -> None:
        """Stop the thread and write the rest."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        if not self.flush():
            logger.error("Request records lost at stop", extra={"lost": self.backlog})

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_INTERVAL_SECONDS):
            if not self.flush():
                self._stopping.wait(RETRY_INTERVAL_SECONDS)

    def _write(self, batch: Sequence[Record]) -> bool:
        try:
            with self._database.begin() as connection:
                connection.execute(_WRITE, {"records": json.dumps([_as_row(record) for record in batch])})
        except (DatabaseUnavailable, DBAPIError) as err:
            # Also a table that is away for a moment must not end this thread: the buffer is bounded, the loss counted.
            fields = {"backlog": self.backlog + len(batch), "reason": type(err).__name__}
            logger.warning("Request records wait for PostgreSQL", extra=fields)
            return False
        return True


def _as_row(record: Record) -> dict[str, Any]:
    return {
        "id": str(record.id),
        "at": rfc3339(record.at),
        "client": record.client,
        "task_type": record.task_type,
        "cache_key": record.cache_key,
        "outcome": record.outcome,
        "status": record.status,
        "latency_ms": record.latency_ms,
        "job_id": None if record.job_id is None else str(record.job_id),
        "request": record.request,
    }
