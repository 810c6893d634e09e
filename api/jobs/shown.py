"""What clients see of jobs, read for many polls at once."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text

from shared.db.engine import Database
from shared.domain.answer import Usage
from shared.jobs.job import JobFailure, JobStatus, ShownJob

# Neither the request nor the result of a job that was cancelled meanwhile: both may be large, and are not shown.
_SHOWN = text("""
    SELECT id, task_type, provider, model, cache_key, status, stale, error, attempts,
        prompt_tokens, completion_tokens, total_tokens, cached_tokens, created_at, started_at, completed_at,
        CASE WHEN status = 'completed' THEN result END AS result
    FROM jobs WHERE id = ANY(CAST(:ids AS uuid[]))
""")


def read_shown(database: Database, job_ids: Collection[UUID]) -> Mapping[UUID, ShownJob]:
    """Read jobs in one round trip; those that don't exist are missing. Raises DatabaseUnavailable."""
    rows = database.run(_SHOWN, {"ids": [str(job_id) for job_id in job_ids]})
    return {row.id: _shown(row) for row in rows}


def _shown(row: Row[Any]) -> ShownJob:
    return ShownJob(
        id=row.id,
        task_type=row.task_type,
        provider=row.provider,
        model=row.model,
        cache_key=row.cache_key,
        status=JobStatus(row.status),
        result=row.result,
        stale=row.stale,
        failure=None if row.error is None else JobFailure(**row.error),
        usage=Usage(row.prompt_tokens, row.completion_tokens, row.total_tokens, row.cached_tokens),
        attempts=row.attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
