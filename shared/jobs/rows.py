"""A job as a row of the table `jobs`."""

from typing import Any

from sqlalchemy import Row

from shared.domain.answer import Usage
from shared.jobs.job import Job, JobFailure, JobStatus


def job_from_row(row: Row[Any]) -> Job:
    """Return the job in a row of the table `jobs`."""
    return Job(
        id=row.id,
        namespace=row.namespace,
        task_type=row.task_type,
        queue=row.queue,
        provider=row.provider,
        model=row.model,
        fallback_model=row.fallback_model,
        cache_key=row.cache_key,
        picture_sha256=row.picture_sha256,
        content_sha256=row.content_sha256,
        sharable=row.sharable,
        refresh=row.refresh,
        status=JobStatus(row.status),
        request=row.request,
        request_id=row.request_id,
        result=row.result,
        stale=row.stale,
        failure=None if row.error is None else JobFailure(**row.error),
        usage=Usage(row.prompt_tokens, row.completion_tokens, row.total_tokens, row.cached_tokens),
        attempts=row.attempts,
        claims=row.claims,
        created_at=row.created_at,
        deadline_at=row.deadline_at,
        started_at=row.started_at,
        completed_at=row.completed_at,
    )
