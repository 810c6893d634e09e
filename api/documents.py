"""Answers and jobs as JSON documents: always the same keys, unknown is null."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from api.reply import json_bytes
from shared.answer import Answer
from shared.cache.tiered import Lookup
from shared.jobs import Job, JobStatus
from shared.times import rfc3339

PREFIX = "/api/v1"


def job_path(job_id: UUID) -> str:
    """Return where a job is found."""
    return f"{PREFIX}/jobs/{job_id}"


def hit_body(answer: Answer, lookup: Lookup, key: str) -> bytes:
    """Render an answer from a tier: the id, times and usage are those of the job that made it."""
    visit = lookup.visits[-1]
    cache = {"hit": True, "tier": visit.tier, "age": int(lookup.age), "ttl": visit.ttl}
    return json_bytes(
        _document(
            status=JobStatus.COMPLETED,
            job_id=answer.job_id,
            task_type=answer.task_type,
            model=answer.model,
            provider=answer.provider,
            result=answer.result,
            error=None,
            usage=asdict(answer.usage),
            attempts=answer.attempts,
            cache={**cache, "key": key, "stale": False},
            created_at=rfc3339(answer.created_at),
            started_at=rfc3339(answer.started_at),
            completed_at=rfc3339(answer.completed_at),
        )
    )


def job_document(job: Job) -> dict[str, Any]:
    """Describe a job; its result came from no tier."""
    return _document(
        status=job.status,
        job_id=job.id,
        task_type=job.task_type,
        model=job.model,
        provider=job.provider,
        result=job.result if job.status is JobStatus.COMPLETED else None,
        error=None if job.failure is None else asdict(job.failure),
        usage=asdict(job.usage),
        attempts=job.attempts,
        cache={"hit": False, "tier": None, "age": None, "ttl": None, "key": job.cache_key, "stale": False},
        created_at=rfc3339(job.created_at),
        started_at=rfc3339(job.started_at),
        completed_at=rfc3339(job.completed_at),
    )


def _document(*, job_id: UUID, **members: Any) -> dict[str, Any]:  # noqa: ANN401  JSON is any of its types
    path = job_path(job_id)
    return {
        "status": members.pop("status"),
        "job_id": str(job_id),
        **members,
        "urls": {"self": path, "cancel": f"{path}/cancel"},
    }
