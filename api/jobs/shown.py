"""What clients see of jobs, read for many polls at once."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import text

from shared.db.engine import Database
from shared.jobs.job import ShownJob
from shared.jobs.rows import shown_fields

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
    return {row.id: ShownJob(**shown_fields(row)) for row in rows}
