"""Pruning: deletes old data, in short transactions."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy import TextClause, text

from shared.db.engine import Database
from shared.db.tables import LIVE
from shared.jobs.transitions import FORGET_RESULT, PRUNE
from shared.times import first_id_at, now
from workers.jobs.planner import IN_INDEX_ORDER

BATCH = 1000
PICTURE_BATCH = 50
"""A picture may have about ten megabytes."""

UNUSED_PICTURE_MINUTES = 10
IDEMPOTENCY_HOURS = 24
DAY_SECONDS = 24 * 60 * 60
POLLED_SECONDS = 600
"""Results are kept at least this long, for clients that poll."""

FIRST: Mapping[str, object] = {"timestamptz": "-infinity", "date": "-infinity", "uuid": UUID(int=0), "text": ""}
"""A value before every key, by type."""


def _pruning(action: str, table: str, keys: Mapping[str, str], where: str) -> TextClause:
    """Return a statement that applies `action` to the next `batch` rows that are old enough, in the order of `keys`.

    It returns how many rows it examined, how many it changed, and the keys of the last one. The next batch begins after
    that key: deleted rows stay in the index until VACUUM, and rows that must stay are not examined twice.
    """
    columns, descending = ", ".join(keys), ", ".join(f"{name} DESC" for name in keys)
    after = ", ".join(f"CAST(:after_{name} AS {type_})" for name, type_ in keys.items())
    return text(f"""{IN_INDEX_ORDER}
        WITH candidates AS MATERIALIZED (
            SELECT {columns} FROM {table} WHERE {where} AND ({columns}) > ({after})
            ORDER BY {columns} LIMIT :batch FOR UPDATE SKIP LOCKED
        ), last AS (SELECT {columns} FROM candidates ORDER BY {descending} LIMIT 1), pruned AS ({action} RETURNING 1)
        SELECT examined, (SELECT count(*) FROM pruned) AS pruned, last.*
        FROM (SELECT count(*) AS examined FROM candidates) AS seen LEFT JOIN last ON true
    """)  # noqa: S608  built of constants


# Ids contain the time: the oldest come first, and no row that stays is read.
_BY_ID = {"id": "uuid"}
_BY_END = {"completed_at": "timestamptz", "id": "uuid"}
_BY_USE = {"used_at": "timestamptz", "sha256": "text"}

_BY_CLAIM = {"claimed_at": "timestamptz", "tenant": "text", "key_id": "text", "idempotency_key": "text"}
_BY_START = {"starts": "date", "tenant": "text", "key_id": "text", "period": "text"}

_REQUESTS = _pruning("DELETE FROM requests WHERE id IN (SELECT id FROM candidates)", "requests", _BY_ID, "id < :before")

_CALLS = _pruning(
    "DELETE FROM provider_calls WHERE id IN (SELECT id FROM candidates)",
    "provider_calls",
    _BY_ID,
    "id < :before AND folded",
)

# A job outlives the retention by the time that a tier may hold its answer, because a late hit refers to the job.
_JOBS = _pruning(
    f"""DELETE FROM jobs WHERE id IN (SELECT id FROM candidates) AND {PRUNE.condition}
        AND NOT EXISTS (SELECT FROM requests WHERE job_id = jobs.id)""",  # noqa: S608  of constants
    "jobs",
    _BY_END,
    "completed_at < now() - make_interval(days => :days, secs => :cached)",
)

_RESULTS = _pruning(
    f"""UPDATE jobs SET {FORGET_RESULT.assignments()}
        WHERE id IN (SELECT id FROM candidates) AND {FORGET_RESULT.condition}""",  # noqa: S608  of constants
    "jobs",
    _BY_END,
    """redacted_request IS NOT NULL AND result IS NOT NULL
        AND completed_at < now() - make_interval(secs => :cached)""",
)

# A picture that is uploaded again at this moment has a new `used_at` once we have the lock, and stays.
_PICTURES = _pruning(
    """DELETE FROM pictures WHERE sha256 IN (SELECT sha256 FROM candidates)
        AND NOT EXISTS (SELECT FROM jobs
            WHERE picture_sha256 = pictures.sha256 AND status IN ('queued', 'in_progress'))""",
    "pictures",
    _BY_USE,
    f"used_at < now() - interval '{UNUSED_PICTURE_MINUTES} minutes'",
)

# A month's budget may begin 31 days ago.
_BUDGETS = _pruning(
    """DELETE FROM budgets USING candidates WHERE budgets.starts = candidates.starts
        AND budgets.tenant = candidates.tenant AND budgets.key_id = candidates.key_id
        AND budgets.period = candidates.period""",
    "budgets",
    _BY_START,
    "starts < current_date - greatest(:days, 31)",
)


_IDEMPOTENCY_KEYS = _pruning(
    """DELETE FROM idempotency_keys AS known USING candidates WHERE known.tenant = candidates.tenant
        AND known.key_id = candidates.key_id AND known.idempotency_key = candidates.idempotency_key""",
    "idempotency_keys",
    _BY_CLAIM,
    f"claimed_at < now() - interval '{IDEMPOTENCY_HOURS} hours'",
)

# A response is of no use without its job's answer. One whose job has not ended, or only just, can still be polled.
_RESPONSES = _pruning(
    f"""DELETE FROM responses WHERE id IN (SELECT id FROM candidates)
        AND NOT EXISTS (SELECT FROM jobs WHERE jobs.id = responses.job_id
            AND ({LIVE} OR completed_at > now() - make_interval(secs => :seconds)))""",  # noqa: S608  of constants
    "responses",
    _BY_ID,
    "id < :before",
)


class Pruning:
    """Deletes by age. Each method is a generator: every step is one transaction and yields how many rows it changed.

    A step examines at most `batch` rows, and none that another transaction has locked. Steps raise DatabaseUnavailable.
    """

    def __init__(  # noqa: PLR0913  each says how long something is kept
        self,
        database: Database,
        retention_days: int,
        cached_seconds: float,
        batch: int = BATCH,
        *,
        keeps_payloads: bool = True,
        embedded_seconds: float = 0,
    ) -> None:
        """`retention_days`: how long requests, jobs and provider calls are kept. Aggregates are kept for ever.

        `cached_seconds`: how long a tier may hold the answer of an ended job; `embedded_seconds`: a vector of one.
        `keeps_payloads`: whether texts are kept longer than a tier may serve them.
        """
        self._database = database
        self._days = retention_days
        self._cached = cached_seconds
        # Vectors are kept for long, but by default not as long as jobs are anyway.
        self._referred = max(cached_seconds, embedded_seconds - timedelta(days=retention_days).total_seconds())
        self._batch = batch
        self._response_seconds = retention_days * DAY_SECONDS if keeps_payloads else self._result_seconds

    def delete_pictures(self) -> Iterator[int]:
        """Delete pictures unused for ten minutes that no live job needs."""
        return self._batches(_PICTURES, _BY_USE, min(self._batch, PICTURE_BATCH))

    def delete_requests(self) -> Iterator[int]:
        """Delete request records past their retention."""
        return self._batches(_REQUESTS, _BY_ID, self._batch, before=self._oldest_kept())

    def delete_jobs(self) -> Iterator[int]:
        """Delete ended jobs past their retention that no request record refers to."""
        return self._batches(_JOBS, _BY_END, self._batch, days=self._days, cached=self._referred)

    def delete_provider_calls(self) -> Iterator[int]:
        """Delete provider calls past their retention that are in the aggregates."""
        return self._batches(_CALLS, _BY_ID, self._batch, before=self._oldest_kept())

    def delete_budgets(self) -> Iterator[int]:
        """Delete what was spent of budgets in days and months past their retention."""
        return self._batches(_BUDGETS, _BY_START, self._batch, days=self._days)

    def delete_idempotency_keys(self) -> Iterator[int]:
        """Delete idempotency keys that are older than a day."""
        return self._batches(_IDEMPOTENCY_KEYS, _BY_CLAIM, self._batch)

    def forget_results(self) -> Iterator[int]:
        """Empty results that must not be kept longer than a tier may serve them."""
        return self._batches(_RESULTS, _BY_END, self._batch, cached=self._result_seconds)

    def delete_responses(self) -> Iterator[int]:
        """Delete responses past their retention, or, where no payloads are kept, past that of their results."""
        before = first_id_at(now() - timedelta(seconds=self._response_seconds))
        return self._batches(_RESPONSES, _BY_ID, self._batch, before=before, seconds=self._response_seconds)

    @property
    def _result_seconds(self) -> float:
        return max(self._cached, POLLED_SECONDS)

    def _oldest_kept(self) -> UUID:
        return first_id_at(now() - timedelta(days=self._days))

    def _batches(
        self, statement: TextClause, keys: Mapping[str, str], batch: int, **parameters: object
    ) -> Iterator[int]:
        last = {f"after_{name}": FIRST[type_] for name, type_ in keys.items()}
        while True:
            with self._database.begin() as connection:
                row = connection.execute(statement, {**parameters, **last, "batch": batch}).one()
            if row.examined:
                yield row.pruned
            if row.examined < batch:
                return
            last = {f"after_{name}": getattr(row, name) for name in keys}
