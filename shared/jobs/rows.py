"""A job as a row of the table `jobs`."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.domain.answer import Usage
from shared.domain.routes import routes_from
from shared.jobs.job import Job, JobFailure, JobStatus
from shared.traces.context import parse_traceparent


def shown_fields(row: Row[Any]) -> dict[str, Any]:
    """Return the fields of a `ShownJob` from a row that has their columns."""
    return {
        "id": row.id,
        "task_type": row.task_type,
        "provider": row.provider,
        "model": row.model,
        "cache_key": row.cache_key,
        "status": JobStatus(row.status),
        "result": row.result,
        "stale": row.stale,
        "failure": None if row.error is None else JobFailure(**row.error),
        "usage": Usage(row.prompt_tokens, row.completion_tokens, row.total_tokens, row.cached_tokens),
        "attempts": row.attempts,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "completed_at": row.completed_at,
        "trace": parse_traceparent(row.traceparent),
    }


def job_from_row(row: Row[Any], begun_call: UUID | None = None) -> Job:
    """Return the job in a row of the table `jobs`. `begun_call`: as in `Job`."""
    return Job(
        **shown_fields(row),
        namespace=row.namespace,
        budgeted=row.budgeted,
        queue=row.queue,
        fallbacks=routes_from(row.fallbacks),
        picture_sha256=row.picture_sha256,
        content_sha256=row.content_sha256,
        sharable=row.sharable,
        refresh=row.refresh,
        streams=row.streams,
        request=row.request,
        request_id=row.request_id,
        claims=row.claims,
        deadline_at=row.deadline_at,
        begun_call=begun_call,
    )
